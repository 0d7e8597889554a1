"""Replay: every tag of the file, the queue, speeds, waiting, and simulation where there is no file."""

from __future__ import annotations

import gc
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from tagwire import TimeTagger
from tagwire.recording.files import open_recording
from tagwire.tagger.virtual import TimeTaggerVirtual
from tagwire.virtual.delayed import DelayedChannel

PTU = "hbt_320MHz_T2.ptu"
WAIT_MS = 120_000


@pytest.fixture
def ptu(recordings: Path) -> str:
    return str(recordings / PTU)


def all_tags(path: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Times, channels and duration of a recording, read in one go."""
    source = open_recording(path)
    times, channels = [], []
    while (block := source.read(10**12, source.channels)) is not None:
        times.append(block.time)
        channels.append(block.channel)
    source.close()
    return np.concatenate(times), np.concatenate(channels), source.position - source.begin


def counts(channels: np.ndarray) -> list[int]:
    return [int(np.count_nonzero(channels == c)) for c in (1, 2)]


def test_measurements_made_before_run_see_every_tag(ptu: str) -> None:
    _, channels, duration = all_tags(ptu)
    tagger = TimeTagger.createTimeTaggerVirtual(ptu)
    rate = TimeTagger.Countrate(tagger, [1, 2])
    lag = DelayedChannel(tagger, 1, -(10**9))
    behind = TimeTagger.Countrate(tagger, [1, 2])
    assert tagger.run() == (1,)
    assert tagger.waitUntilFinished(timeout=WAIT_MS)
    assert rate.getCountsTotal().tolist() == counts(channels) == behind.getCountsTotal().tolist()
    assert rate.getCaptureDuration() == duration
    assert tagger.getChannelList() == (1, 2)
    del lag


def test_parts_of_a_file_follow_each_other(ptu: str) -> None:
    times, channels, _ = all_tags(ptu)
    tagger = TimeTagger.createTimeTaggerVirtual(ptu, 10**10, 10**11)
    number = tagger.appendFile(ptu, begin=0, duration=10**10)
    rate = TimeTagger.Countrate(tagger, [1, 2])
    assert number == 2
    assert tagger.run() == (1, 2)
    assert tagger.waitUntilFinished(number, WAIT_MS)
    expected = np.add(counts(channels[(times >= 10**10) & (times < 11 * 10**10)]), counts(channels[times < 10**10]))
    assert rate.getCountsTotal().tolist() == expected.tolist()
    assert rate.getCaptureDuration() == 11 * 10**10


def test_what_is_appended_after_the_end_waits_for_run(ptu: str) -> None:
    tagger = TimeTagger.createTimeTaggerVirtual(ptu, duration=10**10)
    tagger.run()
    assert tagger.waitUntilFinished(timeout=WAIT_MS)
    tagger.appendFile(ptu, duration=10**10)
    rate = TimeTagger.Countrate(tagger, [1, 2])
    assert not tagger.waitUntilFinished(2, 0)
    assert tagger.run() == (2,)
    assert tagger.waitUntilFinished(2, WAIT_MS)
    times, channels, _ = all_tags(ptu)
    assert rate.getCountsTotal().tolist() == counts(channels[times < 10**10])


def test_clear_drops_what_was_queued(ptu: str) -> None:
    tagger = TimeTagger.createTimeTaggerVirtual(ptu)
    tagger.appendFile(ptu, duration=10**9, clear=True)
    rate = TimeTagger.Countrate(tagger, [1])
    assert tagger.run() == (2,)
    assert tagger.waitUntilFinished(1, 0)
    assert tagger.waitUntilFinished(2, WAIT_MS)
    assert rate.getCaptureDuration() == 10**9


def test_stop_ends_the_wait_and_empties_the_queue(ptu: str) -> None:
    tagger = TimeTagger.createTimeTaggerVirtual(ptu)
    tagger.run(0.1)
    waiting = threading.Timer(0.0, tagger.stop)
    waiting.start()
    assert tagger.waitUntilFinished(timeout=WAIT_MS)
    waiting.join()
    assert not tagger._flow.running
    tagger.appendFile(ptu, duration=10**9)
    assert tagger.run(-1) == (2,)
    assert tagger.waitUntilFinished(timeout=WAIT_MS)


def test_a_paced_replay_goes_on_with_silence(ptu: str) -> None:
    tagger = TimeTagger.createTimeTaggerVirtual(ptu, duration=10**9)
    rate = TimeTagger.Countrate(tagger, [1])
    rate.startFor(10**11)
    tagger.run(100)
    assert rate.waitUntilFinished(WAIT_MS)
    assert rate.getCaptureDuration() == 10**11
    tagger.appendFile(ptu, duration=10**9)
    assert tagger.waitUntilFinished(2, WAIT_MS)
    tagger.stop()


def test_delays_and_filters_act_on_the_replay_but_there_is_no_divider(ptu: str) -> None:
    tagger = TimeTagger.createTimeTaggerVirtual(ptu, duration=10**11)
    tagger.setDeadtime(1, 10**9)
    rate = TimeTagger.Countrate(tagger, [1])
    tagger.run()
    assert tagger.waitUntilFinished(timeout=WAIT_MS)
    assert 0 < rate.getCountsTotal()[0] <= 101
    with pytest.raises(RuntimeError, match="divider"):
        tagger.setEventDivider(1, 2)
    tagger.reset()
    assert tagger.getDeadtime(1) == 0


def test_scripts_of_old_queue_with_replay(ptu: str) -> None:
    tagger = TimeTagger.createTimeTaggerVirtual()
    tagger.setReplaySpeed(-1)
    rate = TimeTagger.Countrate(tagger, [1, 2])
    first = tagger.replay(ptu, 0, 10**10)
    second = tagger.replay(ptu, 0, 10**10)
    assert tagger.waitForCompletion(second, WAIT_MS)
    assert tagger.waitForCompletion(first, 0)
    times, channels, _ = all_tags(ptu)
    assert rate.getCountsTotal().tolist() == [2 * n for n in counts(channels[times < 10**10])]
    assert rate.getCaptureDuration() == 2 * 10**10


def test_a_damaged_file_ends_every_wait_with_an_error(ptu: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = TimeTagger.createTimeTaggerVirtual(ptu)
    rate = TimeTagger.Countrate(tagger, [1])
    with monkeypatch.context() as damage:
        damage.setattr(tagger._source.replay, "read", _broken)
        tagger.run()
        for wait in (tagger.waitUntilFinished, rate.waitUntilFinished, tagger.sync):
            with pytest.raises(RuntimeError, match=r"broke off: error\('bad record'\)"):
                wait(timeout=WAIT_MS)
    tagger.stop()
    rate.start()
    tagger.appendFile(ptu)
    tagger.run()
    assert tagger.waitUntilFinished(timeout=WAIT_MS)
    assert rate.getCountsTotal()[0] > 0


def _broken(span: int, wanted: object) -> None:
    raise struct.error("bad record")


def test_without_a_file_eighteen_inputs_are_simulated_in_real_time() -> None:
    with TimeTagger.createTimeTaggerVirtual() as tagger:
        assert tagger.getChannelList() == (*range(1, 19), *range(-1, -19, -1))
        tagger.setTestSignal([1, 2], True)
        assert [tagger.getTestSignal(c) for c in (1, -2, 3)] == [True, True, False]
        rate = TimeTagger.Countrate(tagger, [1, 2, 3])
        rate.startFor(10**11)
        assert tagger.run() == ()
        assert rate.waitUntilFinished(WAIT_MS)
        np.testing.assert_allclose(rate.getData(), [800e3, 800e3, 0], rtol=1e-3)
        tagger.reset()
        assert not tagger.getTestSignal(1)


def test_test_signal_comes_on_top_of_a_file(ptu: str) -> None:
    _, channels, duration = all_tags(ptu)
    tagger = TimeTagger.createTimeTaggerVirtual(ptu)
    tagger.setTestSignal(1, True)
    rate = TimeTagger.Countrate(tagger, [1, 2])
    tagger.run()
    assert tagger.waitUntilFinished(timeout=WAIT_MS)
    added = rate.getCountsTotal() - counts(channels)
    assert added[1] == 0
    assert added[0] == pytest.approx(duration * 800e3 / 1e12, abs=2)


@pytest.mark.parametrize("speed", [0.0, 0.05, 0.0999])
def test_very_slow_speeds_are_refused(speed: float) -> None:
    tagger = TimeTagger.createTimeTaggerVirtual()
    for call in (tagger.run, tagger.setReplaySpeed):
        with pytest.raises(ValueError, match=r"but must be at least 0\.1, or negative"):
            call(speed)
    assert tagger.getReplaySpeed() == -1.0


def test_speed_is_remembered() -> None:
    tagger = TimeTagger.createTimeTaggerVirtual()
    tagger.run(2)
    assert tagger.getReplaySpeed() == 2.0
    tagger.setReplaySpeed(-3)
    assert tagger.getReplaySpeed() == -1.0
    tagger.stop()


def test_files_that_do_not_exist_are_values_and_broken_ones_are_not(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'nothing\.ttbin' could not be opened"):
        TimeTagger.createTimeTaggerVirtual("nothing.ttbin")
    broken = tmp_path / "broken.ptu"
    broken.write_bytes(b"hello")
    with pytest.raises(RuntimeError, match=r"broken\.ptu"):
        TimeTagger.createTimeTaggerVirtual(str(broken))
    tagger = TimeTagger.createTimeTaggerVirtual()
    with pytest.raises(ValueError, match="could not be opened"):
        tagger.appendFile("nothing.ptu")
    with pytest.raises(ValueError, match="ID is 4"):
        tagger.waitUntilFinished(4, 0)


def test_freed_and_dropped_replays_stop() -> None:
    tagger = TimeTagger.createTimeTaggerVirtual()
    tagger.run()
    pump = tagger._flow.pump
    TimeTagger.freeTimeTagger(tagger)
    assert pump is not None
    assert pump.finished(0)
    with pytest.raises(RuntimeError, match="freed"):
        tagger.run()
    other = TimeTagger.createTimeTaggerVirtual()
    other.run()
    left = other._flow.pump
    assert left is not None
    del other
    gc.collect()
    assert left.finished(10)


def test_it_cannot_be_made_by_its_name() -> None:
    with pytest.raises(AttributeError, match="createTimeTaggerVirtual"):
        TimeTaggerVirtual()


def test_configuration_tells_channels_and_speed() -> None:
    told = TimeTagger.createTimeTaggerVirtual().getConfiguration()
    assert len(told["inputs"]) == 18
    assert told["replay speed"] == -1.0
