"""A hundred thousand frames that are wrong in some way: the server stays up, small, and right to others."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Callable, Sequence

import footprint
import msgpack
import numpy as np
import pytest
from footprint import Footprint
from Pyro5 import protocol
from Pyro5.serializers import serializers
from raw_pyro import JSON, MSGPACK, SERPENT, hello, message

import tagwire
from steady import wait_for
from tagwire.cli.child import ServerProcess
from tagwire.rpc.message import INVOKE, buffers
from tagwire.rpc.wire import Codec

BEFORE, AFTER = 10_000, 90_000
"""Wrong frames instead of a greeting, and behind one."""

BURST = 45
MEMORY = 200 * 2**20
"""What the server may take besides what it took at rest: a few requests of the largest size."""


def of_ours() -> list[bytes]:
    """Requests of a client of ours that are right."""
    array = np.arange(10_000)
    requests: list[list[object]] = [
        [1, "describe"],
        [2, "call", "createTimeTagger", (), {}],
        [3, "call", "getVersion", [], {}],
        [4, "call", "Correlation", [None, 1, 2], {"binwidth": 10, "n_bins": 100}],
        [5, "invoke", "0" * 24, "getData", [], {}],
        [6, "call", "mergeStreamFiles", ["a", ["b"], [1], [2], True], {}],
        [7, "release", ["0" * 24, 3]],
        [8, "batch", [["call", "getVersion", [], {}], ["describe"]]],
        [9, "call", "Tag", [array, array.astype(np.uint8)], {}],
        [10, "bye"],
    ]
    frames = []
    for request in requests:
        beside: list[np.ndarray] = []
        data = Codec().pack(request, beside)
        frames.append(b"".join(buffers(INVOKE, 1, data, beside)))
    return [*frames, message(protocol.MSG_PING, b"")]


def of_pyro() -> list[bytes]:
    """Requests of plain Pyro clients that are right."""
    known = {s.serializer_id: s for s in serializers.values()}
    return [
        message(protocol.MSG_INVOKE, known[number].dumpsCall("TimeTagger", method, args, {}), number)
        for number in (SERPENT, JSON, MSGPACK)
        for method, args in (("getVersion", ()), ("scanTimeTagger", ()), ("Counter", (None, [1, 2], 1000, 10)))
    ]


def flipped(frame: bytes, draw: random.Random, begin: int = 40) -> bytes:
    """One in which a few bits of the content are others."""
    damaged = bytearray(frame)
    for _ in range(draw.randint(1, 8) if len(frame) > begin else 0):
        damaged[draw.randrange(begin, len(frame))] ^= 1 << draw.randrange(8)
    return bytes(damaged)


def beheaded(frame: bytes, draw: random.Random) -> bytes:
    """One in which bits of the header are others too."""
    return flipped(flipped(frame[:40], draw, begin=0) + frame[40:], draw, begin=0)


def truncated(frame: bytes, draw: random.Random) -> bytes:
    """A whole message whose content ends too early."""
    payload = frame[40 : draw.randrange(40, len(frame) + 1)]
    return frame[:12] + struct.pack("!II", len(payload), 0) + frame[20:40] + payload


def oversized(frame: bytes, draw: random.Random) -> bytes:
    """One that announces more than there is."""
    return (
        frame[:12]
        + struct.pack("!II", draw.choice((2**31, 2**32 - 1, 2**25 + 1)), draw.choice((0, 2**32 - 1)))
        + frame[20:]
    )


def stretched(frame: bytes, draw: random.Random) -> bytes:
    """One with content behind its end."""
    more = draw.randbytes(draw.randint(1, 200))
    sizes = struct.unpack("!II", frame[12:20])
    return frame[:12] + struct.pack("!II", sizes[0] + len(more), sizes[1]) + frame[20:] + more


def nested(frame: bytes, draw: random.Random) -> bytes:
    """One whose content is an ever deeper list or extension."""
    data = frame[40:200]
    for _ in range(draw.randint(1, 60)):
        data = msgpack.packb([msgpack.ExtType(draw.randint(0, 12), data), draw.randint(0, 2**63)])
    return message(protocol.MSG_INVOKE, data)


def replayed(frame: bytes, draw: random.Random) -> bytes:
    """The same again, which nobody sent."""
    return frame


def noise(frame: bytes, draw: random.Random) -> bytes:
    return message(draw.randrange(256), draw.randbytes(draw.randint(0, 300)), draw.randrange(6), draw.randrange(256))


Damage = Callable[[bytes, random.Random], bytes]

WITHIN: Sequence[Damage] = (flipped, flipped, flipped, truncated, truncated, stretched, nested, replayed)
"""Those behind which the server can tell where the next frame begins, so that it has to answer it."""

FATAL: Sequence[Damage] = (beheaded, oversized, noise)


def conversation(port: int, frames: Sequence[bytes]) -> int:
    """Say all that, and listen until the server hangs up; how many messages it sent."""
    heard = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=120) as sock:
        try:
            sock.sendall(b"".join(frames))
            sock.shutdown(socket.SHUT_WR)
            while part := sock.recv(2**20):
                heard += part
        except TimeoutError:
            raise  # it must not leave anybody waiting
        except OSError:
            pass  # the server had enough before we had said all
    return heard.count(b"PYRO\x01\xf6")


@pytest.mark.slow
@pytest.mark.skipif(not footprint.HERE, reason="looks at the server through Linux's /proc")
def test_wrong_frames_harm_nobody() -> None:
    draw = random.Random(20_261_125)
    doors = {"tagwire": of_ours(), "TimeTagger": of_pyro()}
    with ServerProcess("--simulate", "ultra", "--grace", "0") as server, tagwire.connect(*server.address) as TT:
        look, port = Footprint(server.pid), server.address.port
        with TT.createTimeTagger() as tagger:
            tagger.setTestSignal([1, 2], True)
            counter = TT.Counter(tagger, [1], 10**9, 100)
            counter.startFor(10**11)
            threads, files, memory = look.threads, look.files, look.memory
            for _ in range(BEFORE):
                greeting = hello(draw.choice(list(doors)), draw.choice((SERPENT, JSON, MSGPACK)))
                conversation(port, [draw.choice((*WITHIN, *FATAL))(greeting, draw)])
            answers = 0
            for _ in range(AFTER // BURST):
                door, right = draw.choice(list(doors.items()))
                wrong = [draw.choice(WITHIN)(draw.choice(right), draw) for _ in range(BURST - 1)]
                answers += conversation(port, [hello(door), *wrong, draw.choice(FATAL)(draw.choice(right), draw)])
            assert answers > AFTER // 2  # so it has read them; it may hang up where annotations make no sense
            assert counter.waitUntilFinished(120_000)
            assert (abs(counter.getData() - 800) <= 2).all()
            assert look.most_memory < memory + MEMORY
            wait_for(lambda: look.threads <= threads + 2 and look.files <= files)
            wait_for(lambda: len(tagger.getConfiguration()["measurements"]) == 1)
