"""Memory that two processes of one computer share: files without a disk, under random names, for their owner only.

Plain files in Linux's shared memory are used, and not `multiprocessing.shared_memory`, whose tracker process removes
segments that others still use, and starts a process of its own.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import re
import secrets
import stat
from pathlib import Path

_FOLDER = Path("/dev/shm")
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAME = re.compile(r"tagwire-[0-9a-f]{32}")


def place() -> str:
    """Names the shared memory of this computer and user; empty where there is none."""
    try:
        device = os.stat(_FOLDER).st_dev
        return f"{_BOOT.read_text().strip()} {device} {os.geteuid()}"
    except (OSError, AttributeError):
        return ""


def create(size: int) -> tuple[str, mmap.mmap]:
    """A new segment and its name; `OSError` when there is no room for it."""
    name = f"tagwire-{secrets.token_hex(16)}"
    fd = os.open(_FOLDER / name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(fd, 0, size)  # memory that is promised and not there would kill whoever writes to it
        return name, mmap.mmap(fd, size)
    except BaseException:
        remove(name)
        raise
    finally:
        os.close(fd)


def take(name: str) -> mmap.mmap:
    """The segment of that name, which it then has no more: it lives as long as somebody uses it.

    `OSError` when there is none, or it is not this user's; `ValueError` when the name is none of ours.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a segment")
    fd = os.open(_FOLDER / name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"the segment {name} is somebody else's")
        return mmap.mmap(fd, 0)
    finally:
        os.close(fd)
        remove(name)


def remove(name: str) -> None:
    """Take a segment's name away; one that has gone is no error."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_FOLDER / name)
