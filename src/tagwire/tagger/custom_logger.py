"""A logger as an object, beside `setLogger` with its function."""

from __future__ import annotations

from tagwire.tagger.library import present_logger, setLogger


class CustomLogger:
    """Gets the messages of the library: derive a class, implement `Log`, and `enable` an object of it.

    Notes
    -----
    There is one logger at a time, set by `enable` or by `setLogger`. It is kept alive until another one takes its place
    or it is disabled. Python's own ``logging`` gets the messages in any case.

    Examples
    --------
    >>> class Printer(CustomLogger):
    ...     def Log(self, level, msg):
    ...         print(level, msg)
    >>> printer = Printer()
    >>> printer.enable()
    >>> printer.disable()
    """

    def enable(self) -> None:
        """Take the messages from now on, in place of the logger set before."""
        setLogger(self.Log)

    def disable(self) -> None:
        """Take no messages any more; nothing happens when another logger is set."""
        if present_logger() == self.Log:
            setLogger(None)

    def Log(self, level: int, msg: str) -> None:
        """Called with each message, from whichever thread has something to say; to be overridden.

        Parameters
        ----------
        level
            One of `LOGGER_INFO`, `LOGGER_WARNING` and `LOGGER_ERROR`.
        msg
            The message.
        """
