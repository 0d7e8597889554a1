"""An independent reader of packed frames: plain Python, one number at a time, written from the specification."""

from __future__ import annotations

import struct

Row = tuple[int, int, int, int]
WORD = 2**64


def read_frame(frame: bytes) -> tuple[int, int, list[Row]]:
    """Begin and end of the span in ps, and the tags as rows of time, channel, type, missed events."""
    magic, n, begin, length, d, s, series, merged = struct.unpack_from("<4sIqQIIII", frame)
    assert magic == b"TWF1"
    assert merged in (0, 1)
    assert int.from_bytes(frame[-8:], "little") == xxh64(frame[:-8])
    place = 40
    names, place = numbers(frame, place, d, "i")
    special, place = numbers(frame, place, s, "Q")
    firsts, place = numbers(frame, place, series, "q")
    counts, place = numbers(frame, place, series, "I")
    groups = sum(-(-count // 256) for count in counts)
    widths, place = numbers(frame, place, groups, "B")
    bases, place = numbers(frame, place, groups, "I")
    codes: list[int] = []
    if not merged:
        codes, place = read_codes(frame, place, n, max(d - 1, 0).bit_length())
    times: list[list[int]] = []
    for first, count in zip(firsts, counts, strict=True):
        now, found = first, []
        for begin_of_group in range(0, count, 256):
            width, base = widths.pop(0), bases.pop(0)
            values, place = read_group(frame, place, min(256, count - begin_of_group), width)
            for value in values:
                now += base + value if found else value
                found.append(now)
        times.append(found)
    assert place == len(frame) - 8
    if merged:
        codes = [code for _, code in sorted((time, code) for code, found in enumerate(times) for time in found)]
    kinds = {word % 2**32: (word >> 32 & 255, word >> 48) for word in special}
    rows = []
    for i, code in enumerate(codes):
        time = times[code if series > 1 else 0].pop(0)
        rows.append((time, names[code], *kinds.get(i, (0, 0))))
    return begin, begin + length, rows


def numbers(frame: bytes, place: int, count: int, kind: str) -> tuple[list[int], int]:
    """A section, and where the next one begins."""
    form = f"<{count}{kind}"
    size = struct.calcsize(form)
    assert not any(frame[place + size : place + -(-size // 8) * 8])
    return list(struct.unpack_from(form, frame, place)), place + -(-size // 8) * 8


def read_codes(frame: bytes, place: int, n: int, width: int) -> tuple[list[int], int]:
    """The code of each tag."""
    if width == 0:
        return [0] * n, place
    fit = 32 // width
    size = -(-n // fit)
    words, end = numbers(frame, place, size, "I")
    return [words[i % size] >> i // size * width & (1 << width) - 1 for i in range(n)], end


def read_group(frame: bytes, place: int, count: int, width: int) -> tuple[list[int], int]:
    """The numbers of a group."""
    rows = -(-count // 4)
    size = -(-rows * width // 64)
    words, end = numbers(frame, place, 4 * size, "Q")
    lanes = [sum(word << 64 * i for i, word in enumerate(words[lane::4])) for lane in range(4)]
    return [lanes[i % 4] >> i // 4 * width & (1 << width) - 1 for i in range(count)], end


def xxh64(data: bytes) -> int:
    """XXH64 with seed 0 of a multiple of 8 bytes."""
    p1, p2, p3, p4, p5 = (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )

    def left(value: int, bits: int) -> int:
        return (value << bits | value >> 64 - bits) % WORD

    def one(lane: int, word: int) -> int:
        return left((lane + word * p2) % WORD, 31) * p1 % WORD

    words = list(struct.unpack(f"<{len(data) // 8}Q", data))
    state = p5
    if len(words) >= 4:
        lanes = [(p1 + p2) % WORD, p2, 0, -p1 % WORD]
        while len(words) >= 4:
            lanes = [one(lane, word) for lane, word in zip(lanes, words[:4], strict=True)]
            words = words[4:]
        state = sum(left(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)) % WORD
        for lane in lanes:
            state = ((state ^ one(0, lane)) * p1 + p4) % WORD
    state = (state + len(data)) % WORD
    for word in words:
        state = (left(state ^ one(0, word), 27) * p1 + p4) % WORD
    state = (state ^ state >> 33) * p2 % WORD
    state = (state ^ state >> 29) * p3 % WORD
    return state ^ state >> 32
