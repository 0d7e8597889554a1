"""Every stream of a property test is short, and still what each processor sees of it is picked as from a long one."""

from __future__ import annotations

import pytest

from tagwire.engine import by_channel


@pytest.fixture(autouse=True, scope="module")
def short_blocks_are_picked_from() -> object:
    """Let it always pay to look for the tags of some channels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_channel.ByChannel, "_alone", lambda self, channels: False)
        patch.setattr(by_channel.ByChannel, "_pays", lambda self, present: True)
        patch.setattr(by_channel.ByChannel, "_sparse", lambda self, window: len(self.block) > 0)
        patch.setattr(by_channel, "LARGEST_SHARE", 1.0)
        yield
