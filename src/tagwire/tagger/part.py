"""What every group of hardware settings stands on: the model, the state, and the rules of channel numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tagwire.core.models import MODELS, Model
from tagwire.engine.device import DeviceChain
from tagwire.engine.hub import Hub
from tagwire.errors import NotSupported
from tagwire.tagger.state import HardwareState


class HardwarePart:
    """Base of the groups of settings of a `TimeTaggerHardware`."""

    _state: HardwareState
    _hub: Hub

    @property
    def _model(self) -> Model:
        return self._state.model

    def _pins(self) -> tuple[int, ...]:
        """All physical channels, rising edges first."""
        return tuple(sorted(self._hub.source.channels, key=lambda c: (c < 0, abs(c))))

    if TYPE_CHECKING:  # TimeTaggerSource, which every instrument has beside these parts, checks channels

        def _physical(self, value: Any, name: str = "channel") -> int: ...

        def _physicals(self, values: Any, name: str) -> list[int]: ...

        def _chain(self) -> DeviceChain: ...

    def _input(self, value: Any, name: str) -> int:
        """Number of the input that a physical channel belongs to."""
        return abs(self._physical(value, name))

    def _require(self, able: bool, what: str, who: str) -> None:
        if not able:
            raise NotSupported(f"the {self._model.name} has no {what}; {who} does")


def names_of(able: str) -> str:
    """Names of the models for which the field `able` is true, for error messages."""
    return " or ".join(f"the {m.name}" for m in MODELS.values() if getattr(m, able))
