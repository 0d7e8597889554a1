"""Watch the count rates of a Time Tagger on another computer in a plot that moves.

Start a server first, on the computer that the Time Tagger is connected to: `tagwire serve`
"""

import argparse

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.animation import FuncAnimation

import tagwire


def main() -> None:
    """Show the last seconds of two channels until the window is closed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="localhost", help="computer that serves the Time Tagger")
    parser.add_argument("--port", default=23000, type=int)
    parser.add_argument("--channels", default=[1, 2], type=int, nargs="+")
    parser.add_argument("--frames", type=int, help="draw so many pictures, without a window, and save the last one")
    parser.add_argument("--output", default="live_plot.png", help="where --frames saves its last picture")
    args = parser.parse_args()
    if args.frames:
        plt.switch_backend("Agg")

    TimeTagger = tagwire.connect(args.host, args.port)
    with TimeTagger.createTimeTagger() as tagger:
        switch_on(tagger, args.channels)
        counter = TimeTagger.Counter(tagger, args.channels, binwidth=20e9, n_values=250)
        figure, update = prepare(counter, args.channels)
        if args.frames:
            for frame in range(args.frames):
                tagger.sync()
                update(frame)
                figure.canvas.draw()
            figure.savefig(args.output)
            print(f"Saved {args.output}")
        else:
            animation = FuncAnimation(figure, update, interval=50, cache_frame_data=False)
            plt.show()
            del animation


def switch_on(tagger, channels):
    """Give the channels something to count."""
    if hasattr(tagger, "simulatePoisson"):  # a simulated Time Tagger: light of another rate on each channel
        for number, channel in enumerate(channels, start=1):
            tagger.simulatePoisson([channel], 50e3 * number)
    else:
        tagger.setTestSignal(channels, True)


def prepare(counter, channels):
    """A figure with one line per channel, and the function that brings it up to date."""
    figure, axes = plt.subplots(figsize=(9, 4), layout="constrained")
    seconds = counter.getIndex() / 1e12
    seconds = seconds - seconds[-1]
    lines = [axes.plot(seconds, [0.0] * len(seconds), label=f"channel {c}")[0] for c in channels]
    axes.set(xlabel="Time (s), 0 is now", ylabel="Count rate (kcounts/s)", title="Count rates, live")
    axes.set_xlim(seconds[0], 0)
    axes.legend(loc="lower left")

    def update(_frame):
        rates = counter.getDataNormalized() / 1e3  # NaN where the counter has not been running yet
        for line, rate in zip(lines, rates, strict=True):
            line.set_ydata(rate)
        axes.set_ylim(0, 1.15 * np.nan_to_num(rates).max() or 1)
        return lines

    return figure, update


if __name__ == "__main__":
    main()
