"""Identity, tokens, fingerprints, known servers: what stands in the files, and who may read it."""

from __future__ import annotations

import json
import os
import ssl
import threading
from pathlib import Path

import pytest

from tagwire.errors import ArgumentError, KeysUnusable
from tagwire.security import places, private
from tagwire.security.fingerprint import fingerprint, parse_fingerprint
from tagwire.security.identity import Identity
from tagwire.security.known import KnownServer, KnownServers
from tagwire.security.roles import Principal, Role
from tagwire.security.tokens import Tokens

posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no file modes; there the user's folder is private")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_an_identity_is_made_once_and_read_again(tmp_path: Path) -> None:
    made = Identity.create(tmp_path)
    assert Identity.load(tmp_path) == made
    assert made.fingerprint == fingerprint(ssl.PEM_cert_to_DER_cert(made.certificate.decode()))
    assert b"PRIVATE KEY" in made.key
    assert b"PRIVATE KEY" not in made.certificate
    with pytest.raises(KeysUnusable, match="exists"):
        Identity.create(tmp_path)
    assert Identity.load(tmp_path) == made
    assert Identity.create(tmp_path, replace=True).fingerprint != made.fingerprint


def test_a_missing_or_damaged_identity_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable, match="tagwire keys init"):
        Identity.load(tmp_path)
    made = Identity.create(tmp_path)
    private.write(made.path, made.certificate)
    with pytest.raises(KeysUnusable, match="lacks the private key"):
        Identity.load(tmp_path)


@posix
def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    identity, tokens = Identity.create(folder), Tokens(folder)
    tokens.add("anna", Role.CONTROL)
    KnownServers(folder).remember("lab", 1, token="x")
    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.iterdir()} == {0o600}
    os.chmod(identity.path, 0o640)
    with pytest.raises(KeysUnusable, match="chmod 600"):
        Identity.load(folder)


def test_a_token_is_shown_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path)
    token = tokens.add("anna", Role.OBSERVE)
    assert len(token) > 40
    assert token not in tokens.path.read_text()
    assert token.removeprefix("tagwire-") not in tokens.path.read_text()
    assert tokens.verify(token) == Principal("anna", Role.OBSERVE)
    assert [(info.name, info.role) for info in tokens.list()] == [("anna", "observe")]
    for wrong in (None, "", token[:-1], token + "x", "ä", 5, b"x", ["x"], "x" * 10**6):
        assert tokens.verify(wrong) is None


def test_secrets_do_not_show_where_objects_are_printed(tmp_path: Path) -> None:
    assert "PRIVATE" not in repr(Identity.create(tmp_path))
    assert "s3cret" not in repr(KnownServer(token="s3cret"))


def test_tokens_are_revoked_for_a_server_that_runs(tmp_path: Path) -> None:
    server, owner = Tokens(tmp_path), Tokens(tmp_path)
    anna, bert = owner.add("anna", Role.CONTROL), owner.add("bert", Role.CONTROL)
    assert server.verify(anna) == Principal("anna", Role.CONTROL)
    inside = server.verify(anna)
    assert inside is not None
    assert server.still_hold(inside)
    owner.revoke("anna")
    assert server.verify(anna) is None
    assert not server.still_hold(inside)
    owner.add("anna", Role.CONTROL)
    assert not server.still_hold(inside)
    owner.revoke("anna")
    assert server.verify(bert) == Principal("bert", Role.CONTROL)
    with pytest.raises(ArgumentError, match="these have: bert"):
        owner.revoke("anna")
    with pytest.raises(ArgumentError, match="revoke it first"):
        owner.add("bert", Role.OBSERVE)
    for name in ("", "a b", "x" * 65, "a\n", "../x"):
        with pytest.raises(ArgumentError, match="is not a name"):
            owner.add(name, Role.OBSERVE)


@pytest.mark.parametrize(
    "content", ['{"anna": 5}', '{"anna": {"role": "king", "created": "", "sha256": ""}}', "[]", "{"]
)
def test_a_damaged_token_file_lets_nobody_in(tmp_path: Path, content: str) -> None:
    tokens = Tokens(tmp_path)
    private.write(tokens.path, content.encode())
    with pytest.raises(KeysUnusable, match="damaged"):
        tokens.verify("tagwire-x")


def test_a_file_edited_by_many_at_once_loses_nothing(tmp_path: Path) -> None:
    def remember(port: int) -> None:
        KnownServers(tmp_path).remember("lab", port, fingerprint=str(port))

    threads = [threading.Thread(target=remember, args=(port,)) for port in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(KnownServers(tmp_path).list()) == 20


def test_an_edit_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    private.write(path, b'{"a": 1}')

    def edit() -> None:
        with private.edit_json(path) as content:
            content["a"] = 2
            raise RuntimeError

    with pytest.raises(RuntimeError):
        edit()
    assert json.loads(path.read_text()) == {"a": 1}


def test_servers_are_remembered_and_forgotten(tmp_path: Path) -> None:
    known = KnownServers(tmp_path)
    assert known.find("lab", 23000) == KnownServer()
    known.remember("Lab", 23000, fingerprint="f")
    known.remember("lab", 23000, token="t")
    assert known.find("LAB", 23000) == KnownServer("f", "t")
    assert known.find("lab", 23001) == KnownServer()
    assert known.forget("lab", 23000)
    assert not known.forget("lab", 23000)
    assert known.find("lab", 23000) == KnownServer()


def test_fingerprints_are_read_in_any_grouping() -> None:
    text = fingerprint(b"certificate")
    assert len(text) == 79
    for form in (text, text.upper(), text.replace("-", ""), text.replace("-", " "), f"SHA256:{text}"):
        assert parse_fingerprint(form) == text
    for wrong in ("", text[:-1], text + "0", text.replace(text[0], "g")):
        with pytest.raises(ArgumentError, match="64 hexadecimal digits"):
            parse_fingerprint(wrong)


def test_home_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGWIRE_HOME", str(tmp_path))
    assert places.home() == tmp_path
    monkeypatch.delenv("TAGWIRE_HOME")
    assert places.home().name == "tagwire"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback(host: str) -> None:
    assert places.is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "lab", "127.0.0.1.example.org", "10.0.0.1", "127.evil.com"])
def test_not_loopback(host: str) -> None:
    assert not places.is_loopback(host)
