"""One core that does every remote call, whichever way it came."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from tagwire.core.catalog import Catalog, ClassSpec, Kind, MethodSpec, ResultSpec
from tagwire.core.catalog.effects import changes_instrument, is_instrument, reaches_out, writes_file
from tagwire.core.catalog.records import field_values
from tagwire.errors import NotAllowed, ObjectGone
from tagwire.rpc.host.arguments import Arguments, Preparation
from tagwire.rpc.host.control import Controls
from tagwire.rpc.host.files import DataFolder
from tagwire.rpc.host.history import History
from tagwire.rpc.host.instruments import Instruments
from tagwire.rpc.host.library import Library
from tagwire.rpc.host.objects import MAX_OBJECTS, Caller, Lease, Registry, Resource
from tagwire.rpc.host.sharing import SERIAL, SharedTaggers, is_shareable
from tagwire.rpc.host.shown import shown, shown_arguments
from tagwire.rpc.wire import Handle, Record

log = logging.getLogger(__name__)

FREE = "freeTimeTagger"
FREE_ALL = "freeAllTimeTagger"
"""The API's functions that end taggers; a client ends only its own hold on them."""

CONTROL = "control"
"""The role that may do everything; any other one only reads."""

_READ_ONLY = f"you may only observe here; that needs the role {CONTROL!r}"


Report = Callable[[str, Caller, str, Mapping[str, Any]], None]
"""Takes an event, who caused it, the name of the call, and its arguments."""


