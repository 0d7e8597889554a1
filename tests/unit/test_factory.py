"""Opening and freeing instruments, and the functions that concern none."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tagwire import TimeTagger, __version__
from tagwire.core.enums import Resolution, UsageStatisticsStatus
from tagwire.errors import NoDevice, NotSupported
from tagwire.tagger.devices import install, replayed_device, simulated_device

ALL = ("ultra", "x", "20")


@pytest.fixture(autouse=True)
def default_devices() -> Iterator[None]:
    yield
    install(simulated_device(key) for key in ALL)


def test_scan_lists_what_is_free() -> None:
    assert TimeTagger.scanTimeTagger() == ("SIMULTRA-0001", "SIMX-0001", "SIM20-0001")
    with TimeTagger.createTimeTagger() as first, TimeTagger.createTimeTagger("SIM20-0001") as other:
        assert (first.getSerial(), other.getModel()) == ("SIMULTRA-0001", "Time Tagger 20")
        assert TimeTagger.scanTimeTagger(True) == ("SIMX-0001,Time Tagger X",)
    assert len(TimeTagger.scanTimeTagger()) == 3


def test_what_is_taken_or_unknown_is_named_with_what_there_is() -> None:
    install([simulated_device("x")])
    with pytest.raises(NoDevice, match=r"'ABC'.*there is: SIMX-0001$"):
        TimeTagger.createTimeTagger("ABC")
    with TimeTagger.createTimeTagger():
        for serial in ("", "SIMX-0001"):
            with pytest.raises(RuntimeError, match=r"already in use; there is: SIMX-0001 \(in use\)"):
                TimeTagger.createTimeTagger(serial)
    install([])
    with pytest.raises(RuntimeError, match="there is: none"):
        TimeTagger.createTimeTagger()


def test_open_takes_integers_for_resolutions_and_refuses_high_ones() -> None:
    with TimeTagger.createTimeTagger("SIMX-0001", 0) as tagger:  # type: ignore[arg-type]
        assert tagger.getSerial() == "SIMX-0001"
    with pytest.raises(NotSupported, match="HighResB"):
        TimeTagger.createTimeTagger(resolution=Resolution.HighResB)
    with pytest.raises(TypeError, match="serial must be a string, not 3"):
        TimeTagger.createTimeTagger(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [None, 3, "SIMX-0001"])
def test_only_taggers_are_freed(wrong: Any) -> None:
    with pytest.raises(TypeError, match="tagger must be a Time Tagger object"):
        TimeTagger.freeTimeTagger(wrong)


def test_model_of_a_serial() -> None:
    assert TimeTagger.getTimeTaggerModel("SIM20-0001") == "Time Tagger 20"
    assert TimeTagger.getTimeTaggerModel("ABC") == "unknown"


def test_unknown_model() -> None:
    with pytest.raises(ValueError, match=r"'30'.*20, ultra, x"):
        simulated_device("30")


def test_an_instrument_that_measures_what_was_recorded(recordings: Path) -> None:
    install([replayed_device(str(recordings / "hbt_320MHz_T2.ptu"), speed=10)])
    with TimeTagger.createTimeTagger() as tagger:
        assert isinstance(tagger, TimeTagger.TimeTagger)
        assert tagger.getSerial() == "REPLAY-0001"
        assert tagger.getModel() == "Replay of hbt_320MHz_T2.ptu"
        assert (tagger.getChannelList(), tagger.getDeadtime(1)) == ((1, 2), 0)
        tagger.setInputDelay(1, 1000)
        tagger.setTestSignal(1, True)
        assert tagger.getTestSignal(1)
        rate = TimeTagger.Countrate(tagger, [1, 2])
        rate.startFor(10**11)
        assert rate.waitUntilFinished(60_000)
        assert rate.getCountsTotal().min() > 1000
        with pytest.raises(NotSupported, match="simulated"):
            tagger.simulatePoisson([1], 1e5)
        tagger.reset()
        assert tagger.getInputDelay(1) == 0


def test_a_replay_that_cannot_be_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"nothing\.ptu"):
        replayed_device(str(tmp_path / "nothing.ptu"))
    with pytest.raises(ValueError, match=r"speed is 0\.01"):
        replayed_device("any", speed=0.01)


def test_version_begins_with_the_vendors_numbers() -> None:
    version = TimeTagger.getVersion()
    assert version.startswith("2.22.6+tagwire.")
    assert version.endswith(__version__)
    assert [int(part) for part in version.split("+")[0].split(".")] == [2, 22, 6]


def test_logger_gets_the_vendors_levels() -> None:
    heard: list[tuple[int, str]] = []
    log = logging.getLogger("tagwire.something")
    TimeTagger.setLogger(lambda level, message: heard.append((level, message)))
    try:
        log.debug("not heard")
        log.info("a %s", "b")
        log.warning("c")
        log.critical("d")
    finally:
        TimeTagger.setLogger(None)
    log.warning("not heard")
    expected = [(TimeTagger.LOGGER_INFO, "a b"), (TimeTagger.LOGGER_WARNING, "c"), (TimeTagger.LOGGER_ERROR, "d")]
    assert heard == expected
    with pytest.raises(TypeError, match="callback must be callable"):
        TimeTagger.setLogger(3)  # type: ignore[arg-type]


def test_a_new_logger_replaces_the_old_one() -> None:
    first: list[str] = []
    second: list[str] = []
    TimeTagger.setLogger(lambda level, message: first.append(message))
    TimeTagger.setLogger(lambda level, message: second.append(message))
    logging.getLogger("tagwire").warning("x")
    TimeTagger.setLogger(None)
    assert (first, second) == ([], ["x"])


def test_channel_number_schemes_are_gone() -> None:
    with pytest.raises(RuntimeError, match=r"2\.22"):
        TimeTagger.setTimeTaggerChannelNumberScheme(0)
    with pytest.raises(RuntimeError, match=r"2\.22"):
        TimeTagger.getTimeTaggerChannelNumberScheme()


def test_nothing_is_counted() -> None:
    assert TimeTagger.getUsageStatisticsStatus() is UsageStatisticsStatus.Disabled
    TimeTagger.setUsageStatisticsStatus(UsageStatisticsStatus.Disabled)
    with pytest.raises(NotSupported, match="Collecting"):
        TimeTagger.setUsageStatisticsStatus(UsageStatisticsStatus.Collecting)
    assert "No report" in TimeTagger.getUsageStatisticsReport()
    assert TimeTagger.hasTimeTaggerVirtualLicense()
    TimeTagger.setFrontend(TimeTagger.FrontendType.Pyro5RPC)
    with pytest.raises(ValueError, match="frontend is 9"):
        TimeTagger.setFrontend(9)  # type: ignore[arg-type]


def test_a_name_that_the_engine_leaves_out_is_missed_with_a_way_on() -> None:
    assert not hasattr(TimeTagger, "NoSuchMeasurement")
    with pytest.raises(AttributeError, match=r"no attribute 'extractDeviceLicense': .*--backend vendor"):
        _ = TimeTagger.extractDeviceLicense  # type: ignore[attr-defined]
