"""Runs one benchmark: ``python -m benchmarks speed``; without a name it lists them."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
PREFIX = "bench_"


def main() -> None:
    names = sorted(path.stem.removeprefix(PREFIX) for path in FOLDER.glob(f"{PREFIX}*.py"))
    if len(sys.argv) < 2 or sys.argv[1] not in names:
        sys.exit(f"usage: python -m benchmarks {{{','.join(names)}}} [options]")
    script = FOLDER / f"{PREFIX}{sys.argv[1]}.py"
    sys.argv = [str(script), *sys.argv[2:]]
    sys.path.insert(0, str(FOLDER))
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main()
