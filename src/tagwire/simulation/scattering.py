"""Light of moving particles: dynamic light scattering and fluorescence correlation spectroscopy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import real
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.kernel import kernel
from tagwire.simulation.generator import PS_PER_S
from tagwire.simulation.numbers import reals
from tagwire.simulation.photons import PhotonGenerator
from tagwire.simulation.seeds import FROM_TIME
from tagwire.sources.draws import exponential, gaussian, uniform

SHORTEST, LONGEST = 1e-9, 1e6
"""Bounds of correlation times in s."""

STEPS = 20
"""Periods of the intensity in the shortest correlation time."""

BOUNDARY = 100.0
"""Simulated volume of a solution, in volumes of the focus."""


class DlsSignalGenerator(PhotonGenerator):
    """Light scattered by diffusing particles: a field that forgets itself exponentially.

    Parameters
    ----------
    tagger
        Time Tagger object.
    decay_time
        Decay time of the field correlation g1 in s, from 1e-9 to 1e6, or a list with one for each of several equally
        bright populations of particles.
    countrate
        Mean rate in Hz, from 0 to 1e9.
    output_channel
        Channel that gets the tags on top of its own; `CHANNEL_UNUSED` makes a new one.
    seed
        Selects the random numbers; -1 takes the present time.

    Notes
    -----
    The field of each population is a complex Ornstein-Uhlenbeck process, so the intensity is thermal and ``g2(tau) = 1
    + g1(tau)²`` with ``g1(tau)`` the mean of ``exp(-tau / decay_time)`` over the populations (Siegert relation; Berne
    and Pecora, Dynamic Light Scattering, ch. 4). The intensity holds for a twentieth of the shortest decay time.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        decay_time: float | Sequence[float],
        countrate: float,
        output_channel: int = CHANNEL_UNUSED,
        seed: int = FROM_TIME,
    ) -> None:
        times = reals(decay_time if isinstance(decay_time, Iterable) else [decay_time], "decay_time", SHORTEST, LONGEST)
        output = require_tagger(tagger)._optional_channel(output_channel, "output_channel")
        super().__init__(tagger, countrate, output, seed)
        self._params["decay_time"] = times
        self._decay: NDArray[np.float64] = np.array(times) * PS_PER_S
        self._field: NDArray[np.float64] = np.zeros((len(times), 2))
        self._fresh = True
        self._step = max(1, round(min(times) * PS_PER_S / STEPS))
        self.finalize_init()

    def get_N(self) -> int:
        """Number of populations of particles."""
        return len(self._decay)

    def get_intensity(self) -> float:
        """Intensity of the next period, relative to the mean."""
        with self._lock:
            return float(self._intensities(1)[0])

    def _restart(self, time: int) -> None:
        super()._restart(time)
        self._fresh = True

    def _intensities(self, count: int) -> NDArray[np.float64]:
        if self._fresh:
            self._fresh = False
            _speckle(self._field, np.zeros(len(self._decay)), self._matter, 1)
        return _speckle(self._field, np.exp(-self._step / self._decay), self._matter, count)


