"""Many calls in one message: ``with tagwire.batch() as b: a = b(counter.getData)``."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Generic, ParamSpec, Protocol, Self, TypeVar, cast

from tagwire.errors import ArgumentError, StateError
from tagwire.rpc.wire import CALLS_MAX

P = ParamSpec("P")
T = TypeVar("T")


class Carrier(Protocol):
    """What is needed of a connection; see `tagwire.rpc.client.link.Link`."""

    def batch(self, requests: list[list[Any]]) -> list[tuple[bool, Any]]: ...


class Recorder(Protocol):
    """Takes requests instead of the connection."""

    def note(self, link: Carrier, operation: str, operands: tuple[Any, ...]) -> Any:
        """Keep a request for later; what stands for its result."""


RECORDER: ContextVar[Recorder | None] = ContextVar("tagwire_recorder", default=None)
"""Who takes the requests of this thread or task now."""


class Pending(Generic[T]):
    """The result of one call of a batch, once the batch has been sent."""

    def __init__(self) -> None:
        self._outcome: tuple[bool, Any] | None = None

    def result(self) -> T:
        """What the call has returned; raises what it has raised, and `StateError` while the batch was not sent."""
        if self._outcome is None:
            raise StateError("this batch was not sent yet: its results are there after the end of its `with` block")
        failed, value = self._outcome
        if failed:
            raise value
        return cast(T, value)

    def __bool__(self) -> bool:
        raise StateError(
            "the result of a call in a batch is asked for with result(), after the end of its `with` block"
        )

    def __repr__(self) -> str:
        state = "not sent yet" if self._outcome is None else "failed" if self._outcome[0] else "done"
        return f"<result of a call in a batch, {state}>"


class Batch:
    """See `tagwire.batch`.

    Parameters
    ----------
    link
        The connection to use; that of the first call when not given.
    """

    def __init__(self, link: Carrier | None = None) -> None:
        self._link = link
        self._noted: list[tuple[list[Any], Pending[Any]]] = []
        self._open = False

    def __call__(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Pending[T]:
        """Put the call ``call(*args, **kwargs)`` into the batch; what will have its result.

        Raises
        ------
        StateError
            (RuntimeError) The batch has been sent already, or the call needs its result at once, as a wait does.
        ArgumentError
            (ValueError) The call goes over another connection, or there are 10,000 already.
        """
        if not self._open:
            raise StateError("calls are put into a batch inside of its `with` block")
        before = len(self._noted)
        token = RECORDER.set(self)
        try:
            value = call(*args, **kwargs)
        except BaseException:
            del self._noted[before:]
            raise
        finally:
            RECORDER.reset(token)
        if len(self._noted) == before:  # not a remote call, so it is done already
            return _done(value)
        if len(self._noted) > before + 1 or value is not self._noted[-1][1]:
            del self._noted[before:]
            raise StateError(f"{getattr(call, '__name__', call)} is more than one remote call; give each to the batch")
        return cast("Pending[T]", value)

    def note(self, link: Carrier, operation: str, operands: tuple[Any, ...]) -> Pending[Any]:
        """Keep a request; called by the link."""
        if operation in ("wait", "create"):
            raise StateError("a call that waits, or that makes an object, cannot be in a batch")
        if self._link is not None and self._link is not link:
            raise ArgumentError("all calls of a batch have to go over one connection")
        if len(self._noted) >= CALLS_MAX:
            raise ArgumentError(f"a batch can have at most {CALLS_MAX} calls")
        self._link = link
        pending: Pending[Any] = Pending()
        self._noted.append(([operation, *operands], pending))
        return pending

    def __enter__(self) -> Self:
        self._open = True
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._open = False
        noted, self._noted = self._noted, []
        if kind is None and noted and self._link is not None:
            outcomes = self._link.batch([request for request, _ in noted])
            for (_, pending), outcome in zip(noted, outcomes, strict=True):
                pending._outcome = outcome


def _done(value: T) -> Pending[T]:
    pending: Pending[T] = Pending()
    pending._outcome = False, value
    return pending
