"""What this system can do, and whether it may be made use of."""

from __future__ import annotations

import importlib.util
import socket
from dataclasses import dataclass


@dataclass
class Capabilities:
    """Switches; tests turn them off to see that the other way works too.

    Attributes
    ----------
    gather
        A socket sends several buffers at once.
    shared_memory
        Processes of one computer share memory under a name.
    narrow
        Integer arrays travel in the smallest type that holds their values.
    """

    gather: bool = hasattr(socket.socket, "sendmsg")
    shared_memory: bool = importlib.util.find_spec("_posixshmem") is not None
    narrow: bool = True


CAPABILITIES = Capabilities()
