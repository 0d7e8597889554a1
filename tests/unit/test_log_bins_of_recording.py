"""HistogramLogBins of a real recording, against a plain computation: two detectors behind a single quantum emitter."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import ptufile

from tagwire.core.tags import TagBlock
from tagwire.measurements.logbins import HistogramLogBins
from tagwire.testing.stepped import SteppedTagger


def test_every_bin_equals_a_plain_computation(recordings: Path) -> None:
    with ptufile.PtuFile(recordings / "hbt_320MHz_T2.ptu") as file:
        records = file.decode_records()
    photons = records[records["channel"] >= 0]
    time, channel = photons["time"].astype(np.int64), photons["channel"].astype(np.int32) + 1
    tagger = SteppedTagger(TagBlock(0, int(time[-1]) + 1, time, channel))
    measured = HistogramLogBins(tagger, 1, 2, -9, 0, 60)
    tagger.play(range(0, int(time[-1]), 10**10 + 7))
    clicks, starts, edges = time[channel == 1], time[channel == 2], measured.getBinEdges()
    older = np.array([np.searchsorted(starts, clicks - edge, side="right").sum() for edge in edges])
    data = measured.getDataObject()
    assert data.getCounts().tolist() == (older[:-1] - older[1:]).tolist()
    length = time[-1] + 1.0
    lags = np.minimum(edges, length)
    integral = np.diff(length * lags - lags**2 / 2)
    expected = integral * (len(clicks) / length) * (len(starts) / length)
    np.testing.assert_allclose(data.getG2Normalization(), expected, rtol=1e-9)
    np.testing.assert_allclose(data.getG2()[-10:], 1, atol=0.02)
