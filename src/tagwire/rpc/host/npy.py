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
    try:
        array: Any = np.load(io.BytesIO(base64.b64decode(data, validate=True)), allow_pickle=False)
    except Exception as error:  # NumPy and the tokenizer that it uses raise a dozen kinds
        raise ValueError(f"the value is not in the NPY format: {error}") from error
    if not isinstance(array, np.ndarray) or not array.dtype.itemsize:  # without bytes, it could be of any length
        raise ValueError("the value is not in the NPY format")
    return array
