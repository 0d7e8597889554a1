"""A simulated piezo stage that carries a sample below a microscope, for `tagwire serve --also`; example 15 scans it.

    tagwire serve --simulate ultra --also examples/piezo.py:stage

Write the file for your own stage like this one: a class around its driver, and one object of it.
"""

import enum

import numpy as np

MOLECULES = [  # x and y in µm, and photons per second when it is in the focus
    (2.1, 7.4, 220e3),
    (3.4, 2.6, 90e3),
    (5.2, 5.6, 150e3),
    (7.9, 7.9, 60e3),
    (8.3, 3.1, 180e3),
]
SPOT_UM = 0.45  # standard deviation of the focus
BACKGROUND_HZ = 3e3


class Loop(enum.Enum):
    """How the position is held."""

    OPEN = "open"
    CLOSED = "closed"


class Stage:
    """Moves the sample in x and y."""

    RANGE_UM = 10.0

    def __init__(self) -> None:
        self._x, self._y = 0.0, 0.0
        self._loop = Loop.CLOSED
        self._tagger = None
        self._channel = 0

    @property
    def x(self) -> float:
        """Position in µm."""
        return self._x

    @property
    def y(self) -> float:
        """Position in µm."""
        return self._y

    @property
    def loop(self) -> Loop:
        """How the position is held."""
        return self._loop

    @loop.setter
    def loop(self, value: Loop) -> None:
        self._loop = Loop(value)

    def move_to(self, x: float, y: float) -> None:
        """Go to a position and wait until it is reached.

        Parameters
        ----------
        x, y
            Position in µm, from 0 to `RANGE_UM`.
        """
        for name, value in (("x", x), ("y", y)):
            if not 0 <= value <= self.RANGE_UM:
                raise ValueError(f"{name} is {value} µm, but must be within [0, {self.RANGE_UM}] µm")
        self._x, self._y = float(x), float(y)
        self._shine()

    def illuminate(self, tagger, channel: int) -> None:
        """Simulation only: let the light of what is in the focus fall on a channel of a simulated Time Tagger."""
        if not hasattr(tagger, "simulatePoisson"):
            raise TypeError("this sample is simulated, and so needs a simulated Time Tagger")
        self._tagger, self._channel = tagger, channel
        self._shine()

    def get_brightness(self) -> float:
        """Photons per second at the present position."""
        light = BACKGROUND_HZ
        for x, y, rate in MOLECULES:
            light += rate * np.exp(-((x - self._x) ** 2 + (y - self._y) ** 2) / (2 * SPOT_UM**2))
        return float(light)

    def _shine(self) -> None:
        if self._tagger is not None:
            self._tagger.simulatePoisson([self._channel], rate=self.get_brightness())


stage = Stage()
