"""Arrays: .npy files of a stranger, whose header is checked against their size before anything is allocated."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import DTypeLike, NDArray


def load(path: Path, dtype: DTypeLike) -> NDArray[Any]:
    """The array in a .npy file. Raises ValueError unless it has this type and exactly the values it says it has."""
    with path.open("rb") as file:
        version = npy.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"{path.name} has the .npy version {version}, expected (1, 0)")
        shape, in_columns, found = npy.read_array_header_1_0(file)
        size = path.stat().st_size - file.tell()
        if found != np.dtype(dtype) or in_columns or math.prod(shape) * found.itemsize != size:
            raise ValueError(f"{path.name} says it has {found} {shape}, and has {size} bytes of {np.dtype(dtype)}")
        return np.frombuffer(file.read(), found).reshape(shape).copy()
