"""The asyncio client: the same results, many calls at once, cancellation, events and reconnects in one event loop."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
import tiny_instrument as tiny

import tagwire
from steady import PATIENCE_S, nobody, quiet_port
from tagwire.core.catalog import Catalog
from tagwire.errors import (
    ArgumentError,
    ConnectionBroken,
    ConnectionClosed,
    NotSupported,
    ObjectGone,
    ProtocolError,
    ServerGone,
    ServerUnreachable,
)
from tagwire.rpc.capabilities import CAPABILITIES
from tagwire.rpc.client import aio, link
from tagwire.rpc.server import Server

Script = Callable[[Any], Awaitable[None]]


def run(server: Server, script: Script) -> None:
    """Let `script` use the server, with a time limit."""

    async def main() -> None:
        async with await tagwire.aconnect("127.0.0.1", server.port) as TT:
            await script(TT)

    asyncio.run(asyncio.wait_for(main(), PATIENCE_S))


async def until(event: Any) -> None:
    assert await asyncio.get_running_loop().run_in_executor(None, event.wait, PATIENCE_S)


def test_a_measurement(tiny_server: Server) -> None:
    async def script(TT: Any) -> None:
        assert await TT.getVersion() == "1.2.3"
        tagger = await TT.createTimeTagger()
        assert isinstance(tagger, TT.TimeTagger)
        counter = await TT.Counter(tagger, [1, 2], n_values=3)
        np.testing.assert_array_equal(await counter.getData(), np.arange(6).reshape(2, 3))
        snapshot = await counter.getDataObject()
        assert (await snapshot.getTime()).dtype == np.int64
        gate = await TT.Gate(1, TT.Edge.Both)
        assert await gate.edge is TT.Edge.Both
        await aio.put(gate, "channel", 5)
        assert await gate.channel == 5
        pulser = await TT.Experimental.Pulser(tagger)
        assert await pulser.getChannel() == 1001
        assert TT.CHANNEL_UNUSED == tiny.CHANNEL_UNUSED
        with pytest.raises(ArgumentError, match="not 9"):
            await tagger.setInputDelay(9, 0)
        with pytest.raises(AttributeError, match="Did you mean: Counter"):
            TT.Conter
        with pytest.raises(NotSupported):
            await TT.CustomMeasurement(tagger)

    run(tiny_server, script)
    assert tiny_server.service.registry.wait_until(0, timeout=120)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("narrow", [True, False])
def test_arrays_of_any_size_both_ways(
    tiny_server: Server, monkeypatch: pytest.MonkeyPatch, shared: bool, narrow: bool
) -> None:
    monkeypatch.setattr(CAPABILITIES, "shared_memory", shared and CAPABILITIES.shared_memory)
    monkeypatch.setattr(CAPABILITIES, "narrow", narrow)

    async def script(TT: Any) -> None:
        sizes = (0, 10, 5_000, 100_000, 1_000_000)
        arrays = [np.arange(size) % 200 for size in sizes]
        for array, answer in zip(arrays, await asyncio.gather(*(TT.echo(one) for one in arrays)), strict=True):
            np.testing.assert_array_equal(answer, array)
            assert answer.dtype == array.dtype

    run(tiny_server, script)


def test_one_waiting_call_holds_up_nobody(tiny_server: Server) -> None:
    async def script(TT: Any) -> None:
        counter = await TT.Counter(await TT.createTimeTagger(), [1])
        waits = [asyncio.ensure_future(counter.waitUntilFinished()) for _ in range(3)]
        held = asyncio.ensure_future(TT.hold())
        await until(tiny._entered)
        assert await asyncio.gather(*(TT.echo(i) for i in range(50))) == list(range(50))
        assert not held.done()
        await counter.finish()
        tiny._go_on.set()
        assert await asyncio.gather(held, *waits) == [1, True, True, True]
        assert await counter.waitUntilFinished(timeout=0) is True

    run(tiny_server, script)


def test_cancelling_leaves_the_connection_alive(tiny_server: Server) -> None:
    async def script(TT: Any) -> None:
        counter = await TT.Counter(await TT.createTimeTagger(), [1])
        connection = TT._link._connection
        held = asyncio.ensure_future(TT.hold())
        await until(tiny._entered)
        held.cancel()
        with pytest.raises(asyncio.CancelledError):
            await held
        assert (await counter.getData()).shape == (1, 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(counter.waitUntilFinished(), 0.01)
        tiny._go_on.set()
        assert await TT.getVersion() == "1.2.3"
        assert TT._link._connection is connection

    run(tiny_server, script)


def test_what_a_cancelled_call_makes_is_taken_back(tiny_server: Server) -> None:
    async def script(TT: Any) -> None:
        for delay in (0, 0, 0.001, 0.002, 0.003, 0.005):
            made = asyncio.ensure_future(TT.Gate(1))
            await asyncio.sleep(delay)
            made.cancel()
            await asyncio.gather(made, return_exceptions=True)
        del made
        gc.collect()
        await TT.getVersion()
        wait = tiny_server.service.registry.wait_until
        assert await asyncio.get_running_loop().run_in_executor(None, wait, 0, PATIENCE_S)

    run(tiny_server, script)


def test_dropped_objects_are_freed(tiny_server: Server) -> None:
    async def script(TT: Any) -> None:
        gate = await TT.Gate(1)
        assert len(tiny_server.service.registry) == 1
        del gate
        gc.collect()
        await TT.getVersion()
        assert len(tiny_server.service.registry) == 0
        async with await TT.Gate(2) as kept:
            assert await kept.channel == 2
        with pytest.raises(ObjectGone):
            await kept.channel

    run(tiny_server, script)


def test_what_is_dropped_while_a_large_request_leaves_is_freed(tiny_server: Server) -> None:
    async def script(TT: Any) -> None:
        gates = [await TT.Gate(i) for i in range(20)]
        large = np.random.default_rng(1).integers(0, 2**60, 3_000_000)
        sending = asyncio.ensure_future(TT.echo(large))
        while not (TT._link._connection._sending.locked() or sending.done()):  # it may leave in one go
            await asyncio.sleep(0)
        gates.clear()
        gc.collect()
        np.testing.assert_array_equal(await sending, large)
        wait = tiny_server.service.registry.wait_until
        assert await asyncio.get_running_loop().run_in_executor(None, wait, 0, PATIENCE_S)

    run(tiny_server, script)


def test_events(tiny_server: Server) -> None:
    async def script(TT: Any) -> None:
        got: asyncio.Queue[Any] = asyncio.Queue()
        number = TT._link.subscribe(got.put_nowait)
        (client,) = tiny_server._daemon.clients.sessions.clients()
        for i in range(20):
            assert client.push(number, (i, np.zeros(30_000)))
        assert [(await got.get())[0] for _ in range(20)] == list(range(20))
        TT._link.unsubscribe(number)

    run(tiny_server, script)


def test_what_a_measurement_tells(tiny_server: Server) -> None:
    async def script(TT: Any) -> None:
        counter = await TT.Counter(await TT.createTimeTagger(), [1, 2])
        with counter.on_update(0.01) as updates:
            async for data in updates:
                assert data.shape == (2, 1)
                break
        with counter.on_finished() as finished:
            await counter.finish()
            async for _ in finished:
                break
        late = counter.on_update(0.01)
        await TT.getVersion()  # behind it
        await TT.aclose()
        async for _ in late:  # ends with the connection
            pass

    run(tiny_server, script)


def test_events_go_on_after_a_broken_link(tiny_catalog: Catalog) -> None:
    async def script(TT: Any) -> None:
        got: asyncio.Queue[Any] = asyncio.Queue()
        number = TT._link.subscribe(got.put_nowait)
        (client,) = sessions.clients()
        back = asyncio.Event()
        loop = asyncio.get_running_loop()
        sessions.listen(lambda what, _: loop.call_soon_threadsafe(back.set) if what == "came back" else None)
        TT._link._connection._transport.abort()
        await back.wait()
        assert client.push(number, "again")
        assert await got.get() == "again"

    with Server(tiny, "127.0.0.1", 0, catalog=tiny_catalog) as server:
        sessions = server._daemon.clients.sessions
        run(server, script)


def test_a_restarted_server_is_found_again(
    tiny_catalog: Catalog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(link, "PAUSES_S", (0.0, 0.01))
    port = quiet_port()

    async def script(TT: Any) -> None:
        gate = await TT.Gate(1)
        held = asyncio.ensure_future(TT.hold())
        await until(tiny._entered)
        tiny._go_on.set()
        await asyncio.get_running_loop().run_in_executor(None, server.close)
        await asyncio.gather(held, return_exceptions=True)
        while TT._link._connection.ended is None:
            await asyncio.sleep(0.01)
        noted = len(TT._link._dropped)
        for _ in range(2):
            with pytest.raises(ServerGone):
                await TT.getVersion()
        assert len(TT._link._dropped) == noted
        with Server(tiny, "127.0.0.1", port, catalog=tiny_catalog, session_grace=0.0):
            assert await TT.getVersion() == "1.2.3"
            with pytest.raises(ObjectGone, match="restarted"):
                await gate.channel
            await TT.aclose()
            with pytest.raises(ConnectionClosed):
                await TT.getVersion()

    with Server(tiny, "127.0.0.1", port, catalog=tiny_catalog) as server:
        run(server, script)
    assert sum("is there again" in record.getMessage() for record in caplog.records) == 1


def test_a_call_that_was_out_is_broken_and_not_made_again(tiny_catalog: Catalog) -> None:

    async def script(TT: Any) -> None:
        gate = await TT.Gate(3)
        held = asyncio.ensure_future(TT.hold())
        await until(tiny._entered)
        tiny._entered.clear()
        TT._link._connection._transport.abort()
        with pytest.raises(ConnectionBroken, match="unknown"):
            await held
        tiny._go_on.set()
        assert await gate.channel == 3  # the server has kept it
        assert not tiny._entered.is_set()

    with Server(tiny, "127.0.0.1", 0, catalog=tiny_catalog) as server:
        run(server, script)


def test_what_was_dropped_while_the_link_was_broken_is_freed(tiny_catalog: Catalog) -> None:
    async def script(TT: Any) -> None:
        gate = await TT.Gate(3)
        TT._link._connection._transport.abort()
        while TT._link._connection.ended is None:
            await asyncio.sleep(0)
        del gate
        gc.collect()
        await asyncio.sleep(0)  # it would be told now, if it could
        assert await TT.getVersion() == "1.2.3"
        wait = server.service.registry.wait_until
        assert await asyncio.get_running_loop().run_in_executor(None, wait, 0, PATIENCE_S)

    with Server(tiny, "127.0.0.1", 0, catalog=tiny_catalog) as server:
        run(server, script)


def test_a_client_that_is_closed_while_it_comes_back_leaves_nothing(tiny_catalog: Catalog) -> None:
    async def script(TT: Any) -> None:
        gate, connect = await TT.Gate(3), TT._link._connect

        async def slowly() -> Any:
            connection = await connect()
            await TT.aclose()
            return connection

        TT._link._connect = slowly
        TT._link._connection._transport.abort()
        while TT._link._connection.ended is None:
            await asyncio.sleep(0)
        with pytest.raises(ConnectionClosed):
            await gate.channel
        wait = server.service.registry.wait_until
        assert await asyncio.get_running_loop().run_in_executor(None, wait, 0, PATIENCE_S)

    with Server(tiny, "127.0.0.1", 0, catalog=tiny_catalog) as server:
        run(server, script)


def test_nobody_answers_or_somebody_else() -> None:
    with nobody() as port, pytest.raises(ServerUnreachable, match="tagwire serve"):
        asyncio.run(tagwire.aconnect("127.0.0.1", port))

    async def other() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.0 400 Bad Request, this is something else altogether\r\n\r\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as listener:
            with pytest.raises((ProtocolError, ConnectionBroken)):
                await tagwire.aconnect("127.0.0.1", listener.sockets[0].getsockname()[1])

    asyncio.run(other())


def test_blocking_habits_are_pointed_out(tiny_server: Server) -> None:
    async def script(TT: Any) -> None:
        with pytest.raises(NotSupported, match="aclose"):
            TT.close()
        with pytest.raises(TypeError, match="async with"):
            TT.__enter__()
        with pytest.raises(NotSupported, match="async for"):
            TT.session.events().next()
        with tagwire.batch() as b, pytest.raises(NotSupported, match="gather"):
            b(TT.getVersion)

    run(tiny_server, script)
