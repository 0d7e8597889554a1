"""Signals whose distances are independent of each other: renewal processes (Cox, Renewal Theory, 1962)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import integer, real
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import NO_TIMES, Int64Array
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.errors import ArgumentError
from tagwire.simulation.clock import Clock, clock_at, move
from tagwire.simulation.generator import MAX_RATE, PS_PER_S, SignalGeneratorBase
from tagwire.simulation.renewal_draws import exponentials, gammas, gaussians, laid, uniforms
from tagwire.simulation.seeds import FROM_TIME

BATCH = 1_024
"""Distances that are drawn together."""

LONGEST = 1e6
"""Longest mean distance in s."""

MIN_MEAN = 1 / MAX_RATE
"""Shortest mean distance in s."""


class _Renewal(SignalGeneratorBase):
    """A signal of independent distances, which a subclass draws."""

    def __init__(self, tagger: TimeTaggerBase, params: dict[str, Any], base_channel: int, seed: int) -> None:
        super().__init__(tagger, params, base_channel, seed)
        self._clock: Clock = clock_at(0)
        self._ahead: NDArray[np.float64] = np.zeros(0)

    def _reset(self) -> None:
        super()._reset()
        self._ahead = self._ahead[:0]

    def _begin_signal(self, begin: int) -> None:
        self._clock = clock_at(begin)
        move(*self._clock, float(self._upcoming()[0]))
        self._ahead = self._ahead[1:]

    def _times(self, end: int) -> Int64Array:
        parts = []
        while self._clock.ps[0] < end:
            parts.append(laid(self._upcoming(), *self._clock, end))
            self._ahead = self._ahead[len(parts[-1]) :]
        return np.concatenate(parts) if parts else NO_TIMES

    def _upcoming(self) -> NDArray[np.float64]:
        """Distances in ps that were drawn and not used yet, at least one."""
        if not len(self._ahead):
            self._ahead = self._distances(BATCH)
        return self._ahead

    def _distances(self, count: int) -> NDArray[np.float64]:
        """The next distances in ps."""
        raise NotImplementedError(type(self).__name__)


class ExponentialSignalGenerator(_Renewal):
    """A Poisson signal: exponentially distributed distances, no correlation at all.

    Parameters
    ----------
    tagger
        Time Tagger object.
    rate
        Mean rate in Hz, above 0 and up to 1e9.
    base_channel
        Channel that gets the tags on top of its own; `CHANNEL_UNUSED` makes a new one.
    seed
        Selects the random numbers; -1 takes the present time.
    """

    def __init__(
        self, tagger: TimeTaggerBase, rate: float, base_channel: int = CHANNEL_UNUSED, seed: int = FROM_TIME
    ) -> None:
        frequency = real(rate, "rate", 1 / LONGEST, MAX_RATE)
        super().__init__(tagger, {"rate": frequency}, base_channel, seed)
        self._mean = PS_PER_S / frequency
        self._launch()

    def _distances(self, count: int) -> NDArray[np.float64]:
        return exponentials(self._mean, self._random, count)


class GammaSignalGenerator(_Renewal):
    """A signal with gamma-distributed distances: bunched for a shape below 1, regular for one above.

    Parameters
    ----------
    tagger
        Time Tagger object.
    alpha
        Shape of the distribution, from 0.001 to 1e6; 1 gives a Poisson signal.
    beta
        Scale of the distribution in s: the mean distance is ``alpha * beta``, which must lie within [1e-9, 1e6] s.
    base_channel
        Channel that gets the tags on top of its own; `CHANNEL_UNUSED` makes a new one.
    seed
        Selects the random numbers; -1 takes the present time.

    Notes
    -----
    Drawn as by Marsaglia and Tsang, ACM Trans. Math. Softw. 26, 363 (2000). The wheel does not say whether `beta` is
    scale or rate; its names are those of ``std::gamma_distribution``, where it is the scale.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        alpha: float,
        beta: float,
        base_channel: int = CHANNEL_UNUSED,
        seed: int = FROM_TIME,
    ) -> None:
        shape, scale = real(alpha, "alpha", 1e-3, 1e6), real(beta, "beta", 0.0)
        _check_mean(shape * scale, "alpha * beta")
        super().__init__(tagger, {"alpha": shape, "beta": scale}, base_channel, seed)
        self._shape, self._scale = shape, scale * PS_PER_S
        self._launch()

    def _distances(self, count: int) -> NDArray[np.float64]:
        return gammas(self._shape, self._scale, self._random, count)


