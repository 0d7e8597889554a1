"""Control of an instrument: while one session has it, the others may only read.

Control is a lease. It stands while the client that took it is connected; when the connection is lost it stands for
`lease_s` longer, so that a broken link costs nobody the instrument, and a crashed program blocks it no longer than
that. All clients of the same session may write. Anybody with the role ``control`` may take control over with `force`:
people leave laboratories without logging out. The one who lost it learns by whom from the error at the next call that
changes something, and from the session's events.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from tagwire.core.arguments import boolean, real
from tagwire.errors import NotAllowed
from tagwire.rpc.host.history import instrument_of
from tagwire.rpc.host.objects import Caller, Resource

LEASE_S = 60.0
"""How long control outlives the connection of its holder, unless it says otherwise."""

LONGEST_S = 24 * 3600.0


@dataclass(eq=False)
class Control:
    """A client's control of `target`, or of all instruments of the server when that is `None`.

    Attributes
    ----------
    since
        When it was taken, in s since 1970.
    end
        When it ends by itself, on the clock of `Controls`; never while its holder is connected.
    times
        How often the holder has taken it; it has to give it back as often.
    """

    id: int
    holder: Caller
    target: Resource | None
    lease_s: float
    since: float
    end: float = math.inf
    times: int = 0

    def covers(self, resource: Resource | None) -> bool:
        """Whether it concerns the instrument `resource`, or any instrument when that is `None`."""
        return self.target is None or resource is None or self.target is resource

    def of(self) -> str:
        """What it is control of, in words."""
        return "all instruments" if self.target is None else f"this {self.target.spec.name}"


class Controls:
    """All control that sessions have taken.

    Parameters
    ----------
    clock
        Time in s.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._all: list[Control] = []
        self._lost: dict[Hashable, str] = {}
        self._numbers = itertools.count(1)
        self._listeners: tuple[Callable[[str, Control], object], ...] = ()

    def listen(self, listener: Callable[[str, Control], object]) -> None:
        """Call `listener` with ``"taken"``, ``"taken over"``, ``"given back"`` or ``"ended"``, and the control."""
        self._listeners = (*self._listeners, listener)

    def take(self, caller: Caller, target: Resource | None, lease_s: float = LEASE_S, force: bool = False) -> Control:
        """Give `caller` control of `target`, or of everything; `NotAllowed` when another session has it.

        A session that takes again what it has gets the same control, with the new `lease_s`.
        """
        if caller.role != "control":
            raise NotAllowed(f"{caller.label} may only observe here; to take control needs the role 'control'")
        lease_s, force = real(lease_s, "lease_s", 0, LONGEST_S), boolean(force, "force")
        target = None if target is None else instrument_of(target)
        with self._lock:
            self._end_due()
            others = [c for c in self._all if c.holder.owner != caller.owner and c.covers(target)]
            if others and not force:
                raise NotAllowed(f"{self.describe(others[0])}; take it over with force=True")
            taken = self._own(caller, target) or Control(next(self._numbers), caller, target, lease_s, time.time())
            taken.times = taken.times + 1 if taken.holder is caller else 1
            taken.holder, taken.lease_s, taken.end = caller, lease_s, math.inf
            self._all = [c for c in self._all if c not in (*others, taken)] + [taken]
            self._lost.update({c.holder.owner: caller.label for c in others})
            self._lost.pop(caller.owner, None)
        self._tell("taken over", others)
        self._tell("taken", [taken])
        return taken

    def give_back(self, caller: Caller, number: int) -> bool:
        """Give back control number `number` of the caller's session once; whether the session still had it."""
        with self._lock:
            own = next((c for c in self._all if c.id == number and c.holder.owner == caller.owner), None)
            if own is None:
                return False
            own.times -= 1
            if own.times <= 0:
                self._remove("given back", lambda control: control is own)
            return True

    def check(self, caller: Caller, resource: Resource | None) -> None:
        """`NotAllowed` when another session has control of the instrument (of any, for a call that concerns all)."""
        if not self._all:
            return
        instrument = None if resource is None else instrument_of(resource)
        with self._lock:
            self._end_due()
            other = next((c for c in self._all if c.holder.owner != caller.owner and c.covers(instrument)), None)
            if other is not None:
                lost = self._lost.get(caller.owner)
                raise NotAllowed(self.describe(other) + (f"; {lost} took it over from you" if lost else ""))

    def connected(self, caller: Caller) -> None:
        """The client has a connection (again)."""
        with self._lock:
            self._end_due()
            for control in self._of(caller):
                control.end = math.inf

    def disconnected(self, caller: Caller) -> None:
        """The client has lost its connection without a word."""
        with self._lock:
            for control in self._of(caller):
                control.end = self._clock() + control.lease_s

    def left(self, caller: Caller) -> None:
        """The client has gone in good order."""
        self._remove("given back", lambda c: c.holder is caller)

    def session_ended(self, caller: Caller) -> None:
        """The session of `caller` has ended."""
        self._lost.pop(caller.owner, None)
        self._remove("given back", lambda c: c.holder.owner == caller.owner)

    def present(self) -> list[dict[str, Any]]:
        """All control that is taken now, as everybody may see it: who, of what, since and until when (s since 1970)."""
        with self._lock:
            self._end_due()
            return [self._shown(control) for control in self._all]

    def describe(self, control: Control) -> str:
        """Who has it, of what, and until when."""
        end = self._shown(control)["until"]
        until = f"it gives it back, or {control.lease_s:g} s after its connection ends"
        if end is not None:
            until = f"{time.strftime('%H:%M:%S', time.localtime(end))} unless it comes back (its connection is lost)"
        return f"{control.holder.label} has control of {control.of()} until {until}"

    def end_due(self) -> float:
        """End what is over; returns when the next one will be."""
        with self._lock:
            self._end_due()
            return min((c.end for c in self._all), default=math.inf)

    def _own(self, caller: Caller, target: Resource | None) -> Control | None:
        return next((c for c in self._all if c.holder.owner == caller.owner and c.target is target), None)

    def _of(self, caller: Caller) -> list[Control]:
        return [control for control in self._all if control.holder is caller]

    def _shown(self, control: Control) -> dict[str, Any]:
        left = control.end - self._clock()
        return {
            "number": control.id,
            "who": control.holder.label,
            "of": control.of(),
            "since": control.since,
            "until": None if left == math.inf else time.time() + left,
            "lease_s": control.lease_s,
        }

    def _remove(self, what: str, chosen: Callable[[Control], bool]) -> list[Control]:
        with self._lock:
            removed = [c for c in self._all if chosen(c)]
            self._all = [c for c in self._all if c not in removed]
        self._tell(what, removed)
        return removed

    def _end_due(self) -> None:
        """End what is over: its time has come, or the instrument is gone."""
        now = self._clock()
        self._remove("ended", lambda c: c.end <= now or (c.target is not None and not c.target.leases))

    def _tell(self, what: str, controls: list[Control]) -> None:
        for control in controls:
            for listener in self._listeners:
                listener(what, control)
