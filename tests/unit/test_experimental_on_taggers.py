"""Simulated signals on real taggers: replayed, simulated, and served."""

from __future__ import annotations

import pytest

import tagwire
from tagwire import TimeTagger
from tagwire.core.catalog import read_catalog
from tagwire.rpc.server import Server
from tagwire.testing.simulated import simulated_tagger


def test_a_virtual_tagger_without_a_file_carries_a_whole_experiment() -> None:
    with TimeTagger.createTimeTaggerVirtual() as tagger:
        laser = TimeTagger.Experimental.PatternSignalGenerator(tagger, [100_000])
        life = TimeTagger.Experimental.SimLifetime(tagger, laser.getChannel(), 4e-9, 0.05, seed=1)
        detector = TimeTagger.Experimental.SimDetector(tagger, life.getChannel(), 0.5, 100.0, 50e-12, 20e-9, seed=1)
        decay = TimeTagger.Histogram(tagger, detector.getChannel(), laser.getChannel(), 500, 200)
        decay.startFor(4 * 10**10)
        tagger.run()
        assert decay.waitUntilFinished(120_000)
        tagger.stop()
    counts = decay.getData()
    photons = 4e10 / 1e5 * 0.05 * 0.5
    assert counts.sum() == pytest.approx(photons, rel=0.1)
    assert counts[:8].sum() == pytest.approx(photons * 0.632, rel=0.1)


def test_a_transformation_in_place_is_seen_by_what_comes_after_it() -> None:
    tagger = simulated_tagger()
    tagger.setTestSignal(1, True)
    before = TimeTagger.Countrate(tagger, [1])
    efficiency = TimeTagger.Experimental.TransformEfficiency(tagger, 1, 0.25, seed=1)
    after = TimeTagger.Countrate(tagger, [1])
    tagger.advance(10**11)
    efficiency.stop()
    again = TimeTagger.Countrate(tagger, [1])
    tagger.advance(10**11)
    assert efficiency.getChannel() == 1
    assert before.getCountsTotal()[0] == pytest.approx(160_000, abs=2)
    assert after.getCountsTotal()[0] == pytest.approx(20_000 + 80_000, abs=1_000)
    assert again.getCountsTotal()[0] == pytest.approx(80_000, abs=2)


def test_a_detector_goes_with_its_object() -> None:
    tagger = simulated_tagger()
    detector = TimeTagger.Experimental.SimDetector(tagger, 1, 0.5, 1e5, seed=1)
    channel = detector.getChannel()
    assert tagger.isChannelRegistered(1)
    assert channel in tagger._hub.virtual_channels()
    del detector
    assert not tagger.isChannelRegistered(1)
    assert channel not in tagger._hub.virtual_channels()


def test_signals_and_light_from_afar() -> None:
    with (
        Server(tagwire.TimeTagger, "127.0.0.1", 0, catalog=read_catalog(tagwire.TimeTagger)) as server,
        tagwire.connect("127.0.0.1", server.port) as remote,
    ):
        tagger = remote.createTimeTagger()
        tagger.simulatePairs([1], [2], pair_rate=1e5, signal_efficiency=0.5, idler_efficiency=0.5)
        tagger.simulateFluorescence([3], lifetimes=[4_000.0, 500.0], amplitudes=[1.0, 2.0], sync_channel=4)
        signal = remote.Experimental.DlsSignalGenerator(tagger, [1e-4, 1e-3], 1e5, seed=1)
        assert signal.get_N() == 2
        splitter = remote.Experimental.SimSignalSplitter(tagger, signal.getChannel(), seed=1)
        rates = remote.Countrate(tagger, [1, 2, 3, splitter.getLeftChannel()])
        rates.startFor(10**11)
        rates.waitUntilFinished()
        assert rates.getData() == pytest.approx([5e4, 5e4, 1e5, 5e4], rel=0.2)
        remote.freeTimeTagger(tagger)
