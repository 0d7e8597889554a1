"""Bars in a terminal: block characters where the terminal can show them, plain ASCII elsewhere."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

ROWS_PER_TICK = 3
"""Rows between two labels of the vertical axis."""


@dataclass(frozen=True)
class Style:
    """Characters to draw with.

    Attributes
    ----------
    levels
        A cell from empty to full, in equal steps.
    side, tick, corner, floor, mark
        Vertical axis, vertical axis at a label, where the axes meet, horizontal axis, horizontal axis at a label.
    """

    levels: str
    side: str
    tick: str
    corner: str
    floor: str
    mark: str


BLOCKS = Style(" ▁▂▃▄▅▆▇█", "│", "┤", "└", "─", "┴")
ASCII = Style(" .:#", "|", "+", "+", "-", "+")


def style_for(encoding: str | None) -> Style:
    """The best style that can be written in an encoding; ASCII for an unknown one."""
    try:
        "".join(vars(BLOCKS).values()).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BLOCKS


def bars(
    values: Sequence[float],
    left: float,
    right: float,
    *,
    title: str,
    unit: str,
    columns: int = 70,
    style: Style = BLOCKS,
) -> list[str]:
    """Draw a histogram.

    Parameters
    ----------
    values
        Finite heights, from left to right and not negative; neighbours are averaged where there are more of them
        than columns.
    left, right
        Position of the first value's left edge and the last value's right edge, in `unit`.
    title, unit
        What is drawn, and the unit of the horizontal axis.
    columns
        Width of the plot; labels need up to ten more.
    style
        Characters to draw with.

    Returns
    -------
    list of str
        Lines without line ends.
    """
    step = _nice_step(max(values))
    ticks = max(1, math.ceil(max(values) / step - 1e-9))
    labels = [f"{i * step:.4g}" for i in range(ticks + 1)]
    margin = max(map(len, labels)) + 1
    heights = [v / step * ROWS_PER_TICK for v in _resampled(values, columns)]
    lines = [" " * (margin + 1) + title]
    for row in range(ticks * ROWS_PER_TICK, -1, -1):
        tick, at_tick = divmod(row, ROWS_PER_TICK)
        axis = labels[tick].rjust(margin - 1) + " " + style.tick if at_tick == 0 else " " * margin + style.side
        lines.append((axis + "".join(_cell(h - row, style) for h in heights)).rstrip())
    return [*lines, *_floor(left, right, unit, margin, columns, style)]


def _nice_step(top: float) -> float:
    """Distance of labels, 1, 2 or 5 times a power of ten, so that three to five of them reach `top`."""
    if top <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(top / 5))
    return next(m * power for m in (1, 2, 5, 10) if m * power * 5 >= top * (1 - 1e-9))


def _resampled(values: Sequence[float], columns: int) -> list[float]:
    """One value per column: the mean of those that fall into it, or the nearest where columns outnumber values."""
    edges = [i * len(values) // columns for i in range(columns + 1)]
    groups = [values[a : max(a + 1, b)] for a, b in itertools.pairwise(edges)]
    return [math.fsum(group) / len(group) for group in groups]


def _cell(filled: float, style: Style) -> str:
    """One character, for a bar that fills this much of the cell."""
    full = len(style.levels) - 1
    return style.levels[min(full, max(0, round(filled * full)))]


def _floor(left: float, right: float, unit: str, margin: int, columns: int, style: Style) -> list[str]:
    """The horizontal axis and its labels: both ends and the middle."""
    places = {0: left, columns // 2: (left + right) / 2, columns - 1: right}
    axis = "".join(style.mark if c in places else style.floor for c in range(columns))
    first, middle, last = (f"{v:.4g} {unit}" for v in places.values())
    text = list(" " * (margin + 1 + columns))
    for start, label in (
        (margin + 1, first),
        (margin + 1 + columns // 2 - len(_number(middle)) // 2, middle),
        (len(text) - len(last), last),
    ):
        text[start : start + len(label)] = label
    return [" " * margin + style.corner + axis, "".join(text)]


def _number(label: str) -> str:
    """The number of a label, without its unit."""
    return label.partition(" ")[0]
