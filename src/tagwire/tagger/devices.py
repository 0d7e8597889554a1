"""Which instruments this process has, and who holds them."""

from __future__ import annotations

import random
import threading
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tagwire.core.arguments import boolean, member, real, text
from tagwire.core.enums import Resolution
from tagwire.core.models import MODELS, TIME_TAGGER_ULTRA, Model
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.errors import ArgumentError, ArgumentKindError, NoDevice, NotSupported
from tagwire.recording.files import open_recording
from tagwire.recording.live import LiveRecording
from tagwire.sources.base import Source
from tagwire.sources.simulated import SimulatedSource
from tagwire.tagger.simulated import TimeTagger

REPLAY_SERIAL = "REPLAY-0001"

SLOWEST = 0.1
"""Lowest speed of a replay, as for `TimeTaggerVirtual`."""


@dataclass(frozen=True)
class AvailableDevice:
    """An instrument that can be opened.

    Attributes
    ----------
    serial
        Serial number, unique in this process.
    model
        Model whose facts and ranges it has.
    source
        Makes the stream of one opening.
    speed
        Stream time per real time; negative: as fast as possible.
    """

    serial: str
    model: Model
    source: Callable[[], Source]
    speed: float = 1.0


def simulated_device(key: str) -> AvailableDevice:
    """A simulated instrument; its light is different every time it is opened.

    Parameters
    ----------
    key
        Model: ``20``, ``ultra`` or ``x``.
    """
    if key not in MODELS:
        raise ArgumentError(f"model is {key!r}, but must be one of {', '.join(MODELS)}")
    model = MODELS[key]
    return AvailableDevice(model.serial, model, lambda: SimulatedSource(model, random.getrandbits(63)))


def replayed_device(path: str, speed: float = 1.0, loop: bool = False) -> AvailableDevice:
    """An instrument that measures what was recorded, as if that happened now; each opening begins anew.

    It has the recording's channels, the settings and ranges of a Time Tagger Ultra, and a model name that tells what it
    is. Its dead time is 0 after start-up, for the recorded tags have passed one already. At the end silence follows.

    Parameters
    ----------
    path
        Recording, as for `tagwire.recording.files.open_recording`.
    speed
        Stream time per real time, at least 0.1.
    loop
        Begin again at the end.

    Raises
    ------
    FileUnreadable
        (RuntimeError) The file cannot be replayed.
    """
    pace, again = real(speed, "speed", SLOWEST), boolean(loop, "loop")
    open_recording(path).close()
    name = f"Replay of {Path(path).name}"
    model = replace(TIME_TAGGER_ULTRA, name=name, serial=REPLAY_SERIAL, deadtime_default=0)
    return AvailableDevice(model.serial, model, lambda: LiveRecording(open_recording(path), again), pace)


class _Registry:
    """The instruments of this process; a tagger that was dropped or freed gives its instrument back."""

    def __init__(self, devices: Iterable[AvailableDevice]) -> None:
        self._lock = threading.Lock()
        self._taken: weakref.WeakValueDictionary[str, TimeTagger] = weakref.WeakValueDictionary()
        self.replace(devices)

    def replace(self, devices: Iterable[AvailableDevice]) -> None:
        """Put other instruments in the place of these; open taggers go on."""
        with self._lock:
            self._devices = {d.serial: d for d in devices}

    def free(self) -> list[AvailableDevice]:
        """Instruments that nobody holds."""
        return [d for d in self._devices.values() if not self._is_taken(d.serial)]

    def open(self, serial: str) -> TimeTagger:
        """Open the instrument `serial`, or the first free one when empty."""
        with self._lock:
            device = self._choose(serial)
            tagger = TimeTagger._open(device.model, device.source(), device.serial)
            self._taken[device.serial] = tagger
        tagger._begin(device.speed)
        return tagger

    def model_name(self, serial: str) -> str:
        """Name of the model of `serial`, or ``unknown``."""
        return self._devices[serial].model.name if serial in self._devices else "unknown"

    def _choose(self, serial: str) -> AvailableDevice:
        free = self.free()
        device = next((d for d in free if serial in ("", d.serial)), None)
        if device is None:
            there = ", ".join(d.serial + ("" if d in free else " (in use)") for d in self._devices.values()) or "none"
            asked = f"Time Tagger '{serial}'" if serial else "Time Tagger"
            raise NoDevice(f"No {asked} attached or already in use; there is: {there}")
        return device

    def _is_taken(self, serial: str) -> bool:
        tagger = self._taken.get(serial)
        return tagger is not None and not tagger._freed


_registry = _Registry(simulated_device(key) for key in ("ultra", "x", "20"))


def install(devices: Iterable[AvailableDevice]) -> None:
    """Choose the instruments that `createTimeTagger` and `scanTimeTagger` find in this process.

    Parameters
    ----------
    devices
        In the order in which they are opened; without a call, a simulated one of each model.
    """
    _registry.replace(devices)


def createTimeTagger(serial: str = "", resolution: Resolution = Resolution.Standard) -> TimeTagger:
    """Open an instrument.

    Parameters
    ----------
    serial
        Serial number; empty for the first one that is free.
    resolution
        Standard; simulated instruments have no other.

    Raises
    ------
    NoDevice
        (RuntimeError) There is none with that serial number, or it is in use.
    NotSupported
        (RuntimeError) Another resolution.
    """
    number = text(serial, "serial")
    if (mode := member(resolution, "resolution", Resolution)) != Resolution.Standard:
        raise NotSupported(f"resolution is {mode.name}, but the instruments here have only Resolution.Standard")
    return _registry.open(number)


def freeTimeTagger(tagger: TimeTaggerBase) -> None:
    """Stop the stream of a tagger and give its instrument back; more than once is fine.

    Parameters
    ----------
    tagger
        Any Time Tagger object. Its measurements stop and keep their results.

    Raises
    ------
    ArgumentKindError
        (TypeError) Something else.
    """
    if not isinstance(tagger, TimeTaggerBase):
        raise ArgumentKindError(f"tagger must be a Time Tagger object, not {tagger!r}")
    if not tagger._freed:
        tagger._free()


def scanTimeTagger(include_model_name: bool = False) -> tuple[str, ...]:
    """Serial numbers of the instruments that nobody holds.

    Parameters
    ----------
    include_model_name
        Give ``"serial,model"`` instead.
    """
    named = boolean(include_model_name, "include_model_name")
    return tuple(f"{d.serial},{d.model.name}" if named else d.serial for d in _registry.free())


def getTimeTaggerModel(serial: str) -> str:
    """Name of the model of an instrument, or ``unknown``.

    Parameters
    ----------
    serial
        Serial number.
    """
    return _registry.model_name(text(serial, "serial"))
