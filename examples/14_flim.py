"""Take an image of fluorescence lifetimes (FLIM): a laser scans over two cells, whose nuclei decay faster.

Photons are sorted by the pixel under the laser beam and by their time after the laser pulse. The scanner says with
markers where the beam is: one for each pixel's begin, one for its end, and one for each frame. Sample and scanner are
simulated; with `--remote` the example runs on the Time Tagger of another computer, where `tagwire serve` runs.
"""

import argparse

import numpy as np
from matplotlib.figure import Figure

import tagwire

CELL, NUCLEUS, LASER = 1, 2, 3  # channels: the photons of either dye, laser pulses
PERIOD_PS = 25_000  # of the laser: 40 MHz
BINWIDTH_PS = 100
DETECTED_HZ = 500e3  # photons of a dye while the beam is on it
LIFETIMES_PS = {CELL: 2600, NUCLEUS: 1200}
ARRIVAL_PS = 3000  # of the laser pulse at the sample: cables and light path

WIDTH, HEIGHT = 48, 32  # pixels
DWELL_PS = 10_000_000  # on each pixel
LINE_PS = (WIDTH + 6) * DWELL_PS  # with the way back to the next line
FRAME_PS = HEIGHT * LINE_PS


def main(arguments=None) -> None:
    """Scan, find the lifetimes and plot the images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--remote", metavar="HOST[:PORT]", help="measure there instead of on this computer")
    parser.add_argument("--frames", default=25, type=int, help="number of frames to add up")
    parser.add_argument("--output", default="flim.png")
    args = parser.parse_args(arguments)

    host, _, port = (args.remote or "").partition(":")
    TimeTagger = tagwire.connect(host, int(port or 23000)) if host else tagwire.TimeTagger

    with TimeTagger.createTimeTagger() as tagger:
        shine(TimeTagger, tagger)
        microscope = Microscope(TimeTagger, tagger)
        times, histograms, rates = measure(TimeTagger, tagger, microscope, args.frames)
    if not histograms.any():
        raise SystemExit("No photons in the image: is there any light?")
    report(times, histograms)
    plot(times, histograms, rates, args.output)
    print(f"Saved {args.output}")


def shine(TimeTagger, tagger):
    """Excite both dyes with the same laser; where they are in the sample comes later."""
    if not hasattr(tagger, "simulateFluorescence"):
        raise SystemExit("This example scans a simulated sample, so it needs a simulated Time Tagger")
    for dye, lifetime in LIFETIMES_PS.items():
        tagger.simulateFluorescence(
            [dye],
            rate=DETECTED_HZ,
            repetition_rate=1e12 / PERIOD_PS,
            lifetimes=[lifetime],
            delay=ARRIVAL_PS,
            sync_channel=LASER if dye == CELL else TimeTagger.CHANNEL_UNUSED,
        )
    # Of 40 million laser pulses per second only the first one after each photon leaves the Time Tagger.
    tagger.setConditionalFilter(trigger=[CELL, NUCLEUS], filtered=[LASER])


def sample():
    """Where each dye is: an image of 0 and 1 for each channel."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    cells = (np.hypot(x - 14, y - 15) < 11) | (np.hypot(x - 35, y - 17) < 9)
    nuclei = (np.hypot(x - 12, y - 14) < 4) | (np.hypot(x - 36, y - 18) < 4)
    return {CELL: cells & ~nuclei, NUCLEUS: nuclei}


class Microscope:
    """The signals of the scanner, and the photons of the sample under its beam, as virtual channels."""

    def __init__(self, TimeTagger, tagger):
        clock = TimeTagger.Experimental.PatternSignalGenerator(tagger, [FRAME_PS])
        self.parts = [clock]  # a virtual channel exists as long as something refers to it
        self.frame = clock.getChannel()

        def at(pixels):
            """Channel with a tag whenever the beam comes to one of the pixels in a frame."""
            lines, columns = np.divmod(pixels, WIDTH + 1)
            times = lines * LINE_PS + columns * DWELL_PS
            return self.add(TimeTagger.EventGenerator(tagger, self.frame, times.tolist()))

        everywhere = np.ones((HEIGHT, WIDTH), bool)
        self.pixel_begin, self.pixel_end = (at(pixels) for pixels in steps(everywhere, single=True))
        seen = []
        for dye, image in sample().items():
            enter, leave = (at(pixels) for pixels in steps(image))
            seen.append(self.add(TimeTagger.GatedChannel(tagger, dye, enter, leave)))
        self.photons = self.add(TimeTagger.Combiner(tagger, seen))

    def add(self, part):
        """Keep a virtual channel; gives its number."""
        self.parts.append(part)
        return part.getChannel()


