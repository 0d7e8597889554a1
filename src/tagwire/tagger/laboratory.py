"""A world that several simulated instruments share: its time, its signals, its light. Ours, not the vendor's."""

from __future__ import annotations

import time

from tagwire.core.arguments import integer, text
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.errors import ArgumentError
from tagwire.sources.grid import PS_PER_S
from tagwire.sources.lab_clock import START_MAX, LabClock
from tagwire.sources.light_pairs import PhotonPairs
from tagwire.sources.light_reference import ReferenceSignal
from tagwire.sources.light_shared import SharedLight
from tagwire.tagger.light import LightSettings

ARMS = ("signal", "idler")

NOW = -1
"""Start of a clock that stands for the computer's time."""


class LaboratorySettings(LightSettings):
    """What simulated instruments have in common, in one process or in several.

    Laboratory time is that of the simulated world, in ps. It stands for UTC, modulo 10**6 s: a reference clock with a
    synchronization channel brings the stream time of every instrument to laboratory time.
    """

    def simulateClock(
        self, frequency_error: float = 0.0, random_walk: float = 0.0, start: int = NOW, seed: int = 0
    ) -> None:
        """Give the instrument a clock of its own, which drifts against laboratory time.

        Stream time goes on without a jump, but from now on passes as that clock does. Light and signals are those of
        laboratory time, which begins at `start`; so is the computer's time that `setReferenceClock` looks at. The test
        signal keeps laboratory time.

        Parameters
        ----------
        frequency_error
            By how much the clock is too fast, relative to its frequency: within ±1e-3; 1e-6 is 1 µs each second.
        random_walk
            Rms of what it gains or loses by chance within 1 s, in ps, 0 to 100,000: 10¹² times its Allan deviation at
            1 s.
        start
            Laboratory time in ps that it is now, 0 to 10**18; -1 for the computer's time, which puts instruments in
            several processes, or on several computers, into one world.
        seed
            Selects the random walk.
        """
        moment = integer(start, "start", NOW, START_MAX)
        now = time.time_ns() * 1000 % (10**6 * PS_PER_S) if moment == NOW else moment
        clock = LabClock(frequency_error, random_walk, now, seed)
        source, chain = self._simulation(), self._chain()

        def begin(position: int) -> None:
            source.set_clock(clock)
            chain.clock.now = lambda: source.laboratory_time / PS_PER_S

        self._hub.command(begin)

    def simulateReference(
        self,
        clock_channel: int = CHANNEL_UNUSED,
        pulse_channel: int = CHANNEL_UNUSED,
        clock_frequency: float = 10e6,
        missing: float = 0.0,
    ) -> None:
        """Connect a clock signal and one pulse per second (1PPS), both exact in laboratory time.

        All instruments that have them can be brought to one time base: ``setReferenceClock(clock_channel,
        clock_frequency, synchronization_channel=pulse_channel)``.

        Parameters
        ----------
        clock_channel
            Rising channel of the clock signal; `CHANNEL_UNUSED` for none.
        pulse_channel
            Rising channel of the pulse at each second of laboratory time; `CHANNEL_UNUSED` for none.
        clock_frequency
            Frequency of the clock signal in Hz, 1 to 1e9; a lower one is faster to simulate.
        missing
            Probability that a pulse per second does not arrive, 0 to 1.
        """
        signals = {
            "clock_channel": (integer(clock_channel, "clock_channel"), ReferenceSignal(clock_frequency)),
            "pulse_channel": (integer(pulse_channel, "pulse_channel"), ReferenceSignal(1.0, missing)),
        }
        used = {name: signal for name, signal in signals.items() if signal[0] != CHANNEL_UNUSED}
        if len(used) == 2 and clock_channel == pulse_channel:
            raise ArgumentError(f"clock_channel and pulse_channel are both {clock_channel}, but must be different")
        for name, (channel, _) in used.items():
            self._physical(channel, name)
            if channel < 0:
                raise ArgumentError(f"{name} is {channel}, but must be a rising channel")
        for channel, signal in used.values():
            self._illuminate([channel], signal)

    def simulateSharedPairs(
        self,
        channel: int,
        arm: str,
        seed: int = 0,
        pair_rate: float = 1e6,
        signal_efficiency: float = 0.2,
        idler_efficiency: float = 0.2,
        timing_jitter: float = 50.0,
        dark_rate: float = 100.0,
        detector_dead_time: int = 30_000,
        idler_delay: int = 0,
    ) -> None:
        """Let one arm of a source of photon pairs fall on a detector here, while the other arm is elsewhere.

        Both instruments are told the same, but for channel and arm. The photons of a pair then come at the same
        laboratory time, and each instrument stamps its own one by its own clock (see `simulateClock`).

        Parameters
        ----------
        channel
            Rising channel of the detector.
        arm
            ``signal`` or ``idler``.
        seed
            Which source of pairs; equal seeds give equal pairs.
        pair_rate
            Rate of the pairs in Hz, 0 to 1e8.
        signal_efficiency
            Probability that a signal photon makes its detector click, 0 to 1, all losses included.
        idler_efficiency
            The same for the idler.
        timing_jitter
            Rms jitter of the detectors in ps.
        dark_rate
            Dark counts of each detector in Hz.
        detector_dead_time
            Time in ps for which a detector is blind after a click.
        idler_delay
            Delay of the idler arm in ps.
        """
        if text(arm, "arm") not in ARMS:
            raise ArgumentError(f"arm is {arm!r}, but must be one of {', '.join(ARMS)}")
        pairs = PhotonPairs(
            signals=1,
            pair_rate=pair_rate,
            signal_efficiency=signal_efficiency,
            idler_efficiency=idler_efficiency,
            timing_jitter=timing_jitter,
            dark_rate=dark_rate,
            detector_dead_time=detector_dead_time,
            idler_delay=idler_delay,
        )
        self._illuminate([channel], SharedLight(pairs, 2, (ARMS.index(arm),), seed))
