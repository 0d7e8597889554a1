"""Scripts import what they are given in the place of the vendor's library, whatever else is installed."""

import subprocess
import sys

import pytest

STAND_IN = """
import sys
from types import ModuleType
from tagwire.cli.imports import stand_in

given = ModuleType("given")
given.__all__ = ["Correlation", "createTimeTagger"]
given.Correlation = given.createTimeTagger = "given"
"""


def run(script: str) -> subprocess.CompletedProcess[str]:
    """Run it in an interpreter of its own, for it changes what is imported."""
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=240, check=False)


FORMS = (
    "import TimeTagger as api",
    "import Swabian.TimeTagger as api",
    "import Swabian.TimeTagger; api = Swabian.TimeTagger",
    "from Swabian import TimeTagger as api",
    "import importlib; api = importlib.import_module('Swabian.TimeTagger')",
)


@pytest.mark.parametrize("earlier", ["", "import Swabian\n"])
def test_every_way_to_import_the_library_gives_the_stand_in(earlier: str) -> None:
    if earlier:
        pytest.importorskip("Swabian")
    checks = "".join(f"{form}\nassert api is given, api\n" for form in FORMS)
    done = run(f"{earlier}{STAND_IN}stand_in(given)\n{checks}")
    assert done.returncode == 0, done.stderr


def test_names_can_be_imported_one_by_one_or_all_at_once() -> None:
    done = run(
        f"{STAND_IN}stand_in(given)\nfrom Swabian.TimeTagger import Correlation\nassert Correlation == 'given'\n"
        "from TimeTagger import *\nassert createTimeTagger == 'given'"
    )
    assert done.returncode == 0, done.stderr


def test_nothing_else_of_the_vendors_package_is_found() -> None:
    done = run(f"{STAND_IN}stand_in(given)\nimport Swabian.TimeTagger._TimeTagger")
    assert "ModuleNotFoundError" in done.stderr


def test_scripts_may_ask_whether_the_library_is_installed() -> None:
    done = run(
        f"{STAND_IN}stand_in(given)\nfrom importlib.util import find_spec\n"
        "assert find_spec('TimeTagger') and find_spec('Swabian.TimeTagger') and find_spec('Swabian')"
    )
    assert done.returncode == 0, done.stderr
