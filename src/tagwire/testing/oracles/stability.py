"""Stability metrics of phase samples, straight from the formulas of W. J. Riley, NIST SP 1065 (2008), ch. 5.

`runs` are lists of samples x in ps, between which there are gaps; `m` is the step and `tau` its duration in ps.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import nan, sqrt

Runs = Sequence[Sequence[Fraction]]


def allan(runs: Runs, m: int, tau: float) -> float:
    """Overlapping Allan deviation."""
    terms = [x[i + 2 * m] - 2 * x[i + m] + x[i] for x in runs for i in range(len(x) - 2 * m)]
    return _root(terms, 2, tau)


def modified_allan(runs: Runs, m: int, tau: float) -> float:
    """Modified Allan deviation."""
    terms = [
        sum((x[i + 2 * m] - 2 * x[i + m] + x[i] for i in range(j, j + m)), Fraction(0)) / m
        for x in runs
        for j in range(len(x) - 3 * m + 1)
    ]
    return _root(terms, 2, tau)


def hadamard(runs: Runs, m: int, tau: float) -> float:
    """Overlapping Hadamard deviation."""
    terms = [x[i + 3 * m] - 3 * x[i + 2 * m] + 3 * x[i + m] - x[i] for x in runs for i in range(len(x) - 3 * m)]
    return _root(terms, 6, tau)


def standard_deviation(runs: Runs, m: int) -> float:
    """Of the time that m periods take, in s."""
    terms = [x[i + m] - x[i] for x in runs for i in range(len(x) - m)]
    if len(terms) < 2:
        return nan
    mean = sum(terms, Fraction(0)) / len(terms)
    return sqrt(sum((t - mean) ** 2 for t in terms) / (len(terms) - 1)) * 1e-12


def distance(runs: Runs) -> float:
    """Mean distance of neighbouring samples in ps."""
    distances = [b - a for x in runs for a, b in pairwise(x)]
    return float(sum(distances, Fraction(0)) / len(distances)) if distances else nan


def averages(runs: Sequence[Sequence[int]], average: int) -> list[list[Fraction]]:
    """Means of each `average` neighbouring time stamps."""
    return [[Fraction(sum(t[i : i + average]), average) for i in range(0, len(t) - average + 1, average)] for t in runs]


def _root(terms: Sequence[Fraction], factor: int, tau: float) -> float:
    return sqrt(sum(t * t for t in terms) / (factor * len(terms))) / tau if terms and tau else nan
