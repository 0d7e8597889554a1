"""Bars in the terminal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagwire.cli.plot import ASCII, BLOCKS, ROWS_PER_TICK, Style, bars, style_for

heights = st.lists(st.just(0.0) | st.floats(1e-6, 1e9), min_size=1, max_size=300)


def draw(values: list[float], style: Style = BLOCKS, columns: int = 70) -> list[str]:
    return bars(values, -5, 5, title="g2", unit="ns", columns=columns, style=style)


def test_a_plot_is_what_it_should_be() -> None:
    drawn = bars([0, 1, 2, 3, 1.5, 0], -3, 3, title="counts", unit="ns", columns=24)
    assert drawn == [
        "   counts",
        "3 ┤",
        "  │            ████",
        "  │            ████",
        "2 ┤            ████",
        "  │        ████████",
        "  │        ████████▄▄▄▄",
        "1 ┤        ████████████",
        "  │    ████████████████",
        "  │    ████████████████",
        "0 ┤    ████████████████",
        "  └┴───────────┴──────────┴",
        "   -3 ns       0 ns    3 ns",
    ]


@given(heights, st.sampled_from([BLOCKS, ASCII]))
def test_every_plot_fits_and_is_printable(values: list[float], style: Style) -> None:
    drawn = draw(values, style)
    assert max(map(len, drawn)) <= 80
    assert all(line == line.rstrip() for line in drawn[:-2])
    if style is ASCII:
        "".join(drawn).encode("ascii")


@given(heights.filter(lambda values: len(values) <= 70))
def test_the_labels_reach_the_highest_bar_and_no_further_than_one_step(values: list[float]) -> None:
    drawn = draw(values)
    labels = [float(line.split("┤")[0]) for line in drawn if "┤" in line]
    step = labels[0] - labels[1]
    assert labels[-1] == 0
    assert labels[0] - step <= max(values) * (1 + 1e-3) + step * 1e-9
    assert max(values) <= labels[0] * (1 + 1e-3) + 1e-9 or max(values) == 0


@given(st.integers(1, 5 * ROWS_PER_TICK))
def test_a_bar_is_as_high_as_its_value(rows: int) -> None:
    drawn = bars([rows / ROWS_PER_TICK, 5.0], 0, 1, title="", unit="s", columns=24)
    first = [line[3:4] for line in drawn[1:-2]]
    assert first.count("█") == rows


def test_nothing_gives_an_empty_plot() -> None:
    assert not any(set(line) & set(BLOCKS.levels[1:]) for line in draw([0.0] * 100))


@pytest.mark.parametrize(
    ("encoding", "style"), [("utf-8", BLOCKS), ("ascii", ASCII), ("latin-1", ASCII), (None, ASCII)]
)
def test_block_characters_only_where_they_can_be_written(encoding: str | None, style: Style) -> None:
    assert style_for(encoding) is style
