"""What the clients of a stream server may do: channels they get, settings they change."""

from __future__ import annotations

from collections.abc import Collection

from tagwire.core.catalog.effects import changes_tagger
from tagwire.core.enums import AccessMode
from tagwire.errors import ArgumentError, NotAllowed
from tagwire.security import Role


class Access:
    """Rights of the clients of one server.

    Parameters
    ----------
    mode
        Listen: read channels and settings. Control: change settings as well. The Synchronous ones make the stream
        wait until every client has each block.
    channels
        In the Listen modes, the only channels that clients get; empty for all. It has no meaning in the Control modes.
    """

    def __init__(self, mode: AccessMode, channels: Collection[int] = ()) -> None:
        self.mode = mode
        self._only = frozenset(channels) if mode in (AccessMode.Listen, AccessMode.SynchronousListen) else frozenset()

    @property
    def synchronous(self) -> bool:
        """Whether the stream waits for its clients."""
        return self.mode in (AccessMode.SynchronousListen, AccessMode.SynchronousControl)

    @property
    def controls(self) -> bool:
        """Whether clients may change settings."""
        return self.mode in (AccessMode.Control, AccessMode.SynchronousControl)

    def exposed(self, channels: Collection[int]) -> tuple[int, ...]:
        """Those of `channels` that clients get, sorted."""
        return tuple(sorted(c for c in channels if not self._only or c in self._only))

    def check_channels(self, wanted: Collection[int], existing: Collection[int]) -> tuple[int, ...]:
        """`wanted`, sorted and each once; ArgumentError (ValueError) where one does not exist or is not exposed."""
        offered = self.exposed(existing)
        for channel in wanted:
            if channel not in offered:
                why = "is not exposed by this server" if channel in existing else "does not exist at this server"
                raise ArgumentError(f"channel {channel} {why}; it offers {list(offered)}")
        return tuple(sorted(set(wanted)))

    def check_call(self, method: str, role: Role) -> None:
        """NotAllowed (RuntimeError) where a client of that role may not call a method of the Time Tagger."""
        if not changes_tagger(method):
            return
        if not self.controls:
            raise NotAllowed(
                f"{method} would change the Time Tagger, but the server runs in AccessMode.{self.mode.name}; "
                "AccessMode.Control lets clients change settings"
            )
        if role is not Role.CONTROL:
            raise NotAllowed(f"{method} would change the Time Tagger, but your token is for observing only")
