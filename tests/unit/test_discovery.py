"""Finding servers. No packet leaves: in place of the network stands one that only hands records on.

The records are zeroconf's own and go through its wire format; what is not tested here is that library's multicast.
"""

from __future__ import annotations

import contextlib
import ipaddress
from pathlib import Path
from typing import Any

import pytest
from Pyro5.core import locate_ns
from zeroconf import DNSAddress, DNSIncoming, DNSOutgoing, DNSRecord, DNSService, DNSText, ServiceInfo

import tagwire
from name_servers import name_server_on_loopback
from tagwire.core.address import Address
from tagwire.discovery import ServerFound
from tagwire.discovery.mdns import announced, browse
from tagwire.discovery.name_server import registered
from tagwire.discovery.records import SERVICE, from_record, to_record
from tagwire.discovery.servers import servers
from tagwire.errors import ArgumentError, NotSupported, ServerUnreachable
from tagwire.security.known import KnownServers

LAB = ServerFound("lab bench", "10.0.0.5", 23000, True, "ab" * 32, "TimeTagger 2.22")
FOUND = [LAB]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAGWIRE_HOME", str(tmp_path))
    return tmp_path


class Wire:
    """Records that are announced now, as bytes on a wire."""

    def __init__(self) -> None:
        self.records: dict[str, ServiceInfo] = {}
        self.interfaces: list[list[str]] = []
        self.open = 0

    def connect(self, interfaces: list[str] | None = None) -> Wire:
        self.interfaces.append(interfaces or [])
        self.open += 1
        return self

    def register_service(self, info: ServiceInfo, *, allow_name_change: bool) -> None:
        self.records[info.name] = passed_on(info)

    def unregister_service(self, info: ServiceInfo) -> None:
        del self.records[info.name]

    def add_service_listener(self, type_: str, listener: Any) -> None:
        for name in self.records:
            listener.add_service(self, type_, name)

    def get_service_info(self, type_: str, name: str, timeout: int) -> ServiceInfo | None:
        return self.records.get(name)

    def close(self) -> None:
        self.open -= 1


def passed_on(info: ServiceInfo) -> ServiceInfo:
    """What another computer makes of the record's packet."""
    packet = DNSOutgoing(0x8400, multicast=False)
    records: list[DNSRecord] = [info.dns_service(), info.dns_text(), *info.dns_addresses()]
    for record in records:
        packet.add_answer_at_time(record, 0)
    facts: dict[str, Any] = {"parsed_addresses": []}
    for record in DNSIncoming(packet.packets()[0]).answers():
        match record:
            case DNSService():
                facts |= {"port": record.port, "server": record.server}
            case DNSText():
                facts["properties"] = record.text
            case DNSAddress():
                facts["parsed_addresses"].append(str(ipaddress.ip_address(record.address)))
    return ServiceInfo(info.type, info.name, **facts)


def test_who_announces_itself_is_found_while_it_does() -> None:
    wire = Wire()
    with announced(LAB, ["10.0.0.5"], wire.connect):
        assert browse(0.001, wire.connect) == [LAB]
    assert browse(0.001, wire.connect) == []
    assert wire.open == 0
    assert wire.interfaces[0] == ["10.0.0.5"]


def test_an_announcement_ends_with_an_error_too() -> None:
    wire = Wire()
    with pytest.raises(ZeroDivisionError), announced(LAB, ["10.0.0.5"], wire.connect):
        raise ZeroDivisionError
    assert (wire.records, wire.open) == ({}, 0)


def test_what_others_announce_is_only_text() -> None:
    odd = {"library": "\x1b[2J" + "x" * 230, "tls": None, "other": "y"}
    record = ServiceInfo(SERVICE, f"x.{SERVICE}", port=7, properties=odd, parsed_addresses=["fe80::1", "10.0.0.1"])
    found = from_record(record)
    assert found is not None
    assert (found.host, found.port, found.tls, found.fingerprint) == ("10.0.0.1", 7, False, "")
    assert "\x1b" not in found.library
    assert len(found.library) <= 200
    assert from_record(ServiceInfo(SERVICE, f"x.{SERVICE}", port=7)) is None


def test_long_names_and_texts_fit_into_a_record() -> None:
    long = ServerFound("a.b" * 50, "10.0.0.5", 1, False, "", "x" * 1000)
    found = from_record(passed_on(to_record(long, ["10.0.0.5"])))
    assert found is not None
    assert found.name.startswith("a-ba-b")
    assert len(found.library) == 200


def test_all_sources_together(home: Path) -> None:
    (home / "tagwire.toml").write_text('[servers.bench]\nhost = "10.0.0.5"\n[servers.here]\nhost = "localhost"\n')
    KnownServers().remember("10.0.0.5", 23000, fingerprint="cd")
    KnownServers().remember("other", 24000, token="x")
    found = servers(1.0, True, lambda timeout: [LAB, ServerFound("new", "10.0.0.9", 1, True)])
    assert [(s.name, str(s.address), s.tls, s.source) for s in found] == [
        ("bench", "10.0.0.5:23000", True, "configuration"),
        ("here", "localhost:23000", False, "configuration"),
        ("other", "other:24000", True, "known"),
        ("new", "10.0.0.9:1", True, "network"),
    ]
    assert "x" not in {s.fingerprint for s in found}


def test_nobody_is_asked_unless_wanted() -> None:
    def missing(timeout: float) -> list[ServerFound]:
        raise NotSupported("no zeroconf")

    assert servers(1.0, look=missing) == []
    with pytest.raises(NotSupported):
        servers(1.0, True, missing)
    assert tagwire.servers() == []
    for timeout in (0, -1, 61, float("nan")):
        with pytest.raises(ArgumentError, match="timeout"):
            tagwire.servers(timeout)


def test_a_pyro_name_server_knows_it_while_it_runs(pyro_name_server: Address) -> None:
    uri = "PYRO:TimeTagger@127.0.0.1:23000"
    with registered("tagwire.lab", uri, pyro_name_server), locate_ns(*pyro_name_server, broadcast=False) as names:
        assert str(names.lookup("tagwire.lab")) == uri
    with locate_ns(*pyro_name_server, broadcast=False) as names:
        assert "tagwire.lab" not in names.list()


def test_no_name_server_is_an_error_that_names_it() -> None:
    said = pytest.raises(ServerUnreachable, match=r"no Pyro name server answers at 127\.0\.0\.1:1 ")
    with said, registered("x", "PYRO:x@y:1", Address("127.0.0.1", 1)):
        pass


def test_a_name_server_that_went_away_holds_up_no_end(caplog: pytest.LogCaptureFixture) -> None:
    with contextlib.ExitStack() as stack, name_server_on_loopback() as where:
        stack.enter_context(registered("tagwire.lab", "PYRO:x@y:1", where))
    assert "does not answer any more" in caplog.text
