"""Facts about the vendor's API that its module does not say of itself.

Only for signatures that its strings leave open; everything else is read. Each row was found by calling the library.
"""

from __future__ import annotations

UNTYPED_PARAMS = {
    "tagger": "object:TimeTaggerBase",
    "time_tagger": "object:TimeTaggerBase",
    "ts": "int",
    "ch": "int",
    "type": "int",
    "reserved": "str",
    "missed_events": "int",
    "filter_channel": "int",
    "filter_channels": "int[]",
    "trigger_channels": "int[]",
    "decay_time": "float",
    "decay_times": "float[]",
    "countrate": "float",
    "output_channel": "int",
    "seed": "int",
    "callback": "callback",
}
"""Types of parameters that are documented by a bare signature line, by name."""

ENUM_PARAMS = {
    ("ChannelGate", "initial"): "GatedChannelInitial",
    ("getChannelList", "type"): "ChannelEdge",
    ("setFrontend", "frontend"): "FrontendType",
    ("setLanguageInfo", "language"): "LanguageUsed",
}
"""Enums of parameters that are documented as mere integers, by function (or class, for a constructor) and name."""

SAME_AS = {
    "TimeTaggerVirtual.setTestSignal": "TimeTaggerHardware.setTestSignal",
}
"""Methods whose parameters are documented only at another class."""
