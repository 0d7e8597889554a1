"""The example of two laboratories finds the peak of the simulated pairs, through drifting clocks and servers."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from steady import wait_for
from tagwire import TimeTagger

EXAMPLES = Path(__file__).parents[2] / "examples"


def number(pattern: str, text: str) -> float:
    """The number at the group of a pattern that must occur."""
    found = re.search(pattern, text)
    assert found, text
    return float(found[1])


def serve(tagger: TimeTagger.TimeTagger, _port: int) -> str:
    """As the example does, but at a port that is free."""
    tagger.setReferenceClock(8, 1e5, synchronization_channel=7)
    tagger.setServerAddress("127.0.0.1")
    tagger.startServer(TimeTagger.AccessMode.Listen, port=0)
    assert tagger._server is not None
    return str(tagger._server.address)


def patient(create: Callable[..., Any], *args: Any) -> Any:
    """A client for which no laboratory is too slow."""
    client = create(*args)
    client.setServerPatience(-1)
    wait_for(lambda: not any(standing["absent"] for standing in client.getServerStandings().values()))
    return client


def test_two_laboratories(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.syspath_prepend(EXAMPLES)
    spec = importlib.util.spec_from_file_location("example_15", EXAMPLES / "16_two_laboratories.py")
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    monkeypatch.setattr(example, "CLOCK_HZ", 1e5)
    monkeypatch.setattr(example, "serve", serve)
    create = TimeTagger.createTimeTaggerNetwork
    monkeypatch.setattr(TimeTagger, "createTimeTaggerNetwork", partial(patient, create))
    picture = tmp_path / "pairs.png"
    example.main(["--seconds", "1", "--output", str(picture)])
    said = capsys.readouterr().out
    drift = example.CLOCK_ERRORS[1] - example.CLOCK_ERRORS[0]
    assert number(r"gains (\S+) µs", said) == pytest.approx(1e6 * drift, abs=0.01)
    # The pulses that align the clocks have the jitter of their inputs: 9 and 2 ps.
    assert number(r"comes (\S+) ±", said) == pytest.approx(example.IDLER_DELAY_PS, abs=5 * 9.3 + 5)
    width, true_width = number(r"width of the peak: (\S+) ±", said), number(r"a width of (\S+) ps", said)
    # 36,000 pairs tell the width to a quarter of a ps; the clocks follow theirs to a few ps.
    assert true_width - 2 < width < true_width + 5
    expected = example.PAIRS_HZ * example.EFFICIENCY**2
    assert number(r"Pairs: (\d+) above", said) == pytest.approx(expected, abs=5 * expected**0.5 + 0.02 * expected)
    assert picture.read_bytes().startswith(b"\x89PNG")