class FcsSignalGenerator(PhotonGenerator):
    """Fluorescence of particles that come into a laser focus and leave it.

    Parameters
    ----------
    tagger
        Time Tagger object.
    correlation_time
        Decay time of the fluctuations in s, from 1e-9 to 1e6.
    countrate
        Mean rate in Hz, from 0 to 1e9.
    N_focus
        Mean number of particles in the focus, from 0.001 to 1e4.
    output_channel
        Channel that gets the tags on top of its own; `CHANNEL_UNUSED` makes a new one.
    seed
        Selects the random numbers; -1 takes the present time.

    Notes
    -----
    `get_N` particles are inside or outside of the focus, and change place independently of each other with exponential
    times; the intensity is their number inside. Then ``g2(tau) = 1 + (1 / N_focus - 1 / N) exp(-tau /
    correlation_time)``: number fluctuations with a single relaxation time (Elson and Magde, Biopolymers 13, 1 (1974)).
    The intensity holds for a twentieth of the correlation time. `tagger.simulateDiffusion` has the hyperbolic decay of
    free diffusion instead.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        correlation_time: float,
        countrate: float,
        N_focus: float,
        output_channel: int = CHANNEL_UNUSED,
        seed: int = FROM_TIME,
    ) -> None:
        decay = real(correlation_time, "correlation_time", SHORTEST, LONGEST)
        self._inside = real(N_focus, "N_focus", 1e-3, 1e4)
        output = require_tagger(tagger)._optional_channel(output_channel, "output_channel")
        super().__init__(tagger, countrate, output, seed)
        self._params |= {"correlation_time": decay, "N_focus": self._inside}
        self._decay = decay * PS_PER_S
        self._boundary = BOUNDARY
        self._now = np.full(1, -1, np.int64)
        self._step = max(1, round(self._decay / STEPS))
        self.finalize_init()

    def get_N(self) -> int:
        """Number of particles, in the focus and around it."""
        return max(1, math.ceil(self._inside * self._boundary))

    def set_boundary_limit(self, new_boundary: float) -> None:
        """Choose the simulated volume; the particles are then placed anew.

        Parameters
        ----------
        new_boundary
            Volume in volumes of the focus, from 1.001 to 1000; 100 at first. A larger one is nearer to an open
            solution: the amplitude of g2 is ``1 / N_focus - 1 / N`` with N the number of particles in all of it.
        """
        boundary = real(new_boundary, "new_boundary", 1.001, 1e3)
        with self._lock:
            self._boundary = boundary
            self._now[0] = -1

    def get_intensity(self) -> float:
        """Intensity of the next period, relative to the mean."""
        with self._lock:
            return float(self._intensities(1)[0])

    def _restart(self, time: int) -> None:
        super()._restart(time)
        self._now = np.full(1, -1, np.int64)

    def _intensities(self, count: int) -> NDArray[np.float64]:
        return _crowd(self._now, self.get_N(), self._inside, self._step / self._decay, self._matter, count)


@kernel
def _speckle(
    field: NDArray[np.float64], kept: NDArray[np.float64], random: NDArray[np.uint64], count: int
) -> NDArray[np.float64]:
    """Intensities of the sum of fields, of which the share `kept` outlasts a period."""
    out = np.empty(count)
    for i in range(count):
        real_part = 0.0
        imaginary = 0.0
        for k in range(len(kept)):
            # Both parts together have the mean square 1.
            new = math.sqrt(0.5 * (1.0 - kept[k] * kept[k]))
            field[k, 0] = kept[k] * field[k, 0] + new * gaussian(random)
            field[k, 1] = kept[k] * field[k, 1] + new * gaussian(random)
            real_part += field[k, 0]
            imaginary += field[k, 1]
        out[i] = (real_part * real_part + imaginary * imaginary) / len(kept)
    return out


@kernel
def _crowd(
    now: NDArray[np.int64], particles: int, inside: float, span: float, random: NDArray[np.uint64], count: int
) -> NDArray[np.float64]:
    """Numbers of particles in the focus, relative to the mean `inside`, `span` correlation times apart.

    ``now[0]`` is the number of the last period, or negative before the first.
    """
    share = min(inside / particles, 1.0)
    out = np.empty(count)
    for i in range(count):
        if now[0] < 0:
            number = 0
            for _ in range(particles):
                number += uniform(random) <= share
        else:
            number = now[0]
            t = 0.0
            while True:
                leave, enter = number * (1.0 - share), (particles - number) * share
                t += exponential(random) / (leave + enter)
                if t > span:
                    break
                number += 1 if uniform(random) * (leave + enter) <= enter else -1
        now[0] = number
        out[i] = number / inside
    return out
