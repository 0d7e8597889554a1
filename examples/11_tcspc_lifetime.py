"""Measure a fluorescence lifetime: time-correlated single photon counting (TCSPC).

Photons on channel 1 are sorted by their time after the laser pulse on channel 2. The decay is fitted together with
what blurs it: the jitter of detector and electronics. The light is simulated; with `--remote` the example runs on the
Time Tagger of another computer, where `tagwire serve` runs.
"""

import argparse
import math

import numpy as np
from matplotlib.figure import Figure

import tagwire
from fitting import fit_counts

PHOTONS, LASER = 1, 2  # channels
PERIOD_PS = 25_000  # of the laser: 40 MHz
BINWIDTH_PS = 50

LIFETIME_PS = 3200
JITTER_PS = 150  # rms, of the detector
ARRIVAL_PS = 4000  # of the laser pulse at the sample: cables and light path
DETECTED_HZ, DARK_HZ = 500e3, 20e3


def main(arguments=None) -> None:
    """Measure, fit, say what was found and plot it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--remote", metavar="HOST[:PORT]", help="measure there instead of on this computer")
    parser.add_argument("--seconds", default=0.5, type=float, help="duration of the measurement")
    parser.add_argument("--output", default="tcspc_lifetime.png")
    args = parser.parse_args(arguments)

    # The same code for both: the library of this computer, or that of another one.
    host, _, port = (args.remote or "").partition(":")
    TimeTagger = tagwire.connect(host, int(port or 23000)) if host else tagwire.TimeTagger

    with TimeTagger.createTimeTagger() as tagger:
        simulated = shine(tagger)
        times, photons = measure(TimeTagger, tagger, args.seconds)
    if photons.sum() < 1000:
        raise SystemExit(f"Only {photons.sum()} photons: are there light and laser pulses? Measure for longer")
    fit, errors = fit_decay(times, photons)
    report(photons, fit, errors)
    if simulated:
        print(f"The light was simulated with a lifetime of {LIFETIME_PS} ps and a jitter of {JITTER_PS} ps")
    plot(times, photons, fit, errors, args.output)
    print(f"Saved {args.output}")


def shine(tagger):
    """Let there be light, if the Time Tagger is a simulated one; say whether it is."""
    if not hasattr(tagger, "simulateFluorescence"):
        return False
    tagger.simulateFluorescence(
        [PHOTONS],
        rate=DETECTED_HZ,
        repetition_rate=1e12 / PERIOD_PS,
        lifetimes=[LIFETIME_PS],
        timing_jitter=JITTER_PS,
        dark_rate=DARK_HZ,
        delay=ARRIVAL_PS,
        sync_channel=LASER,
    )
    return True


def measure(TimeTagger, tagger, seconds):
    """Times after the laser pulse (middle of each bin, ps) and numbers of photons."""
    # Of 40 million laser pulses per second only the first one after each photon leaves the Time Tagger, which takes a
    # load off the connection. So the photon starts the clock, and the times are turned round afterwards.
    tagger.setConditionalFilter(trigger=[PHOTONS], filtered=[LASER])
    tagger.sync()
    histogram = TimeTagger.Histogram(tagger, LASER, PHOTONS, BINWIDTH_PS, PERIOD_PS // BINWIDTH_PS)
    histogram.startFor(seconds * 1e12)
    histogram.waitUntilFinished()
    before = histogram.getIndex() + BINWIDTH_PS / 2
    return (PERIOD_PS - before)[::-1], histogram.getData()[::-1]


def fit_decay(times, photons):
    """Lifetime, jitter and arrival (ps), photons and background per bin, each with its standard error."""
    background = np.sort(photons)[: len(photons) // 10].mean() + 1
    signal = (photons - background).clip(0)
    start = times[photons.argmax()]
    lifetime = np.average((times - start) % PERIOD_PS, weights=signal)  # the mean delay of an exponential decay
    guess = [lifetime, 2 * BINWIDTH_PS, start, signal.sum(), background]
    return fit_counts(lambda parameters: expected_photons(times, *parameters), photons, guess)


def expected_photons(times, lifetime, jitter, arrival, photons, background):
    """A decay blurred by the jitter, once per laser pulse, on a flat background."""
    if lifetime <= 0 or jitter <= 0:
        return np.full(len(times), np.nan)
    # The share of a decay up to each edge of a bin, from this pulse and from those before, whose decays go on.
    edges = np.append(times - BINWIDTH_PS / 2, times[-1] + BINWIDTH_PS / 2) - arrival
    elapsed = sum(share_until(edges + n * PERIOD_PS, lifetime, jitter) for n in range(-1, 4))
    return photons * np.diff(elapsed) + background


def share_until(time, lifetime, jitter):
    """Distribution function of the sum of an exponential and a Gaussian random time."""
    blurred = normal(time / jitter)
    shift = jitter / lifetime
    # The exponential would overflow far ahead of the pulse, where there is nothing yet.
    late = time > -6 * jitter
    tail = np.where(late, np.exp(shift**2 / 2 - np.where(late, time, 0) / lifetime), 0) * normal(time / jitter - shift)
    return blurred - tail


def normal(x):
    """Distribution function of the normal distribution."""
    return np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in x])


def report(photons, fit, errors):
    """Say what was found."""
    lifetime, jitter, arrival, signal, background = fit
    share = background * len(photons) / photons.sum()
    print(f"{photons.sum()} photons, {share:.1%} of them background; {signal:.0f} belong to the decay")
    print(f"Lifetime: {lifetime:.0f} ± {errors[0]:.0f} ps")
    print(f"Jitter of detector and electronics: {jitter:.0f} ± {errors[1]:.0f} ps rms")
    print(f"The laser pulse reaches the sample {arrival:.0f} ± {errors[2]:.0f} ps after its electrical signal")


def plot(times, photons, fit, errors, path):
    """Save the decay with its fit, and how far they are apart."""
    expected = expected_photons(times, *fit)
    figure = Figure(figsize=(8, 5.5), layout="constrained")
    axes, below = figure.subplots(2, sharex=True, height_ratios=[3, 1])
    axes.semilogy(times / 1e3, photons, ".", markersize=2.5, color="tab:blue", label="measured")
    axes.semilogy(times / 1e3, expected, color="tab:red", label=f"fit: τ = {fit[0]:.0f} ± {errors[0]:.0f} ps")
    axes.axhline(fit[4], color="0.3", linestyle="--", linewidth=1, label="background in the fit")
    axes.set(ylabel=f"Photons per {BINWIDTH_PS} ps", title="Fluorescence decay after 40 MHz laser pulses")
    axes.set_ylim(max(1, photons.min() / 2), photons.max() * 2)
    axes.legend()
    below.plot(times / 1e3, (photons - expected) / np.sqrt(expected), ".", markersize=2.5, color="tab:blue")
    below.axhline(0, color="tab:red", linewidth=1)
    below.set(xlabel="Time after the laser pulse (ns)", ylabel="Residual (σ)", ylim=(-5, 5), xlim=(0, PERIOD_PS / 1e3))
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
