"""What a correlation of pulsed light says: how many photons come at once, and a figure of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class PulsedG2:
    """g2(0) of pulsed light, from the areas of correlation peaks.

    Attributes
    ----------
    value, error
        Area of the peak at zero delay in units of the mean area of the others, and its standard deviation from
        counting statistics; where the peak is empty, from a single count.
    centre
        Pairs in the peak at zero delay.
    neighbours
        Pairs in the other peaks, from the most negative delay to the most positive one.
    """

    value: float
    error: float
    centre: int
    neighbours: NDArray[np.int64]


def pulsed_g2(delays: NDArray[np.int64], counts: NDArray[np.int32], period: float, half_width: float) -> PulsedG2:
    """Compare the peak at zero delay with the others.

    Parameters
    ----------
    delays
        Centres of the bins in ps, ascending and on both sides of zero.
    counts
        Pairs in each bin.
    period
        Time between laser pulses in ps.
    half_width
        Bins up to this far from the middle of a peak count as its own, in ps; at most half the period. Peaks that
        are not covered as a whole are left out.
    """
    number = np.rint(delays / period).astype(np.int64)
    inside = np.abs(delays - number * period) <= half_width
    last = int(min(-delays[0] - half_width, delays[-1] - half_width) // period)
    areas = np.array([counts[inside & (number == n)].sum() for n in range(-last, last + 1)], np.int64)
    centre, neighbours = int(areas[last]), np.delete(areas, last)
    mean = neighbours.mean()
    relative = np.sqrt(1 / max(centre, 1) + 1 / neighbours.sum())
    return PulsedG2(centre / mean, float(max(centre, 1) / mean * relative), centre, neighbours)


def save_figure(path: Path, delays: NDArray[np.int64], g2: NDArray[np.float64], result: PulsedG2) -> None:
    """Save a correlation as a picture.

    Parameters
    ----------
    path
        File to write; its ending chooses the format.
    delays
        Centres of the bins in ps.
    g2
        Normalised correlation in each bin.
    result
        What to say about it.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(delays / 1000, g2, step="mid", color="#3b6fb6", linewidth=0)
    top = float(g2.max()) * 1.25
    axes.annotate(
        f"$g^{{(2)}}(0)$ = {result.value:.3f} ± {result.error:.3f}",
        xy=(0, 0.05 * top),
        xytext=(0, 0.9 * top),
        ha="center",
        color="#b5302a",
        arrowprops={"arrowstyle": "->", "color": "#b5302a"},
    )
    axes.set_xlim(delays[0] / 1000, delays[-1] / 1000)
    axes.set_ylim(0, top)
    axes.set_xlabel("Delay between the detectors τ (ns)")
    axes.set_ylabel("$g^{(2)}(τ)$")
    axes.set_title("A simulated single-photon emitter, measured through a server")
    figure.savefig(path, dpi=150)
