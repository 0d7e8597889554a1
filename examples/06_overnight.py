"""Start a measurement in the evening, close the laptop, collect the data in the morning: run this twice.

Start a server first, on the computer that the Time Tagger is connected to: `tagwire serve`
"""

import argparse

import tagwire


def main() -> None:
    """Start what is not running, else collect it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="localhost", help="computer that serves the Time Tagger")
    parser.add_argument("--port", default=23000, type=int)
    parser.add_argument("--session", default="overnight", help="name under which the server keeps the measurement")
    args = parser.parse_args()

    with tagwire.connect(args.host, args.port, session=args.session) as TimeTagger:
        running = TimeTagger.session.measurements
        if running:
            collect(TimeTagger, running)
        else:
            start(TimeTagger)


def start(TimeTagger):
    """In the evening: start a measurement, and look at it until the first pairs have come."""
    tagger = TimeTagger.createTimeTagger()
    tagger.setTestSignal([1, 2], True)
    correlation = TimeTagger.Correlation(tagger, 1, 2, binwidth=10, n_bins=1000)
    for histogram in correlation.on_update(0.2):  # sent by the server when there is something new
        print(f"{histogram.sum()} pairs so far")
        if histogram.any():
            break
    print("It goes on without this program; run it again to collect the data")


def collect(TimeTagger, running):
    """In the morning: what was running, since when, and with which settings."""
    session = TimeTagger.session
    for measurement in running:
        made = session.about(measurement)
        seconds = measurement.getCaptureDuration() / 1e12
        print(f"{made.class_name} since {made.since:%H:%M:%S}: {measurement.getData().sum()} pairs in {seconds:.1f} s")
    for tagger in session.taggers:
        print("Settings:", *session.history(tagger), sep="\n  ")
    session.end()  # frees everything; without it, the measurement would go on
    print("The session has ended, the instrument is free")


if __name__ == "__main__":
    main()
