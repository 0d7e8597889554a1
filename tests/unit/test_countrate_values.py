"""Countrate: when its time begins, and what it counts."""

from __future__ import annotations

import numpy as np

from tagwire.core.tags import TagType
from tagwire.measurements.countrate import Countrate
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of

PS = 10**12


def test_time_begins_with_the_first_tag_on_any_of_the_channels():
    rows = [(PS, 3, 0, 0), (2 * PS, 1, 0, 0), (3 * PS, 2, 0, 0), (4 * PS, 2, 0, 0)]
    tagger = SteppedTagger(block_of(rows, 0, 6 * PS), [1, 2, 3])
    rate = Countrate(tagger, [1, 2])
    tagger.advance(2 * PS)
    assert np.isnan(rate.getData()).all()
    tagger.play()
    assert rate.getData().tolist() == [0.25, 0.5]


def test_missed_events_count_and_begin_the_time():
    rows = [(0, -134217728, TagType.OverflowBegin, 0), (PS, 1, TagType.MissedEvents, 100)]
    tagger = SteppedTagger(block_of(rows, 0, 2 * PS), [1])
    rate = Countrate(tagger, [1])
    tagger.play()
    assert (rate.getCountsTotal().tolist(), rate.getData().tolist()) == ([100], [100.0])


def test_clear_waits_for_the_first_tag_again():
    tagger = SteppedTagger(block_of([(0, 1, 0, 0), (3 * PS, 1, 0, 0)], 0, 4 * PS), [1])
    rate = Countrate(tagger, [1])
    tagger.advance(2 * PS)
    rate.clear()
    assert np.isnan(rate.getData()).all()
    tagger.play()
    assert rate.getData().tolist() == [1.0]


def test_time_while_stopped_does_not_count():
    tagger = SteppedTagger(block_of([(0, 1, 0, 0), (PS, 1, 0, 0), (3 * PS, 1, 0, 0)], 0, 4 * PS), [1])
    rate = Countrate(tagger, [1])
    tagger.advance(PS)
    rate.stop()
    tagger.advance(3 * PS)
    rate.start()
    tagger.play()
    assert rate.getData().tolist() == [1.0]
    assert rate.getCountsTotal().tolist() == [2]
