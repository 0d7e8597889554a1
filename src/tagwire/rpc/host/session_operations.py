"""What a client of ours can ask for beside the calls of the API: its session, the others, control, subscriptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tagwire.core.arguments import integer, text
from tagwire.core.catalog import Kind
from tagwire.rpc.host.operations import Operation
from tagwire.rpc.host.publisher import Publisher
from tagwire.rpc.host.service import Service
from tagwire.rpc.host.session import Client
from tagwire.rpc.host.sessions import Sessions
from tagwire.rpc.wire import Handle


class SessionOperations:
    """The operations by name, to be registered with `tagwire.rpc.host.operations.Operations`."""

    def __init__(self, service: Service, sessions: Sessions, publisher: Publisher) -> None:
        self._service, self._sessions, self._publisher = service, sessions, publisher

    def table(self) -> dict[str, Operation]:
        """``session``; ``held`` kinds; ``about`` id; ``history`` id; ``clients``; ``keep`` name; ``end_session``;
        ``controls``; ``take_control`` id-or-None lease_s force; ``give_back_control`` number; ``subscribe`` number what
        id-or-None options numbers-to-end; ``unsubscribe`` number; ``seen`` number.
        """
        return {
            "session": self._session,
            "held": self._held,
            "about": self._about,
            "history": self._history,
            "clients": self._clients,
            "keep": lambda client, name: self._sessions.keep(client, text(name, "name")),
            "end_session": self._sessions.end,
            "controls": lambda client: self._service.controls.present(),
            "take_control": self._take_control,
            "give_back_control": lambda client, number: self._service.controls.give_back(client.caller, number),
            "subscribe": self._subscribe,
            "unsubscribe": self._publisher.unsubscribe,
            "seen": self._publisher.seen,
        }

    def _session(self, client: Client) -> dict[str, Any]:
        session = client.session
        role = str(client.caller.role)
        return {"id": session.id, "name": session.name, "since": session.since, "role": role}

    def _held(self, client: Client, kinds: Sequence[str]) -> list[Handle]:
        held = self._sessions.held(client, [Kind(kind) for kind in kinds])
        return [Handle(lease.id, lease.resource.spec.name) for lease in held]

    def _about(self, client: Client, object_id: str) -> dict[str, Any]:
        made = self._service.find(Handle(object_id), client.caller).resource
        return {"class": made.spec.name, "parameters": dict(made.parameters), "since": made.since}

    def _history(self, client: Client, object_id: str) -> list[dict[str, Any]]:
        resource = self._service.find(Handle(object_id), client.caller).resource
        return [change.to_plain() for change in self._service.history.of(resource)]

    def _clients(self, client: Client) -> list[dict[str, Any]]:
        return [
            {
                "who": other.caller.label,
                "role": str(other.caller.role),
                "since": other.since,
                "session": other.session.name,
                "here": other is client,
            }
            for other in self._sessions.clients()
        ]

    def _take_control(self, client: Client, object_id: str | None, lease_s: float, force: bool) -> int:
        target = None if object_id is None else self._service.find(Handle(object_id), client.caller).resource
        return self._service.controls.take(client.caller, target, lease_s, force).id

    def _subscribe(
        self, client: Client, number: int, what: str, object_id: str | None, options: Any, over: Sequence[int]
    ) -> None:
        for one in over:
            self._publisher.unsubscribe(client, integer(one, "number"))
        self._publisher.subscribe(client, number, what, object_id, dict(options))
