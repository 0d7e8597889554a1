"""Which library a server serves: the vendor's where it finds an instrument, else our simulated engine."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

from tagwire.errors import NotSupported

Choice = Literal["auto", "vendor", "simulated"]
CHOICES: tuple[Choice, ...] = ("auto", "vendor", "simulated")

VENDOR_NAMES = ("Swabian.TimeTagger", "TimeTagger")
"""Import names of the vendor's library: of its package today, and of older installations."""


@dataclass(frozen=True)
class Vendor:
    """What is known of the vendor's library on this computer.

    Attributes
    ----------
    module
        The library, or None where it cannot be imported.
    version
        Of the library; empty without it.
    devices
        Serial numbers of the attached Time Taggers.
    problem
        Why the library cannot be used; empty where it can.
    """

    module: ModuleType | None
    version: str = ""
    devices: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Backend:
    """A library to serve, whether it is the vendor's, and why it was chosen."""

    module: ModuleType
    vendor: bool
    name: str
    reason: str


def find_vendor() -> Vendor:
    """Import the vendor's library and look for instruments that are attached to this computer."""
    for name in VENDOR_NAMES:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        except (ImportError, OSError) as error:
            return Vendor(None, problem=f"the vendor's library is installed but cannot be loaded: {error}")
        return Vendor(module, str(module.getVersion()), tuple(module.scanTimeTagger()))
    return Vendor(None, problem="the vendor's library is not installed")


def choose(wanted: Choice, vendor: Vendor) -> tuple[bool, str]:
    """Whether to serve the vendor's library rather than the simulation, and why.

    Raises
    ------
    NotSupported
        (RuntimeError) The vendor's library is wanted but cannot be used.
    """
    if wanted == "simulated":
        return False, "as you asked"
    if wanted == "vendor":
        if vendor.module is None:
            raise NotSupported(
                f"{vendor.problem}; install it with `pip install Swabian-TimeTagger`, or serve with --backend simulated"
            )
        return True, "as you asked" + ("" if vendor.devices else "; no Time Tagger is attached")
    if vendor.module is None:
        return False, vendor.problem
    if not vendor.devices:
        return False, f"the vendor's library {vendor.version} is installed, but no Time Tagger is attached"
    return True, "attached: " + ", ".join(vendor.devices)


def open_backend(wanted: Choice) -> Backend:
    """The library to serve; the vendor's is not even looked at where the simulation is wanted.

    Raises
    ------
    NotSupported
        (RuntimeError) The vendor's library is wanted but cannot be used.
    """
    vendor = Vendor(None) if wanted == "simulated" else find_vendor()
    use_vendor, reason = choose(wanted, vendor)
    if use_vendor and vendor.module is not None:
        return Backend(vendor.module, True, f"the vendor's library {vendor.version}", reason)
    from tagwire import TimeTagger

    return Backend(TimeTagger, False, "Tagwire's simulated Time Tagger", reason)
