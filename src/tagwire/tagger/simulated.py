"""The instrument, simulated: a stream that flows in real time, and all its settings."""

from __future__ import annotations

from typing import Self

from tagwire.core.models import Model
from tagwire.engine.device import DeviceChain
from tagwire.engine.hardware_buffer import HardwareBuffer
from tagwire.engine.hub import Hub
from tagwire.sources.base import Source
from tagwire.sources.simulated import SimulatedSource
from tagwire.tagger.configuration import Instrument
from tagwire.tagger.extras import ExtraSettings
from tagwire.tagger.laboratory import LaboratorySettings
from tagwire.tagger.lifetime import Flow
from tagwire.tagger.serving import Serving
from tagwire.tagger.state import HardwareState

PS_PER_MS = 10**9


class TimeTagger(Instrument, ExtraSettings, LaboratorySettings, Serving):
    """An instrument, made by `createTimeTagger`.

    It is simulated, or fed by a recording as if that happened now; then test signal and light settings have nothing to
    act on, while delays, dead time and filters act as on the instrument.

    Notes
    -----
    Tags flow from creation until `freeTimeTagger` (or the end of a ``with`` block), at most one stream block
    (`setStreamBlockSize`) late. Should measurements and virtual channels not keep up, more and more tags wait. Once
    they are more than the instrument's buffer holds (`setHardwareBufferSize`), and more than those of 10 s, there is an
    overflow: tags are lost until the lag is made up for, and counted. A recording loses nothing, and neither does a
    simulation that takes longer than real time to make the tags: stream time then passes more slowly.
    """

    def __init__(self) -> None:
        raise AttributeError("No constructor defined - use createTimeTagger()")

    @classmethod
    def _open(cls, model: Model, source: Source, serial: str) -> Self:
        """A tagger whose stream stands still until `_begin`."""
        tagger = cls.__new__(cls)
        tagger._hub = Hub(source, DeviceChain(model))
        tagger._state = HardwareState(model)
        tagger._serial = serial
        tagger._flow = Flow(tagger, tagger._hub, serial)
        tagger._apply_block_size()
        return tagger

    _flow: Flow

    def _begin(self, speed: float = 1.0) -> None:
        """Let the stream flow, at `speed` times real time."""
        buffer = HardwareBuffer(self._state.buffer_size) if isinstance(self._hub.source, SimulatedSource) else None
        self._flow.start(speed, self._state.block_latency * PS_PER_MS, buffer)

    def reset(self) -> None:
        """Back to the state after start-up: all settings, the light on simulated channels, and the overflow count.

        Measurements and virtual channels stay, and stream time goes on.
        """
        self._state = HardwareState(self._model)
        self._change(lambda chain: chain.reset())
        self.clearOverflows()
        self._apply_block_size()
        self._apply_test_signal()
        if isinstance(self._hub.source, SimulatedSource):
            self.simulateDark(range(1, self._model.inputs + 1))

    def _apply_block_size(self) -> None:
        self._hub.max_events = self._state.block_events
        pump = self._flow.pump
        if pump is not None:
            pump.latency = self._state.block_latency * PS_PER_MS
            if pump.buffer is not None:
                pump.buffer.size = self._state.buffer_size

    def _apply_test_signal(self) -> None:
        self._hub.command(lambda now: self._connect_test_signal())

    def _connect_test_signal(self) -> None:
        source, state = self._hub.source, self._state
        if not isinstance(source, SimulatedSource):
            return
        if source.test_divider != state.test_divider:
            source.test_divider = state.test_divider
        for number in range(1, self._model.inputs + 1):
            source.set_test_signal(number, number in state.test_inputs)

    def _free(self) -> None:
        self.stopServer()
        self._flow.end()
        super()._free()
