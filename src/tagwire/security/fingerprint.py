"""Fingerprints: how people compare certificates."""

from __future__ import annotations

import hashlib

from tagwire.errors import ArgumentError

_DIGITS = 64
_GROUP = 4


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a certificate (DER) as 16 groups of four hexadecimal digits."""
    return _grouped(hashlib.sha256(certificate).hexdigest())


def parse_fingerprint(text: str) -> str:
    """A fingerprint as `fingerprint` writes it, from any way of grouping; `ArgumentError` (ValueError) for others."""
    digits = text.strip().lower().removeprefix("sha256:")
    for separator in ("-", ":", " "):
        digits = digits.replace(separator, "")
    if len(digits) != _DIGITS or not set(digits) <= set("0123456789abcdef"):
        raise ArgumentError(f"{text!r} is no fingerprint: it has {_DIGITS} hexadecimal digits, in groups or not")
    return _grouped(digits)


def _grouped(digits: str) -> str:
    return "-".join(digits[i : i + _GROUP] for i in range(0, _DIGITS, _GROUP))
