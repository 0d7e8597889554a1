"""Which library is served, and why."""

from types import ModuleType

import pytest

from tagwire.cli.backend import Vendor, choose
from tagwire.errors import NotSupported

LIBRARY = ModuleType("TimeTagger")
ABSENT = Vendor(None, problem="the vendor's library is not installed")
WITHOUT_DEVICE = Vendor(LIBRARY, "2.22.6")
WITH_DEVICE = Vendor(LIBRARY, "2.22.6", ("1910000ABC",))


def test_an_attached_instrument_is_served() -> None:
    use_vendor, reason = choose("auto", WITH_DEVICE)
    assert use_vendor
    assert "1910000ABC" in reason


@pytest.mark.parametrize(
    ("vendor", "why"), [(ABSENT, "not installed"), (WITHOUT_DEVICE, "2.22.6 is installed, but no Time Tagger")]
)
def test_without_an_instrument_it_is_simulated(vendor: Vendor, why: str) -> None:
    use_vendor, reason = choose("auto", vendor)
    assert not use_vendor
    assert why in reason


def test_what_was_asked_for_is_served() -> None:
    assert not choose("simulated", WITH_DEVICE)[0]
    assert choose("vendor", WITHOUT_DEVICE)[0]


def test_the_vendors_library_cannot_be_served_without_it() -> None:
    with pytest.raises(NotSupported, match="pip install Swabian-TimeTagger"):
        choose("vendor", ABSENT)
