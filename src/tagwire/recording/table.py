"""The Parquet side of our recordings: columns, what the file says of itself, one file being written.

A row is one packed frame, or a marker. ``docs/recording-format.md`` specifies it. pyarrow is imported only when a file
is read or written.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tagwire.core.tags import TagBlock
from tagwire.errors import FileUnreadable, FileUnwritable
from tagwire.frames.codec import encode
from tagwire.recording.names import open_name

MAGIC = b"PAR1"
KEY = b"tagwire.recording"
"""Key of the file's metadata under which `About` stands, as JSON."""

VERSION = 1


@dataclass(frozen=True)
class About:
    """What a file of a recording says of itself.

    Attributes
    ----------
    recording
        Identifier that header and parts of one recording share.
    part
        Number of the part, counted from 1; 0 for the header.
    channels
        Channels that were recorded.
    configuration
        Of the Time Tagger, when the file was begun.
    """

    recording: str
    part: int
    channels: tuple[int, ...]
    configuration: dict[str, Any]

    def metadata(self) -> dict[bytes, bytes]:
        """The same for the file's metadata."""
        return {KEY: json.dumps({"version": VERSION} | asdict(self), default=str).encode()}

    @classmethod
    def read(cls, metadata: dict[bytes, bytes] | None, name: str) -> About:
        """From the file's metadata; `FileUnreadable` where that is not ours."""
        try:
            found = json.loads((metadata or {})[KEY])
            version = int(found["version"])
            about = cls(
                str(found["recording"]),
                int(found["part"]),
                tuple(int(c) for c in found["channels"]),
                dict(found["configuration"]),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise FileUnreadable(f"{name} is a Parquet file, but not a recording of tags") from error
        if version > VERSION:
            raise FileUnreadable(f"{name} is of version {version}, but this Tagwire reads up to {VERSION}")
        return about


class Rows:
    """Rows to be written.

    Attributes
    ----------
    columns
        By name.
    events, size
        Tags, and bytes of frames.
    """

    def __init__(self) -> None:
        self.columns: dict[str, list[Any]] = {name: [] for name in ("t0", "t1", "n", "frame", "marker")}
        self.events = self.size = 0

    def __len__(self) -> int:
        return len(self.columns["n"])

    def add(self, block: TagBlock, marker: str | None = None) -> None:
        """Append the block as a frame."""
        row = block.begin, block.end, len(block), encode(block), marker
        for column, value in zip(self.columns.values(), row, strict=True):
            column.append(value)
        self.events += row[2]
        self.size += len(row[3])


class OpenFile:
    """A file being written, under another name until it is whole.

    Parameters
    ----------
    path
        Its final name; a file that has it is replaced in the end.
    about
        What it says of itself.

    Raises
    ------
    FileUnwritable
        (RuntimeError) It cannot be created.
    """

    def __init__(self, path: Path, about: About) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._path, self._open = path, open_name(path)
        self._schema = pa.schema(
            [
                pa.field("t0", pa.int64(), nullable=False),
                pa.field("t1", pa.int64(), nullable=False),
                pa.field("n", pa.int32(), nullable=False),
                pa.field("frame", pa.binary(), nullable=False),
                pa.field("marker", pa.string()),
            ],
            about.metadata(),
        )
        try:
            # Never through a link that somebody has laid there.
            self._open.unlink(missing_ok=True)
            self._open.open("xb").close()
            self._file = pa.OSFile(os.fspath(self._open), "wb")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise FileUnwritable(f"{path} cannot be written: {reason}") from error
        self._writer = pq.ParquetWriter(
            self._file, self._schema, compression="none", use_dictionary=False, write_statistics=["t0", "t1"]
        )

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return int(self._file.tell())

    def write(self, rows: Rows) -> None:
        """Append rows as one group."""
        import pyarrow as pa

        self._writer.write_table(pa.table(rows.columns, self._schema), row_group_size=len(rows))

    def finish(self) -> int:
        """Complete the file, give it its name, and tell its size."""
        self._writer.close()
        size = self.size
        self._file.close()
        os.replace(self._open, self._path)
        return size

    def abandon(self) -> None:
        """Close the file as it is, after something went wrong."""
        with contextlib.suppress(Exception):
            self._writer.close()
        with contextlib.suppress(OSError):
            self._file.close()
