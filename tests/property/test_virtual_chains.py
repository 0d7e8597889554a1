"""Virtual channels on virtual channels: independent of block cutting, equal to the oracles one by one."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.enums import CoincidenceTimestamp
from tagwire.core.tags import TagBlock
from tagwire.engine.virtual import VirtualChannelBase
from tagwire.testing.oracles import virtual as oracle
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import Row, cuts, tag_blocks
from tagwire.testing.tap import Tap, rows_of
from tagwire.virtual.coincidence import Coincidences
from tagwire.virtual.combiner import Combiner
from tagwire.virtual.delayed import DelayedChannel, DelayedChannels
from tagwire.virtual.gated import GatedChannels

CHANNELS = (1, 2, 3)
Link = tuple[VirtualChannelBase, Callable[[list[Row]], list[Row]]]


def draw_link(data: st.DataObject, tagger: SteppedTagger, channels: list[int]) -> Link:
    """A virtual channel on any channels there are, and its oracle."""
    some = data.draw(st.lists(st.sampled_from(channels), min_size=1, max_size=3))
    kind = data.draw(st.sampled_from(["delayed", "coincidences", "combiner", "gated"]))
    if kind == "delayed":
        delay = data.draw(st.integers(-300, 300))
        copy = DelayedChannels(tagger, some, delay)
        return copy, lambda rows: oracle.delayed(rows, some, copy.getChannels(), delay)
    if kind == "combiner":
        combiner = Combiner(tagger, some)
        return combiner, lambda rows: oracle.combined(rows, some, combiner.getChannel())
    if kind == "gated":
        start, stop = data.draw(st.permutations(channels))[:2]
        gate = GatedChannels(tagger, some, start, stop)
        return gate, lambda rows: oracle.gated(rows, some, gate.getChannels(), start, stop, False)
    window, stamp = data.draw(st.integers(0, 200)), data.draw(st.sampled_from(CoincidenceTimestamp))
    groups = Coincidences(tagger, [some, channels[-2:]], window, stamp)
    return groups, lambda rows: oracle.coincidences(rows, [some, channels[-2:]], groups.getChannels(), window, stamp)


@given(st.data(), tag_blocks(CHANNELS, max_tags=25), st.integers(1, 4))
def test_any_chain(data, block, length):
    tagger = SteppedTagger(block, CHANNELS)
    links: list[Link] = []
    for _ in range(length):
        made = [c for channel, _ in links for c in channel._outputs]
        links.append(draw_link(data, tagger, [*CHANNELS, *made]))
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    rows = rows_of(block)
    for _, expected in links:
        added = sorted(expected(rows), key=lambda row: row[0])
        rows = oracle.with_added(rows, added, block.begin, block.end)
    assert tap.rows() == rows


@given(st.data(), tag_blocks(CHANNELS, overflows=False))
def test_a_coincidence_of_a_delayed_combination(data, block):
    """What one would do by hand: shift both channels back, and look for the third."""
    tagger = SteppedTagger(block, CHANNELS)
    either = Combiner(tagger, [1, 2])
    earlier = DelayedChannel(tagger, either.getChannel(), -40)
    pairs = Coincidences(tagger, [[earlier.getChannel(), 3]], 25)
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    assert sum(row[1] == pairs.getChannels()[0] for row in tap.rows()) == _pairs_by_hand(block)


def _pairs_by_hand(block: TagBlock) -> int:
    rows = [(t, c) for t, c, _, _ in rows_of(block)]
    shifted = sorted(
        [(t, 0, c) for t, c in rows if c == 3]
        + [(t - 40, 1, 0) for t, c in rows if c in (1, 2) and t - 40 >= block.begin]
    )
    latest: dict[bool, int] = {}
    count = 0
    for time, copied, _ in shifted:
        latest[bool(copied)] = time
        count += len(latest) == 2 and max(latest.values()) - min(latest.values()) <= 25
    return count
