"""What is deliberately not offered to remote callers: one table, a reason for every row.

A row names a public name of the module, or a class member as ``Class.member``; ``*.member`` means in every class.
"""

from __future__ import annotations

_HOOK = "a hook that the library calls while it processes tags; calling it from outside corrupts the measurement"

HIDDEN: dict[str, str] = {
    "SwigPyIterator": "a wrapper of C++ iterators that nothing in the API hands out",
    "cvar": "the wrapper's view of C++ globals; the constants themselves are offered",
    "PRI_STR": "a C format string, of no use in Python",
    "SHARED_PTR_DISOWN": "a flag of the wrapper generator",
    "*.this": "the wrapper's C++ pointer, meaningless in another process",
    "*.thisown": "ownership flag of the wrapper; freeing is done with `freeTimeTagger` and `with`",
    "addSearchPath": "makes the server load FPGA firmware from any folder",
    "setCustomBitFileName": "makes the server load any file as FPGA firmware",
    "checkSystemLibraries": "checks the installation of the computer it runs on, which the server did at import",
    "setLanguageInfo": "belongs to the vendor's language bindings and needs their password",
    "flashLicense": "rewrites the licence in the device; do it at the computer that holds the device",
    "TimeTagger.factoryAccess": "raw register access of the factory; a wrong value harms the device",
    "TimeTagger.updateBMCFirmware": "rewrites firmware from a file of the server; do it at the computer itself",
    "*.next_impl": _HOOK,
    "*.next_impl_cs": _HOOK,
    "*.clear_impl": _HOOK,
    "*.finalize_init": _HOOK,
    "*.on_start": _HOOK,
    "*.on_stop": _HOOK,
    "*.on_restart": _HOOK,
    "*.pre_stop": _HOOK,
    "*.frameReady": _HOOK,
    "CustomMeasurement.INCOMING_TAGS_DTYPE": "a NumPy data type for code that runs where the tags are",
}

HOOKS = frozenset(row.removeprefix("*.") for row, reason in HIDDEN.items() if reason == _HOOK)
"""Names of the methods that the library calls, and that a subclass beside it may override."""


def hidden_by(name: str) -> str:
    """The row that hides `name` (``function`` or ``Class.member``), or empty when it is offered."""
    member = "*." + name.rpartition(".")[2]
    return next((row for row in (name, member if "." in name else "") if row in HIDDEN), "")
