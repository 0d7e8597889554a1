"""One thing that one client wants to hear of, and how much of it may be on its way at once."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field

from tagwire.rpc.host.objects import Lease
from tagwire.rpc.host.session import Client, Push, nowhere
from tagwire.rpc.host.watches import Watch

_WINDOW = 64
"""Most events of a subscription that are on their way to the client; of data there is one."""

_PATIENCE_S = 30.0
"""After so long without a sign of the client, it is sent more all the same."""


@dataclass(eq=False)
class Subscription:
    """One thing that one client wants to hear of.

    Attributes
    ----------
    lease
        The object that it ends with.
    lost
        Events that found no room since the last one that did.
    unseen
        How many the client has not seen yet of those that went to `push`. When the client comes back on another
        connection, data are sent again, and events whose arrival is not known are counted as lost.
    over
        Set when nothing more comes, and why.
    """

    client: Client
    number: int
    what: str
    lease: Lease | None = None
    watch: Watch | None = None
    due: float = 0.0
    lost: int = 0
    unseen: int = 0
    push: Push = nowhere
    sent_at: float = 0.0
    over: list[object] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def has_room(self, now: float) -> bool:
        """Whether the client has seen enough of what it was sent to get more."""
        if self.push is not self.client.push or now - self.sent_at > _PATIENCE_S:
            if self.watch is None and self.push is not self.client.push:
                self.lost += self.unseen
            self.push, self.unseen = self.client.push, 0
        return self.push is not nowhere and self.unseen < (_WINDOW if self.watch is None else 1)

    def send(self, value: object, now: float) -> bool:
        """Send a value; whether there was room. An event that finds none is counted as lost."""
        with self.lock:
            sent = self.has_room(now) and self.push(self.number, ["value", value, self.lost])
            if sent:
                self.unseen, self.lost, self.sent_at = self.unseen + 1, 0, now
            elif self.watch is None:
                self.lost += 1
            return sent

    def was_seen(self) -> None:
        """The client has seen one more."""
        with self.lock:
            watch = self.watch
            if self.unseen:
                self.unseen -= 1
                if watch is not None:
                    watch.told()

    def next_look(self) -> float:
        """When it is to be looked at, if it is."""
        if self.watch is None or self.over is not None or self.client.push is nowhere:
            return math.inf
        return self.due if not self.unseen else self.sent_at + _PATIENCE_S
