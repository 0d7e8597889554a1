"""What ``help()`` says where only the catalog is at hand."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

import pytest

from tagwire.core.arrays import Int32Array2D
from tagwire.core.catalog import call_doc
from tagwire.core.catalog.calls import read_call
from tagwire.core.catalog.docstrings import read_docstring
from tagwire.core.catalog.names import Names
from tagwire.core.catalog.prose import type_words


def measure(channels: Sequence[int], binwidth: int = 1000) -> Int32Array2D:
    """Count.

    Parameters
    ----------
    channels
        Where to count.
    binwidth
        Width in ps.

    Returns
    -------
    array
        Clicks in each bin.

    Raises
    ------
    ValueError
        No channels.

    Notes
    -----
    Slow.
    """
    raise NotImplementedError


def plain() -> None:
    """Nothing more to say."""


NAMES = Names(classes={}, enums={}, constants={})


def test_parameters_and_result_stand_between_prose_and_other_sections() -> None:
    assert call_doc(read_call(measure, "measure", NAMES)) == inspect.cleandoc(
        """
        Count.

        Parameters
        ----------
        channels : list of int
            Where to count.
        binwidth : int, optional
            Width in ps.

        Returns
        -------
        2-D array of int32
            Clicks in each bin.

        Raises
        ------
        ValueError
            No channels.

        Notes
        -----
        Slow.
        """
    )


def test_what_is_written_reads_back() -> None:
    written = read_docstring(call_doc(read_call(measure, "measure", NAMES)))[0]
    assert [(p.name, p.optional, p.doc) for p in written.params] == [
        ("channels", False, "Where to count."),
        ("binwidth", True, "Width in ps."),
    ]
    assert written.returns == "Clicks in each bin."


def test_a_call_without_parameters_and_result_keeps_its_words() -> None:
    assert call_doc(read_call(plain, "plain", NAMES)) == "Nothing more to say."


@pytest.mark.parametrize(
    ("type_", "words"),
    [
        ("int", "int"),
        ("int[][]", "list of list of int"),
        ("int|int[]", "int or list of int"),
        ("object:TimeTaggerBase", "TimeTaggerBase"),
        ("enum:ChannelEdge", "ChannelEdge"),
    ],
)
def test_types_in_words(type_: str, words: str) -> None:
    assert type_words(type_) == words
