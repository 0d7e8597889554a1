"""Whatever a name looks like, it ends inside the shared folder or nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire.errors import ArgumentKindError, FileRefused
from tagwire.rpc.files import DataFolder, guard


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    path = tmp_path_factory.mktemp("shared")
    (path / "sub").mkdir()
    (path / "out").symlink_to("/")
    (path / "in").symlink_to(path / "sub")
    (path / "loop").symlink_to("loop")
    return DataFolder(path)


PARTS = (
    st.sampled_from(["sub", "out", "in", "loop", "..", ".", "~", "", "etc", "a.ttbin", "\0", "C:", "\\"]) | st.text()
)


@given(st.booleans(), st.lists(PARTS, max_size=5))
def test_no_name_leads_out(folder: DataFolder, absolute: bool, parts: list[str]) -> None:
    name = "/" * absolute + "/".join(parts)
    try:
        path = Path(folder.resolve(name))
    except FileRefused:
        return
    assert path.is_absolute()
    assert path.resolve().is_relative_to(folder.path)
    assert path != folder.path


def test_what_is_inside_is_accepted(folder: DataFolder) -> None:
    expected = str(folder.path / "sub" / "a.ttbin")
    for name in ("sub/a.ttbin", "in/a.ttbin", "./sub/a.ttbin", expected):
        assert folder.resolve(name) == expected
    assert guard(["sub/a.ttbin", ("in/a.ttbin",)], folder) == [expected, (expected,)]
    assert guard("", None) == ""


def test_only_text_names_files(folder: DataFolder) -> None:
    for value in (b"a", 1, {"a"}, ["a", b"b"]):
        with pytest.raises(ArgumentKindError):
            guard(value, folder)
    with pytest.raises(FileRefused, match="--data"):
        guard(["a"], None)


def test_the_folder_must_exist(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        DataFolder(tmp_path / "nothing")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        DataFolder(tmp_path / "file")
