"""`tagwire run`: scripts written for the vendor's library, unmodified."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tagwire.cli.child import ServerProcess

Runner = Callable[..., subprocess.CompletedProcess[str]]

MEASURE = """
from TimeTagger import *
from Swabian import TimeTagger

tagger = createTimeTagger()
print(tagger.getModel())
tagger.setTestSignal([1, 2], True)
correlation = Correlation(tagger=tagger, channel_1=1, channel_2=2, binwidth=100, n_bins=11)
correlation.startFor(int(1e11))
correlation.waitUntilFinished()
print("pairs:", correlation.getData().sum())
TimeTagger.freeTimeTagger(tagger)
assert TimeTagger.CHANNEL_UNUSED == CHANNEL_UNUSED < 0 == CoincidenceTimestamp.Last
try:
    TimeTagger.createTimeTagger("no such serial")
except RuntimeError as error:
    print("refused:", error)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "script.py"


@pytest.fixture
def run(script: Path) -> Runner:
    """Write a script and run it."""

    def write_and_run(text: str, *options: str, args: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        script.write_text(text)
        command = [sys.executable, "-m", "tagwire", "run", *options, str(script), *args]
        return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)

    return write_and_run


def assert_measured(done: subprocess.CompletedProcess[str], model: str, pairs: int) -> None:
    assert done.returncode == 0, done.stderr
    assert model in done.stdout
    counted = re.search(r"pairs: (\d+)", done.stdout)
    assert counted, done.stdout
    assert int(counted[1]) == pytest.approx(pairs, abs=2)
    assert "refused: " in done.stdout


def test_a_script_measures_on_the_local_engine(run: Runner) -> None:
    assert_measured(run(MEASURE), "Time Tagger Ultra", 80_000)


def test_the_local_model_can_be_chosen(run: Runner) -> None:
    assert_measured(run(MEASURE, "--simulate", "20"), "Time Tagger 20", 84_459)  # 62.5 MHz / 74 for 0.1 s


def test_the_same_script_measures_on_a_server(run: Runner) -> None:
    guard = "\nimport sys\nassert not {'numba', 'tagwire.engine'} & set(sys.modules)\n"
    with ServerProcess("--simulate", "x") as server:
        assert_measured(run(MEASURE + guard, "--remote", str(server.address)), "Time Tagger X", 80_000)


def test_a_script_finds_everything_as_python_would_give_it(run: Runner, script: Path) -> None:
    (script.parent / "neighbour.py").write_text("here = True")
    done = run(
        "import sys, neighbour\nassert __name__ == '__main__'\nassert sys.modules['__main__'].__dict__ is globals()\n"
        "print(sys.argv)\nprint(sys.path[0])\nprint(__file__)",
        args=("-v", "--simulate", "21", "--", "x"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        str([str(script), "-v", "--simulate", "21", "--", "x"]),
        str(script.parent),
        str(script),
    ]


@pytest.mark.parametrize(("ending", "code", "said"), [("3", 3, ""), ("", 0, ""), ("'a reason'", 1, "a reason\n")])
def test_a_script_chooses_its_exit_code(run: Runner, ending: str, code: int, said: str) -> None:
    done = run(f"import sys\nsys.exit({ending})")
    assert done.returncode == code
    assert done.stderr == said


def test_a_traceback_shows_the_script_and_nothing_before_it(run: Runner, script: Path) -> None:
    done = run("def fail():\n    raise KeyError('reason')\n\nfail()")
    assert done.returncode == 1
    assert done.stderr.startswith(f'Traceback (most recent call last):\n  File "{script}", line 4, in <module>\n')
    assert done.stderr.endswith("KeyError: 'reason'\n")
    assert "tagwire" not in done.stderr.replace(str(script.parent), "")


def test_errors_of_the_library_reach_the_script(run: Runner) -> None:
    done = run("import TimeTagger\nTimeTagger.Correlation(None, 1, 2)")
    assert done.returncode == 1
    assert "line 2, in <module>" in done.stderr
    assert "tagger is None" in done.stderr.splitlines()[-1]


def test_a_script_that_is_no_python_says_where(run: Runner, script: Path) -> None:
    done = run("x = 1\nx = = 2\n")
    assert done.returncode == 1
    assert f'File "{script}", line 2' in done.stderr
    assert done.stderr.splitlines()[-1].startswith("SyntaxError")
    assert "runpy" not in done.stderr


def test_ctrl_c_gives_the_code_that_shells_give(run: Runner) -> None:
    done = run("raise KeyboardInterrupt")
    assert done.returncode == 130
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"


def test_a_server_that_does_not_answer_is_named(run: Runner) -> None:
    done = run("print('never')", "--remote", "127.0.0.1:9")
    assert done.returncode == 1
    assert not done.stdout
    assert "127.0.0.1:9" in done.stderr
    assert "tagwire serve" in done.stderr
    assert "Traceback" not in done.stderr
