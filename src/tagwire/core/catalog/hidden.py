"""What is deliberately not offered to remote callers: one table, a reason for every row.

A row names a public name of the module, or a class member as ``Class.member``; ``*.member`` means in every class.
"""

from __future__ import annotations

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
    "CustomMeasurement.INCOMING_TAGS_DTYPE": "a NumPy data type for code that runs where the tags are",
}


def why_hidden(name: str) -> str:
    """Reason why `name` (``function`` or ``Class.member``) is not offered, or empty when it is."""
    member = "*." + name.rpartition(".")[2]
    return HIDDEN.get(name) or ("." in name and HIDDEN.get(member)) or ""
