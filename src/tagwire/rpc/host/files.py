"""The only files that a remote call may name: those in the folder that the server shares."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path, PurePath

from tagwire.errors import ArgumentKindError, FileRefused

FileNames = str | list["FileNames"] | tuple["FileNames", ...]
"""A file name or any nesting of them, as the API's calls take it."""


class DataFolder:
    """A folder whose files remote calls may read and write.

    Parameters
    ----------
    path
        An existing folder; `NotADirectoryError` otherwise.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve(strict=True)
        if not self.path.is_dir():
            raise NotADirectoryError(f"{path} is not a folder")

    def resolve(self, name: str) -> str:
        """Absolute path of the file `name`; `FileRefused` when it lies outside the folder.

        Relative names start in the folder. Links are followed before the check, so a link that leads outside is
        outside. A library may complete a missing ending, and it reads and writes a recording as several files
        (``x.ttbin``, ``x.1.ttbin``, ...), so no link that leads outside may stand among those either.
        """
        if "\0" in name or ".." in Path(name).parts:
            raise FileRefused(f"{name!r} is not a file name that this server accepts")
        if is_elsewhere(name, self.path):
            raise FileRefused(f"{name!r} lies outside the folder that this server shares")
        try:
            path = (self.path / name).resolve()
        except (OSError, RuntimeError) as error:
            raise FileRefused(f"{name!r} cannot be resolved: {error}") from error
        if path == self.path or not path.is_relative_to(self.path):
            raise FileRefused(f"{name!r} lies outside the folder that this server shares")
        for given in {path, self.path / name}:
            self._check_siblings(given, name)
        return str(path)

    def _check_siblings(self, file: Path, name: str) -> None:
        """`FileRefused` when a link that leads outside may belong to the same recording as `file`."""
        stem = _comparable(file.name).partition(".")[0]
        for entry in _entries(file.parent):
            if _comparable(entry.name).startswith(stem) and not Path(entry).resolve().is_relative_to(self.path):
                raise FileRefused(f"{name!r} is refused: beside it, {entry.name!r} leads outside the shared folder")


def is_elsewhere(name: str, folder: PurePath) -> bool:
    """Whether `name` is on another drive or computer than `folder`: the name alone tells.

    Windows must not even look there: for a name like ``//computer/share/file`` it would log in at that computer, and so
    show who runs this server to whoever chose the name.
    """
    return (folder / name).drive.casefold() != folder.drive.casefold()


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in `folder`; nothing when there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _comparable(name: str) -> str:
    """`name` as file systems compare it that know no case and no difference between forms of one letter."""
    return unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())


def guard(names: object, folder: DataFolder | None) -> object:
    """`names` with every file name checked and made absolute.

    The empty name means "no file" throughout the API and stays as it is. Anything that is not text is refused: a
    library may take other types for file names too, and those would slip through.
    """
    if names is None or names == "":
        return names
    if isinstance(names, str):
        return _checked(str(names), folder)
    if isinstance(names, list | tuple):
        return type(names)([guard(name, folder) for name in names])
    raise ArgumentKindError(f"a file name must be text, not {type(names).__name__}")


def _checked(name: str, folder: DataFolder | None) -> str:
    if folder is None:
        raise FileRefused(f"this server shares no files, so {name!r} is refused; start it with --data FOLDER")
    return folder.resolve(name)
