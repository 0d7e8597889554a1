"""Functions of the API module that concern no device: version, log, usage statistics."""

from __future__ import annotations

import logging
from collections.abc import Callable

from tagwire._version import __version__
from tagwire.core.arguments import boolean, member
from tagwire.core.enums import FrontendType, UsageStatisticsStatus
from tagwire.errors import ArgumentKindError, NotSupported

API_VERSION = "2.22.6"
"""Version of the vendor's library whose API is followed."""

LOGGER_ERROR = 40
LOGGER_WARNING = 30
LOGGER_INFO = 10

_logger = logging.getLogger("tagwire")


def getVersion() -> str:
    """Version of the library, as ``2.22.6+tagwire.0.1.0``.

    The first part is the vendor's version whose API is followed, so that scripts which compare it with a version they
    need decide as they would with the vendor's library; the part behind the plus sign, a local version in the sense of
    PEP 440, says what really runs.
    """
    return f"{API_VERSION}+tagwire.{__version__}"


class _Notifier(logging.Handler):
    """Hands log messages to the callback of `setLogger`."""

    def __init__(self, callback: Callable[[int, str], object]) -> None:
        super().__init__(logging.INFO)
        self.callback = callback

    def emit(self, record: logging.LogRecord) -> None:
        """Call back with the vendor's level and the message."""
        try:
            self.callback(_vendor_level(record.levelno), record.getMessage())
        except Exception:
            self.handleError(record)


def setLogger(callback: Callable[[int, str], object] | None) -> None:
    """Choose who gets the messages of the library; Python's own ``logging`` gets them in any case.

    Parameters
    ----------
    callback
        Called as ``callback(level, message)`` with one of `LOGGER_INFO`, `LOGGER_WARNING` and `LOGGER_ERROR`, from
        whichever thread has something to say; it replaces the one set before. `None` removes it.
    """
    if callback is not None and not callable(callback):
        raise ArgumentKindError(f"callback must be callable or None, not {callback!r}")
    for handler in [h for h in _logger.handlers if isinstance(h, _Notifier)]:
        _logger.removeHandler(handler)
    if callback is not None:
        _logger.addHandler(_Notifier(callback))
    _logger.setLevel(logging.NOTSET if callback is None else logging.INFO)


def present_logger() -> Callable[[int, str], object] | None:
    """What `setLogger` has set."""
    return next((handler.callback for handler in _logger.handlers if isinstance(handler, _Notifier)), None)


def _vendor_level(level: int) -> int:
    if level >= logging.ERROR:
        return LOGGER_ERROR
    return LOGGER_WARNING if level >= logging.WARNING else LOGGER_INFO


def setTimeTaggerChannelNumberScheme(scheme: int) -> None:
    """Not supported, as in the vendor's library since 2.22: channels are numbered from 1.

    Raises
    ------
    NotSupported
        (RuntimeError) Always.
    """
    raise NotSupported("setTimeTaggerChannelNumberScheme is not supported since 2.22: channels are numbered from 1")


def getTimeTaggerChannelNumberScheme() -> int:
    """Not supported, as in the vendor's library since 2.22: channels are numbered from 1.

    Raises
    ------
    NotSupported
        (RuntimeError) Always.
    """
    raise NotSupported("getTimeTaggerChannelNumberScheme is not supported since 2.22: channels are numbered from 1")


def hasTimeTaggerVirtualLicense() -> bool:
    """Whether recordings can be replayed: always, no licence is needed."""
    return True


def setFrontend(frontend: FrontendType) -> None:
    """Checked and ignored: nothing is counted here.

    Parameters
    ----------
    frontend
        Program that uses the library.
    """
    member(frontend, "frontend", FrontendType)


def setUsageStatisticsStatus(new_status: UsageStatisticsStatus, persistent_config: bool = True) -> None:
    """Usage statistics stay disabled: nothing is collected.

    Parameters
    ----------
    new_status
        Disabled; others raise `NotSupported`.
    persistent_config
        Makes no difference.
    """
    status = member(new_status, "new_status", UsageStatisticsStatus)
    boolean(persistent_config, "persistent_config")
    if status != UsageStatisticsStatus.Disabled:
        raise NotSupported(f"new_status is {status.name}, but nothing is ever collected here")


def getUsageStatisticsStatus() -> UsageStatisticsStatus:
    """Always Disabled."""
    return UsageStatisticsStatus.Disabled


def getUsageStatisticsReport() -> str:
    """What was collected, as text: that there is nothing."""
    return "Info: No report data available yet."
