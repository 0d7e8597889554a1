"""Find out whether a light source emits one photon at a time: g2(0) from a Hanbury Brown and Twiss setup.

A pulsed laser excites a single emitter, whose photons fall on a beam splitter with a detector at each output. Much of
what the detectors count here is background. The light is simulated; with `--remote` the example runs on the Time Tagger
of another computer, where `tagwire serve` runs.
"""

import argparse

import numpy as np
from matplotlib.figure import Figure

import tagwire
from fitting import fit_counts

PERIOD_PS = 12_500  # of the laser: 80 MHz
BINWIDTH_PS = 125
PEAKS = 7  # this many to each side of zero delay
JITTER_PS = 72  # rms, of the difference of two detectors

EMISSION, SECOND_PHOTON = 0.9, 0.05
LIFETIME_PS = 1500
BACKGROUND_HZ = 60e3  # of each detector
SIMULATED_G2 = 2 * SECOND_PHOTON / (EMISSION * (1 + SECOND_PHOTON) ** 2)  # <n(n-1)> / <n>² of the emitted photons


def main(arguments=None) -> None:
    """Measure, fit, say what was found and plot it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--remote", metavar="HOST[:PORT]", help="measure there instead of on this computer")
    parser.add_argument("--seconds", default=2.0, type=float, help="duration of the measurement")
    parser.add_argument("--output", default="hbt_g2.png")
    args = parser.parse_args(arguments)

    # The same code for both: the library of this computer, or that of another one.
    host, _, port = (args.remote or "").partition(":")
    TimeTagger = tagwire.connect(host, int(port or 23000)) if host else tagwire.TimeTagger

    with TimeTagger.createTimeTagger() as tagger:
        simulated = shine(tagger)
        delays, pairs, rates = measure(TimeTagger, tagger, args.seconds)
    if pairs.sum() < 1000:
        raise SystemExit(f"Only {pairs.sum()} pairs of clicks on channels 1 and 2: is there light? Measure for longer")
    fit, errors = fit_peaks(delays, pairs)
    report(delays, pairs, rates, fit, errors)
    if simulated:
        print(f"The light was simulated with g2(0) = {SIMULATED_G2:.3f} and a lifetime of {LIFETIME_PS / 1e3:.2f} ns")
    plot(delays, pairs, fit, errors, args.output)
    print(f"Saved {args.output}")


def shine(tagger):
    """Let there be light, if the Time Tagger is a simulated one; say whether it is."""
    if not hasattr(tagger, "simulateEmitter"):
        return False
    tagger.simulateEmitter(
        [1, 2],
        repetition_rate=1e12 / PERIOD_PS,
        lifetime=LIFETIME_PS,
        emission_efficiency=EMISSION,
        second_photon_probability=SECOND_PHOTON,
        dark_rate=BACKGROUND_HZ,
    )
    return True


def measure(TimeTagger, tagger, seconds):
    """Delays (ps) and numbers of pairs between the detectors, and their rates (Hz)."""
    tagger.sync()
    rates = TimeTagger.Countrate(tagger, [1, 2])
    n_bins = 2 * round((PEAKS + 0.5) * PERIOD_PS / BINWIDTH_PS) + 1
    correlation = TimeTagger.Correlation(tagger, 1, 2, BINWIDTH_PS, n_bins)
    for measurement in (rates, correlation):
        measurement.startFor(seconds * 1e12)
    for measurement in (rates, correlation):
        measurement.waitUntilFinished()
    return correlation.getIndex(), correlation.getData(), rates.getData()


def fit_peaks(delays, pairs):
    """Pairs of a whole peak, background per bin, lifetime (ps) and g2(0), each with its standard error."""
    guess = [pairs.sum() / (2 * PEAKS + 1), pairs.min() + 1, PERIOD_PS / 10, 0.5]
    return fit_counts(lambda parameters: expected_pairs(delays, *parameters), pairs, guess)


def expected_pairs(delays, peak, background, lifetime, g2):
    """A peak for every laser pulse, the one at zero `g2` times as high, on a flat background."""
    if lifetime <= 0:
        return np.full(len(delays), np.nan)
    fine = np.arange(delays[0] - 500, delays[-1] + 501, 25)
    centres = np.arange(-PEAKS - 1, PEAKS + 2) * PERIOD_PS
    heights = np.where(centres == 0, g2, 1.0)
    # Both photons come after their pulses with exp(-t / lifetime), so their difference has exp(-|tau| / lifetime).
    shape = np.exp(-np.abs(fine[:, None] - centres) / lifetime) / (2 * lifetime)
    jitter = np.exp(-0.5 * (np.arange(-300, 301, 25) / JITTER_PS) ** 2)
    smooth = np.convolve(shape @ heights, jitter / jitter.sum(), mode="same")
    return peak * BINWIDTH_PS * np.interp(delays, fine, smooth) + background


def report(delays, pairs, rates, fit, errors):
    """Say what was found."""
    print(f"The detectors clicked {rates[0] / 1e3:.0f} and {rates[1] / 1e3:.0f} thousand times per second")
    peak, background, lifetime, g2 = fit
    share = background * PERIOD_PS / BINWIDTH_PS / peak
    print(f"Each laser pulse has {peak:.0f} pairs with another one; background adds {share:.0%} to that")
    near = np.abs(delays) <= PERIOD_PS / 2
    raw = pairs[near].sum() / pairs[~near].sum() * 2 * PEAKS
    print(f"Lifetime of the emitter: {lifetime / 1e3:.2f} ± {errors[2] / 1e3:.2f} ns")
    print(f"Peak at zero delay, background and all: {raw:.3f} of the others")
    print(f"g2(0) = {g2:.3f} ± {errors[3]:.3f} without background")
    if g2 + 2 * errors[3] < 0.5:
        print("That is below 0.5: the light comes from a single emitter")
    else:
        print("That is not below 0.5 with certainty: measure for longer")


def plot(delays, pairs, fit, errors, path):
    """Save the correlation with its fit."""
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(delays / 1e3, pairs, step="mid", color="tab:blue", alpha=0.4, label="measured", linewidth=0)
    axes.plot(delays / 1e3, expected_pairs(delays, *fit), color="tab:red", linewidth=1.2, label="fit")
    axes.axhline(fit[1], color="0.3", linestyle="--", linewidth=1, label="background in the fit")
    top = pairs.max() * 1.3
    axes.annotate(
        f"$g^{{(2)}}(0)$ = {fit[3]:.3f} ± {errors[3]:.3f}",
        xy=(0, expected_pairs(delays, *fit)[len(delays) // 2]),
        xytext=(0, 0.88 * top),
        ha="center",
        arrowprops={"arrowstyle": "->", "color": "tab:red"},
        color="tab:red",
    )
    axes.set(
        xlabel="Delay between the detectors τ (ns)",
        ylabel=f"Pairs per {BINWIDTH_PS} ps",
        title="Antibunching of a single emitter, excited at 80 MHz",
        xlim=(delays[0] / 1e3, delays[-1] / 1e3),
        ylim=(0, top),
    )
    axes.legend(loc="upper right", ncols=3, fontsize="small")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
