"""What a client sees of its session and of the others at the server: ``TT.session``."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tagwire.core.arguments import text
from tagwire.core.catalog import Kind
from tagwire.errors import ArgumentKindError
from tagwire.rpc.client.link import Link
from tagwire.rpc.client.object_events import SettingsChange, local_time, settings_change
from tagwire.rpc.client.remote import RemoteObject
from tagwire.rpc.client.subscription import Subscription

Value = TypeVar("Value")


@dataclass(frozen=True)
class ClientInfo:
    """Somebody who is connected now.

    Attributes
    ----------
    who
        Person and program: ``user@host (pid)``, with the name under which the server knows it, if any.
    role
        ``"control"`` or ``"observe"``.
    since
        When it came.
    session
        Name of its session, empty if it has none.
    here
        Whether it is this client itself.
    """

    who: str
    role: str
    since: datetime.datetime
    session: str
    here: bool

    def __str__(self) -> str:
        session = f", session {self.session!r}" if self.session else ""
        return f"{self.who}: {self.role} since {self.since:%Y-%m-%d %H:%M:%S}{session}{' (here)' if self.here else ''}"


@dataclass(frozen=True)
class ControlInfo:
    """Control that somebody has taken.

    Attributes
    ----------
    who, since
        Who has it, and since when.
    of
        What of: all instruments, or one.
    until
        When it ends if its holder, whose connection is lost, does not come back; `None` while the holder is connected.
    lease_s
        How long it outlives the connection of its holder.
    """

    who: str
    of: str
    since: datetime.datetime
    until: datetime.datetime | None
    lease_s: float

    def __str__(self) -> str:
        until = "" if self.until is None else f" until {self.until:%H:%M:%S}"
        return f"{self.who}: control of {self.of} since {self.since:%Y-%m-%d %H:%M:%S}{until}"


@dataclass(frozen=True)
class ObjectInfo:
    """How an object was made.

    Attributes
    ----------
    class_name
        Its class.
    parameters
        What it was made with; a long value is abridged.
    since
        When it was made.
    """

    class_name: str
    parameters: Mapping[str, Any]
    since: datetime.datetime

    def __str__(self) -> str:
        parameters = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"{self.class_name}({parameters}) since {self.since:%Y-%m-%d %H:%M:%S}"


@dataclass(frozen=True)
class SessionEvent:
    """Something that happened among those who use the server.

    Attributes
    ----------
    when, who
        When, and who did it.
    what
        ``came``, ``came back``, ``was lost``, ``went``, ``control taken``, ``control taken over`` (from `who`),
        ``control given back``, ``control ended``.
    of
        What the control is of.
    """

    when: datetime.datetime
    who: str
    what: str
    of: str = ""

    def __str__(self) -> str:
        return f"{self.when:%Y-%m-%d %H:%M:%S} {self.who}: {self.what}{' of ' + self.of if self.of else ''}"


class SessionView:
    """The session of a client, and who else is there.

    What a client makes belongs to its session. With a name (``tagwire.connect(host, session="overnight")``, or `keep`)
    it stays at the server when the client goes, until `end`: whoever comes back with the name finds `measurements` and
    `taggers` with all their data. In such a session measurements, virtual channels and taggers stay until they are
    freed (``with``, ``freeTimeTagger``, `free`), even if no variable holds them.
    """

    def __init__(self, link: Link) -> None:
        self._link = link

    @property
    def name(self) -> str:
        """Its name; empty if it ends with this client."""
        return self._ask(lambda said: str(said["name"]), "session")

    @property
    def id(self) -> str:
        """What tells it from all others; new for every session."""
        return self._ask(lambda said: str(said["id"]), "session")

    @property
    def since(self) -> datetime.datetime:
        """When it began."""
        return self._ask(lambda said: local_time(said["since"]), "session")

    @property
    def role(self) -> str:
        """What this client may do: ``"control"``, or ``"observe"``."""
        return self._ask(lambda said: str(said["role"]), "session")

    @property
    def measurements(self) -> list[Any]:
        """Everything that measures, oldest first; what this client has made is the very same object."""
        return self._ask(list, "held", [Kind.MEASUREMENT.value, Kind.GROUP.value])

    @property
    def virtual_channels(self) -> list[Any]:
        """All virtual channels, oldest first."""
        return self._ask(list, "held", [Kind.VIRTUAL.value])

    @property
    def taggers(self) -> list[Any]:
        """All Time Taggers, oldest first."""
        return self._ask(list, "held", [Kind.TAGGER.value])

    @property
    def clients(self) -> list[ClientInfo]:
        """Who is connected to the server, in the order of coming."""
        return self._ask(lambda said: [_client(one) for one in said], "clients")

    @property
    def control(self) -> list[ControlInfo]:
        """Who has taken control of what."""
        return self._ask(lambda said: [_control(one) for one in said], "controls")

    def about(self, obj: Any) -> ObjectInfo:
        """How and when `obj` was made."""
        return self._ask(_object, "about", id_of(obj))

    def history(self, tagger: Any) -> list[SettingsChange]:
        """Who changed which setting of the tagger, and when; the latest 256 changes, oldest first."""
        return self._ask(lambda said: [settings_change(change) for change in said], "history", id_of(tagger))

    def keep(self, name: str = "") -> str:
        """Let the session stay at the server until `end` is called; the name by which to come back to it.

        Raises
        ------
        ArgumentError
            (ValueError) There is another session of that name, or it is no printable text of up to 100 characters.
        LimitReached
            (RuntimeError) As many sessions with names are kept for you as the server allows.
        """
        return self._ask(self._named, "keep", text(name, "name"))

    def end(self) -> None:
        """Free everything that the session holds; its name is forgotten. This client stays connected."""
        return self._ask(self._unnamed, "end_session")

    def free(self, obj: Any) -> None:
        """Free a measurement, a virtual channel, or the hold on a tagger."""
        return self._ask(_nothing, "free", id_of(obj))

    def events(self, callback: Callable[[SessionEvent], object] | None = None) -> Subscription[SessionEvent]:
        """Who comes and goes, and who takes control.

        Parameters
        ----------
        callback
            Called with each `SessionEvent`, on a thread for all such functions; without it they come in a loop over the
            result.
        """
        return Subscription(self._link, "session", read=_session_event, callback=callback)

    def log(self, callback: Callable[[int, str], object] | None = None) -> Subscription[tuple[int, str]]:
        """What the library at the server says: level (``LOGGER_INFO`` and so on) and message; see ``TT.setLogger``.

        Parameters
        ----------
        callback
            Called with both, on a thread for all such functions; without it they come in a loop over the result.
        """
        both = None if callback is None else lambda entry: callback(*entry)
        return Subscription(self._link, "log", read=lambda m: (m["level"], m["message"]), callback=both)

    def __repr__(self) -> str:
        return f"<session at {self._link.host}:{self._link.port}>"

    def _named(self, name: str) -> str:
        """The name is given again when the connection is broken for longer than the grace time."""
        self._link._said["session"] = name
        return name

    def _unnamed(self, nothing: object) -> None:
        self._link._said["session"] = ""

    def _ask(self, read: Callable[[Any], Value], *request: object) -> Value:
        """What the server answers, as `read` reads it."""
        return read(self._link.request(*request))  # type: ignore[arg-type]


class AsyncSessionView(SessionView):
    """The same for an asyncio client: everything but `events` and `log` is awaited."""

    def _ask(self, read: Callable[[Any], Value], *request: object) -> Any:
        async def ask() -> Value:
            return read(await self._link.request(*request))  # type: ignore[arg-type]

        return ask()


def id_of(obj: Any) -> str:
    """Id of the object at the server that `obj` stands for."""
    if not isinstance(obj, RemoteObject):
        raise ArgumentKindError(f"an object of the server is needed, not {obj!r}")
    return obj._tagwire_handle.id


def _session_event(plain: dict[str, Any]) -> SessionEvent:
    return SessionEvent(local_time(plain["when"]), plain["who"], plain["what"], plain.get("of", ""))


def _client(plain: dict[str, Any]) -> ClientInfo:
    return ClientInfo(plain["who"], plain["role"], local_time(plain["since"]), plain["session"], plain["here"])


def _control(plain: dict[str, Any]) -> ControlInfo:
    until = None if plain["until"] is None else local_time(plain["until"])
    return ControlInfo(plain["who"], plain["of"], local_time(plain["since"]), until, plain["lease_s"])


def _object(plain: dict[str, Any]) -> ObjectInfo:
    return ObjectInfo(plain["class"], plain["parameters"], local_time(plain["since"]))


def _nothing(plain: object) -> None:
    return None