class Service:
    """Makes the calls of remote clients on an API module.

    Names are looked up in the catalog and nowhere else. Live objects go out as `Lease` and come in as `Handle`; every
    other value passes as it is.

    Parameters
    ----------
    api, catalog
        The module and its description.
    files
        The folder whose files calls may name; without it, any file name is refused.
    max_objects
        Live objects that one session may hold.
    instruments
        The objects beside the API that `catalog` describes too.

    Attributes
    ----------
    registry
        The live objects.
    controls, history
        Who has control of the instruments, and who changed what.
    report
        Called with ``"called"`` or ``"not allowed"``, the caller, the name and the arguments of each call that opens or
        changes an instrument, before it is made.
    """

    def __init__(
        self,
        api: ModuleType,
        catalog: Catalog,
        files: DataFolder | None = None,
        max_objects: int = MAX_OBJECTS,
        instruments: Instruments | None = None,
    ) -> None:
        self.catalog = catalog
        self.instruments = instruments or Instruments()
        self.library = Library(api, catalog, self.instruments.described)
        self.registry = Registry(max_objects)
        self.controls = Controls()
        self.history = History()
        self.report: Report = lambda event, caller, name, arguments: None
        self._files = files
        self._taggers = SharedTaggers(self.registry)
        self._tagger_names = {n for c in catalog.classes if c.kind is Kind.TAGGER for n in (c.name, *c.bases)}

    def call(self, name: str, args: Sequence[Any], kwargs: dict[str, Any], caller: Caller) -> Any:
        """Call a function, a constructor or a static method (``Class.method``)."""
        if name == FREE_ALL:
            return self._free_all(caller)
        if name == FREE and self._free(args, kwargs, caller):
            return None
        spec, target = self.library.callable(name)
        changes = self._check_allowed(caller, None, spec, args, kwargs)
        if self.library.instrument_of(name):
            self._check_may_change(caller, None, name)  # an object of an instrument's module: no reader of anything
            changes = True
        arguments = self._preparation(caller).prepare(spec, args, kwargs)
        if name in self.catalog.class_by_name:
            return self._construct(self.catalog.class_by_name[name], spec, target, arguments, caller)
        made = self.catalog.class_by_name.get(spec.result.live)
        opens = made is not None and made.kind is Kind.TAGGER
        if made is not None and opens:
            self._check_may_open(spec, made, caller)
        if changes or opens:
            self.report("called", caller, name, self._shown(spec, arguments))
        if made is not None and opens:
            return self._open(spec, made, target, arguments, caller)
        return self._result(target(*arguments.args, **arguments.kwargs), spec.result, caller)

    def invoke(self, handle: Handle, method: str, args: Sequence[Any], kwargs: dict[str, Any], caller: Caller) -> Any:
        """Call a method of a live object."""
        lease = self.find(handle, caller)
        spec = self.library.method(lease.resource.spec, method)
        changes = self._check_allowed(caller, lease.resource, spec, args, kwargs)
        arguments = self._preparation(caller).prepare(spec, args, kwargs)
        if changes:
            self.report("called", caller, f"{lease.resource.spec.name}.{method}", self._shown(spec, arguments))
        with self._turn(lease, method):
            value = getattr(lease.resource.obj, method)(*arguments.args, **arguments.kwargs)
        if changes:
            self.history.record(lease.resource, caller, method, self._shown(spec, arguments))
        return self._result(value, spec.result, caller, lease)

    def steer(
        self,
        resource: Resource,
        method: str,
        args: list[Any],
        kwargs: dict[str, Any],
        caller: Caller,
        call: Callable[[], Any],
    ) -> Any:
        """Make a `call` that changes an instrument and comes in by another door: it obeys the same rules."""
        self._check_may_change(caller, resource, method)
        value = call()
        shown = shown_arguments(self.library.method(resource.spec, method), args, kwargs, self.library)
        self.history.record(resource, caller, method, shown)
        return value

    def get(self, handle: Handle, name: str, caller: Caller) -> Any:
        """Value of a property of a live object."""
        lease = self.find(handle, caller)
        spec = self.library.property(lease.resource.spec, name)
        with self._turn(lease, name):
            value = getattr(lease.resource.obj, name)
        return self._result(value, ResultSpec(spec.type), caller, lease)

    def set(self, handle: Handle, name: str, value: object, caller: Caller) -> None:
        """Set a property of a live object."""
        lease = self.find(handle, caller)
        spec = self.library.property(lease.resource.spec, name)
        if not spec.writable:
            raise AttributeError(f"property {name!r} of {lease.resource.spec.name!r} object has no setter")
        if is_instrument(lease.resource.spec):
            self._check_may_change(caller, lease.resource, name)
            self.report("called", caller, f"{lease.resource.spec.name}.{name}", {"value": shown(value, self.library)})
        ready = self._preparation(caller).value(value, spec.type)
        with self._turn(lease, name):
            setattr(lease.resource.obj, name, ready)
        if is_instrument(lease.resource.spec):
            self.history.record(lease.resource, caller, name, {"value": shown(value, self.library)})

    def release(self, handle: Handle, caller: Caller, *, free: bool = False) -> None:
        """Give up a live object (see `Registry.release`); one that is gone already, or the server's, is no error."""
        try:
            lease = self.registry.find(handle.id, caller)
        except ObjectGone:
            return
        self.registry.release(lease, free=free)

    def find(self, handle: Handle, caller: Caller) -> Lease:
        """The live object that `handle` stands for; `ObjectGone` when there is none that `caller` may use."""
        return self.instruments.lease(handle.id) or self.registry.find(handle.id, caller)

    def _check_allowed(
        self, caller: Caller, resource: Resource | None, spec: MethodSpec, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> bool:
        """`NotAllowed` when the role or somebody's control forbids the call; whether it changes the instrument."""
        changes = changes_instrument(resource.spec if resource else None, spec)
        if changes:
            self._check_may_change(caller, resource, spec.name)
        elif caller.role != CONTROL:
            self._check_only_reads(caller, resource, spec, args, kwargs)
        return changes

    def _check_only_reads(
        self, caller: Caller, resource: Resource | None, spec: MethodSpec, args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        does = "writes a file of the server" if writes_file(spec, args, kwargs) else ""
        if resource is None and reaches_out(spec):
            does = "makes the server look at other computers"
        if does:
            self.report("not allowed", caller, spec.name, {})
            raise NotAllowed(f"{spec.name} {does}, but {_READ_ONLY}")

    def _check_may_change(self, caller: Caller, resource: Resource | None, name: str) -> None:
        try:
            if caller.role != CONTROL:
                raise NotAllowed(f"{name} changes what others use too, but {_READ_ONLY}")
            self.controls.check(caller, resource)
        except NotAllowed:
            self.report("not allowed", caller, name, {})
            raise

    def _check_may_open(self, spec: MethodSpec, made: ClassSpec, caller: Caller) -> None:
        if caller.role != CONTROL and not is_shareable(spec, made):
            self.report("not allowed", caller, spec.name, {})
            raise NotAllowed(f"{spec.name} makes a Time Tagger of your own, but {_READ_ONLY}")

    def _check_may_choose(self, spec: MethodSpec, arguments: Arguments, caller: Caller) -> None:
        """Who opens a device first chooses its options for everybody: that is not for those who may only observe."""
        usual = {p.name: p.default for p in spec.params if p.default_known}
        given = arguments.by_name(spec).items()
        chosen = [n for n, value in given if n != SERIAL and (n not in usual or usual[n] != value)]
        if caller.role != CONTROL and chosen:
            self.report("not allowed", caller, spec.name, self._shown(spec, arguments))
            raise NotAllowed(
                f"no such Time Tagger is open, and to open one with {', '.join(chosen)} of one's own choice changes "
                f"what others use too, but {_READ_ONLY}"
            )

    def _shown(self, spec: MethodSpec, arguments: Arguments) -> dict[str, Any]:
        return shown_arguments(spec, arguments.args, arguments.kwargs, self.library)

    def _preparation(self, caller: Caller) -> Preparation:
        return Preparation(
            lambda handle: self.find(handle, caller), self.library.enums, self._files, self.library.records
        )

    def _turn(self, lease: Lease, member: str) -> AbstractContextManager[object]:
        """Calls of one instrument beside the API run one at a time; those of the API know of threads."""
        return self.instruments.turn(self.library.instrument_of(lease.resource.spec.name), lease.resource.obj, member)

    def _construct(
        self, spec: ClassSpec, call: MethodSpec, cls: Callable[..., Any], arguments: Arguments, caller: Caller
    ) -> Lease:
        with self.instruments.turn(self.library.instrument_of(spec.name), cls, spec.name):
            obj = cls(*arguments.args, **arguments.kwargs)
        shut = partial(obj.__exit__, None, None, None) if spec.context else lambda: None
        log.debug("%s made a %s", caller.name, spec.name)
        return self.registry.add(obj, spec, caller, arguments.leases, shut, self._shown(call, arguments))

    def _open(
        self, spec: MethodSpec, made: ClassSpec, target: Callable[..., Any], arguments: Arguments, caller: Caller
    ) -> Lease:
        def create() -> Lease:
            self._check_may_choose(spec, arguments, caller)
            tagger = target(*arguments.args, **arguments.kwargs)
            kind = self.library.spec_of(tagger) or made
            return self.registry.add(tagger, kind, caller, (), partial(free, tagger), self._shown(spec, arguments))

        _, free = self.library.callable(FREE)
        log.info("%s opens a Time Tagger with %s", caller.name, spec.name)
        if is_shareable(spec, made):
            return self._taggers.open(arguments.by_name(spec), create, caller)
        return create()

    def _free(self, args: Sequence[Any], kwargs: dict[str, Any], caller: Caller) -> bool:
        """Give up the tagger among the arguments; False when there is none, so that the library says what is wrong."""
        given = [*args, *kwargs.values()]
        if len(given) != 1 or not isinstance(given[0], Handle):
            return False
        try:
            lease = self.registry.find(given[0].id, caller)
        except ObjectGone:
            return True  # freed before: the vendor's library makes nothing of it either
        if lease.resource.spec.name not in self._tagger_names:
            return False
        self.registry.release(lease, free=True)
        return True

    def _free_all(self, caller: Caller) -> None:
        for lease in self.registry.held_by(caller):
            if lease.resource.spec.name in self._tagger_names:
                self.registry.release(lease, free=True)

    def _result(self, value: Any, spec: ResultSpec, caller: Caller, source: Lease | None = None) -> Any:
        if value is None or isinstance(value, int | float | str | bytes | np.ndarray | np.generic):
            return value
        if record := self.library.record_name(value):
            return Record(record, tuple(self._result(v, spec, caller, source) for v in field_values(value)))
        if isinstance(value, list | tuple):
            items = [self._result(item, spec, caller, source) for item in value]
            return tuple(items) if isinstance(value, tuple) else items
        if isinstance(value, dict):
            return {key: self._result(item, spec, caller, source) for key, item in value.items()}
        giver = source.resource.spec if source is not None else None
        known = self.library.spec_of(value, giver) or self.catalog.class_by_name.get(spec.live)
        if known is None:
            return value
        stands_for = known.name in self._tagger_names or is_instrument(known)
        parents = [source] if source is not None and stands_for else []
        return self.registry.add(value, known, caller, parents)
