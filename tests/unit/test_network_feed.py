"""A feed of a Time Tagger: which tags go in, from when, and what ends it."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.tags import TagBlock, join, pick
from tagwire.errors import EndOfFeed
from tagwire.measurements.countrate import Countrate
from tagwire.network.assembly import Assembler
from tagwire.network.feed import Feed
from tagwire.network.ring import Cursor
from tagwire.testing.rows import block_of, clicks, rows_of
from tagwire.testing.simulated import simulated_tagger
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.tap import Tap
from tagwire.virtual.delayed import DelayedChannel

CLICKS = clicks([(t, 1 + t // 100 % 3) for t in range(50, 10_000, 100)], end=10_000)


def read(cursor: Cursor, assembler: Assembler) -> TagBlock:
    blocks: list[TagBlock] = []
    while frames := cursor.take(0):
        blocks += [assembler.add(frame, 1) for frame in frames]
    return join(blocks)


def test_the_tags_of_its_channels_from_now_on() -> None:
    tagger = SteppedTagger(CLICKS)
    tagger.advance(2000)
    feed = Feed(tagger, (1, 3))
    cursor = feed.ring.cursor()
    tagger.play([3000, 7000])
    got = read(cursor, Assembler((1, 3)))
    expected = pick(CLICKS.take(2000, 10_000), np.isin(CLICKS.take(2000, 10_000).channel, [1, 3]))
    assert rows_of(got) == rows_of(expected)
    assert (got.begin, got.end) == (2000, 10_000)
    assert feed.ring.counts.tolist() == [27, 27]
    feed.close()


def test_virtual_channels_that_exist_and_overflows() -> None:
    rows = [(100, 1, 0, 0), (200, -134217728, 2, 0), (200, 1, 4, 7), (200, 2, 4, 9), (300, -134217728, 3, 0)]
    tagger = SteppedTagger(block_of(rows, 0, 1000))
    late = DelayedChannel(tagger, 1, 500)
    channels = (1, late.getChannel())
    feed, tap = Feed(tagger, channels), Tap(tagger)
    cursor, assembler = feed.ring.cursor(), Assembler(channels)
    tagger.play()
    got = read(cursor, assembler)
    assert rows_of(got) == [row for row in tap.rows() if row[1] != 2]
    assert assembler.received.tolist() == [1, 1]
    assert assembler.missed[0] == 7
    feed.close()


def test_the_end_of_a_feed() -> None:
    tagger = SteppedTagger(CLICKS)
    feed = Feed(tagger, (1,))
    cursor = feed.ring.cursor()
    tagger.advance(5000)
    feed.close()
    assert cursor.take(0)
    with pytest.raises(EndOfFeed, match="has ended"):
        cursor.take(0)
    tagger.play()
    assert feed.ring.end == 5000
    assert tagger._hub.iterators() == []


def test_a_stream_that_breaks_off_ends_its_feeds() -> None:
    tagger = SteppedTagger(CLICKS)
    feed = Feed(tagger, (1,))
    tagger._hub.rest(OSError("cable unplugged"))
    with pytest.raises(EndOfFeed, match="cable unplugged"):
        feed.ring.cursor()


def test_a_tagger_that_starts_nothing_by_itself() -> None:
    tagger = SteppedTagger(CLICKS)
    tagger.xtra_setAutoStart(False)
    feed = Feed(tagger, (1,))
    tagger.play()
    assert feed.ring.end == 10_000
    feed.close()


def test_a_feed_changes_nothing_for_others() -> None:
    """The same simulated light with and without a feed that nobody reads."""
    totals = []
    for with_feed in (False, True):
        with simulated_tagger() as tagger:
            tagger.simulatePoisson([1, 2], 1e6)
            rate = Countrate(tagger, [1, 2])
            feed = Feed(tagger, (1, 2), capacity=10_000) if with_feed else None
            tagger.advance(10**10)
            totals.append(rate.getCountsTotal().tolist())
            if feed is not None:
                assert feed.ring.counts.tolist() == totals[0]
                feed.close()
    assert totals[0] == totals[1]
    assert min(totals[0]) > 1000
