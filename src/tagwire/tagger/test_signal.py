"""The built-in test signal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tagwire.core.arguments import boolean, integer
from tagwire.tagger.part import HardwarePart

DIVIDER = (1, 65535)


class TestSignalSettings(HardwarePart):
    """Which channels are connected to the test signal, and its frequency."""

    __test__ = False

    def setTestSignal(self, channel: int | Sequence[int], enabled: bool) -> None:
        """Connect channels to the built-in signal generator, or disconnect them.

        The pulses reach all inputs at the same time; the tags of each channel have a jitter of their own.

        Parameters
        ----------
        channel
            A physical channel, or a list of them. Both edges of an input are connected together.
        enabled
            Whether to connect.
        """
        numbers = self._physicals(channel, "channel") if isinstance(channel, Iterable) else [self._physical(channel)]
        inputs, on = {abs(n) for n in numbers}, boolean(enabled, "enabled")
        self._state.test_inputs = self._state.test_inputs | inputs if on else self._state.test_inputs - inputs
        self._apply_test_signal()

    def getTestSignal(self, channel: int) -> bool:
        """Whether the input of the channel is connected to the built-in signal generator."""
        return self._input(channel, "channel") in self._state.test_inputs

    def setTestSignalDivider(self, divider: int) -> None:
        """Set the frequency of the test signal.

        Parameters
        ----------
        divider
            Factor, 1 to 65535, by which the base frequency (62.5 MHz for the Time Tagger 20, 403.2 MHz for the others)
            is divided; 74 and 504 after start-up, about 0.8 MHz.
        """
        self._state.test_divider = integer(divider, "divider", *DIVIDER)
        self._apply_test_signal()

    def getTestSignalDivider(self) -> int:
        """Factor by which the base frequency of the test signal is divided."""
        return self._state.test_divider

    def _apply_test_signal(self) -> None:
        """Tell the stream about the test signal."""
        raise NotImplementedError
