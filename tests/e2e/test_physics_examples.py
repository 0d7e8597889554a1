"""The examples of physics find what the light was simulated with.

They run as they are, on a simulated Time Tagger whose time passes only while they wait; the same seed gives the same
tags every time. Bounds are five standard errors, as the example itself states them, beside what a comment names.
"""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tagwire import TimeTagger
from tagwire.cli.child import ServerProcess
from tagwire.core.catalog import read_catalog
from tagwire.rpc.server import Server
from tagwire.testing import simulated_tagger

CATALOG = read_catalog(TimeTagger)
EXAMPLES = Path(__file__).parents[2] / "examples"

NUMBER = r"(-?[\d.]+)"
WITH_ERROR = rf"{NUMBER}%? ± {NUMBER}"

Load = Callable[[str], ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Load:
    """Import an example whose Time Tagger is a stepped one."""
    monkeypatch.setattr(TimeTagger, "createTimeTagger", partial(simulated_tagger, seed=1))
    monkeypatch.syspath_prepend(EXAMPLES)

    def load_example(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"example_{name[:2]}", EXAMPLES / name)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load_example


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess("--simulate", "ultra", "--also", f"{EXAMPLES / 'piezo.py'}:stage") as process:
        yield process


def numbers(pattern: str, text: str) -> tuple[float, ...]:
    """The groups of a pattern that must occur."""
    found = re.search(pattern, text)
    assert found, text
    return tuple(float(group) for group in found.groups())


def assert_is_picture(path: Path) -> None:
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 20_000


def test_hbt_finds_a_single_emitter_through_background(
    load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example, picture = load("10_hbt_g2.py"), tmp_path / "g2.png"
    example.main(["--seconds", "1", "--output", str(picture)])
    said = capsys.readouterr().out
    g2, error = numbers(rf"g2\(0\) = {WITH_ERROR} without", said)
    assert 0.005 < error < 0.02
    assert g2 == pytest.approx(example.SIMULATED_G2, abs=5 * error)
    # Rates s of photons and b of background on each detector make pairs as s² and, without any peaks, 2 s b + b².
    photons = 1e12 / example.PERIOD_PS * 0.9 * 1.05 * 0.02 * 0.6 / 2
    share = (2 * photons + example.BACKGROUND_HZ) * example.BACKGROUND_HZ / photons**2
    (raw,) = numbers(rf"background and all: {NUMBER}", said)
    assert raw == pytest.approx((example.SIMULATED_G2 + share) / (1 + share), abs=0.05)
    lifetime, error = numbers(rf"Lifetime of the emitter: {WITH_ERROR} ns", said)
    assert 1000 * lifetime == pytest.approx(example.LIFETIME_PS, abs=5000 * error)
    assert "single emitter" in said
    assert_is_picture(picture)


def test_tcspc_finds_lifetime_and_jitter(load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    example, picture = load("11_tcspc_lifetime.py"), tmp_path / "decay.png"
    example.main(["--seconds", "0.2", "--output", str(picture)])
    said = capsys.readouterr().out
    lifetime, error = numbers(rf"Lifetime: {WITH_ERROR} ps", said)
    assert 5 < error < 30
    assert lifetime == pytest.approx(example.LIFETIME_PS, abs=5 * error)
    jitter, error = numbers(rf"electronics: {WITH_ERROR} ps", said)
    # Photon and laser pulse each have the 9 ps of the Time Tagger as well.
    assert jitter == pytest.approx(np.hypot(example.JITTER_PS, 9 * 2**0.5), abs=5 * error + 1)
    # Half a bin is the least that a mistake in the edges of bins would make; dead time shifts by a few ps.
    (arrival,) = numbers(rf"sample {NUMBER} ±", said)
    assert arrival == pytest.approx(example.ARRIVAL_PS, abs=20)
    photons, background = numbers(rf"{NUMBER} photons, {NUMBER}%", said)
    rate = example.DETECTED_HZ + example.DARK_HZ
    assert photons == pytest.approx(0.2 * rate / (1 + 30e-9 * rate), abs=5 * (0.2 * rate) ** 0.5)
    assert background == pytest.approx(100 * example.DARK_HZ / rate, abs=0.5)
    assert_is_picture(picture)


def test_fcs_finds_diffusion_time_and_number_of_molecules(
    load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example, picture = load("12_fcs.py"), tmp_path / "fcs.png"
    example.main(["--seconds", "0.5", "--runs", "4", "--output", str(picture)])
    said = capsys.readouterr().out
    molecules, _ = numbers(rf"focus: {WITH_ERROR}", said)
    microseconds, _ = numbers(rf"Diffusion time: {WITH_ERROR} µs", said)
    # Two seconds are 20,000 diffusion times: a few percent of noise, on top of what the spring takes.
    assert molecules == pytest.approx(example.MOLECULES, rel=0.12)
    assert 1e6 * microseconds == pytest.approx(example.DIFFUSION_PS, rel=0.15)
    assert_is_picture(picture)


def test_pairs_have_the_efficiency_and_the_accidentals_of_theory(
    load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example, picture = load("13_heralded_pairs.py"), tmp_path / "pairs.png"
    example.main(["--seconds", "1", "--output", str(picture)])
    said = capsys.readouterr().out
    (delay,) = numbers(rf"came {NUMBER} ps late", said)
    assert delay == pytest.approx(example.IDLER_DELAY_PS, abs=10)
    clicks = {}
    for name, own, other in (
        ("signal", example.SIGNAL_EFFICIENCY, example.IDLER_EFFICIENCY),
        ("idler", example.IDLER_EFFICIENCY, example.SIGNAL_EFFICIENCY),
    ):
        # Dark counts herald nothing, and a detector misses what comes in its dead time.
        herald = example.PAIRS_HZ * other
        clicks[name] = example.PAIRS_HZ * own + example.DARK_HZ
        expected = own * herald / (herald + example.DARK_HZ) / (1 + 30e-9 * clicks[name])
        efficiency, error = numbers(rf"{name} arm, heralded by the other: {NUMBER}% ± {NUMBER}%", said)
        assert efficiency == pytest.approx(100 * expected, abs=5 * error)
    ratio, error = numbers(rf"\(CAR\): {WITH_ERROR}", said)
    pairs = example.PAIRS_HZ * example.SIGNAL_EFFICIENCY * example.IDLER_EFFICIENCY
    accidentals = clicks["signal"] * clicks["idler"] * (2 * example.WINDOW_PS + 1) * 1e-12
    assert ratio == pytest.approx(pairs / accidentals + 1, abs=5 * error)
    assert_is_picture(picture)


def test_flim_finds_the_lifetime_of_each_dye_where_it_is(
    load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example, picture = load("14_flim.py"), tmp_path / "flim.png"
    example.main(["--frames", "10", "--output", str(picture)])
    said = capsys.readouterr().out
    sample = example.sample()
    # Of two photons after one pulse the detector sees the first, which shortens the mean by a quarter of their share.
    shortened = 1 - example.DETECTED_HZ * example.PERIOD_PS * 1e-12 / 4
    for dye, name in ((example.CELL, "cells"), (example.NUCLEUS, "nuclei")):
        lifetime, error = numbers(rf"in the {name}: {WITH_ERROR} ps", said)
        assert error < 0.02 * lifetime
        assert lifetime == pytest.approx(example.LIFETIMES_PS[dye] * shortened, abs=5 * error)
        (photons,) = numbers(rf"in the {name}: .* from {NUMBER} photons", said)
        expected = 10 * sample[dye].sum() * example.DWELL_PS * 1e-12 * example.DETECTED_HZ
        # The dead time of 30 ns takes its share.
        assert photons == pytest.approx(expected / (1 + 30e-9 * example.DETECTED_HZ), abs=5 * expected**0.5)
    # Dark counts do not pass the gates; what ends a photon's time may come a laser period behind a pixel.
    (outside,) = numbers(rf"{NUMBER} photons beside", said)
    assert outside < 20
    assert_is_picture(picture)


@pytest.fixture
def lab(load: Load) -> Iterator[tuple[ModuleType, ModuleType, Server]]:
    """The confocal scan, its stage, and a server of that beside a stepped Time Tagger."""
    example, piezo = load("15_confocal_scan.py"), load("piezo.py")
    with Server(TimeTagger, "127.0.0.1", 0, catalog=CATALOG, also={"stage": piezo.stage}) as running:
        yield example, piezo, running


def test_confocal_scan_shows_the_molecules(
    lab: tuple[ModuleType, ModuleType, Server], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example, piezo, server = lab
    picture, seen = tmp_path / "confocal.png", []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(example, "plot", lambda places, rates, path: seen.append((places, rates)))
        example.main(["--remote", f"127.0.0.1:{server.port}", "--pixels", "15"])
    places, rates = seen[0]
    example.plot(places, rates, picture)
    assert_is_picture(picture)
    sample = piezo.Stage()
    expected = np.empty_like(rates)
    for row, column in np.ndindex(rates.shape):
        sample.move_to(places[column], places[row])
        expected[row, column] = sample.get_brightness()
    expected /= 1 + 2.1e-9 * expected  # dead time of the model
    errors = (rates - expected) / np.sqrt(expected / (example.DWELL_PS * 1e-12))
    assert np.abs(errors).max() < 5
    assert 0.8 < errors.std() < 1.2
    said = capsys.readouterr().out
    x, y = numbers(rf"x = {NUMBER} µm, y = {NUMBER} µm", said)
    row, column = np.unravel_index(rates.argmax(), rates.shape)
    assert (x, y) == (pytest.approx(places[column], abs=0.006), pytest.approx(places[row], abs=0.006))
    assert np.hypot(x - 2.1, y - 7.4) < 0.6  # the brightest molecule
    assert (piezo.stage.x, piezo.stage.y) == (places[column], places[row])


def test_a_scan_needs_a_stage(load: Load) -> None:
    with (
        Server(TimeTagger, "127.0.0.1", 0, catalog=CATALOG) as without,
        pytest.raises(SystemExit, match=r"--also examples/piezo\.py:stage"),
    ):
        load("15_confocal_scan.py").main(["--remote", f"127.0.0.1:{without.port}"])


@pytest.mark.parametrize("name", ["10_hbt_g2.py", "11_tcspc_lifetime.py", "12_fcs.py", "13_heralded_pairs.py"])
def test_without_light_they_say_so(load: Load, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    example = load(name)
    monkeypatch.setattr(example, "shine", lambda tagger: True)
    with pytest.raises(SystemExit, match="light"):
        example.main(["--seconds", "0.1"])


def test_without_light_there_is_no_image(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    example = load("14_flim.py")
    monkeypatch.setattr(example, "shine", lambda TimeTagger, tagger: None)
    with pytest.raises(SystemExit, match="light"):
        example.main(["--frames", "1"])


def test_without_accidentals_there_is_no_ratio(load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load("13_heralded_pairs.py").main(["--seconds", "0.0005", "--output", str(tmp_path / "pairs.png")])
    said = capsys.readouterr().out
    assert "measure for longer" in said
    assert "CAR" not in said


@pytest.mark.parametrize(
    ("name", "options", "found"),
    [
        ("10_hbt_g2.py", ("--seconds", "0.5"), rf"g2\(0\) = {NUMBER} ±"),
        ("11_tcspc_lifetime.py", ("--seconds", "0.1"), rf"Lifetime: {NUMBER} ±"),
        ("12_fcs.py", ("--seconds", "0.2", "--runs", "2"), rf"Diffusion time: {NUMBER} ±"),
        ("13_heralded_pairs.py", ("--seconds", "0.3"), rf"heralded by the other: {NUMBER}%"),
        ("14_flim.py", ("--frames", "3"), rf"Lifetime in the cells: {NUMBER} ±"),
        ("15_confocal_scan.py", ("--pixels", "4"), rf"Brightest at x = {NUMBER} µm"),
    ],
    ids=["hbt", "tcspc", "fcs", "pairs", "flim", "confocal"],
)
def test_the_same_code_measures_on_a_server(
    server: ServerProcess, tmp_path: Path, name: str, options: tuple[str, ...], found: str
) -> None:
    picture = tmp_path / "picture.png"
    address = f"{server.address.host}:{server.address.port}"
    command = [sys.executable, "-W", "error", EXAMPLES / name, "--remote", address, "--output", str(picture), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    (value,) = numbers(found, done.stdout)
    assert 0 < value < 10_000
    assert_is_picture(picture)
