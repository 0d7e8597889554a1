"""The feeds of a server: how many there may be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tagwire.core.enums import AccessMode
from tagwire.core.tags import TagBlock
from tagwire.errors import StateError
from tagwire.network.access import Access
from tagwire.network.feeds import Feeds
from tagwire.network.station import EngineStation
from tagwire.testing import SteppedTagger


@pytest.fixture
def feeds(monkeypatch: pytest.MonkeyPatch) -> Iterator[Feeds]:
    monkeypatch.setattr("tagwire.network.feeds.MOST_FEEDS", 2)
    tagger = SteppedTagger(TagBlock.empty(0, 10**12), (1, 2, 3))
    made = Feeds(EngineStation(tagger, ()), Access(AccessMode.Listen))
    yield made
    made.close("")


def test_the_feed_that_nobody_has_read_for_longest_makes_room(feeds: Feeds) -> None:
    gone, kept = feeds.join([1], None, "", "a"), feeds.join([2], None, "", "b")
    feeds.leave(gone)
    new = feeds.join([3], None, "", "c")
    assert feeds.join([2], None, "", "d").feed == kept.feed
    assert new.feed not in (gone.feed, kept.feed)
    feeds.leave(new)
    assert feeds.join([1], None, "", "e").feed != gone.feed


def test_too_many_sets_of_channels_are_refused(feeds: Feeds) -> None:
    first = feeds.join([1], None, "", "a")
    feeds.join([2], None, "", "b")
    with pytest.raises(StateError, match="2 different sets of channels already"):
        feeds.join([1, 2], None, "", "c")
    assert feeds.join([1], None, "", "c").feed == first.feed


def test_a_feed_that_broke_off_is_made_anew(feeds: Feeds) -> None:
    first = feeds.join([1], None, "", "a")
    feeds._entries[(1,)].outlet.ring.close("broken")
    assert feeds.join([1], None, "", "b").feed != first.feed
