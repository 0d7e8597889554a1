"""The instruments that this process has, as the command line names them."""

from __future__ import annotations

from pathlib import Path

from tagwire.tagger.devices import install, replayed_device, simulated_device


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
    install([replayed_device(str(file), speed, loop)])
