"""Pulses per second of several clocks, compared with one of them."""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tagwire.core.arguments import boolean, integer, text
from tagwire.core.arrays import BoolArray1D, Float64Array1D, Float64Array2D, Int64Array1D
from tagwire.core.tags import TagBlock, TagType
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError, FileUnwritable
from tagwire.measurements.pps_rows import PulseRow, PulseSorter

PERIOD_MIN, PERIOD_MAX = 10**6, 10**17


class PulsePerSecondData:
    """Rows of a `PulsePerSecondMonitor` at one moment; comes from `PulsePerSecondMonitor.getDataObject` only."""

    _rows: list[PulseRow]
    _signals: int

    def __init__(self) -> None:
        raise AttributeError("No constructor defined")

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(self._rows)

    def getIndices(self) -> Int64Array1D:
        """Number of each reference pulse, int64: 0 for the first, counting missing and lost ones."""
        return np.array([row.index for row in self._rows], np.int64)

    def getReferenceOffsets(self) -> Float64Array1D:
        """How much later than expected each reference pulse came after the last one that did, in ps, float64.

        0 for the first, NaN for missing ones.
        """
        return np.array([row.reference for row in self._rows], np.float64)

    def getSignalOffsets(self) -> Float64Array2D:
        """Time of each signal pulse after its reference pulse in ps, float64, shape (size, signal channels).

        NaN where one of the two is missing.
        """
        return np.array([row.signals for row in self._rows], np.float64).reshape(len(self._rows), self._signals)

    def getUtcSeconds(self) -> Float64Array1D:
        """The computer's time when each row was processed, in s since 1970, float64."""
        return np.array([row.utc for row in self._rows], np.float64)

    def getUtcDates(self) -> tuple[str, ...]:
        """The same as text: ``YYYY-MM-DD hh:mm:ss.ssssss`` in UTC."""
        return tuple(_date(row.utc) for row in self._rows)

    def getStatus(self) -> BoolArray1D:
        """Whether every pulse of each row was there, reference and all signals; bool."""
        return np.array([row.complete for row in self._rows], np.bool_)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to give back: the memory goes with the object."""


class PulsePerSecondMonitor(IteratorBase):
    """How far the pulses per second of several sources are from those of a reference.

    Parameters
    ----------
    tagger
        Time Tagger object.
    reference_channel
        Channel of the reference.
    signal_channels
        Channels to compare with it, each once.
    filename
        CSV file to write, one line for each row as soon as it is complete; an existing one is replaced. Empty: none.
    period
        Expected distance of reference pulses in ps, 10**6 to 10**17.

    Raises
    ------
    FileUnwritable
        (RuntimeError) The file cannot be created.

    Notes
    -----
    The first reference pulse begins row 0. To each reference pulse belongs the signal pulse that is nearest to it and
    at most half a period away; the row is seen half a period after its reference pulse, that is, one and a half after
    the one before. If no reference pulse comes within one and a half periods, there is a row without it one period
    after the last. Reference pulses less than half a period after the last are left out.

    Time tags are used. An overflow begin, overflow end or error tag completes the row with what is there; then nothing
    is missed until the next reference pulse, whose index is higher by the missed events of the reference channel. So
    does a stop. The columns of the file are index, UTC date, status (1: complete), reference offset and the signal
    offsets; what is missing is empty.
    """

    _rows: list[PulseRow]

    def __init__(
        self,
        tagger: TimeTaggerBase,
        reference_channel: int,
        signal_channels: Sequence[int],
        filename: str = "",
        period: int = 1_000_000_000_000,
    ) -> None:
        owner = require_tagger(tagger)
        self._reference = owner._channel(reference_channel, "reference_channel")
        self._signals = owner._channels(signal_channels, "signal_channels")
        if len(set(self._signals)) < len(self._signals):
            raise ArgumentError(f"signal_channels is {self._signals}, but must name each channel only once")
        name = text(filename, "filename")
        self._period = integer(period, "period", PERIOD_MIN, PERIOD_MAX)
        params = {
            "reference_channel": self._reference,
            "signal_channels": self._signals,
            "filename": name,
            "period": self._period,
        }
        super().__init__(owner, [self._reference, *self._signals], params)
        self._file = Path(name) if name else None
        if self._file is not None:
            self._head(self._file)
        self._launch()

    def getDataObject(self, remove: bool = False) -> PulsePerSecondData:
        """The rows so far, oldest first.

        Parameters
        ----------
        remove
            Also take them out, so that the next call gives only those that follow.
        """
        drop = boolean(remove, "remove")
        data = PulsePerSecondData.__new__(PulsePerSecondData)
        with self._lock:
            data._rows, data._signals = list(self._rows), len(self._signals)
            if drop:
                self._rows = []
        return data

    def _reset(self) -> None:
        self._rows = []
        self._sorter = PulseSorter(self._signals, self._period, self._keep, time.time)

    def _forget(self) -> None:
        self._sorter.gap()

    def _process(self, block: TagBlock) -> None:
        sorter = self._sorter
        columns = block.time, block.channel, block.types, block.missed_events
        rows = (column[self._relevant(block)].tolist() for column in columns)
        for at, channel, kind, missed in zip(*rows, strict=True):
            if kind == TagType.MissedEvents:
                sorter.lose(missed)
            elif kind != TagType.TimeTag:
                sorter.gap(at)
            else:
                if channel == self._reference:
                    sorter.reference(at)
                if channel in self._signals:
                    sorter.signal(channel, at)
        sorter.advance(block.end)

    def _relevant(self, block: TagBlock) -> NDArray[np.bool_]:
        """Tags that can matter: of the signals only the first and the last between two others."""
        kind, is_reference = block.types, block.channel == self._reference
        turns = (is_reference & (kind == TagType.TimeTag)) | ((kind >= TagType.Error) & (kind <= TagType.OverflowEnd))
        part = np.cumsum(turns)
        relevant = turns | (is_reference & (kind == TagType.MissedEvents))
        for channel in self._signals:
            mine = np.flatnonzero((block.channel == channel) & (kind == TagType.TimeTag))
            change = np.flatnonzero(np.diff(part[mine]))
            relevant[mine[:1]] = relevant[mine[-1:]] = True
            relevant[mine[change]] = relevant[mine[change + 1]] = True
        return np.asarray(relevant)

    def _keep(self, row: PulseRow) -> None:
        self._rows.append(row)
        if self._file is not None:
            offsets = ["" if np.isnan(value) else int(value) for value in (row.reference, *row.signals)]
            self._write(self._file, "a", [row.index, _date(row.utc), int(row.complete), *offsets])

    def _head(self, file: Path) -> None:
        names = [f"offset of channel {c} (ps)" for c in self._signals]
        try:
            self._write(file, "w", ["index", "UTC", "status", "reference offset (ps)", *names])
        except OSError as error:
            raise FileUnwritable(f"{file} cannot be written: {error.strerror or error}") from error

    @staticmethod
    def _write(file: Path, mode: str, fields: Sequence[object]) -> None:
        with file.open(mode, newline="", encoding="utf-8") as lines:
            csv.writer(lines).writerow(fields)


def _date(utc: float) -> str:
    return datetime.fromtimestamp(utc, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
