"""Write the type stubs of the remote API, or check that the written ones are fresh.

The stubs describe what the vendor's wheel offers, which therefore has to be installed, and what our own simulated
taggers offer beyond it.

Usage: ``python tools/make_stubs.py`` writes; with ``--check`` nothing is written, and a stale stub is shown as a diff
and makes the exit code 1.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from tagwire.core.catalog import read_catalog
from tagwire.rpc.stubs import api_stub, merged, module_stub

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "src" / "tagwire" / "rpc"


def vendor_module() -> ModuleType:
    """The vendor's library, or the end of the program with a word on how to get it."""
    try:
        return importlib.import_module("Swabian.TimeTagger")
    except ModuleNotFoundError:
        sys.exit("The stubs are made from the vendor's wheel: pip install Swabian-TimeTagger (Linux or Windows)")


def formatted(text: str, name: str) -> str:
    """`text` as ruff formats it, with the project's settings."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        sys.exit("The stubs are formatted with ruff: pip install ruff")
    command = [ruff, "format", "--stdin-filename", str(FOLDER / name), "-"]
    return subprocess.run(command, input=text, text=True, capture_output=True, check=True, cwd=ROOT).stdout


def stubs() -> dict[Path, str]:
    """Fresh text of every stub."""
    ours = importlib.import_module("tagwire.TimeTagger")
    catalog = merged(read_catalog(vendor_module()), read_catalog(ours))
    texts = {"api.pyi": api_stub(catalog), "client/module.pyi": module_stub(catalog)}
    return {FOLDER / name: formatted(text, name) for name, text in texts.items()}


def stale(path: Path, fresh: str) -> list[str]:
    """Lines of a diff from the written stub to the fresh one."""
    written = path.read_text(encoding="utf-8") if path.exists() else ""
    name = path.relative_to(ROOT).as_posix()
    lines = difflib.unified_diff(written.splitlines(), fresh.splitlines(), name, f"{name} (fresh)", lineterm="")
    return list(lines)


def main() -> int:
    """Write or check; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a stub is stale")
    check = parser.parse_args().check
    texts = stubs()
    differences = {path: stale(path, fresh) for path, fresh in texts.items()}
    for path, difference in differences.items():
        if check:
            print("\n".join(difference), end="\n" if difference else "")
        elif difference:
            path.write_text(texts[path], encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT).as_posix()}")
    return int(check and any(differences.values()))


if __name__ == "__main__":
    sys.exit(main())
