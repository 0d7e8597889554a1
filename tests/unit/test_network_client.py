"""What a client makes of the first words of a server."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from tagwire.core.address import Address
from tagwire.errors import ProtocolError
from tagwire.network.client import FrameStream


@pytest.mark.parametrize(
    ("greeting", "version"), [({"version": 2}, "2"), ({"begin": 0}, "None"), ([], "None"), ("version", "None")]
)
def test_a_stream_of_another_version_is_refused(greeting: Any, version: str) -> None:
    chunk = SimpleNamespace(app_metadata=pa.py_buffer(json.dumps(greeting).encode()))
    reader = SimpleNamespace(read_chunk=lambda: chunk)
    with pytest.raises(ProtocolError, match=f"localhost:1 sends version {version} of the stream.*update"):
        FrameStream(reader, Address("localhost", 1))
