"""Addresses as they are typed."""

import pytest

from tagwire.cli.common import Address, parse_address


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        ("labpc", "labpc", 23000),
        ("labpc:1", "labpc", 1),
        ("192.168.0.7:65535", "192.168.0.7", 65535),
        ("::1", "::1", 23000),
        ("[::1]", "::1", 23000),
        ("[::1]:23001", "::1", 23001),
    ],
)
def test_an_address_is_a_host_with_or_without_a_port(typed: str, host: str, port: int) -> None:
    assert parse_address(typed) == Address(host, port)


@pytest.mark.parametrize(
    "typed", ["", ":23000", "labpc:", "labpc:0", "labpc:65536", "labpc:x", "[::1]x", "[]:5", "a:٣"]
)
def test_what_is_no_address_is_refused_by_name(typed: str) -> None:
    with pytest.raises(ValueError, match="is not an address") as refused:
        parse_address(typed)
    assert repr(typed) in str(refused.value)


@pytest.mark.parametrize("address", [Address("labpc", 5), Address("::1", 23000)])
def test_an_address_reads_as_it_is_typed(address: Address) -> None:
    assert parse_address(str(address)) == address
