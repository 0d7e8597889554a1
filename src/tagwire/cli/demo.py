"""`tagwire demo`: the main job from end to end, with a simulated emitter, told in plain words."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import tagwire
from tagwire.cli.common import INTERRUPTED, Address, verbose_option
from tagwire.errors import TagwireError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tagwire.cli.narrator import Narrator

PERIOD = 12_500
"""Time between laser pulses in ps; 80 MHz."""

BINWIDTH = 125
"""Bin width of the correlation in ps."""

BINS = 1501
"""Number of bins: fifteen pulses, with zero delay in the middle of a bin."""

PEAK_HALF_WIDTH = 2_000
"""Pairs up to this far from the middle of a peak count as its own, in ps."""

SHOWN = 31_250
"""The terminal shows delays up to this, in ps: five pulses."""

SECOND_PHOTON = 0.02
"""Probability of a second photon, as of a good emitter; it gives the g2(0) that is to be measured."""


@click.command("demo")
@click.option("--seconds", type=click.FloatRange(0.5, 60), default=3.0, show_default=True, help="Measure for so long.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    default="g2.png",
    show_default=True,
    help="Where to save the figure.",
)
@verbose_option
def command(seconds: float, output: Path) -> None:
    """See it work: measure a single-photon emitter through a server.

    Starts a server with a simulated Time Tagger in a process of its own, uses it from this one as from another
    computer, and cleans up.

    \b
    Examples:
      tagwire demo
      tagwire demo --seconds 10 --output antibunching.png
    """
    from rich.console import Console

    from tagwire.cli.child import ServerProcess
    from tagwire.cli.narrator import Narrator

    console = Console(highlight=False)
    narrator = Narrator(console, SHOWN)
    try:
        with ExitStack() as stack:
            with narrator.waiting("Starting a server; the first time, it compiles its kernels ..."):
                server = stack.enter_context(ServerProcess("--simulate", "ultra"))
            measured = measure(narrator, server.address, seconds)
        report(narrator, measured, output)
    except KeyboardInterrupt:
        console.print("Stopped; so is the server.")
        raise SystemExit(INTERRUPTED) from None


@dataclass(frozen=True)
class Measured:
    """What came back from the server: rates in Hz, delays in ps, pairs per bin, normalised correlation."""

    seconds: float
    rates: NDArray[np.float64]
    delays: NDArray[np.int64]
    counts: NDArray[np.int32]
    g2: NDArray[np.float64]


def measure(narrator: Narrator, address: Address, seconds: float) -> Measured:
    """Use the server as a script would, and tell each step."""
    narrator.tell(
        f"$ tagwire serve --simulate ultra --port {address.port}",
        "A server runs in a process of its own, as it would on the computer with the instrument.",
    )
    with tagwire.connect(address.host, address.port) as api:
        narrator.tell(
            f'TimeTagger = tagwire.connect("{address.host}", {address.port})',
            f"Connected. The library there is {api.getVersion()} and finds {', '.join(api.scanTimeTagger())}.",
        )
        with api.createTimeTagger() as tagger:
            narrator.tell(
                "tagger = TimeTagger.createTimeTagger()", f"The server opened its {tagger.getModel()}; it is simulated."
            )
            return _correlate(narrator, api, tagger, seconds)


def _correlate(narrator: Narrator, api: Any, tagger: Any, seconds: float) -> Measured:
    tagger.simulateEmitter([1, 2], repetition_rate=1e12 / PERIOD, second_photon_probability=SECOND_PHOTON)
    tagger.sync()
    narrator.tell(
        f"tagger.simulateEmitter([1, 2], repetition_rate=80e6, second_photon_probability={SECOND_PHOTON})",
        "80 million laser pulses per second excite a single-photon emitter. Its light falls on a beam splitter with a "
        "detector at each output: channels 1 and 2.",
    )
    rates = api.Countrate(tagger, [1, 2])
    correlation = api.Correlation(tagger, 1, 2, BINWIDTH, BINS)
    rates.startFor(seconds * 1e12)
    correlation.startFor(seconds * 1e12)
    narrator.watch(correlation, seconds * 1e12)
    rates.waitUntilFinished()
    delays, counts, g2 = correlation.getIndex(), correlation.getData(), correlation.getDataNormalized()
    return Measured(seconds, rates.getData(), delays, counts, g2)


def report(narrator: Narrator, measured: Measured, output: Path) -> None:
    """Say what was found, and draw it in the terminal and in a file."""
    from tagwire.cli.g2 import pulsed_g2, save_figure

    result = pulsed_g2(measured.delays, measured.counts, PERIOD, PEAK_HALF_WIDTH)
    first, second = measured.rates / 1000
    narrator.tell(
        f"correlation = TimeTagger.Correlation(tagger, 1, 2, binwidth={BINWIDTH}, n_bins={BINS})\n"
        f"correlation.startFor({measured.seconds:g}e12)",
        f"The detectors clicked {first:.0f} and {second:.0f} thousand times per second; the server found "
        f"{measured.counts.sum():,} pairs of clicks within 94 ns and sent the histogram.",
    )
    narrator.draw(measured.delays, measured.g2)
    narrator.tell(
        f"g2(0) = {result.value:.3f} {narrator.plus_minus} {result.error:.3f}",
        f"{result.centre:,} pairs around delay zero; each of the other peaks has {result.neighbours.mean():,.0f}. "
        + _verdict(result.value, result.error),
    )
    try:
        save_figure(output, measured.delays, measured.g2, result)
    except (OSError, ValueError) as error:
        raise TagwireError(f"{output} cannot be saved: {error}; choose another place with --output") from error
    narrator.say(
        f"The figure is in {output}. Next: `tagwire serve` in one terminal, `import tagwire` and the lines above in "
        "the Python of another, on this computer or the next."
    )


def _verdict(value: float, error: float) -> str:
    """What g2(0) says about the light."""
    if value + 2 * error < 0.5:
        return "Below 0.5: the light comes from a single emitter, one photon at a time."
    return "That is not below 0.5 with certainty: measure for longer with --seconds."
