"""The guide to instruments beside the Time Tagger: its stage is served, and its client uses it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tagwire
from tagwire.cli.also import load_all
from tagwire.core.catalog import read_catalog
from tagwire.rpc.server import Server

GUIDE = (Path(__file__).parents[2] / "docs" / "instruments.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


def test_the_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    served, used = BLOCKS
    (tmp_path / "guide_lab.py").write_text(served, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    also = load_all((f"{tmp_path / 'guide_lab.py'}:stage",))
    with Server(tagwire.TimeTagger, "localhost", 0, catalog=read_catalog(tagwire.TimeTagger), also=also) as server:
        exec(used.replace('"localhost"', f'"localhost", {server.port}'), {})
    assert capsys.readouterr().out == "3.2 3.2\n"
