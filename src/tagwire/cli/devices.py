"""The instruments that this process has, as the command line names them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tagwire.core.models import TIME_TAGGER_ULTRA
from tagwire.recording.files import open_recording
from tagwire.recording.live import LiveRecording
from tagwire.tagger.devices import AvailableDevice, install, simulated_device


def install_simulated(key: str) -> None:
    """Have one simulated instrument: model ``20``, ``ultra`` or ``x``."""
    install([simulated_device(key)])


def install_replay(file: Path, speed: float, loop: bool) -> None:
    """Have one instrument that is fed by a recording; each time it is opened, the recording begins anew.

    Parameters
    ----------
    file
        A ``.ptu`` or ``.ttbin`` file.
    speed
        Time of the recording per real time.
    loop
        Play it again at its end.

    Raises
    ------
    FileUnreadable
        (RuntimeError) The file cannot be opened or understood.
    """
    open_recording(file).close()
    model = dataclasses.replace(TIME_TAGGER_ULTRA, key="replay", name=f"Replay of {file.name}", serial="REPLAY-0001")
    install([AvailableDevice(model.serial, model, lambda: LiveRecording(open_recording(file), loop), speed)])
