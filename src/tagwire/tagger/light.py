"""Light on the inputs of a simulated instrument: ours, not the vendor's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tagwire.core.arguments import integer, integers
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.errors import NotSupported
from tagwire.sources.light import Light, PoissonLight, PulsedEmitter
from tagwire.sources.light_diffusion import Diffusion
from tagwire.sources.light_fluorescence import Fluorescence
from tagwire.sources.light_pairs import PhotonPairs
from tagwire.sources.light_thermal import ThermalLight
from tagwire.sources.simulated import SimulatedSource
from tagwire.tagger.part import HardwarePart


class LightSettings(HardwarePart):
    """What shines on the detectors at the inputs of a simulated instrument.

    All parameters are plain numbers and lists, so that light can be set from afar. A new light replaces the one that
    fell on its channels before. An input that is connected to the test signal sees that instead of its light.
    """

    def simulatePoisson(self, channels: Sequence[int], rate: float) -> None:
        """Let steady (coherent) light fall on detectors: uncorrelated clicks with exponentially distributed distances.

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
            sync=_sync(sync_channel),
        )
        self._illuminate(channels, light)

    def simulateThermal(self, channels: Sequence[int], rate: float, coherence_time: float = 1e6) -> None:
        """Let one mode of thermal light fall on detectors behind a beam splitter: photons come in bunches.

        The correlation is 2 at zero and falls to 1 as ``1 + exp(-2 |tau| / coherence_time)``.

        Parameters
        ----------
        channels
            Rising channels of the detectors, which share the light equally.
        rate
            Mean rate of each channel in Hz, 0 to 1e8.
        coherence_time
            Decay time of the field's correlation g1 in ps, 1 to 1e10.
        """
        self._illuminate(channels, ThermalLight(rate, coherence_time))

    def simulatePairs(
        self,
        signal_channels: Sequence[int],
        idler_channels: Sequence[int],
        pair_rate: float = 1e6,
        signal_efficiency: float = 0.2,
        idler_efficiency: float = 0.2,
        timing_jitter: float = 50.0,
        dark_rate: float = 100.0,
        detector_dead_time: int = 30_000,
        afterpulsing_probability: float = 0.0,
        afterpulsing_time: float = 50_000.0,
        idler_delay: int = 0,
    ) -> None:
        """Let photon pairs fall on detectors, as spontaneous parametric down-conversion makes them.

        The coincidences come at the rate ``pair_rate * signal_efficiency * idler_efficiency``; their ratio to the
        clicks of one arm is the efficiency of the other.

        Parameters
        ----------
        signal_channels
            Rising channels of the signal arm's detectors, which share its photons equally.
        idler_channels
            Those of the idler arm.
        pair_rate
            Rate of the pairs in Hz, 0 to 1e8.
        signal_efficiency
            Probability that a signal photon makes a detector click, 0 to 1, all losses included.
        idler_efficiency
            The same for the idler.
        timing_jitter
            Rms jitter of the detectors in ps.
        dark_rate
            Dark counts of each detector in Hz.
        detector_dead_time
            Time in ps for which a detector is blind after a click.
        afterpulsing_probability
            Probability that a click brings another one, 0 to 0.5.
        afterpulsing_time
            Mean time in ps from the end of the dead time to the afterpulse.
        idler_delay
            Delay of the idler arm in ps.
        """
        signals = integers(signal_channels, "signal_channels")
        light = PhotonPairs(
            signals=len(signals),
            pair_rate=pair_rate,
            signal_efficiency=signal_efficiency,
            idler_efficiency=idler_efficiency,
            timing_jitter=timing_jitter,
            dark_rate=dark_rate,
            detector_dead_time=detector_dead_time,
            afterpulsing_probability=afterpulsing_probability,
            afterpulsing_time=afterpulsing_time,
            idler_delay=idler_delay,
        )
        self._illuminate([*signals, *integers(idler_channels, "idler_channels")], light)

    def simulateFluorescence(
        self,
        channels: Sequence[int],
        rate: float = 1e5,
        repetition_rate: float = 40e6,
        lifetimes: Sequence[float] = (4_000.0,),
        amplitudes: Sequence[float] = (1.0,),
        timing_jitter: float = 50.0,
        dark_rate: float = 100.0,
        detector_dead_time: int = 30_000,
        delay: int = 0,
        sync_channel: int = CHANNEL_UNUSED,
    ) -> None:
        """Let the fluorescence of many molecules fall on detectors, excited by a pulsed laser.

        The intensity after a pulse is the sum of ``amplitude * exp(-t / lifetime)``.

        Parameters
        ----------
        channels
            Rising channels of the detectors; each gets photons of its own.
        rate
            Mean rate of detected photons of each detector in Hz, 0 to 1e8.
        repetition_rate
            Laser pulses per second in Hz.
        lifetimes
            Lifetimes in ps.
        amplitudes
            Amplitude of each lifetime at the time of the pulse; in any unit.
        timing_jitter
            Rms jitter of the detectors in ps.
        dark_rate
            Dark counts of each detector in Hz.
        detector_dead_time
            Time in ps for which a detector is blind after a click.
        delay
            Delay of the photons against the laser pulses in ps.
        sync_channel
            Rising channel for the laser pulses; `CHANNEL_UNUSED` for none.
        """
        light = Fluorescence(
            rate=rate,
            repetition_rate=repetition_rate,
            lifetimes=tuple(lifetimes),
            amplitudes=tuple(amplitudes),
            timing_jitter=timing_jitter,
            dark_rate=dark_rate,
            detector_dead_time=detector_dead_time,
            delay=delay,
            sync=_sync(sync_channel),
        )
        self._illuminate(channels, light)

    def simulateDiffusion(
        self, channels: Sequence[int], rate: float = 1e5, molecules: float = 2.0, diffusion_time: float = 1e9
    ) -> None:
        """Let the fluorescence of molecules that diffuse through a laser focus fall on detectors.

        The detectors stand behind a beam splitter. The correlation is ``1 + (1 / molecules) / (1 + tau /
        diffusion_time)``, as of diffusion in a plane.

        Parameters
        ----------
        channels
            Rising channels of the detectors, which share the light equally.
        rate
            Mean rate of each channel in Hz, 0 to 1e8.
        molecules
            Mean number of molecules in the focus, 0.05 to 20.
        diffusion_time
            Mean time of a molecule in the focus in ps, 1e7 to 1e10.
        """
        self._illuminate(channels, Diffusion(rate, molecules, diffusion_time))

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


def _sync(channel: int) -> int | None:
    return None if integer(channel, "sync_channel") == CHANNEL_UNUSED else channel


def _plain(value: float | Sequence[float]) -> float | tuple[float, ...]:
    return tuple(value) if isinstance(value, Iterable) else value
