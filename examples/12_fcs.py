"""Measure how fast molecules diffuse, and how many there are: fluorescence correlation spectroscopy (FCS).

Molecules wander through the focus of a laser, and the light they emit flickers. Its correlation over five orders of
magnitude in time tells how long a molecule stays (the diffusion time) and how many there are at once. Two detectors
behind a beam splitter are correlated with each other, so neither dead time nor afterpulses show. The light is
simulated; with `--remote` the example runs on the Time Tagger of another computer, where `tagwire serve` runs.
"""

import argparse

import numpy as np
from matplotlib.figure import Figure

import tagwire

MOLECULES = 1.5
DIFFUSION_PS = 100e6  # 100 µs
DETECTED_HZ = 200e3  # by each detector


def main(arguments=None) -> None:
    """Measure, fit, say what was found and plot it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--remote", metavar="HOST[:PORT]", help="measure there instead of on this computer")
    parser.add_argument("--seconds", default=1.0, type=float, help="duration of each run")
    parser.add_argument("--runs", default=6, type=int, help="number of runs, at least 2; they give the errors")
    parser.add_argument("--output", default="fcs.png")
    args = parser.parse_args(arguments)

    # The same code for both: the library of this computer, or that of another one.
    host, _, port = (args.remote or "").partition(":")
    TimeTagger = tagwire.connect(host, int(port or 23000)) if host else tagwire.TimeTagger

    with TimeTagger.createTimeTagger() as tagger:
        simulated = shine(tagger)
        lags, runs = measure(TimeTagger, tagger, args.seconds, args.runs)
    if not np.all(np.isfinite(runs)):
        raise SystemExit("A detector on channel 1 or 2 sees nothing: is there light?")
    mean, error = summarise([fit_diffusion(lags, g2) for g2 in runs])
    print(f"{args.runs} runs of {args.seconds:g} s each")
    print(f"Molecules in the focus: {mean[0]:.2f} ± {error[0]:.2f}")
    print(f"Diffusion time: {mean[1] / 1e6:.0f} ± {error[1] / 1e6:.0f} µs")
    if simulated:
        print(
            f"The light was simulated with {MOLECULES} molecules and a diffusion time of {DIFFUSION_PS / 1e6:.0f} µs;"
        )
        print("a weak spring keeps them near the focus, which the fit does not know of and takes for 1 to 3 % less")
    plot(lags, runs, mean, error, args.output)
    print(f"Saved {args.output}")


def shine(tagger):
    """Let there be light, if the Time Tagger is a simulated one; say whether it is."""
    if not hasattr(tagger, "simulateDiffusion"):
        return False
    tagger.simulateDiffusion([1, 2], rate=DETECTED_HZ, molecules=MOLECULES, diffusion_time=DIFFUSION_PS)
    return True


def measure(TimeTagger, tagger, seconds, runs):
    """Lags (ps), and g2 at these lags in each run."""
    tagger.sync()
    histogram = TimeTagger.HistogramLogBins(tagger, 1, 2, exp_start=-6, exp_stop=-1.5, n_bins=45)
    results = []
    for _ in range(runs):
        histogram.startFor(seconds * 1e12)
        histogram.waitUntilFinished()
        results.append(histogram.getDataObject().getG2())
    edges = histogram.getBinEdges().astype(float)
    return np.sqrt(edges[:-1] * edges[1:]), np.array(results)


def fit_diffusion(lags, g2):
    """Molecules, diffusion time (ps) and offset that leave the least squares; the offset is 1 in a run without end.

    All bins have the same weight: the noise is that of the molecules, which goes through all lags, and not that of
    counted pairs.
    """
    low, high = lags[0], lags[-1]
    for _ in range(4):  # times a finer grid of diffusion times
        grid = np.geomspace(low, high, 40)
        results = [amplitude_and_offset(lags, g2, diffusion) for diffusion in grid]
        best = int(np.argmin([squares for squares, _ in results]))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    amplitude, offset = results[best][1]
    return 1 / amplitude, grid[best], offset


def amplitude_and_offset(lags, g2, diffusion):
    """What is left of the squares for a diffusion time, and with which amplitude and offset."""
    shape = np.stack([1 / (1 + lags / diffusion), np.ones(len(lags))], axis=1)
    (amplitude, offset), *_ = np.linalg.lstsq(shape, g2, rcond=None)
    return np.sum((g2 - shape @ (amplitude, offset)) ** 2), (amplitude, offset)


def summarise(fits):
    """Means of the runs and their standard errors; what one run leaves open, only others can tell."""
    return np.mean(fits, axis=0), np.std(fits, axis=0, ddof=1) / np.sqrt(len(fits))


def plot(lags, runs, mean, error, path):
    """Save the correlation with its fit."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    scatter = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
    axes.errorbar(lags / 1e6, runs.mean(axis=0), scatter, fmt=".", color="tab:blue", label=f"mean of {len(runs)} runs")
    fit = mean[2] + 1 / mean[0] / (1 + lags / mean[1])
    label = f"N = {mean[0]:.2f} ± {error[0]:.2f}, $τ_D$ = {mean[1] / 1e6:.0f} ± {error[1] / 1e6:.0f} µs"
    axes.semilogx(lags / 1e6, fit, color="tab:red", label=label, zorder=3)
    axes.axvline(mean[1] / 1e6, color="0.5", linestyle="--", linewidth=1)
    axes.text(mean[1] / 1e6 * 1.1, fit[0], "$τ_D$", color="0.3", va="top")
    axes.axhline(1, color="0.5", linewidth=0.8)
    axes.set(
        xlabel="Lag τ (µs)", ylabel="$g^{(2)}(τ)$", title="Molecules that diffuse through a focus", xlim=(1, 10**4.5)
    )
    axes.legend()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
