"""Writes small PTU files byte by byte, by PicoQuant's public description of the format."""

from __future__ import annotations

import struct
from pathlib import Path

HYDRAHARP_T2, HYDRAHARP_T3 = 0x01010204, 0x01010304
PICOHARP_T2, PICOHARP_T3 = 0x00010203, 0x00010303
INT, FLOAT, EMPTY = 0x10000008, 0x20000008, 0xFFFF0008


def write(path: Path, kind: int, records: list[int], resolution: float, bins: float = 0.0, **more: int) -> Path:
    """A file with `records`; `more` are further header tags, whole numbers."""
    t3 = kind in (HYDRAHARP_T3, PICOHARP_T3)
    tags = {
        "Measurement_Mode": 3 if t3 else 2,
        "Measurement_SubMode": 0,
        "TTResultFormat_TTTRRecType": kind,
        "TTResultFormat_BitsPerRecord": 32,
        "MeasDesc_GlobalResolution": resolution,
        "MeasDesc_Resolution": bins,
        "TTResult_NumberOfRecords": len(records),
    } | more
    header = b"PQTTTR\0\0" + b"1.0.00\0\0"
    for name, value in tags.items():
        form, packed = (
            (FLOAT, struct.pack("<d", value)) if isinstance(value, float) else (INT, struct.pack("<q", value))
        )
        header += struct.pack("<32siI", name.encode(), -1, form) + packed
    header += struct.pack("<32siIq", b"Header_End", -1, EMPTY, 0)
    path.write_bytes(header + struct.pack(f"<{len(records)}I", *records))
    return path


def t2(channel: int, count: int) -> int:
    """A photon of a HydraHarp in T2."""
    return channel << 25 | count


def t2_special(code: int, count: int) -> int:
    """Code 0: sync, 1 to 15: markers, 63: that many overflows of 2**25."""
    return 1 << 31 | code << 25 | count


def t3(channel: int, bins: int, sync: int) -> int:
    """A photon of a HydraHarp in T3."""
    return channel << 25 | bins << 10 | sync


def t3_special(code: int, sync: int) -> int:
    """Code 1 to 15: markers, 63: that many overflows of 2**10."""
    return 1 << 31 | code << 25 | sync


def picoharp_t2(channel: int, count: int) -> int:
    """A record of a PicoHarp 300 in T2; channel 15 is special: lowest 4 bits 0 for an overflow, else markers."""
    return channel << 28 | count


def picoharp_t3(channel: int, bins: int, sync: int) -> int:
    """A record of a PicoHarp 300 in T3; channel 15 is special: bins 0 for an overflow, else markers."""
    return channel << 28 | bins << 16 | sync