def steps(image, single=False):
    """Where the beam enters and where it leaves an area, or each pixel of it; columns count up to the right edge."""
    padded = np.pad(image, ((0, 0), (0, 1))).ravel()
    before, after = np.roll(padded, 1), np.roll(padded, -1)
    enter, last = (padded, padded) if single else (padded & ~before, padded & ~after)
    return np.flatnonzero(enter), np.flatnonzero(last) + 1


def measure(TimeTagger, tagger, microscope, frames):
    """Times after the laser pulse (middle of each bin, ps), histograms of all pixels, and photons per second."""
    tagger.sync()
    # The photon starts the clock and the next laser pulse stops it; the times are turned round afterwards.
    image = TimeTagger.Flim(
        tagger,
        start_channel=microscope.photons,
        click_channel=LASER,
        pixel_begin_channel=microscope.pixel_begin,
        n_pixels=WIDTH * HEIGHT,
        n_bins=PERIOD_PS // BINWIDTH_PS,
        binwidth=BINWIDTH_PS,
        pixel_end_channel=microscope.pixel_end,
        frame_begin_channel=microscope.frame,
        finish_after_outputframe=1,
        n_frame_average=frames,
    )
    image.waitUntilFinished()
    frame = image.getReadyFrameEx()
    times = PERIOD_PS - (image.getIndex() + BINWIDTH_PS / 2)
    histograms = np.asarray(frame.getHistograms())
    rates = np.asarray(frame.getIntensities())
    return times[::-1], histograms[::-1].reshape(-1, HEIGHT, WIDTH), rates.reshape(HEIGHT, WIDTH)


def lifetimes(times, histograms):
    """Mean time from excitation to photon in ps, which is the lifetime of a single decay; NaN without photons."""
    # Jitter sets some photons before the pulse, so the decay is looked at from one nanosecond before it on.
    delays = (times - ARRIVAL_PS + 1000) % PERIOD_PS - 1000
    photons = histograms.sum(axis=0)
    return np.tensordot(delays, histograms, 1) / np.where(photons > 0, photons, np.nan)


def report(times, histograms):
    """Say what was found."""
    for dye, name in ((CELL, "cells"), (NUCLEUS, "nuclei")):
        decay = histograms[:, sample()[dye]].sum(axis=1)
        lifetime, photons = float(lifetimes(times, decay)), decay.sum()
        print(f"Lifetime in the {name}: {lifetime:.0f} ± {lifetime / photons**0.5:.0f} ps, from {photons} photons")
        print(f"  (simulated: {LIFETIMES_PS[dye]} ps)")
    outside = histograms[:, ~np.logical_or(*sample().values())].sum()
    print(f"{outside} photons beside the cells")


def plot(times, histograms, rates, path):
    """Save intensity, lifetime, and the decays of both dyes."""
    figure = Figure(figsize=(13, 3.6), layout="constrained")
    intensity, lifetime, decay = figure.subplots(1, 3)
    shown = intensity.imshow(rates / 1e3, cmap="gray")
    figure.colorbar(shown, ax=intensity, label="Photons per second (10³)")
    # Pixels with hardly any photons have no lifetime worth a colour.
    bright = np.where(histograms.sum(axis=0) >= 20, lifetimes(times, histograms), np.nan)
    shown = lifetime.imshow(bright / 1e3, cmap="turbo", vmin=0.8, vmax=3.2)
    figure.colorbar(shown, ax=lifetime, label="Lifetime (ns)")
    for axes, title in ((intensity, "Intensity"), (lifetime, "Lifetime")):
        axes.set(title=title, xlabel="x (pixel)", ylabel="y (pixel)")
    for dye, name in ((CELL, "cells"), (NUCLEUS, "nuclei")):
        counts = histograms[:, sample()[dye]].sum(axis=1)
        decay.semilogy(times / 1e3, np.maximum(counts, 0.5), label=name)
    decay.set(title="Decay", xlabel="Time after the laser pulse (ns)", ylabel=f"Photons per {BINWIDTH_PS} ps")
    decay.legend()
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
