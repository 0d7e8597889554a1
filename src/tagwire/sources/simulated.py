"""A simulated Time Tagger: its inputs, its test signal, and the light on its detectors."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import ClassVar

import numpy as np

from tagwire.core.arguments import boolean, integer, integers
from tagwire.core.models import Model
from tagwire.core.tags import TIME_MAX, Int64Array, TagBlock
from tagwire.errors import ArgumentError, ArgumentKindError
from tagwire.sources.beam import Beam, Illumination
from tagwire.sources.grid import CELL, PS_PER_S
from tagwire.sources.lab_clock import LabClock, Timebase
from tagwire.sources.light import Clicks, Light, periodic
from tagwire.sources.weaving import in_order, woven

ENOUGH = 262_144
"""Tags after which a block is cut short."""

MOST_WINDOWS = 100
"""Cells of the time grid in one block at most, so that nobody waits long for a block."""

MAX_DIVIDER = 65_535


@dataclass(frozen=True)
class TestSignal:
    """The oscillator on the device as a light: its pulses reach all inputs at the same time."""

    __test__ = False

    period: Fraction

    memoryless: ClassVar[bool] = False

    def outputs(self, channels: Sequence[int]) -> tuple[int, ...]:
        """The channels themselves."""
        return tuple(channels)

    def dead_times(self, channels: Sequence[int]) -> tuple[int, ...]:
        """None."""
        return (0,) * len(channels)

    def clicks(self, seed: int, cell: int, channels: Sequence[int], needed: Sequence[bool]) -> Clicks:
        """The oscillator's pulses within a cell, for every channel."""
        return [periodic(cell, self.period)] * len(channels)


