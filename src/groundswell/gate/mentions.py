"""Finds the one account that a text speaks to or about.

That is the first mention which is no credit (`RT @x:`, `via @x`) and no mask (`@user`). The expressions say
what that means. A kernel settles texts with a single at-sign among ASCII, nearly all of them; the expressions
are asked about the rest. Owns no keys: who is mentioned goes on as a hash alone.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from groundswell.gate.expressions import Expression, text_rows
from groundswell.gate.patterns import ACCOUNT, WORD
from groundswell.gate.strings import buffers
from groundswell.kernels import inner

__all__ = ["mentioned", "mentioned_by_expressions"]

_CREDITS = ("rt", "mt", "qt", "ht", "via", "from", "by", "credit", "cc", "source")
_MASKS = ("user", "username", "handle", "mention", "usuario", "someone")
_NOBODY = Expression(
    rf"\b(?i:{'|'.join(_CREDITS)})\s*:?\s*@{ACCOUNT}\s?:?"
    rf"|(?i:@(?:{'|'.join(sorted(_MASKS, reverse=True))})\b)"
)
_MENTION = Expression(rf"(?:^|[^{WORD}.+%\-/@])@({ACCOUNT})")
_NONE, _NAMED, _ASK = range(3)


def _packed(words: tuple[str, ...]) -> np.ndarray:
    """Each word as one number: at most eight letters of ASCII."""
    return np.array([int.from_bytes(word.encode(), "big") for word in words], np.uint64)


_CREDIT_NUMBERS, _MASK_NUMBERS = _packed(_CREDITS), _packed(_MASKS)


@inner
def _is_letter(byte):  # type: ignore[no-untyped-def]
    return 97 <= (byte | 32) <= 122


@inner
def _is_inside(byte):  # type: ignore[no-untyped-def]
    """Is it an ASCII letter, a digit or an underscore?"""
    return _is_letter(byte) or 48 <= byte <= 57 or byte == 95


@inner
def _is_space(byte):  # type: ignore[no-untyped-def]
    return byte == 32 or byte == 9 or byte == 10 or byte == 12 or byte == 13


@inner
def _is_one_of(data, start, end, words):  # type: ignore[no-untyped-def]
    """Is `data[start:end]` one of the words, whatever its case?"""
    if end - start > 8:
        return False
    packed = np.uint64(0)
    for place in range(start, end):
        packed = packed << np.uint64(8) | np.uint64(data[place] | 32)
    return (words == packed).any()


@inner
def _is_credit(data, start, at):  # type: ignore[no-untyped-def]
    """Does a word such as `via` stand before the at-sign at `at`?"""
    end = at
    while end > start and _is_space(data[end - 1]):
        end -= 1
    if end > start and data[end - 1] == 58:
        end -= 1
        while end > start and _is_space(data[end - 1]):
            end -= 1
    begin = end
    while begin > start and _is_letter(data[begin - 1]):
        begin -= 1
    if begin > start and _is_inside(data[begin - 1]):
        return False
    return begin < end and _is_one_of(data, begin, end, _CREDIT_NUMBERS)


@inner
def _name(data, start, end):  # type: ignore[no-untyped-def]
    """What the text `data[start:end]` comes to, and where the name is."""
    at = -1
    for place in range(start, end):
        if data[place] == 64:
            if at >= 0:
                return _ASK, 0, 0
            at = place
    if at < 0 or at + 1 == end:
        return _NONE, 0, 0
    if data[at + 1] >= 0x80 or (at > start and data[at - 1] >= 0x80):
        return _ASK, 0, 0
    if not _is_inside(data[at + 1]):
        return _NONE, 0, 0
    if at > start:
        before = data[at - 1]
        if _is_inside(before) or before in (46, 43, 37, 45, 47):
            return _NONE, 0, 0
    begin = after = at + 1
    while after < end and _is_inside(data[after]):
        after += 1
    if _is_one_of(data, begin, after, _MASK_NUMBERS) or _is_credit(data, start, at):
        return _NONE, 0, 0
    while after < end:
        joint = data[after] == 46 or data[after] == 45
        ahead = after + 1 if joint else after
        if ahead < end and data[ahead] >= 0x80:
            return _ASK, 0, 0
        if ahead == end or not _is_inside(data[ahead]):
            break
        after = ahead + 1
    return _NAMED, begin, after


@njit(cache=True, nogil=True)
def _names(data, offsets, states, out, ends):  # type: ignore[no-untyped-def]
    """Write the names in lower case; how many bytes."""
    written = 0
    for row in range(len(states)):
        states[row], begin, after = _name(data, offsets[row], offsets[row + 1])
        for place in range(begin, after):
            byte = data[place]
            out[written] = byte | 32 if 65 <= byte <= 90 else byte
            written += 1
        ends[row + 1] = written
    return written


def mentioned(texts: pa.StringArray) -> pa.StringArray:
    """The account each text speaks to or about, case-folded; null for none.

    >>> mentioned(pa.array(["RT @a: look at @B", "@user hi", "@a shame on you"])).to_pylist()
    ['b', None, 'a']
    """
    data, offsets = buffers(texts)
    states = np.empty(len(texts), np.uint8)
    out = np.empty(int(offsets[-1]) - int(offsets[0]), np.uint8)
    ends = np.zeros(len(texts) + 1, np.int32)
    written = _names(data, offsets, states, out, ends)
    found = pa.py_buffer(np.packbits(states == _NAMED, bitorder="little"))
    names = pa.StringArray.from_buffers(len(texts), pa.py_buffer(ends), pa.py_buffer(out[:written]), found)
    if (states == _ASK).any():
        asked = pa.array(states == _ASK)
        names = pc.replace_with_mask(names, asked, mentioned_by_expressions(texts.filter(asked)))
    return names


def mentioned_by_expressions(texts: pa.StringArray) -> pa.StringArray:
    """The same by the expressions alone."""
    names = [_MENTION.first_group(_NOBODY.without(text, b" ")) for text in text_rows(texts)]
    decoded = pa.array(names, pa.binary()).cast(pa.string())
    return pc.utf8_lower(pc.replace_substring_regex(decoded, r"\p{Cf}+", ""))
