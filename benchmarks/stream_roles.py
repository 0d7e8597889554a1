"""The programs at both ends of `bench_stream`: each runs in a process of its own and prints JSON.

python benchmarks/stream_roles.py ROLE OPTIONS-AS-JSON
"""

from __future__ import annotations

import json
import logging
import os
import resource
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection
from itertools import count
from typing import Any

import numpy as np
from streams import cut, poisson

from tagwire.core.address import Address
from tagwire.core.enums import AccessMode
from tagwire.core.tags import TagBlock, TagType, shift
from tagwire.engine.device import DeviceChain
from tagwire.engine.hub import Hub
from tagwire.engine.pump import Pump
from tagwire.errors import EndOfFeed
from tagwire.frames.warmup import warm_up
from tagwire.measurements.countrate import Countrate
from tagwire.measurements.stream import TimeTagStream
from tagwire.network.assembly import Assembler
from tagwire.network.client import Connection
from tagwire.security import Identity, Role, ServerSecurity, Tokens
from tagwire.security.known import KnownServers
from tagwire.tagger.network import createTimeTaggerNetwork
from tagwire.tagger.serving import Serving, serve_stream

CHANNELS = (1, 2, 3, 4)
PS_PER_S = 10**12
TAPE_TAGS = 2_000_000


class Tape:
    """A source that plays the same two million tags of four channels again and again, a block of `tags` at a time.

    `made` says when each block was handed out: its end in ps, and the time of the computer's clock in s.
    """

    def __init__(self, rate: float, tags: int, seconds: float) -> None:
        whole = poisson(TAPE_TAGS, dict.fromkeys(CHANNELS, rate / len(CHANNELS)))
        self._parts, self._period = cut(whole, tags), whole.end
        self._numbers = count()
        self.channels = CHANNELS
        self.position = self.tags = 0
        self.last = int(seconds * PS_PER_S)
        self.made: list[tuple[int, float]] = []

    def read(self, span: int, wanted: Collection[int]) -> TagBlock | None:
        """The next block, whatever its span."""
        if self.position >= self.last:
            return None
        turn, place = divmod(next(self._numbers), len(self._parts))
        block = shift(self._parts[place], turn * self._period)
        self.position, self.tags = block.end, self.tags + len(block)
        self.made.append((block.end, time.monotonic()))
        return block

    def close(self) -> None:
        """Nothing is held open."""


class Player(Serving):
    """A Time Tagger that plays a tape."""

    def __init__(self, tape: Tape) -> None:
        self._hub = Hub(tape, DeviceChain())


def work() -> float:
    """Processor time of this process in s."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def peak_memory() -> float:
    """Most memory that this process ever had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def tell(**values: Any) -> None:
    """A line for the parent."""
    print(json.dumps(values), flush=True)


