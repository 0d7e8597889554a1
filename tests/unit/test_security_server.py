"""The server's side: who is let in, what is written about it, and what has to exist before it starts."""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tagwire.errors import AccessRefused, KeysUnusable
from tagwire.security import EVERYBODY, AuditLog, Authenticator, Identity, Principal, Role, ServerSecurity, Tokens
from tagwire.security.audit import REFUSALS


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as sock:
        yield sock


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_tokens_decide_who_comes_in(tmp_path: Path, sock: socket.socket) -> None:
    tokens, audit = Tokens(tmp_path), AuditLog(tmp_path / "audit.jsonl")
    token = tokens.add("anna", Role.OBSERVE)
    authenticator = Authenticator(tokens, audit, delay=0)
    assert authenticator.check(token, sock) == Principal("anna", Role.OBSERVE)
    with pytest.raises(AccessRefused, match="tagwire login"):
        authenticator.check(None, sock)
    with pytest.raises(AccessRefused, match="revoked"):
        authenticator.check("tagwire-secret", sock)
    audit.close()
    entries = lines(audit.path)
    assert [(entry["event"], entry["address"], entry["reason"]) for entry in entries] == [
        ("refused", "127.0.0.1", "no token"),
        ("refused", "127.0.0.1", "a wrong token"),
    ]
    assert "secret" not in audit.path.read_text()


def test_without_tokens_everybody_controls(sock: socket.socket) -> None:
    assert Authenticator(None).check("whatever", sock) == EVERYBODY
    assert EVERYBODY.role == "control"


def test_a_refusal_keeps_waiting_only_the_refused(tmp_path: Path, sock: socket.socket) -> None:
    tokens = Tokens(tmp_path)
    token = tokens.add("anna", Role.CONTROL)
    authenticator = Authenticator(tokens, delay=3600)
    ended = threading.Event()

    def wrong() -> None:
        with pytest.raises(AccessRefused):
            authenticator.check("wrong", sock)
        ended.set()

    thread = threading.Thread(target=wrong)
    thread.start()
    assert authenticator.check(token, sock).name == "anna"
    assert not ended.is_set()
    authenticator.close()
    thread.join(120)
    assert ended.is_set()


def test_who_was_sent_away_is_not_waited_for(tmp_path: Path, sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_RDWR)
    with pytest.raises(AccessRefused):
        Authenticator(Tokens(tmp_path), delay=3600).check("wrong", sock)


def test_the_audit_log_is_lines_of_json_of_bounded_size(tmp_path: Path) -> None:
    audit = AuditLog(tmp_path / "logs" / "audit.jsonl", size=2000, kept=2)
    for number in range(100):
        audit.record("call", "anna", name="setTriggerLevel", args=[1, number], text="x" * 10_000, deep=[[[[1]]]])
    audit.close()
    files = sorted(path.name for path in audit.path.parent.iterdir())
    assert files == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    assert all(path.stat().st_size <= 2000 for path in audit.path.parent.iterdir())
    last = lines(audit.path)[-1]
    assert (last["who"], last["event"], last["args"]) == ("anna", "call", [1, 99])
    assert len(last["text"]) < 400
    if os.name == "posix":
        assert {path.stat().st_mode & 0o777 for path in audit.path.parent.iterdir()} == {0o600}


def test_who_knocks_all_the_time_does_not_wash_out_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    log = AuditLog(tmp_path / "audit.jsonl")
    for _ in range(100):
        log.refused("10.0.0.1", "no token")
    log.refused("10.0.0.2", "no token")
    now += 61
    log.refused("10.0.0.1", "no token")
    entries = lines(log.path)
    assert [entry["address"] for entry in entries] == [*["10.0.0.1"] * REFUSALS, "10.0.0.2", "10.0.0.1"]
    assert entries[-1]["not_written"] == 100 - REFUSALS
    for number in range(5000):
        log.refused(str(number), "no token")
    assert len(log._refusals) <= 1000
    log.close()


@pytest.mark.parametrize(
    "value", [float("nan"), 2**80, {"k" * 1000: object()}, list(range(1000)), "\ud800\n", b"x", {1: {2: {3: 4}}}, None]
)
def test_any_value_makes_one_short_line(tmp_path: Path, value: object) -> None:
    audit = AuditLog(tmp_path / "audit.jsonl")
    audit.record("call", "anna", value=value)
    audit.close()
    (entry,) = lines(audit.path)
    assert entry["who"] == "anna"
    assert audit.path.stat().st_size < 3000


def test_a_log_that_cannot_be_written_stops_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit = AuditLog(tmp_path / "audit.jsonl")

    def full(_text: str) -> None:
        raise OSError("no room")

    monkeypatch.setattr(audit._file.stream, "write", full)
    with caplog.at_level(logging.ERROR):
        audit.record("call", "anna")
    assert "cannot be written" in caplog.text
    audit.close()


def test_what_has_to_exist(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable, match="keys init"):
        ServerSecurity.load(tmp_path)
    with pytest.raises(KeysUnusable, match="keys add NAME"):
        ServerSecurity.load(tmp_path, tls=False)
    Identity.create(tmp_path)
    with pytest.raises(KeysUnusable, match="keys add NAME"):
        ServerSecurity.load(tmp_path)
    Tokens(tmp_path).add("anna", Role.CONTROL)
    security = ServerSecurity.load(tmp_path)
    assert security.context is not None
    assert security.audit is not None
    assert security.audit.path == tmp_path / "audit.jsonl"
    security.audit.close()
    without = ServerSecurity.load(tmp_path, tls=False, audit_file=tmp_path / "x")
    assert without.context is None
    assert without.audit is not None
    without.audit.close()


def test_tls_is_demanded_of_other_computers(tmp_path: Path, sock: socket.socket) -> None:
    tokens, identity = Tokens(tmp_path), Identity.create(tmp_path)
    assert not ServerSecurity(tokens, identity).demands_tls(sock)
    assert ServerSecurity(tokens, identity, is_local=lambda _: False).demands_tls(sock)
    assert not ServerSecurity(tokens, is_local=lambda _: False).demands_tls(sock)
