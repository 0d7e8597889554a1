"""All that a TimeTagStream of the served library has to say at one moment, in one answer."""

from __future__ import annotations

from functools import partial
from typing import Any

from tagwire.rpc.host.service import Service
from tagwire.rpc.host.session import Client
from tagwire.rpc.wire import Handle

COLUMNS = ("getTimestamps", "getChannels", "getEventTypes", "getMissedEvents")


def tag_columns(service: Service, client: Client, object_id: str) -> tuple[Any, ...]:
    """Take the tags out of the stream of that id, by its own methods.

    Returns
    -------
    tuple
        Whether the stream ran before the tags were taken; ``tStart`` and ``tGetData`` of the buffer; the stream's
        capture duration; whether it ran afterwards; times, channels, types and missed events.
    """
    stream = partial(service.invoke, Handle(object_id), args=(), kwargs={}, caller=client.caller)
    before = stream("isRunning")
    buffer = Handle(stream("getData").id)
    try:
        columns = [service.invoke(buffer, name, (), {}, client.caller) for name in COLUMNS]
        begun, taken = (service.get(buffer, name, client.caller) for name in ("tStart", "tGetData"))
    finally:
        service.release(buffer, client.caller, free=True)
    return before, begun, taken, stream("getCaptureDuration"), stream("isRunning"), *columns
