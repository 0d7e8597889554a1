"""The command line: one module per command; libraries that take long to import are imported where they are used."""

from __future__ import annotations

import click

import tagwire
from tagwire.cli import demo, info, keys, login, relay, run, serve, servers, warm
from tagwire.cli.common import Commands, verbose_option

CONTEXT = {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "TAGWIRE"}


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(tagwire.__version__, prog_name="tagwire")
@verbose_option
def main() -> None:
    """A Time Tagger on one computer, used from another.

    \b
    Begin with:
      tagwire demo     see it work
      tagwire serve    let other computers use what is attached here
    """


for command in (demo, serve, run, info, keys, login, servers, warm):
    main.add_command(command.command)
main.add_command(relay.relay)
main.add_command(relay.bridge)
