"""`tagwire run`: an unmodified script for the vendor's library, on our engine or on a server."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from tagwire.cli.common import INTERRUPTED, MODEL_KEYS, Address, address_callback, verbose_option


@click.command("run", context_settings={"allow_interspersed_args": False})
@click.option("--remote", metavar="HOST[:PORT]", callback=address_callback, help="Use the Time Taggers of this server.")
@click.option("--simulate", type=click.Choice(MODEL_KEYS), help="Model of the local, simulated Time Tagger.")
@verbose_option
@click.argument("script", type=click.Path(exists=True, dir_okay=False))
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def command(remote: Address | None, simulate: str | None, script: str, args: tuple[str, ...]) -> None:
    """Run SCRIPT, written for the vendor's library, unmodified.

    The script says `import TimeTagger` or `from Swabian import TimeTagger` as ever. It gets Tagwire's own engine with
    a simulated Time Tagger or, with --remote, the Time Taggers of a server. Everything after SCRIPT goes to the script.

    \b
    Examples:
      tagwire run script.py --some-option-of-the-script
      tagwire run --simulate 20 script.py
      tagwire run --remote labpc:23000 script.py
    """
    from tagwire.cli.imports import stand_in

    if remote and simulate:
        raise click.UsageError(
            "--simulate chooses the local Time Tagger; with --remote, the server has it: `tagwire serve --simulate`."
        )
    stand_in(_remote(remote) if remote else _local(simulate))
    run_script(script, args)


def _remote(address: Address) -> Any:
    import tagwire

    return tagwire.connect(address.host, address.port)


def _local(simulate: str | None) -> Any:
    from tagwire import TimeTagger

    if simulate:
        from tagwire.cli.devices import install_simulated

        install_simulated(simulate)
    return TimeTagger


def run_script(script: str, args: tuple[str, ...]) -> None:
    """Run a script as `python SCRIPT ARGS` would: its arguments, import path, name, tracebacks and exit code.

    Raises
    ------
    SystemExit
        The script's own, or code 1 after an exception and 130 after Ctrl-C, with the traceback shown.
    """
    sys.argv[:] = [script, *args]
    sys.path[0 : 0 if sys.flags.safe_path else 1] = [str(Path(script).resolve().parent)]
    try:
        runpy.run_path(script, run_name="__main__")
    except (Exception, KeyboardInterrupt) as error:
        shown = error.with_traceback(_from_script_on(error.__traceback__, script))
        sys.excepthook(type(shown), shown, shown.__traceback__)
        raise SystemExit(INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1) from None


def _from_script_on(trace: TracebackType | None, script: str) -> TracebackType | None:
    """The traceback without the frames that led to the script; none of them for a script that does not compile."""
    while trace and trace.tb_frame.f_code.co_filename != script:
        trace = trace.tb_next
    return trace
