"""Values of forwarded calls on the wire, and connections that are cut."""

from __future__ import annotations

import os
import socket

import numpy as np
import pytest

from tagwire.core.address import Address
from tagwire.core.enums import ChannelEdge
from tagwire.engine.clock_state import ReferenceClockState
from tagwire.errors import ArgumentError, ArgumentKindError, ProtocolError
from tagwire.network import values
from tagwire.network.client import unreachable
from tagwire.network.sockets import cut, readable


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (None, None),
        (True, True),
        (2**62, 2**62),
        (0.5, 0.5),
        ("text", "text"),
        ((1, 2), (1, 2)),
        ([1, 2], (1, 2)),
        ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
        (np.int64(7), 7),
        (np.array([1, 2]), (1, 2)),
        (ChannelEdge.Rising, 1),
        (range(3), (0, 1, 2)),
    ],
)
def test_values_arrive(sent: object, received: object) -> None:
    assert values.result(values.answer(sent)) == received


def test_a_state_of_the_clock_arrives_as_one() -> None:
    state = ReferenceClockState()
    state.clock_period, state.is_locked = 100_000, True
    found = values.result(values.answer(state))
    assert isinstance(found, ReferenceClockState)
    assert vars(found) == vars(state)


def test_errors_arrive_as_themselves() -> None:
    for error in (ArgumentError("out of range"), RuntimeError("broken"), TypeError("kind")):
        with pytest.raises(type(error), match=str(error)):
            values.result(values.refusal(error))


def test_what_cannot_be_sent_is_told() -> None:
    with pytest.raises(ArgumentKindError, match="cannot be sent"):
        values.packed(object())


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b" " * (values.LONGEST + 1)])
def test_nonsense_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        values.unpacked(data)


def test_peers_are_readable() -> None:
    assert readable("ipv4:127.0.0.1:50123") == "127.0.0.1:50123"
    assert readable("ipv6:%5B::1%5D:50123") == "[::1]:50123"


@pytest.mark.skipif(os.name == "nt", reason="sockets are no file descriptors on Windows")
def test_a_connection_is_cut_by_its_peer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with (
            socket.create_connection(listener.getsockname()) as client,
            socket.create_connection(listener.getsockname()) as other,
        ):
            held = [listener.accept()[0], listener.accept()[0]]
            host, port = client.getsockname()
            assert cut(f"{host}:{port}")
            client.settimeout(120)
            assert client.recv(1) == b""
            other.setblocking(False)
            with pytest.raises(BlockingIOError):
                other.recv(1)
            for sock in held:
                sock.close()
        assert not cut("127.0.0.1:1")
        assert not cut("nowhere")


def test_who_takes_the_port_of_the_rpc_for_that_of_the_stream_is_told() -> None:
    assert str(unreachable(Address("lab", 23000), "no")).endswith("the port of the RPC, and 41101 that of the stream")
    assert str(unreachable(Address("lab", 41102), "no")).endswith("the port is 41102 in both")
