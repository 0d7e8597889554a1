"""`tagwire warmup`: compile the kernels before anybody waits for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tagwire.cli.common import verbose_option

Step = tuple[str, Callable[[], None]]


@click.command("warmup")
@verbose_option
def command() -> None:
    """Compile the kernels of every class now, so that no measurement waits for its first time.

    Kernels are compiled when they are first used, once on each computer, and kept on disk: in __pycache__ folders
    beside Tagwire's modules or, where these cannot be written, in your cache folder; the environment variable
    NUMBA_CACHE_DIR chooses another. A new version of Tagwire, Python, numba or another processor compiles anew.
    `tagwire serve` compiles the common ones by itself.

    \b
    Examples:
      tagwire warmup
      NUMBA_CACHE_DIR=/var/cache/kernels tagwire warmup
    """
    click.echo("Compiling kernels: up to a few minutes the first time, a few seconds when they are there already.")
    with click.progressbar(
        steps(), label="Compiling", item_show_func=lambda step: step and step[0], show_eta=False
    ) as bar:
        for _, use in bar:
            use()
    click.echo(f"The kernels are compiled, and kept in {kept_in()}.")


def _title(step: Step | None) -> str | None:
    return step and step[0]


def steps() -> list[Step]:
    """What is compiled, with a name for people, the most common first."""
    from tagwire.cli import rarer, warmup

    return [
        ("simulated instrument", warmup.use_simulated_light),
        ("common measurements", warmup.use_measurements),
        ("markers, virtual channels", warmup.use_markers_and_virtual_channels),
        ("recordings and streams", warmup.use_files),
        ("histograms", rarer.use_histograms),
        ("counting and imaging", rarer.use_counting_and_imaging),
        ("more virtual channels", rarer.use_virtual_channels),
        ("simulated light and clocks", rarer.use_lights),
        ("signals and detectors", rarer.use_signals_and_detectors),
    ]


def kept_in() -> str:
    """Where numba keeps what it has compiled, as it says of one kernel."""
    import tagwire
    from tagwire.frames.packing import pack

    dispatcher: Any = pack
    folder = Path(dispatcher.stats.cache_path)
    if folder.name == "__pycache__":
        return f"the __pycache__ folders of {Path(tagwire.__file__).parent}"
    return str(folder.parent)
