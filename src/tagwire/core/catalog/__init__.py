"""The catalog: any module with the Time Tagger API, read into frozen values.

`read_catalog` looks at a module (the vendor's, ours, or a remote stand-in of either) and tells what it offers; RPC
adapters, client classes, stubs, forms, tables and the parity test are all built from the answer.
"""

from tagwire.core.catalog.specs import (
    Catalog,
    ClassSpec,
    EnumSpec,
    HiddenSpec,
    Kind,
    MethodSpec,
    ParamSpec,
    PropertySpec,
    ResultSpec,
)

__all__ = [
    "Catalog",
    "ClassSpec",
    "EnumSpec",
    "HiddenSpec",
    "Kind",
    "MethodSpec",
    "ParamSpec",
    "PropertySpec",
    "ResultSpec",
]
