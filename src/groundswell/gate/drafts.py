"""Texts that are being redacted: bytes of their own, edited where they lie.

No step of redaction makes a text longer, so each keeps the room it came with: a step rewrites the rows it
changes and touches nothing else, and columns are made once, at the end. Owns the bytes and where each text
lies in them; what goes is for others to say.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from groundswell.gate.strings import Offsets, Rows, Stretches, buffers, build, copy, gathered
from groundswell.kernels import kernel

__all__ = ["Drafts"]


class Drafts:
    """Copies of the texts of some `rows` of a column, or of all; draft `i` is `data[starts[i]:ends[i]]`.

    >>> texts = pa.array(["one", "two", "three"])
    >>> drafts = Drafts(texts, np.array([1, 2]))
    >>> drafts.cut(np.array([1]), np.array([0]), np.array([4]))
    >>> drafts.column().to_pylist()
    ['one', 'two', ' e']
    """

    def __init__(self, texts: pa.StringArray, rows: Rows | None = None) -> None:
        self._texts = texts
        self.rows = rows = np.arange(len(texts)) if rows is None else rows
        self.data, bounds = gathered(Stretches.column(texts), rows)
        self.starts, self.ends = bounds[:-1], bounds[1:].copy()
        self._sizes = self.ends - self.starts

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def sizes(self) -> Offsets:
        """The bytes of each draft."""
        return self.ends - self.starts

    def readable(self) -> Stretches:
        """The drafts for kernels that only read."""
        return Stretches.of(self.data, self.starts, self.ends)

    def texts(self, drafts: Rows) -> pa.StringArray:
        """Some drafts as they stand."""
        return build(*gathered(self.readable(), drafts))

    def cut(self, drafts: Rows, begins: Rows, afters: Rows) -> None:
        """Put a space for each stretch from `begins[i]` to `afters[i]` of `drafts[i]`, in ascending order."""
        _cut(self.data, self.starts, self.ends, drafts, begins, afters)

    def column(self) -> pa.StringArray:
        """The whole column with the drafts in place of what they were copied from."""
        changed = np.flatnonzero(self.sizes != self._sizes)
        if len(changed) == 0:
            return self._texts
        data, offsets = buffers(self._texts)
        out = np.empty(int(offsets[-1] - offsets[0]), np.uint8)
        ends = np.empty(len(offsets), np.int32)
        rows = self.rows[changed]
        _merge(data, offsets, rows, changed, *self.readable(), out, ends)
        return build(out[: ends[-1]], ends)


@kernel
def _cut(data, starts, ends, drafts, begins, afters):  # type: ignore[no-untyped-def]
    at = 0
    while at < len(drafts):
        draft = drafts[at]
        first = np.int64(starts[draft])
        written = copied = first
        while at < len(drafts) and drafts[at] == draft:
            written = copy(data, copied, first + begins[at], data, written)
            data[written] = 32
            written += 1
            copied = first + afters[at]
            at += 1
        ends[draft] = copy(data, copied, np.int64(ends[draft]), data, written)


@kernel
def _merge(data, offsets, rows, drafts, draft_data, starts, ends, out, bounds):  # type: ignore[no-untyped-def]
    written = row = 0
    for place in range(len(rows) + 1):
        until = int(rows[place]) if place < len(rows) else len(offsets) - 1
        shift = written - int(offsets[row])
        written = copy(data, np.int64(offsets[row]), np.int64(offsets[until]), out, written)
        for between in range(row, until):
            bounds[between] = offsets[between] + shift
        if place < len(rows):
            draft = drafts[place]
            bounds[until] = written
            written = copy(draft_data, np.int64(starts[draft]), np.int64(ends[draft]), out, written)
            row = until + 1
    bounds[len(offsets) - 1] = written
