"""Control of an instrument, at the client: ``with TT.control(tagger): ...``."""

from __future__ import annotations

import contextlib
from types import TracebackType
from typing import Any, Self

from tagwire.errors import TagwireError
from tagwire.rpc.link import Link
from tagwire.rpc.session_view import id_of


class ControlLease:
    """Control that this client has taken (see `tagwire.rpc.module.RemoteModule.control`)."""

    def __init__(self, link: Link, object_id: str | None, lease_s: float, force: bool) -> None:
        self._link = link
        self._number: int | None = link.request("take_control", object_id, lease_s, force)

    def give_back(self) -> None:
        """Let others write again. Giving back twice, or what somebody else has taken over, is no error."""
        number, self._number = self._number, None
        if number is not None:
            self._link.request("give_back_control", number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if error is None:
            self.give_back()
            return
        with contextlib.suppress(TagwireError):  # what went wrong in the block is what the user should see
            self.give_back()

    def __repr__(self) -> str:
        state = "given back" if self._number is None else "taken"
        return f"<control at {self._link.host}:{self._link.port}, {state}>"


def take_control(link: Link, tagger: Any, lease_s: float, force: bool) -> ControlLease:
    """Take control of `tagger`, or of all instruments when it is `None`."""
    return ControlLease(link, None if tagger is None else id_of(tagger), lease_s, force)
