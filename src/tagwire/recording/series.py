"""Reads our recordings: a header with all its parts, or a part alone."""

from __future__ import annotations

import logging
import os
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TIME_MIN, TagBlock, TagType
from tagwire.errors import DamagedFrame, FileUnreadable
from tagwire.frames.codec import decode
from tagwire.recording.names import open_name, part_name, part_names
from tagwire.recording.table import About

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """A frame or a marker."""

    block: TagBlock
    marker: str | None


class Part:
    """One file of a recording; raises `FileUnreadable` where it is not one."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        self._name = os.fspath(path)
        try:
            self._file = pq.ParquetFile(path, memory_map=True)
            groups = range(self._file.num_row_groups)
            self._spans = {i: self._span(i) for i in groups if self._file.metadata.row_group(i).num_rows}
            metadata = self._file.schema_arrow.metadata
        except Exception as error:  # pyarrow meets damaged files with many kinds of error
            raise FileUnreadable(f"{self._name} cannot be read as a Parquet file: {error}") from error
        self.about = About.read(metadata, self._name)
        self.begin = min((begin for begin, _ in self._spans.values()), default=0)
        self.end = max((end for _, end in self._spans.values()), default=0)

    def rows(self, begin: int) -> Iterator[Row | int]:
        """Rows that reach beyond `begin`; of those before, only a time up to which there are some."""
        for group, (_, end) in self._spans.items():
            if end <= begin:
                yield end
            else:
                yield from self._group(group, begin)

    def close(self) -> None:
        """Close the file; more than once is fine."""
        self._file.close(force=True)

    def _span(self, group: int) -> tuple[int, int]:
        """Begin and end of a row group in ps."""
        about = self._file.metadata.row_group(group)
        begins, ends = (about.column(i).statistics for i in (0, 1))
        if begins is not None and ends is not None:
            return int(begins.min), int(ends.max)
        times = self._file.read_row_group(group, columns=["t0", "t1"], use_threads=False)
        return times["t0"][0].as_py(), times["t1"][-1].as_py()

    def _group(self, group: int, begin: int) -> Iterator[Row | int]:
        try:
            table = self._file.read_row_group(group, use_threads=False)
            columns = [table.column(name).to_pylist() for name in ("t0", "t1", "n", "marker")]
            frames = table.column("frame")
        except Exception as error:  # as above
            raise FileUnreadable(f"{self._name} is damaged: {error}") from error
        for place, (t0, t1, n, marker) in enumerate(zip(*columns, strict=True)):
            if t1 <= begin:
                yield t1
                continue
            block = self._decode(frames[place].as_buffer())
            if (t0, t1, n) != (block.begin, block.end, len(block)):
                raise FileUnreadable(f"{self._name} is damaged: the row of {t0} ps does not describe its frame")
            yield Row(block, marker)

    def _decode(self, frame: Any) -> TagBlock:
        try:
            return decode(memoryview(frame))
        except DamagedFrame as error:
            raise FileUnreadable(f"{self._name} is damaged: {error}") from error


class SeriesRecording:
    """A recording in our own format.

    Parameters
    ----------
    path
        Header file for all of it, or a numbered file for that part alone.

    Raises
    ------
    FileUnreadable
        (RuntimeError) No recording of ours, or damaged.

    Notes
    -----
    Where nothing was recorded (the writer was stopped for a while, a part is missing) there is an overflow: tags may
    have been lost there. Parts that belong to another recording of the same name are not read.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._name = os.fspath(path)
        self._closed = False
        self._parts: dict[Path, Part] = {}
        self._marker = ""
        self._about = self._part(Path(path)).about
        self._paths = self._listed(Path(path))
        ends = [self._part(p) for p in self._paths[:1] + self._paths[-1:]]
        self._begin, self._end = (ends[0].begin, ends[-1].end) if ends else (0, 0)

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels that were recorded."""
        return self._about.channels

    @property
    def begin(self) -> int:
        """Time in ps at which the recording begins; 0 where nothing was recorded."""
        return self._begin

    @property
    def end(self) -> int:
        """Time in ps at which the last whole part ends."""
        return self._end

    @property
    def configuration(self) -> dict[str, Any]:
        """The Time Tagger's configuration when the file was made."""
        return self._about.configuration

    @property
    def last_marker(self) -> str:
        """The last marker passed in reading."""
        return self._marker

    def blocks(self, begin: int = TIME_MIN) -> Iterator[TagBlock]:
        """All tags, see `Recording.blocks`; of a recording of many hours only what is needed is read."""
        first = max(0, bisect_right(self._paths, begin, key=lambda path: self._part(path).begin) - 1)
        position: int | None = None
        for path in self._paths[first:]:
            for row in self._rows(path, begin):
                if isinstance(row, int):
                    position = row
                    continue
                if position is not None and row.block.begin != position:
                    yield self._gap(position, row.block.begin)
                position = row.block.end
                self._marker = self._marker if row.marker is None else row.marker
                yield row.block

    def close(self) -> None:
        """Close the files; more than once is fine."""
        self._closed = True
        for path in list(self._parts):
            self._parts.pop(path).close()

    def _rows(self, path: Path, begin: int) -> Iterator[Row | int]:
        """The rows of a part, which is closed afterwards: a recording may have thousands."""
        part = self._part(path)
        if part.about.recording != self._about.recording:
            return
        yield from part.rows(begin)
        self._parts.pop(path, part).close()

    def _gap(self, begin: int, end: int) -> TagBlock:
        """What stands for a time that was not recorded."""
        if end < begin:
            raise FileUnreadable(f"{self._name} is damaged: tags of {end} ps come after {begin} ps")
        kinds = np.array([TagType.OverflowBegin, TagType.OverflowEnd], np.uint8)
        nowhere = np.full(2, CHANNEL_UNUSED, np.int32)
        return TagBlock(begin, end, np.array([begin, end - 1]), nowhere, kinds, np.zeros(2, np.uint16))

    def _part(self, path: Path) -> Part:
        if self._closed:
            raise FileUnreadable(f"{self._name} was closed")
        if path not in self._parts:
            self._parts[path] = Part(path)
        return self._parts[path]

    def _listed(self, path: Path) -> list[Path]:
        """The files with the tags, up to the last one that belongs to this recording."""
        if self._about.part:
            return [path]
        paths = part_names(path)
        while paths and self._part(paths[-1]).about.recording != self._about.recording:
            self._parts.pop(paths.pop()).close()
        last = self._part(paths[-1]).about.part if paths else 0
        if open_name(part_name(path, last + 1)).exists():
            logger.warning("%s is still being written or was broken off; its open part is not read", path)
        return paths
