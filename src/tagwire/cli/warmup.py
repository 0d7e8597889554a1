"""Compile before clients come: compilation holds the interpreter, and nobody should wait for it inside a call.

What was compiled is kept on disk. A second process shares the work: what almost everybody uses comes first, and it
goes on with the rest while the server already serves.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numba.core.event import install_recorder

from tagwire.core.tags import TagBlock
from tagwire.engine.by_channel import FEWEST, ByChannel
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.frames.warmup import warm_up
from tagwire.measurements.correlation import Correlation
from tagwire.measurements.counter import Counter
from tagwire.measurements.countrate import Countrate
from tagwire.measurements.histogram import Histogram
from tagwire.measurements.markers import CountBetweenMarkers
from tagwire.measurements.startstop import StartStop
from tagwire.measurements.stream import TimeTagStream
from tagwire.measurements.timedifferences import TimeDifferences
from tagwire.recording.reader import FileReader
from tagwire.recording.writer import FileWriter
from tagwire.testing.simulated import simulated_tagger
from tagwire.testing.stepped import SteppedTagger
from tagwire.virtual.coincidence import Coincidence
from tagwire.virtual.combiner import Combiner
from tagwire.virtual.delayed import DelayedChannel
from tagwire.virtual.gated import GatedChannel

SPAN = 10**10
"""Stream time in ps that is enough for every kernel to run."""

HELPER = [sys.executable, "-P", "-c", "from tagwire.cli.warmup import help_out; help_out()"]


@contextmanager
def warmed_up() -> Iterator[None]:
    """Enter when what almost everybody uses is compiled; the rest may go on in a process that ends with the block."""
    helper = subprocess.Popen(HELPER, stdout=subprocess.PIPE)
    try:
        with install_recorder("numba:compile") as compilations:
            use_simulated_light()
        if compilations.buffer:  # nothing is on disk yet: let the helper finish instead of doing the same beside it
            assert helper.stdout
            helper.stdout.readline()
        use_measurements()
        yield
    finally:
        helper.kill()
        helper.communicate()


def help_out() -> None:
    """The helper's part: says when the common measurements are on disk, then goes on with the rest."""
    use_measurements()
    print("common measurements are compiled", flush=True)
    use_markers_and_virtual_channels()
    use_files()


def use_simulated_light() -> None:
    """Kernels of the simulated sources and of the instrument's own processing."""
    with simulated_tagger() as tagger:
        tagger.simulateEmitter([1, 2])
        tagger.simulatePoisson([3], 1e5)
        tagger.setTestSignal([4, 5], True)
        tagger.setInputDelay(5, 100)
        tagger.setDelaySoftware(4, 100)
        tagger.setConditionalFilter([5], [1])
        tagger.setEventDivider(4, 2)
        rate = Countrate(tagger, [1, 2, 3, 4, 5])
        tagger.advance(SPAN)
        rate.stop()


def use_measurements() -> None:
    """Kernels of the most common measurements."""
    _use(
        lambda tagger: [
            Countrate(tagger, [1, 2]),
            Counter(tagger, [1, 2], SPAN // 10, 5),
            Correlation(tagger, 1, 2),
            Correlation(tagger, 1),
            Histogram(tagger, 1, 2),
            StartStop(tagger, 1, 2),
            TimeTagStream(tagger, 1000, [1, 2]),
        ]
    )
    use_views()


def use_views() -> None:
    """Kernels that find what a measurement looks at in a long block."""
    time = np.arange(3 * FEWEST) * SPAN
    picks = ByChannel(TagBlock(0, int(time[-1]) + 1, time, (np.arange(len(time)) % 3 + 1).astype(np.int32)))
    for channels in (frozenset([1]), frozenset([2])):  # the first one gets everything
        picks.of(channels)
        picks.close(channels, 1)


def use_markers_and_virtual_channels() -> None:
    """Kernels of virtual channels, of who looks at them beside inputs, and of measurements with markers."""
    _use(
        lambda tagger: [
            pair := Coincidence(tagger, [1, 2], 1000),
            Combiner(tagger, [1, 2]),
            delayed := DelayedChannel(tagger, 1, 100),
            Countrate(tagger, [1, delayed.getChannel(), pair.getChannel()]),
            GatedChannel(tagger, 1, 2, 3),
            TimeDifferences(tagger, 1, 2),
            TimeDifferences(tagger, 1, 2, 3),
            CountBetweenMarkers(tagger, 1, 2, 3),
        ]
    )


def use_files() -> None:
    """Kernels of recordings and streams: one is written into a folder that goes again, and read back."""
    warm_up()
    with TemporaryDirectory() as folder:
        name = str(Path(folder) / "warm-up.parquet")
        _use(lambda tagger: [FileWriter(tagger, name, [1, 3])])
        with FileReader(name) as reader:
            reader.getData(1)


def _use(create: Callable[[TimeTaggerBase], list[IteratorBase]]) -> None:
    """Play a few tags to measurements and virtual channels."""
    time = np.arange(100, SPAN, SPAN // 300)
    tagger = SteppedTagger(TagBlock(0, SPAN, time, (np.arange(len(time)) % 3 + 1).astype(np.int32)))
    in_use = create(tagger)
    tagger.play([SPAN // 2])
    for iterator in in_use:
        iterator.stop()
