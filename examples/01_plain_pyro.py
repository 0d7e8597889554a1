"""Use a Time Tagger on another computer with nothing but Pyro5: this computer needs no Tagwire.

Start a server first, on the computer that the Time Tagger is connected to: `tagwire serve`
"""

import argparse
import time

import Pyro5.api


def main() -> None:
    """Measure the correlation of two test signals, then shift one of them with a virtual channel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="localhost", help="computer that serves the Time Tagger")
    parser.add_argument("--port", default=23000, type=int)
    parser.add_argument("--seconds", default=10.0, type=float, help="duration of each measurement")
    args = parser.parse_args()

    # One proxy stands for the library on the other computer: call its functions and create its classes through it.
    TimeTagger = Pyro5.api.Proxy(f"PYRO:TimeTagger@{args.host}:{args.port}")
    print("Time Taggers over there:", ", ".join(TimeTagger.scanTimeTagger()))

    # What lives on the server comes back as a proxy of its own.
    tagger = TimeTagger.createTimeTagger()
    try:
        print(f"Opened a {tagger.getModel()}, serial number {tagger.getSerial()}")
        tagger.setTestSignal(1, True)
        tagger.setTestSignal(2, True)

        correlation = TimeTagger.Correlation(tagger, 1, 2, binwidth=5, n_bins=2000)
        report("Channel 1 against channel 2", measure(correlation, args.seconds))

        # Virtual channels work as they do locally: a copy of channel 2 that comes 1 ns later.
        delayed = TimeTagger.DelayedChannel(tagger, 2, 1000)
        shifted = TimeTagger.Correlation(tagger, 1, delayed.getChannel(), binwidth=5, n_bins=2000)
        report("Channel 1 against channel 2 delayed by 1000 ps", measure(shifted, args.seconds))
    finally:
        TimeTagger.freeTimeTagger(tagger)


def measure(correlation, seconds):
    """Run a correlation for some time and give its bins (ps) and counts, which arrive as plain lists."""
    correlation.startFor(int(seconds * 1e12), clear=True)
    while correlation.isRunning():
        time.sleep(0.1)
        print(f"\r{correlation.getCaptureDuration() / 1e12:5.1f} s, {sum(correlation.getData())} pairs", end="")
    print()
    return correlation.getIndex(), correlation.getData()


def report(title, histogram):
    """Say where the peak is and how wide."""
    index, counts = histogram
    pairs = sum(counts)
    if not pairs:
        print(f"{title}: no pairs; measure for longer")
        return
    mean = sum(t * n for t, n in zip(index, counts, strict=True)) / pairs
    variance = sum((t - mean) ** 2 * n for t, n in zip(index, counts, strict=True)) / pairs
    print(f"{title}: {pairs} pairs, mean delay {mean:z.1f} ps, rms width {variance**0.5:.1f} ps")


if __name__ == "__main__":
    main()
