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

from groundswell.gate.ascii import is_space
from groundswell.gate.drafts import Drafts
from groundswell.gate.strings import Rows
from groundswell.kernels import inner, kernel

__all__ = ["MENDING", "mend"]

MENDING = (
    (r"[(\[{<«“]\s*[)\]}>»”]", " "),
    (r"[ \t]+([,;:.!?…]+(?:\s|$))", r"\1"),
    (r"[ \t]{2,}", " "),
    (r"^[\s:;,.]+(?:\s|$)|\s+$|^\s+", ""),
)
"""The same as expressions and what is put for a match, in their order."""


@inner
def _bracket(text, at, end):  # type: ignore[no-untyped-def]
    """1 for an opening bracket or quotation mark at `at`, 2 for a closing one, 0; and the byte behind it."""
    byte = text[at]
    if byte == 40 or byte == 91 or byte == 123 or byte == 60:
        return 1, at + 1
    if byte == 41 or byte == 93 or byte == 125 or byte == 62:
        return 2, at + 1
    if byte == 0xC2 and at + 1 < end:
        if text[at + 1] == 0xAB:
            return 1, at + 2
        if text[at + 1] == 0xBB:
            return 2, at + 2
    if byte == 0xE2 and at + 2 < end and text[at + 1] == 0x80:
        if text[at + 2] == 0x9C:
            return 1, at + 3
        if text[at + 2] == 0x9D:
            return 2, at + 3
    return 0, at


@inner
def _punctuation(text, at, end):  # type: ignore[no-untyped-def]
    """The byte behind the punctuation at `at`; `at` where there is none."""
    while at < end:
        byte = text[at]
        if byte == 44 or byte == 59 or byte == 58 or byte == 46 or byte == 33 or byte == 63:
            at += 1
        elif byte == 0xE2 and at + 2 < end and text[at + 1] == 0x80 and text[at + 2] == 0xA6:
            at += 3
        else:
            break
    return at


@inner
def _close_hollows(text, at, end):  # type: ignore[no-untyped-def]
    """Put a space for each bracket with nothing in it; the end of the text then."""
    written = at
    while at < end:
        side, after = _bracket(text, at, end)
        if side == 1:
            inside = after
            while inside < end and is_space(text[inside]):
                inside += 1
            if inside < end:
                side, behind = _bracket(text, inside, end)
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
def _behind_blanks(text, at, end):  # type: ignore[no-untyped-def]
    """The place behind the spaces and tabs at `at`."""
    while at < end and (text[at] == 32 or text[at] == 9):
        at += 1
    return at


@inner
def _draw_up(text, at, end):  # type: ignore[no-untyped-def]
    """Take the spaces before punctuation that ends a word; the end of the text then."""
    written = at
    while at < end:
        begin = at
        at = _behind_blanks(text, at, end)
        if at > begin and at < end:
            after = _punctuation(text, at, end)
            if after > at and (after == end or is_space(text[after])):
                begin = at  # the spaces go, and the one behind is spoken for
                at = min(after + 1, end)
        at = max(at, begin + 1)
        while begin < at:
            text[written] = text[begin]
            written += 1
            begin += 1
    return written


@inner
def _single_spaces(text, at, end):  # type: ignore[no-untyped-def]
    """Make one space of several; the end of the text then."""
    written = at
    while at < end:
        begin = at
        at = _behind_blanks(text, at, end)
        if at - begin <= 1:
            text[written] = text[begin]
            at = begin + 1
        else:
            text[written] = 32
        written += 1
    return written


@inner
def _is_weak(byte):  # type: ignore[no-untyped-def]
    """Is it punctuation that no text begins with?"""
    return byte == 58 or byte == 59 or byte == 44 or byte == 46


@inner
def _without_margins(text, start, end):  # type: ignore[no-untyped-def]
    """Take what the text begins and ends with; the end of the text then."""
    run = space = start
    while run < end and (is_space(text[run]) or _is_weak(text[run])):
        run += 1
    if run == end:
        return start
    while space < run and is_space(text[space]):
        space += 1
    first = run - 1
    while first > start and not is_space(text[first]):
        first -= 1
    first = first + 1 if first > start else space
    while end > first and is_space(text[end - 1]):
        end -= 1
    if first == start:
        return end
    for place in range(first, end):
        text[start + place - first] = text[place]
    return start + end - first


@kernel
def _mend(data, starts, ends, drafts):  # type: ignore[no-untyped-def]
    for draft in drafts:
        start, end = np.int64(starts[draft]), np.int64(ends[draft])
        end = _close_hollows(data, start, end)
        end = _draw_up(data, start, end)
        end = _single_spaces(data, start, end)
        ends[draft] = _without_margins(data, start, end)


def mend(drafts: Drafts, which: Rows) -> None:
    """Mend some drafts.

    >>> import pyarrow as pa
    >>> drafts = Drafts(pa.array([": fire  ( ) in the port .", "a , b"]))
    >>> mend(drafts, np.arange(2))
    >>> drafts.column().to_pylist()
    ['fire in the port.', 'a, b']
    """
    _mend(drafts.data, drafts.starts, drafts.ends, which)
