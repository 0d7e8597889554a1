"""What this system can do, and whether it may be made use of."""

from __future__ import annotations

import hashlib
import socket
from dataclasses import dataclass

from tagwire.rpc import segments


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
    shared_memory: bool = bool(segments.place())
    narrow: bool = True


CAPABILITIES = Capabilities()


def features() -> list[str]:
    """Optional ways of speaking that this side knows."""
    known = {"narrow": CAPABILITIES.narrow, "shm": CAPABILITIES.shared_memory}
    return [name for name, may_be_used in known.items() if may_be_used]


def place() -> str:
    """Tells whether two sides may see the same shared memory, and nothing else about either."""
    return hashlib.sha256(segments.place().encode()).hexdigest() if CAPABILITIES.shared_memory else ""
