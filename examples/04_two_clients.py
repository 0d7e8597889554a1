"""Two programs share one Time Tagger: one looks after the instrument, the other measures, and both come and go.

Start a server first, on the computer that the Time Tagger is connected to: `tagwire serve`
"""

import argparse

import tagwire


def main() -> None:
    """Play both programs in turn; in the laboratory, they would run on two computers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="localhost", help="computer that serves the Time Tagger")
    parser.add_argument("--port", default=23000, type=int)
    args = parser.parse_args()

    # Each call of connect makes an independent client, as another computer would be.
    laboratory = tagwire.connect(args.host, args.port)
    office = tagwire.connect(args.host, args.port)

    # Both open the same instrument: the second one joins, it does not take it away.
    instrument = laboratory.createTimeTagger()
    shared = office.createTimeTagger(instrument.getSerial())
    print(f"Both clients hold {shared.getSerial()}")

    # What one client sets is there for the other.
    instrument.setTestSignal([1, 2], True)
    instrument.setInputDelay(2, 5000)
    print(f"The laboratory set a delay on channel 2; the office reads {shared.getInputDelay(2)} ps")

    # While one has control, the other may read and measure, but change nothing.
    with laboratory.control(instrument):
        try:
            shared.setInputDelay(2, 0)
        except tagwire.errors.NotAllowed as error:
            print(f"Refused: {str(error).partition(' until')[0]}")
    for change in office.session.history(shared):
        print(f"  {change}")

    correlation = office.Correlation(shared, 1, 2, binwidth=100, n_bins=200)
    correlation.startFor(5e11)

    # The laboratory leaves while the office measures: its own tagger object ends, the instrument goes on.
    laboratory.freeTimeTagger(instrument)
    correlation.waitUntilFinished()
    counts = correlation.getData()
    peak = correlation.getIndex()[counts.argmax()]
    print(f"The office measured on: {counts.sum()} pairs, peak at {peak} ps")

    office.freeTimeTagger(shared)
    print("Now that the last client has left, the instrument is free")


if __name__ == "__main__":
    main()
