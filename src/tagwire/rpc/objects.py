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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tagwire.core.catalog import ClassSpec
from tagwire.errors import ObjectGone

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Caller:
    """Somebody who makes calls: a client's session, or one connection of a plain Pyro client.

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
    """

    name: str
    domain: str = ""
    address: str = ""
    gone: Callable[[], bool] = lambda: False


@dataclass(eq=False)
class Resource:
    """One live object; `parents` are the leases it was made with, `shut` what ends it in the library."""

    obj: object
    spec: ClassSpec
    parents: Sequence[Lease] = ()
    shut: Callable[[], object] = lambda: None
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
    """All leases of a server; safe to use from any thread."""

    def __init__(self) -> None:
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
    ) -> Lease:
        """A lease on `obj`, which may be one that is already known.

        `ObjectGone` after `close`: a call that was under way then leaves nothing behind.
        """
        with self._changed:
            if not self._closed:
                return self._add(obj, spec, caller, parents, shut)
        Resource(obj, spec, shut=shut).close()
        raise ObjectGone(f"the {spec.name} was not made: the server is closing")

    def share(self, resource: Resource, caller: Caller) -> Lease | None:
        """Another lease on `resource`, or `None` when it has ended."""
        with self._changed:
            return self._lease(resource, caller) if resource.leases else None

    def find(self, lease_id: str, caller: Caller) -> Lease:
        """The lease of that id; `ObjectGone` when it has ended or belongs to another client."""
        with self._changed:
            lease = self._leases.get(lease_id)
            if lease is None or not lease.held or lease.caller.domain != caller.domain:
                raise ObjectGone("the remote object does not exist any more: it was freed, or its client went away")
            return lease

    def held_by(self, caller: Caller) -> list[Lease]:
        """Leases of `caller`, newest first: what was made with another object comes before it."""
        with self._changed:
            return [lease for lease in reversed(self._leases.values()) if lease.caller is caller and lease.held]

    def release(self, lease: Lease, *, free: bool = False) -> None:
        """End `lease`: at once when `free`, else as soon as nothing that was made with it is left."""
        with self._changed:
            dead = self._let_go(lease, free)
            self._changed.notify_all()
        for resource in dead:
            resource.close()

    def release_all(self, caller: Caller) -> None:
        """End every lease of `caller`, measurements before their taggers."""
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

    def _add(
        self, obj: object, spec: ClassSpec, caller: Caller, parents: Sequence[Lease], shut: Callable[[], object]
    ) -> Lease:
        resource = self._resources.get(id(obj))
        if resource is None:
            resource = Resource(obj, spec, parents, shut)
            self._resources[id(obj)] = resource
            for parent in parents:
                parent.children += 1
        return self._lease(resource, caller)

    def _lease(self, resource: Resource, caller: Caller) -> Lease:
        lease = Lease(secrets.token_hex(12), resource, caller)
        self._leases[lease.id] = lease
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
        resource = lease.resource
        resource.leases.discard(lease)
        return [] if resource.leases else self._bury(resource)

    def _bury(self, resource: Resource) -> list[Resource]:
        del self._resources[id(resource.obj)]
        dead = [resource]
        for parent in resource.parents:
            parent.children -= 1
            if not parent.held and not parent.children:
                dead += self._end(parent)
        return dead
