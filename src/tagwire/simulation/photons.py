"""Light whose intensity changes: photons of a modulated Poisson process."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer, real
from tagwire.core.tags import NO_TIMES, TIME_MAX, Int64Array
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.errors import StateError
from tagwire.kernel import kernel
from tagwire.simulation.clock import doubled
from tagwire.simulation.generator import MAX_RATE, PS_PER_S, SignalGeneratorBase
from tagwire.simulation.seeds import FROM_TIME
from tagwire.sources.draws import exponential

STEP = 10**7
"""Time in ps for which an intensity holds, unless `set_T_PERIOD` says otherwise."""

MAX_STEP = 10**15

BATCH = 4_096
"""Steps that are made together."""

DARK = 10**6
"""Steps without a photon after which `get_next` gives up."""

_INTENSITY = 1


class PhotonGenerator(SignalGeneratorBase):
    """Photons of a light whose intensity a subclass tells; by itself, of a steady light.

    Parameters
    ----------
    tagger
        Time Tagger object.
    countrate
        Rate in Hz, from 0 to 1e9, at the intensity 1.
    base_channel
        Channel that gets the tags on top of its own; `CHANNEL_UNUSED` makes a new one.
    seed
        Selects the random numbers; -1 takes the present time.

    Notes
    -----
    A subclass overrides `get_intensity`, and calls `finalize_init` at the end of its ``__init__``, from where on tags
    are made. The intensity holds for one period of `set_T_PERIOD`, 10 µs at first, in which the photons are a Poisson
    process; fluctuations of the intensity between periods bunch them: ``g2(tau) = <I(t) I(t + tau)> / <I>²`` (Mandel's
    formula; Loudon, The Quantum Theory of Light, 3rd ed., ch. 3).

    Examples
    --------
    >>> from tagwire.core.channels import CHANNEL_UNUSED
    >>> from tagwire.core.tags import TagBlock
    >>> from tagwire.testing.stepped import SteppedTagger
    >>> class Blinking(PhotonGenerator):
    ...     def __init__(self, tagger):
    ...         super().__init__(tagger, 1e6, CHANNEL_UNUSED, seed=1)
    ...         self.on = False
    ...         self.finalize_init()
    ...
    ...     def get_intensity(self):
    ...         self.on = not self.on
    ...         return 2.0 if self.on else 0.0
    >>> light = Blinking(SteppedTagger(TagBlock.empty(0, 10**9)))
    >>> light.get_T_PERIOD()
    10000000
    """

    def __init__(self, tagger: TimeTaggerBase, countrate: float, base_channel: int, seed: int = FROM_TIME) -> None:
        self._rate = real(countrate, "countrate", 0.0, MAX_RATE)
        super().__init__(tagger, {"countrate": self._rate}, base_channel, seed)
        self._step = STEP
        self._launched = False
        self._matter: NDArray[np.uint64] = self._seed.generator(_INTENSITY)
        self._left = np.zeros(1)
        self._ready: Int64Array = NO_TIMES
        self._restart(0)
        if type(self) is PhotonGenerator:
            self.finalize_init()

    def finalize_init(self) -> None:
        """Begin to make tags; for the end of a subclass's ``__init__``. More than once is fine."""
        if not self._launched:
            self._launched = True
            self._launch()

    def set_T_PERIOD(self, new_T: int) -> None:
        """Choose how long an intensity holds, from the next one on.

        Parameters
        ----------
        new_T
            Period in ps, from 1 to 1e15.
        """
        step = integer(new_T, "new_T", 1, MAX_STEP)
        with self._lock:
            self._step = step

    def get_T_PERIOD(self) -> int:
        """How long an intensity holds, in ps."""
        return self._step

    def initialize(self, initial_time: int) -> None:
        """Begin the light and its random numbers anew, at a stream time.

        Parameters
        ----------
        initial_time
            Stream time in ps.
        """
        time = integer(initial_time, "initial_time")
        with self._lock:
            self._reset()
            self.on_restart(time)
            self._begun = True

    def on_restart(self, restart_time: int) -> None:
        """Begin the light anew at a stream time in ps, with the random numbers that follow."""
        self._restart(restart_time)

    def get_next(self) -> int:
        """Stream time in ps of the next photon, which is thereby taken out of the light.

        Raises
        ------
        StateError
            (RuntimeError) There was none in a million periods.
        """
        with self._lock:
            for _ in range(DARK):
                if len(self._ready):
                    time, self._ready = int(self._ready[0]), self._ready[1:]
                    return time
                self._advance(1)
        raise StateError(f"no photon came within {DARK} periods of {self._step} ps")

    def get_intensity(self) -> float:
        """Intensity of the next period, relative to the one that gives `countrate`; to be overridden."""
        return 1.0

    def _intensities(self, count: int) -> NDArray[np.float64]:
        """Intensities of the next `count` periods."""
        return np.array([self.get_intensity() for _ in range(count)], np.float64)

    def _reset(self) -> None:
        super()._reset()
        self._matter = self._seed.generator(_INTENSITY)
        self._left[0] = exponential(self._random)

    def _begin_signal(self, begin: int) -> None:
        self.on_restart(begin)

    def _restart(self, time: int) -> None:
        self._next_step = time
        self._ready = NO_TIMES

    def _times(self, end: int) -> Int64Array:
        parts = [self._ready]
        while self._next_step < end:
            self._ready = NO_TIMES
            self._advance(min(BATCH, -(-(end - self._next_step) // self._step)))
            parts.append(self._ready)
        times = np.concatenate(parts)
        place = int(np.searchsorted(times, end))
        self._ready = times[place:]
        return times[:place]

    def _advance(self, steps: int) -> None:
        """Make the photons of the next periods."""
        steps = max(1, min(steps, (TIME_MAX - self._next_step) // self._step))
        means = np.maximum(self._intensities(steps), 0.0) * (self._rate * self._step / PS_PER_S)
        self._ready = _photons(means, self._random, self._left, self._next_step, self._step)
        self._next_step += steps * self._step


@kernel
def _photons(
    means: NDArray[np.float64], random: NDArray[np.uint64], left: NDArray[np.float64], begin: int, step: int
) -> NDArray[np.int64]:
    """Times of the photons in periods that expect `means` of them; ``left[0]`` of that lies before the next one."""
    out = np.empty(64, np.int64)
    n = 0
    for i in range(len(means)):
        mean = means[i]
        used = 0.0
        while left[0] < mean - used:
            used += left[0]
            if n == len(out):
                out = doubled(out)
            out[n] = begin + i * step + min(int(used / mean * step), step - 1)
            n += 1
            left[0] = exponential(random)
        left[0] -= mean - used
    return out[:n]
