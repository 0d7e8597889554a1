"""Who may read a stream, and over which connection: tokens, roles, TLS, pins."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyarrow import flight

from steady import quiet_port, wait_for
from tagwire import TimeTagger
from tagwire.core.address import Address
from tagwire.errors import AccessRefused, NotAllowed, ServerNotTrusted
from tagwire.network import entrance
from tagwire.network.server import StreamServer
from tagwire.security import Identity, Role, ServerSecurity, Tokens
from tagwire.security.known import KnownServers
from tagwire.tagger.serving import Terms, demand, serve_stream
from tagwire.testing import simulated_tagger
from tagwire.testing.simulated import SteppedTimeTagger

TT = TimeTagger
MS = 10**9


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keys and known servers of this test alone."""
    monkeypatch.setenv("TAGWIRE_HOME", str(tmp_path / "client"))
    monkeypatch.delenv("TAGWIRE_TOKEN", raising=False)
    return tmp_path


@pytest.fixture
def tagger() -> Iterator[SteppedTimeTagger]:
    with simulated_tagger() as made:
        made.setTestSignal([1], True)
        yield made


@pytest.fixture
def keys(home: Path) -> Path:
    folder = home / "server"
    Identity.create(folder)
    return folder


def serve(
    tagger: SteppedTimeTagger, keys: Path, mode: TT.AccessMode = TT.AccessMode.Control, port: int = 0
) -> StreamServer:
    security = ServerSecurity(Tokens(keys), Identity.load(keys), refusal_s=0.0)
    return serve_stream(tagger, mode, (), Address("127.0.0.1", port), security)


@pytest.fixture
def server(tagger: SteppedTimeTagger, keys: Path) -> Iterator[StreamServer]:
    running = serve(tagger, keys)
    yield running
    running.close()


