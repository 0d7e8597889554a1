"""Light on the inputs of a simulated instrument: ours, not the vendor's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tagwire.core.arguments import integer, integers
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.errors import NotSupported
from tagwire.sources.light import Light, PoissonLight, PulsedEmitter
from tagwire.sources.simulated import SimulatedSource
from tagwire.tagger.part import HardwarePart


class LightSettings(HardwarePart):
    """What shines on the detectors at the inputs of a simulated instrument.

    All parameters are plain numbers and lists, so that light can be set from afar. A new light replaces the one that
    fell on its channels before. An input that is connected to the test signal sees that instead of its light.
    """

    def simulatePoisson(self, channels: Sequence[int], rate: float) -> None:
        """Let steady light fall on detectors: uncorrelated clicks with exponentially distributed distances.

        Parameters
        ----------
        channels
            Rising channels; each gets clicks of its own.
        rate
            Mean rate of each channel in Hz, 0 to 1e9.
        """
        self._illuminate(channels, PoissonLight(rate))

    def simulateEmitter(
        self,
        channels: Sequence[int],
        repetition_rate: float = 80e6,
        lifetime: float = 1_500.0,
        emission_efficiency: float = 0.9,
        collection_efficiency: float = 0.02,
        detector_efficiency: float | Sequence[float] = 0.6,
        timing_jitter: float = 50.0,
        detector_dead_time: int = 30_000,
        dark_rate: float = 100.0,
        second_photon_probability: float = 0.0,
        delays: Sequence[int] = (),
        sync_channel: int = CHANNEL_UNUSED,
    ) -> None:
        """Let a single-photon emitter shine on detectors behind a beam splitter, excited by a pulsed laser.

        Two channels make a Hanbury Brown and Twiss setup, whose Correlation lacks the peak at zero.

        Parameters
        ----------
        channels
            Rising channels of the detectors, which share the photons equally.
        repetition_rate
            Laser pulses per second in Hz.
        lifetime
            Mean time from pulse to emission in ps.
        emission_efficiency
            Probability that a pulse makes the emitter emit, 0 to 1.
        collection_efficiency
            Probability that an emitted photon reaches the beam splitter, 0 to 1.
        detector_efficiency
            Probability that a photon makes its detector click, 0 to 1; one for all, or a list with one for each.
        timing_jitter
            Rms jitter of the detectors in ps.
        detector_dead_time
            Time in ps for which a detector is blind after a click.
        dark_rate
            Dark counts of each detector in Hz.
        second_photon_probability
            Probability that an emission brings a second photon, 0 to 1; fills the dip of g2 at zero.
        delays
            Delay of each detector in ps; none when empty.
        sync_channel
            Rising channel for the laser pulses; `CHANNEL_UNUSED` for none.
        """
        light = PulsedEmitter(
            repetition_rate=repetition_rate,
            lifetime=lifetime,
            emission_efficiency=emission_efficiency,
            collection_efficiency=collection_efficiency,
            detector_efficiency=_plain(detector_efficiency),
            timing_jitter=timing_jitter,
            detector_dead_time=detector_dead_time,
            dark_rate=dark_rate,
            second_photon_probability=second_photon_probability,
            delays=tuple(integers(delays, "delays")),
            sync=None if integer(sync_channel, "sync_channel") == CHANNEL_UNUSED else sync_channel,
        )
        self._illuminate(channels, light)

    def simulateDark(self, channels: Sequence[int]) -> None:
        """Take the light off channels.

        Parameters
        ----------
        channels
            Rising channels; where several share an emitter, the others keep their part of its light.
        """
        source = self._simulation()
        self._hub.command(lambda now: source.darken(channels))

    def _illuminate(self, channels: Sequence[int], light: Light) -> None:
        source = self._simulation()
        self._hub.command(lambda now: source.illuminate(channels, light))

    def _simulation(self) -> SimulatedSource:
        """The simulated source behind this instrument."""
        source = self._hub.source
        if not isinstance(source, SimulatedSource):
            raise NotSupported(f"the tags of {type(source).__name__} are given; simulated light needs a simulated one")
        return source


def _plain(value: float | Sequence[float]) -> float | tuple[float, ...]:
    return tuple(value) if isinstance(value, Iterable) else value
