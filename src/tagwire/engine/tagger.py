"""What measurements know of a Time Tagger: the stream behind it, its channels, its fences."""

from __future__ import annotations

import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tagwire.core.arguments import boolean, integer, integers
from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.engine.chain import Member
from tagwire.engine.clock_settings import SoftwareClockSettings
from tagwire.engine.device_settings import TimeTaggerSource
from tagwire.engine.fences import WAIT_SLICE
from tagwire.engine.hub import Hub
from tagwire.engine.left_out import missing
from tagwire.errors import ArgumentError, ArgumentKindError, StateError

FREED = "this Time Tagger was freed; create another one"


class TimeTaggerBase(TimeTaggerSource, SoftwareClockSettings):
    """Base of all Time Tagger objects: what a measurement can be created on."""

    _hub: Hub
    _freed = False
    _autostart = True

    def getFence(self, alloc_fence: bool = True) -> int:
        """A mark in the stream that stands for "now".

        Parameters
        ----------
        alloc_fence
            Make a new fence; False gives the latest one.

        Returns
        -------
        int
            The fence, for `waitForFence`.
        """
        return self._hub.fence(boolean(alloc_fence, "alloc_fence"))

    def waitForFence(self, fence: int, timeout: int = -1) -> bool:
        """Wait until every tag older than the fence has been processed; Ctrl-C interrupts.

        Tags that arrive afterwards were produced after `getFence`, with the settings of that moment. While no tags
        flow at all (a replay that does not run) there is nothing to wait for.

        Parameters
        ----------
        fence
            From `getFence`.
        timeout
            Longest wait in ms; negative: for ever, 0: only look.

        Returns
        -------
        bool
            False when the time was up before.

        Raises
        ------
        StateError
            (RuntimeError) The stream broke off, because its source failed.
        """
        number = integer(fence, "fence", 0, self._hub.fence(new=False))
        limit = integer(timeout, "timeout")
        deadline = time.monotonic() + limit / 1000 if limit >= 0 else None
        while True:
            left = WAIT_SLICE if deadline is None else min(WAIT_SLICE, max(0.0, deadline - time.monotonic()))
            if self._hub.passed(number, left):
                self._hub.check()
                return True
            if deadline is not None and time.monotonic() >= deadline:
                return False

    def sync(self, timeout: int = -1) -> bool:
        """Wait until everything older than this call has been processed; as `waitForFence` on a new fence.

        Parameters
        ----------
        timeout
            Longest wait in ms; negative: for ever, 0: only look.

        Returns
        -------
        bool
            False when the time was up before.
        """
        return self.waitForFence(self.getFence(), timeout)

    def getInvertedChannel(self, channel: int) -> int:
        """Channel of the other edge of the same input, or `CHANNEL_UNUSED` for a channel without one."""
        number = self._channel(channel, "channel")
        return -number if -number in self._hub.source.channels else CHANNEL_UNUSED

    def isUnusedChannel(self, channel: int) -> bool:
        """Whether the number is `CHANNEL_UNUSED`."""
        return integer(channel, "channel") == CHANNEL_UNUSED

    def getRegistrations(self, channel: int) -> int:
        """How many measurements and virtual channels read the channel."""
        return self._hub.registrations(self._channel(channel, "channel"))

    def isChannelRegistered(self, channel: int) -> bool:
        """Whether any measurement or virtual channel reads the channel."""
        return self.getRegistrations(channel) > 0

    def xtra_setAutoStart(self, auto_start: bool) -> None:
        """Choose whether new measurements and virtual channels start by themselves."""
        self._autostart = boolean(auto_start, "auto_start")

    def xtra_getAutoStart(self) -> bool:
        """Whether new measurements and virtual channels start by themselves."""
        return self._autostart

    def getConfiguration(self) -> dict[str, Any]:
        """Settings, measurements and virtual channels, as values that JSON can hold."""
        return {
            "measurements": [i.getConfiguration() for i in self._hub.iterators()],
            "registered channels": sorted(self._hub.registered()),
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._freed:
            self._free()

    def _free(self) -> None:
        """Give up the stream and everything else: of a freed tagger only that is left."""
        self._hub.source.close()
        vars(self).clear()
        self._freed = True

    if not TYPE_CHECKING:  # a type checker would take it as leave for any attribute

        def __getattr__(self, name: str) -> Any:
            if self._freed and any(name in vars(c).get("__annotations__", ()) for c in type(self).__mro__):
                raise StateError(FREED)
            raise AttributeError(missing(f"{type(self).__name__!r} object", name))

    def _fence_time(self) -> int | None:
        """Stream time from which on every tag is younger than this call; `None` while no tags flow."""
        times: list[int] = []
        self._hub.command(times.append)
        return times[0] if self._hub.flowing else None

    def _adopt(self, iterator: Member) -> None:
        """Take in a new measurement or virtual channel."""
        if self._autostart:
            iterator.start()

    def _channel(self, value: Any, name: str) -> int:
        """A channel of this tagger, physical or virtual."""
        return self._known(integer(value, name), name)

    def _optional_channel(self, value: Any, name: str) -> int:
        """A channel of this tagger or `CHANNEL_UNUSED`."""
        number = integer(value, name)
        return number if number == CHANNEL_UNUSED else self._known(number, name)

    def _channels(self, values: Any, name: str) -> list[int]:
        """Channels of this tagger, at least one."""
        numbers = integers(values, name)
        if not numbers:
            raise ArgumentError(f"{name} is empty, but must name at least one channel")
        return [self._known(number, f"{name}[{i}]") for i, number in enumerate(numbers)]

    def _known(self, number: int, name: str) -> int:
        if number not in self._hub.source.channels and number not in self._hub.virtual_channels():
            raise ArgumentError(f"{name} is {number}, but this tagger has the channels {self._channel_text()}")
        return number

    def _channel_text(self) -> str:
        physical, virtual = sorted(self._hub.source.channels), sorted(self._hub.virtual_channels())
        return _ranges(physical) + (f" and the virtual ones {_ranges(virtual)}" if virtual else "")


def require_tagger(value: object) -> TimeTaggerBase:
    """`value` if a measurement can be created on it.

    Raises
    ------
    ArgumentError
        (ValueError) It is `None`.
    ArgumentKindError
        (TypeError) It is something else than a Time Tagger.
    StateError
        (RuntimeError) It was freed.
    """
    if value is None:
        raise ArgumentError("tagger is None, but must be a Time Tagger object")
    if not isinstance(value, TimeTaggerBase):
        raise ArgumentKindError(f"tagger must be a Time Tagger object, not {value!r}")
    if value._freed:
        raise StateError(FREED)
    return value


def _ranges(numbers: Iterable[int]) -> str:
    """Numbers as text: ``-2..-1, 1..8``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(r[0]) if len(r) == 1 else f"{r[0]}..{r[-1]}" for r in runs)
