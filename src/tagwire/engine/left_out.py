"""What the vendor's API has and our engine leaves out, with reasons: the only such table."""

from __future__ import annotations

_LICENCE = "licences belong to the vendor's hardware"
_WIRE = "a second data connection that only the real instrument has"
_CALIBRATION = "calibrates the converter of the real instrument; a simulated one has nothing to calibrate"
_OUTPUT = "drives an output of the real instrument"
_WIRING = "switches wires within the real instrument; choose the light of a simulated input instead"

LEFT_OUT: dict[str, str] = {
    "extractDeviceLicense": _LICENCE,
    "fetchDeviceLicenseUpdate": _LICENCE,
    "addUsageStatisticsFrontendData": "no usage statistics are collected",
    "getCompilationTimestamp": "there is no compiled program whose age it would tell",
    "getCompilerVersion": "there is no compiled program; kernels are compiled on the spot",
    "autoCalibration": _CALIBRATION,
    "getDistributionCount": _CALIBRATION,
    "getDistributionPSecs": _CALIBRATION,
    "enableFpgaLink": _WIRE,
    "disableFpgaLink": _WIRE,
    "xtra_enableStreamInterfaceUDP": _WIRE,
    "xtra_disableStreamInterfaceUDP": _WIRE,
    "xtra_setAuxOut": _OUTPUT,
    "xtra_getAuxOut": _OUTPUT,
    "xtra_setAuxOutSignal": _OUTPUT,
    "xtra_getAuxOutSignalFrequency": _OUTPUT,
    "setInputMux": _WIRING,
    "getInputMux": _WIRING,
    "xtra_setAvgRisingFalling": _WIRING,
    "xtra_getAvgRisingFalling": _WIRING,
}
"""Names of functions, classes and methods of taggers, and why they are not here."""


def missing(owner: str, name: str) -> str:
    """Message of the AttributeError for something that `owner` does not have."""
    why = LEFT_OUT.get(name)
    if why is None:
        return f"{owner} has no attribute {name!r}"
    return (
        f"{owner} has no attribute {name!r}: {why}. The vendor's library has it where it is installed "
        "(tagwire serve --backend vendor)"
    )
