"""A stream ends with its tagger, and with Python."""

from __future__ import annotations

import atexit
import weakref

from tagwire.engine.pump import Pump
from tagwire.engine.tagger import TimeTaggerBase

_started: weakref.WeakSet[Pump] = weakref.WeakSet()


def start_for(tagger: TimeTaggerBase, pump: Pump) -> None:
    """Start `pump`; it is asked to stop when `tagger` is dropped without having been freed.

    The pump must not refer to the tagger. It is only asked, for whoever happens to collect the tagger may hold locks
    that the pump waits for.
    """
    _started.add(pump)
    weakref.finalize(tagger, pump.halt).atexit = False
    pump.start()


@atexit.register
def _stop_all() -> None:
    """Stop what still runs while there is still an interpreter to stop in."""
    for pump in list(_started):
        pump.stop()
