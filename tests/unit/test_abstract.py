"""Abstract classes say so, whatever they are called with."""

from __future__ import annotations

import pytest

from tagwire.TimeTagger import Experimental, FlimAbstract, IteratorBase


@pytest.mark.parametrize("cls", [IteratorBase, FlimAbstract, Experimental.SignalGeneratorBase])
@pytest.mark.parametrize("arguments", [(), (None,), (1, 2, 3, 4, 5)], ids=len)
def test_an_abstract_class_has_no_constructor(cls, arguments):
    with pytest.raises(AttributeError, match="No constructor defined"):
        cls(*arguments)
