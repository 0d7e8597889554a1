"""The hub: pulls blocks from a source, sends them through the device and hands them to all who listen.

Iterators (virtual channels and measurements) stand in a chain in order of their creation; a virtual channel adds its
tags for everyone behind it. The hub has no thread of its own: whoever calls `step` drives it (see `pump`).
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from tagwire.core.channels import FIRST_VIRTUAL_CHANNEL
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.turnstile import Turnstile
from tagwire.errors import StateError
from tagwire.sources.base import Source

if TYPE_CHECKING:
    from tagwire.engine.iterator import IteratorBase
    from tagwire.engine.reorder import ReorderBuffer

logger = logging.getLogger(__name__)


class Device(Protocol):
    """What the instrument does to its tags before anyone sees them: delays, dead time, filters."""

    def process(self, block: TagBlock) -> TagBlock:
        """The block as it leaves the device; it may lag behind what came in."""
        ...

    def flush(self) -> TagBlock:
        """What is still held back at the end of the stream."""
        ...

    def wanted(self, channels: frozenset[int]) -> frozenset[int]:
        """Channels to ask the source for when somebody listens to `channels`."""
        ...

    def present(self, position: int) -> int:
        """Stream time, as those who listen see it, when the source has come to `position`."""
        ...

    @property
    def outputs(self) -> tuple[int, ...]:
        """Channels that the device adds."""
        ...


class Bypass:
    """A device that changes nothing."""

    def __init__(self) -> None:
        self._end = 0

    def process(self, block: TagBlock) -> TagBlock:
        """The block itself."""
        self._end = block.end
        return block

    def flush(self) -> TagBlock:
        """Nothing is ever held back."""
        return TagBlock.empty(self._end, self._end)

    def wanted(self, channels: frozenset[int]) -> frozenset[int]:
        """The same channels."""
        return channels

    def present(self, position: int) -> int:
        """The same time."""
        return position

    @property
    def outputs(self) -> tuple[int, ...]:
        """None."""
        return ()


class _Stage:
    """The place of one iterator in the chain; it outlives the iterator until the tags it holds are handed on."""

    def __init__(self, iterator: IteratorBase) -> None:
        self.iterator = weakref.ref(iterator)
        self.buffer: ReorderBuffer | None = iterator._buffer
        self.closed = False

    def live(self) -> IteratorBase | None:
        return None if self.closed else self.iterator()

    def pass_on(self, block: TagBlock) -> TagBlock:
        iterator = self.live()
        if iterator is None:
            return self._drain(block)
        try:
            return iterator._pass(block)
        except Exception as error:
            logger.exception("%s failed and was stopped", type(iterator).__name__)
            iterator._fail(error)
            return self._drain(block)

    def flush(self) -> TagBlock | None:
        return self.buffer.flush() if self.buffer is not None and self.buffer.started else None

    def _drain(self, block: TagBlock) -> TagBlock:
        """The block with everything held back so far, so that the stream goes on without a gap."""
        return block if self.buffer is None else self.buffer.push(block, None, 0)


class Hub:
    """One stream of tags and all who listen to it.

    Parameters
    ----------
    source
        Where the tags come from.
    device
        What the instrument does to them; nothing by default.

    Attributes
    ----------
    position
        Stream time in ps up to which the source was read.
    overflows
        Number of overflow ranges seen.
    max_events
        Largest number of tags handed on at once.
    flowing
        Whether somebody drives the hub; while nobody does, fences pass at once.
    patient
        Whether the stream may wait for an iterator: not when it has to keep the pace of a clock.
    failure
        What broke the stream off, until somebody drives the hub again.
    stride
        How far, in ps, whoever waits lets the stream go on in one step; 0: another thread drives the hub.
    """

    def __init__(self, source: Source, device: Device | None = None) -> None:
        self.source = source
        self.device: Device = device or Bypass()
        self.position = source.position
        self.overflows = 0
        self.max_events = 1_048_576
        self._stages: list[_Stage] = []
        self._next_channel = FIRST_VIRTUAL_CHANNEL
        self._exclusive = Turnstile()
        self._fences = threading.Condition()
        self._fence_last = 0
        self._fence_read = 0
        self._fence_passed = 0
        self.flowing = False
        self.patient = True
        self.failure: Exception | None = None
        self.stride = 0

    # --- who listens -------------------------------------------------------------------------------------------

    def attach(self, iterator: IteratorBase) -> None:
        """Append an iterator to the chain; the hub does not keep it alive."""
        with self._exclusive:
            self._stages.append(_Stage(iterator))

    def detach(self, iterator: IteratorBase) -> None:
        """Take an iterator out of the chain."""
        with self._exclusive:
            for stage in self._stages:
                if stage.iterator() is iterator:
                    stage.closed = True

    def iterators(self) -> list[IteratorBase]:
        """All iterators in the chain, in order of creation."""
        with self._exclusive:
            return [i for i in (s.live() for s in self._stages) if i is not None]

    def allocate(self, count: int) -> tuple[int, ...]:
        """Numbers for `count` new virtual channels."""
        with self._exclusive:
            first = self._next_channel
            self._next_channel += count
            return tuple(range(first, first + count))

    def virtual_channels(self) -> tuple[int, ...]:
        """All virtual channels there are now, those of the device first."""
        return self.device.outputs + tuple(c for i in self.iterators() for c in i._outputs)

    def registrations(self, channel: int) -> int:
        """How many iterators read `channel`."""
        return sum(channel in i._inputs for i in self.iterators())

    def registered(self) -> frozenset[int]:
        """All channels that somebody reads."""
        return frozenset(c for i in self.iterators() for c in i._inputs)

    # --- the stream --------------------------------------------------------------------------------------------

    def command(self, action: Callable[[int], Any]) -> None:
        """Run ``action(now)`` between two blocks, with the present stream time as those who listen see it."""
        with self._exclusive:
            action(self.device.present(self.position))

    def step(self, span: int) -> bool:
        """Read the next block of at most `span` ps and hand it on.

        Returns
        -------
        bool
            False when the source has ended; what was held back has then been handed on.
        """
        with self._exclusive:
            with self._fences:
                self._fence_read = self._fence_last
            block = self.source.read(span, self.device.wanted(self.registered()))
            if block is not None:
                self.position = block.end
                self._dispatch(self.device.process(block))
            else:
                self._flush()
        self._pass_fences(self._fence_read)
        return block is not None

    def step_while(self, waiting: Callable[[], bool], span: int) -> None:
        """Let the stream go on in the caller's thread as long as it waits, in steps of `stride`.

        Parameters
        ----------
        waiting
            Whether the caller still waits.
        span
            Largest stream time to pass in ps; negative: no limit but the end of the source.
        """
        end = self.position + span
        while waiting() and (span < 0 or self.position < end):
            if not self.step(self.stride if span < 0 else min(self.stride, end - self.position)):
                return

    def flow(self, patient: bool = True) -> None:
        """Somebody drives the hub from now on, and is `patient` or not."""
        self.flowing, self.patient, self.failure = True, patient, None

    def rest(self, failure: Exception | None = None) -> None:
        """Nobody drives the hub any more; whoever waits at a fence goes on.

        Parameters
        ----------
        failure
            What broke the stream off, if anything: all captures then end, and whoever waits is told.
        """
        self.failure = failure
        if failure is not None:
            for iterator in self.iterators():
                iterator._fail(failure)
        with self._fences:
            self.flowing = False
            self._fence_passed = self._fence_last
            self._fences.notify_all()

    def check(self) -> None:
        """Raise StateError (RuntimeError) where the stream broke off, with the cause."""
        if self.failure is not None:
            raise StateError(f"the stream broke off: {self.failure!r}") from self.failure

    def _dispatch(self, block: TagBlock) -> None:
        self._count_overflows(block)
        for part in _parts(block, self.max_events):
            self._through(part, self._stages)
        self._stages = [s for s in self._stages if s.live() is not None]

    def _through(self, block: TagBlock, stages: Iterable[_Stage]) -> None:
        for stage in stages:
            block = stage.pass_on(block)

    def _flush(self) -> None:
        """Hand on what the device and the virtual channels still hold back."""
        self._dispatch(self.device.flush())
        for place, stage in enumerate(self._stages):
            held = stage.flush()
            if held is not None:
                self._through(held, self._stages[place + 1 :])

    def _count_overflows(self, block: TagBlock) -> None:
        if not block.plain:
            self.overflows += int(np.count_nonzero(block.type == TagType.OverflowBegin))

    # --- fences ------------------------------------------------------------------------------------------------

    def fence(self, new: bool = True) -> int:
        """A new fence, or the latest one."""
        with self._fences:
            self._fence_last += new
            return self._fence_last

    def passed(self, fence: int, timeout: float) -> bool:
        """Wait at most `timeout` s until all tags older than `fence` were handed on."""
        with self._fences:
            return self._fences.wait_for(lambda: fence <= self._fence_passed or not self.flowing, timeout)

    def _pass_fences(self, fence: int) -> None:
        with self._fences:
            self._fence_passed = max(self._fence_passed, fence)
            self._fences.notify_all()


def _parts(block: TagBlock, size: int) -> Iterable[TagBlock]:
    """The block in parts of at most about `size` tags; tags of equal time stay together."""
    while len(block) > size:
        cut = int(block.time[size])
        first, block = block.split(cut if cut > block.time[0] else cut + 1)
        yield first
    yield block
