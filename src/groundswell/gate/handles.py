"""Takes handles out of texts: a kernel for those among ASCII, nearly all there are.

It does what `patterns.HANDLE` says where what stands around an at-sign is of ASCII; a text with any other is
left as it is, for the expression. Owns no forms of identifiers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from groundswell.gate.ascii import is_space
from groundswell.gate.drafts import Drafts
from groundswell.gate.strings import Rows, copy
from groundswell.kernels import inner, kernel

__all__ = ["LEFT", "TAKEN", "strip_handles"]

NONE, TAKEN, LEFT = range(3)
"""What became of a text: it has no handle; it had; it is for the expression."""

_MAX_HANDLES = 64


@inner
def _is_inside(byte):  # type: ignore[no-untyped-def]
    return 97 <= (byte | 32) <= 122 or 48 <= byte <= 57 or byte == 95


@inner
def _is_local(byte):  # type: ignore[no-untyped-def]
    """Can it stand before an at-sign as part of a name?"""
    return _is_inside(byte) or byte == 45 or byte == 46 or byte == 43


@inner
def _is_of_credits(byte):  # type: ignore[no-untyped-def]
    """Is it the first letter of RT, MT, QT or HT?"""
    return byte == 114 or byte == 109 or byte == 113 or byte == 104


@inner
def _credit(data, start, past, at):  # type: ignore[no-untyped-def]
    """Where a word such as `RT` begins that stands before the at-sign at `at`; `at` where none does.

    What lies before `past` belongs to the handle before, and only tells whether a word begins there.
    """
    end = at
    while end > past and is_space(data[end - 1]):
        end -= 1
    if end > past and data[end - 1] == 58:
        end -= 1
        while end > past and is_space(data[end - 1]):
            end -= 1
    begin = at
    if (
        end - past >= 3
        and data[end - 3] | 32 == 118
        and data[end - 2] | 32 == 105
        and data[end - 1] | 32 == 97
    ):
        begin = end - 3  # via
    elif end - past >= 2 and data[end - 1] | 32 == 116 and _is_of_credits(data[end - 2] | 32):
        begin = end - 2
    return at if begin > start and _is_inside(data[begin - 1]) else begin


@inner
def _end(data, at, stop):  # type: ignore[no-untyped-def]
    """The byte behind the handle whose name begins at `at`; -1 where it is left to the expression."""
    while at < stop:
        joint = data[at] == 46 or data[at] == 45
        ahead = at + 1 if joint else at
        if ahead < stop and (data[ahead] >= 0x80 or data[ahead] == 64):
            return np.int64(-1)
        if ahead == stop or not _is_inside(data[ahead]):
            break
        at = ahead + 1
    if at < stop and data[at] == 58:
        at += 1
        if at < stop and (data[at] == 45 or 97 <= data[at] <= 122 or 48 <= data[at] <= 57):
            return np.int64(-1)  # perhaps a bridge's host
    return at


@inner
def _find(data, start, stop, begins, ends):  # type: ignore[no-untyped-def]
    """Find the handles of the text `data[start:stop]`: how many; -1 where it is left to the expression."""
    count = 0
    past = start
    for at in range(start, stop):
        if data[at] != 64 or at < past:
            continue
        following = data[at + 1] if at + 1 < stop else np.uint8(32)
        if following >= 0x80 or following == 64 or following == 46 or following == 45:
            return -1
        if not _is_inside(following):
            continue
        begin = at
        while begin > past and _is_local(data[begin - 1]):
            begin -= 1
        if begin == at:
            begin = _credit(data, start, past, at)
        after = _end(data, at + 1, stop)
        if after < 0 or count == _MAX_HANDLES:
            return -1
        begins[count], ends[count] = begin, after
        count += 1
        past = after
    return count


@kernel
def _strip(data, out, starts, ends, drafts, begins, afters, fates):  # type: ignore[no-untyped-def]
    for place in range(len(drafts)):
        draft = drafts[place]
        start, stop = np.int64(starts[draft]), np.int64(ends[draft])
        count = _find(data, start, stop, begins, afters)
        fates[place] = LEFT if count < 0 else TAKEN if count else NONE
        if count > 0:
            copied = written = start
            for handle in range(count):
                written = copy(data, copied, begins[handle], out, written)
                out[written] = 32
                written += 1
                copied = afters[handle]
            ends[draft] = copy(data, copied, stop, out, written)


def strip_handles(drafts: Drafts, which: Rows) -> npt.NDArray[np.uint8]:
    """Take the handles out of some drafts; what became of each.

    >>> import pyarrow as pa
    >>> drafts = Drafts(pa.array(["RT @jane_doe: fire", "no one", "ask @Петя"]))
    >>> strip_handles(drafts, drafts.rows).tolist() == [TAKEN, NONE, LEFT]
    True
    >>> drafts.column()[0].as_py()
    '  fire'
    """
    fates = np.empty(len(which), np.uint8)
    begins, ends = np.empty(_MAX_HANDLES, np.int64), np.empty(_MAX_HANDLES, np.int64)
    _strip(drafts.readable().data, drafts.data, drafts.starts, drafts.ends, which, begins, ends, fates)
    return fates
