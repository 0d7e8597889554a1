"""`tagwire info`: what is installed here, what a server would serve, and whether one answers."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata

import click

import tagwire
from tagwire.cli.common import DEFAULT_PORT, Address, address_callback, verbose_option
from tagwire.errors import TagwireError

PACKAGES = ("numpy", "numba", "Pyro5")
"""Packages whose versions matter when something is wrong."""


@click.command("info")
@click.argument("server", metavar="[HOST[:PORT]]", required=False, callback=address_callback)
@verbose_option
def command(server: Address | None) -> None:
    """Show versions, the instruments here, and whether a server answers.

    Looks for a server at localhost, or at HOST[:PORT].

    \b
    Examples:
      tagwire info
      tagwire info labpc:23000
    """
    for title, text in facts(server or Address("localhost", DEFAULT_PORT)):
        click.echo(f"{title:<23} {text}")


def facts(server: Address) -> Iterator[tuple[str, str]]:
    """Everything worth knowing, as pairs of a title and a text."""
    yield "tagwire", tagwire.__version__
    yield "Python", f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    for package in PACKAGES:
        yield package, metadata.version(package)
    yield from backend_facts()
    yield from simulated_facts()
    yield "keys here", keys_fact()
    yield f"server {server}", server_fact(server)


def backend_facts() -> Iterator[tuple[str, str]]:
    """The vendor's library, its instruments, and what `tagwire serve` would make of them."""
    from tagwire.cli.backend import choose, find_vendor

    vendor = find_vendor()
    yield "vendor library", vendor.problem.removeprefix("the vendor's library is ") or vendor.version
    yield "Time Taggers here", ", ".join(vendor.devices) or "none attached"
    use_vendor, reason = choose("auto", vendor)
    yield "would be served", f"{'the vendor library' if use_vendor else 'a simulated Time Tagger'} ({reason})"


def simulated_facts() -> Iterator[tuple[str, str]]:
    """The models that can be simulated, by what to say on the command line."""
    from tagwire.core.models import MODELS

    for key, model in MODELS.items():
        yield f"--simulate {key}", f"{model.name}, {model.inputs} inputs, serial number {model.serial}"


def keys_fact() -> str:
    """Whether a server that other computers can reach could be started here, and where the keys are."""
    from tagwire.security import Identity, Tokens
    from tagwire.security.places import home

    try:
        return f"fingerprint {Identity.load().fingerprint}, {len(Tokens().list())} tokens, in {home()}"
    except TagwireError as error:
        return str(error)


def server_fact(address: Address) -> str:
    """What a server serves, or why none answers."""
    try:
        api = tagwire.connect(address.host, address.port)
        return (
            f"answers; library {api.getVersion()}, Time Taggers: {', '.join(api.scanTimeTagger()) or 'none attached'}"
        )
    except TagwireError as error:
        return str(error)
