"""Who the instrument is: every answer says that it is simulated."""

from __future__ import annotations

from typing import Any

from tagwire._version import __version__
from tagwire.core.arguments import integer
from tagwire.core.enums import ChannelEdge
from tagwire.errors import ArgumentError
from tagwire.tagger.part import HardwarePart

RISING = (ChannelEdge.All, ChannelEdge.Rising, ChannelEdge.StandardAll, ChannelEdge.StandardRising)
FALLING = (ChannelEdge.All, ChannelEdge.Falling, ChannelEdge.StandardAll, ChannelEdge.StandardFalling)


class Identity(HardwarePart):
    """Serial, model, versions and channels."""

    _serial: str

    def getSerial(self) -> str:
        """Serial number; simulated instruments have one that begins with ``SIM`` or ``REPLAY``."""
        return self._serial

    def getModel(self) -> str:
        """Name of the model, as the vendor writes it."""
        return self._model.name

    def getPcbVersion(self) -> str:
        """Version of the circuit board: ``simulated``."""
        return "simulated"

    def getFirmwareVersion(self) -> str:
        """Model, firmware and who simulates it, separated by commas."""
        return f"TT-{self._model.name.removeprefix('Time Tagger ')}, FW 0, simulated by tagwire {__version__}"

    def getDeviceLicense(self) -> dict[str, Any]:
        """Model, edition and channels of the instrument, as values that JSON can hold."""
        return {
            "serial": self._serial,
            "model": self._model.name,
            "edition": "simulated",
            "channels": list(self._pins()),
        }

    def getSensorData(self) -> dict[str, Any]:
        """Readings of the instrument's sensors: an empty dict, for a simulated board has none."""
        return {}

    def getPsPerClock(self) -> int:
        """Duration of a clock cycle in ps."""
        return self._model.clock_period

    def getChannelList(self, type: ChannelEdge = ChannelEdge.All) -> tuple[int, ...]:
        """Physical channels, rising edges first.

        Parameters
        ----------
        type
            Limits the list to an edge or a resolution. All simulated channels have standard resolution, so those of
            high resolution are none.

        Returns
        -------
        tuple of int
            Channel numbers.
        """
        edge = _edge(type)
        return tuple(c for c in self._pins() if edge in (RISING if c > 0 else FALLING))


def _edge(value: ChannelEdge) -> ChannelEdge:
    number = integer(value, "type")
    if number not in [int(e) for e in ChannelEdge.__members__.values()]:
        raise ArgumentError(f"type is {number}, but must be a member of ChannelEdge: {list(ChannelEdge.__members__)}")
    return ChannelEdge(number)
