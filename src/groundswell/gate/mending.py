r"""Mends the holes that redaction leaves: empty brackets, stray punctuation, doubled spaces, ragged ends.

One kernel that does, one after the other, what these expressions say (RE2, `\s` in ASCII):

* `[(\[{<«“]\s*[)\]}>»”]` becomes a space: what was in the brackets is gone;
* `[ \t]+([,;:.!?…]+(?:\s|$))` loses its spaces;
* `[ \t]{2,}` becomes one space;
* `^[\s:;,.]+(?:\s|$)|\s+$|^\s+` goes.

Tests hold the kernel to them. A text never becomes longer.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numba import njit

from groundswell.gate.strings import buffers, build
from groundswell.kernels import inner

__all__ = ["MENDING", "mend"]

MENDING = (
    (r"[(\[{<«“]\s*[)\]}>»”]", " "),
    (r"[ \t]+([,;:.!?…]+(?:\s|$))", r"\1"),
    (r"[ \t]{2,}", " "),
    (r"^[\s:;,.]+(?:\s|$)|\s+$|^\s+", ""),
)
"""The same as expressions and what is put for a match, in their order."""


@inner
def _is_space(byte):  # type: ignore[no-untyped-def]
    return byte == 32 or byte == 9 or byte == 10 or byte == 12 or byte == 13


@inner
def _bracket(data, at, end):  # type: ignore[no-untyped-def]
    """1 for an opening bracket or quotation mark at `at`, 2 for a closing one, 0; and the byte behind it."""
    byte = data[at]
    if byte == 40 or byte == 91 or byte == 123 or byte == 60:
        return 1, at + 1
    if byte == 41 or byte == 93 or byte == 125 or byte == 62:
        return 2, at + 1
    if byte == 0xC2 and at + 1 < end:
        if data[at + 1] == 0xAB:
            return 1, at + 2
        if data[at + 1] == 0xBB:
            return 2, at + 2
    if byte == 0xE2 and at + 2 < end and data[at + 1] == 0x80:
        if data[at + 2] == 0x9C:
            return 1, at + 3
        if data[at + 2] == 0x9D:
            return 2, at + 3
    return 0, at


@inner
def _punctuation(data, at, end):  # type: ignore[no-untyped-def]
    """The byte behind the punctuation at `at`; `at` where there is none."""
    while at < end:
        byte = data[at]
        if byte == 44 or byte == 59 or byte == 58 or byte == 46 or byte == 33 or byte == 63:
            at += 1
        elif byte == 0xE2 and at + 2 < end and data[at + 1] == 0x80 and data[at + 2] == 0xA6:
            at += 3
        else:
            break
    return at


@inner
def _close_hollows(text, size):  # type: ignore[no-untyped-def]
    at = written = 0
    while at < size:
        side, after = _bracket(text, at, size)
        if side == 1:
            inside = after
            while inside < size and _is_space(text[inside]):
                inside += 1
            if inside < size:
                side, behind = _bracket(text, inside, size)
                if side == 2:
                    text[written] = 32
                    written += 1
                    at = behind
                    continue
        text[written] = text[at]
        written += 1
        at += 1
    return written


@inner
def _behind_blanks(text, at, size):  # type: ignore[no-untyped-def]
    """The place behind the spaces and tabs at `at`."""
    while at < size and (text[at] == 32 or text[at] == 9):
        at += 1
    return at


@inner
def _draw_up(text, size):  # type: ignore[no-untyped-def]
    """Take the spaces before punctuation that ends a word."""
    at = written = 0
    while at < size:
        begin = at
        at = _behind_blanks(text, at, size)
        if at > begin and at < size:
            after = _punctuation(text, at, size)
            if after > at and (after == size or _is_space(text[after])):
                begin = at  # the spaces go, and the one behind is spoken for
                at = min(after + 1, size)
        at = max(at, begin + 1)
        while begin < at:
            text[written] = text[begin]
            written += 1
            begin += 1
    return written


@inner
def _single_spaces(text, size):  # type: ignore[no-untyped-def]
    at = written = 0
    while at < size:
        begin = at
        at = _behind_blanks(text, at, size)
        if at - begin == 1:
            text[written] = text[begin]
            written += 1
        elif at > begin:
            text[written] = 32
            written += 1
        else:
            text[written] = text[at]
            written += 1
            at += 1
    return written


@inner
def _margins(text, size):  # type: ignore[no-untyped-def]
    """Where the text begins and ends without its margins."""
    run = space = 0
    while run < size and (_is_space(text[run]) or text[run] in (58, 59, 44, 46)):
        run += 1
    if run == size:
        return 0, 0
    while space < run and _is_space(text[space]):
        space += 1
    first = run - 1
    while first > 0 and not _is_space(text[first]):
        first -= 1
    first = first + 1 if first > 0 else space
    while size > first and _is_space(text[size - 1]):
        size -= 1
    return first, size


@njit(cache=True, nogil=True)
def _mend(data, offsets, text, out, ends):  # type: ignore[no-untyped-def]
    written = 0
    for row in range(len(offsets) - 1):
        size = offsets[row + 1] - offsets[row]
        for place in range(size):
            text[place] = data[offsets[row] + place]
        size = _close_hollows(text, size)
        size = _draw_up(text, size)
        size = _single_spaces(text, size)
        first, size = _margins(text, size)
        for place in range(first, size):
            out[written] = text[place]
            written += 1
        ends[row + 1] = written
    return written


def mend(texts: pa.StringArray) -> pa.StringArray:
    """The texts without holes.

    >>> mend(pa.array([": fire  ( ) in the port .", "a , b"])).to_pylist()
    ['fire in the port.', 'a, b']
    """
    data, offsets = buffers(texts)
    sizes = np.diff(offsets)
    out = np.empty(int(offsets[-1]) - int(offsets[0]), np.uint8)
    ends = np.zeros(len(offsets), np.int32)
    text = np.empty(int(sizes.max(initial=0)), np.uint8)
    return build(out[: _mend(data, offsets, text, out, ends)], ends)
