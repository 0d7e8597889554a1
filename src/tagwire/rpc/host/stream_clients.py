"""Clients of the tag stream change settings under the same rules as those of the RPC: one instrument, one control."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tagwire.rpc.host.objects import Caller

if TYPE_CHECKING:
    from tagwire.network.steering import Wish
    from tagwire.rpc.host.service import Service


def steer(service: Service, tagger: object, wish: Wish, call: Callable[[], Any]) -> Any:
    """Do what a client of the stream of `tagger` wishes, unless a session has control of it.

    A client of the stream is of no session, so control that anybody has keeps it out. What it changed stands in the
    history like everything else; a Time Tagger that no client of `service` has opened is none of its business.

    Raises
    ------
    NotAllowed
        (RuntimeError) A session has control.
    """
    resource = service.registry.resource_of(tagger)
    if resource is None:
        return call()
    who = Caller("stream", role=str(wish.who.role), who=f"tag stream ({wish.peer})", principal=wish.who.name)
    return service.steer(resource, wish.method, list(wish.args), dict(wish.kwargs), who, call)
