"""Enums of the API, with the vendor's names and values."""

from __future__ import annotations

from enum import IntEnum, IntFlag


class AccessMode(IntFlag):
    """What clients of a tag stream may do, and whether they are served in step."""

    Listen = 0
    SynchronousListen = 1
    Control = 2
    SynchronousControl = 3


class ChannelEdge(IntFlag):
    """Selects channels by edge and by resolution."""

    All = 0
    Rising = 1
    Falling = 2
    HighResAll = 4
    HighResRising = 5
    HighResFalling = 6
    StandardAll = 8
    StandardRising = 9
    StandardFalling = 10


class CoincidenceTimestamp(IntEnum):
    """Which time a coincidence gets from the tags that make it."""

    Last = 0
    Average = 1
    First = 2
    ListedFirst = 3


class FpgaLinkInterface(IntEnum):
    """Connector of the FPGA link."""

    SFPP_10GE = 0
    QSFPP_40GE = 1


class FrontendType(IntEnum):
    """Program that uses the library."""

    Undefined = 0
    WebApp = 1
    Firefly = 2
    Pyro5RPC = 3
    UserFrontend = 4


class GatedChannelInitial(IntEnum):
    """State of a gate before the first gate tag, and after an overflow."""

    Closed = 0
    Open = 1


class LanguageUsed(IntEnum):
    """Language from which the library is called."""

    Cpp = 0
    Python = 1
    Csharp = 2
    Matlab = 3
    Labview = 4
    Mathematica = 5
    Unknown = 255


class Resolution(IntEnum):
    """How inputs are combined for better timing at the cost of channels."""

    Standard = 0
    HighResA = 1
    HighResB = 2
    HighResC = 3


class TestSignalSource(IntEnum):
    """Generator of the test signal."""

    __test__ = False

    Digital = 0
    Analog = 1


class UsageStatisticsStatus(IntEnum):
    """Whether usage statistics are collected; always disabled here."""

    Disabled = 0
    Collecting = 1
    CollectingAndUploading = 2
