"""CustomLogger: one logger at a time, in its place beside setLogger."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tagwire.tagger.custom_logger import CustomLogger
from tagwire.tagger.library import LOGGER_ERROR, LOGGER_INFO, LOGGER_WARNING, present_logger, setLogger


class Notes(CustomLogger):
    """Keeps the messages."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, str]] = []

    def Log(self, level: int, msg: str) -> None:
        self.messages.append((level, msg))


@pytest.fixture(autouse=True)
def _no_logger_stays() -> Iterator[None]:
    yield
    setLogger(None)


def say(word: str) -> None:
    logging.getLogger("tagwire.somewhere").warning(word)


def test_an_enabled_logger_gets_the_messages_with_the_vendors_levels():
    notes = Notes()
    say("before")
    notes.enable()
    logging.getLogger("tagwire").info("one")
    say("two")
    logging.getLogger("tagwire").error("three")
    notes.disable()
    say("after")
    assert notes.messages == [(LOGGER_INFO, "one"), (LOGGER_WARNING, "two"), (LOGGER_ERROR, "three")]


def test_the_last_one_enabled_replaces_the_others():
    first, second = Notes(), Notes()
    first.enable()
    second.enable()
    first.disable()  # is not the one in use
    say("hello")
    assert (first.messages, second.messages) == ([], [(LOGGER_WARNING, "hello")])
    heard = []
    setLogger(lambda level, message: heard.append(message))
    second.disable()
    say("again")
    assert (heard, len(second.messages)) == (["again"], 1)


def test_an_enabled_logger_stays_alive():
    Notes().enable()
    logger = present_logger()
    say("hello")
    assert logger.__self__.messages == [(LOGGER_WARNING, "hello")]


def test_without_a_log_method_messages_are_dropped():
    logger = CustomLogger()
    logger.enable()
    say("hello")
    logger.disable()
    assert present_logger() is None
