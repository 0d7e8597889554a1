"""The checked-in stubs let good client scripts pass mypy --strict and find the mistakes in bad ones."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parent / "scripts"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def complaints() -> Counter[tuple[str, int, str]]:
    """What one strict run of mypy says about all scripts: file, line and kind of each error."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", *map(str, sorted(SCRIPTS.glob("*.py")))]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stdout + run.stderr
    found = re.findall(r"^(\S+?):(\d+): error: .*\[([\w-]+)\]$", run.stdout, re.MULTILINE)
    assert len(found) == run.stdout.count(": error: "), run.stdout
    return Counter((Path(file).name, int(line), kind) for file, line, kind in found)


def expected(script: Path) -> Counter[tuple[str, int, str]]:
    """The errors that a script's own comments announce."""
    lines = enumerate(script.read_text(encoding="utf-8").splitlines(), 1)
    marks = ((number, re.search(r"# error: ([\w-]+)$", line)) for number, line in lines)
    return Counter((script.name, number, mark[1]) for number, mark in marks if mark)


def test_good_scripts_pass(complaints: Counter[tuple[str, int, str]]) -> None:
    assert {c for c in complaints if c[0] != "bad.py"} == set()


def test_every_mistake_is_found(complaints: Counter[tuple[str, int, str]]) -> None:
    announced = expected(SCRIPTS / "bad.py")
    assert len(announced) > 10
    assert Counter({c: n for c, n in complaints.items() if c[0] == "bad.py"}) == announced
