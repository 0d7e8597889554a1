"""Channels that repeat others later or earlier."""

from __future__ import annotations

from collections.abc import Sequence

from tagwire.core.arguments import integer
from tagwire.core.tags import TagBlock
from tagwire.engine.device_delay import DELAY_MAX
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.virtual.routes import Routes


class DelayedChannels(VirtualChannelBase):
    """Copies of channels, shifted in time by one common delay.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channels
        Channels to copy; a channel named twice is copied twice.
    delay
        Shift in ps, positive for later, within ±10**18.

    Notes
    -----
    Time tags are copied, and missed events as well, both shifted, so that counting a copy gives what counting its
    input gives. Overflow and error tags speak for all channels and stay where they are. A negative delay holds the
    whole stream back by as much for everything created after it. Copies that would lie before the begin of the stream
    or after its end are not made.
    """

    def __init__(self, tagger: TimeTaggerBase, input_channels: Sequence[int], delay: int) -> None:
        numbers = require_tagger(tagger)._channels(input_channels, "input_channels")
        self._delay = _delay(delay)
        super().__init__(tagger, numbers, {"input_channels": numbers, "delay": self._delay}, len(numbers))
        self._routes = Routes(numbers, self._outputs)
        self._launch()

    def getChannels(self) -> tuple[int, ...]:
        """Numbers of the copies, in the order of the inputs."""
        return self._outputs

    def setDelay(self, delay: int) -> None:
        """Change the delay of all tags from now on.

        Tags that came before keep their delay, so for a while copies with both delays may mix, always in order of
        time. When a negative delay becomes more negative, copies for times that have been handed on already are
        dropped: at most those of as much time as the delay changed by.

        Parameters
        ----------
        delay
            New shift in ps, within ±10**18.
        """
        shift = _delay(delay)
        self._hub.command(lambda now: self._set_delay(shift))

    def _set_delay(self, delay: int) -> None:
        with self._lock:
            self._delay = delay
            self._params["delay"] = delay

    @property
    def _lookback(self) -> int:
        return max(0, -self._delay)

    def _generate(self, block: TagBlock) -> TagBlock | None:
        copies = self._routes.relay(block, self._routes.find(block))
        return TagBlock(block.begin, block.end, copies.time + self._delay, copies.channel, copies.type, copies.missed)


class DelayedChannel(DelayedChannels):
    """A copy of one channel, shifted in time; see `DelayedChannels`.

    Parameters
    ----------
    tagger
        Time Tagger object.
    input_channel
        Channel to copy.
    delay
        Shift in ps, positive for later, within ±10**18.
    """

    def __init__(self, tagger: TimeTaggerBase, input_channel: int, delay: int) -> None:
        number = require_tagger(tagger)._channel(input_channel, "input_channel")
        super().__init__(tagger, [number], delay)
        self._params = {"input_channel": number, "delay": self._delay}

    def getChannel(self) -> int:
        """Number of the copy."""
        return self._outputs[0]


def _delay(value: object) -> int:
    return integer(value, "delay", -DELAY_MAX, DELAY_MAX)
