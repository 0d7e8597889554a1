"""Arrow Flight, imported so that it keeps quiet: else gRPC writes to the terminal what we tell as errors."""

from __future__ import annotations

import os

os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from pyarrow import flight

__all__ = ["flight"]
