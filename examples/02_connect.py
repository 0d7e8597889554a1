"""Use a Time Tagger on another computer as if it were connected to this one: `tagwire.connect`.

Start a server first, on the computer that the Time Tagger is connected to: `tagwire serve`
"""

import argparse

import numpy as np

import tagwire


def main() -> None:
    """Measure the correlation of two test signals, then shift one of them with a virtual channel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="localhost", help="computer that serves the Time Tagger")
    parser.add_argument("--port", default=23000, type=int)
    parser.add_argument("--seconds", default=10.0, type=float, help="duration of each measurement")
    args = parser.parse_args()

    # The only line that differs from a local script.
    TimeTagger = tagwire.connect(args.host, args.port)

    with TimeTagger.createTimeTagger() as tagger:
        print(f"Opened a {tagger.getModel()}, serial number {tagger.getSerial()}")
        tagger.setTestSignal([1, 2], True)

        correlation = TimeTagger.Correlation(tagger, 1, 2, binwidth=5, n_bins=2000)
        report("Channel 1 against channel 2", *measure(correlation, args.seconds))

        delayed = TimeTagger.DelayedChannel(tagger, 2, 1000)
        shifted = TimeTagger.Correlation(tagger, 1, delayed.getChannel(), binwidth=5, n_bins=2000)
        report("Channel 1 against channel 2 delayed by 1000 ps", *measure(shifted, args.seconds))


def measure(correlation, seconds):
    """Run a correlation for some time and give its bins (ps) and counts, which arrive as NumPy arrays."""
    correlation.startFor(seconds * 1e12)
    correlation.waitUntilFinished()
    return correlation.getIndex(), correlation.getData()


def report(title, index, counts):
    """Say where the peak is and how wide."""
    pairs = counts.sum()
    if not pairs:
        print(f"{title}: no pairs; measure for longer")
        return
    mean = np.average(index, weights=counts)
    width = np.sqrt(np.average((index - mean) ** 2, weights=counts))
    print(f"{title}: {pairs} pairs, mean delay {mean:z.1f} ps, rms width {width:.1f} ps")


if __name__ == "__main__":
    main()
