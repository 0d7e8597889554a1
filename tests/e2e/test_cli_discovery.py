"""Servers that make themselves known, from a shell's point of view; no packet leaves this computer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import Pyro5.api
import Pyro5.errors
import pytest

from tagwire.cli.child import ServerProcess
from tagwire.core.address import Address


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tagwire", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def test_a_pyro_name_server_knows_the_server_while_it_runs(pyro_name_server: Address) -> None:
    name = f"PYRONAME:tagwire.bench@{pyro_name_server}"
    server = ServerProcess("--simulate", "20", "--name", "bench", "--name-server", str(pyro_name_server))
    with server, Pyro5.api.Proxy(name) as TimeTagger:
        assert list(TimeTagger.scanTimeTagger()) == ["SIM20-0001"]
    with Pyro5.api.Proxy(name) as TimeTagger, pytest.raises(Pyro5.errors.NamingError):
        TimeTagger._pyroBind()


def test_no_name_server_is_said_at_once() -> None:
    done = run("serve", "--simulate", "20", "--port", "0", "--name-server", "127.0.0.1:1")
    assert (done.returncode, "no Pyro name server answers at 127.0.0.1:1" in done.stderr) == (1, True)


def test_nobody_is_called_to_a_server_that_cannot_be_reached() -> None:
    done = run("serve", "--simulate", "20", "--port", "0", "--announce")
    assert (done.returncode, "add --host" in done.stderr) == (1, True)


def test_servers_of_the_configuration_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGWIRE_HOME", str(tmp_path))
    assert "No server" in run("servers").stdout
    (tmp_path / "tagwire.toml").write_text('[servers.bench]\nhost = "10.0.0.5"\nport = 24000\n')
    assert run("servers").stdout.split() == ["bench", "10.0.0.5:24000", "TLS", "configuration"]
    (tmp_path / "tagwire.toml").write_text("[servers.bench]\nport = 24000\n")
    wrong = run("servers")
    assert (wrong.returncode, "servers.bench.host is missing" in wrong.stderr) == (1, True)
