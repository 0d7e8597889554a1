"""Count photon pairs: how well one photon heralds the other, and how clean the coincidences are.

Spontaneous parametric down-conversion makes pairs of photons, a signal on channel 1 and an idler on channel 2. The
correlation shows by how much one arm is late; that is compensated, and then coincidences are counted, as well as
accidental ones, with idlers that are too late to belong to their signal. The light is simulated; with `--remote` the
example runs on the Time Tagger of another computer, where `tagwire serve` runs.
"""

import argparse

import numpy as np
from matplotlib.figure import Figure

import tagwire

SIGNAL, IDLER = 1, 2  # channels
WINDOW_PS = 1000  # largest distance of the two clicks of a coincidence, to both sides
LATE_PS = 100_000  # idlers that are late by multiples of this are strangers to their signal
BINWIDTH_PS = 50

PAIRS_HZ, DARK_HZ = 500e3, 500.0
SIGNAL_EFFICIENCY, IDLER_EFFICIENCY = 0.25, 0.15
IDLER_DELAY_PS = 7_300


def main(arguments=None) -> None:
    """Measure, say what was found and plot it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--remote", metavar="HOST[:PORT]", help="measure there instead of on this computer")
    parser.add_argument("--seconds", default=2.0, type=float, help="duration of the measurement")
    parser.add_argument("--output", default="heralded_pairs.png")
    args = parser.parse_args(arguments)

    # The same code for both: the library of this computer, or that of another one.
    host, _, port = (args.remote or "").partition(":")
    TimeTagger = tagwire.connect(host, int(port or 23000)) if host else tagwire.TimeTagger

    with TimeTagger.createTimeTagger() as tagger:
        simulated = shine(tagger)
        delay = align(TimeTagger, tagger)
        delays, histogram, counts, accidentals = measure(TimeTagger, tagger, args.seconds)
    print(f"The idler came {delay} ps late; that is compensated now")
    report(counts, accidentals, args.seconds)
    if simulated:
        print(f"The light was simulated with efficiencies of {SIGNAL_EFFICIENCY:.1%} and {IDLER_EFFICIENCY:.1%};")
        print("dark counts and the detectors' dead time take a hundredth of that")
    plot(delays, histogram, accidentals.mean() * BINWIDTH_PS / (2 * WINDOW_PS), args.output)
    print(f"Saved {args.output}")


def shine(tagger):
    """Let there be light, if the Time Tagger is a simulated one; say whether it is."""
    if not hasattr(tagger, "simulatePairs"):
        return False
    tagger.simulatePairs(
        [SIGNAL],
        [IDLER],
        pair_rate=PAIRS_HZ,
        signal_efficiency=SIGNAL_EFFICIENCY,
        idler_efficiency=IDLER_EFFICIENCY,
        dark_rate=DARK_HZ,
        idler_delay=IDLER_DELAY_PS,
    )
    return True


def align(TimeTagger, tagger):
    """Let the clicks of a pair come at the same time; give the delay (ps) of the idler that was there before."""
    tagger.sync()
    correlation = TimeTagger.Correlation(tagger, IDLER, SIGNAL, BINWIDTH_PS, 1001)
    correlation.startFor(2e11)
    correlation.waitUntilFinished()
    delays, pairs = correlation.getIndex(), correlation.getData()
    if not pairs.any():
        raise SystemExit(f"No pairs of clicks on channels {SIGNAL} and {IDLER}: is there light?")
    near = np.abs(delays - delays[pairs.argmax()]) <= 500
    delay = round(np.average(delays[near], weights=pairs[near]))
    tagger.setInputDelay(SIGNAL, delay)
    return delay


def measure(TimeTagger, tagger, seconds):
    """Delays (ps) and pairs of the correlation; counts of signal, idler and coincidences; ten counts of accidentals."""
    # From here on every tag has the new delay.
    tagger.sync()
    late = [TimeTagger.DelayedChannel(tagger, IDLER, n * LATE_PS) for n in range(1, 11)]
    groups = [(SIGNAL, IDLER), *((SIGNAL, channel.getChannel()) for channel in late)]
    coincidences = TimeTagger.Coincidences(tagger, groups, WINDOW_PS)
    counter = TimeTagger.Countrate(tagger, [SIGNAL, IDLER, *coincidences.getChannels()])
    correlation = TimeTagger.Correlation(tagger, IDLER, SIGNAL, BINWIDTH_PS, 401)
    for measurement in (counter, correlation):
        measurement.startFor(seconds * 1e12)
    for measurement in (counter, correlation):
        measurement.waitUntilFinished()
    counts = counter.getCountsTotal()
    return correlation.getIndex(), correlation.getData(), counts[:3], counts[3:]


def report(counts, accidentals, seconds):
    """Say what was found, with the errors of counting."""
    signal, idler, both = (int(n) for n in counts)
    true = both - accidentals.mean()
    print(f"Clicks per second: {signal / seconds:.0f} signal, {idler / seconds:.0f} idler")
    print(f"Coincidences within ±{WINDOW_PS} ps: {both / seconds:.0f} per second")
    print(f"Accidental ones among them: {accidentals.mean() / seconds:.1f} per second")
    for name, heralded_by in (("signal", idler), ("idler", signal)):
        efficiency = true / heralded_by
        error = np.sqrt(both * (1 - efficiency)) / heralded_by
        print(f"Efficiency of the {name} arm, heralded by the other: {efficiency:.2%} ± {error:.2%}")
    if not accidentals.any():
        print("No late idler met a signal: measure for longer to tell accidental coincidences")
        return
    ratio = both / accidentals.mean()
    print(f"Coincidences to accidentals (CAR): {ratio:.0f} ± {ratio / np.sqrt(accidentals.sum()):.0f}")


def plot(delays, pairs, accidentals, path):
    """Save the correlation, with the window of the coincidences and the level of the accidental ones."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(-WINDOW_PS / 1e3, WINDOW_PS / 1e3, color="tab:orange", alpha=0.25, label="coincidence window")
    axes.fill_between(delays / 1e3, pairs, step="mid", color="tab:blue", linewidth=0, label="pairs of clicks")
    axes.axhline(accidentals, color="tab:red", linestyle="--", label="accidentals, from late idlers")
    axes.set_yscale("symlog", linthresh=1)
    axes.set(
        xlabel="Idler after signal (ns)",
        ylabel=f"Pairs per {BINWIDTH_PS} ps",
        title="Photon pairs: one photon heralds the other",
        xlim=(delays[0] / 1e3, delays[-1] / 1e3),
        ylim=(0, pairs.max() * 3),
    )
    axes.legend()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
