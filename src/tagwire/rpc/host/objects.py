"""Which live objects exist at the server, and who holds them.

A `Resource` is one live object of the library. Clients hold it by a `Lease` each, so that two clients share a tagger
and neither can take it from the other. A resource is closed when its last lease ends.

A lease ends when its client frees it, or when its client lets go of it and nothing that was made with it is left: a
measurement keeps the tagger lease it was created with, as a local measurement keeps its tagger.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from tagwire.core.catalog import ClassSpec
from tagwire.errors import LimitReached, ObjectGone

log = logging.getLogger(__name__)

MAX_OBJECTS = 20_000
"""Live objects that one session may hold, unless the server is told otherwise."""


@dataclass(eq=False)
class Caller:
    """Somebody who makes calls: a client, or one connection of a plain Pyro client.

    Attributes
    ----------
    name
        For the log.
    domain
        Objects are seen only by callers of the domain in which they were made: a session each, and one for all plain
        Pyro clients, which pass their proxies around.
    address
        The server's ``host:port`` as the caller reaches it.
    gone
        Whether nobody waits for the answer any more.
    role
        ``"control"``, or ``"observe"`` for one that may read and make measurements, but change nothing of others.
    who
        The person and program, as the client says: ``user@host (pid)``.
    principal
        Name under which the caller is known to the server; empty without authentication.
    """

    name: str
    domain: str = ""
    address: str = ""
    gone: Callable[[], bool] = lambda: False
    role: str = "control"
    who: str = ""
    principal: str = ""

    @property
    def owner(self) -> Hashable:
        """What objects are counted and released by: the session, or the single plain connection."""
        return self.domain or self

    @property
    def label(self) -> str:
        """Who it is, for others to read."""
        told = self.who.startswith(f"{self.principal}@")  # anywhere else in it, it could belong to another's name
        known = f"{self.principal} " if self.principal and not told else ""
        return known + (self.who or self.name)


@dataclass(eq=False)
class Resource:
    """One live object.

    Attributes
    ----------
    parents
        The leases it was made with.
    shut
        What ends it in the library.
    parameters
        What it was made with, as plain values to show (see `tagwire.rpc.host.shown`).
    since
        When, in s since 1970.
    """

    obj: object
    spec: ClassSpec
    parents: Sequence[Lease] = ()
    shut: Callable[[], object] = lambda: None
    parameters: Mapping[str, object] = field(default_factory=dict)
    since: float = field(default_factory=time.time)
    leases: set[Lease] = field(default_factory=set)
    closed: threading.Event = field(default_factory=threading.Event)

    def close(self) -> None:
        """End it in the library; what the library says about that is only logged."""
        try:
            self.shut()
        except Exception:
            log.exception("closing a %s failed", self.spec.name)
        finally:
            self.closed.set()
        log.debug("closed a %s", self.spec.name)


@dataclass(eq=False)
class Lease:
    """A caller's hold on a resource; `held` until the client lets go, `children` made with it still live."""

    id: str
    resource: Resource
    caller: Caller
    held: bool = True
    children: int = 0
    ended: bool = False
    on_release: Callable[[], object] = lambda: None


