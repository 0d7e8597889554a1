"""Files for their owner's eyes: written whole or not at all, and readable by nobody else."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tagwire.errors import KeysUnusable


def write(path: Path, data: bytes) -> None:
    """Put `data` in place of the file at `path`, with mode 0600, in a folder of mode 0700 if it has to be made."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def read(path: Path) -> bytes:
    """What is in a secret file; `KeysUnusable` when others can read it too."""
    with path.open("rb") as file:
        if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise KeysUnusable(f"{path} holds secrets and others can read it; make it yours alone: chmod 600 '{path}'")
        return file.read()


def read_json(path: Path) -> dict[str, Any]:
    """The object in a secret JSON file; empty when there is no such file."""
    try:
        content = json.loads(read(path))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise KeysUnusable(f"{path} is damaged ({error}); repair or remove it") from error
    if not isinstance(content, dict):
        raise KeysUnusable(f"{path} is damaged (it holds no object); repair or remove it")
    return content


@contextlib.contextmanager
def edit_json(path: Path) -> Iterator[dict[str, Any]]:
    """Change a secret JSON file; others that change it in the same way wait."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(path.with_name(f".{path.name}.lock")):
        content = read_json(path)
        yield content
        write(path, json.dumps(content, indent=1, sort_keys=True).encode() + b"\n")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("ab") as file:
        os.chmod(path, 0o600)
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield  # the lock goes with the file
