"""Opens a recording by what is in the file, whatever its name."""

from __future__ import annotations

import os
from pathlib import Path

from tagwire.errors import FileUnreadable
from tagwire.recording.base import RecordedSource, Recording
from tagwire.recording.ptu import PtuRecording
from tagwire.recording.series import SeriesRecording
from tagwire.recording.table import MAGIC
from tagwire.recording.ttbin import TtbinRecording

_FORMATS: dict[bytes, type[PtuRecording] | type[SeriesRecording] | type[TtbinRecording]] = {
    b"PQTTTR": PtuRecording,
    MAGIC: SeriesRecording,
    b"SITT": TtbinRecording,
}
_READABLE = "those of FileWriter, PicoQuant .ptu (T2 and T3) and Swabian Instruments .ttbin"


def open_file(path: str | os.PathLike[str]) -> Recording:
    """The recording in a file, see `open_recording`."""
    path = named_file(Path(path))
    magic = _magic(path)
    for start, kind in _FORMATS.items():
        if magic.startswith(start):
            return kind(path)
    raise FileUnreadable(f"{path} is not a recording of a known format; what can be read is {_READABLE}")


def open_recording(path: str | os.PathLike[str], begin: int = 0, duration: int = -1) -> RecordedSource:
    """A source that plays a file, or a part of it.

    Parameters
    ----------
    path
        A PicoQuant ``.ptu`` file (T2 or T3), or a recording of `FileWriter` or in the vendor's ``.ttbin`` format: the
        header file of a sequence for all of it, a numbered one for that alone. The format is recognised by the
        content; the ending ``.ttbin`` may be left away.
    begin
        How much of the file is left out at first, in ps; a negative number puts that much silence before it.
    duration
        Time in ps to play from there, the silence not counted; negative: up to the end.

    Raises
    ------
    FileUnreadable
        (RuntimeError) There is no such file, its format is not known, or its content makes no sense.
    NotSupported
        (RuntimeError) A file in the vendor's format where the vendor's library is not installed.
    """
    recording = open_file(path)
    try:
        return RecordedSource(recording, begin, duration)
    except BaseException:
        recording.close()
        raise


def named_file(path: Path) -> Path:
    """The file that a name stands for: the ending ``.ttbin``, which `FileWriter` adds, may be left away."""
    longer = path.with_name(f"{path.name}.ttbin") if path.name else path
    # A link that leads out of the folder is not what was named: access is granted by folder.
    beside = longer.exists() and longer.resolve().parent == path.parent.resolve()
    return longer if beside and not path.exists() else path


def _magic(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(8)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileUnreadable(f"{path} could not be opened: {reason}") from error
