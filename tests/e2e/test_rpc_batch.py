"""Many calls in one message: results and errors of each, and what cannot be in a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tiny_instrument as tiny

import tagwire
from tagwire.errors import ArgumentError, LimitReached, StateError
from tagwire.rpc.host import operations
from tagwire.rpc.server import Server


@pytest.fixture
def TT(tiny_server: Server) -> Any:
    with tagwire.connect("127.0.0.1", tiny_server.port) as module:
        yield module


def exchanges(TT: Any, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is sent from now on."""
    made: list[object] = []
    (connection,) = TT._link._connections
    exchange = connection.exchange
    monkeypatch.setattr(connection, "exchange", lambda *request: made.append(request) or exchange(*request))
    return made


def test_all_results_with_one_message(TT: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = TT.createTimeTagger()
    counter = TT.Counter(tagger, [1, 2], n_values=3)
    large = np.arange(100_000)
    made = exchanges(TT, monkeypatch)
    with tagwire.batch(TT) as b:
        counts = b(counter.getData)
        echoes = [b(TT.echo, (i, "x")) for i in range(20)]
        array = b(TT.echo, value=large)
        delay = b(tagger.getInputDelay, 1)
        snapshot = b(counter.getDataObject)
        edge = b(lambda: TT.Gate)
    assert len(made) == 1
    np.testing.assert_array_equal(counts.result(), np.arange(6).reshape(2, 3))
    assert [echo.result() for echo in echoes] == [(i, "x") for i in range(20)]
    np.testing.assert_array_equal(array.result(), large)
    assert delay.result() == 0
    assert isinstance(snapshot.result(), TT.CounterData)
    assert edge.result() is TT.Gate  # not a remote call, so it is simply made
    assert "done" in repr(counts)


def test_each_call_has_its_own_error(TT: Any) -> None:
    tagger = TT.createTimeTagger()
    with tagwire.batch() as b:
        wrong = b(tagger.setInputDelay, 9, 0)
        right = b(tagger.setInputDelay, 1, 5)
        after = b(tagger.getInputDelay, 1)
    with pytest.raises(ArgumentError, match="not 9") as caught:
        wrong.result()
    assert any("tiny_instrument.py" in note for note in caught.value.__notes__)
    assert right.result() is None
    assert after.result() == 5


def test_the_results_of_a_batch_have_a_limit(TT: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "BATCH_BYTES", 1_000_000)
    large = np.arange(100_000)
    with tagwire.batch(TT) as b:
        results = [b(TT.echo, large) for _ in range(3)] + [b(TT.getVersion)]
    for result in results[:2]:
        np.testing.assert_array_equal(result.result(), large)
    for result in results[2:]:
        with pytest.raises(LimitReached, match=r"not done.* 1000000 bytes"):
            result.result()


def test_what_cannot_be_in_a_batch(TT: Any, tiny_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1])
    made = exchanges(TT, monkeypatch)
    with tagwire.connect("127.0.0.1", tiny_server.port) as other, tagwire.batch(TT) as b:
        for call in (counter.waitUntilFinished, lambda: TT.Gate(1), lambda: [TT.getVersion(), TT.getVersion()]):
            with pytest.raises(StateError):
                b(call)
        with pytest.raises(ArgumentError, match="one connection"):
            b(other.getVersion)
        with pytest.raises(StateError, match="not sent"):
            b(TT.getVersion).result()
        with pytest.raises(StateError, match=r"result\(\)"):
            bool(b(TT.getVersion))
    assert len(made) == 1
    with pytest.raises(StateError, match="inside"):
        b(TT.getVersion)


def test_a_block_that_fails_sends_nothing(TT: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = exchanges(TT, monkeypatch)
    with pytest.raises(ZeroDivisionError), tagwire.batch(TT) as b:  # noqa: PT012
        b(TT.getVersion)
        1 / 0
    assert made == []


def test_local_calls_work_the_same_way() -> None:
    with tagwire.batch() as b:
        version = b(tiny.getVersion)
    assert version.result() == "1.2.3"
