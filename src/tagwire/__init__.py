"""Remote time tagging: one Time Tagger API, served over the network, with a simulated instrument built in."""

__version__ = "0.1.0"
