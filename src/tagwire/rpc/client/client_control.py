"""Control of an instrument, at the client: ``with TT.control(tagger): ...``."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from types import TracebackType
from typing import Any, Self

from tagwire.errors import TagwireError
from tagwire.rpc.client.link import Link
from tagwire.rpc.client.session_view import id_of


class ControlLease:
    """Control that this client has taken (see `tagwire.rpc.client.module.RemoteModule.control`)."""

    def __init__(self, link: Link, tagger: Any, lease_s: float, force: bool) -> None:
        self._link = link
        object_id = None if tagger is None else id_of(tagger)
        self._number: int | None = link.request("take_control", object_id, lease_s, force)

    def give_back(self) -> None:
        """Let others write again. Giving back twice, or what somebody else has taken over, is no error."""
        number, self._number = self._number, None
        if number is not None:
            self._link.request("give_back_control", number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        # What went wrong in the block is what the user should see.
        with contextlib.suppress(*(() if error is None else (TagwireError,))):
            self.give_back()

    def __repr__(self) -> str:
        state = "given back" if self._number is None else "taken"
        return f"<control at {self._link.host}:{self._link.port}, {state}>"


class AsyncControlLease:
    """The same for an asyncio client: ``async with TT.control(tagger): ...``, or ``lease = await TT.control()``."""

    def __init__(self, link: Any, tagger: Any, lease_s: float, force: bool) -> None:
        self._link = link
        self._wanted = (None if tagger is None else id_of(tagger), lease_s, force)
        self._number: int | None = None

    async def give_back(self) -> None:
        """Let others write again. Giving back twice, or what somebody else has taken over, is no error."""
        number, self._number = self._number, None
        if number is not None:
            await self._link.request("give_back_control", number)

    def __await__(self) -> Generator[Any, None, Self]:
        return self.__aenter__().__await__()

    async def __aenter__(self) -> Self:
        if self._number is None:
            self._number = await self._link.request("take_control", *self._wanted)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        with contextlib.suppress(*(() if error is None else (TagwireError,))):
            await self.give_back()
