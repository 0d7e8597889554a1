"""Channel numbers of several servers in one stream."""

from __future__ import annotations

import numpy as np
import pytest

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.network.numbering import Numbering
from tagwire.testing.rows import block_of, rows_of


@pytest.mark.parametrize(
    ("place", "server", "client"),
    [
        (1, 3, 1003),
        (2, 3, 2003),
        (2, -3, -2003),
        (2, 999, 2999),
        (2, 1001, 201001),
        (90, 99_999, 9_099_999),
        (0, 1001, 1001),
        (0, -3, -3),
        (2, CHANNEL_UNUSED, CHANNEL_UNUSED),
    ],
)
def test_numbers_there_and_back(place: int, server: int, client: int) -> None:
    numbering = Numbering(place)
    assert numbering.client(server) == client
    assert numbering.server(client) == server
    block = block_of([(0, server, 0, 0), (5, CHANNEL_UNUSED, 2, 0), (6, server, 4, 7)], 0, 10)
    assert rows_of(numbering.block(block)) == [(0, client, 0, 0), (5, CHANNEL_UNUSED, 2, 0), (6, client, 4, 7)]
    assert numbering.block(block).channel.dtype == np.int32


def test_no_two_servers_share_a_number() -> None:
    numbers = [n for n in (*range(1, 19), 999, 1001, 1500, 99_999) for n in (n, -n)]
    everyone = [Numbering(place) for place in (1, 2, 3, 90)]
    found = {numbering.client(n): numbering for numbering in everyone for n in numbers}
    assert len(found) == len(numbers) * len(everyone)
    for client, owner in found.items():
        assert [one for one in everyone if one.server(client) is not None] == [owner]


def test_what_belongs_to_a_server() -> None:
    assert Numbering(2).servers([1001, 2005, -2003, 201001, 3001, 5]) == (-3, 5, 1001)


def test_numbers_that_no_server_has_are_refused() -> None:
    with pytest.raises(ArgumentError, match="server_channel is 100000"):
        Numbering(2).client(100_000)
    with pytest.raises(ArgumentKindError, match="server_channel"):
        Numbering(2).client("3")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="90"):
        Numbering(91)
