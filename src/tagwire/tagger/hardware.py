"""The settings of an instrument, as the vendor's library has them."""

from __future__ import annotations

from tagwire.tagger.blocks import BlockSettings
from tagwire.tagger.identity import Identity
from tagwire.tagger.inputs import InputSettings
from tagwire.tagger.panel import PanelSettings
from tagwire.tagger.test_signal import TestSignalSettings


class TimeTaggerHardware(Identity, InputSettings, TestSignalSettings, BlockSettings, PanelSettings):
    """Settings that only an instrument has, simulated ones included.

    Every setter checks its arguments against the ranges of the model and changes nothing when they do not fit.
    """

    def __init__(self) -> None:
        raise AttributeError("No constructor defined - class is abstract")
