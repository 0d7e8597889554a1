"""What goes into the audit log beside who came: calls that change an instrument, its end, sessions, control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tagwire.core.catalog import Kind
from tagwire.rpc.host.control import Control
from tagwire.rpc.host.objects import Caller, Resource
from tagwire.rpc.host.service import Service
from tagwire.rpc.host.session import Client
from tagwire.rpc.host.sessions import Sessions
from tagwire.security import AuditLog


def keep_audit(log: AuditLog, service: Service, sessions: Sessions) -> None:
    """Write to `log` from now on what clients of the server do."""

    def call(event: str, caller: Caller, what: str, arguments: Mapping[str, Any]) -> None:
        log.record(event, caller.principal, client=caller.label, call=what, arguments=arguments)

    def session(what: str, client: Client) -> None:
        names = {"session": client.session.name or client.session.id}
        log.record("session", client.caller.principal, client=client.caller.label, what=what, **names)

    def control(what: str, taken: Control) -> None:
        log.record("control", taken.holder.principal, client=taken.holder.label, what=what, of=taken.of())

    def ended(resource: Resource, last: Caller) -> None:
        if resource.spec.kind is Kind.TAGGER and not resource.parents:  # those with parents only stand for one
            facts = {"call": resource.spec.name, "arguments": resource.parameters}
            log.record("closed", last.principal, client=last.label, **facts)

    service.report = call
    service.registry.ended = ended
    sessions.listen(session)
    service.controls.listen(control)
