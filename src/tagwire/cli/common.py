"""What all commands share: addresses, verbosity, and errors told in one line."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from tagwire.errors import TagwireError

DEFAULT_PORT = 23000
"""Port of a Tagwire server, the one that the tutorial's clients use."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells give it."""

MODEL_KEYS = ("20", "ultra", "x")
"""Simulated models by what to say on the command line; written out, so that ``--help`` needs no imports."""

Function = TypeVar("Function", bound=Callable[..., Any])


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> Address:
    """``HOST``, ``HOST:PORT``, ``[IPv6]:PORT`` or a bare IPv6 address.

    Raises
    ------
    ValueError
        The host is missing or the port is not within [1, 65535].
    """
    bracketed, bracket, rest = text.removeprefix("[").partition("]")
    if text.startswith("[") and bracket:
        host, colon, port = bracketed, rest[:1], rest[1:]
    elif text.count(":") > 1:
        host, colon, port = text, "", ""
    else:
        host, colon, port = text.partition(":")
    if not host or colon not in ("", ":") or (colon and not _is_port(port)):
        raise ValueError(f"{text!r} is not an address: write HOST or HOST:PORT with a port within [1, 65535]")
    return Address(host, int(port) if colon else DEFAULT_PORT)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text) <= 65535


def address_callback(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Address | None:
    """Turn what was typed into an address, or end with a usage error."""
    try:
        return None if value is None else parse_address(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


class Commands(click.Group):
    """A command group that tells errors raised on purpose in one line; with ``--verbose`` as a traceback, too."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except TagwireError as error:
            if ctx.meta.get("tagwire.verbose"):
                click.echo(traceback.format_exc(), err=True)
            raise click.ClickException(str(error)) from error


def verbose_option(command: Function) -> Function:
    """Add ``-v/--verbose``: log what happens, and show tracebacks."""
    return click.option(
        "-v", "--verbose", is_flag=True, expose_value=False, callback=_be_verbose, help="Log details; show tracebacks."
    )(command)


def _be_verbose(context: click.Context, _parameter: click.Parameter, verbose: bool) -> None:
    if verbose:
        context.meta["tagwire.verbose"] = True
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        logging.getLogger("tagwire").setLevel(logging.DEBUG)
