"""The hub: pulls blocks from a source, sends them through the device and hands them to all who listen.

Iterators (virtual channels and measurements) stand in a chain in order of their creation; a virtual channel adds its
tags for everyone behind it. The hub has no thread of its own: whoever calls `step` drives it (see `pump`).

There is one order of locks: first the turn at the stream (`Hub.exclusive`), then the lock of an iterator. The hub's
thread has the turn when it calls an iterator, and whoever calls an iterator in such a way that code of the user's may
run takes it first: commands, what ends the captures, and the mutex that the user sees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tagwire.core.channels import FIRST_VIRTUAL_CHANNEL
from tagwire.core.tags import TagBlock, TagType, parts
from tagwire.engine.chain import Chain, Member
from tagwire.engine.fences import Fences
from tagwire.engine.instrument import Bypass, Device
from tagwire.engine.turnstile import Turnstile
from tagwire.errors import StateError
from tagwire.sources.base import Source


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
    exclusive
        Held by whoever hands on a block, and by commands; taken before the lock of any iterator.
    position
        Stream time in ps up to which the source was read.
    overflows
        Number of overflow ranges seen.
    max_events
        Largest number of tags handed on at once.
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
        self._chain = Chain()
        self._next_channel = FIRST_VIRTUAL_CHANNEL
        self.exclusive = Turnstile()
        self._fences = Fences()
        self.patient = True
        self.failure: Exception | None = None
        self.stride = 0

    # --- who listens -------------------------------------------------------------------------------------------

    def attach(self, iterator: Member) -> None:
        """Append an iterator to the chain; the hub does not keep it alive."""
        with self.exclusive:
            self._chain.append(iterator)

    def detach(self, iterator: Member) -> None:
        """Take an iterator out of the chain."""
        with self.exclusive:
            self._chain.remove(iterator)

    def iterators(self) -> list[Member]:
        """All iterators in the chain, in order of creation."""
        with self.exclusive:
            return self._chain.members()

    def allocate(self, count: int) -> tuple[int, ...]:
        """Numbers for `count` new virtual channels."""
        with self.exclusive:
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
        with self.exclusive:
            action(self.device.present(self.position))

    def step(self, span: int, made: Callable[[TagBlock], TagBlock] = lambda block: block) -> bool:
        """Read the next block of at most `span` ps and hand it on.

        Parameters
        ----------
        span
            Length in ps, at least 1.
        made
            Called with the block as it leaves the device; gives the block to hand on.

        Returns
        -------
        bool
            False when the source has ended; what was held back has then been handed on.
        """
        with self.exclusive:
            fence = self._fences.latest(new=False)
            block = self.source.read(span, self.device.wanted(self.registered()))
            if block is not None:
                self.position = block.end
                self._dispatch(made(self.device.process(block)))
            else:
                self._flush()
        self._fences.reach(fence)
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

    @property
    def flowing(self) -> bool:
        """Whether somebody drives the hub; while nobody does, fences pass at once."""
        return self._fences.flowing

    def flow(self, patient: bool = True) -> None:
        """Somebody drives the hub from now on, and is `patient` or not."""
        self.patient, self.failure = patient, None
        self._fences.flow(True)

    def rest(self, failure: Exception | None = None) -> None:
        """Nobody drives the hub any more; whoever waits at a fence goes on.

        Parameters
        ----------
        failure
            What broke the stream off, if anything: all captures then end, and whoever waits is told.
        """
        self.failure = failure
        if failure is not None:
            with self.exclusive:
                for iterator in self.iterators():
                    iterator._fail(failure)
        self._fences.flow(False)

    def end_captures(self) -> None:
        """End all captures, for nothing more will come, and wait until their results are where they belong."""
        with self.exclusive:
            iterators = self.iterators()
            for iterator in iterators:
                iterator._halt()
        for iterator in iterators:
            iterator._settle()

    def check(self) -> None:
        """Raise StateError (RuntimeError) where the stream broke off, with the cause."""
        if self.failure is not None:
            raise StateError(f"the stream broke off: {self.failure!r}") from self.failure

    def check_wait(self) -> None:
        """Raise StateError (RuntimeError) where the calling thread would wait for a stream that it holds up itself."""
        if self.exclusive.mine:
            raise StateError(
                "the stream stands still as long as this thread is in a hook of a measurement or holds a mutex: "
                "leave it first, then wait"
            )

    def _dispatch(self, block: TagBlock) -> None:
        self._count_overflows(block)
        for part in parts(block, self.max_events):
            self._chain.send(part)

    def _flush(self) -> None:
        """Hand on what the device and the virtual channels still hold back."""
        self._dispatch(self.device.flush())
        self._chain.flush()

    def _count_overflows(self, block: TagBlock) -> None:
        if not block.plain:
            self.overflows += int(np.count_nonzero(block.type == TagType.OverflowBegin))

    # --- fences ------------------------------------------------------------------------------------------------

    def fence(self, new: bool = True) -> int:
        """A new fence, or the latest one."""
        return self._fences.latest(new)

    def passed(self, fence: int, timeout: float) -> bool:
        """Wait at most `timeout` s until all tags older than `fence` were handed on."""
        if self._fences.wait(fence, 0):
            return True
        if timeout > 0:
            self.check_wait()
        return self._fences.wait(fence, timeout)
