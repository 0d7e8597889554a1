"""Take a confocal image: a piezo stage moves the sample through the focus, and a Time Tagger counts the photons.

Stage and Time Tagger are at another computer and come through one connection. There (or here, in another terminal) runs

    tagwire serve --simulate ultra --also examples/piezo.py:stage

Each pixel begins and ends with a marker in the stream of tags, so the photons of a pixel are those between its markers,
however long the way to the stage takes.
"""

import argparse

import numpy as np
from matplotlib.figure import Figure

import tagwire

DETECTOR = 1  # channel
DWELL_PS = 20_000_000_000  # on each pixel, at least


def main(arguments=None) -> None:
    """Scan, plot, and go to the brightest place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--remote", default="localhost", metavar="HOST[:PORT]", help="where the server runs")
    parser.add_argument("--pixels", default=24, type=int, help="pixels in each direction")
    parser.add_argument("--output", default="confocal.png")
    args = parser.parse_args(arguments)

    host, _, port = args.remote.partition(":")
    with tagwire.connect(host, int(port or 23000)) as lab:
        if not hasattr(lab, "stage"):
            raise SystemExit("This server has no stage; start it with --also examples/piezo.py:stage")
        with lab.createTimeTagger() as tagger:
            lab.stage.illuminate(tagger, DETECTOR)
            places = np.linspace(0, lab.stage.RANGE_UM, args.pixels)
            rates, errors = scan(lab, tagger, places)
            row, column = np.unravel_index(rates.argmax(), rates.shape)
            lab.stage.move_to(places[column], places[row])
            print(f"Brightest at x = {lab.stage.x:.2f} µm, y = {lab.stage.y:.2f} µm, where the stage is now:")
            print(f"  {rates.max() / 1e3:.1f} ± {errors[row, column] / 1e3:.1f} thousand photons per second")
    plot(places, rates, args.output)
    print(f"Saved {args.output}")


def scan(lab, tagger, places):
    """Photons per second and their standard error, at every place in y (rows) and x (columns)."""
    # Of tags at the same time, those of the older channel come first: a pixel ends before the next one begins.
    end, begin = lab.SyntheticSingleTag(tagger), lab.SyntheticSingleTag(tagger)
    size = len(places)
    counts = lab.CountBetweenMarkers(
        tagger,
        click_channel=DETECTOR,
        begin_channel=begin.getChannel(),
        end_channel=end.getChannel(),
        n_values=size**2,
    )
    dwell = lab.Countrate(tagger, [DETECTOR])
    for row in range(size):
        # Back and forth, so that the stage never jumps.
        for x in places if row % 2 == 0 else places[::-1]:
            lab.stage.move_to(x, places[row])
            begin.trigger()
            wait(dwell)
            end.trigger()
        print(f"\rline {row + 1} of {size}", end="", flush=True)
    print()
    wait(dwell)  # for the last marker
    if not counts.ready():
        raise SystemExit("Some pixels are missing: did somebody else stop the measurement?")
    seconds = counts.getBinWidths() / 1e12
    photons = counts.getData()
    return in_lines(photons / seconds, size), in_lines(np.sqrt(photons) / seconds, size)


def wait(measurement):
    """Let the time of a pixel pass, by the clock of the Time Tagger."""
    measurement.startFor(DWELL_PS)
    measurement.waitUntilFinished()


def in_lines(values, size):
    """Values in the order of the scan as an image; every other line was taken backwards."""
    image = values.reshape(size, size).copy()
    image[1::2] = image[1::2, ::-1]
    return image


def plot(places, rates, path):
    """Save the image, and the line through its brightest pixel."""
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    image, line = figure.subplots(1, 2)
    half = (places[1] - places[0]) / 2
    edges = (places[0] - half, places[-1] + half)
    shown = image.imshow(rates / 1e3, cmap="inferno", origin="lower", extent=(*edges, *edges))
    figure.colorbar(shown, ax=image, label="Photons per second (10³)")
    row, column = np.unravel_index(rates.argmax(), rates.shape)
    image.axhline(places[row], color="white", linewidth=0.6, linestyle=":")
    image.plot(places[column], places[row], "+", color="cyan")
    image.set(title="Confocal image", xlabel="x (µm)", ylabel="y (µm)")
    line.plot(places, rates[row] / 1e3, "o-", markersize=3)
    line.set(title=f"y = {places[row]:.2f} µm", xlabel="x (µm)", ylabel="Photons per second (10³)")
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