class SimulatedSource:
    """Tags of a simulated instrument.

    An input sees nothing, a light, or, when that is switched on, the test signal instead. Each edge of each input adds
    its own Gaussian jitter of the model's rms; every pulse is 10 ns wide, so the tag of the falling edge (channel
    ``-n``) comes 10 ns after the one of the rising edge, but for the jitter. The instrument's own dead time, delays and
    filters are not the source's business.

    Parameters
    ----------
    model
        The instrument.
    seed
        Selects the random numbers; equal seeds give equal tags.
    begin
        Stream time in ps at which the source begins.

    Notes
    -----
    The stream depends on the seed, the configuration and the stream time alone: not on the spans in which it is pulled,
    and not on who listens to what. A change of the configuration acts from `position` on, that is from the
    begin of the next block. Channels that nobody listens to cost nothing, unless they share an emitter with one that
    somebody does. All methods may be called from any thread.

    Examples
    --------
    >>> from tagwire.core.models import TIME_TAGGER_ULTRA
    >>> from tagwire.sources.light import PoissonLight
    >>> source = SimulatedSource(TIME_TAGGER_ULTRA)
    >>> source.illuminate([1, 2], PoissonLight(rate=100e3))
    >>> block = source.read(10**10, {1, 2})
    >>> block.end
    10000000000
    """

    def __init__(self, model: Model, seed: int = 0, begin: int = 0) -> None:
        self.model = model
        self.channels = model.channels
        self._seed = integer(seed, "seed")
        self._position = integer(begin, "begin")
        self._lock = threading.Lock()
        self._divider = model.test_divider
        self._tested: dict[int, int] = {}
        self._lit: dict[int, Illumination] = {}
        self._wanted: frozenset[int] | None = None
        self._beams: list[Beam] = []
        self._window = 0
        self._pending: dict[int, list[Int64Array]] = {}
        self._timebase: Timebase | None = None
        self._stamped = self._position

    # --- configuration -----------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """Stream time in ps up to which the source was read."""
        return self._stamped

    @property
    def laboratory_time(self) -> int:
        """Laboratory time in ps at `position`; the same without a clock."""
        return self._position

    def set_clock(self, clock: LabClock) -> None:
        """From `position` on, let the instrument stamp what happens by a clock that begins there.

        Stream time goes on without a jump, laboratory time begins at the clock's `start`: from then on all lights, and
        the test signal, are what they are at that laboratory time.
        """
        with self._lock:
            self._timebase = Timebase(clock, self._stamped)
            self._position = clock.start
            self._tested = dict.fromkeys(self._tested, self._position)
            moved = {lit: replace(lit, since=self._position) for lit in self._lit.values()}
            self._lit = {channel: moved[lit] for channel, lit in self._lit.items()}
            self._wanted = None

    @property
    def test_divider(self) -> int:
        """Divider of the test signal: its frequency is the model's base frequency over this, from 1 to 65535."""
        return self._divider

    @test_divider.setter
    def test_divider(self, divider: int) -> None:
        number = integer(divider, "divider", 1, MAX_DIVIDER)
        with self._lock:
            self._divider = number
            self._tested = dict.fromkeys(self._tested, self._position)
            self._wanted = None

    def set_test_signal(self, channel: int, enabled: bool) -> None:
        """Connect the input of `channel` (either edge) to the test signal, or back to what is outside."""
        number, on = self._input(channel, "channel"), boolean(enabled, "enabled")
        with self._lock:
            if on == (number in self._tested):
                return
            if on:
                self._tested[number] = self._position
            else:
                del self._tested[number]
            self._wanted = None

    def test_signal(self, channel: int) -> bool:
        """Whether the input of `channel` (either edge) is connected to the test signal."""
        return self._input(channel, "channel") in self._tested

    def illuminate(self, channels: Sequence[int], light: Light) -> None:
        """Let `light` fall on the detectors at the inputs `channels`, in place of what did so before.

        Parameters
        ----------
        channels
            Distinct rising channels; a `PulsedEmitter` sends its light to all of them through a beam splitter.
        light
            `PoissonLight`, `PulsedEmitter`, or anything with the methods of `Light`.

        Raises
        ------
        ArgumentError
            (ValueError) No channel, one twice, or one that is not a rising channel of the model.
        ArgumentKindError
            (TypeError) `light` is not a light.
        """
        numbers = self._inputs(channels)
        if not callable(getattr(light, "clicks", None)):
            raise ArgumentKindError(f"light must be a PoissonLight, a PulsedEmitter or the like, not {light!r}")
        outputs = light.outputs(numbers)
        self._inputs(outputs)
        with self._lock:
            lit = Illumination(light, outputs, self._position)
            self._lit.update(dict.fromkeys(outputs, lit))
            self._wanted = None

    def darken(self, channels: Sequence[int]) -> None:
        """Take the light away from the inputs `channels`."""
        numbers = self._inputs(channels)
        with self._lock:
            for number in numbers:
                self._lit.pop(number, None)
            self._wanted = None

    def light(self, channel: int) -> Light | None:
        """The light on the input of `channel` (either edge), or `None` in the dark."""
        lit = self._lit.get(self._input(channel, "channel"))
        return lit.light if lit else None

    # --- the stream --------------------------------------------------------------------------------------------

    def read(self, span: int, wanted: Collection[int]) -> TagBlock | None:
        """The block of the next `span` ps; less after about 262,144 tags or 1 s of stream time.

        `None` when the stream time has no room left in 64 bits.
        """
        length = integer(span, "span", 1)
        with self._lock:
            end = min(self._stamped + length, TIME_MAX - 2 * CELL)
            if self._stamped >= end:
                return None
            self._prepare(frozenset(wanted))
            block = self._produce(end) if self._timebase is None else self._stamp(self._timebase, end)
            self._stamped = block.end
        return block

    def close(self) -> None:
        """Nothing is held open."""

    def _produce(self, end: int) -> TagBlock:
        """What happens up to a laboratory time, or less."""
        block = self._collect(self._position, self._advance(end))
        self._position = block.end
        return block

    def _stamp(self, timebase: Timebase, end: int) -> TagBlock:
        """What happens until the instrument's clock shows `end`, or less, with the times that the clock shows."""
        until = timebase.time(end)
        reached = self._advance(until)
        if reached < until:
            # Nothing that happens later may have the stamp of something before.
            end = timebase.stamp(reached)
            reached = timebase.time(end)
        block = self._collect(self._position, reached)
        self._position = reached
        return TagBlock(self._stamped, end, timebase.stamps(block.time), block.channel)

    def _prepare(self, wanted: frozenset[int]) -> None:
        """Make the beams for what is wanted, if that or the configuration has changed."""
        if wanted == self._wanted:
            return
        self._wanted = wanted
        self._window = self._position // CELL - 1
        taps: dict[Illumination, list[int]] = {}
        for channel in sorted(wanted.intersection(self.channels)):
            lit = self._feeding(abs(channel))
            if lit is not None:
                taps.setdefault(lit, []).append(channel)
        rms = self.model.jitter_rms
        self._beams = [Beam(lit, channels, self._seed, rms, self._window) for lit, channels in taps.items()]
        self._pending = {channel: [] for channel in sorted(c for channels in taps.values() for c in channels)}

    def _feeding(self, number: int) -> Illumination | None:
        """What the input sees."""
        if number not in self._tested:
            return self._lit.get(number)
        period = Fraction(PS_PER_S * self._divider) / Fraction(self.model.test_frequency)
        return Illumination(TestSignal(period), (number,), self._tested[number])

    def _advance(self, end: int) -> int:
        """Produce tags up to `end` or a little more; gives the time up to which the block can go."""
        if not self._beams:
            return end
        last = self._window + MOST_WINDOWS
        while self._settled <= self._position or (
            self._settled < end and self._window < last and self._count() < ENOUGH
        ):
            for beam in self._beams:
                for channel, times in beam.advance().items():
                    self._pending[channel].append(times)
            self._window += 1
        return min(end, self._settled)

    @property
    def _settled(self) -> int:
        """Stream time before which every tag is known."""
        return self._window * CELL - max(beam.unsettled for beam in self._beams)

    def _count(self) -> int:
        return sum(len(part) for parts in self._pending.values() for part in parts)

    def _collect(self, begin: int, end: int) -> TagBlock:
        """The pending tags of a span as a block; later ones stay pending."""
        streams: dict[int, Int64Array] = {}
        for channel, parts in self._pending.items():
            times = in_order(parts)
            low, high = np.searchsorted(times, (begin, end))
            self._pending[channel] = [times[high:]] if high < len(times) else []
            streams[channel] = times[low:high]
        return TagBlock(begin, end, *woven(streams, begin, end))

    # --- arguments ---------------------------------------------------------------------------------------------

    def _input(self, channel: int, name: str) -> int:
        """Number of the input that a channel of either edge belongs to."""
        number = integer(channel, name)
        if number not in self.channels:
            raise ArgumentError(f"{name} is {number}, but {self._range_text()} or their negatives")
        return abs(number)

    def _inputs(self, channels: Sequence[int]) -> tuple[int, ...]:
        """Distinct rising channels, at least one."""
        numbers = integers(channels, "channels")
        if not numbers or len(set(numbers)) < len(numbers):
            raise ArgumentError(f"channels is {numbers}, but must name at least one channel and none twice")
        for number in numbers:
            if not 1 <= number <= self.model.inputs:
                raise ArgumentError(f"channels names {number}, but {self._range_text()}")
        return tuple(numbers)

    def _range_text(self) -> str:
        return f"the {self.model.name} has the inputs 1 to {self.model.inputs}"
