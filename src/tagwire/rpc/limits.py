"""How much of a server its clients can take up."""

from __future__ import annotations

from dataclasses import dataclass, fields

from tagwire.core.arguments import integer
from tagwire.errors import ArgumentError
from tagwire.rpc.wire import REQUEST_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of a server. Whoever meets one gets an error that names it.

    Attributes
    ----------
    connections
        Open at once; plain Pyro clients need one per live object.
    connections_per_token, sessions_per_token
        Of these connections, and of the sessions, so many at most belong to one token, so that whoever has one shuts
        out nobody else.
    newcomers, newcomers_per_address
        Connections at once that have not said yet who they are, in total and of one address of another computer.
        One more costs the oldest of the address with the most of them its place, so that somebody who opens
        connections and keeps silent shuts out nobody else.
    handshake_s
        Seconds in which TLS, and then the greeting, have to be done.
    request_bytes
        Of one request of a client of ours; plain Pyro clients have `pyro.PLAIN_REQUEST_LIMIT`.
    objects
        Live objects of one session.
    sessions
        Of all clients, kept at once.
    sessions_per_client
        With names, of one principal; without tokens all clients are the same one.
    calls
        Of one session that are worked on at once; further ones wait.
    long_calls, long_calls_per_token
        Threads that are busy with calls that take longer than a few ms, in total and for one token, so that whoever
        has one leaves some to the others. Beyond, the calls of a client wait for its long one.
    """

    connections: int = 2000
    connections_per_token: int = 500
    newcomers: int = 500
    newcomers_per_address: int = 64
    handshake_s: float = 10.0
    request_bytes: int = REQUEST_LIMIT
    objects: int = 20_000
    sessions: int = 2000
    sessions_per_token: int = 500
    sessions_per_client: int = 50
    calls: int = 32
    long_calls: int = 128
    long_calls_per_token: int = 64

    @property
    def threads(self) -> int:
        """Of connections: those inside, newcomers, and as many again that are just being sent away."""
        return self.connections + 2 * self.newcomers

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "handshake_s":
                integer(value, field.name, 1, 2**40)
            elif not 0 < value <= 3600:
                raise ArgumentError(f"handshake_s is {value}, and has to be within (0, 3600] seconds")
