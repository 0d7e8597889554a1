"""What docs/testing.md shows works as it stands there."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tagwire.testing import oracles

DOCUMENT = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")

BLOCKS = re.findall(r"<!-- (\S+) -->\n```python\n(.*?)```", DOCUMENT, re.DOTALL)


def test_every_block_is_tested() -> None:
    assert len(BLOCKS) == DOCUMENT.count("```python")
    assert [name for name, _ in BLOCKS if name != "run"] == ["experiment.py", "test_experiment.py"]


def test_the_complete_example_passes(tmp_path: Path) -> None:
    for name, code in BLOCKS:
        if name != "run":
            (tmp_path / name).write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_the_complete_example_can_fail(tmp_path: Path) -> None:
    blocks = dict(BLOCKS)
    (tmp_path / "experiment.py").write_text(blocks["experiment.py"].replace("second, first,", "first, second,"))
    (tmp_path / "test_experiment.py").write_text(blocks["test_experiment.py"])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "cable", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stdout + done.stderr


@pytest.mark.parametrize("code", [code for name, code in BLOCKS if name == "run"], ids=["tags", "strategies"])
def test_the_other_blocks_run(code: str) -> None:
    exec(compile(code, "docs/testing.md", "exec"), {"__name__": "documentation"})


def test_the_table_of_oracles_is_complete_and_right() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", DOCUMENT.split("tagwire.testing.oracles`\n")[-1], re.MULTILINE))
    there = {m.name for m in pkgutil.iter_modules(oracles.__path__)}
    assert rows.keys() == there, f"docs/testing.md lists {rows.keys() ^ there} on one side only"
    for name, text in rows.items():
        module = importlib.import_module(f"{oracles.__name__}.{name}")
        for function in re.findall(r"`(\w+)`", text):
            assert hasattr(module, function), f"{name} has no {function}"
