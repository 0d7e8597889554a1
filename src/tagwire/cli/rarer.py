"""What not everybody uses, used once: the steps of `tagwire warmup` after the common ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tagwire import TimeTagger
from tagwire.cli.warmup import SPAN
from tagwire.core.tags import TagBlock
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.testing.simulated import simulated_tagger
from tagwire.testing.stepped import SteppedTagger

Make = Callable[[TimeTaggerBase], list[Any]]

CHANNELS = 8
"""Channels of the tags that are played, 1 and up."""


def use_lights() -> None:
    """Kernels of the light that no demo shows, of a software clock and of a discriminator."""
    with simulated_tagger() as tagger:
        tagger.simulateThermal([1], 1e6, 10**6)
        tagger.simulatePairs([2], [3], 1e6, afterpulsing_probability=0.1)
        tagger.simulateFluorescence([4], sync_channel=5)
        tagger.simulateDiffusion([6])
        tagger.simulateReference(clock_channel=7, pulse_channel=8, missing=0.01)
        tagger.setSoftwareClock(7, 10e6, 10, wait_until_locked=False)
        tagger.setTestSignal([9, -9], True)
        pulses = TimeTagger.ConstantFractionDiscriminator(tagger, [9], 10**6)
        rate = TimeTagger.Countrate(tagger, [*range(1, CHANNELS + 1), *pulses.getChannels()])
        tagger.advance(SPAN)
        tagger.disableSoftwareClock()
        tagger.advance(SPAN)
        rate.stop()


def use_histograms() -> None:
    """Kernels of the histograms that are not everybody's."""
    edges = [0, 1000, SPAN // 100]
    _use(
        lambda tagger: [
            TimeTagger.CorrelationPairs(tagger, [1, 2, 3], SPAN // 100, 10),
            TimeTagger.HistogramLogBins(tagger, 1, 2, -9, -3, 20),
            TimeTagger.HistogramLogBins(
                tagger, 1, 1, -9, -3, 20, TimeTagger.ChannelGate(3, 4), TimeTagger.ChannelGate(5, 6)
            ),
            TimeTagger.HistogramCustomBins(tagger, 1, 2, edges),
            TimeTagger.Histogram2D(tagger, 1, 2, 3, SPAN // 10, SPAN // 10, 5, 5),
            TimeTagger.HistogramND(tagger, 1, [2, 3], [SPAN // 10] * 2, [5, 5]),
            TimeTagger.TimeDifferencesND(tagger, 1, 2, [3, 4], [5, 6], [3, 3], SPAN // 10, 5),
            TimeTagger.Scope(tagger, [1, 2], 3, SPAN // 10, 2, 10),
            TimeTagger.Sampler(tagger, 1, [2, 3], 10),
        ]
    )


def use_counting_and_imaging() -> None:
    """Kernels of gated counting, images, frequencies and phases."""
    _use(
        lambda tagger: [
            TimeTagger.GatedCounter(tagger, [1, 2], 3, 4, 10),
            TimeTagger.CountBetweenMarkers(tagger, 1, 2),
            TimeTagger.Flim(tagger, 1, 2, 3, 4, 5, SPAN // 100),
            TimeTagger.Flim(tagger, 1, 2, 3, 4, 5, SPAN // 100, 4, 5, 3),
            TimeTagger.FrequencyCounter(tagger, [1], SPAN // 20, SPAN // 20, 5),
            TimeTagger.FrequencyStability(tagger, 1, [1, 2, 4], 10, 20),
            TimeTagger.PhaseNoise(tagger, 1, 4),
            TimeTagger.PulsePerSecondMonitor(tagger, 1, [2, 3]),
            TimeTagger.Iterator(tagger, 1),
            _Own(tagger),
        ]
    )


def use_virtual_channels() -> None:
    """Kernels of the virtual channels that are not everybody's."""
    _use(
        lambda tagger: [
            TimeTagger.Coincidences(
                tagger, [[1, 2], [2, 3], [1, 2, 3, 4]], SPAN // 50, TimeTagger.CoincidenceTimestamp.Average
            ),
            TimeTagger.Combinations(tagger, [1, 2, 3], SPAN // 2000),
            TimeTagger.DelayedChannels(tagger, [1, 2], -1000),
            TimeTagger.GatedChannels(tagger, [1, 2], 3, 4),
            TimeTagger.ConditionalFilterChannel(tagger, [1], [2]),
            TimeTagger.EventGenerator(tagger, 1, [0, 1000], 2),
            TimeTagger.FrequencyMultiplier(tagger, 1, 3),
            TimeTagger.TriggerOnCountrate(tagger, 1, 1e4, 1e3, SPAN // 10),
            TimeTagger.OverflowInjector(tagger, SPAN // 10, SPAN // 100),
        ]
    )


def use_signals_and_detectors() -> None:
    """Kernels of the simulated signals and detectors of ``Experimental``."""
    model = TimeTagger.Experimental
    _use(
        lambda tagger: [
            model.DlsSignalGenerator(tagger, 1e-4, 1e5),
            model.ExponentialSignalGenerator(tagger, 1e5),
            model.FcsSignalGenerator(tagger, 1e-4, 1e5, 2.0),
            model.GammaSignalGenerator(tagger, 2.0, 1e-6),
            model.GaussianSignalGenerator(tagger, 1e-5, 1e-7),
            model.MarkovProcessGenerator(tagger, 2, [0.0, 1e5, 1e5, 0.0], [-1, 0, 1, -1]),
            model.OscillatorSimulation(tagger, 1e6, 1e-12),
            model.PatternSignalGenerator(tagger, [0, 1000, 2000], True, 10_000, 1_000_000),
            model.PhotonGenerator(tagger, 1e5, TimeTagger.CHANNEL_UNUSED),
            model.PhotonNumber(tagger, 1, 2, 3, 1.0, [2e5, 1e5, 0.0], 1000),
            model.SimDetector(tagger, 1, 0.5, 1e4, 1e-10, 1e-8),
            model.SimLifetime(tagger, 1, 3e-9),
            model.SimSignalSplitter(tagger, 1, 0.4),
            model.TransformCrosstalk(tagger, 1, 2, 1e-8, 1e-8, True),
            model.TransformDeadtime(tagger, 1, 1e-6, True),
            model.TransformEfficiency(tagger, 1, 0.3, True),
            model.TransformGaussianBroadening(tagger, 1, 1e-10, True),
            model.TwoStateExponentialSignalGenerator(tagger, 1e-6, 1e-6),
            model.UniformSignalGenerator(tagger, 10**7, 10**6),
        ]
    )


class _Own(TimeTagger.CustomMeasurement):
    """Somebody's own measurement, which gets its tags packed into records."""

    def __init__(self, tagger: TimeTaggerBase) -> None:
        super().__init__(tagger)
        self.register_channel(1)
        self.finalize_init()

    def process(self, incoming_tags: Any, begin_time: int, end_time: int) -> None:
        """Look at nothing."""


def _use(create: Make) -> None:
    """Play some tags of all channels to measurements, virtual channels, signals and detectors."""
    tags = np.arange(1000)
    channels = (tags % CHANNELS + 1).astype(np.int32)
    tagger = SteppedTagger(TagBlock(0, SPAN, tags * (SPAN // 1000), channels))
    in_use = create(tagger)
    tagger.play([SPAN // 2])
    in_use.clear()