def test_who_has_a_token_measures_over_tls(
    server: StreamServer, tagger: SteppedTimeTagger, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGWIRE_TOKEN", Tokens(keys).add("anna", Role.CONTROL))
    with TT.createTimeTaggerNetwork(str(server.address)) as client:
        here, there = TT.Countrate(tagger, [1]), TT.Countrate(client, [1])
        client.setTriggerLevel(1, 0.25)
        tagger.advance(10 * MS)
        assert client.sync(120_000)
        assert here.getCountsTotal() == there.getCountsTotal() > 7000
    assert tagger.getTriggerLevel(1) == 0.25
    assert KnownServers().find(*server.address).fingerprint == Identity.load(keys).fingerprint


def test_a_name_of_the_configuration_says_where_and_whom_to_expect(
    server: StreamServer, keys: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def configure(fingerprint: str) -> None:
        lines = ["[servers.bench]", 'host = "127.0.0.1"', f"stream_port = {server.address.port}"]
        (home / "client" / "tagwire.toml").write_text("\n".join([*lines, f'fingerprint = "{fingerprint}"']))

    monkeypatch.setenv("TAGWIRE_TOKEN", Tokens(keys).add("anna", Role.CONTROL))
    (home / "client").mkdir(exist_ok=True)
    configure(Identity.load(keys).fingerprint)
    with TT.createTimeTaggerNetwork("bench") as client:
        assert client.getServers()[0].getAddress() == "bench"
        assert client.getServer("bench").getAccessMode() == TT.AccessMode.Control
    configure("ab" * 32)
    with pytest.raises(ServerNotTrusted, match="fingerprint"):
        TT.getTimeTaggerServerInfo("bench")


@pytest.mark.parametrize("token", ["", "tagwire-wrong"])
def test_without_a_right_token_nobody_comes_in(
    server: StreamServer, keys: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    Tokens(keys).add("anna", Role.CONTROL)
    if token:
        monkeypatch.setenv("TAGWIRE_TOKEN", token)
    for ask in (TT.createTimeTaggerNetwork, TT.getTimeTaggerServerInfo):
        with pytest.raises(AccessRefused, match="token"):
            ask(str(server.address))


def test_what_is_sent_without_a_token_takes_no_memory(
    server: StreamServer, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacker = flight.FlightClient(f"grpc+tls://{server.address}", disable_server_verification=True)
    with attacker, pytest.raises(flight.FlightUnavailableError):  # cut off; else it would be told to show a token
        list(attacker.do_action(flight.Action("info", bytes(8 * 2**20))))
    monkeypatch.setenv("TAGWIRE_TOKEN", Tokens(keys).add("anna", Role.CONTROL))
    silent = [socket.create_connection(server.address) for _ in range(2 * entrance.NEWCOMERS)]
    try:
        assert TT.getTimeTaggerServerInfo(str(server.address))["access mode"] == "Control"
    finally:
        for sock in silent:
            sock.close()


def test_who_may_observe_reads_and_no_more(
    server: StreamServer, tagger: SteppedTimeTagger, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGWIRE_TOKEN", Tokens(keys).add("ben", Role.OBSERVE))
    with TT.createTimeTaggerNetwork(str(server.address)) as client:
        assert client.getTriggerLevel(1) == tagger.getTriggerLevel(1)
        with pytest.raises(NotAllowed, match="observing"):
            client.setTriggerLevel(1, 0.1)


def test_another_server_at_a_known_address_is_not_trusted(
    tagger: SteppedTimeTagger, keys: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = serve(tagger, keys, port=quiet_port())
    try:
        monkeypatch.setenv("TAGWIRE_TOKEN", Tokens(keys).add("anna", Role.CONTROL))
        TT.getTimeTaggerServerInfo(str(first.address))
    finally:
        first.close()
    Identity.create(home / "other")
    security = ServerSecurity(Tokens(keys), Identity.load(home / "other"))
    second = serve_stream(tagger, TT.AccessMode.Listen, (), first.address, security)
    try:
        with pytest.raises(ServerNotTrusted, match="fingerprint"):
            TT.createTimeTaggerNetwork(str(first.address))
    finally:
        second.close()


def test_a_token_for_a_server_with_tls_is_shown_to_no_other(tagger: SteppedTimeTagger, keys: Path, home: Path) -> None:
    token = Tokens(keys).add("anna", Role.CONTROL)
    KnownServers().remember("127.0.0.1", 1, token=token, fingerprint=Identity.load(keys).fingerprint)
    Identity.create(home / "other")
    unencrypted, strange = ServerSecurity(Tokens(keys)), ServerSecurity(Tokens(keys), Identity.load(home / "other"))
    for security, refused, why in (
        (unencrypted, AccessRefused, "asks for a token; whoever"),
        (strange, ServerNotTrusted, "fingerprint"),
    ):
        running = serve_stream(tagger, TT.AccessMode.Listen, (), Address("127.0.0.1", 0), security)
        try:
            with pytest.raises(refused, match=why):
                TT.getTimeTaggerServerInfo(str(running.address))
        finally:
            running.close()
    right = serve(tagger, keys)
    try:
        assert TT.getTimeTaggerServerInfo(str(right.address))["access mode"] == "Control"
    finally:
        right.close()


def test_no_stream_is_a_way_round_the_tokens_of_its_process(tagger: SteppedTimeTagger, keys: Path) -> None:
    demand(Terms(ServerSecurity(Tokens(keys), Identity.load(keys), refusal_s=0.0)))
    try:
        server = serve_stream(tagger, TT.AccessMode.Control, (), Address("127.0.0.1", 0))
    finally:
        demand(Terms())
    try:
        with pytest.raises(AccessRefused):
            TT.createTimeTaggerNetwork(str(server.address))
    finally:
        server.close()


def test_a_revoked_token_ends_the_stream(
    server: StreamServer, tagger: SteppedTimeTagger, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAGWIRE_TOKEN", Tokens(keys).add("anna", Role.CONTROL))
    with TT.createTimeTaggerNetwork(str(server.address)) as client:
        TT.Countrate(client, [1])
        tagger.advance(10 * MS)
        assert client.sync(120_000)
        assert len(server.clients()) == 1
        Tokens(keys).revoke("anna")
        wait_for(lambda: not server.clients())
