"""`.ttbin` files: the vendor's reader against ours, tag for tag."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import join
from tagwire.errors import FileUnreadable, NotSupported
from tagwire.recording.files import open_recording
from tagwire.recording.ttbin import TtbinRecording, _block

NAMES = ["20230515-205921.ttbin", "20230515-205921.1.ttbin", "20230515-204112.ttbin", "20230515-204112.1.ttbin"]


@pytest.fixture
def vendor() -> Any:
    return pytest.importorskip("Swabian.TimeTagger", reason="the vendor's library is not installed")


@pytest.mark.parametrize("chunk", [1, 7, 262_144])
@pytest.mark.parametrize("name", NAMES)
def test_same_tags_as_the_vendors_reader(recordings: Path, vendor: Any, name: str, chunk: int) -> None:
    path = str(recordings / "ttbin" / name)
    reader = vendor.FileReader(path)
    expected = reader.getData(10_000)
    recording = TtbinRecording(path, chunk)
    whole = join(list(recording.blocks()))
    assert len(whole) == expected.size
    assert len(whole) in (155, 36)
    assert np.array_equal(whole.time, expected.getTimestamps())
    assert np.array_equal(whole.channel, expected.getChannels())
    assert np.array_equal(whole.types, expected.getEventTypes())
    assert np.array_equal(whole.missed_events, expected.getMissedEvents())
    assert (whole.begin, whole.end) == (expected.tStart, expected.tGetData)
    assert recording.channels == tuple(reader.getChannelList())
    assert recording.configuration == reader.getConfiguration()
    assert recording.end == whole.end
    recording.close()


class Buffer:
    """What the vendor's reader gives, with tags that the real files do not have."""

    tStart, tGetData = 100, 500  # noqa: N815

    def getTimestamps(self) -> Any:
        return np.array([100, 200, 300, 400, 450], np.int64)

    def getChannels(self) -> Any:
        return np.array([1, 0, 2, 0, 0], np.int32)

    def getEventTypes(self) -> Any:
        return np.array([0, 2, 4, 3, 1], np.uint8)

    def getMissedEvents(self) -> Any:
        return np.array([0, 9, 77, 9, 9], np.uint16)


def test_types_and_missed_events_are_kept() -> None:
    block = _block(Buffer())
    assert block.type.tolist() == [0, 2, 4, 3, 1]
    assert block.channel.tolist() == [1, CHANNEL_UNUSED, 2, CHANNEL_UNUSED, CHANNEL_UNUSED]
    assert block.missed.tolist() == [0, 0, 77, 0, 0]
    assert (block.begin, block.end) == (100, 500)


def test_without_the_vendors_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.ttbin"
    path.write_bytes(b"SITT" + bytes(100))
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("Swabian"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NotSupported, match=r"a\.ttbin .*pip install 'tagwire\[hardware\]'"):
        open_recording(path)


def test_damage_is_named(tmp_path: Path, vendor: Any) -> None:
    path = tmp_path / "a.ttbin"
    path.write_bytes(b"SITT" + bytes(100))
    with pytest.raises(FileUnreadable, match=r"a\.ttbin cannot be read by the vendor's library"):
        open_recording(path)
