"""Virtual channels on virtual channels: independent of block cutting, equal to the oracles one by one."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.enums import CoincidenceTimestamp
from tagwire.core.tags import TagBlock
from tagwire.engine.iterator import IteratorBase
from tagwire.testing.oracles import generated, selective
from tagwire.testing.oracles import virtual as oracle
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import Row, cuts, tag_blocks
from tagwire.testing.tap import Tap, rows_of
from tagwire.virtual.coincidence import Coincidences
from tagwire.virtual.combinations import Combinations
from tagwire.virtual.combiner import Combiner
from tagwire.virtual.conditional import ConditionalFilterChannel
from tagwire.virtual.countrate_trigger import TriggerOnCountrate
from tagwire.virtual.delayed import DelayedChannel, DelayedChannels
from tagwire.virtual.discriminator import ConstantFractionDiscriminator
from tagwire.virtual.gated import GatedChannels
from tagwire.virtual.generator import EventGenerator
from tagwire.virtual.multiplier import FrequencyMultiplier
from tagwire.virtual.overflow import OverflowInjector

CHANNELS = (1, 2, -1)
Stream = Callable[[list[Row]], list[Row]]
Link = tuple[IteratorBase, Stream]


class Maker:
    """Makes virtual channels on any channels there are, each with what it does to the rows of the stream."""

    def __init__(self, data: st.DataObject, tagger: SteppedTagger, block: TagBlock, channels: list[int]) -> None:
        self.draw = data.draw
        self.tagger = tagger
        self.block = block
        self.channels = channels

    def make(self) -> Link:
        kinds = [name for name in dir(self) if name.startswith("link_")]
        return getattr(self, self.draw(st.sampled_from(kinds)))()

    def some(self) -> list[int]:
        return self.draw(st.lists(st.sampled_from(self.channels), min_size=1, max_size=3))

    def one(self) -> int:
        return self.draw(st.sampled_from(self.channels))

    def span(self) -> int:
        return self.draw(st.integers(1, 200))

    def adds(self, added: Stream) -> Stream:
        """What a stage that only adds tags does to the stream."""

        def apply(rows: list[Row]) -> list[Row]:
            ordered = sorted(added(rows), key=lambda row: row[0])
            return oracle.with_added(rows, ordered, self.block.begin, self.block.end)

        return apply

    def link_delayed(self) -> Link:
        some, delay = self.some(), self.draw(st.integers(-300, 300))
        made = DelayedChannels(self.tagger, some, delay)
        return made, self.adds(lambda rows: oracle.delayed(rows, some, made.getChannels(), delay))

    def link_combiner(self) -> Link:
        some = self.some()
        made = Combiner(self.tagger, some)
        return made, self.adds(lambda rows: oracle.combined(rows, some, made.getChannel()))

    def link_gated(self) -> Link:
        some, (start, stop) = self.some(), self.draw(st.permutations(self.channels))[:2]
        made = GatedChannels(self.tagger, some, start, stop)
        return made, self.adds(lambda rows: oracle.gated(rows, some, made.getChannels(), start, stop, False))

    def link_coincidences(self) -> Link:
        groups = [self.some(), self.channels[-2:]]
        window, stamp = self.span(), self.draw(st.sampled_from(CoincidenceTimestamp))
        made = Coincidences(self.tagger, groups, window, stamp)
        return made, self.adds(lambda rows: oracle.coincidences(rows, groups, made.getChannels(), window, stamp))

    def link_combinations(self) -> Link:
        watched, window, end = list(dict.fromkeys(self.some())), self.span(), self.block.end
        made = Combinations(self.tagger, watched, window)
        by_set = {frozenset(c): made.getChannel(c) for c in ([watched[0]], watched)}
        by_sum = {1: made.getSumChannel(1)}
        return made, self.adds(lambda rows: selective.combinations(rows, watched, window, end, by_set, by_sum))

    def link_conditional(self) -> Link:
        some, triggers = self.some(), self.some()
        made = ConditionalFilterChannel(self.tagger, some, triggers)
        return made, self.adds(lambda rows: selective.conditionally_filtered(rows, some, made.getChannels(), triggers))

    def link_discriminator(self) -> Link:
        window = self.span()
        made = ConstantFractionDiscriminator(self.tagger, [1], window)
        return made, self.adds(lambda rows: selective.pulse_centres(rows, [(1, -1)], made.getChannels(), window))

    def link_generator(self) -> Link:
        trigger, stop = self.one(), self.draw(st.sampled_from([CHANNEL_UNUSED, *self.channels]))
        pattern = self.draw(st.lists(st.integers(-100, 200), min_size=1, max_size=3))
        divider = self.draw(st.integers(1, 3))
        made = EventGenerator(self.tagger, trigger, pattern, divider, divider - 1, stop)
        return made, self.adds(
            lambda rows: generated.patterns(rows, trigger, pattern, divider, divider - 1, stop, made.getChannel())
        )

    def link_multiplier(self) -> Link:
        source, multiplier = self.one(), self.draw(st.integers(1, 3))
        made = FrequencyMultiplier(self.tagger, source, multiplier)
        return made, self.adds(lambda rows: generated.multiplied(rows, source, multiplier, made.getChannel()))

    def link_countrate(self) -> Link:
        source, window, span = self.one(), self.span(), (self.block.begin, self.block.end)
        rate = self.draw(st.integers(0, 4)) * 1e12 / window
        made = TriggerOnCountrate(self.tagger, source, rate, 0.0, window)
        outputs = made.getChannelAbove(), made.getChannelBelow()
        return made, self.adds(
            lambda rows: generated.countrate_crossings(rows, source, rate, 0.0, window, span, outputs)
        )

    def link_overflow(self) -> Link:
        delay, length = self.draw(st.integers(0, 2000)), self.draw(st.integers(0, 500))
        begin = self.block.begin + delay
        made = OverflowInjector(self.tagger, delay, length)
        return made, lambda rows: generated.with_overflow(rows, begin, begin + length, self.block.end)


@given(st.data(), tag_blocks(CHANNELS, max_tags=25), st.integers(1, 5))
def test_any_chain(data, block, length):
    tagger = SteppedTagger(block, CHANNELS)
    links: list[Link] = []
    for _ in range(length):
        made = [c for iterator, _ in links for c in iterator._outputs]
        links.append(Maker(data, tagger, block, [*CHANNELS, *made]).make())
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    rows = rows_of(block)
    for _, stage in links:
        rows = stage(rows)
    assert tap.rows() == rows


@given(st.data(), tag_blocks((1, 2, 3), overflows=False))
def test_a_coincidence_of_a_delayed_combination(data, block):
    """What one would do by hand: shift both channels back, and look for the third."""
    tagger = SteppedTagger(block, (1, 2, 3))
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
