"""Arrays as TimeTaggerRPC sends them: the NPY format in base64."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np


def to_npy(array: np.ndarray[Any, Any]) -> dict[str, str]:
    """The dictionary that a TimeTaggerRPC client turns into an array."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return {"__class__": "numpy.ndarray", "data": base64.b64encode(buffer.getvalue()).decode("ascii")}


def from_npy(data: str) -> np.ndarray[Any, Any]:
    """The array of such a dictionary; `ValueError` when it is none."""
    buffer = io.BytesIO(base64.b64decode(data, validate=True))
    array: np.ndarray[Any, Any] = np.load(buffer, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise ValueError("the value is not in the NPY format")
    return array
