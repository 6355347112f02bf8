"""Regular expressions over columns of text: compiled once for few rows, by Arrow for many.

Both engines are RE2, linear in the text whatever it says, so a row's answer does not depend on how many rows
came with it. Arrow compiles an expression at every call, up to a millisecond, and then takes a third of the
time a row; so it is asked where that is worth it. Owns no expression.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import re2

from groundswell.gate.strings import buffers, build

__all__ = ["MANY", "Expression", "text_rows"]

MANY = 200
"""Rows from which on Arrow is cheaper."""


class Expression:
    r"""An RE2 expression that never matches nothing.

    >>> Expression(r"(\d)\d* *").replaced(pa.array(["a 12 b", "c"]), r"\1 ")[1].to_pylist()
    ['a 1 b', 'c']
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        options = re2.Options()
        options.encoding = re2.Options.Encoding.UTF8
        self._compiled = re2.compile(pattern.encode(), options)

    def replaced(
        self, texts: pa.StringArray, put: str, many: int = MANY
    ) -> tuple[npt.NDArray[np.bool_], pa.StringArray]:
        r"""Which texts change in length, and the texts with `put` for each match.

        `put` may begin with `\1`, the first group. From `many` rows on Arrow does it.
        """
        if len(texts) >= many:
            values = pc.replace_substring_regex(texts, self._pattern, put)
            changed = pc.not_equal(pc.binary_length(texts), pc.binary_length(values))
            return changed.to_numpy(zero_copy_only=False), values
        keeps = put.startswith("\\1")
        between = put.removeprefix("\\1").encode()
        changed = np.zeros(len(texts), np.bool_)
        pieces: list[bytes] = []
        ends = np.zeros(len(texts) + 1, np.int32)
        for row, text in enumerate(text_rows(texts)):
            size, end = len(text), 0
            for match in self._compiled.finditer(text):
                start, after = match.span()
                kept = match.group(1) if keeps else b""
                pieces += (text[end:start], kept, between)
                size += len(kept) + len(between) - (after - start)
                end = after
            pieces.append(text[end:])
            changed[row] = size != len(text)
            ends[row + 1] = ends[row] + size
        if not changed.any():
            return changed, texts
        return changed, build(np.frombuffer(b"".join(pieces), np.uint8), ends)

    def spans(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Where each match in one text starts and ends."""
        return (match.span() for match in self._compiled.finditer(text))

    def first_group(self, text: bytes) -> bytes | None:
        """The first group of the first match in one text."""
        match = self._compiled.search(text)
        return None if match is None else match.group(1)

    def without(self, text: bytes, put: bytes) -> bytes:
        """One text with `put` for each match."""
        replaced: bytes = self._compiled.sub(put, text)
        return replaced


def text_rows(texts: pa.StringArray) -> Iterator[bytes]:
    """The UTF-8 of each row."""
    data, offsets = buffers(texts)
    first = int(offsets[0])
    whole = data[first : int(offsets[-1])].tobytes()
    ends = (offsets - first).tolist()
    for row in range(len(texts)):
        yield whole[ends[row] : ends[row + 1]]
