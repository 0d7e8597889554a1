"""Stand in for the vendor's package, so that scripts written for it import what they are given."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

NAMES = ("TimeTagger", "Swabian.TimeTagger")
"""The import names that scripts use for the vendor's library."""


def stand_in(api: Any) -> None:
    """Let every form of importing the vendor's library give `api`, from now on and in this process.

    ``import TimeTagger``, ``import Swabian.TimeTagger``, ``from Swabian import TimeTagger`` and ``from ... import``
    of single names or all of them work; a vendor's package that is installed is hidden as a whole.

    Parameters
    ----------
    api
        Module with the Time Tagger API: our engine or a connection to a server.
    """
    package = ModuleType("Swabian", "Stand-in for the vendor's package.")
    package.__spec__ = ModuleSpec("Swabian", None, is_package=True)
    package.__path__ = []
    if api.__spec__ is None:  # a remote module; without a spec, asking whether it is installed raises
        api.__spec__ = ModuleSpec("TimeTagger", None)
    vars(package)["TimeTagger"] = api
    for name in [n for n in sys.modules if n.partition(".")[0] in ("Swabian", "TimeTagger")]:
        del sys.modules[name]
    sys.modules["Swabian"] = package
    for name in NAMES:
        sys.modules[name] = api
