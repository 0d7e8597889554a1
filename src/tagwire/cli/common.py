"""What all commands share: addresses, verbosity, and errors told in one line."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import wraps
from typing import Any, TypeVar

import click

from tagwire.core import address as core_address
from tagwire.core.address import Address
from tagwire.errors import TagwireError

__all__ = [
    "DEFAULT_PORT",
    "INTERRUPTED",
    "MODEL_KEYS",
    "Address",
    "Commands",
    "address_callback",
    "parse_address",
    "verbose_option",
]

DEFAULT_PORT = 23000
"""Port of a Tagwire server, the one that the tutorial's clients use."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells give it."""

MODEL_KEYS = ("20", "ultra", "x")
"""Simulated models by what to say on the command line; written out, so that ``--help`` needs no imports."""

Function = TypeVar("Function", bound=Callable[..., Any])


def parse_address(text: str) -> Address:
    """The address of a Tagwire server, as `tagwire.core.address.parse_address` reads it."""
    return core_address.parse_address(text, DEFAULT_PORT)


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


def option_bundle(name: str, kind: type[Any], options: Iterable[Any]) -> Callable[[Function], Function]:
    """Add `options` to a command, which gets them together as the parameter `name`: a dataclass `kind` of theirs."""

    def add(command: Function) -> Function:
        @wraps(command)
        def with_bundle(**given: Any) -> Any:
            bundle = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
            return command(**given, **{name: bundle})

        wrapped: Any = with_bundle
        for option in reversed(tuple(options)):
            wrapped = option(wrapped)
        return wrapped  # type: ignore[no-any-return]

    return add


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
