"""The same work done by other programs; what is not installed is left out, and said so."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
from streams import Run, on

from tagwire.core.tags import TagBlock

SILENCE = 10**10
"""In ps."""

_numbers = count()


def module(name: str) -> Any:
    """A program, or `None`."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def pytimetag(block: TagBlock, begin: int, end: int, bins: int) -> dict[str, Run]:
    """Its kernel on time stamps that are already apart by channel."""
    analyser = module("pytimetag.analysers.HistogramAnalyser")
    if analyser is None:
        return {}
    clicks, starts = on(block, 1), on(block, 2)
    return {"pytimetag": lambda: analyser.analysisOneListJIT(starts, clicks, begin, end, bins, 1)}


def libtimetag_lin(block: TagBlock, edges: np.ndarray) -> dict[str, Run]:
    """Its correlation in bins of one unit, on time stamps that are already apart by channel."""
    library = module("libtimetag")
    if library is None:
        return {}
    clicks, starts = on(block, 1), on(block, 2)
    return {"libtimetag": lambda: library.correlate_lin(edges, starts, clicks)}


def libtimetag_fcs(block: TagBlock, edges: np.ndarray) -> dict[str, Run]:
    """Its exact correlation in bins of any width."""
    library = module("libtimetag")
    if library is None:
        return {}
    clicks, starts = on(block, 1), on(block, 2)
    return {"libtimetag": lambda: library.correlate_fcs(edges, starts, clicks)}


def tttrlib_wahl(block: TagBlock, unit: int, cascades: int, bins: int) -> dict[str, Run]:
    """Its multiple-tau correlator in units of `unit` ps: approximate from the second cascade on."""
    library = module("tttrlib")
    if library is None:
        return {}
    clicks, starts = (on(block, channel).astype(np.uint64) // np.uint64(unit) for channel in (1, 2))

    def run() -> None:
        correlator = library.Correlator()
        correlator.method = "wahl"
        correlator.n_casc, correlator.n_bins = cascades, bins
        # In one call: with set_macrotimes and set_weights one after the other it writes behind its arrays.
        correlator.set_events(starts, np.ones(len(starts)), clicks, np.ones(len(clicks)))
        correlator.run()

    return {"tttrlib wahl": run}


def tangy(block: TagBlock, work: Callable[[Any, float], object], what: str) -> dict[str, Run]:
    """`work` on its buffer that holds all tags, and the duration to look at in s.

    A tag on a channel of its own follows after some silence: its `timetrace` writes behind its array when one of the
    channels has a tag in the last bin.
    """
    library = module("tangy")
    if library is None:
        return {}
    name = f"tagwire_bench_{os.getpid()}_{next(_numbers)}"
    buffer = library.TangyBuffer(
        name, 1e-12, channel_count=16, capacity=len(block) + 2, format=library.TangyBufferType.Standard
    )
    channels = np.append(block.channel, 15).astype(np.uint8)
    buffer.push(channels, np.append(block.time, block.end + SILENCE).astype(np.uint64))
    return {f"tangy {what}": lambda: work(buffer, buffer.time_in_buffer())}


def numpy_counts(block: TagBlock, binwidth: int, channels: int) -> dict[str, Run]:
    """The counts of all bins and channels, with one `bincount` for all or one for each channel."""
    bins = (block.end - block.begin) // binwidth + 1
    begin, time, channel = block.begin, block.time, block.channel

    def together() -> object:
        return np.bincount((time - begin) // binwidth * channels + (channel - 1), minlength=channels * bins)

    def apart() -> object:
        every = range(1, channels + 1)
        return [np.bincount((time[channel == c] - begin) // binwidth, minlength=bins) for c in every]

    return {"NumPy bincount": together, "NumPy bincount by channel": apart}
