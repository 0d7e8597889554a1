"""A single tag as an object, for code that handles tags one by one."""

from __future__ import annotations

from typing import Any, Final

from tagwire.core.arguments import integer
from tagwire.core.tags import TIME_MAX, TIME_MIN, TagType
from tagwire.errors import ArgumentKindError

_LOW_HIGH = {
    "type": (0, 255),
    "missed_events": (0, 65_535),
    "channel": (-(2**31), 2**31 - 1),
    "time": (TIME_MIN, TIME_MAX),
}
_FORMS = "Tag(), Tag(ts, ch, type=0) or Tag(type, reserved, missed_events, ch, ts)"


class Tag:
    """One tag: ``Tag()``, ``Tag(ts, ch, type=0)`` or ``Tag(type, reserved, missed_events, ch, ts)``.

    Attributes
    ----------
    time : int
        Time stamp in ps.
    channel : int
        Channel number.
    type : int
        What the tag reports, see `TagType`.
    missed_events : int
        Events lost, for the type MissedEvents; from 0 to 65535.
    reserved : str
        One character without a meaning.
    """

    Type_TimeTag: Final = int(TagType.TimeTag)
    Type_Error: Final = int(TagType.Error)
    Type_OverflowBegin: Final = int(TagType.OverflowBegin)
    Type_OverflowEnd: Final = int(TagType.OverflowEnd)
    Type_MissedEvents: Final = int(TagType.MissedEvents)

    def __init__(self, *args: Any) -> None:
        """Make a tag; all of its fields are zero by default.

        Parameters
        ----------
        type : int, optional
            What the tag reports.
        reserved : int | str, optional
            A character without a meaning.
        missed_events : TagType | int, optional
            Events lost.
        ch : int, optional
            Channel number.
        ts : int, optional
            Time stamp in ps.

        Raises
        ------
        ArgumentKindError
            (TypeError) Another number of arguments, or one that is no number.
        ArgumentError
            (ValueError) A number that does not fit.
        """
        if len(args) not in (0, 2, 3, 5):
            raise ArgumentKindError(f"there are {len(args)} arguments, but the forms are {_FORMS}")
        kind, reserved, missed, channel, time = 0, "\0", 0, 0, 0
        if len(args) == 5:
            kind, reserved, missed, channel, time = args
        elif args:
            time, channel, kind = (*args, 0)[:3]
        self.type, self.missed_events, self.channel, self.time = kind, missed, channel, time
        self.reserved = reserved

    @property
    def time(self) -> int:
        """Time stamp in ps."""
        return self._time

    @time.setter
    def time(self, value: int) -> None:
        self._time = _field("time", value)

    @property
    def channel(self) -> int:
        """Channel number."""
        return self._channel

    @channel.setter
    def channel(self, value: int) -> None:
        self._channel = _field("channel", value)

    @property
    def type(self) -> int:
        """What the tag reports, see `TagType`."""
        return self._type

    @type.setter
    def type(self, value: int) -> None:
        self._type = _field("type", value)

    @property
    def missed_events(self) -> int:
        """Events lost, for the type MissedEvents."""
        return self._missed_events

    @missed_events.setter
    def missed_events(self, value: int) -> None:
        self._missed_events = _field("missed_events", value)

    @property
    def reserved(self) -> str:
        """A character without a meaning."""
        return self._reserved

    @reserved.setter
    def reserved(self, value: str | int) -> None:
        letter = chr(integer(value, "reserved", 0, 127)) if not isinstance(value, str) else value
        if len(letter) != 1:
            raise ArgumentKindError(f"reserved must be a single character, not {value!r}")
        self._reserved = letter

    def __repr__(self) -> str:
        kind = f", type={self.type}" if self.type else ""
        return f"Tag({self.time}, {self.channel}{kind})"


def _field(name: str, value: int) -> int:
    return integer(value, name, *_LOW_HIGH[name])
