"""What a software clock is told about its signal."""

from __future__ import annotations

from dataclasses import dataclass

from tagwire.core.channels import CHANNEL_UNUSED

PS_PER_S = 10**12
FIT_MIN, FIT_MAX = 10, 10_000
"""Fewest and most clock tags from which frequency and phase are found before the lock."""


@dataclass(frozen=True, slots=True)
class ClockSignal:
    """What a software clock is told about its signal.

    Attributes
    ----------
    channel
        Channel of the clock tags.
    frequency
        Frequency of the ideal clock tags in Hz.
    divider
        Periods of that frequency from one clock tag to the next.
    averaging
        Time constant of the loop in periods of that frequency.
    second_channel
        Channel of one pulse per UTC second, or `CHANNEL_UNUSED`.
    second_offset
        Added to the computer's time to find the UTC second of a pulse, in ps.
    follows
        Whether a change of the event divider of the channel changes `divider`.
    """

    channel: int
    frequency: float
    divider: int
    averaging: float
    second_channel: int = CHANNEL_UNUSED
    second_offset: int = 0
    follows: bool = False

    @property
    def period(self) -> int:
        """Distance of ideal clock tags in ps."""
        return round(PS_PER_S / self.frequency)

    @property
    def fit(self) -> int:
        """Number of clock tags from which frequency and phase are found before the lock."""
        return min(max(FIT_MIN, round(self.averaging / self.divider)), FIT_MAX)

    @property
    def patience(self) -> int:
        """Stream time in ps within which a good signal is locked to."""
        search = 3 * self.fit * self.divider / self.frequency
        return int(PS_PER_S * (1 + search + (2.5 if self.second_channel != CHANNEL_UNUSED else 0)))
