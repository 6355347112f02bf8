"""How uses are spread over tables that are far larger than the caches, a part of the table at a time.

A table is cut into parts that fit a cache. Uses are first sorted by part (one pass of a radix sort, stable),
so that each part is fetched from memory once for many uses instead of line by line.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from groundswell.kernels import allocating

__all__ = ["CHUNK", "PARTS", "cache_lines", "part_shift", "sort_by_part"]

PARTS = 256
CHUNK = 1 << 20
"""Uses that are spread at a time, which bounds the memory it takes."""


_LINE_BYTES = 64


def cache_lines(size: int, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """`size` zeros that begin where a cache line begins."""
    item = np.dtype(dtype).itemsize
    room = np.zeros(size + _LINE_BYTES // item, dtype)
    skip = -room.ctypes.data % _LINE_BYTES // item
    return room[skip : skip + size]


def part_shift(rows: int) -> int:
    """The bits that a row number of a table of `rows`, a power of two, has below its part."""
    return max(rows.bit_length() - 1 - (PARTS.bit_length() - 1), 0)


@allocating
def sort_by_part(rows: Any, shift: Any, out: Any) -> None:
    """Write `rows` to `out` part by part."""
    starts = np.zeros(PARTS + 1, np.int64)
    for i in range(rows.shape[0]):
        starts[(rows[i] >> shift) + 1] += 1
    for part in range(PARTS):
        starts[part + 1] += starts[part]
    for i in range(rows.shape[0]):
        part = rows[i] >> shift
        out[starts[part]] = rows[i]
        starts[part] += 1
