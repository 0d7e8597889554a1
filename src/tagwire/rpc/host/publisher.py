"""Tells clients what is new: the server's side of `tagwire.rpc.client.subscription`.

What is watched (`.watches`) is looked at piece by piece, and what takes long to answer is left alone meanwhile; changes
of settings, log messages, and who comes and goes are told as they happen. Nothing waits for a client. Of data only the
latest counts: the next value is taken and sent once the client has seen the one before, so that a slow client or
network gets fewer values and never old ones. Of other events a few may be on their way at once; those that found no
room are counted, and the number is told with the next one.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tagwire.core.arguments import integer, real, text
from tagwire.core.faults import to_fault
from tagwire.errors import ArgumentError, LimitReached, NotSupported, ObjectGone
from tagwire.rpc import watchable
from tagwire.rpc.host import watches
from tagwire.rpc.host.control import Control
from tagwire.rpc.host.history import Change, instrument_of
from tagwire.rpc.host.log_tap import LogTap
from tagwire.rpc.host.objects import Lease, Resource
from tagwire.rpc.host.service import Service
from tagwire.rpc.host.session import Client
from tagwire.rpc.host.subscription import Subscription
from tagwire.rpc.host.watches import Nothing, Watch
from tagwire.rpc.wire import Handle

MAX_SUBSCRIPTIONS = 1000
"""Subscriptions of one client."""

SHORTEST_S, LONGEST_S = 0.01, 3600.0
"""Range of the interval between two updates."""

_SHARE = 4
"""A round of looking is followed by a pause of at least this many times its length."""


class Publisher:
    """All subscriptions of a server.

    Parameters
    ----------
    clock
        Time in s.
    changed
        Called when something may be due earlier than `look` said.
    make
        Makes a call that looks at an object of the library, and may go on without it (see `.onlooker`).
    """

    def __init__(
        self,
        service: Service,
        clock: Callable[[], float] = time.monotonic,
        changed: Callable[[], object] = lambda: None,
        make: Callable[[Callable[[], object]], object] = lambda call: call(),
    ) -> None:
        self._service, self._clock, self._changed, self._make_call = service, clock, changed, make
        self._lock = threading.RLock()
        self._subscriptions: dict[tuple[Client, int], Subscription] = {}
        self._looked_at: set[Resource] = set()
        self._pause_until = -math.inf
        self._tap = LogTap(service.library, self._logged)
        service.history.listen(self._setting_changed)
        service.controls.listen(self._control_changed)

    def subscribe(self, client: Client, number: int, what: str, object_id: str | None, options: dict[str, Any]) -> None:
        """Tell `client` of `what` from now on, under its own `number`.

        Parameters
        ----------
        what
            ``"update"`` (options: ``interval``, ``value``), ``"finished"``, ``"overflow"``, ``"settings"`` of an
            object; ``"log"`` or ``"session"``, which concern none.

        Raises
        ------
        ObjectGone
            There is no such object.
        ArgumentError, ArgumentKindError
            (ValueError, TypeError) An option is not what it should be.
        NotSupported
            (RuntimeError) The object has nothing of the kind to tell.
        LimitReached
            (RuntimeError) The client has `MAX_SUBSCRIPTIONS` of them.
        """
        made = self._make(client, integer(number, "number", 1), text(what, "what"), object_id, options)
        with self._lock:
            if len(self._of(client)) >= MAX_SUBSCRIPTIONS:
                raise LimitReached(f"this client has {MAX_SUBSCRIPTIONS} subscriptions, the most there can be")
            self._subscriptions[client, made.number] = made
        try:
            self._adjust_tap()
        except NotSupported:
            self._remove([made])
            raise
        if client.gone:  # while this call was under way
            self._remove([made])
        self._changed()

    def unsubscribe(self, client: Client, number: int) -> None:
        """End a subscription; one that has ended is no error."""
        self._remove([s for s in self._of(client) if s.number == number])

    def seen(self, client: Client, number: int) -> None:
        """The client has seen the last value and is ready for the next."""
        with self._lock:
            subscription = self._subscriptions.get((client, number))
        if subscription is not None:
            subscription.was_seen()
            self._changed()

    def look(self) -> float:
        """Look at what is due and send what is new; returns when the next look is due."""
        began = self._clock()
        if began < self._pause_until:
            return self._pause_until
        with self._lock:
            everything = list(self._subscriptions.values())
        for subscription in everything:
            self._attend(subscription, began)
        now = self._clock()
        self._pause_until = now + _SHARE * (now - began)
        return max(self._pause_until, self._next(everything))

    def client_changed(self, what: str, client: Client) -> None:
        """A client came or went."""
        if what == "went":
            self._remove(self._of(client))
        self._tell("session", {"what": what, "who": client.caller.label, "when": time.time()})

    def __len__(self) -> int:
        """Number of subscriptions."""
        with self._lock:
            return len(self._subscriptions)

    def _make(
        self, client: Client, number: int, what: str, object_id: str | None, options: dict[str, Any]
    ) -> Subscription:
        if what in ("log", "session"):
            return Subscription(client, number, what)
        lease = self._service.find(Handle(text(object_id, "object")), client.caller)
        watch = self._watch(client, what, lease, options)
        return Subscription(client, number, what, lease, watch, self._clock())

    def _watch(self, client: Client, what: str, lease: Lease, options: dict[str, Any]) -> Watch | None:
        obj, spec = lease.resource.obj, lease.resource.spec
        if what == "update":
            interval = real(options.get("interval"), "interval_s", SHORTEST_S, LONGEST_S)
            return watches.Updates(self._getter(client, lease, text(options.get("value"), "value")), interval)
        if what == "finished" and watchable.can_finish(spec):
            return watches.Finish(obj)
        if what == "overflow" and watchable.can_overflow(spec):
            return watches.Overflows(obj)
        if what == "settings" and watchable.has_settings(spec):
            return None
        if what in ("update", "finished", "overflow", "settings"):
            raise NotSupported(f"a {spec.name} has no event {what!r}")
        raise ArgumentError(f"there is no event {what!r}; there are update, finished, overflow, settings, log, session")

    def _getter(self, client: Client, lease: Lease, value: str) -> Callable[[], Any]:
        handle, service = Handle(lease.id), self._service
        if watchable.is_method(lease.resource.spec, value):
            return lambda: service.invoke(handle, value, (), {}, client.caller)
        return lambda: service.get(handle, value, client.caller)

    def _attend(self, subscription: Subscription, now: float) -> None:
        if self._is_looked_at(subscription):
            return
        if subscription.over is None and subscription.lease is not None and not subscription.lease.held:
            subscription.over = ["end", None, subscription.lost]
        if subscription.over is not None:
            subscription.lease = subscription.watch = None  # what has ended must not live on because of us
            if subscription.client.push(subscription.number, subscription.over):
                self._remove([subscription])
        elif subscription.watch is not None and subscription.due <= now and subscription.has_room(now):
            assert subscription.lease is not None
            subscription.due = now + subscription.watch.interval
            self._looked_at.add(subscription.lease.resource)
            self._make_call(partial(self._look_at, subscription, subscription.watch, subscription.lease.resource))

    def _is_looked_at(self, subscription: Subscription) -> bool:
        """Whether a look at its object is under way, for this subscription or another: so there is one at a time."""
        lease = subscription.lease
        return subscription.watch is not None and lease is not None and lease.resource in self._looked_at

    def _look_at(self, subscription: Subscription, watch: Watch, resource: Resource) -> None:
        try:
            value = watch.look()
            if value is not Nothing.NEW:
                subscription.send(value, self._clock())
        except ObjectGone:
            subscription.over = ["end", None, subscription.lost]
        except Exception as error:  # the library's, or a value that cannot be sent
            subscription.over = ["end", to_fault(error), 0]
        finally:
            self._looked_at.discard(resource)

    def _next(self, subscriptions: Iterable[Subscription]) -> float:
        """When the next look is due: objects end unannounced, so that is looked at every now and then as well."""
        due = [s.next_look() for s in subscriptions if not self._is_looked_at(s)]
        soon = any(s.lease is not None or s.over is not None for s in subscriptions)
        return min([*due, *([self._clock() + watches.LOOK_S] if soon else [])], default=math.inf)

    def _remove(self, subscriptions: list[Subscription]) -> None:
        with self._lock:
            for subscription in subscriptions:
                self._subscriptions.pop((subscription.client, subscription.number), None)
        self._adjust_tap()

    def _adjust_tap(self) -> None:
        """Hear the log while somebody wants it. Without the lock: the library may wait for a message under way."""
        while True:
            with self._lock:
                wanted = any(s.what == "log" for s in self._subscriptions.values())
            if wanted == self._tap.is_open:
                return
            self._tap.open() if wanted else self._tap.close()

    def _of(self, client: Client) -> list[Subscription]:
        with self._lock:
            return [s for s in self._subscriptions.values() if s.client is client]

    def _tell(self, what: str, value: object, chosen: Callable[[Subscription], bool] = lambda s: True) -> None:
        with self._lock:
            hearing = [s for s in self._subscriptions.values() if s.what == what and chosen(s)]
        for subscription in hearing:
            subscription.send(value, self._clock())

    def _setting_changed(self, instrument: Resource, change: Change) -> None:
        def concerned(subscription: Subscription) -> bool:
            lease = subscription.lease
            return lease is not None and instrument_of(lease.resource) is instrument

        self._tell("settings", change.to_plain(), concerned)

    def _control_changed(self, what: str, control: Control) -> None:
        facts = {"what": f"control {what}", "who": control.holder.label, "of": control.of(), "when": time.time()}
        self._tell("session", facts)

    def _logged(self, level: int, message: str) -> None:
        self._tell("log", {"level": level, "message": message, "when": time.time()})
