"""Whatever a name looks like, it ends inside the shared folder or nowhere."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire.core.catalog import MethodSpec, ParamSpec
from tagwire.errors import ArgumentKindError, FileRefused
from tagwire.rpc.host.arguments import Preparation
from tagwire.rpc.host.files import DataFolder, guard, is_elsewhere


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


def test_no_link_that_leads_out_may_belong_to_the_same_recording(tmp_path: Path) -> None:
    (tmp_path / "shared" / "sub").mkdir(parents=True)
    (tmp_path / "outside").touch()
    shared = DataFolder(tmp_path / "shared")
    for name in ("x.1.ttbin", "y.ttbin", "Caf\u00e9.2.ttbin", "sub/z.7.ttbin"):
        (shared.path / name).symlink_to(tmp_path / "outside")
    (shared.path / "inner.1.ttbin").symlink_to(shared.path / "real.1.ttbin")
    (shared.path / "same").symlink_to(shared.path / "sub")
    for name in ("x", "x.ttbin", "X.ttbin", "x.1", "y", "cafe\u0301.ttbin", "sub/z.ttbin", "same/z"):
        with pytest.raises(FileRefused, match=r"leads outside|lies outside"):
            shared.resolve(name)
    for name in ("inner.ttbin", "real", "w.ttbin", "xx", "nowhere/x"):
        assert shared.resolve(name) == str(shared.path / name)


def test_a_link_to_a_recording_is_looked_at_on_both_sides(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    (shared / "sub").mkdir(parents=True)
    (shared / "x.ttbin").symlink_to(shared / "sub" / "y.ttbin")
    (shared / "sub" / "y.1.ttbin").symlink_to(tmp_path / "outside")
    with pytest.raises(FileRefused, match=r"y\.1\.ttbin"):
        DataFolder(shared).resolve("x.ttbin")


HARD = [
    "new\nline.ttbin",
    "C:\\x",
    "C:/x",
    "~",
    "~root/x",
    "%2e%2e/x",
    "$HOME",
    "a" * 300,
    "a/" * 3000,
    "CON",
    "x:stream",
    " ",
    "*",
]


@pytest.mark.parametrize("name", HARD)
def test_nothing_in_a_name_is_expanded(folder: DataFolder, name: str) -> None:
    assert Path(folder.resolve(name)).is_relative_to(folder.path)


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


def test_what_the_description_does_not_know_never_reaches_a_call_that_names_files(folder: DataFolder) -> None:
    spec = MethodSpec("read", (ParamSpec("filename", "str", file="read"), ParamSpec("n", "int")))
    preparation = Preparation(lambda handle: pytest.fail("there is none"), {}, folder)
    assert preparation.prepare(spec, ["a", 3], {}).args == [str(folder.path / "a"), 3]
    for args, kwargs in [(["a", 3, "/etc/passwd"], {}), (["a"], {"file": "/etc/passwd"})]:
        with pytest.raises(ArgumentKindError, match="read"):
            preparation.prepare(spec, args, kwargs)


@pytest.mark.parametrize(
    "name", [r"\\evil\share\x.ttbin", "//evil/share/x", r"\\?\UNC\evil\share\x", r"\\.\pipe\x", "D:x", "d:/x"]
)
def test_windows_does_not_look_at_other_computers_or_drives(name: str) -> None:
    assert is_elsewhere(name, PureWindowsPath(r"C:\data"))
    assert is_elsewhere(name, PureWindowsPath(r"\\nas\data\shared"))


def test_names_within_the_drive_of_the_folder_are_looked_at() -> None:
    for name in ("x.ttbin", r"sub\x.ttbin", r"c:\data\x.ttbin", "/x"):
        assert not is_elsewhere(name, PureWindowsPath(r"C:\data"))
    assert not is_elsewhere(r"\\NAS\data\shared\x", PureWindowsPath(r"\\nas\data\shared"))
    assert not is_elsewhere("//computer/x", PurePosixPath("/data"))  # a name like others there
