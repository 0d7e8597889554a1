"""The stream from the command line: server, relay and bridge in processes of their own, and the guide's Python."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tagwire
from tagwire import TimeTagger
from tagwire.errors import NotAllowed

DEADLINE_S = 120.0
DOCS = Path(__file__).parents[2] / "docs"

Start = Callable[..., str]


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start a command of ours; gives all that it says until it is ready. All end by Ctrl-C, as they have to."""
    monkeypatch.setenv("TAGWIRE_HOME", str(tmp_path))
    running: list[subprocess.Popen[str]] = []

    def begin(*words: str) -> str:
        process = subprocess.Popen([sys.executable, "-m", "tagwire", *words], stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        killer = threading.Timer(DEADLINE_S, process.kill)
        killer.start()
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith("ready"):
                break
        killer.cancel()
        assert "\nready" in said, said
        return said

    try:
        yield begin
        for process in reversed(running):
            process.send_signal(signal.SIGTERM)
        for process in running:
            rest, _ = process.communicate(timeout=DEADLINE_S)
            assert rest.endswith("Stopped.\n")
            assert process.returncode == 0
    finally:
        for process in running:
            process.kill()
            process.communicate()


def ready_at(said: str) -> str:
    (address,) = re.findall(r"^ready at (\S+);", said, re.MULTILINE)
    return str(address)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a program hears")
def test_a_server_a_relay_and_a_bridge(start: Start) -> None:
    said = start("serve", "--simulate", "ultra", "--port", "0", "--stream=0", "--stream-access", "control")
    (stream,) = re.findall(r"createTimeTaggerNetwork\('([^']*)'\)   \(Control\)", said)
    relay = ready_at(start("relay", stream, "--port", "0"))
    bridge = ready_at(start("bridge", stream, "--channels", "1,2", "--port", "0"))
    with (
        tagwire.connect(ready_at(said)) as remote,
        remote.createTimeTagger() as shared,
        TimeTagger.createTimeTaggerNetwork(stream) as direct,
    ):
        direct.setTestSignal([1, 2], True)
        assert shared.getTestSignal(1)  # the clients of the RPC have the same instrument
        (change,) = remote.session.history(shared)
        assert (change.method, *change.arguments.values()) == ("setTestSignal", [1, 2], True)
        assert re.fullmatch(r"tag stream \((127\.0\.0\.1|\[::1\]):\d+\)", change.who)
        with remote.control():
            with pytest.raises(NotAllowed, match="has control of all instruments until"):
                direct.setTestSignal(1, False)
            assert direct.getTestSignal(1)
        assert TimeTagger.getTimeTaggerServerInfo(relay)["access mode"] == "Listen"
        with TimeTagger.createTimeTaggerNetwork(relay) as relayed:
            correlations = [TimeTagger.Correlation(t, 1, 2, binwidth=10, n_bins=100) for t in (direct, relayed)]
            for correlation in correlations:
                correlation.startFor(10**11)
            for correlation in correlations:
                assert correlation.waitUntilFinished(int(DEADLINE_S * 1000))
                assert correlation.getData().sum() == pytest.approx(80_000, rel=0.01)
            with pytest.raises(RuntimeError, match="Listen"):
                relayed.setTestSignal(1, False)
        plain = blocks()
        assert run_block(plain[0].replace("localhost:41101", stream.replace("localhost", "127.0.0.1"))) > 0
        port = bridge.rpartition(":")[2]
        assert run_block(plain[1].replace("41110", port).replace("localhost", "127.0.0.1"), "times") > 0


def blocks() -> list[str]:
    """The blocks of Python in the guide for other programs."""
    text = (DOCS / "other-programs.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def run_block(code: str, name: str = "chunk") -> int:
    """Run a block whose last loop has no end until some tags have come; their number."""
    seen: list[int] = []

    class Enough(Exception):
        pass

    def count(rows: int) -> None:
        seen.append(rows)
        if sum(seen) > 0:
            raise Enough

    expression = "len(times)" if name == "times" else "chunk.data.num_rows"
    with pytest.raises(Enough):
        exec(compile(code.rstrip() + f"\n{indent(code)}_count({expression})\n", "guide", "exec"), {"_count": count})
    return sum(seen)


def indent(code: str) -> str:
    """The indentation of the last line."""
    last = code.rstrip().splitlines()[-1]
    return last[: len(last) - len(last.lstrip())]


def test_what_is_no_address_is_told() -> None:
    for command in ("relay", "bridge"):
        done = subprocess.run(
            [sys.executable, "-m", "tagwire", command, "labpc:nowhere"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 2
        assert "is not an address" in done.stderr


def test_where_nobody_serves_it_is_told_what_to_start() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tagwire", "relay", "localhost:1", "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "tagwire serve --stream" in done.stderr
