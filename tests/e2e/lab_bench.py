"""Instruments beside the Time Tagger, as a user writes them: a stage with two axes, and a module of functions."""

from __future__ import annotations

import enum
import functools
import sys
import threading
from dataclasses import dataclass
from os import getcwd as current_folder  # imported, so not offered
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

VOLTAGE_MAX = 10.0
lamp_on = False


class Mode(enum.Enum):
    """How it moves."""

    FAST = "fast"
    SLOW = "slow"


class Axis:
    """One axis."""

    name: str

    def __init__(self, name: str) -> None:
        self.name = name
        self.gain = 1.0
        self._at = 0.0

    @property
    def position(self) -> float:
        """Position in µm."""
        return self._at

    def move(self, to: float) -> None:
        """Go to a position in µm."""
        self._at = float(to)


class Position(NamedTuple):
    """Where it is."""

    x: float
    y: float


@dataclass(frozen=True)
class Status:
    """How it is."""

    at: Position
    mode: Mode
    trace: NDArray[np.float64]


class _Controller:
    pass


class Stage:
    """A piezo stage."""

    UNIT = "µm"
    tagwire_parallel = ("stop",)

    def __init__(self) -> None:
        self.x, self.y = Axis("x"), Axis("y")
        self.speed = 2.0
        self.controller = _Controller()
        self.closed = False
        self.moving = 0
        self.most_moving = 0
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self._mode = Mode.FAST

    @property
    def mode(self) -> Mode:
        """How it moves."""
        return self._mode

    @mode.setter
    def mode(self, value: Mode) -> None:
        if not isinstance(value, Mode):
            raise TypeError(f"not a mode: {value!r}")
        self._mode = value

    def move_to(self, x: float, y: float = 0.0, *, mode: Mode = Mode.FAST) -> None:
        """Go to a position.

        Parameters
        ----------
        x, y
            Position in µm, within [0, 10].
        mode
            How.
        """
        if not 0 <= x <= 10:
            raise ValueError(f"x is {x}, but must be within [0, 10]")
        self.x.move(x)
        self.y.move(y)
        self._mode = mode

    def get_positions(self) -> NDArray[np.float64]:
        """Both positions in µm."""
        return np.array([self.x.position, self.y.position])

    @property
    def at(self) -> Position:
        """Both positions."""
        return Position(self.x.position, self.y.position)

    def get_status(self) -> Status:
        """All there is to say."""
        return Status(self.at, self._mode, np.arange(3.0))

    def restore(self, status: Status) -> list[Position]:
        """Go back to where it was; where it was before and is now."""
        if not isinstance(status, Status):
            raise TypeError(f"not a status: {status!r}")
        before = self.at
        self.move_to(status.at[0], status.at[1], mode=status.mode)
        return [before, self.at]

    def axes(self) -> list[Axis]:
        """Both axes."""
        return [self.x, self.y]

    def wait(self) -> None:
        """Take part in the count of callers, and wait until `stop`."""
        self.moving += 1
        self.most_moving = max(self.most_moving, self.moving)
        self.entered.set()
        self.go_on.wait(120)
        self.moving -= 1

    def stop(self) -> None:
        """End all waits, from another client too."""
        self.go_on.set()

    def load(self, filename):  # type: ignore[no-untyped-def]
        """Read a file."""
        with open(filename, encoding="utf-8") as file:
            return file.read()

    def leave(self) -> None:
        """What a script does at its end, and a server must not."""
        sys.exit("enough")

    @functools.cached_property
    def serial(self) -> str:
        """Looked up once."""
        return "P-1"

    forward = functools.partialmethod(move_to, 10)

    async def later(self) -> None:
        """Not offered."""

    def _secret(self) -> None:
        pass

    def close(self) -> None:
        """The server's to call."""
        self.closed = True


def folder_length(times: int = 1) -> int:
    """A function of a module."""
    return times * len(current_folder())


def scaled(values: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """An array, times a factor."""
    return np.asarray(values) * factor
