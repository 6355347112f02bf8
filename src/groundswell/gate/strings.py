"""Arrow string arrays as bytes and offsets, the form that kernels read and write.

Owns nothing of what the bytes mean. Nothing is copied on the way in; a kernel fills a new pair of buffers on
the way out.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

__all__ = ["Bytes", "Offsets", "buffers", "build"]

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int32]


def buffers(strings: pa.StringArray) -> tuple[Bytes, Offsets]:
    """The UTF-8 bytes of all rows and where each row starts; row `i` is `data[offsets[i]:offsets[i + 1]]`.

    Null rows must have been filled before.
    """
    _, offsets, data = strings.buffers()
    starts = np.frombuffer(offsets, np.int32) if offsets is not None else np.zeros(1, np.int32)
    starts = starts[strings.offset : strings.offset + len(strings) + 1]
    if len(starts) == 0:
        starts = np.zeros(1, np.int32)
    values = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    for array in (values, starts):
        array.flags.writeable = False  # one kind of array, so that a kernel is compiled once
    return values, starts


def build(data: Bytes, offsets: Offsets) -> pa.StringArray:
    """The reverse of `buffers`; `data` must hold valid UTF-8."""
    return pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))
