"""PulsePerSecondMonitor against its oracle, for pulses that come, come late, stay away and get lost."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagwire.core.tags import TagType
from tagwire.errors import ArgumentError, ArgumentKindError, FileUnwritable
from tagwire.measurements.pps import PulsePerSecondData, PulsePerSecondMonitor
from tagwire.testing.oracles.pulses import pulse_rows
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.strategies import block_of, cuts

PERIOD = 10**6
CHANNELS = (1, 2, 3)


@st.composite
def pulses(draw: st.DrawFn):
    """Three sources of pulses with gaps, jitter, extra pulses and overflows."""
    rows = []
    for channel in CHANNELS:
        for k in range(draw(st.integers(0, 12))):
            late = draw(st.one_of(st.integers(-20, 20), st.integers(-PERIOD, PERIOD)))
            if draw(st.integers(0, 5)):
                rows.append((10**7 + k * PERIOD + late, channel, TagType.TimeTag, 0))
    for t in draw(st.lists(st.integers(10**7, 10**7 + 12 * PERIOD), max_size=1)):
        rows = [r for r in rows if not t <= r[0] <= t + 3 * PERIOD]
        rows += [(t, -134217728, TagType.OverflowBegin, 0), (t + 3 * PERIOD, -134217728, TagType.OverflowEnd, 0)]
        rows += [(t + 5, 1, TagType.MissedEvents, draw(st.integers(1, 3)))]
    return block_of(sorted(rows), 0, 10**7 + draw(st.integers(13, 16)) * PERIOD)


def numbers(values):
    return [None if np.isnan(v) else int(v) for v in values]


@given(st.data(), pulses())
@settings(max_examples=120)
def test_rows_are_those_of_the_oracle(data, block):
    tagger = SteppedTagger(block, CHANNELS)
    monitor = PulsePerSecondMonitor(tagger, 1, [3, 2], period=PERIOD)
    parts = []
    for cut in [*data.draw(cuts(block)), block.end]:
        tagger.advance(cut)
        parts.append(monitor.getDataObject(remove=True))
    found = [
        (int(i), *numbers([r]), numbers(s))
        for part in parts
        for i, r, s in zip(part.getIndices(), part.getReferenceOffsets(), part.getSignalOffsets(), strict=True)
    ]
    expected = pulse_rows(block, 1, [3, 2], PERIOD)
    assert found == expected
    status = [bool(s) for part in parts for s in part.getStatus()]
    assert status == [r is not None and None not in s for _, r, s in expected]


def steady(count=5, late=250):
    return block_of(
        sorted(
            [(10**6 + k * PERIOD, 1, 0, 0) for k in range(count)]
            + [(10**6 + k * PERIOD + late, 2, 0, 0) for k in range(count)]
        ),
        0,
        (count + 1) * PERIOD,
    )


def test_shapes_types_and_the_computers_time():
    before = datetime.now(UTC).timestamp()
    tagger = SteppedTagger(steady(), CHANNELS)
    monitor = PulsePerSecondMonitor(tagger, 1, [2, 3], "", PERIOD)
    tagger.play()
    with monitor.getDataObject() as data:
        assert data.size == 5
        assert data.getIndices().dtype == np.int64
        assert data.getReferenceOffsets().tolist() == [0] * 5
        assert data.getSignalOffsets().shape == (5, 2)
        assert data.getSignalOffsets()[:, 0].tolist() == [250] * 5
        assert np.isnan(data.getSignalOffsets()[:, 1]).all()
        assert data.getStatus().dtype == np.bool_
        assert not data.getStatus().any()
        utc = data.getUtcSeconds()
        assert before <= utc[0] <= utc[-1] <= datetime.now(UTC).timestamp()
        parsed = datetime.strptime(data.getUtcDates()[0], "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
        assert parsed.timestamp() == pytest.approx(utc[0], abs=1e-5)
    monitor.clear()
    empty = monitor.getDataObject()
    assert (empty.size, empty.getSignalOffsets().shape) == (0, (0, 2))


def test_rows_are_written_to_a_file(tmp_path):
    file = tmp_path / "pps.csv"
    tagger = SteppedTagger(steady(), CHANNELS)
    monitor = PulsePerSecondMonitor(tagger, 1, [2, 3], str(file), PERIOD)
    tagger.play()
    with file.open(newline="") as lines:
        head, *rows = csv.reader(lines)
    assert head[0] == "index"
    assert len(head) == 6
    dates = monitor.getDataObject().getUtcDates()
    assert rows == [[str(i), dates[i], "0", "0", "250", ""] for i in range(5)]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((7, [2]), ArgumentError),
        ((1, []), ArgumentError),
        ((1, [2, 2]), ArgumentError),
        ((1, [2], "", 10), ArgumentError),
        ((1, [2], 5), ArgumentKindError),
        ((1, [2], "no such folder/x.csv"), FileUnwritable),
    ],
)
def test_wrong_arguments_are_refused(arguments, error):
    tagger = SteppedTagger(steady(), CHANNELS)
    with pytest.raises(error):
        PulsePerSecondMonitor(tagger, *arguments)
    assert tagger.getRegistrations(1) == 0


def test_data_objects_come_from_the_monitor_only():
    with pytest.raises(AttributeError):
        PulsePerSecondData()
