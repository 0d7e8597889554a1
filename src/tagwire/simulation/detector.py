"""A detector in the stream."""

from __future__ import annotations

from tagwire.core.arguments import real
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.simulation.generator import MAX_RATE
from tagwire.simulation.imperfections import (
    LONGEST,
    WIDEST,
    TransformDeadtime,
    TransformEfficiency,
    TransformGaussianBroadening,
)
from tagwire.simulation.renewal import ExponentialSignalGenerator
from tagwire.simulation.seeds import FROM_TIME, Seed


class SimDetector:
    """A detector that photons on a channel fall on; its clicks come on a new channel.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channel
        Channel with the photons; it stays as it is.
    efficiency
        Probability that a photon is detected, from 0 to 1.
    darkcount_rate
        Rate of dark counts in Hz, from 0 to 1e9.
    jitter
        Standard deviation of the Gaussian error of a click in s, from 0 to 1e-3; it ends at five times as much.
    deadtime
        Time in s for which the detector is blind after a click, from 0 to 1000; not paralysable.
    seed
        Selects the random numbers; -1 takes the present time.

    Notes
    -----
    A chain of `TransformEfficiency`, `TransformGaussianBroadening`, `ExponentialSignalGenerator` for the dark counts
    and `TransformDeadtime`, in this order; each says how it handles tags. It lives as long as this object.
    """

    def __init__(
        self,
        tagger: TimeTaggerBase,
        input_channel: int,
        efficiency: float = 1.0,
        darkcount_rate: float = 0.0,
        jitter: float = 0,
        deadtime: float = 0.0,
        seed: int = FROM_TIME,
    ) -> None:
        require_tagger(tagger)
        start = Seed(seed)
        dark = real(darkcount_rate, "darkcount_rate", 0.0, MAX_RATE)
        real(jitter, "jitter", 0.0, WIDEST)
        real(deadtime, "deadtime", 0.0, LONGEST)
        self._detected = TransformEfficiency(tagger, input_channel, efficiency, True, start.child(1))
        channel = self._detected.getChannel()
        self._parts: list[object] = [TransformGaussianBroadening(tagger, channel, jitter, False, start.child(2))]
        if dark:
            self._parts.append(ExponentialSignalGenerator(tagger, dark, channel, start.child(3)))
        self._parts.append(TransformDeadtime(tagger, channel, deadtime))

    def getChannel(self) -> int:
        """Number of the channel with the clicks."""
        return self._detected.getChannel()
