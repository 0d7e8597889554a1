"""Flim at its edges: arguments, storage, averages, frames that are given up, subclasses."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.tags import TagBlock, TagType
from tagwire.errors import ArgumentError, ArgumentKindError, StateError
from tagwire.measurements.flim import Flim
from tagwire.measurements.flim_base import FlimAbstract, FlimBase
from tagwire.measurements.flim_frame import FlimFrameInfo, Frame, FrameSum, add_counts
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of

START, CLICK, PIXEL, END, FRAME = range(1, 6)
CHANNELS = (START, CLICK, PIXEL, END, FRAME)
TAG = TagType.TimeTag


def scanned(*rows: tuple[int, int], end: int = 10_000) -> SteppedTagger:
    """A tagger with time tags given as (time, channel); begin with an overflow where the channel is 0."""
    tags = [(t, c, TAG, 0) if c else (t, -134217728, TagType.OverflowBegin, 0) for t, c in rows]
    return SteppedTagger(block_of(tags, 0, end), CHANNELS)


def frame_of(*counts_and_clicks: int, begin: int = 0) -> list[tuple[int, int]]:
    """Pixels of 100 ps with so many clicks each, 10 ps behind a start, and an end marker."""
    rows = []
    for place, clicks in enumerate(counts_and_clicks):
        t = begin + 100 * place
        rows += [(t, PIXEL), (t + 1, START), *[(t + 11, CLICK)] * clicks, (t + 100, END)]
    return sorted(rows, key=lambda row: row[0])


def test_a_pixel_is_half_open():
    rows = [(0, START), (10, PIXEL), (10, CLICK), (15, CLICK), (20, CLICK), (20, END), (21, CLICK)]
    tagger = scanned(*rows)
    image = Flim(tagger, START, CLICK, PIXEL, 1, 5, 5, END)
    tagger.play()
    assert image.getReadyFrame().T.tolist() == [[0, 0, 1, 1, 0]]
    assert image.getReadyFrameIntensity().tolist() == [np.float32(2 / 10e-12)]


def test_results_have_the_vendors_shapes_and_types():
    tagger = scanned(*frame_of(1, 2, 3))
    image = Flim(tagger, START, CLICK, PIXEL, 3, 4, 10, END)
    tagger.play()
    assert image.getIndex().tolist() == [0, 10, 20, 30]
    for histograms in (image.getReadyFrame(), image.getCurrentFrame(), image.getSummedFrames()):
        assert (histograms.shape, histograms.dtype) == ((4, 3), np.uint32)
    for rates in (image.getReadyFrameIntensity(), image.getCurrentFrameIntensity(), image.getSummedFramesIntensity()):
        assert (rates.shape, rates.dtype) == ((3,), np.float32)
    info = image.getReadyFrameEx()
    assert (info.pixels, info.bins, info.frame_number, info.pixel_position, info.valid) == (3, 4, 0, 3, True)
    assert (info.getFrameNumber(), info.getPixelPosition(), info.isValid()) == (0, 3, True)
    assert (info.getSummedCounts().tolist(), info.getSummedCounts().dtype) == ([1, 2, 3], np.uint64)
    assert info.getPixelBegins().tolist() == [0, 100, 200]
    assert info.getPixelEnds().tolist() == [100, 200, 300]
    assert info.getPixelEnds().dtype == info.getPixelBegins().dtype == np.int64


def test_results_are_the_callers_own():
    tagger = scanned(*frame_of(1, 2))
    image = Flim(tagger, START, CLICK, PIXEL, 2, 4, 10, END)
    tagger.play()
    with image.getReadyFrameEx() as info:
        for array in (image.getReadyFrame(), image.getSummedFrames(), info.getHistograms(), info.getPixelEnds()):
            array[:] = 9
        assert info.getHistograms()[1].tolist() == image.getSummedFrames()[1].tolist() == [1, 2]


def test_without_a_frame_everything_is_zero_and_not_valid():
    image = Flim(scanned(), START, CLICK, PIXEL, 2, 4, 10)
    for info in (image.getReadyFrameEx(), image.getSummedFramesEx(), image.getSummedFramesEx(False)):
        assert (info.isValid(), info.getFrameNumber(), info.getPixelPosition()) == (False, -1, 0)
        assert not info.getHistograms().any()
        assert np.isnan(info.getIntensities()).all()
    assert not image.getReadyFrame().any()
    assert image.getCurrentFrameEx().isValid()


def test_the_current_frame_tells_how_far_it_is():
    tagger = scanned(*frame_of(1, 2))
    image = Flim(tagger, START, CLICK, PIXEL, 2, 4, 10, END)
    tagger.advance(150)
    info = image.getCurrentFrameEx()
    assert (info.getPixelPosition(), info.getFrameNumber()) == (1, 0)
    assert info.getPixelEnds().tolist() == [100, 150]
    assert info.getIntensities().tolist() == [np.float32(1 / 100e-12), np.float32(2 / 50e-12)]
    assert image.getSummedFrames().tolist() == [[0, 0]] * 4
    assert image.getSummedFrames(only_ready_frames=False)[1].tolist() == [1, 2]
    image.stop()
    assert not image.getSummedFrames(only_ready_frames=True).any()


def test_a_stop_spoils_the_frame_and_clear_begins_anew():
    tagger = scanned(*frame_of(1, 1), *frame_of(2, 2, begin=200), *frame_of(3, 3, begin=400))
    image = Flim(tagger, START, CLICK, PIXEL, 2, 4, 10, END)
    tagger.advance(60)
    image.stop()
    image.start()
    assert not image.getCurrentFrameEx().isValid()
    tagger.advance(350)
    assert (image.getFramesAcquired(), image.getConfiguration()["frames given up"]) == (0, 1)
    image.clear()
    assert image.getConfiguration()["frames given up"] == 0
    tagger.play()
    assert image.getReadyFrame()[1].tolist() == [3, 3]  # the marker at 350 had closed the old frame's last pixel


def test_an_overflow_gives_up_its_frame_only():
    rows = [*frame_of(1, 1), (230, 0), *frame_of(2, 2, begin=200), *frame_of(3, 3, begin=400)]
    tagger = scanned(*sorted(rows, key=lambda row: row[0]))
    image = Flim(tagger, START, CLICK, PIXEL, 2, 4, 10, END, finish_after_outputframe=5)
    tagger.advance(250)
    assert not image.getCurrentFrameEx().isValid()
    assert image.getSummedFrames(False)[1].tolist() == [1, 1]
    tagger.play()
    assert image.getFramesAcquired() == 2
    assert image.getReadyFrame(1)[1].tolist() == [3, 3]
    assert image.getConfiguration()["frames given up"] == 1


def test_frames_are_stored_up_to_the_number_asked_for():
    tagger = scanned(*frame_of(1, 1), *frame_of(2, 2, begin=200), *frame_of(3, 3, begin=400))
    image = Flim(tagger, START, CLICK, PIXEL, 2, 4, 10, END, finish_after_outputframe=2)
    assert image.isAcquiring()
    tagger.advance(300)
    assert not image.getReadyFrameEx(1).isValid()
    tagger.play()
    assert (image.isAcquiring(), image.isRunning(), image.getCaptureDuration()) == (False, False, 400)
    assert [image.getReadyFrame(k)[1].tolist() for k in (0, 1, -1)] == [[1, 1], [2, 2], [2, 2]]


def test_after_the_last_frame_it_does_not_start_again_but_after_clear():
    tagger = scanned(*frame_of(1), *frame_of(2, begin=200), *frame_of(3, begin=400))
    image = Flim(tagger, START, CLICK, PIXEL, 1, 4, 10, END, finish_after_outputframe=1)
    tagger.advance(150)
    image.start()
    tagger.advance(350)
    assert (image.isRunning(), image.getReadyFrame()[1].tolist()) == (False, [1])
    image.clear()
    assert image.isAcquiring()
    image.start()
    tagger.play()
    assert image.getReadyFrame()[1].tolist() == [3]


@pytest.mark.parametrize(("finish", "index"), [(0, 0), (0, -2), (2, 2), (2, -2)])
def test_an_index_out_of_range_is_refused(finish, index):
    image = Flim(scanned(), START, CLICK, PIXEL, 1, 4, 10, finish_after_outputframe=finish)
    for call in (image.getReadyFrame, image.getReadyFrameEx, image.getReadyFrameIntensity):
        with pytest.raises(ArgumentError, match=f"index is {index}"):
            call(index)


def test_the_sum_can_be_begun_anew():
    tagger = scanned(*[row for k in range(4) for row in frame_of(k + 1, begin=200 * k)])
    image = Flim(tagger, START, CLICK, PIXEL, 1, 4, 10, END)
    tagger.advance(550)  # three frames
    assert image.getSummedFrames(clear_summed=True)[1].tolist() == [1 + 2 + 3]
    assert not image.getSummedFramesEx().isValid()
    tagger.play()
    info = image.getSummedFramesEx()
    assert (info.getHistograms()[1].tolist(), info.getFrameNumber()) == ([4], 3)
    assert image.getSummedFramesIntensity().tolist() == [np.float32(4 / 100e-12)]
    assert image.getFramesAcquired() == 4


def test_averaged_frames_add_counts_and_integration_times():
    tagger = scanned(*frame_of(1), *frame_of(2, begin=200), *frame_of(4, begin=400))
    image = Flim(tagger, START, CLICK, PIXEL, 1, 4, 10, END, n_frame_average=2)
    tagger.play()
    info = image.getReadyFrameEx()
    assert (image.getFramesAcquired(), info.getSummedCounts().tolist()) == (1, [3])
    assert info.getIntensities().tolist() == [np.float32(3 / 200e-12)]
    assert (info.getPixelBegins().tolist(), info.getPixelEnds().tolist()) == ([200], [300])
    assert image.getCurrentFrame()[1].tolist() == [4]  # the first of the next two


def test_counts_stay_at_their_largest_value():
    total = np.array([2**32 - 3, 5], np.uint32)
    add_counts(total, np.array([10, 1], np.uint32))
    assert total.tolist() == [2**32 - 1, 6]


def test_a_sum_does_not_change_the_frames_in_it():
    frames = [Frame.empty(2, 3).plus(Frame.empty(2, 3)) for _ in range(3)]
    for frame in frames:
        frame.counts[:] = 1
    total = FrameSum()
    for frame in frames:
        total.add(frame)
    assert total.frame is not None
    assert total.frame.counts.tolist() == [[3] * 3] * 2
    assert all((f.counts == 1).all() for f in frames)


class Watching(Flim):
    """Notes what it is called with, and stops after some frames."""

    def __init__(self, tagger, stop_at, **options):
        super().__init__(tagger, START, CLICK, PIXEL, 1, 4, 10, END, **options, pre_initialize=False)
        self.seen = []
        self.stop_at = stop_at
        self.initialize()
        self.initialize()  # makes no difference

    def frameReady(self, frame_number, data, pixel_begin_times, pixel_end_times, frame_begin_time, frame_end_time):
        assert self.getReadyFrameEx().getFrameNumber() == frame_number
        self.seen.append((frame_number, data, pixel_begin_times[0], frame_begin_time, frame_end_time))
        if len(self.seen) == self.stop_at:
            self.stop()


def test_a_subclass_may_stop_at_a_frame():
    tagger = scanned(*[row for k in range(4) for row in frame_of(k + 1, begin=200 * k)])
    image = Watching(tagger, 2)
    tagger.play()
    assert [(n, data[1], *rest) for n, data, *rest in image.seen] == [(0, 1, 0, 0, 100), (1, 2, 200, 200, 300)]
    assert (image.isRunning(), image.getFramesAcquired(), image.getCaptureDuration()) == (False, 2, 300)
    assert not image.seen[0][1].flags.writeable


def test_before_initialize_nothing_is_measured():
    tagger = scanned(*frame_of(1))
    image = FlimBase(tagger, START, CLICK, PIXEL, 1, 4, 10, END, pre_initialize=False)
    assert (image.isRunning(), image.isAcquiring()) == (False, True)
    with pytest.raises(StateError, match="initialize"):
        image.start()
    tagger.advance(5)
    image.initialize()
    tagger.play()
    assert image.getCaptureDuration() == 10_000 - 5


class Failing(FlimBase):
    """Fails at the first frame."""

    def frameReady(self, *frame):
        raise ZeroDivisionError("in the user's code")


def test_an_error_in_frame_ready_ends_this_measurement_only(caplog):
    tagger = scanned(*frame_of(1), *frame_of(2, begin=200))
    failing = Failing(tagger, START, CLICK, PIXEL, 1, 4, 10, END)
    image = Flim(tagger, START, CLICK, PIXEL, 1, 4, 10, END)
    tagger.play()
    assert not failing.isRunning()
    assert image.getFramesAcquired() == 2
    assert "in the user's code" in caplog.text
    with pytest.raises(StateError, match="in the user's code"):
        failing.waitUntilFinished()


GOOD = {"start_channel": 1, "click_channel": 2, "pixel_begin_channel": 3, "n_pixels": 2, "n_bins": 4, "binwidth": 10}


@pytest.mark.parametrize("kind", [Flim, FlimBase])
@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("start_channel", 9, ArgumentError),
        ("click_channel", -134217728, ArgumentError),
        ("pixel_begin_channel", 0, ArgumentError),
        ("pixel_end_channel", 9, ArgumentError),
        ("frame_begin_channel", 9, ArgumentError),
        ("n_pixels", 0, ArgumentError),
        ("n_pixels", 2**26, ArgumentError),
        ("n_bins", 2**27 + 1, ArgumentError),
        ("n_bins", 1.5, ArgumentKindError),
        ("binwidth", 0, ArgumentError),
        ("binwidth", 2**60, ArgumentError),
        ("finish_after_outputframe", -1, ArgumentError),
        ("finish_after_outputframe", 2**31, ArgumentError),
        ("n_frame_average", 0, ArgumentError),
        ("pre_initialize", 1, ArgumentKindError),
    ],
)
def test_bad_arguments_are_named(kind, name, value, error):
    tagger = scanned()
    with pytest.raises(error, match=name):
        kind(tagger, **{**GOOD, name: value})
    assert tagger._hub.iterators() == []


def test_stored_frames_are_limited_by_memory():
    with pytest.raises(ArgumentError, match=r"finish_after_outputframe is 16777217, .* \[0, 16777216\]"):
        Flim(scanned(), **GOOD, finish_after_outputframe=2**24 + 1)
    assert FlimBase(scanned(), **GOOD, finish_after_outputframe=2**24 + 1).isAcquiring()


def test_what_has_no_constructor_says_so():
    with pytest.raises(AttributeError, match="abstract"):
        FlimAbstract(scanned(), 1, 2, 3, 1, 1, 1, 1, 1, 1, 1)
    with pytest.raises(AttributeError, match="No constructor defined"):
        FlimFrameInfo()


def test_missed_events_change_nothing():
    rows = [(0, PIXEL, TAG, 0), (1, START, TAG, 0), (5, CLICK, TagType.MissedEvents, 7), (6, CLICK, TAG, 0)]
    rows += [(7, END, TagType.MissedEvents, 1), (9, END, TAG, 0)]
    tagger = SteppedTagger(block_of(rows, 0, 100), CHANNELS)
    image = Flim(tagger, START, CLICK, PIXEL, 1, 1, 10, END)
    tagger.play()
    assert image.getReadyFrame().tolist() == [[1]]
    assert image.getReadyFrameEx().getPixelEnds().tolist() == [9]


def test_memory_does_not_grow_with_the_stream():
    block = TagBlock(0, 10**9, np.arange(0, 10**9, 1000), np.tile(np.array([1, 2], np.int32), 500_000))
    tagger = SteppedTagger(block, CHANNELS)
    image = Flim(tagger, START, CLICK, PIXEL, 1, 4, 10)
    tagger.play(range(0, 10**9, 10**7))
    assert len(image._scan._pairs.starts) <= 2 * 10_000
