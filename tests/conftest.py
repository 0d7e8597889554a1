"""What all tests share: real recordings, and a check that they are used where they are offered."""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from name_servers import name_server_on_loopback
from steady import PATIENCE_S
from tagwire.core.address import Address

# The first example of a test may compile a kernel, and a computer may be busy with something else. A run gives the same
# examples each time; --hypothesis-profile=explore looks for new ones.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("tagwire", settings.get_profile("explore"), derandomize=True)
settings.load_profile("tagwire")

END_S = 60.0
"""How long the threads that tests have left may take to end."""

_used: set[str] = set()


@pytest.fixture(scope="session", autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or writes the keys and settings of whoever runs it, or depends on how fast servers answer."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TAGWIRE_") and name != "TAGWIRE_TEST_DATA"]:
            patch.delenv(name)
        patch.setenv("TAGWIRE_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr("tagwire.rpc.client.greeting.CONNECT_S", PATIENCE_S)
        yield


@pytest.fixture(scope="session", autouse=True)
def _heed_ctrl_c() -> None:
    """Shells start jobs in the background so that they ignore Ctrl-C, which tests and their processes must not."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """A thread that a test left behind must not keep a run from ending, unseen."""
    faulthandler.dump_traceback_later(END_S, exit=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests read real recordings."""
    terminalreporter.write_line(f"{len(_used)} tests read real recordings")
