"""Writes the stream into a recording, with the vendor's API."""

from __future__ import annotations

from collections.abc import Sequence

from tagwire.core.arguments import integer, text
from tagwire.engine.tagger import TimeTaggerBase, require_tagger
from tagwire.errors import ArgumentError
from tagwire.recording.file_iterator import FileIterator
from tagwire.recording.names import header_name
from tagwire.recording.series_writer import SeriesWriter

MOST_MARKER = 65_536
"""Longest marker in characters."""


class FileWriter(FileIterator):
    """Writes the tags of some channels into a recording that `FileReader` and `createTimeTaggerVirtual` read.

    Parameters
    ----------
    tagger
        Time Tagger object.
    filename
        Name of the output file: of a header, beside which the tags are written into numbered parts. For ``x.ttbin``
        these are ``x.1.ttbin``, ``x.2.ttbin`` and so on; a name without the ending gets it. Files that have these
        names are replaced.
    channels
        Channels to write.

    Raises
    ------
    FileUnwritable
        (RuntimeError) The file cannot be created.

    Notes
    -----
    The content is Parquet whose rows are packed frames, as docs/recording-format.md specifies, and not the vendor's
    format; about 2.5 bytes a tag at 10 Mcps on each of four channels.

    Time tags and missed events of the given channels are written, overflow and error tags always. A part is completed
    after 30 s, at the maximum file size, at a `split` and at the end of a capture, and has its name only from then on:
    if the process dies, nothing else than the part that was open is lost. While the writer is stopped nothing is
    written; that time is read back as an overflow.

    Writing does not hold up the stream. Where the disk is too slow for it, tags wait in up to 256 MiB of memory; those
    that come on top are lost, and stand in the file as an overflow with the number of missed events of each channel.
    A replay that is as fast as possible waits for the disk instead, so that no tag is lost.
    """

    def __init__(self, tagger: TimeTaggerBase, filename: str, channels: Sequence[int]) -> None:
        numbers = require_tagger(tagger)._channels(channels, "channels")
        header = header_name(_name(filename, "filename"))
        self._series = SeriesWriter(header, numbers, tagger.getConfiguration())
        super().__init__(tagger, numbers, {"filename": filename, "channels": numbers}, self._series, str(header))
        self._launch()

    def split(self, new_filename: str = "") -> None:
        """Complete the present part and go on with the next one.

        Parameters
        ----------
        new_filename
            Name of the new file, which begins a new recording whose parts are counted from 1; empty: go on with the
            present one.

        Raises
        ------
        FileUnwritable
            (RuntimeError) The new file cannot be created; the present recording goes on.
        """
        name = text(new_filename, "new_filename")
        header = header_name(_name(name, "new_filename")) if name else None
        configuration = self._tagger.getConfiguration()
        self._drain.do(lambda: self._series.split(header, configuration))

    def setMaxFileSize(self, max_file_size: int) -> None:
        """Set at which size a part is completed; it may be larger by a frame, some 200 kB.

        Parameters
        ----------
        max_file_size
            Size in bytes, at least 1; 1 GiB by default.
        """
        self._series.max_size = integer(max_file_size, "max_file_size", 1, 2**64 - 1)

    def getMaxFileSize(self) -> int:
        """Size in bytes at which a part is completed."""
        return self._series.max_size

    def getTotalEvents(self) -> int:
        """Number of tags of all types that were written, `clear` or not.

        What still waits, for about a second at most unless the disk is too slow, is not counted.
        """
        return self._series.events

    def getTotalSize(self) -> int:
        """Number of bytes that were written, headers included."""
        return self._series.size

    def setMarker(self, marker: str) -> None:
        """Write a text into the file, between the tags so far and those to come.

        Parameters
        ----------
        marker
            At most 65,536 characters; `FileReader.getLastMarker` finds it. Before the first tags it waits for them.
        """
        words = text(marker, "marker")
        if len(words) > MOST_MARKER:
            raise ArgumentError(f"marker has {len(words)} characters, but must have at most {MOST_MARKER}")
        self._drain.do(lambda: self._series.mark(words))


def _name(value: str, name: str) -> str:
    if not text(value, name):
        raise ArgumentError(f"{name} is empty, but must name a file")
    return value
