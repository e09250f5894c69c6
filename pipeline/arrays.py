"""Arrays: .npy files of a stranger, whose header is checked against their size before anything is allocated."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

MAGIC = b"\x93NUMPY\x01\x00"  # with the version of the format, 1.0
# As `numpy.save` writes it; NumPy's own reader takes Python expressions.
HEADER = re.compile(r"\{'descr': '([^']{1,20})', 'fortran_order': False, 'shape': \(([0-9, ]{0,60})\), \} *\n")


def load(path: Path, dtype: DTypeLike) -> NDArray[Any]:
    """The array in a .npy file. Raises ValueError unless it has this type and exactly the values it says it has."""
    with path.open("rb") as file:
        start = file.read(len(MAGIC) + 2)
        header = file.read(int.from_bytes(start[len(MAGIC) :], "little"))
        found = HEADER.fullmatch(header.decode("latin-1"))
        if not start.startswith(MAGIC) or found is None:
            raise ValueError(f"{path.name} has no header as numpy.save writes it for an array of numbers")
        shape = tuple(int(size) for size in found[2].split(",") if size.strip())
        size, wanted = path.stat().st_size - file.tell(), np.dtype(dtype)
        if found[1] != wanted.str or math.prod(shape) * wanted.itemsize != size:
            raise ValueError(f"{path.name} says it has {found[1]} {shape}, and has {size} bytes of {wanted.str}")
        return np.frombuffer(file.read(), wanted).reshape(shape).copy()
