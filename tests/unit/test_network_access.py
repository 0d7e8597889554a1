"""Rights at a stream server."""

from __future__ import annotations

import pytest

from tagwire.core.enums import AccessMode
from tagwire.errors import ArgumentError, NotAllowed
from tagwire.network.access import Access
from tagwire.security import Role

LISTEN = (AccessMode.Listen, AccessMode.SynchronousListen)
CONTROL = (AccessMode.Control, AccessMode.SynchronousControl)
READS = ("getTriggerLevel", "getDeadtime", "getReferenceClockState", "getOverflows", "isChannelRegistered")
CHANGES = ("setTriggerLevel", "clearOverflows", "getOverflowsAndClear", "disableLEDs", "setReferenceClock", "reset")


@pytest.mark.parametrize("mode", LISTEN)
def test_listening_reads_only(mode: AccessMode) -> None:
    access = Access(mode)
    for method in READS:
        access.check_call(method, Role.CONTROL)
    for method in CHANGES:
        with pytest.raises(NotAllowed, match=f"{method} would change"):
            access.check_call(method, Role.CONTROL)


@pytest.mark.parametrize("mode", CONTROL)
def test_control_depends_on_the_role(mode: AccessMode) -> None:
    access = Access(mode)
    for method in (*READS, *CHANGES):
        access.check_call(method, Role.CONTROL)
    for method in READS:
        access.check_call(method, Role.OBSERVE)
    for method in CHANGES:
        with pytest.raises(NotAllowed, match="observing"):
            access.check_call(method, Role.OBSERVE)


@pytest.mark.parametrize("mode", AccessMode.__members__.values())
def test_channels_are_restricted_when_listening(mode: AccessMode) -> None:
    access = Access(mode, [1, 2])
    assert access.exposed([3, 2, 1, -1]) == ((1, 2) if mode in LISTEN else (-1, 1, 2, 3))
    assert Access(mode).exposed([3, 1]) == (1, 3)


def test_channels_are_checked() -> None:
    access = Access(AccessMode.Listen, [1, 2])
    assert access.check_channels([2, 1, 2], [1, 2, 3]) == (1, 2)
    with pytest.raises(ArgumentError, match="channel 3 is not exposed"):
        access.check_channels([3], [1, 2, 3])
    with pytest.raises(ArgumentError, match="channel 7 does not exist"):
        access.check_channels([1, 7], [1, 2, 3])


def test_the_synchronous_modes_wait() -> None:
    waiting = [mode.name for mode in AccessMode.__members__.values() if Access(mode).synchronous]
    assert waiting == ["SynchronousListen", "SynchronousControl"]
