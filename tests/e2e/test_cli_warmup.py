"""After the warm-up, nothing is left to be compiled while clients wait."""

import subprocess
import sys

SCRIPT = """
import tempfile

from numba.core.event import install_recorder

from tagwire.cli.warmup import help_out, warmed_up

with warmed_up():
    pass
help_out()  # what the second process compiles where nothing is on disk yet

from tagwire import TimeTagger as TT
with install_recorder("numba:compile") as compilations, TT.createTimeTagger() as tagger:
    tagger.simulateEmitter([1, 2], delays=[0, 500], sync_channel=3)
    tagger.simulatePoisson([4], 1e5)
    tagger.setTestSignal([5, 6], True)
    tagger.setInputDelay(5, 3_000_000)
    tagger.setDeadtime(1, 50_000)
    tagger.setConditionalFilter([1], [3])
    delayed = TT.DelayedChannel(tagger, 2, 1000)
    either = TT.Combiner(tagger, [1, delayed.getChannel()])
    both = TT.Coincidences(tagger, [[1, 2], [5, 6]], 1000, TT.CoincidenceTimestamp.Average)
    gated = TT.GatedChannel(tagger, 4, 5, -5)
    channels = [1, -2, either.getChannel(), *both.getChannels(), gated.getChannel()]
    synchronized = TT.SynchronizedMeasurements(tagger)
    here = synchronized.getTagger()
    used = [
        TT.Countrate(here, channels), TT.Counter(here, channels, 10**7, 20), TT.Correlation(here, 1, 2, 5, 2000),
        TT.Correlation(here, 1), TT.Histogram(here, 1, 5), TT.StartStop(here, 1, 5),
        TT.TimeDifferences(here, 1, 5, 4, 6), TT.CountBetweenMarkers(here, 1, 4), TT.TimeTagStream(here, 100, channels),
    ]
    synchronized.startFor(10**10)
    assert synchronized.waitUntilFinished(120_000)
    for measurement in used:
        measurement.getData()
    with tempfile.TemporaryDirectory() as folder:
        with TT.FileWriter(tagger, folder + "/x.parquet", [1, -2]) as writer, TT.Dump(tagger, folder + "/d", 1000):
            writer.startFor(10**10)
            assert writer.waitUntilFinished(120_000)
        with TT.FileReader(folder + "/x.parquet") as reader:
            reader.getData(10)

for _, event in compilations.buffer:
    print(event.data["dispatcher"])
"""


def test_the_first_measurements_of_every_kind_find_their_kernels_compiled() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["common measurements are compiled"]


RARER = """
from click.testing import CliRunner
from numba.core.event import install_recorder

from tagwire import TimeTagger as TT
from tagwire.cli import main
from tagwire.testing import simulated_tagger

done = CliRunner().invoke(main, ["warmup"])
assert done.exit_code == 0, done.output
print(done.output)

with install_recorder("numba:compile") as compilations, simulated_tagger() as tagger:
    tagger.simulateThermal([1, 2], 1e6)
    tagger.simulateFluorescence([3], 1e5, 40e6, [1000.0, 4000.0], [1.0, 2.0], sync_channel=4)
    made = [
        TT.CorrelationPairs(tagger, [1, 2, 3], 500, 40), TT.HistogramLogBins(tagger, 1, 2, -9, -6, 30),
        TT.Histogram2D(tagger, 4, 1, 2, 1000, 1000, 8, 8), TT.Sampler(tagger, 1, [2, 3], 20),
        TT.GatedCounter(tagger, [1, 2], 3, -3, 20), TT.FlimBase(tagger, 4, 3, 1, 5, 6, 100),
        TT.FrequencyStability(tagger, 1, [1, 2], 10, 20), TT.TriggerOnCountrate(tagger, 2, 1e6, 1e5, 10**8),
        TT.EventGenerator(tagger, 1, [0, 500, 700], 3), TT.Coincidences(tagger, [[1, 2], [2, 3]], 5000),
        TT.Experimental.SimDetector(tagger, 1, 0.5, 1e4, 1e-10, 1e-8),
        TT.Experimental.GammaSignalGenerator(tagger, 2, 1e-5),
    ]
    tagger.advance(10**10)

for _, event in compilations.buffer:
    print("compiled late:", event.data["dispatcher"])
"""


def test_after_the_command_rarer_classes_find_their_kernels_compiled_too() -> None:
    done = subprocess.run([sys.executable, "-c", RARER], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "compiled late" not in done.stdout
    assert "The kernels are compiled, and kept in" in done.stdout
