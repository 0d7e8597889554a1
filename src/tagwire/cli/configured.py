"""Options from the configuration file: what is said on the command line counts more, and so does the environment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from tagwire.cli.common import Function
from tagwire.config import read_configuration
from tagwire.errors import ConfigurationError

_ONLY_TYPED = {"help", "config", "verbose", "while_stdin_open", "everywhere_is_remote"}
"""Options that make no sense in a file."""


def config_option(section: str) -> Callable[[Function], Function]:
    """Add ``--config FILE``: defaults of all other options of the command come from the file's `section`."""

    def read(context: click.Context, _parameter: click.Parameter, file: Path | None) -> None:
        configuration = read_configuration(file)
        values: Mapping[str, Any] = getattr(configuration, section)
        context.default_map = {**(context.default_map or {}), **_checked(context, section, values, configuration.path)}

    return click.option(
        "--config",
        type=click.Path(path_type=Path),
        is_eager=True,
        expose_value=False,
        callback=read,
        help="Configuration file, instead of tagwire.toml in the folder TAGWIRE_HOME.",
    )


def _checked(context: click.Context, section: str, values: Mapping[str, Any], file: Path) -> dict[str, Any]:
    """`values` as the options want them; `ConfigurationError` names the first that does not fit."""
    options = {option.name: option for option in context.command.params if option.name not in _ONLY_TYPED}
    return {name: _value(context, options, f"{file}: {section}.{name}", name, values[name]) for name in values}


def _value(context: click.Context, options: Mapping[Any, click.Parameter], where: str, name: str, value: Any) -> Any:
    option = options.get(name)
    if option is None:
        raise ConfigurationError(f"{where} is not known here; there are {', '.join(sorted(options))}")
    if isinstance(option.type, click.types.BoolParamType) != isinstance(value, bool):
        wanted = "true or false" if isinstance(option.type, click.types.BoolParamType) else "text or a number"
        raise ConfigurationError(f"{where} is {value!r}, but must be {wanted}")
    if option.multiple != isinstance(value, list) or isinstance(value, dict):
        raise ConfigurationError(f"{where} is {value!r}, but must be {'a list' if option.multiple else 'one value'}")
    try:
        option.type_cast_value(context, value)
    except click.BadParameter as error:
        raise ConfigurationError(f"{where} is {value!r}: {error.message}") from error
    return value