class GaussianSignalGenerator(_Renewal):
    """A signal with Gaussian distances: a clock whose errors add up.

    Parameters
    ----------
    tagger
        Time Tagger object.
    mean
        Mean distance in s, from 1e-9 to 1e6.
    standard_deviation
        Standard deviation of the distance in s, at least 0. Negative distances are drawn again, so one that is not
        small beside `mean` makes the signal slower.
    base_channel
        Channel that gets the tags on top of its own; `CHANNEL_UNUSED` makes a new one.
    seed
        Selects the random numbers; -1 takes the present time.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        mean: float,
        standard_deviation: float,
        base_channel: int = CHANNEL_UNUSED,
        seed: int = FROM_TIME,
    ) -> None:
        center, width = (
            real(mean, "mean", MIN_MEAN, LONGEST),
            real(standard_deviation, "standard_deviation", 0, LONGEST),
        )
        super().__init__(tagger, {"mean": center, "standard_deviation": width}, base_channel, seed)
        self._mean, self._width = center * PS_PER_S, width * PS_PER_S
        self._launch()

    def _distances(self, count: int) -> NDArray[np.float64]:
        return gaussians(self._mean, self._width, self._random, count)


class TwoStateExponentialSignalGenerator(_Renewal):
    """Light of a single emitter with two states: excited after an exponential time, emitting after another one.

    Parameters
    ----------
    tagger
        Time Tagger object.
    excitation_time
        Mean time to the excitation in s, at least 0.
    life_time
        Mean time from there to the emission in s, at least 0; both together within [1e-9, 1e6] s.
    base_channel
        Channel that gets the tags on top of its own; `CHANNEL_UNUSED` makes a new one.
    seed
        Selects the random numbers; -1 takes the present time.

    Notes
    -----
    Antibunched: ``g2(tau) = 1 - exp(-tau (1 / excitation_time + 1 / life_time))`` (Carmichael and Walls, J. Phys. B 9,
    1199 (1976), without coherence).
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        excitation_time: float,
        life_time: float,
        base_channel: int = CHANNEL_UNUSED,
        seed: int = FROM_TIME,
    ) -> None:
        up, down = real(excitation_time, "excitation_time", 0.0), real(life_time, "life_time", 0.0)
        _check_mean(up + down, "excitation_time + life_time")
        super().__init__(tagger, {"excitation_time": up, "life_time": down}, base_channel, seed)
        self._up, self._down = up * PS_PER_S, down * PS_PER_S
        self._launch()

    def _distances(self, count: int) -> NDArray[np.float64]:
        excited = exponentials(self._up, self._random, count)
        return excited + exponentials(self._down, self._random, count)


class UniformSignalGenerator(_Renewal):
    """A signal whose distances are equally likely within bounds.

    Parameters
    ----------
    tagger
        Time Tagger object.
    upper_bound
        Largest distance in ps, at least `lower_bound`.
    lower_bound
        Smallest distance in ps, at least 1.
    base_channel
        Channel that gets the tags on top of its own; `CHANNEL_UNUSED` makes a new one.
    seed
        Selects the random numbers; -1 takes the present time.

    Notes
    -----
    Distances are whole ps; both bounds occur.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        upper_bound: int,
        lower_bound: int = 1,
        base_channel: int = CHANNEL_UNUSED,
        seed: int = FROM_TIME,
    ) -> None:
        low = integer(lower_bound, "lower_bound", 1, 10**18)
        high = integer(upper_bound, "upper_bound", low, 10**18)
        super().__init__(tagger, {"upper_bound": high, "lower_bound": low}, base_channel, seed)
        self._low, self._choices = low, high - low + 1
        self._launch()

    def _distances(self, count: int) -> NDArray[np.float64]:
        return self._low + np.floor(self._choices * (1.0 - uniforms(self._random, count)))


def _check_mean(mean: float, name: str) -> None:
    if not MIN_MEAN <= mean <= LONGEST:
        raise ArgumentError(f"{name} is {mean:g} s, but must be within [{MIN_MEAN:g}, {LONGEST:g}] s")
