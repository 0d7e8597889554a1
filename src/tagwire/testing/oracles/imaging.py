"""What a FLIM measurement must give, worked out the slow way from all tags at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.tags import TagBlock
from tagwire.testing.oracles.counting import Event
from tagwire.testing.oracles.histograms import between_gaps


@dataclass
class Image:
    """One frame: a histogram, a begin and an end in ps for each pixel; the begin and the end of all; whether whole."""

    begin: int
    histograms: list[list[int]] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    whole: bool = True

    @property
    def end(self) -> int:
        """When the last pixel ended, in ps."""
        return self.ends[-1]

    @property
    def open(self) -> bool:
        """Whether its last pixel has not ended."""
        return len(self.ends) < len(self.begins)


@dataclass
class Scan:
    """All frames that became complete, the one under way (if any), and how many were given up."""

    complete: list[Image] = field(default_factory=list)
    current: Image | None = None
    given_up: int = 0


def flim(
    block: TagBlock,
    start: int,
    click: int,
    pixel_begin: int,
    n_pixels: int,
    n_bins: int,
    binwidth: int,
    pixel_end: int = CHANNEL_UNUSED,
    frame_begin: int = CHANNEL_UNUSED,
) -> Scan:
    """All frames when the capture spans the block."""
    scan = Scan()
    for number, tags in enumerate(between_gaps(block)):
        if number and scan.current:
            scan.current.whole = False
        for now, together in groupby(tags, lambda e: e.time):
            moment = list(together)
            here = {e.channel for e in moment}
            if pixel_end in here:
                _end_pixel(scan, now, n_pixels)
            if frame_begin in here:
                _end_pixel(scan, now, n_pixels)
                if scan.current and (scan.current.begins or not scan.current.whole):
                    scan.given_up += 1
                scan.current = Image(now)
            if pixel_begin in here:
                _end_pixel(scan, now, n_pixels)
                if scan.current is None and frame_begin == CHANNEL_UNUSED:
                    scan.current = Image(now)
                if scan.current:
                    scan.current.begins.append(now)
                    scan.current.histograms.append([0] * n_bins)
            if scan.current and scan.current.open:
                for place in _places(tags, moment, start, click, binwidth):
                    if place < n_bins:
                        scan.current.histograms[-1][place] += 1
    return scan


def _end_pixel(scan: Scan, now: int, n_pixels: int) -> None:
    image = scan.current
    if image is None or not image.open:
        return
    image.ends.append(now)
    if len(image.ends) == n_pixels:
        scan.current = None
        if image.whole:
            scan.complete.append(image)
        else:
            scan.given_up += 1


def _places(tags: Sequence[Event], moment: Sequence[Event], start: int, click: int, binwidth: int) -> list[int]:
    """Bins of all pairs whose click is of this moment."""
    return [
        (tag.time - other.time) // binwidth
        for tag in moment
        if tag.channel == click
        for other in tags
        if other is not tag and other.channel == start and other.time <= tag.time
    ]
