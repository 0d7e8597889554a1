"""A block on its way along the chain: the stream, and beside it the tags that virtual channels have added.

They are woven together only for those who read both, so a virtual channel costs nobody else a copy of the stream.
"""

from __future__ import annotations

from tagwire.core.tags import TagBlock, merge, retime
from tagwire.engine.by_channel import ByChannel, channel_range
from tagwire.engine.weave import weave

NARROW = 64
"""Channel numbers that a layer is listed under at most; one with a wider range is shown to everybody."""


class Strands:
    """A block with further tags laid over it.

    Parameters
    ----------
    block
        The stream.

    Notes
    -----
    It is looked at by several threads at a time, but changed by `lay` only while nobody looks.
    """

    def __init__(self, block: TagBlock) -> None:
        self._stream = ByChannel(block)
        self._layers: list[TagBlock] = []
        self._homes: dict[int, list[int]] = {}
        self._everywhere: list[int] = []
        self._whole: TagBlock | None = None

    def __len__(self) -> int:
        """Tags of the stream, without those laid over it."""
        return len(self._stream.block)

    @property
    def begin(self) -> int:
        """Begin of the span in ps."""
        return self._stream.block.begin

    @property
    def end(self) -> int:
        """End of the span in ps."""
        return self._stream.block.end

    def lay(self, added: TagBlock) -> None:
        """Add tags that lie within the span, in order of time; at equal times they come after those there are."""
        if not len(added):
            return
        if self._whole is not None or not added.plain:
            self._restart(self.whole())
        if not added.plain:
            self._restart(weave(self.begin, self.end, self.whole(), added))
            return
        lowest, highest = channel_range(added.channel)
        if highest - lowest < NARROW:
            for channel in range(lowest, highest + 1):
                self._homes.setdefault(channel, []).append(len(self._layers))
        else:
            self._everywhere.append(len(self._layers))
        self._layers.append(retime(added, self.begin, self.end))

    def whole(self) -> TagBlock:
        """All tags."""
        if not self._layers:
            return self._stream.block
        if self._whole is None:
            self._whole = self._woven(self._stream.block, self._layers)
        return self._whole

    def view(self, channels: frozenset[int]) -> TagBlock:
        """All tags of `channels`, and perhaps others; the span is the same."""
        stream = self._stream.of(channels)
        if not self._layers:
            return stream
        places = {place for c in channels for place in self._homes.get(c, ())}
        places.update(self._everywhere)
        return self._woven(stream, [self._layers[place] for place in sorted(places)])

    def close(self, channels: frozenset[int], window: int) -> TagBlock:
        """All tags of `channels` with another one of them within `window` ps, or the begin or the end of the span.

        There are perhaps others.
        """
        if self._everywhere or not self._homes.keys().isdisjoint(channels):
            return self.view(channels)
        return self._stream.close(channels, window)

    def _woven(self, stream: TagBlock, layers: list[TagBlock]) -> TagBlock:
        if not layers:
            return stream
        added = layers[0] if len(layers) == 1 else merge(self.begin, self.end, layers)
        return weave(self.begin, self.end, stream, added) if len(stream) else added

    def _restart(self, block: TagBlock) -> None:
        self._stream = ByChannel(block)
        self._layers, self._homes, self._everywhere = [], {}, []
        self._whole = None
