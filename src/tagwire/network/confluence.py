"""Where the streams of several servers flow together: what waits for whom, for how long, and what is then lost.

Nothing here has a clock, a thread or a socket: whoever uses it says what came from whom, and when.
"""

from __future__ import annotations

from collections.abc import Sequence

from tagwire.core.overflows import united
from tagwire.core.tags import TIME_MAX, TagBlock
from tagwire.network.merge_kernel import merged
from tagwire.network.tributary import Tributary


class Confluence:
    """Merges streams block by block, in order of time.

    Parameters
    ----------
    begins
        Stream time in ps at which the stream of each server begins. The merged one begins at the latest of them: tags
        before that belong to nobody.
    patience
        Longest time in s that a tag waits for a server; negative: for ever.

    Attributes
    ----------
    position : int
        Stream time in ps up to which the merged stream was given.

    Notes
    -----
    A tag can be given as soon as every server has said what happened up to it. While one says nothing, because it
    lags, stalls or is gone, the tags of the others wait for `patience` after they came. Then this happens:

    - The stream goes on **without** that server. From the time up to which it had been heard the stream is in an
      overflow; the tags of the others come all the same.
    - What the server then sends for times that were given already is **late**: it is counted and reported by missed
      events tags on its channels, at the stream time reached by then. Of late missed events tags the numbers are added.
      So for every channel of the server, tags received and missed together are exactly those sent.
    - As soon as it reaches the stream time of the others, it is **back**: the overflow ends, and everybody waits for it
      again. A server that always lags by more than `patience` never gets there, and all its tags are reported missed.
    - Error tags that are late come at the stream time reached by then.

    A server that jumps ahead by more than 1,000 s, because it lost the time base of the others, is not followed: what
    it says waits until the others are there.

    The overflow ranges of several servers are united: the stream is in an overflow wherever it is for one of them.
    Tags of equal time keep the order of the servers.
    """

    def __init__(self, begins: Sequence[int], patience: float = 1.0) -> None:
        self.position = max(begins)
        self.patience = patience
        self._servers = [Tributary(number, len(begins), begin, self.position) for number, begin in enumerate(begins)]
        self._overflows: set[int] = set()

    # --- what came ---------------------------------------------------------------------------------------------

    def push(self, server: int, block: TagBlock, now: float) -> None:
        """Take the next block of a server.

        Parameters
        ----------
        server
            Its number, from 0.
        block
            Follows the one before without a gap; ValueError where it does not.
        now
            Real time in s.
        """
        self._servers[server].push(block, now, self.position)

    def end(self, server: int) -> None:
        """A server has no more tags: it is silent from now on, and nobody waits for it."""
        self._servers[server].finish()

    def leave(self, server: int, for_good: bool = False) -> None:
        """A server is gone: nobody waits for it until something comes from it again, which may be never."""
        self._servers[server].gone = True
        self._servers[server].lost = for_good

    # --- what it says ------------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more, and everything was given."""
        return all(s.over and not s.queued and not s.reports for s in self._servers)

    def heard(self, server: int) -> int:
        """Stream time in ps up to which the tags of a server are known."""
        return self._servers[server].heard

    def absent(self, server: int) -> bool:
        """Whether the stream goes on without a server."""
        return self._servers[server].absent

    def lag(self, server: int) -> int:
        """How far in ps a server is behind the one that is ahead of all; 0 for one that has ended."""
        one = self._servers[server]
        return 0 if one.ended else max(s.heard for s in self._servers) - one.heard

    def missed(self, server: int) -> dict[int, int]:
        """Number of events of each channel of a server that came too late, as far as it is known by now."""
        return dict(self._servers[server].missed)

    def waiting(self, server: int) -> int:
        """Number of tags of a server that wait for others."""
        return self._servers[server].size

    def holder(self) -> int:
        """The server that must say something before the stream can go on."""
        return min(range(len(self._servers)), key=lambda n: (not self._servers[n].awaited, self._servers[n].heard))

    def deadline(self) -> float | None:
        """Real time in s at which the patience with somebody ends; `None` while nothing waits."""
        came = [c for s in self._servers if (c := s.waiting(self.position)) is not None]
        return min(came) + self.patience if came and self.patience >= 0 else None

    # --- the stream --------------------------------------------------------------------------------------------

    def take(self, limit: int, now: float) -> TagBlock | None:
        """The next block, not beyond the stream time `limit`; `None` when more must come first."""
        while True:
            until = self._known(limit)
            if until > self.position:
                return self._give(until)
            if limit <= self.position or not self._lose_patience(now):
                return self._give(self.position + 1) if self._reports_last() and limit > self.position else None

    def ready(self, now: float) -> bool:
        """Whether `take` has something to give, or everything was given."""
        return self._known(TIME_MAX) > self.position or bool(self._overdue(now)) or self._reports_last() or self.ended

    def _known(self, limit: int) -> int:
        """Stream time up to which everybody that is waited for was heard."""
        heard = [s.heard for s in self._servers if s.awaited]
        # Of those who have ended, and those who are gone, what they said is all there is.
        return min(limit, min(heard) if heard else max(self.position, *(s.heard for s in self._servers)))

    def _lose_patience(self, now: float) -> bool:
        """Go on without those who keep the others waiting for too long; False when there are none."""
        overdue = self._overdue(now)
        for server in overdue:
            server.part()
        return bool(overdue)

    def _overdue(self, now: float) -> list[Tributary]:
        """Those who keep the others waiting for too long, and those who are known to be gone."""
        late = [s for s in self._servers if s.awaited and s.heard <= self.position]
        deadline = self.deadline()
        return late if deadline is not None and now >= deadline else [s for s in late if s.gone]

    def _give(self, until: int) -> TagBlock:
        begin, self.position = self.position, until
        parts = [part for server in self._servers for part in server.take(begin, until)]
        return united(merged(begin, until, parts), self._overflows)

    def _reports_last(self) -> bool:
        """Whether there is something left to be reported when all have ended."""
        return all(s.over for s in self._servers) and any(s.reports for s in self._servers)
