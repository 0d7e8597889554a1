"""Where keys, known servers, the configuration and the audit log live."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

HOME = "TAGWIRE_HOME"
"""Environment variable that names the folder of all these files."""


def home() -> Path:
    """The user's folder for Tagwire: `TAGWIRE_HOME`, or where the system keeps settings."""
    chosen = os.environ.get(HOME)
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_config_path("tagwire", appauthor=False))


def is_loopback(host: str) -> bool:
    """Whether `host` is this computer and cannot be reached from another; names other than localhost are not."""
    if host.lower() in ("localhost", "localhost."):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
