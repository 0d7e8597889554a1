"""How the files of a recording are called, as the vendor's are: ``x.ttbin``, ``x.1.ttbin``, ``x.2.ttbin``, ...

The first is the header, which has no tags; the numbered ones are the parts. A part that is still being written ends
with ``.open``.
"""

from __future__ import annotations

from pathlib import Path

ENDINGS = (".ttbin", ".parquet")
"""Endings that a name keeps; to any other name the first of them is added."""


def header_name(name: str) -> Path:
    """The header file of the recording that a user calls `name`."""
    path = Path(name)
    return path if path.suffix in ENDINGS else path.with_name(f"{path.name}{ENDINGS[0]}")


def part_name(header: Path, number: int) -> Path:
    """The part `number`, counted from 1, of the recording with this header."""
    return header.with_name(f"{header.stem}.{number}{header.suffix}")


def open_name(path: Path) -> Path:
    """Name of a file as long as it is not whole."""
    return path.with_name(f"{path.name}.open")


def part_names(header: Path) -> list[Path]:
    """All parts that stand beside a header, in order.

    Links that lead out of the folder are left out: who may read the header may not for that read other folders.
    """
    folder = header.parent.resolve()
    found: dict[int, Path] = {}
    for path in header.parent.iterdir():
        number = path.name.removeprefix(f"{header.stem}.").removesuffix(header.suffix)
        if number.isascii() and number.isdecimal() and path.name == part_name(header, int(number)).name:
            found[int(number)] = path
    return [found[number] for number in sorted(found) if found[number].resolve().parent == folder]
