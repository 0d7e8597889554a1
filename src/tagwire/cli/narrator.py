"""Tells in a terminal what happens, and draws there."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.status import Status
from rich.text import Text

from tagwire.cli.plot import ASCII, bars, style_for

FRAME_MS = 100
"""Time between two pictures of a measurement that runs."""

WIDTH = 80
"""Text is not wider than this."""

PLOT_COLUMNS = 65
"""An odd number, so that zero delay has a column of its own."""


class Narrator:
    """Tells steps and their results, and draws as well as the output can show it.

    Parameters
    ----------
    console
        Where to; plain text without colours or movement where it is no terminal.
    shown
        Plots show delays up to this, in ps.
    """

    def __init__(self, console: Console, shown: int) -> None:
        self.console = console
        self._shown = shown
        self._style = style_for(console.encoding if console.is_terminal else None)
        plain = self._style is ASCII
        self.plus_minus = "+-" if plain else "±"
        self._title = "g2" if plain else "g²(τ)"
        self._spinner = "line" if plain else "dots"

    def waiting(self, text: str) -> Status:
        """Something that moves while the body of a ``with`` goes on."""
        return self.console.status(text, spinner=self._spinner)

    def tell(self, step: str, result: str) -> None:
        """A step, as the user would write it, and what came of it."""
        self.console.print(Text(step, "bold"), soft_wrap=True)
        self.say(result)

    def say(self, text: str) -> None:
        """A paragraph, indented."""
        lines = textwrap.wrap(text, min(self.console.width, WIDTH) - 1, initial_indent="  ", subsequent_indent="  ")
        self.console.print(Text("\n".join([*lines, ""])), soft_wrap=True)

    def draw(self, delays: NDArray[np.int64], g2: NDArray[np.float64]) -> None:
        """The correlation around zero delay."""
        self.console.print(self._picture(delays, g2))
        self.console.print()

    def watch(self, correlation: Any, duration: float) -> None:
        """Show how a correlation grows until its capture of `duration` ps is over."""
        if not self.console.is_terminal:
            correlation.waitUntilFinished()
            return
        with Live(console=self.console, auto_refresh=False, transient=True) as live:
            while not correlation.waitUntilFinished(FRAME_MS):
                bar = ProgressBar(duration, correlation.getCaptureDuration(), width=PLOT_COLUMNS)
                picture = self._picture(correlation.getIndex(), correlation.getDataNormalized())
                live.update(Group(picture, Padding(bar, (1, 0, 0, 6))), refresh=True)

    def _picture(self, delays: NDArray[np.int64], g2: NDArray[np.float64]) -> Text:
        heights = np.nan_to_num(g2[abs(delays) <= self._shown]).tolist()
        end = self._shown / 1000
        lines = bars(heights, -end, end, title=self._title, unit="ns", columns=PLOT_COLUMNS, style=self._style)
        return Text("\n".join(f"  {line}" for line in lines), "cyan", no_wrap=True, overflow="crop")
