"""Objects and modules beside the Time Tagger API, through the same server as the API."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lab_bench
import numpy as np
import Pyro5.api
import pytest
import tiny_instrument

import tagwire
from steady import PATIENCE_S
from tagwire.core.catalog import Catalog
from tagwire.errors import ArgumentError, FileRefused, NotAllowed, StateError
from tagwire.rpc.client.aio import put
from tagwire.rpc.host.objects import Caller
from tagwire.rpc.server import Server
from tagwire.rpc.wire import Handle


@pytest.fixture
def stage() -> lab_bench.Stage:
    return lab_bench.Stage()


@pytest.fixture
def server(tiny_catalog: Catalog, tmp_path: Path, stage: lab_bench.Stage) -> Iterator[Server]:
    also = {"stage": stage, "bench": lab_bench, "other": lab_bench.Stage()}
    with Server(tiny_instrument, "127.0.0.1", 0, tmp_path, catalog=tiny_catalog, also=also) as running:
        yield running
        stage.go_on.set()


@pytest.fixture
def lab(server: Server) -> Iterator[Any]:
    with tagwire.connect("127.0.0.1", server.port) as module:
        yield module


def test_it_reads_as_if_it_were_here(lab: Any, stage: lab_bench.Stage) -> None:
    lab.stage.move_to(3.2)
    assert stage.x.position == 3.2
    lab.stage.move_to(1, y=2.5, mode=lab.stage.Mode.SLOW)
    assert stage.mode is lab_bench.Mode.SLOW
    positions = lab.stage.get_positions()
    assert positions.dtype == np.float64
    assert positions.tolist() == [1, 2.5]
    assert lab.stage.UNIT == "µm"
    assert type(lab.stage).__doc__ == "A piezo stage."
    assert "Go to a position." in lab.stage.move_to.__doc__
    assert "within [0, 10]" in lab.stage.move_to.__doc__
    assert list(inspect.signature(lab.stage.move_to).parameters) == ["x", "y", "mode"]
    assert lab.stage is lab.stage


def public(obj: Any) -> list[str]:
    return [name for name in dir(obj) if not name.startswith("_")]


def test_only_what_is_public_is_there(lab: Any) -> None:
    assert "stage" in dir(lab)
    offered = """
    Axis Mode Position Status UNIT at axes closed get_positions get_status leave load mode most_moving move_to moving
    on_settings on_update restore serial speed stop wait x y
    """
    assert public(lab.stage) == offered.split()
    offered = "Axis Mode Position Stage Status VOLTAGE_MAX folder_length lamp_on on_settings scaled"
    assert public(lab.bench) == offered.split()


@pytest.mark.parametrize(
    ("operation", "operands"),
    [
        ("invoke", ["stage", "_secret", [], {}]),
        ("invoke", ["stage", "close", [], {}]),
        ("invoke", ["stage", "__init__", [], {}]),
        ("invoke", ["bench", "current_folder", [], {}]),
        ("get", ["stage", "_mode"]),
        ("get", ["stage", "controller"]),
        ("get", ["stage", "__dict__"]),
        ("get", ["bench", "threading"]),
        ("set", ["stage", "x", 3]),
        ("set", ["stage", "new", 3]),
        ("set", ["bench", "lamp_on", True]),
        ("call", ["stage", [], {}]),
        ("call", ["bench.current_folder", [], {}]),
        ("call", ["stage.Axis", ["z"], {}]),
    ],
)
def test_nothing_else_can_be_reached(lab: Any, operation: str, operands: list[Any]) -> None:
    with pytest.raises(AttributeError):
        lab._link.request(operation, *operands)


def test_properties(lab: Any, stage: lab_bench.Stage) -> None:
    assert lab.stage.mode is lab.stage.Mode.FAST
    lab.stage.mode = lab.stage.Mode.SLOW
    assert stage.mode is lab_bench.Mode.SLOW
    lab.stage.mode = "fast"
    assert stage.mode is lab_bench.Mode.FAST
    assert lab.stage.serial == "P-1"
    with pytest.raises(AttributeError):
        lab.stage.serial = "P-2"
    lab.stage.speed = 5
    assert (lab.stage.speed, stage.speed) == (5, 5)
    with pytest.raises(AttributeError, match=r"no attribute 'spede'\. Did you mean: speed"):
        lab.stage.spede = 3
    with pytest.raises(AttributeError):
        lab.stage.x = 3
    with pytest.raises(TypeError, match="not a mode: 7"):
        lab.stage.mode = 7


def test_errors_are_its_own(lab: Any) -> None:
    with pytest.raises(StateError, match="stage raised SystemExit: enough"):
        lab.stage.leave()
    with pytest.raises(ValueError, match=r"x is 20, but must be within \[0, 10\]"):
        lab.stage.move_to(20)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        lab.stage.move_to()
    with pytest.raises(AttributeError, match="Did you mean: move_to"):
        lab.stage.move_too(3)


def test_objects_inside_are_live(lab: Any, stage: lab_bench.Stage) -> None:
    x, y = lab.stage.axes()
    assert isinstance(x, lab.stage.Axis)
    x.move(4)
    assert (stage.x.position, lab.stage.x.position, x.name) == (4, 4, "x")
    y.gain = 2
    assert stage.y.gain == 2
    del x, y
    lab.stage.y.move(2)
    assert stage.y.position == 2


def test_values_of_fields(lab: Any) -> None:
    lab.stage.move_to(3, 4, mode=lab.stage.Mode.SLOW)
    assert lab.stage.at == (3, 4)
    assert (lab.stage.at.x, lab.stage.at.y) == (3, 4)
    assert isinstance(lab.stage.at, lab.stage.Position)
    assert repr(lab.stage.at) == "Position(x=3.0, y=4.0)"
    status = lab.stage.get_status()
    assert isinstance(status, lab.stage.Status)
    assert (status.at.y, status.mode, status.trace.tolist()) == (4, lab.stage.Mode.SLOW, [0, 1, 2])
    assert type(status).__doc__ == "How it is."
    lab.stage.move_to(1, 1)
    assert lab.stage.restore(status) == [lab.stage.Position(1, 1), lab.stage.Position(3, 4)]
    assert lab.stage.mode is lab.stage.Mode.SLOW
    with pytest.raises(TypeError, match="not a status: 5"):
        lab.stage.restore(5)


def test_two_of_one_class_stay_apart(lab: Any, stage: lab_bench.Stage) -> None:
    lab.other.x.move(7)
    assert (lab.other.x.position, stage.x.position) == (7, 0)
    assert repr(lab.other.x).startswith("<other.Axis at ")
    lab.other.mode = lab.stage.Mode.SLOW
    assert lab.other.mode is lab.stage.Mode.SLOW


def test_a_module(lab: Any) -> None:
    assert lab.bench.VOLTAGE_MAX == 10
    assert lab.bench.lamp_on is False
    assert lab.bench.folder_length(2) == 2 * lab.bench.folder_length()
    assert lab.bench.scaled(np.arange(3.0), 2).tolist() == [0, 2, 4]
    axis = lab.bench.Axis("z")
    axis.move(3)
    assert (axis.name, axis.position) == ("z", 3)


def test_files_stay_in_the_folder(lab: Any, tmp_path: Path) -> None:
    (tmp_path / "known.txt").write_text("good", encoding="utf-8")
    assert lab.stage.load("known.txt") == "good"
    for outside in (__file__, "../x", str(tmp_path.parent / "x"), [__file__], __file__.encode()):
        with pytest.raises((FileRefused, TypeError), match=r"lies outside|not a file name|must be text"):
            lab.stage.load(outside)


def test_objects_go_in_as_arguments(lab: Any) -> None:
    with pytest.raises(TypeError, match=r"float\(\) argument must be .* not 'Axis'"):
        lab.stage.x.move(lab.stage.y)


def test_with_asyncio(server: Server, stage: lab_bench.Stage) -> None:
    async def use() -> None:
        async with await tagwire.aconnect("127.0.0.1", server.port) as lab:
            await lab.stage.move_to(3, mode=lab.stage.Mode.SLOW)
            assert (await lab.stage.get_positions()).tolist() == [3, 0]
            assert await (await lab.stage.x).position == 3
            assert (await lab.stage.at).x == 3
            await put(lab.stage, "speed", 7)
            assert await lab.stage.speed == 7
            with pytest.raises(ValueError, match="x is 20"):
                await lab.stage.move_to(20)

    asyncio.run(use())
    assert (stage.x.position, stage.mode, stage.speed) == (3, lab_bench.Mode.SLOW, 7)


def test_in_a_batch(lab: Any) -> None:
    with tagwire.batch() as batch:
        moved = batch(lab.stage.move_to, 4)
        positions = batch(lab.stage.get_positions)
    assert moved.result() is None
    assert positions.result().tolist() == [4, 0]


def test_who_may_change_it_and_who_did(lab: Any, server: Server) -> None:
    with tagwire.connect("127.0.0.1", server.port) as other:
        with lab.control(lab.stage):
            lab.stage.move_to(2)
            assert other.stage.get_positions().tolist() == [2, 0]
            for refused in (lambda: other.stage.move_to(3), lambda: other.stage.x.move(3)):
                with pytest.raises(NotAllowed, match="has control of this stage"):
                    refused()
            other.other.move_to(1)
        changes = other.stage.on_settings()
        other.stage.move_to(5)
        change = next(iter(changes))
        assert (change.method, change.arguments) == ("move_to", {"x": 5})
        changes.close()


def test_its_values_come_by_themselves(lab: Any) -> None:
    assert not hasattr(lab.stage, "on_finished")
    with pytest.raises(ArgumentError, match="say which value of the stage is wanted"):
        lab.stage.on_update(0.01)
    with lab.stage.on_update(0.01, value="get_positions") as positions:
        assert positions.next(PATIENCE_S).tolist() == [0, 0]
        lab.stage.move_to(4)
        assert positions.next(PATIENCE_S).tolist() == [4, 0]


def test_one_that_is_busy_holds_up_no_news_of_others(lab: Any, server: Server, stage: lab_bench.Stage) -> None:
    with tagwire.connect("127.0.0.1", server.port) as other, lab.stage.on_update(0.01, value="get_positions") as busy:
        busy.next(PATIENCE_S)
        waiting = threading.Thread(target=other.stage.wait)
        waiting.start()
        assert stage.entered.wait(120)
        with lab.other.on_update(0.01, value="get_positions") as free:
            for x in (0, 3):
                lab.other.move_to(x)
                assert free.next(PATIENCE_S).tolist() == [x, 0]
        lab.stage.stop()
        lab.stage.move_to(5)
        assert busy.next(PATIENCE_S).tolist() == [5, 0]
        waiting.join(120)


def test_it_stays_with_the_server(lab: Any, server: Server, stage: lab_bench.Stage) -> None:
    lab._link.request("free", "stage")
    lab._link.request("release", ["stage"])
    with tagwire.connect("127.0.0.1", server.port) as second:
        second.stage.move_to(6)
    assert lab.stage.get_positions()[0] == 6
    assert not stage.closed


def test_the_server_closes_it(tiny_catalog: Catalog) -> None:
    stage = lab_bench.Stage()
    with Server(tiny_instrument, "127.0.0.1", 0, catalog=tiny_catalog, also={"stage": stage}):
        assert not stage.closed
    assert stage.closed


def test_one_call_at_a_time(lab: Any, server: Server, stage: lab_bench.Stage) -> None:
    threads = [threading.Thread(target=lab.stage.wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert stage.entered.wait(120)
    with tagwire.connect("127.0.0.1", server.port) as other:
        assert other.getVersion() == tiny_instrument.getVersion()  # neither the Time Tagger
        other.other.move_to(1)  # nor another instrument waits
        other.stage.stop()  # and what may run beside a call does
    for thread in threads:
        thread.join(120)
        assert not thread.is_alive()
    assert stage.most_moving == 1


def test_plain_pyro_clients(server: Server, stage: lab_bench.Stage) -> None:
    with Pyro5.api.Proxy(f"PYRO:stage@127.0.0.1:{server.port}") as proxy:
        proxy.move_to(3.5, mode="slow")
        assert stage.mode is lab_bench.Mode.SLOW
        assert proxy.get_positions() == [3.5, 0]
        assert proxy.mode == "slow"
        proxy.speed = 9
        assert stage.speed == 9
        assert proxy.x.position == 3.5
        assert proxy.at == (3.5, 0) or proxy.at == [3.5, 0]
        status = proxy.get_status()
        assert (list(status["at"]), status["mode"], status["trace"]) == ([3.5, 0], "slow", [0, 1, 2])
        with pytest.raises(ValueError, match="x is 20"):
            proxy.move_to(20)
        with pytest.raises(AttributeError):
            proxy.close()
    with Pyro5.api.Proxy(server.uri) as entry:
        assert entry.stage.get_positions() == [3.5, 0]
        assert entry.bench.folder_length() > 0


def test_an_observer_reads(server: Server) -> None:
    service, observer = server.service, Caller("somebody", "domain", role="observe")
    stage, bench = Handle("stage"), Handle("bench")
    assert service.invoke(stage, "get_positions", [], {}, observer).tolist() == [0, 0]
    assert service.get(stage, "speed", observer) == 2
    axis = Handle(service.get(stage, "x", observer).id)
    assert service.get(axis, "position", observer) == 0
    for refused in (
        lambda: service.invoke(stage, "move_to", [1], {}, observer),
        lambda: service.invoke(axis, "move", [1], {}, observer),
        lambda: service.set(stage, "speed", 3, observer),
        lambda: service.invoke(bench, "scaled", [[1], 2], {}, observer),
        lambda: service.call("bench.Axis", ["z"], {}, observer),
    ):
        with pytest.raises(NotAllowed):
            refused()
    assert service.get(stage, "speed", observer) == 2


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Counter", "the Time Tagger API has that name"),
        ("Experimental", "the Time Tagger API has that name"),
        ("CHANNEL_UNUSED", "the Time Tagger API has that name"),
        ("aclose", "the connection itself has that name"),
        ("session", "the connection itself has that name"),
        ("close", "the connection itself has that name"),
        ("TimeTaggerRPC", "the connection itself has that name"),
        ("_stage", "must be a public name"),
        ("my stage", "must be a public name"),
        ("class", "must be a public name"),
    ],
)
def test_a_name_that_hides_another_is_refused(tiny_catalog: Catalog, name: str, reason: str) -> None:
    with pytest.raises(ArgumentError, match=reason):
        Server(tiny_instrument, "127.0.0.1", 0, catalog=tiny_catalog, also={name: lab_bench.Stage()})


def test_control_of_an_object(lab: Any, server: Server) -> None:
    with tagwire.connect("127.0.0.1", server.port) as other, other.control(other.stage):
        with pytest.raises(NotAllowed, match="has control of this stage"):
            lab.stage.move_to(1)
        lab.other.move_to(1)
        assert lab.stage.get_positions().tolist() == [0, 0]
