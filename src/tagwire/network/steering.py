"""Who has a say when a client of the stream wants to change the Time Tagger."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tagwire.security import Principal


@dataclass(frozen=True)
class Wish:
    """A call of a method that changes the Time Tagger.

    Attributes
    ----------
    who
        Whose token was shown.
    peer
        From where, as ``host:port``.
    """

    method: str
    who: Principal
    peer: str
    args: Sequence[Any] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


Steer = Callable[[Wish, Callable[[], Any]], Any]
"""Makes a call that changes the Time Tagger, or raises `NotAllowed`; gives its result."""


def freely(_wish: Wish, call: Callable[[], Any]) -> Any:
    """The `Steer` of a server whose clients have nobody else to mind."""
    return call()
