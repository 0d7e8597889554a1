"""What the command line refuses, and how it says so."""

import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from tagwire.cli import main


@pytest.fixture(autouse=True)
def _quiet_again() -> None:
    """Undo what --verbose does to the logger."""
    yield
    logging.getLogger("tagwire").setLevel(logging.NOTSET)


def refusal(*words: str) -> tuple[int, str]:
    """Exit code and message of a command that must not run."""
    result = CliRunner().invoke(main, list(words))
    assert result.exit_code != 0
    return result.exit_code, result.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("serve --backend vendor --simulate 20", "leave --backend vendor out"),
        ("serve --speed 2", "name it with --replay FILE"),
        ("serve --loop", "name it with --replay FILE"),
        ("serve --simulate 21", "'20', 'ultra', 'x'"),
        ("serve --port 65536", "0<=x<=65535"),
        ("serve --data nowhere", "does not exist"),
        ("serve --replay nowhere.ptu", "does not exist"),
        ("info labpc:0", "within [1, 65535]"),
        ("run nowhere.py", "does not exist"),
        ("demo --seconds 0", "0.5<=x<=60"),
        ("observe", "No such command"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(words: str, why: str) -> None:
    code, said = refusal(*words.split())
    assert code == 2
    assert why in said


def test_simulation_and_replay_exclude_each_other(tmp_path: Path) -> None:
    file = tmp_path / "some.ptu"
    file.touch()
    assert "exclude each other" in refusal("serve", "--simulate", "x", "--replay", str(file))[1]


def test_a_remote_script_takes_the_servers_instruments(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.touch()
    assert "the server has it" in refusal("run", "--remote", "labpc", "--simulate", "x", str(script))[1]


@pytest.mark.parametrize("verbose", [(), ("--verbose",)])
def test_errors_are_one_line_unless_asked_for_more(tmp_path: Path, verbose: tuple[str, ...]) -> None:
    file = tmp_path / "some.ptu"
    file.write_bytes(b"nonsense")
    code, said = refusal("serve", "--replay", str(file), *verbose)
    assert code == 1
    assert f"Error: {file} is not a recording" in said
    assert ("Traceback" in said) == bool(verbose)
    assert len(said.splitlines()) == 1 or verbose