class Registry:
    """All leases of a server; safe to use from any thread.

    Parameters
    ----------
    limit
        Most leases of one session.

    Attributes
    ----------
    ended
        Called with an object that has ended, and with who held it last.
    """

    def __init__(self, limit: int = MAX_OBJECTS) -> None:
        self.ended: Callable[[Resource, Caller], object] = lambda resource, last: None
        self._limit = limit
        self._life = secrets.token_hex(4)
        self._held: Counter[Hashable] = Counter()
        self._changed = threading.Condition(threading.RLock())
        self._leases: dict[str, Lease] = {}
        self._resources: dict[int, Resource] = {}
        self._closed = False

    def add(
        self,
        obj: object,
        spec: ClassSpec,
        caller: Caller,
        parents: Sequence[Lease] = (),
        shut: Callable[[], object] = lambda: None,
        parameters: Mapping[str, object] | None = None,
    ) -> Lease:
        """A lease on `obj`, which may be one that is already known.

        `ObjectGone` after `close`, `LimitReached` beyond the limit: the object is then closed again, and nothing is
        left behind.
        """
        with self._changed:
            full = self._held[caller.owner] >= self._limit
            if not (self._closed or full):
                return self._add(Resource(obj, spec, parents, shut, parameters or {}), caller)
            known = id(obj) in self._resources
        if not known:
            Resource(obj, spec, shut=shut).close()
        if full:
            raise LimitReached(
                f"the {spec.name} was not made: your session holds {self._limit} objects, the most this server allows; "
                "free some of them first"
            )
        raise ObjectGone(f"the {spec.name} was not made: the server is closing")

    def share(self, resource: Resource, caller: Caller) -> Lease | None:
        """Another lease on `resource`, or `None` when it has ended."""
        with self._changed:
            return self._lease(resource, caller) if resource.leases else None

    def find(self, lease_id: str, caller: Caller) -> Lease:
        """The lease of that id; `ObjectGone` when it has ended or belongs to another client."""
        with self._changed:
            lease = self._leases.get(lease_id)
            if lease is None and len(lease_id) == 32 and not lease_id.startswith(self._life):
                raise ObjectGone("the remote object is gone: the server was restarted since it was made")
            if lease is None or not lease.held or lease.caller.domain != caller.domain:
                raise ObjectGone("the remote object does not exist any more: it was freed, or its client went away")
            return lease

    def resource_of(self, obj: object) -> Resource | None:
        """What stands for `obj`, if somebody holds it."""
        with self._changed:
            return self._resources.get(id(obj))

    def held_by(self, caller: Caller) -> list[Lease]:
        """Leases of the caller's session, newest first: what was made with another object comes before it."""
        with self._changed:
            leases = reversed(self._leases.values())
            return [lease for lease in leases if lease.caller.owner == caller.owner and lease.held]

    def release(self, lease: Lease, *, free: bool = False) -> None:
        """End `lease`: at once when `free`, else as soon as nothing that was made with it is left."""
        with self._changed:
            dead = self._let_go(lease, free)
            self._changed.notify_all()
        for resource in dead:
            resource.close()
            self.ended(resource, lease.caller)

    def release_all(self, caller: Caller) -> None:
        """End every lease of the caller's session, measurements before their taggers."""
        for lease in self.held_by(caller):
            self.release(lease, free=True)

    def close(self) -> None:
        """End every lease, and take no more."""
        with self._changed:
            self._closed = True
            leases = list(reversed(self._leases.values()))
        for lease in leases:
            self.release(lease, free=True)

    def __len__(self) -> int:
        """Number of live objects."""
        with self._changed:
            return len(self._resources)

    def wait_until(self, count: int, timeout: float) -> bool:
        """Wait until exactly `count` objects live; False when `timeout` seconds passed before."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._resources) == count, timeout)

    def _add(self, made: Resource, caller: Caller) -> Lease:
        resource = self._resources.setdefault(id(made.obj), made)
        if resource is made:
            for parent in made.parents:
                parent.children += 1
        return self._lease(resource, caller)

    def _lease(self, resource: Resource, caller: Caller) -> Lease:
        lease = Lease(self._life + secrets.token_hex(12), resource, caller)
        self._leases[lease.id] = lease
        self._held[caller.owner] += 1
        resource.leases.add(lease)
        self._changed.notify_all()
        return lease

    def _let_go(self, lease: Lease, free: bool) -> list[Resource]:
        if lease.held:
            lease.held = False
            lease.on_release()
        return self._end(lease) if free or not lease.children else []

    def _end(self, lease: Lease) -> list[Resource]:
        if lease.ended:
            return []
        lease.ended = True
        del self._leases[lease.id]
        self._forget(lease.caller.owner)
        resource = lease.resource
        resource.leases.discard(lease)
        return [] if resource.leases else self._bury(resource)

    def _forget(self, owner: Hashable) -> None:
        self._held[owner] -= 1
        if not self._held[owner]:
            del self._held[owner]

    def _bury(self, resource: Resource) -> list[Resource]:
        del self._resources[id(resource.obj)]
        dead = [resource]
        for parent in resource.parents:
            parent.children -= 1
            if not parent.held and not parent.children:
                dead += self._end(parent)
        return dead