def serve(
    rate: float, tags: int, seconds: float, clients: int = 1, fast: bool = False, tls: bool = False, **_: Any
) -> None:
    """A stream server; it plays when `clients` are there, and tells at the end what it did."""
    warm_up()
    tape = Tape(rate, tags, seconds)
    tagger = Player(tape)
    security = ServerSecurity(Tokens(), Identity.load()) if tls else None
    server = serve_stream(tagger, AccessMode.Listen, (), Address("localhost", 0), security)
    if security is not None and security.identity is not None:
        token = Tokens().add(f"bench-{os.getpid()}", Role.OBSERVE)
        KnownServers().remember(*server.address, token=token, fingerprint=security.identity.fingerprint)
    tell(port=server.address.port)
    while len(server._feeds.seats()) < clients:
        time.sleep(0.01)
    sys.stdin.readline()  # the parent says when
    before, begin, worked = peak_memory(), time.monotonic(), work()
    pump = Pump(tagger._hub, -1.0 if fast else 1.0, latency=PS_PER_S * tags // int(rate))
    pump.start()
    pump.finished(600)
    taken = time.monotonic() - begin
    seats = server._feeds.seats()
    counts = {seat._outlet.ring.counts.sum() for seat in seats}
    deadline = time.monotonic() + 5
    while any(seat._cursor.lag for seat in seats[:1]) and time.monotonic() < deadline:
        time.sleep(0.01)
    more = peak_memory() - before
    tell(
        tags=tape.tags,
        seconds=taken,
        cpu=work() - worked,
        begin=begin,
        made=tape.made,
        sent=int(max(counts)),
        memory=more,
    )
    sys.stdin.readline()
    server.close()


def serve_again(rate: float, tags: int, seconds: float, **_: Any) -> None:
    """A stream server that is stopped in the middle and started again at once; tells when it was there again."""
    warm_up()
    tagger = Player(Tape(rate, tags, 3600))
    server = serve_stream(tagger, AccessMode.Listen, (), Address("localhost", 0))
    tell(port=server.address.port)
    sys.stdin.readline()
    pump = Pump(tagger._hub, 1.0, latency=PS_PER_S * tags // int(rate))
    pump.start()
    time.sleep(seconds / 2)
    server.close()
    again = serve_stream(tagger, AccessMode.Listen, (), server.address)
    tell(back=time.monotonic())
    sys.stdin.readline()
    pump.stop()
    again.close()


def come_again(port: int, **_: Any) -> None:
    """A client that tells when the first block of another life of the server has come."""
    warm_up()
    tagger = createTimeTaggerNetwork(f"localhost:{port}")
    stream = TimeTagStream(tagger, 1_000_000, list(CHANNELS))
    tell(ready=True)
    while TagType.Error not in stream.getData().getEventTypes():
        time.sleep(0.001)
    tell(back=time.monotonic())


def receive(port: int, **_: Any) -> None:
    """A client that decodes every tag and checks every account."""
    warm_up()
    stream = Connection(Address("localhost", port)).open(CHANNELS)
    assembler = Assembler(tuple(stream.greeting["channels"]))
    arrived: list[tuple[int, float]] = []
    worked = work()
    tell(ready=True)
    try:
        while True:
            for epoch, frame in stream.read():
                block = assembler.add(frame, epoch)
                arrived.append((block.end, time.monotonic()))
    except (EndOfFeed, RuntimeError):
        pass
    sums = {name: int(getattr(assembler, name).sum()) for name in ("received", "missed", "sent")}
    tell(cpu=work() - worked, arrived=arrived, **sums)


def measure(port: int, **_: Any) -> None:
    """A user's client: a network Time Tagger and a Countrate of all channels."""
    warm_up()
    tagger = createTimeTaggerNetwork(f"localhost:{port}")
    rate = Countrate(tagger, list(CHANNELS))
    worked = work()
    tell(ready=True)
    sys.stdin.readline()
    total = int(rate.getCountsTotal().sum())
    tell(cpu=work() - worked, received=total, overflows=tagger.getOverflowsClient())


def plain_send(tags: int, seconds: float, **_: Any) -> None:
    """Bare TCP: columns of 12 bytes a tag, from memory."""
    parts = cut(poisson(TAPE_TAGS, dict.fromkeys(CHANNELS, 1e7)), tags)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tell(port=listener.getsockname()[1])
        connection, _ = listener.accept()
    sys.stdin.readline()
    sent, begin, worked = 0, time.monotonic(), work()
    with connection:
        for number in count():
            if time.monotonic() - begin >= seconds:
                break
            part = parts[number % len(parts)]
            connection.sendall(len(part).to_bytes(8, "little"))
            connection.sendall(memoryview(part.time))
            connection.sendall(memoryview(part.channel))
            sent += len(part)
    tell(tags=sent, seconds=time.monotonic() - begin, cpu=work() - worked)
    sys.stdin.readline()


def plain_receive(port: int, **_: Any) -> None:
    """Bare TCP: the columns into arrays."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        tell(ready=True)
        worked, received = work(), 0
        head = bytearray(8)
        while _fill(connection, memoryview(head)):
            size = int.from_bytes(head, "little")
            for kind in (np.int64, np.int32):
                _fill(connection, memoryview(np.empty(size, kind)).cast("B"))
            received += size
    tell(cpu=work() - worked, received=received)


def _fill(connection: socket.socket, memory: memoryview) -> bool:
    filled = 0
    while filled < len(memory):
        size = connection.recv_into(memory[filled:])
        if not size:
            return False
        filled += size
    return True


ROLES: dict[str, Callable[..., None]] = {
    role.__name__: role for role in (serve, serve_again, come_again, receive, measure, plain_send, plain_receive)
}

if __name__ == "__main__":
    logging.disable(logging.ERROR)
    threading.current_thread().name = sys.argv[1]
    ROLES[sys.argv[1]](**json.loads(sys.argv[2]))
