"""Measurements come and go and are read while tags flow: nobody else loses a tag, and no more than a block waits."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from tagwire.core.tags import TagBlock
from tagwire.engine.device import DeviceChain
from tagwire.engine.hub import Hub
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.pump import Pump
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.measurements.correlation import Correlation
from tagwire.measurements.counter import Counter
from tagwire.measurements.histogram import Histogram
from tagwire.sources.memory import MemorySource
from tagwire.virtual.coincidence import Coincidence

TAGS = 2_000_000
SPACING = 1000
BLOCK = 20_000


class Ledger(MemorySource):
    """Notes how many tags were read and not yet seen by the last in the chain."""

    def __init__(self, block: TagBlock) -> None:
        super().__init__(block, chunk=BLOCK)
        self.waiting = self.most = 0

    def read(self, span: int, wanted: Collection[int]) -> TagBlock | None:
        block = super().read(span, wanted)
        self.waiting += len(block) if block is not None else 0
        self.most = max(self.most, self.waiting)
        return block


class Tagger(TimeTaggerBase):
    """Plays as fast as it can, in a thread."""

    def __init__(self, source: Ledger) -> None:
        self._hub = Hub(source, DeviceChain())


class Last(IteratorBase):
    """Sees tags last."""

    def __init__(self, tagger: Tagger, source: Ledger) -> None:
        super().__init__(tagger, [1, 2], {})
        self._source = source
        self._launch()

    def _process(self, block: TagBlock) -> None:
        self._source.waiting -= len(block)


def test_coming_and_going_costs_nobody_a_tag():
    channel = np.random.default_rng(1).integers(1, 3, TAGS, np.int32)
    source = Ledger(TagBlock(0, TAGS * SPACING, np.arange(TAGS) * SPACING, channel))
    tagger = Tagger(source)
    counter = Counter(tagger, [1, 2], 10**6, 100)
    correlation = Correlation(tagger, 1, 2, SPACING, 10)
    last = Last(tagger, source)
    pump = Pump(tagger._hub, speed=-1)
    pump.start()
    rounds = 0
    while pump.running:
        # Behind the last: what a virtual channel adds would count as waiting.
        pair = Coincidence(tagger, [1, 2], SPACING)
        with Correlation(tagger, 1, 2, SPACING, 100) as extra, Histogram(tagger, pair.getChannel(), 1) as other:
            extra.startFor(10 * SPACING)
            counts = extra.getData(), other.getData(), counter.getData(), correlation.getData()
            assert all(int(c.min()) >= 0 for c in counts)
        del pair, extra, other
        rounds += 1
    pump.stop()
    assert rounds > 3
    assert counter.getDataTotalCounts().tolist() == [np.count_nonzero(channel == 1), np.count_nonzero(channel == 2)]
    assert counter.getCaptureDuration() == correlation.getCaptureDuration() == TAGS * SPACING
    neighbours = np.count_nonzero((channel[1:] == 1) & (channel[:-1] == 2))
    assert int(correlation.getData()[6]) == neighbours
    assert last.getCaptureDuration() == TAGS * SPACING
    assert source.waiting == 0
    assert 0 < source.most <= BLOCK
