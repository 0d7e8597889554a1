"""Base of virtual channels: iterators that add tags to the stream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.reorder import ReorderBuffer
from tagwire.engine.strands import Strands
from tagwire.engine.tagger import TimeTaggerBase


class VirtualChannelBase(IteratorBase):
    """Base of virtual channels.

    Parameters
    ----------
    tagger, channels, params
        As for `IteratorBase`.
    outputs
        Number of virtual channels to allocate; their numbers stand in `self._outputs`.

    Notes
    -----
    A subclass implements ``_generate(block)``, which is called under `self._lock` and returns the tags to add (a block
    whose span does not matter, in order of time) or `None`. A tag may be placed up to `_lookback` ps before the end of
    the block, or at any time after it. Tags that break this rule (after the rule was changed while tags flow) are
    dropped, and counted as ``late tags dropped`` in `getConfiguration`.
    """

    def __init__(self, tagger: TimeTaggerBase, channels: Iterable[int], params: dict[str, Any], outputs: int) -> None:
        super().__init__(tagger, channels, params)
        self._numbers = self._hub.allocate(outputs)
        self._buffer = ReorderBuffer()
        self._added: TagBlock | None = None

    @property
    def _outputs(self) -> tuple[int, ...]:
        return self._numbers

    def getConfiguration(self) -> dict[str, Any]:
        """Name, parameters, channels, and the number of ``late tags dropped``, as values that JSON can hold."""
        with self._lock:
            assert self._buffer is not None
            return super().getConfiguration() | {"late tags dropped": self._buffer.late}

    @property
    def _lookback(self) -> int:
        """How far before the end of a block later tags may still be placed, in ps."""
        return 0

    def _pass(self, block: Strands) -> Strands:
        with self._lock:
            self._added = None
            self._feed(self._view(block))
            assert self._buffer is not None
            return self._buffer.push(block, self._added, self._lookback)

    def _view(self, block: Strands) -> TagBlock:
        return block.view(frozenset(self._inputs))

    def _process(self, block: TagBlock) -> None:
        self._added = self._generate(block)

    def _generate(self, block: TagBlock) -> TagBlock | None:
        raise NotImplementedError(type(self).__name__)
