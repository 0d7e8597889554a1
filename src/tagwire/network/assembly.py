"""From frames to the stream that a client measures on: blocks without a gap between them, and accounts that add up.

An `Assembler` checks that frames follow each other and that their tags, with those reported as missed, are as many as
the server says it has sent. Where the stream was cut and goes on elsewhere, which happens when a server was started
anew, it puts an overflow in between and shifts the new times, so that the client's stream time never goes back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tagwire.core.channels import CHANNEL_UNUSED, ChannelIndex
from tagwire.core.overflows import in_overflow
from tagwire.core.tags import TIME_MAX, TagBlock, TagType, join, shift
from tagwire.engine.selection import count_events
from tagwire.errors import AccountsDiffer
from tagwire.frames.codec import decode
from tagwire.network.frame import Frame, Resume

Counts = NDArray[np.int64]


class Assembler:
    """Puts the frames of one client together.

    Parameters
    ----------
    channels
        Channels of the feeds, in the order of their counts.
    absolute
        Whether the server's times stay what they are when it was started anew, as far as that does not bring the stream
        back: because they belong to a time base that others have, too.

    Attributes
    ----------
    received, missed : ndarray
        Events of each channel that came, and that were reported as missed, by the instrument or on the way; int64.
    sent : ndarray
        Events of each channel that the server has sent since the first frame, by its own counts; always the sum of
        the two others.
    offset
        What is added to the server's times, in ps. 0 as long as it is the same server that was not started anew.
    end
        Stream time in ps up to which there are blocks.
    breaks
        How often the stream went on elsewhere, with an unknown number of events lost.
    """

    def __init__(self, channels: tuple[int, ...], absolute: bool = False) -> None:
        self.channels, self.absolute = tuple(channels), absolute
        self._index = ChannelIndex(self.channels)
        self.received, self.missed, self.sent = (self._zeros() for _ in range(3))
        self.offset = self.end = self.breaks = 0
        self._epoch = 0
        self._last: Frame | None = None
        self._within = False

    def add(self, frame: Frame, epoch: int, pause: int = 0) -> TagBlock:
        """The block of a frame, at its place in the client's stream.

        Parameters
        ----------
        frame
            The next one.
        epoch
            Random number of the server's life.
        pause
            For how long nothing came, in ps by the client's clock. Where the server was started anew its times tell
            nothing, and the overflow in between is made as long as this, and at least 1 ps.

        Returns
        -------
        TagBlock
            It begins at `end`, which then is where it ends.

        Raises
        ------
        AccountsDiffer
            (RuntimeError) The frame does not follow the last one, or its tags are not those that were counted. It has
            then not been added.
        DamagedFrame
            (ValueError) Its data are no packed tags.
        """
        block = decode(frame.data)
        missed = self._missed(block)
        received = count_events(block, self._index) - missed
        base = self._base(frame, received + missed)
        self._check(frame, block, received + missed, base)
        block = self._continued(frame, block, epoch, pause)
        self.received, self.missed = self.received + received, self.missed + missed
        self.sent = self.sent + (frame.counts - base)
        self._last, self._epoch, self.end = frame, epoch, block.end
        self._within = in_overflow(block, self._within)
        return block

    @property
    def within(self) -> bool:
        """Whether the stream is within an overflow at `end`."""
        return self._within

    def resume(self) -> Resume | None:
        """What to tell a server that shall go on where the last frame ended; `None` before the first one."""
        last = self._last
        if last is None:
            return None
        return Resume(last.feed, last.number + 1, last.end, tuple(last.counts.tolist()), self._within)

    def successor(self, channels: tuple[int, ...]) -> Assembler:
        """One for other channels of the same server, whose times it shifts alike."""
        other = Assembler(channels, self.absolute)
        other.offset, other._epoch = self.offset, self._epoch
        return other

    def _zeros(self) -> Counts:
        return np.zeros(len(self._index), np.int64)

    def _missed(self, block: TagBlock) -> Counts:
        """Events of each channel that the block reports as missed."""
        if block.plain:
            return self._zeros()
        plain = np.where(block.type == TagType.TimeTag, np.int32(CHANNEL_UNUSED), block.channel)
        return count_events(TagBlock(block.begin, block.end, block.time, plain, block.type, block.missed), self._index)

    def _base(self, frame: Frame, events: Counts) -> Counts:
        """Counts of the feed before the frame."""
        if len(frame.counts) != len(self.channels):
            raise AccountsDiffer(
                f"a frame counts the events of {len(frame.counts)} channels, but there are {len(self.channels)}"
            )
        if self._last is not None and frame.feed == self._last.feed:
            return self._last.counts
        return frame.counts - events

    def _check(self, frame: Frame, block: TagBlock, events: Counts, base: Counts) -> None:
        """Raise AccountsDiffer where the frame is not what has to come next."""
        last = self._last
        if (frame.begin, frame.end) != (block.begin, block.end):
            raise AccountsDiffer(
                f"frame {frame.number} of [{frame.begin}, {frame.end}) ps holds [{block.begin}, {block.end}) ps"
            )
        if last is not None and frame.feed == last.feed:
            if frame.first != last.number + 1 or frame.begin != last.end:
                raise AccountsDiffer(
                    f"frame {frame.first} from {frame.begin} ps on comes behind frame {last.number}, which ended at "
                    f"{last.end} ps"
                )
            if np.any(frame.counts - base != events):
                raise AccountsDiffer(
                    f"frame {frame.number} has {events.tolist()} events on the channels {list(self.channels)}, but "
                    f"{(frame.counts - base).tolist()} were sent"
                )
        elif frame.number < frame.first - 1 or np.any(base < 0):
            raise AccountsDiffer(f"frame {frame.number} begins with {frame.first} and {base.tolist()} events before it")

    def _continued(self, frame: Frame, block: TagBlock, epoch: int, pause: int) -> TagBlock:
        """The block in the client's time, behind an overflow where it does not follow the last one."""
        last = self._last
        offset, lost = self.offset, None
        if last is not None and frame.feed != last.feed:
            same = (epoch == self._epoch or self.absolute) and frame.begin + offset >= self.end
            resumed = frame.begin + offset if same else self.end + max(pause, 1)
            offset = resumed - frame.begin
            if resumed > self.end:
                lost = self._break(resumed, restarted=epoch != self._epoch)
        if frame.end + offset > TIME_MAX:
            raise AccountsDiffer(f"a frame that ends at {frame.end + offset} ps is behind the end of time")
        self.breaks += lost is not None
        self.offset = offset
        block = shift(block, offset)
        return block if lost is None else join([lost, block])

    def _break(self, until: int, restarted: bool) -> TagBlock:
        """The overflow from the end of the stream to where it goes on; an unknown number of events is lost in it."""
        kinds = [TagType.OverflowBegin] * (not self._within) + [TagType.Error] * restarted + [TagType.OverflowEnd]
        time = np.full(len(kinds), self.end, np.int64)
        time[-1] = until - 1
        channel = np.full(len(kinds), CHANNEL_UNUSED, np.int32)
        return TagBlock(self.end, until, time, channel, np.array(kinds, np.uint8), np.zeros(len(kinds), np.uint16))
