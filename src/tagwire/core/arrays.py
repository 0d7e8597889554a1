"""Array types with their number of dimensions, as the vendor's results have them.

The catalog reads data type and dimensions of a result from these annotations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Dimensions:
    """Number of dimensions of an annotated array type."""

    count: int


BoolArray1D = Annotated[NDArray[np.bool_], Dimensions(1)]
Int8Array1D = Annotated[NDArray[np.int8], Dimensions(1)]
Int8Array2D = Annotated[NDArray[np.int8], Dimensions(2)]
UInt8Array1D = Annotated[NDArray[np.uint8], Dimensions(1)]
UInt16Array1D = Annotated[NDArray[np.uint16], Dimensions(1)]
Int32Array1D = Annotated[NDArray[np.int32], Dimensions(1)]
Int32Array2D = Annotated[NDArray[np.int32], Dimensions(2)]
Int32Array3D = Annotated[NDArray[np.int32], Dimensions(3)]
Int64Array1D = Annotated[NDArray[np.int64], Dimensions(1)]
Int64Array2D = Annotated[NDArray[np.int64], Dimensions(2)]
Int64Array3D = Annotated[NDArray[np.int64], Dimensions(3)]
UInt32Array2D = Annotated[NDArray[np.uint32], Dimensions(2)]
UInt64Array1D = Annotated[NDArray[np.uint64], Dimensions(1)]
Float32Array1D = Annotated[NDArray[np.float32], Dimensions(1)]
Float64Array1D = Annotated[NDArray[np.float64], Dimensions(1)]
Float64Array2D = Annotated[NDArray[np.float64], Dimensions(2)]
Float64Array3D = Annotated[NDArray[np.float64], Dimensions(3)]
