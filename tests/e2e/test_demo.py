"""`tagwire demo` shows the main job and leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tagwire
from steady import PATIENCE_S, process
from tagwire.errors import ServerUnreachable

DEMO = [sys.executable, "-m", "tagwire", "demo", "--seconds"]


def assert_ended(said: str) -> None:
    """The server that the demo told of does not exist any more."""
    port = re.search(r"--port (\d+)", said)
    assert port, said
    with pytest.raises(ServerUnreachable):
        tagwire.connect("127.0.0.1", int(port[1]))


def test_it_measures_plots_and_cleans_up(tmp_path: Path) -> None:
    done = subprocess.run([*DEMO, "1"], capture_output=True, text=True, timeout=240, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    found = re.search(r"g2\(0\) = (\S+) \+- (\S+)", done.stdout)
    assert found, done.stdout
    # 2 p / (e (1 + p)²) = 0.043 for e = 0.9 emissions per pulse and p = 0.02 second photons per emission
    assert 0.02 < float(found[1]) < 0.08
    assert 0 < float(found[2]) < 0.02
    assert done.stdout.isascii()
    assert max(map(len, done.stdout.splitlines())) < 90
    assert (tmp_path / "g2.png").read_bytes().startswith(b"\x89PNG")
    assert_ended(done.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to another process there")
def test_ctrl_c_ends_the_server_too(tmp_path: Path) -> None:
    with process([*DEMO, "60"], stdout=subprocess.PIPE, cwd=tmp_path) as demo:
        said = ""
        while "simulateEmitter" not in said:
            line = demo.stdout.readline()
            assert line, said
            said += line
        demo.send_signal(signal.SIGINT)
        rest, _ = demo.communicate(timeout=PATIENCE_S)
    assert demo.returncode == 130
    assert "Stopped" in rest
    assert_ended(said)
    assert not os.listdir(tmp_path)
