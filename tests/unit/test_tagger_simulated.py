"""The simulated instrument: its light, its configuration, and how its stream begins and ends."""

from __future__ import annotations

import doctest
import gc
import json
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

import tagwire.testing.simulated
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.errors import NotSupported, StateError
from tagwire.measurements.countrate import Countrate
from tagwire.measurements.stream import TimeTagStream
from tagwire.recording.files import open_recording
from tagwire.tagger.devices import createTimeTagger, freeTimeTagger, scanTimeTagger
from tagwire.tagger.simulated import TimeTagger
from tagwire.testing.simulated import simulated_tagger

SECOND = 10**12


def test_the_examples_in_the_documentation_are_true() -> None:
    assert doctest.testmod(tagwire.testing.simulated).failed == 0


def test_equal_seeds_give_equal_tags_whatever_the_steps() -> None:
    results = []
    for seed, steps in ((1, 1), (1, 7), (2, 1)):
        tagger = simulated_tagger(seed=seed)
        tagger.simulatePoisson([1, 2], 1e5)
        stream = TimeTagStream(tagger, 10**6, [1, 2])
        for _ in range(steps):
            tagger.advance(10**10 * 7 // steps)
        results.append(stream.getData().getTimestamps())
    np.testing.assert_array_equal(results[0], results[1])
    assert len(results[0]) > 1000
    assert not np.array_equal(results[0][:100], results[2][:100])


def test_test_signal_has_the_models_frequency() -> None:
    tagger = simulated_tagger("20")
    tagger.setTestSignal([1, 2], True)
    tagger.setTestSignalDivider(148)
    rate = Countrate(tagger, [1, -2, 3])
    tagger.advance(SECOND // 10)
    np.testing.assert_allclose(rate.getData(), [62.5e6 / 148, 62.5e6 / 148, 0], rtol=1e-3)


def test_poisson_light_has_its_rate_and_goes_out() -> None:
    tagger = simulated_tagger()
    tagger.simulatePoisson([1, 2], 1e6)
    rate = Countrate(tagger, [1, 2])
    tagger.advance(SECOND // 10)
    np.testing.assert_allclose(rate.getData(), [1e6, 1e6], rtol=0.02)
    tagger.simulateDark([1, 2])
    tagger.advance(10**10)
    rate.clear()
    tagger.advance(SECOND // 10)
    assert rate.getCountsTotal().sum() == 0


def test_emitter_shares_its_photons_and_gives_the_laser_pulses() -> None:
    tagger = simulated_tagger()
    tagger.simulateEmitter(
        [1, 2],
        repetition_rate=10e6,
        emission_efficiency=1.0,
        collection_efficiency=0.1,
        detector_efficiency=[0.5, 0.25],
        detector_dead_time=0,
        dark_rate=0,
        sync_channel=3,
    )
    rate = Countrate(tagger, [1, 2, 3])
    tagger.advance(SECOND // 10)
    np.testing.assert_allclose(rate.getData(), [250e3, 125e3, 10e6], rtol=0.03)
    tagger.simulateEmitter([4, 5], sync_channel=CHANNEL_UNUSED)


def test_light_is_refused_where_it_does_not_fit() -> None:
    tagger = simulated_tagger()
    with pytest.raises(ValueError, match="rate"):
        tagger.simulatePoisson([1], -1)
    with pytest.raises(ValueError, match="channels"):
        tagger.simulatePoisson([], 1e3)
    with pytest.raises(ValueError, match="lifetime"):
        tagger.simulateEmitter([1], lifetime=1e9)
    with pytest.raises(TypeError, match="delays"):
        tagger.simulateEmitter([1], delays=5)  # type: ignore[arg-type]


def test_reset_brings_back_the_state_after_start_up() -> None:
    tagger, fresh = simulated_tagger("x"), simulated_tagger("x")
    tagger.setTriggerLevel(1, 1.0)
    tagger.setInputDelay(2, 1000)
    tagger.setEventDivider(3, 7)
    tagger.setStreamBlockSize(4096, 5)
    tagger.setTestSignal(4, True)
    tagger.simulatePoisson([5], 1e6)
    tagger.reset()
    with Countrate(tagger, [4, 5]) as rate, Countrate(fresh, [4, 5]):
        tagger.advance(SECOND // 100)
        assert rate.getCountsTotal().sum() == 0
        changed, unchanged = tagger.getConfiguration(), fresh.getConfiguration()
    assert {**changed, "current time": ""} == {**unchanged, "current time": ""}
    assert tagger._hub.max_events == 2**20


def test_configuration_has_the_keys_of_the_vendors_and_fits_in_json() -> None:
    tagger = simulated_tagger("x")
    tagger.setTriggerLevel(2, 0.25)
    tagger.setDeadtime(-2, 5000)
    rate = Countrate(tagger, [1])
    told = json.loads(json.dumps(tagger.getConfiguration()))
    assert told["devices"][0]["model"] == "Time Tagger X"
    assert len(told["inputs"]) == 18
    second = told["inputs"][1]
    assert (second["channel"], second["trigger level"], second["deadtime"]) == ([2, -2], 0.25, [1500, 5000])
    assert [m["name"] for m in told["measurements"]] == ["Countrate"]
    assert told["registered channels"] == [1]
    del rate


def test_configuration_has_the_shape_of_a_real_one(recordings: Path) -> None:
    """A Time Tagger X wrote the recording; what is missing here are links that the simulation does not have."""
    pytest.importorskip("Swabian.TimeTagger", reason="the vendor's library is not installed")
    real = open_recording(recordings / "ttbin" / "20230515-205921.ttbin").configuration
    tagger = simulated_tagger("x")
    rate = Countrate(tagger, [1])
    ours = tagger.getConfiguration()
    assert real.keys() - ours.keys() == {"fpga link", "network"}
    assert real["inputs"][0].keys() - ours["inputs"][0].keys() == {"input mux"}
    assert real["measurements"][0].keys() == ours["measurements"][0].keys()
    for key in real.keys() & ours.keys():
        assert type(ours[key]) is type(real[key]), key
    for key in real["inputs"][0].keys() & ours["inputs"][0].keys():
        assert type(ours["inputs"][0][key]) is type(real["inputs"][0][key]), key
    del rate


def test_the_stream_flows_by_itself_and_ends_when_freed() -> None:
    tagger = createTimeTagger("SIM20-0001")
    tagger.setTestSignal(1, True)
    rate = Countrate(tagger, [1])
    rate.startFor(10**10)
    assert rate.waitUntilFinished(120_000)
    assert rate.getCountsTotal()[0] > 8_000
    endless = Countrate(tagger, [1])
    freeTimeTagger(tagger)
    assert not endless.isRunning()
    assert not any(t.name == "tagwire-SIM20-0001" for t in threading.enumerate())
    freeTimeTagger(tagger)
    with pytest.raises(RuntimeError, match="freed"):
        Countrate(tagger, [1])


def test_a_measurement_of_a_freed_tagger_does_not_start_again() -> None:
    with createTimeTagger() as tagger:
        rate = Countrate(tagger, [1])
    for start in (rate.start, lambda: rate.startFor(10**9)):
        with pytest.raises(StateError, match="freed"):
            start()
    assert rate.waitUntilFinished()


def test_block_size_reaches_the_flowing_stream() -> None:
    with createTimeTagger("SIM20-0001") as tagger:
        tagger.setStreamBlockSize(4096, 2)
        assert tagger._flow.pump is not None
        assert tagger._flow.pump.latency == 2 * 10**9


def test_a_tagger_that_is_dropped_gives_its_instrument_back() -> None:
    tagger = createTimeTagger("SIM20-0001")
    pump = tagger._flow.pump
    assert pump is not None
    gone = weakref.ref(tagger)
    assert "SIM20-0001" not in scanTimeTagger()
    del tagger
    gc.collect()
    assert gone() is None
    assert pump.finished(120)
    assert "SIM20-0001" in scanTimeTagger()


def test_a_measurement_keeps_its_tagger() -> None:
    rate = Countrate(createTimeTagger("SIM20-0001"), [1])
    gc.collect()
    assert rate._tagger.sync(120_000)
    assert "SIM20-0001" not in scanTimeTagger()
    freeTimeTagger(rate._tagger)


FORGETFUL = """
from tagwire import TimeTagger
tagger = TimeTagger.createTimeTagger()
tagger.simulatePoisson([1, 2], 1e6)
rate = TimeTagger.Countrate(tagger, [1, 2])
replay = TimeTagger.createTimeTaggerVirtual()
replay.run()
tagger.sync()
"""


def test_a_script_that_frees_nothing_ends_without_a_word() -> None:
    ended = subprocess.run([sys.executable, "-c", FORGETFUL], capture_output=True, timeout=240, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_it_cannot_be_made_by_its_name() -> None:
    with pytest.raises(AttributeError, match=r"createTimeTagger\(\)"):
        TimeTagger()


def test_hardware_settings_need_an_instrument_to_act_on() -> None:
    small = simulated_tagger("20")
    with pytest.raises(NotSupported, match="setDelaySoftware"):
        small.setDelayHardware(1, 100)
    small.setInputDelay(1, 100)
    assert small.getDelaySoftware(1) == 100


def test_tags_that_a_new_delay_drops_are_counted_in_the_configuration() -> None:
    tagger = simulated_tagger()
    tagger.setTestSignal(1, True)
    stream = TimeTagStream(tagger, 10**6, [1])
    tagger.advance(SECOND // 1000)
    assert tagger.getConfiguration()["late tags dropped"] == 0
    tagger.setDelaySoftware(1, -SECOND // 2000)
    tagger.advance(SECOND // 1000)
    late = tagger.getConfiguration()["late tags dropped"]
    assert late == pytest.approx(400, abs=1)
    assert stream.getCounts() + late == pytest.approx(1600, abs=2)


def test_nothing_but_its_freedom_is_left_of_a_freed_tagger() -> None:
    tagger = createTimeTagger()
    freeTimeTagger(tagger)
    for call in (
        tagger.getSerial,
        tagger.getModel,
        tagger.sync,
        tagger.getConfiguration,
        lambda: tagger.setTestSignal(1, True),
        lambda: tagger.setInputDelay(1, 100),
        lambda: tagger.setTriggerLevel(1, 0.1),
    ):
        with pytest.raises(StateError, match="freed"):
            call()
    with pytest.raises(AttributeError, match="getDaat"):
        tagger.getDaat  # type: ignore[attr-defined]
    freeTimeTagger(tagger)


@pytest.mark.parametrize("base", ["TimeTaggerBase", "TimeTaggerSource", "TimeTaggerHardware"])
def test_abstract_classes_say_so(base: str) -> None:
    with pytest.raises(AttributeError, match="abstract"):
        getattr(tagwire.TimeTagger, base)()
