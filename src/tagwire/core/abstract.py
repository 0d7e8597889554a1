"""Classes that only their subclasses are created of."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Concatenate, ParamSpec, TypeVar

Self = TypeVar("Self")
Params = ParamSpec("Params")


def for_subclasses(init: Callable[Concatenate[Self, Params], None]) -> Callable[Concatenate[Self, Params], None]:
    """An ``__init__`` that only subclasses can call.

    For the class itself it raises AttributeError, as the vendor's library does, whatever the arguments.
    """
    owner = init.__qualname__.rpartition(".")[0]

    def checked(self: Self, /, *args: Params.args, **kwargs: Params.kwargs) -> None:
        if type(self).__qualname__ == owner:
            raise AttributeError("No constructor defined - class is abstract")
        init(self, *args, **kwargs)

    update_wrapper(checked, init)
    return checked
