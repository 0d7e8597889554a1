"""Flim and FlimBase against their oracle, wherever the stream is cut."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.measurements.flim import Flim
from tagwire.measurements.flim_base import FlimBase
from tagwire.testing.oracles.imaging import Image, flim
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import cuts, tag_blocks

CHANNELS = (1, 2, 3, 4, 5)
START, CLICK, PIXEL, END, FRAME = CHANNELS
blocks = st.tuples(st.sampled_from([0, 10**12, -(2**62), 2**62 - 10**6]), st.booleans()).flatmap(
    lambda given: tag_blocks(channels=CHANNELS, max_tags=80, begin=given[0], overflows=given[1])
)
scans = st.sampled_from(
    [
        (START, CLICK, PIXEL),
        (CLICK, CLICK, PIXEL),
        (START, PIXEL, PIXEL),  # the marker is a click as well
    ]
)
grids = st.tuples(st.integers(1, 3), st.integers(1, 8), st.integers(1, 200))
markers = st.sampled_from(
    [
        (CHANNEL_UNUSED, CHANNEL_UNUSED),
        (END, CHANNEL_UNUSED),
        (CHANNEL_UNUSED, FRAME),
        (END, FRAME),
        (PIXEL, CHANNEL_UNUSED),  # the same marker ends a pixel and begins the next
        (END, PIXEL),  # every pixel begins a frame
    ]
)


def total(images: list[Image], n_pixels: int, n_bins: int) -> list[list[int]]:
    """Sum of the histograms, with the dimensions of the API."""
    counts = np.zeros((n_pixels, n_bins), int)
    for image in images:
        counts[: len(image.histograms)] += np.array(image.histograms, int).reshape(-1, n_bins)
    return counts.T.tolist()


@settings(max_examples=150)
@given(st.data(), blocks, scans, grids, markers)
def test_frames_do_not_depend_on_the_cuts(data, block, channels, grid, marked):
    tagger = SteppedTagger(block, CHANNELS)
    measured = Flim(tagger, *channels, *grid, *marked)
    tagger.play(data.draw(cuts(block)))
    expected = flim(block, *channels, *grid, *marked)
    n_pixels, n_bins, _ = grid
    assert measured.getFramesAcquired() == len(expected.complete)
    assert measured.getConfiguration()["frames given up"] == expected.given_up
    assert measured.getReadyFrame().tolist() == total(expected.complete[-1:], n_pixels, n_bins)
    assert measured.getSummedFrames().tolist() == total(expected.complete, n_pixels, n_bins)

    current, info = expected.current or Image(0), measured.getCurrentFrameEx()
    assert info.getHistograms().tolist() == total([current], n_pixels, n_bins)
    assert (info.frame_number, info.isValid()) == (len(expected.complete), current.whole)
    assert info.getPixelPosition() == len(current.ends)
    rest = [0] * (n_pixels - len(current.begins))
    assert info.getPixelBegins().tolist() == current.begins + rest
    assert info.getPixelEnds().tolist() == current.ends + [block.end] * current.open + rest

    with_current = expected.complete + [current] * current.whole
    assert measured.getSummedFrames(only_ready_frames=False).tolist() == total(with_current, n_pixels, n_bins)


class Collecting(FlimBase):
    """Keeps what it is called with."""

    def __init__(self, *args):
        super().__init__(*args, pre_initialize=False)
        self.frames = []
        self.initialize()

    def frameReady(self, *frame):
        self.frames.append([f.tolist() if isinstance(f, np.ndarray) else f for f in frame])


@settings(max_examples=75)
@given(st.data(), blocks, grids, markers, st.integers(0, 2), st.integers(1, 3))
def test_every_output_frame_is_handed_on_once(data, block, grid, marked, finish, average):
    tagger = SteppedTagger(block, CHANNELS)
    measured = Collecting(tagger, START, CLICK, PIXEL, *grid, *marked, finish, average)
    stored = Flim(tagger, START, CLICK, PIXEL, *grid, *marked, finish, average)
    tagger.play(data.draw(cuts(block)))

    images = flim(block, START, CLICK, PIXEL, *grid, *marked).complete
    groups = [images[i : i + average] for i in range(0, len(images) - average + 1, average)][: finish or None]
    n_pixels, n_bins, _ = grid
    expected = [
        [
            number,
            np.array(total(group, n_pixels, n_bins)).T.ravel().tolist(),
            group[-1].begins,
            group[-1].ends,
            group[0].begin,
            group[-1].end,
        ]
        for number, group in enumerate(groups)
    ]
    assert measured.frames == expected
    done = 0 < finish <= len(groups)
    assert (measured.isAcquiring(), measured.isRunning()) == (not done, not done)
    assert measured.getCaptureDuration() == (groups[-1][-1].end if done else block.end) - block.begin

    assert stored.getFramesAcquired() == len(groups)
    for number, group in list(enumerate(groups))[:finish]:
        info = stored.getReadyFrameEx(number)
        assert (info.frame_number, info.valid, info.pixel_position) == (number, True, n_pixels)
        assert info.getHistograms().tolist() == total(group, n_pixels, n_bins)
        exposures = [sum(i.ends[k] - i.begins[k] for i in group) for k in range(n_pixels)]
        rates = info.getSummedCounts() / (np.array(exposures) / 1e12)
        np.testing.assert_allclose(info.getIntensities(), rates, rtol=1e-6)
