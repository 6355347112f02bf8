"""Arrow string arrays as bytes and offsets, the form that kernels read and write.

Owns nothing of what the bytes mean. Nothing is copied on the way in; a kernel fills a new pair of buffers on
the way out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from groundswell.kernels import inner, kernel

__all__ = ["Bytes", "Offsets", "Rows", "Stretches", "buffers", "build", "copy", "gathered"]

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int32]
Rows = NDArray[np.int64]


class Stretches(NamedTuple):
    """Texts in a buffer: text `i` is `data[starts[i]:ends[i]]`; arrays that cannot be written to."""

    data: Bytes
    starts: Offsets
    ends: Offsets

    @classmethod
    def of(cls, data: Bytes, starts: Offsets, ends: Offsets) -> Stretches:
        stretches = cls(data.view(), starts.view(), ends.view())
        for view in stretches:
            view.flags.writeable = False  # one kind of array, so that a kernel is compiled once
        return stretches

    @classmethod
    def column(cls, strings: pa.StringArray) -> Stretches:
        """All rows of an array without nulls."""
        data, offsets = buffers(strings)
        return cls.of(data, offsets[:-1], offsets[1:])


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


def gathered(texts: Stretches, which: Rows, before: bytes = b"") -> tuple[Bytes, Offsets]:
    """Some texts one after the other, `before` in front of each; where each of them begins, and the end."""
    data, starts, ends = texts
    bounds = np.empty(len(which) + 1, np.int32)
    bounds[0] = 0
    np.cumsum(ends[which] - starts[which] + np.int32(len(before)), out=bounds[1:])
    out = np.empty(int(bounds[-1]), np.uint8)
    _gather(data, starts, which, np.frombuffer(before, np.uint8), out, bounds)
    return out, bounds


@inner
def copy(data, start, stop, out, written):  # type: ignore[no-untyped-def]
    """Write `data[start:stop]` to `out` from `written` on; where that ends."""
    # Unsigned, because Numba asks of every signed index whether it counts from the end.
    source, target = np.uint64(start), np.uint64(written)
    for place in range(np.uint64(stop - start)):
        out[target + place] = data[source + place]
    return written + stop - start


@kernel
def _gather(data, starts, which, before, out, bounds):  # type: ignore[no-untyped-def]
    for place in range(len(which)):
        written = copy(before, 0, len(before), out, np.int64(bounds[place]))
        start = np.int64(starts[which[place]])
        copy(data, start, start + bounds[place + 1] - written, out, written)
