"""Scope and Sampler as a user meets them: types, shapes, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagType
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.measurements.sampler import Sampler
from tagwire.measurements.scope import Event, Scope
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of
from tagwire.virtual.combiner import Combiner

CHANNELS = (1, -1, 2, -2, 3)


def played(*tags: tuple[int, int], end: int = 1000) -> SteppedTagger:
    return SteppedTagger(block_of([(t, c, 0, 0) for t, c in tags], 0, end), CHANNELS)


def values(measured: Scope) -> list[list[tuple[int, int]]]:
    return [[(e.time, e.state) for e in events] for events in measured.getData()]


def test_a_trace_begins_with_the_level_at_the_trigger():
    tagger = played((5, 1), (10, 3), (20, -1), (30, 1), (110, -1))
    measured = Scope(tagger, [1, 2], 3, window_size=100)
    assert values(measured) == [[], []]
    tagger.play()
    assert values(measured) == [[(0, 1), (10, 2), (20, 1)], [(0, 0)]]
    assert isinstance(measured.getData(), tuple)
    assert measured.ready()
    assert not measured.isRunning()
    assert measured.getWindowSize() == 100
    assert measured.getCaptureDuration() == 110


def test_a_falling_edge_shows_the_inverted_signal():
    tagger = played((10, 3), (20, -1), (30, 1))
    measured = Scope(tagger, [-1, 1], 3, 100)
    tagger.play()
    assert values(measured) == [[(0, 0), (10, 1), (20, 2)], [(0, 0), (10, 2), (20, 1)]]


def test_an_overflow_in_a_trace_is_an_event():
    rows = [
        (10, 3, TagType.TimeTag, 0),
        (20, 1, TagType.TimeTag, 0),
        (30, CHANNEL_UNUSED, TagType.OverflowBegin, 0),
        (40, CHANNEL_UNUSED, TagType.OverflowEnd, 0),
        (50, -1, TagType.TimeTag, 0),
    ]
    tagger = SteppedTagger(block_of(rows, 0, 1000), CHANNELS)
    measured = Scope(tagger, [1, 2], 3, 100)
    tagger.play()
    assert values(measured) == [[(0, 0), (10, 1), (20, 0), (40, 2)], [(0, 0)]]


def test_a_trace_that_a_pause_interrupts_is_dropped():
    tagger = played((10, 3), (20, 1), (300, 3), (310, -1))
    measured = Scope(tagger, [1], 3, 100)
    tagger.advance(50)
    measured.stop()
    tagger.advance(200)
    measured.start()
    assert (values(measured), measured.triggered()) == ([[]], 0)
    tagger.play()
    assert values(measured) == [[(0, 0), (10, 2)]]


def test_both_edges_are_registered():
    tagger = played()
    with Scope(tagger, [1], 3):
        assert all(tagger.isChannelRegistered(c) for c in (1, -1, 3))
    assert not tagger.isChannelRegistered(-1)


def test_clear_begins_anew():
    tagger = played((10, 3), (20, 1), (500, 3))
    measured = Scope(tagger, [1], 3, 100)
    tagger.advance(300)
    assert measured.ready()
    measured.clear()
    measured.start()
    assert not measured.ready()
    tagger.play()
    assert values(measured) == [[(0, 0)]]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (([], 3), "event_channels is empty"),
        (([9], 3), "is 9, but"),
        (([1], 9), "trigger_channel is 9"),
        (([1], 3, 0), "window_size is 0"),
        (([1], 3, 2**62), "window_size is 4611686018427387904"),
        (([1], 3, 1, 1, 0), "n_max_events is 0"),
        (([1, 2], 3, 1, 2**16, 2**16), "too many for 2 inputs"),
    ],
)
def test_scope_refuses(arguments, told):
    tagger = played()
    with pytest.raises(ArgumentError, match=told):
        Scope(tagger, *arguments)
    assert not tagger.isChannelRegistered(3)


def test_scope_takes_virtual_channels_as_triggers_only():
    tagger = played((10, 2), (20, 1))
    combined = Combiner(tagger, [2, 3])
    with pytest.raises(ArgumentError, match="physical channels only"):
        Scope(tagger, [combined.getChannel()], 3)
    measured = Scope(tagger, [1], combined.getChannel(), 100)
    tagger.play()
    assert values(measured) == [[(0, 0), (10, 1)]]


def test_an_event_is_a_value():
    event = Event()
    assert (event.time, event.state) == (0, 0)
    event.time, event.state = 5, 2
    assert repr(event) == "Event(time=5, state=2)"
    with pytest.raises(ArgumentKindError):
        event.state = "high"
    with pytest.raises(ArgumentError):
        event.state = 3


def test_samples_and_masks():
    tagger = played((5, 3), (10, 1), (15, 3), (20, -2), (20, 3), (30, -1), (30, 2), (40, 3))
    sampler, masks = (Sampler(tagger, 3, [1, 2], 100) for _ in range(2))
    tagger.play()
    data = sampler.getData()
    assert data.dtype == np.int64
    assert data.tolist() == [[5, 2, 2], [15, 1, 2], [20, 1, 0], [40, 0, 1]]
    mask = masks.getDataAsMask()
    assert mask.dtype == np.int64
    assert mask.tolist() == [[5, -(2**63)], [15, 1 - 2**63], [20, 1], [40, 2]]
    assert sampler.getData().shape == (0, 3)
    assert sampler.getDataAsMask().shape == (0, 2)


def test_what_does_not_fit_is_dropped_until_data_are_fetched():
    tagger = played((10, 3), (20, 3), (30, 3))
    measured = Sampler(tagger, 3, [1], 1)
    tagger.advance(25)
    assert measured.getData()[:, 0].tolist() == [10]
    tagger.play()
    assert measured.getData()[:, 0].tolist() == [30]


def test_a_mask_has_63_bits():
    channels = list(range(1, 65))
    tagger = SteppedTagger(block_of([(c, c, 0, 0) for c in channels], 0, 100), channels)
    with pytest.raises(ArgumentError, match=r"channels has 64 values, but must have within \[1, 63\]"):
        Sampler(tagger, 64, channels, 1)
    measured = Sampler(tagger, 64, channels[:63], 1)
    tagger.play()
    assert measured.getDataAsMask().tolist() == [[64, 2**63 - 1]]


def test_a_sampler_needs_room():
    with pytest.raises(ArgumentError, match="max_triggers is 0"):
        Sampler(played(), 3, [1], 0)
