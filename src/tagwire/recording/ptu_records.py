"""Decodes the records of a PTU file, chunk by chunk; see `tagwire.recording.ptu` for what they become."""

from __future__ import annotations

import numpy as np
import ptufile
from numpy.typing import NDArray

from tagwire.core.tags import NO_CHANNELS, NO_TIMES, Int32Array, Int64Array, TagBlock
from tagwire.recording.scale import Scale

CHANNEL_SYNC = 100
"""Channel of the sync input."""

CHANNEL_MARKER = 100
"""Marker line ``k`` is channel ``CHANNEL_MARKER + k``."""

SLACK = 1_000_000
"""By how many ps a T2 record may come too late; the PicoHarp's markers have a resolution of 64 ps only."""

_PICOHARP_T2 = 0x00010203
_SYNC_RECORD, _SYNC_MASK = np.uint32(0x80000000), np.uint32(0xFE000000)
_MARKERS = (1, 2, 3, 4)

_OVERFLOWS, _HOW_MANY, _TOP = np.uint32(127), np.uint32(2**25 - 1), np.uint32(25)
_PROBE = np.array([127 << 25 | 128, 0], np.uint32)

Columns = tuple[Int64Array, Int32Array]


class Decoder:
    """Turns successive chunks of records into tags; overflows of the counter are carried on from chunk to chunk.

    Parameters
    ----------
    file
        The open file, which knows the kind of its records.
    """

    def __init__(self, file: ptufile.PtuFile) -> None:
        self._file = file
        self._clock = Scale(float(file.global_resolution))
        self._bins = Scale(float(file.tcspc_resolution)) if file.is_t3 else self._clock
        self._has_sync = not file.is_t3 and int(file.record_type) != _PICOHARP_T2
        # ptufile (seen in 2026.2.6) adds up T2 overflows in 32 bits: a record that stands for 128 of them adds nothing.
        self._wraps = int(file.decode_records(_PROBE)["time"][-1]) == 0
        self._base = 0
        self._last_sync = -1

    def decode(self, records: NDArray[np.uint32]) -> tuple[TagBlock, int]:
        """The tags of the next records, almost in order of time.

        Returns
        -------
        tuple
            The tags, and the time in ps before which no record will come any more.
        """
        # A record of zeros is a photon at count 0 in every format: its time is what the overflows before it sum up to.
        rows = self._file.decode_records(np.append(records, np.uint32(0)))
        counts = rows["time"].astype(np.int64) + self._base
        if self._wraps:
            counts[:-1] += (lost := _lost_to_wrapping(records))
            counts[-1] += lost[-1] if len(lost) else 0
        self._base = int(counts[-1])
        rows, counts = rows[:-1], counts[:-1]
        photons = rows["channel"] >= 0
        marked = ~photons & (rows["marker"] > 0)
        latest = max(self._base, int(counts[photons | marked].max(initial=0)))
        until = int(self._clock.picoseconds(np.array([latest]))[0])
        parts = self._photons_t3(rows, counts, photons) if self._file.is_t3 else self._photons_t2(records, rows, counts)
        parts += self._markers(rows["marker"][marked], counts[marked])
        block = TagBlock(0, 0, np.concatenate([t for t, _ in parts]), np.concatenate([c for _, c in parts]))
        return block, until if self._file.is_t3 else until - SLACK

    def _photons_t2(self, records: NDArray[np.uint32], rows: NDArray[np.void], counts: Int64Array) -> list[Columns]:
        channel = rows["channel"].astype(np.int32) + 1
        if self._has_sync:
            channel[(records & _SYNC_MASK) == _SYNC_RECORD] = CHANNEL_SYNC
        use = channel > 0
        return [(self._clock.picoseconds(counts[use]), channel[use])]

    def _photons_t3(self, rows: NDArray[np.void], counts: Int64Array, photons: NDArray[np.bool_]) -> list[Columns]:
        syncs = counts[photons]
        start = self._clock.picoseconds(syncs)
        delay = self._bins.picoseconds(rows["dtime"][photons].astype(np.int64))
        new = np.diff(syncs, prepend=self._last_sync) != 0
        self._last_sync = int(syncs[-1]) if len(syncs) else self._last_sync
        pulses = start[new]
        return [
            (pulses, np.full(len(pulses), CHANNEL_SYNC, np.int32)),
            (start + delay, rows["channel"][photons].astype(np.int32) + 1),
        ]

    def _markers(self, lines: NDArray[np.uint8], counts: Int64Array) -> list[Columns]:
        """A tag for each marker line that is set in a record."""
        times = self._clock.picoseconds(counts)
        parts: list[Columns] = [(NO_TIMES, NO_CHANNELS)]
        for line in _MARKERS:
            at = times[(lines >> (line - 1)) & 1 == 1]
            parts.append((at, np.full(len(at), CHANNEL_MARKER + line, np.int32)))
        return parts


def _lost_to_wrapping(records: NDArray[np.uint32]) -> Int64Array:
    """What a sum of overflows in 32 bits lacks up to each record: 2**32 for every 128 overflows of 2**25 in one."""
    whole = np.where(records >> _TOP == _OVERFLOWS, (records & _HOW_MANY) >> np.uint32(7), np.uint32(0))
    return np.cumsum(whole, dtype=np.int64) << 32
