"""One laboratory as a process of its own: ``laboratory.py PLACE PORT``; prints its address, ends with its input.

Its stream time is laboratory time and flows in real time; the clock signal has exactly 10,000 pulses each second.
"""

from __future__ import annotations

import sys

from tagwire import TimeTagger

CLOCK, PULSE, PHOTONS = 8, 7, 1
CLOCK_HZ = 1e4
ERRORS = 5e-6, -3e-6
IDLER_DELAY = 7_300


def main(place: int, port: int) -> None:
    with TimeTagger.createTimeTagger() as tagger:
        tagger.simulateClock(ERRORS[place], 20.0, seed=place)
        tagger.simulateReference(CLOCK, PULSE, CLOCK_HZ)
        arm = ("signal", "idler")[place]
        tagger.simulateSharedPairs(PHOTONS, arm, 1, 1e5, 0.3, 0.3, idler_delay=IDLER_DELAY)
        tagger.setReferenceClock(CLOCK, CLOCK_HZ, 1e-2, PULSE)
        tagger.setServerAddress("127.0.0.1")
        tagger.startServer(TimeTagger.AccessMode.Listen, port=port)
        assert tagger._server is not None
        print(tagger._server.address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
