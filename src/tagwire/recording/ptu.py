"""PicoQuant PTU files of T2 and T3 measurements.

Channels
    Input ``k`` of the file (counted from 0, as PicoQuant's software does) is channel ``k + 1``, marker line ``k`` (1
    to 4) is ``CHANNEL_MARKER + k``, that is 101 to 104, and the sync input is `CHANNEL_SYNC`, 100.
T2
    The time of a tag is its count times the resolution. A sync event is a tag like any other. The PicoHarp 300
    records its sync input as input 0, so there it is channel 1.
T3
    The time of a photon is that of its sync pulse (sync count times sync period, rounded to ps) plus its delay (bins
    times resolution, rounded to ps). The stream has one sync tag for each sync pulse that has photons, so that a photon
    minus the sync tag is the recorded delay, as it would be through a conditional filter. Sync pulses without
    photons are not in the file. Markers are at their sync pulse.

Rounding is to the nearest ps. Resolution and period are taken as the shortest decimal number that the header's value
stands for, kept to 2**-42 ps; with a whole number of ps everything is exact. Time begins with the measurement, at 0,
and ends when the header says it was stopped, or with the last tag if that is later.
"""

from __future__ import annotations

import datetime
import logging
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import ptufile
from numpy.typing import NDArray

from tagwire.core.tags import TIME_MAX, TIME_MIN, TagBlock
from tagwire.errors import FileUnreadable
from tagwire.recording.base import CHUNK
from tagwire.recording.ordering import Sorter
from tagwire.recording.ptu_records import CHANNEL_MARKER, CHANNEL_SYNC, Decoder

__all__ = ["CHANNEL_MARKER", "CHANNEL_SYNC", "PtuRecording"]

logger = logging.getLogger(__name__)

PS_PER_MS = 10**9
MOST_INPUTS = 64


class PtuRecording:
    """A PTU file.

    Parameters
    ----------
    path
        The file; it is gone through once, so that its channels and its end are known.
    chunk
        Number of records decoded at a time.

    Raises
    ------
    FileUnreadable
        (RuntimeError) Not a PTU file with T2 or T3 records, or damaged. A file that is merely cut short is read up to
        there, with a warning in the log and the number of ``records missing`` in `configuration`.
    """

    def __init__(self, path: str | os.PathLike[str], chunk: int = CHUNK) -> None:
        self._name = os.fspath(path)
        self._chunk = chunk
        self._closed = False
        try:
            self._open()
            self._survey()
        except FileUnreadable as error:
            raise FileUnreadable(f"{self._name} cannot be read as a PTU file: {error}") from error
        except Exception as error:  # ptufile meets damaged headers with nearly every kind of error
            raise FileUnreadable(f"{self._name} cannot be read as a PTU file: {error!r}") from error

    @property
    def channels(self) -> tuple[int, ...]:
        """Inputs that the header names, and every channel with tags."""
        return self._channels

    @property
    def begin(self) -> int:
        """Always 0, the begin of the measurement."""
        return 0

    @property
    def end(self) -> int:
        """Time in ps at which the measurement ends."""
        return self._end

    @property
    def configuration(self) -> dict[str, Any]:
        """The header's tags, and the number of ``records missing``."""
        return self._configuration

    @property
    def last_marker(self) -> str:
        """Always empty: markers in PTU files are tags."""
        return ""

    def blocks(self, begin: int = TIME_MIN) -> Iterator[TagBlock]:
        """All tags, see `Recording.blocks`; none are left out."""
        sorter = Sorter(0, self._name)
        for tags, until in self._decoded():
            yield sorter.push(tags, until)
        yield sorter.rest(self._end)

    def close(self) -> None:
        """Close the file; more than once is fine."""
        self._closed = True
        self._records = np.empty(0, np.uint32)

    def _open(self) -> None:
        with ptufile.PtuFile(self._name) as file:
            # The decoder needs the header alone, so the file need not stay open.
            self._header = file
            self._records = self._map(file)
            missing = int(file.number_records) - len(self._records)
        self._configuration = {tag: _plain(value) for tag, value in file.tags.items()} | {"records missing": missing}
        if missing:
            logger.warning("%s is cut short: %d of its records are missing", self._name, missing)

    def _map(self, file: ptufile.PtuFile) -> NDArray[np.uint32]:
        """The records, mapped into memory; as many as the header promises, or as there are."""
        there = (os.path.getsize(self._name) - int(file.record_offset)) // 4
        count = min(int(file.number_records), there)
        if count <= 0:
            return np.empty(0, np.uint32)
        return np.memmap(self._name, np.uint32, "r", offset=int(file.record_offset), shape=(count,))

    def _decoded(self) -> Iterator[tuple[TagBlock, int]]:
        if self._closed:
            raise FileUnreadable(f"{self._name} was closed")
        decoder = Decoder(self._header)
        for first in range(0, len(self._records), self._chunk):
            yield decoder.decode(self._records[first : first + self._chunk])

    def _survey(self) -> None:
        """Go through the file for its channels and its end."""
        inputs = self._configuration.get("HW_InpChannels", 0)
        found = set(range(1, min(int(inputs), MOST_INPUTS) + 1))
        end = self._stated_end()
        for tags, _ in self._decoded():
            found.update(np.flatnonzero(np.bincount(tags.channel)).tolist())
            end = max(end, int(tags.time.max(initial=-1)) + 1)
        self._channels, self._end = tuple(sorted(found)), end

    def _stated_end(self) -> int:
        """How long was measured according to the header, in ps; 0 where that does not hold."""
        stop_after = self._configuration.get("TTResult_StopAfter", 0)
        if self._configuration["records missing"] or not isinstance(stop_after, int):
            return 0
        return min(max(0, stop_after) * PS_PER_MS, TIME_MAX)


def _plain(value: Any) -> Any:
    """A header's value as one that JSON can hold."""
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value
