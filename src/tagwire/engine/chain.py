"""The chain of iterators that a block is handed along, in order of their creation.

Only virtual channels change what those behind them see. Between two of them, measurements that allow it are fed at the
same time by several threads; the block goes on when all are done.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any, Protocol

from tagwire.core.tags import TagBlock
from tagwire.engine.crew import CREW, Task, cores
from tagwire.engine.reorder import ReorderBuffer
from tagwire.engine.strands import Strands

logger = logging.getLogger(__name__)

WORTH_SHARING = 16_384
"""Tags of a block from which on it pays to wake other threads for it."""


class Member(Protocol):
    """What the stream needs of a measurement or virtual channel; `IteratorBase` says what it means."""

    _buffer: ReorderBuffer | None
    _inputs: tuple[int, ...]
    _concurrent: bool

    @property
    def _outputs(self) -> tuple[int, ...]: ...

    def start(self) -> None: ...
    def getConfiguration(self) -> dict[str, Any]: ...
    def _pass(self, block: Strands) -> Strands: ...
    def _fail(self, error: Exception) -> None: ...
    def _halt(self) -> None: ...
    def _settle(self) -> None: ...


class _Stage:
    """The place of one member; it outlives the member until the tags it holds are handed on."""

    def __init__(self, member: Member) -> None:
        self.member = weakref.ref(member)
        self.buffer = member._buffer
        self.closed = False

    def live(self) -> Member | None:
        return None if self.closed else self.member()

    def flush(self) -> Strands | None:
        return self.buffer.flush() if self.buffer is not None and self.buffer.started else None

    def drain(self, block: Strands) -> Strands:
        """The block with everything held back so far, so that the stream goes on without a gap."""
        return block if self.buffer is None else self.buffer.push(block, None, 0)


class Chain:
    """Hands blocks along its members and keeps none of them alive; whoever uses it holds the hub's lock."""

    def __init__(self) -> None:
        self._stages: list[_Stage] = []

    def append(self, member: Member) -> None:
        """Add a member at the end."""
        self._stages.append(_Stage(member))

    def remove(self, member: Member) -> None:
        """Take a member out; what it holds back still comes."""
        for stage in self._stages:
            if stage.member() is member:
                stage.closed = True

    def members(self) -> list[Member]:
        """All members, in order of creation."""
        return [m for m in (s.live() for s in self._stages) if m is not None]

    def send(self, block: TagBlock) -> None:
        """Hand a block along the whole chain."""
        self._through(Strands(block), self._stages)
        self._stages = [s for s in self._stages if s.live() is not None]

    def flush(self) -> None:
        """Hand on what virtual channels still hold back at the end of the stream."""
        for place, stage in enumerate(self._stages):
            held = stage.flush()
            if held is not None:
                self._through(held, self._stages[place + 1 :])

    def _through(self, block: Strands, stages: Iterable[_Stage]) -> None:
        together = len(block) >= WORTH_SHARING and cores() > 1
        tasks: list[Task] = []
        for stage in stages:
            member = stage.live()
            if together and member is not None and member._concurrent:
                tasks.append(partial(self._pass_on, block, stage, member))
                continue
            if stage.buffer is not None:
                CREW.do(tasks)
                tasks = []
            block = stage.drain(block) if member is None else self._pass_on(block, stage, member)
        CREW.do(tasks)

    def _pass_on(self, block: Strands, stage: _Stage, member: Member) -> Strands:
        try:
            return member._pass(block)
        except Exception as error:
            logger.exception("%s failed and was stopped", type(member).__name__)
            member._fail(error)
            self._fail_readers(member._outputs, error)
            return stage.drain(block)

    def _fail_readers(self, channels: Collection[int], error: Exception) -> None:
        """End the captures of all who read `channels`, for these would only seem silent."""
        for member in self.members() if channels else ():
            if set(channels).intersection(member._inputs):
                member._fail(error)
                self._fail_readers(member._outputs, error)
