"""Settings of the instrument that act on its tags."""

from __future__ import annotations


class TimeTaggerSource:
    """Settings that every Time Tagger object has."""
