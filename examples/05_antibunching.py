"""Find out from a recording on another computer whether a light source emits one photon at a time.

The recording is `hbt_320MHz_T2.ptu`: photons of a single quantum emitter, excited at 320 MHz, on two detectors behind
a beam splitter. Start a server first, where the recording lies: `tagwire serve --data FOLDER`
"""

import argparse

import numpy as np
from matplotlib.figure import Figure

import tagwire

PERIOD_PS = 3125  # of the laser
RANGE_PS = 100_000  # look this far to both sides
BINWIDTH_PS = 125


def main() -> None:
    """Correlate while the recording is replayed, find the missing peak and plot it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="localhost", help="computer that serves the recording")
    parser.add_argument("--port", default=23000, type=int)
    parser.add_argument("--file", default="hbt_320MHz_T2.ptu", help="recording, in the server's data folder")
    parser.add_argument("--output", default="antibunching.png")
    args = parser.parse_args()

    TimeTagger = tagwire.connect(args.host, args.port)
    with TimeTagger.createTimeTaggerVirtual(args.file) as tagger:
        first, second = tagger.getChannelList()[:2]
        correlation = TimeTagger.Correlation(tagger, first, second, BINWIDTH_PS, 2 * RANGE_PS // BINWIDTH_PS)
        tagger.run()
        tagger.waitForCompletion()
        delays, counts = correlation.getIndex(), correlation.getData()

    centres, areas = peak_areas(delays, counts)
    missing = areas.argmin()
    others = np.delete(areas, missing)
    print(f"{counts.sum()} pairs within ±{RANGE_PS / 1000:g} ns, in {len(areas)} peaks")
    print(f"The missing peak: {areas[missing]} pairs at a delay of {centres[missing] / 1000:.1f} ns")
    print(f"Its neighbours: {areas[missing - 1]} and {areas[missing + 1]} pairs; mean of others: {others.mean():.0f}")
    print(f"g2(0) = {areas[missing] / others.mean():.3f}: below 0.5, so the source emits one photon at a time")
    plot(delays, counts, centres[missing], args.output)
    print(f"Saved {args.output}")


def peak_areas(delays, counts):
    """Delay (ps) and pairs of every peak; where the peaks lie follows from the counts themselves."""
    # The phase of the fundamental: all peaks together point to it, however few pairs each has.
    phase = np.angle(np.sum(counts * np.exp(2j * np.pi * delays / PERIOD_PS)))
    offset = phase / (2 * np.pi) * PERIOD_PS
    number = np.rint((delays - offset) / PERIOD_PS).astype(int)
    numbers, areas = np.arange(number[0] + 1, number[-1]), []
    for n in numbers:
        areas.append(counts[number == n].sum())  # peaks cut off by the range are left out
    return numbers * PERIOD_PS + offset, np.array(areas)


def plot(delays, counts, missing, path):
    """Save the correlation around the missing peak."""
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(delays / 1000, counts, step="mid", color="tab:blue")
    axes.annotate(
        f"missing peak at {missing / 1000:.1f} ns",
        xy=(missing / 1000, 0),
        xytext=(missing / 1000, counts.max() * 1.05),
        ha="center",
        arrowprops={"arrowstyle": "->", "color": "tab:red"},
        color="tab:red",
    )
    axes.set(
        xlabel="Delay τ between the detectors (ns)",
        ylabel=f"Pairs per {BINWIDTH_PS} ps",
        title="Antibunching: a single emitter, excited at 320 MHz",
        xlim=(missing / 1000 - 40, missing / 1000 + 40),
        ylim=(0, counts.max() * 1.15),
    )
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
