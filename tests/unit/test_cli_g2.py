"""g2 of pulsed light, from the areas of peaks."""

from pathlib import Path

import numpy as np
import pytest

from tagwire.cli.g2 import pulsed_g2, save_figure

PERIOD = 1_000
DELAYS = np.arange(-50, 51) * 100


def comb(centre: int, others: int) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    counts = np.where(DELAYS % PERIOD == 0, others, 0).astype(np.int32)
    counts[DELAYS == 0] = centre
    return counts


def test_the_centre_is_compared_with_the_mean_of_the_others() -> None:
    result = pulsed_g2(DELAYS, comb(30, 100), PERIOD, 200)
    assert result.value == pytest.approx(0.3)
    assert result.centre == 30
    assert result.neighbours.tolist() == [100] * 8  # those at the ends are not covered as a whole


def test_the_error_is_that_of_counting() -> None:
    result = pulsed_g2(DELAYS, comb(25, 100), PERIOD, 200)
    assert result.error == pytest.approx(0.25 * np.sqrt(1 / 25 + 1 / 800))


def test_an_empty_centre_is_uncertain_by_one_count() -> None:
    result = pulsed_g2(DELAYS, comb(0, 100), PERIOD, 200)
    assert result.value == 0
    assert result.error == pytest.approx(0.01, rel=0.01)


def test_pairs_between_the_peaks_do_not_count() -> None:
    counts = comb(0, 100)
    counts[DELAYS == 500] = 10_000
    assert pulsed_g2(DELAYS, counts, PERIOD, 200).neighbours.tolist() == [100] * 8


def test_the_figure_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "g2.png"
    counts = comb(1, 100)
    save_figure(path, DELAYS, counts / 10, pulsed_g2(DELAYS, counts, PERIOD, 200))
    assert path.read_bytes().startswith(b"\x89PNG")
