"""Compile before clients come: compilation holds the interpreter, and nobody should wait for it inside a call."""

from __future__ import annotations

from tagwire.engine.iterator import IteratorBase
from tagwire.measurements.correlation import Correlation
from tagwire.measurements.counter import Counter
from tagwire.measurements.countrate import Countrate
from tagwire.measurements.histogram import Histogram
from tagwire.measurements.markers import CountBetweenMarkers
from tagwire.measurements.startstop import StartStop
from tagwire.measurements.stream import TimeTagStream
from tagwire.measurements.timedifferences import TimeDifferences
from tagwire.testing.simulated import SteppedTimeTagger, simulated_tagger
from tagwire.virtual.coincidence import Coincidence
from tagwire.virtual.combiner import Combiner
from tagwire.virtual.delayed import DelayedChannel
from tagwire.virtual.gated import GatedChannel

SPAN = 10**10
"""Stream time in ps that is enough for every kernel to run."""


def warm_up() -> None:
    """Let everything that is compiled run once on a few tags; what was compiled is kept on disk."""
    with simulated_tagger() as tagger:
        _light_up(tagger)
        in_use = [*_virtual_channels(tagger), *_measurements(tagger)]
        tagger.advance(SPAN)
        tagger.advance(SPAN)
        for measurement in in_use:
            measurement.stop()


def _light_up(tagger: SteppedTimeTagger) -> None:
    tagger.simulateEmitter([1, 2])
    tagger.simulatePoisson([3], 1e5)
    tagger.setTestSignal([4, 5], True)
    tagger.setInputDelay(5, 100)
    tagger.setDelaySoftware(4, 100)
    tagger.setConditionalFilter([5], [1])
    tagger.setEventDivider(4, 2)


def _virtual_channels(tagger: SteppedTimeTagger) -> list[IteratorBase]:
    return [
        Coincidence(tagger, [1, 2], 50_000),
        Combiner(tagger, [1, 2]),
        DelayedChannel(tagger, 1, 100),
        GatedChannel(tagger, 1, 3, 4),
    ]


def _measurements(tagger: SteppedTimeTagger) -> list[IteratorBase]:
    return [
        Countrate(tagger, [1, 2, 5]),
        Counter(tagger, [1, 2], 10**9, 10),
        Correlation(tagger, 1, 2),
        Correlation(tagger, 1),
        Histogram(tagger, 1, 4),
        StartStop(tagger, 1, 4),
        TimeDifferences(tagger, 1, 4),
        TimeDifferences(tagger, 1, 4, 3),
        CountBetweenMarkers(tagger, 1, 4),
        TimeTagStream(tagger, 1000, [1, 2]),
    ]
