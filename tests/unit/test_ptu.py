"""PTU files: small ones written byte by byte, and a real one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import ptu_bytes as ptu
import pytest

from tagwire.core.tags import TagBlock, join
from tagwire.errors import FileUnreadable
from tagwire.recording.files import open_recording
from tagwire.recording.ptu import CHANNEL_MARKER, CHANNEL_SYNC, PtuRecording


def tags(path: Path, chunk: int = 1 << 20) -> list[tuple[int, int]]:
    """Every (time, channel) of a file, decoded `chunk` records at a time."""
    recording = PtuRecording(path, chunk)
    whole = join(list(recording.blocks()))
    recording.close()
    assert (whole.begin, whole.end) == (0, recording.end)
    return list(zip(whole.time.tolist(), whole.channel.tolist(), strict=True))


T2_RECORDS = [
    ptu.t2(0, 5), ptu.t2(1, 9), ptu.t2_special(0, 20), ptu.t2(0, 20), ptu.t2_special(5, 30),
    ptu.t2_special(63, 1), ptu.t2(3, 0), ptu.t2_special(63, 200), ptu.t2(0, 7),
]  # fmt: skip
T2_TAGS = [
    (5, 1), (9, 2), (20, CHANNEL_SYNC), (20, 1), (30, CHANNEL_MARKER + 1), (30, CHANNEL_MARKER + 3),
    (2**25, 4), (201 * 2**25 + 7, 1),
]  # fmt: skip


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 5, 100])
@pytest.mark.parametrize("resolution", [1, 25])
def test_hydraharp_t2(tmp_path: Path, chunk: int, resolution: int) -> None:
    path = ptu.write(tmp_path / "a.ptu", ptu.HYDRAHARP_T2, T2_RECORDS, resolution * 1e-12)
    assert tags(path, chunk) == [(t * resolution, c) for t, c in T2_TAGS]


def test_a_resolution_that_is_no_whole_number_of_picoseconds(tmp_path: Path) -> None:
    path = ptu.write(tmp_path / "a.ptu", ptu.HYDRAHARP_T2, [ptu.t2(0, n) for n in range(5)], 1.25e-12)
    assert [t for t, _ in tags(path)] == [0, 1, 3, 4, 5]


@pytest.mark.parametrize("chunk", [1, 2, 100])
def test_picoharp_t2(tmp_path: Path, chunk: int) -> None:
    wrap = 210_698_240
    records = [
        ptu.picoharp_t2(0, 5), ptu.picoharp_t2(1, 48), ptu.picoharp_t2(15, 32 + 2), ptu.picoharp_t2(15, 0),
        ptu.picoharp_t2(4, 7),
    ]  # fmt: skip
    path = ptu.write(tmp_path / "a.ptu", ptu.PICOHARP_T2, records, 4e-12)
    read = tags(path, chunk)
    assert read[0] == (20, 1)
    assert (192, 2) in read
    assert [c for t, c in read if c > 100] == [CHANNEL_MARKER + 2]
    assert read[-1] == ((wrap + 7) * 4, 5)


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 5, 6, 7, 100])
def test_hydraharp_t3(tmp_path: Path, chunk: int) -> None:
    period, bins = 12_500, 16
    records = [
        ptu.t3(0, 10, 3), ptu.t3(1, 5, 3), ptu.t3(1, 900, 4), ptu.t3(0, 0, 5), ptu.t3_special(2, 6),
        ptu.t3_special(63, 1), ptu.t3(2, 100, 0), ptu.t3_special(63, 3), ptu.t3(0, 1, 1023),
    ]  # fmt: skip
    path = ptu.write(tmp_path / "a.ptu", ptu.HYDRAHARP_T3, records, 12.5e-9, 16e-12, HW_InpChannels=4)
    expected = [
        (3 * period, CHANNEL_SYNC), (3 * period + 5 * bins, 2), (3 * period + 10 * bins, 1),
        (4 * period, CHANNEL_SYNC), (5 * period, CHANNEL_SYNC), (5 * period, 1),
        (4 * period + 900 * bins, 2), (6 * period, CHANNEL_MARKER + 2), (1024 * period, CHANNEL_SYNC),
        (1024 * period + 100 * bins, 3), (5119 * period, CHANNEL_SYNC), (5119 * period + bins, 1),
    ]  # fmt: skip
    assert tags(path, chunk) == sorted(expected, key=lambda tag: tag[0])
    assert open_recording(path).channels == (1, 2, 3, 4, CHANNEL_SYNC, CHANNEL_MARKER + 2)


def test_picoharp_t3(tmp_path: Path) -> None:
    records = [
        ptu.picoharp_t3(1, 5, 9), ptu.picoharp_t3(15, 3, 8), ptu.picoharp_t3(15, 0, 0), ptu.picoharp_t3(2, 7, 1)
    ]  # fmt: skip
    records[1] = ptu.picoharp_t3(15, 3, 10)
    path = ptu.write(tmp_path / "a.ptu", ptu.PICOHARP_T3, records, 50e-9, 4e-12)
    expected = [
        (450_000, CHANNEL_SYNC), (450_020, 1), (500_000, CHANNEL_MARKER + 1), (500_000, CHANNEL_MARKER + 2),
        (65_537 * 50_000, CHANNEL_SYNC), (65_537 * 50_000 + 28, 2),
    ]  # fmt: skip
    assert tags(path) == expected


def test_the_measurement_lasts_as_long_as_the_header_says(tmp_path: Path) -> None:
    path = ptu.write(tmp_path / "a.ptu", ptu.HYDRAHARP_T2, T2_RECORDS[:2], 1e-12, TTResult_StopAfter=3)
    assert open_recording(path).end == 3 * 10**9
    path = ptu.write(tmp_path / "b.ptu", ptu.HYDRAHARP_T2, [], 1e-12, HW_InpChannels=2)
    empty = open_recording(path)
    assert (empty.channels, empty.begin, empty.end) == ((1, 2), 0, 0)
    assert empty.read(10, ()) is None


def test_a_file_that_is_cut_short_is_read_up_to_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = ptu.write(tmp_path / "a.ptu", ptu.HYDRAHARP_T2, T2_RECORDS, 1e-12, TTResult_StopAfter=3)
    path.write_bytes(path.read_bytes()[: -4 * 4 - 2])
    source = open_recording(path)
    assert source.configuration["records missing"] == 5
    assert "5 of its records are missing" in caplog.text
    assert source.end == 21
    block = source.read(100, ())
    assert block is not None
    assert block.time.tolist() == [5, 9, 20, 20]


def damaged(path: Path, change: tuple[bytes, bytes] | int) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[:change] if isinstance(change, int) else content.replace(*change))
    return path


@pytest.mark.parametrize(
    "change",
    [
        10,
        200,
        (b"TTResultFormat_TTTRRecType", b"TTResultFormat_TTTRRecTypo"),
        (b"MeasDesc_GlobalResolution", b"MeasDesc_GlobalResolutiom"),
        (b"\x04\x02\x01\x01", b"\x04\x02\x01\x07"),
        (b"Header_End", b"Header_Out"),
    ],
    ids=str,
)
def test_damage_is_named(tmp_path: Path, change: tuple[bytes, bytes] | int) -> None:
    path = damaged(ptu.write(tmp_path / "a.ptu", ptu.HYDRAHARP_T2, T2_RECORDS, 1e-12), change)
    with pytest.raises(FileUnreadable, match=r"a\.ptu cannot be read as a PTU file: ."):
        open_recording(path)


def test_tags_that_go_back_in_time_are_an_error(tmp_path: Path) -> None:
    path = ptu.write(tmp_path / "a.ptu", ptu.HYDRAHARP_T2, [ptu.t2(0, 5_000_000), ptu.t2(0, 1)], 1e-12)
    recording = PtuRecording(path, chunk=1)
    with pytest.raises(FileUnreadable, match="out of order"):
        list(recording.blocks())
    recording.close()


def test_a_closed_recording_says_so(tmp_path: Path) -> None:
    source = open_recording(ptu.write(tmp_path / "a.ptu", ptu.HYDRAHARP_T2, T2_RECORDS, 1e-12))
    source.close()
    source.close()
    assert source.read(1, ()) is None
    with pytest.raises(FileUnreadable, match="closed"):
        list(source.recording.blocks())


# --- a real measurement ----------------------------------------------------------------------------------------------


def independent(path: Path) -> TagBlock:
    """Photons of a HydraHarp V2 T2 file, straight from its bytes."""
    content = path.read_bytes()
    end = content.index(b"Header_End") + 48
    records = np.frombuffer(content[end : end + (len(content) - end) // 4 * 4], "<u4").astype(np.int64)
    special, code, count = records >> 31, records >> 25 & 63, records & (2**25 - 1)
    overflow = (special == 1) & (code == 63)
    time = count + np.cumsum(np.where(overflow, np.maximum(count, 1), 0)) * 2**25
    photon = special == 0
    return TagBlock(0, 10**12, time[photon], code[photon].astype(np.int32) + 1)


@pytest.mark.parametrize("chunk", [1000, 65_537, 1 << 20])
def test_real_t2(recordings: Path, chunk: int) -> None:
    path = recordings / "hbt_320MHz_T2.ptu"
    recording = PtuRecording(path, chunk)
    read = join(list(recording.blocks()))
    assert recording.channels == (1, 2)
    assert (read.begin, read.end) == (0, 10**12)
    assert recording.configuration["HW_Type"] == "HydraHarp 400"
    expected = independent(path)
    assert np.array_equal(read.time, expected.time)
    assert np.array_equal(read.channel, expected.channel)
    assert np.count_nonzero(read.channel == 1) == 159_298
    assert np.count_nonzero(read.channel == 2) == 224_721
    recording.close()


def test_no_block_of_a_source_has_more_tags_than_a_chunk(recordings: Path) -> None:
    source = open_recording(recordings / "hbt_320MHz_T2.ptu")
    sizes = []
    while (block := source.read(10**15, ())) is not None:
        sizes.append(len(block))
    assert sum(sizes) == 384_019
    assert len(sizes) > 1
    assert max(sizes) <= 262_144 + 1_000
