"""EventGenerator, FrequencyMultiplier, TriggerOnCountrate: independent of block cutting, equal to the oracle."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.testing.oracles import generated
from tagwire.testing.oracles.virtual import with_added
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, distances, tag_blocks
from tagwire.testing.tap import Tap, rows_of
from tagwire.virtual.countrate_trigger import TriggerOnCountrate
from tagwire.virtual.generator import EventGenerator
from tagwire.virtual.multiplier import FrequencyMultiplier

CHANNELS = (1, 2, 3)
CHANNEL = st.sampled_from(CHANNELS)


def by_time(rows):
    return sorted(rows, key=lambda row: row[0])


@given(st.data(), tag_blocks(CHANNELS), CHANNEL, CHANNEL | st.just(CHANNEL_UNUSED), st.integers(1, 4))
def test_patterns(data, block, trigger, stop, divider):
    times = st.one_of(distances(block), distances(block).map(lambda ps: -ps), st.integers(-100, 100))
    pattern = data.draw(st.lists(times, min_size=1, max_size=6))
    offset = data.draw(st.integers(0, 2 * divider))
    tagger = SteppedTagger(block, CHANNELS)
    made = EventGenerator(tagger, trigger, pattern, divider, offset, stop)
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    rows = rows_of(block)
    added = generated.patterns(rows, trigger, pattern, divider, offset, stop, made.getChannel())
    assert tap.rows() == with_added(rows, by_time(added), block.begin, block.end)


@given(st.data(), tag_blocks(CHANNELS), st.integers(1, 9))
def test_multiples(data, block, multiplier):
    tagger = SteppedTagger(block, CHANNELS)
    made = FrequencyMultiplier(tagger, 1, multiplier)
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    rows = rows_of(block)
    added = generated.multiplied(rows, 1, multiplier, made.getChannel())
    assert tap.rows() == with_added(rows, by_time(added), block.begin, block.end)


@given(st.data(), tag_blocks(CHANNELS), st.floats(0, 8), st.sampled_from([0.0, 0.4, 1.0, 2.5]))
def test_crossings_of_a_rate(data, block, count, band):
    window = data.draw(st.one_of(distances(block).map(lambda ps: max(1, ps)), st.integers(1, 400)))
    if data.draw(st.booleans()):
        count = round(count)
    reference, hysteresis = (float(Fraction(x) * 10**12 / window) for x in (count, band))
    tagger = SteppedTagger(block, CHANNELS)
    made = TriggerOnCountrate(tagger, 1, reference, hysteresis, window)
    tap = Tap(tagger)
    tagger.play(data.draw(cuts(block)))
    rows, span = rows_of(block), (block.begin, block.end)
    added = generated.countrate_crossings(rows, 1, reference, hysteresis, window, span, made.getChannels())
    assert tap.rows() == with_added(rows, added, *span)
