"""Keys, login and a server that asks for both, from a shell's point of view.

The server listens on loopback and is told to take every address for another computer's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tagwire
from steady import PATIENCE_S
from tagwire.cli.child import ServerProcess
from tagwire.errors import AccessRefused, NotAllowed, RemoteError, ServerNotTrusted
from tagwire.security.known import KnownServers

TAGWIRE = [sys.executable, "-m", "tagwire"]


def run(*words: str, home: Path, said: str = "") -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TAGWIRE_")}
    return subprocess.run(
        [*TAGWIRE, *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        input=said,
        env=environment | {"TAGWIRE_HOME": str(home)},
    )


def add(home: Path, name: str, role: str) -> str:
    return run("keys", "add", name, "--role", role, home=home).stdout.strip()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's folder."""
    home = tmp_path_factory.mktemp("server")
    assert run("keys", "init", home=home).returncode == 0
    add(home, "first", "control")
    return home


@pytest.fixture(scope="module")
def server(keys: Path) -> Iterator[ServerProcess]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAGWIRE_HOME", str(keys))
        with ServerProcess("--simulate", "20", "--auth", "--everywhere-is-remote") as process:
            yield process


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A client's folder."""
    monkeypatch.setenv("TAGWIRE_HOME", str(tmp_path))
    monkeypatch.delenv("TAGWIRE_TOKEN", raising=False)
    return tmp_path


def call_until_it_fails(TT: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        TT.scanTimeTagger()


def test_beyond_this_computer_it_says_which_keys_are_missing(tmp_path: Path) -> None:
    words = ("serve", "--simulate", "20", "--host", "0.0.0.0", "--port", "0")
    done = run(*words, home=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "tagwire keys init" in done.stderr
    run("keys", "init", home=tmp_path)
    assert "tagwire keys add NAME" in run(*words, home=tmp_path).stderr


def test_keys_are_added_listed_and_revoked(tmp_path: Path) -> None:
    done = run("keys", "add", "anna", "--role", "control", home=tmp_path)
    assert done.stdout.startswith("tagwire-")
    assert "tagwire keys init" in done.stderr
    add(tmp_path, "screen", "observe")
    listed = run("keys", "list", home=tmp_path).stdout
    assert [line.split()[:2] for line in listed.splitlines()] == [["anna", "control"], ["screen", "observe"]]
    assert done.stdout.strip() not in listed
    assert run("keys", "revoke", "anna", home=tmp_path).returncode == 0
    assert "these have: screen" in run("keys", "revoke", "anna", home=tmp_path).stderr


def test_the_identity_is_shown_and_not_replaced_by_accident(tmp_path: Path) -> None:
    made = run("keys", "init", home=tmp_path).stdout
    shown = run("keys", "fingerprint", home=tmp_path).stdout.strip()
    assert shown in made
    again = run("keys", "init", home=tmp_path)
    assert (again.returncode, "exists" in again.stderr) == (1, True)
    assert run("keys", "fingerprint", home=tmp_path).stdout.strip() == shown
    run("keys", "init", "--renew", home=tmp_path)
    assert run("keys", "fingerprint", home=tmp_path).stdout.strip() != shown


def test_who_has_logged_in_needs_nothing_more(server: ServerProcess, keys: Path, home: Path) -> None:
    where, token = str(server.address), add(keys, "anna", "control")
    known = run("login", where, "--fingerprint", run("keys", "fingerprint", home=keys).stdout, home=home, said=token)
    assert (known.returncode, known.stderr) == (0, "")
    with tagwire.connect(where) as TT, TT.createTimeTagger() as tagger:
        tagger.setTriggerLevel(1, 0.25)
        assert tagger.getTriggerLevel(1) == 0.25
    entries = [json.loads(line) for line in (keys / "audit.jsonl").read_text().splitlines()]
    assert any(entry["event"] == "connected" and entry["who"] == "anna" for entry in entries)
    assert token not in (keys / "audit.jsonl").read_text()


def test_login_asks_whether_it_is_the_right_server(server: ServerProcess, keys: Path, home: Path) -> None:
    where, token = str(server.address), add(keys, "bert", "control")
    no = run("login", where, "--tls", home=home, said="n\n")
    assert (no.returncode, KnownServers().list()) == (1, {})
    assert run("keys", "fingerprint", home=keys).stdout.strip() in no.stderr
    wrong = run("login", where, "--tls", home=home, said="y\nwrong\n")
    assert (wrong.returncode, "does not know this token" in wrong.stderr) == (1, True)
    assert KnownServers().list() == {}
    assert run("login", where, "--tls", home=home, said=f"y\n{token}\n").returncode == 0
    with tagwire.connect(where) as TT:
        assert TT.scanTimeTagger()
    assert run("login", where, "--forget", home=home).returncode == 0
    with pytest.raises(AccessRefused, match="asks for a token"):
        tagwire.connect(where, tls=True)


def test_a_changed_identity_is_refused_until_it_is_accepted(server: ServerProcess, keys: Path, home: Path) -> None:
    where, token = str(server.address), add(keys, "cora", "control")
    KnownServers().remember(*server.address, fingerprint="-".join(["0000"] * 16), token=token)
    with pytest.raises(ServerNotTrusted, match="--renew"):
        tagwire.connect(where)
    refused = run("login", where, home=home, said=f"{token}\n")
    assert (refused.returncode, "NOT THE ONE IT WAS" in refused.stderr) == (1, True)
    assert run("login", where, "--renew", home=home, said=f"y\n{token}\n").returncode == 0
    with tagwire.connect(where) as TT:
        assert TT.scanTimeTagger()


def test_an_observer_reads_and_changes_nothing(server: ServerProcess, keys: Path, home: Path) -> None:
    control, observe = add(keys, "dora", "control"), add(keys, "screen", "observe")
    fingerprint = run("keys", "fingerprint", home=keys).stdout
    where = str(server.address)
    with (
        tagwire.connect(where, token=control, fingerprint=fingerprint) as TT,
        tagwire.connect(where, token=observe, fingerprint=fingerprint) as screen,
        TT.createTimeTagger() as tagger,
    ):
        tagger.setTriggerLevel(1, 0.75)
        seen = screen.createTimeTagger()
        assert seen.getTriggerLevel(1) == 0.75
        with pytest.raises(NotAllowed, match="observe"):
            seen.setTriggerLevel(1, 0.5)
        assert tagger.getTriggerLevel(1) == 0.75


def test_a_revoked_token_opens_nothing_and_ends_what_it_opened(server: ServerProcess, keys: Path, home: Path) -> None:
    token, stays = add(keys, "emil", "control"), add(keys, "frida", "control")
    fingerprint = run("keys", "fingerprint", home=keys).stdout
    where = str(server.address)
    with (
        tagwire.connect(where, token=token, fingerprint=fingerprint) as TT,
        tagwire.connect(where, token=stays, fingerprint=fingerprint) as other,
    ):
        assert TT.scanTimeTagger()
        run("keys", "revoke", "emil", home=keys)
        with pytest.raises(RemoteError):
            call_until_it_fails(TT)
        assert other.scanTimeTagger()
    with pytest.raises(AccessRefused, match="revoked"):
        tagwire.connect(where, token=token, fingerprint=fingerprint)
