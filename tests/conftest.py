"""What all tests share: real recordings, and a check that they are used where they are offered."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from name_servers import name_server_on_loopback
from tagwire.core.address import Address

# The first example of a test may compile a kernel.
settings.register_profile("tagwire", deadline=None)
settings.load_profile("tagwire")

_used: set[str] = set()


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the keys and settings of whoever runs it."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TAGWIRE_") and name != "TAGWIRE_TEST_DATA"]:
            patch.delenv(name)
        patch.setenv("TAGWIRE_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture
def pyro_name_server() -> Iterator[Address]:
    """Address of a Pyro name server."""
    with name_server_on_loopback() as address:
        yield address


@pytest.fixture
def recordings(request: pytest.FixtureRequest) -> Path:
    """Folder of real recordings, from the environment variable TAGWIRE_TEST_DATA."""
    folder = os.environ.get("TAGWIRE_TEST_DATA")
    if not folder:
        pytest.skip("no real recordings: TAGWIRE_TEST_DATA is not set")
    if not Path(folder).is_dir():
        pytest.fail(f"TAGWIRE_TEST_DATA names {folder}, which is not a folder")
    _used.add(request.node.nodeid)
    return Path(folder)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A whole run that was offered recordings and used none has not tested what it claims."""
    whole = not session.config.args or session.config.args == session.config.getini("testpaths")
    if whole and os.environ.get("TAGWIRE_TEST_DATA") and not _used and not session.config.option.keyword:
        session.exitstatus = 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests read real recordings."""
    terminalreporter.write_line(f"{len(_used)} tests read real recordings")
