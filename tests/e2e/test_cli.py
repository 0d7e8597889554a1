"""The command line from outside: servers in processes of their own."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import tagwire
from steady import PATIENCE_S, nobody, process
from tagwire.cli import child
from tagwire.cli.child import ServerProcess
from tagwire.errors import TagwireError
from tagwire.recording.files import open_recording

TAGWIRE = [sys.executable, "-m", "tagwire"]
HEAVY = {"numpy", "numba", "Pyro5", "pyarrow", "matplotlib", "rich", "cryptography", "zeroconf"}


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with ServerProcess("--simulate", "20") as started:
        yield started


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TAGWIRE, *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def modules_after(script: str) -> set[str]:
    """Names of the modules that a script leaves imported, in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", f"{script}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["tagwire", "tagwire.cli"])
def test_importing_costs_nothing_until_it_is_used(module: str) -> None:
    assert not modules_after(f"import {module}") & HEAVY


def test_a_client_never_loads_the_compiler(server: ServerProcess) -> None:
    loaded = modules_after(f"""
import tagwire
with tagwire.connect({server.address.host!r}, {server.address.port}) as TT:
    with TT.createTimeTagger() as tagger:
        tagger.setTestSignal([1, 2], True)
        correlation = TT.Correlation(tagger, 1, 2, 100, 10)
        correlation.startFor(1e10)
        assert correlation.waitUntilFinished(120_000)
        assert correlation.getData().sum() > 0
""")
    assert "numpy" in loaded
    engine = {"numba", "llvmlite", "tagwire.engine", "tagwire.sources"}
    assert not loaded & (engine | {"matplotlib", "cryptography", "zeroconf"})


def test_the_simulated_model_is_served(server: ServerProcess) -> None:
    with tagwire.connect(*server.address) as api:
        assert api.scanTimeTagger() == ("SIM20-0001",)
        with api.createTimeTagger() as tagger:
            assert tagger.getModel() == "Time Tagger 20"


def test_info_tells_what_a_server_serves(server: ServerProcess) -> None:
    done = run("info", str(server.address))
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^tagwire +{re.escape(tagwire.__version__)}$", done.stdout, re.M)
    assert re.search(r"^would be served +\S", done.stdout, re.M)
    assert re.search(rf"^server {server.address} +answers; .*SIM20-0001$", done.stdout, re.M)


def test_info_tells_that_nobody_answers() -> None:
    with nobody() as port:
        for address in (f"127.0.0.1:{port}", f"[0:0:0:0:0:0:0:1]:{port}"):
            done = run("info", address)
            assert done.returncode == 0
            assert re.search(rf"^server {re.escape(address)} +nobody answers", done.stdout, re.M)


def test_a_port_that_is_taken_is_said_so(server: ServerProcess) -> None:
    done = run("serve", "--backend", "simulated", "--port", str(server.address.port))
    assert done.returncode == 1
    assert f"port {server.address.port} already" in done.stderr
    assert "--port 0" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals cannot be sent to another process there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_in_order(number: signal.Signals) -> None:
    command = [*TAGWIRE, "serve", "--backend", "simulated", "--host", "127.0.0.1", "--port", "0"]
    with process(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        said: list[str] = []
        while not said or not said[-1].startswith("ready at "):
            said.append(server.stdout.readline())
            assert said[-1], said
        port = int(said[-1].split(";")[0].rpartition(":")[2])
        api = tagwire.connect("127.0.0.1", port)
        tagger = api.createTimeTagger()
        tagger.setTestSignal(1, True)
        server.send_signal(number)
        rest, errors = server.communicate(timeout=PATIENCE_S)
        api.close()
    assert server.returncode == 0, errors
    assert "Stopped." in rest
    assert not errors
    assert f"tagwire.connect('127.0.0.1', {port})" in "".join(said)
    assert f'Pyro5.api.Proxy("PYRO:TimeTagger@127.0.0.1:{port}")' in "".join(said)


def test_the_vendors_library_can_be_served_without_a_device() -> None:
    vendor = pytest.importorskip("Swabian.TimeTagger")
    with ServerProcess("--backend", "vendor") as server, tagwire.connect(*server.address) as api:
        assert api.getVersion() == vendor.getVersion()
        with pytest.raises(RuntimeError):
            api.createTimeTagger()


def test_a_server_ends_with_the_process_that_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "END_TIMEOUT", PATIENCE_S)  # it is not killed because the computer is slow
    with ServerProcess("--backend", "simulated") as started:
        assert started.end() == 0


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    file = tmp_path / "some.ptu"
    file.write_bytes(b"nonsense")
    with pytest.raises(TagwireError, match=r"some\.ptu is not a recording"):
        ServerProcess("--replay", str(file)).__enter__()


def test_a_recording_in_a_loop_is_served_as_if_live(recordings: Path) -> None:
    """Any capture as long as the recording has each of its tags once, wherever in the loop it starts."""
    file = recordings / "hbt_320MHz_T2.ptu"
    length = 0
    source = open_recording(file)
    while block := source.read(10**12, ()):
        length += block.end - block.begin
    source.close()
    with (
        ServerProcess("--replay", str(file), "--loop", "--speed", "5") as server,
        tagwire.connect(*server.address) as api,
        api.createTimeTagger() as tagger,
    ):
        assert tagger.getModel() == "Replay of hbt_320MHz_T2.ptu"
        rate = api.Countrate(tagger, list(source.channels[:2]))
        for _ in range(2):
            rate.startFor(length)
            assert rate.waitUntilFinished(120_000)
            assert rate.getCountsTotal().tolist() == [159_298, 224_721]
