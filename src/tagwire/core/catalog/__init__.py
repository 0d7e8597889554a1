"""The catalog: any module with the Time Tagger API, read into frozen values.

`read_catalog` looks at a module (the vendor's, ours, or a remote stand-in of either) and tells what it offers; RPC
adapters, client classes, stubs, forms, tables and the parity test are all built from the answer.
"""

from tagwire.core.catalog.hidden import HIDDEN, HOOKS
from tagwire.core.catalog.instruments import Instrument, read_instrument, with_instruments
from tagwire.core.catalog.plain import from_plain, to_plain
from tagwire.core.catalog.prose import call_doc, class_doc
from tagwire.core.catalog.reader import read_catalog
from tagwire.core.catalog.specs import (
    Catalog,
    ClassSpec,
    EnumSpec,
    HiddenSpec,
    Kind,
    MethodSpec,
    ParamSpec,
    PropertySpec,
    RecordSpec,
    ResultSpec,
)

__all__ = [
    "HIDDEN",
    "HOOKS",
    "Catalog",
    "ClassSpec",
    "EnumSpec",
    "HiddenSpec",
    "Instrument",
    "Kind",
    "MethodSpec",
    "ParamSpec",
    "PropertySpec",
    "RecordSpec",
    "ResultSpec",
    "call_doc",
    "class_doc",
    "from_plain",
    "read_catalog",
    "read_instrument",
    "to_plain",
    "with_instruments",
]
