"""Spectral density of time errors by Welch's method, one sequence and one frequency after the other."""

from __future__ import annotations

from cmath import exp
from collections.abc import Sequence
from math import cos, pi

UNITS_PER_PS = 256


def phase_spectrum(runs: Sequence[Sequence[int]], samples: int, carrier: float) -> list[tuple[float, float, int]]:
    """Offset in Hz, one-sided density in ps**2 / Hz and number of sequences of each spectral sample.

    Parameters
    ----------
    runs
        Time stamps in ps, between which there are gaps.
    samples
        Spectral samples per octave.
    carrier
        Frequency of the time stamps in Hz.
    """
    length, rows = 4 * samples, list[tuple[float, float, int]]()
    levels = [[t * UNITS_PER_PS for t in run] for run in runs]
    rate = carrier
    while any(levels):
        frames = [x[i : i + length] for x in levels for i in range(0, len(x) - length + 1, length // 2)]
        if frames:
            octave = [
                (k * rate / length, _density(frames, k, rate), len(frames)) for k in range(samples + 1, 2 * samples + 1)
            ]
            rows = octave + rows
        levels = [[(x[i] + x[i + 1]) // 2 for i in range(0, len(x) - 1, 2)] for x in levels]
        rate /= 2
    return rows


def _density(frames: Sequence[Sequence[int]], k: int, rate: float) -> float:
    n = len(frames[0])
    window = [0.5 - 0.5 * cos(2 * pi * i / n) for i in range(n)]
    total = 0.0
    for frame in frames:
        errors = _without_line([t - frame[0] for t in frame])
        total += (
            abs(sum(w * e * exp(-2j * pi * k * i / n) for i, (w, e) in enumerate(zip(window, errors, strict=True))))
            ** 2
        )
    return 2 * total / (len(frames) * rate * sum(w * w for w in window) * UNITS_PER_PS**2)


def _without_line(values: Sequence[int]) -> list[float]:
    n = len(values)
    middle, mean = (n - 1) / 2, sum(values) / n
    slope = sum((i - middle) * (v - mean) for i, v in enumerate(values)) / sum((i - middle) ** 2 for i in range(n))
    return [v - mean - slope * (i - middle) for i, v in enumerate(values)]
