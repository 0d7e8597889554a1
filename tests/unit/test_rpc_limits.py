"""Limits of a server."""

from __future__ import annotations

import pytest

from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.rpc.limits import Limits


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("connections", 0, ArgumentError),
        ("objects", "many", ArgumentKindError),
        ("handshake_s", 0, ArgumentError),
        ("handshake_s", float("nan"), ArgumentError),
    ],
)
def test_limits_name_what_is_wrong(field: str, value: object, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=field):
        Limits(**{field: value})  # type: ignore[arg-type]
