"""Counter against its oracle, wherever the stream is cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagwire.measurements.counter import Counter
from tagwire.testing.oracles.counting import counter
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, 3, -1)
channel_lists = st.lists(st.sampled_from(CHANNELS), min_size=1, max_size=4, unique=True)
widths = st.integers(40, 3000)
sizes = st.integers(1, 12)


@given(st.data(), tag_blocks(channels=CHANNELS), channel_lists, widths, sizes)
def test_traces_do_not_depend_on_the_cuts(data, block, channels, binwidth, n_values):
    tagger = SteppedTagger(block, CHANNELS)
    measured = Counter(tagger, channels, binwidth, n_values)
    tagger.play(data.draw(cuts(block)))
    bins = counter(block, channels, binwidth)

    rolling = np.zeros((len(channels), n_values), np.int32)
    sweep = rolling.copy()
    rates = np.full((len(channels), n_values), np.nan)
    for i, one in enumerate(bins):
        sweep[:, i % n_values] = one.counts
    for i, one in enumerate(bins[-n_values:][::-1]):
        rolling[:, -1 - i] = one.counts
        if not one.overflow:
            rates[:, -1 - i] = np.array(one.counts) * 1e12 / binwidth
    assert measured.getData().tolist() == rolling.tolist()
    assert measured.getData(rolling=False).tolist() == sweep.tolist()
    np.testing.assert_allclose(measured.getDataNormalized(), rates, rtol=1e-12)
    totals = [sum(b.counts[row] for b in bins) for row in range(len(channels))]
    assert measured.getDataTotalCounts().tolist() == totals


@given(st.data(), tag_blocks(channels=CHANNELS), channel_lists, widths, sizes)
def test_data_objects_account_for_every_bin_once(data, block, channels, binwidth, n_values):
    tagger = SteppedTagger(block, CHANNELS)
    measured = Counter(tagger, channels, binwidth, n_values)
    bins = counter(block, channels, binwidth)
    seen = 0
    for cut in [*data.draw(cuts(block)), block.end]:
        tagger.advance(cut)
        complete = (cut - block.begin) // binwidth
        remove = data.draw(st.booleans())
        taken = measured.getDataObject(remove)
        assert taken.size == min(complete - seen, n_values)
        assert taken.dropped_bins == complete - seen - taken.size
        expected = bins[complete - taken.size : complete]
        assert taken.getData().T.tolist() == [list(b.counts) for b in expected]
        assert taken.getTime().tolist() == [b.begin for b in expected]
        assert taken.getOverflowMask().tolist() == [b.overflow for b in expected]
        assert taken.overflow == any(b.overflow for b in expected)
        seen = complete if remove else seen


@given(st.data(), tag_blocks(channels=CHANNELS), widths)
def test_a_restart_begins_a_new_bin_and_drops_the_one_cut_short(data, block, binwidth):
    tagger = SteppedTagger(block, CHANNELS)
    measured = Counter(tagger, [1, -1], binwidth, 10_000)
    stopped, started = sorted(data.draw(st.tuples(*[st.integers(block.begin, block.end)] * 2)))
    tagger.advance(stopped)
    measured.stop()
    tagger.advance(started)
    measured.start()
    tagger.play(data.draw(cuts(block)))
    parts = block.take(block.begin, stopped), block.take(started, block.end)
    bins = [b for part in parts for b in counter(part, [1, -1], binwidth)]
    taken = measured.getDataObject()
    assert taken.getTime().tolist() == [b.begin for b in bins]
    assert taken.getData().T.tolist() == [list(b.counts) for b in bins]
    assert taken.getOverflowMask().tolist() == [b.overflow for b in bins]
