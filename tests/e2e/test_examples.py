"""The examples do what they say, run as a user would run them."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagwire.cli.child import ServerProcess

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess("--simulate", "ultra") as process:
        yield process


def run(example: str, server: ServerProcess, *options: str) -> str:
    """What an example prints."""
    address = ["--host", server.address.host, "--port", str(server.address.port)]
    command = [sys.executable, "-W", "error", EXAMPLES / example, *address, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def number(pattern: str, text: str) -> float:
    """The number at the group of a pattern that must occur."""
    found = re.search(pattern, text)
    assert found, text
    return float(found[1])


@pytest.mark.parametrize("example", ["01_plain_pyro.py", "02_connect.py"])
def test_two_test_signals_coincide_until_one_is_delayed(server: ServerProcess, example: str) -> None:
    said = run(example, server, "--seconds", "0.2")
    assert "Opened a Time Tagger Ultra" in said
    assert number(r"channel 2: (\d+) pairs", said) == pytest.approx(160_000, abs=2)  # 800 kHz for 0.2 s
    assert number(r"channel 2: .*mean delay (\S+) ps", said) == pytest.approx(0, abs=0.5)
    assert number(r"delayed by 1000 ps: .*mean delay (\S+) ps", said) == pytest.approx(-1000, abs=0.5)
    assert number(r"channel 2: .*rms width (\S+) ps", said) == pytest.approx(9 * 2**0.5, abs=0.5)


def test_the_live_plot_saves_its_last_frame(server: ServerProcess, tmp_path: Path) -> None:
    picture = tmp_path / "last.png"
    said = run("03_live_plot.py", server, "--frames", "3", "--output", str(picture))
    assert str(picture) in said
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_two_clients_share_one_instrument(server: ServerProcess) -> None:
    said = run("04_two_clients.py", server)
    assert "the office reads 5000 ps" in said
    assert "has control of this TimeTagger" in said
    assert "setInputDelay(channel=2, delay=5000)" in said
    assert number(r"(\d+) pairs, peak at", said) == pytest.approx(400_000, abs=2)
    assert number(r"peak at (-?\d+) ps", said) == pytest.approx(-5000, abs=100)


def test_a_measurement_goes_on_overnight(server: ServerProcess) -> None:
    evening, morning = run("06_overnight.py", server), run("06_overnight.py", server)
    assert "goes on without this program" in evening
    assert number(r"(\d+) pairs in", morning) > number(r"(\d+) pairs so far\nIt goes on", evening)
    assert "setTestSignal(channel=[1, 2], enabled=True)" in morning
    assert "the instrument is free" in morning


def test_the_missing_peak_is_found(recordings: Path, tmp_path: Path) -> None:
    picture = tmp_path / "antibunching.png"
    with ServerProcess("--simulate", "ultra", "--data", str(recordings)) as server:
        said = run("05_antibunching.py", server, "--output", str(picture))
    assert number(r"at a delay of (\S+) ns", said) == pytest.approx(-23.9, abs=0.1)
    assert number(r"missing peak: (\d+) pairs", said) < 20
    neighbours = re.search(r"neighbours: (\d+) and (\d+) pairs", said)
    assert neighbours
    assert [int(n) for n in neighbours.groups()] == pytest.approx([510, 510], rel=0.1)
    assert picture.read_bytes().startswith(b"\x89PNG")
