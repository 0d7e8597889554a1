"""Count photon pairs between two laboratories, each with a Time Tagger and a clock of its own.

A source of photon pairs sends the signal photon to one laboratory and the idler photon to the other. Both have the same
10 MHz and one pulse per second (1PPS), by which each Time Tagger brings its time stamps to a common time base
(`setReferenceClock`), and serve their streams. A computer anywhere merges them (`createTimeTaggerNetwork` with two
addresses): channel 1 of the first laboratory is 1001 there, that of the second is 2001, and any measurement works
across both.

Without `--servers` both laboratories are simulated here, and their clocks drift by 8 µs each second against each other.
"""

import argparse
from contextlib import ExitStack

import numpy as np
from matplotlib.figure import Figure

from fitting import fit_counts
from tagwire import TimeTagger
from tagwire.network.offsets import offset_from_pulses

PHOTONS, CLOCK, PULSE = 1, 8, 7  # channels in each laboratory: detector, clock signal, pulse per second
CLOCK_HZ = 1e6  # 10 MHz do as well, but are more work to simulate
SIGNAL, IDLER = 1001, 2001  # the detectors in the merged stream
BINWIDTH_PS, BINS = 20, 401
SEARCH_PS, SEARCH_BINS = 200, 1001

# What is simulated.
SERIALS = "SIMULTRA-0001", "SIMX-0001"
PORTS = 41101, 41102
CLOCK_ERRORS = 5e-6, -3e-6
RANDOM_WALK_PS = 20.0
PAIRS_HZ, EFFICIENCY, JITTER_PS, IDLER_DELAY_PS = 400e3, 0.3, 50.0, 7_300
INPUT_JITTERS_PS = 9.0, 2.0  # of a Time Tagger Ultra and an X


def main(arguments=None) -> None:
    """Connect both laboratories, measure, say what was found and plot it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--servers", nargs=2, metavar="HOST:PORT", help="two servers whose Time Taggers are set up")
    parser.add_argument("--seconds", default=3.0, type=float, help="duration of the measurement")
    parser.add_argument("--output", default="two_laboratories.png")
    args = parser.parse_args(arguments)

    with ExitStack() as stack:
        if args.servers is None:
            laboratories = [stack.enter_context(open_laboratory(place)) for place in range(2)]
            report_drift(laboratories)
            addresses = [serve(tagger, port) for tagger, port in zip(laboratories, PORTS, strict=True)]
        else:
            addresses = args.servers
        client = stack.enter_context(TimeTagger.createTimeTaggerNetwork(addresses))
        # Lose nothing, even where a simulated laboratory is slower than real time for a moment.
        client.setServerPatience(-1)
        delays, pairs = measure(client, args.seconds)
        for address, clock in client.getClockOffsets().items():
            print(f"Clock of {address}: {clock['offset']:.0f} ± {clock['offset_error']:.0f} ps from that of the first")
    (delay, width, _, level), errors = fit_peak(delays, pairs)
    print(f"The idler comes {delay:.1f} ± {errors[0]:.1f} ps after the signal")
    print(f"Rms width of the peak: {width:.1f} ± {errors[1]:.1f} ps")
    print(f"Pairs: {pairs.sum() - level * len(pairs):.0f} above {level:.2f} accidental ones in each bin")
    if args.servers is None:
        true_width = np.sqrt(2 * JITTER_PS**2 + sum(j**2 for j in INPUT_JITTERS_PS))
        print(
            f"Simulated are a delay of {IDLER_DELAY_PS} ps and a width of {true_width:.1f} ps. The pulse that aligned"
        )
        print("the clocks had the jitter of its inputs, which shifts the whole peak by about ten ps.")
    plot(delays, pairs, peak(np.array([delay, width, _, level]), delays), args.output)
    print(f"Saved {args.output}")


def open_laboratory(place):
    """A simulated Time Tagger with a clock of its own, one arm of the pairs, and the signals that both share."""
    tagger = TimeTagger.createTimeTagger(SERIALS[place])
    tagger.simulateClock(CLOCK_ERRORS[place], RANDOM_WALK_PS, seed=place)
    tagger.simulateReference(CLOCK, PULSE, CLOCK_HZ)
    tagger.simulateSharedPairs(
        PHOTONS,
        ("signal", "idler")[place],
        seed=1,
        pair_rate=PAIRS_HZ,
        signal_efficiency=EFFICIENCY,
        idler_efficiency=EFFICIENCY,
        timing_jitter=JITTER_PS,
        idler_delay=IDLER_DELAY_PS,
    )
    return tagger


def report_drift(laboratories):
    """Say how far apart the clocks run by themselves, from the pulses per second."""
    streams = [TimeTagger.TimeTagStream(tagger, 1000, [PULSE]) for tagger in laboratories]
    for stream in streams:
        stream.startFor(int(4.2e12))
    for stream in streams:
        stream.waitUntilFinished()
    pulses = [stream.getData().getTimestamps() for stream in streams]
    clock = offset_from_pulses(*(times - times[0] for times in pulses))
    print(f"Left alone, the second clock gains {1e6 * clock.drift:.3f} µs on the first one each second")


def serve(tagger, port):
    """Put the stream on the common time base, and serve it; gives the address."""
    tagger.setReferenceClock(CLOCK, CLOCK_HZ, synchronization_channel=PULSE)
    tagger.startServer(TimeTagger.AccessMode.Listen, port=port)
    return f"localhost:{port}"


def measure(client, seconds):
    """Delays (ps) and pairs of the correlation around its peak, which is looked for first."""
    search = TimeTagger.Correlation(client, IDLER, SIGNAL, SEARCH_PS, SEARCH_BINS)
    search.startFor(int(3e11))
    search.waitUntilFinished()
    if not search.getData().any():
        raise SystemExit(f"No pairs of clicks on channels {SIGNAL} and {IDLER}: is there light?")
    middle = int(search.getIndex()[search.getData().argmax()])
    client.setDelayClient(IDLER, -middle)
    correlation = TimeTagger.Correlation(client, IDLER, SIGNAL, BINWIDTH_PS, BINS)
    correlation.startFor(int(seconds * 1e12))
    correlation.waitUntilFinished()
    return correlation.getIndex() + middle, correlation.getData()


def peak(parameters, delays):
    """Expected pairs in each bin: a Gaussian of `area` pairs, above a level."""
    middle, width, area, level = parameters
    shape = np.exp(-((delays - middle) ** 2) / (2 * width**2)) / (np.sqrt(2 * np.pi) * width)
    return area * BINWIDTH_PS * shape + level


def fit_peak(delays, pairs):
    """Middle and rms width (ps), area and level of the peak, and their errors."""
    middle = float(delays[pairs.argmax()])
    start = [middle, 70.0, float(pairs.sum()), max(0.1, float(np.median(pairs)))]
    return fit_counts(lambda p: peak(p, delays), pairs, start)


def plot(delays, pairs, fitted, path):
    """Save the correlation between the laboratories."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(delays / 1e3, pairs, step="mid", color="tab:blue", linewidth=0, label="pairs of clicks")
    axes.plot(delays / 1e3, fitted, color="tab:orange", label="Gaussian and accidentals, fitted")
    axes.set_yscale("symlog", linthresh=10)
    axes.set(
        xlabel="Idler in laboratory B after signal in laboratory A (ns)",
        ylabel=f"Pairs per {BINWIDTH_PS} ps",
        title="Photon pairs between two laboratories with clocks of their own",
        xlim=(delays[0] / 1e3, delays[-1] / 1e3),
        ylim=(0, pairs.max() * 3),
    )
    axes.legend()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
