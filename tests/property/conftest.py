"""Every stream of a property test is short, and still what each processor sees of it is picked as from a long one."""

from __future__ import annotations

import pytest

from tagwire.engine import by_channel


@pytest.fixture(autouse=True, scope="session")
def short_blocks_are_picked_from() -> object:
    """Let it pay to look for the tags of a few channels even in the shortest block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_channel, "FEWEST", 1)
        yield
