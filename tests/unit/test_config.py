"""The configuration file: what is in it, where it points, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from tagwire.cli.access import Access, access_options
from tagwire.cli.common import Commands
from tagwire.cli.configured import config_option
from tagwire.config import reach, read_configuration, stream_address
from tagwire.errors import ArgumentError, ArgumentKindError, ConfigurationError

PRINT = "ab" * 32


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAGWIRE_HOME", str(tmp_path))
    monkeypatch.delenv("TAGWIRE_TOKEN", raising=False)
    return tmp_path / "tagwire.toml"


def test_no_file_is_an_empty_one(file: Path) -> None:
    assert read_configuration().servers == {}
    with pytest.raises(ConfigurationError, match="no configuration file"):
        read_configuration(file)


def test_a_name_stands_for_a_server(file: Path) -> None:
    file.write_text(
        f'[servers.bench]\nhost = "lab-pc"\nport = 24000\nfingerprint = "{PRINT}"\n[servers.b]\nhost = "::1"'
    )
    bench = reach("bench")
    assert (bench.host, bench.port, bench.tls) == ("lab-pc", 24000, True)
    assert bench.fingerprint.replace("-", "") == PRINT
    assert reach("bench", fingerprint="cd" * 32).fingerprint.startswith("cdcd")
    local = reach("b")
    assert (local.host, local.port, local.tls, local.fingerprint) == ("::1", 23000, False, "")
    other = reach("lab-pc")
    assert (other.host, other.port, other.fingerprint) == ("lab-pc", 23000, "")


def test_a_name_stands_for_a_stream_too(file: Path) -> None:
    file.write_text('[servers.bench]\nhost = "lab-pc"\nstream_port = 5\n[servers.b]\nhost = "::1"\nport = 7')
    told = [str(stream_address(name)) for name in ("bench", "b", "lab-pc", "lab-pc:6")]
    assert told == ["lab-pc:5", "[::1]:41101", "lab-pc:41101", "lab-pc:6"]


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("lab", 23000, ("lab", 23000)),
        ("lab", 1, ("lab", 1)),
        ("lab:7", 23000, ("lab", 7)),
        ("[::1]:7", 23000, ("::1", 7)),
        ("::1", 7, ("::1", 7)),
    ],
)
def test_addresses(file: Path, host: str, port: int, expected: tuple[str, int]) -> None:
    security = reach(host, port)
    assert (security.host, security.port) == expected


@pytest.mark.parametrize(("host", "port"), [("", 1), ("lab", 0), ("lab", 65536), ("lab:0", 1), ("lab:x", 1), (" ", 1)])
def test_what_is_no_address(file: Path, host: str, port: int) -> None:
    with pytest.raises(ArgumentError):
        reach(host, port)


def test_what_is_not_even_text(file: Path) -> None:
    with pytest.raises(ArgumentKindError):
        reach(5)  # type: ignore[arg-type]
    with pytest.raises(ArgumentKindError):
        reach("lab", "23000")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[serve", "cannot be read"),
        ("serve = 3", "serve is 3, but must be a section"),
        ("[server]\nport = 1", "server is not known here; there are serve, servers"),
        ("[servers]\nlab = 'x'", "servers.lab is 'x', but must be a section"),
        ("[servers.lab]\nport = 1", "servers.lab.host is missing"),
        (
            "[servers.lab]\nhost = 'x'\nprot = 1",
            "servers.lab.prot is not known here; there are host, port, stream_port, fingerprint",
        ),
        ("[servers.lab]\nhost = 'x'\nport = 0", r"servers.lab: port is 0, but must be within \[1, 65535\]"),
        ("[servers.lab]\nhost = 5", "servers.lab: host"),
        ("[servers.lab]\nhost = 'x'\nfingerprint = 'x'", "servers.lab: 'x' is no fingerprint"),
    ],
)
def test_what_is_wrong_is_named(file: Path, content: str, said: str) -> None:
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=said) as caught:
        read_configuration()
    assert str(file) in str(caught.value)


def run(words: str, environment: dict[str, str] | None = None) -> tuple[int, str, dict[str, Any]]:
    """Exit code, output and parameters of a command like ``serve``."""
    got: dict[str, Any] = {}

    @click.group(cls=Commands, context_settings={"auto_envvar_prefix": "TAGWIRE"})
    def main() -> None: ...

    @main.command("serve")
    @click.option("--port", type=click.IntRange(0, 65535), default=23000)
    @click.option("--also", multiple=True)
    @access_options
    @config_option("serve")
    def serve(port: int, also: tuple[str, ...], access: Access) -> None:
        got.update(port=port, also=also, access=access)

    done = CliRunner().invoke(main, ["serve", *words.split()], env=environment)
    return done.exit_code, done.output, got


def test_the_command_line_counts_most_and_the_file_least(file: Path) -> None:
    assert run("")[2]["port"] == 23000
    file.write_text("[serve]\nport = 1\nauth = true\nalso = ['a', 'b']\naudit = 'x'")
    _, _, got = run("")
    assert (got["port"], got["also"], got["access"]) == (1, ("a", "b"), Access(auth=True, audit=Path("x")))
    assert run("", {"TAGWIRE_SERVE_PORT": "2"})[2]["port"] == 2
    assert run("--port 3", {"TAGWIRE_SERVE_PORT": "2"})[2]["port"] == 3


def test_another_file_can_be_named(file: Path, tmp_path: Path) -> None:
    file.write_text("[serve]\nport = 1")
    other = tmp_path / "other.toml"
    other.write_text("[serve]\nport = 9")
    assert run(f"--config {other}")[2]["port"] == 9
    assert run(f"--config {tmp_path / 'none'}")[0] == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("prot = 1", "serve.prot is not known here; there are allow_plain_pyro, also, audit, auth, no_tls, port"),
        ("port = 70000", "serve.port is 70000: 70000 is not in the range 0<=x<=65535"),
        ("port = 'x'", "serve.port is 'x': 'x' is not a valid integer range"),
        ("port = [1]", "serve.port is [1], but must be one value"),
        ("port = true", "serve.port is True, but must be text or a number"),
        ("auth = 'no'", "serve.auth is 'no', but must be true or false"),
        ("also = 'x'", "serve.also is 'x', but must be a list"),
        ("everywhere_is_remote = true", "not known here"),
    ],
)
def test_what_is_wrong_in_a_section_is_named(file: Path, content: str, said: str) -> None:
    file.write_text(f"[serve]\n{content}")
    code, output, got = run("")
    assert (code, got) == (1, {})
    assert f"{file}: " in output
    assert said in output
