"""Finds the one account that a text speaks to or about.

That is the first mention which is no credit (`RT @x:`, `via @x`) and no mask (`@user`). The expressions say
what that means. A kernel settles texts whose at-signs stand apart and among ASCII, nearly all of them; the
expressions are asked about the rest. Owns no keys: who is mentioned goes on as a hash alone.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.gate.ascii import is_alnum, is_letter, is_space
from groundswell.gate.drafts import Drafts
from groundswell.gate.expressions import Expression
from groundswell.gate.patterns import ACCOUNT, WORD
from groundswell.gate.strings import Rows
from groundswell.kernels import inner, kernel

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
def _is_inside(byte):  # type: ignore[no-untyped-def]
    """Is it an ASCII letter, a digit or an underscore?"""
    return is_alnum(byte) or byte == 95


@inner
def _is_one_of(data, start, end, words):  # type: ignore[no-untyped-def]
    """Is `data[start:end]` one of the words, whatever its case?"""
    if end - start > 8:
        return False
    packed = np.uint64(0)
    for place in range(start, end):
        packed = packed << np.uint64(8) | np.uint64(data[place] | 32)
    found = False
    for word in words:
        found |= word == packed
    return found


@inner
def _is_credit(data, start, at):  # type: ignore[no-untyped-def]
    """Does a word such as `via` stand before the at-sign at `at`?"""
    end = at
    while end > start and is_space(data[end - 1]):
        end -= 1
    if end > start and data[end - 1] == 58:
        end -= 1
        while end > start and is_space(data[end - 1]):
            end -= 1
    begin = end
    while begin > start and is_letter(data[begin - 1]):
        begin -= 1
    if begin > start and _is_inside(data[begin - 1]):
        return False
    return begin < end and _is_one_of(data, begin, end, _CREDIT_NUMBERS)


@inner
def _name(data, start, end):  # type: ignore[no-untyped-def]
    """What the text `data[start:end]` comes to, and where the name is."""
    past = start  # behind the last mention that counts for nobody
    for at in range(start, end):
        if data[at] != 64:
            continue
        if at + 1 == end:
            return _NONE, 0, 0
        if data[at + 1] >= 0x80 or (at > start and data[at - 1] >= 0x80):
            return _ASK, 0, 0
        if at < past:
            continue
        joined = at == past and past > start  # what is left of the one before could change what this is
        if joined or (at > start and data[at - 1] == 64) or data[at + 1] == 64:
            return _ASK, 0, 0
        if not _is_inside(data[at + 1]):
            continue
        after = _end_of_name(data, at + 1, end)
        if after < 0 or _leads_on(data, at + 1, after, end):
            return _ASK, 0, 0
        word = at + 1
        while word < end and _is_inside(data[word]):
            word += 1
        if _is_one_of(data, at + 1, word, _MASK_NUMBERS):
            past = word
        elif _is_credit(data, past, at):
            past = after
            if past < end and is_space(data[past]):
                past += 1
            if past < end and data[past] == 58:
                past += 1
        else:
            before = data[at - 1] if at > start else np.uint8(32)
            if not (_is_inside(before) or before == 37 or before == 43 or 45 <= before <= 47):
                return _NAMED, at + 1, after
    return _NONE, 0, 0


@inner
def _end_of_name(data, at, end):  # type: ignore[no-untyped-def]
    """The byte behind the name that begins at `at`; -1 for one beyond ASCII or at an instance."""
    while at < end:
        joint = data[at] == 46 or data[at] == 45
        ahead = at + 1 if joint else at
        if ahead < end and (data[ahead] >= 0x80 or data[ahead] == 64):
            return -1
        if ahead == end or not _is_inside(data[ahead]):
            break
        at = ahead + 1
    return at


@inner
def _leads_on(data, start, at, end):  # type: ignore[no-untyped-def]
    """Does the name `data[start:at]` end in a word that credits the next mention?"""
    while at < end and (is_space(data[at]) or data[at] == 58):
        at += 1
    return at < end and data[at] == 64 and _is_credit(data, start, at)


@kernel
def _names(data, starts, ends, which, states, out, bounds):  # type: ignore[no-untyped-def]
    """Write the names in lower case; how many bytes."""
    written = 0
    for row in range(len(states)):
        states[row], begin, after = _name(data, np.int64(starts[which[row]]), np.int64(ends[which[row]]))
        for place in range(begin, after):
            byte = data[place]
            out[written] = byte | 32 if 65 <= byte <= 90 else byte
            written += 1
        bounds[row + 1] = written
    return written


def mentioned(drafts: Drafts, which: Rows) -> pa.StringArray:
    """The account each of some drafts speaks to or about, case-folded; null for none.

    >>> drafts = Drafts(pa.array(["RT @a: look at @B", "@user hi", "@a shame on you"]))
    >>> mentioned(drafts, np.arange(3)).to_pylist()
    ['b', None, 'a']
    """
    states = np.empty(len(which), np.uint8)
    out = np.empty(int(drafts.sizes[which].sum()), np.uint8)
    bounds = np.zeros(len(which) + 1, np.int32)
    written = _names(*drafts.readable(), which, states, out, bounds)
    found = pa.py_buffer(np.packbits(states == _NAMED, bitorder="little"))
    names = pa.StringArray.from_buffers(len(which), pa.py_buffer(bounds), pa.py_buffer(out[:written]), found)
    asked = np.flatnonzero(states == _ASK)
    if len(asked):
        answers = mentioned_by_expressions(drafts.texts(which[asked]))
        names = pc.replace_with_mask(names, pa.array(states == _ASK), answers)
    return names


def mentioned_by_expressions(texts: pa.StringArray) -> pa.StringArray:
    """The same by the expressions alone."""
    rows = [text.as_buffer().to_pybytes() for text in texts]
    names = [_MENTION.first_group(_NOBODY.without(text, b" ")) for text in rows]
    decoded = pa.array(names, pa.binary()).cast(pa.string())
    return pc.utf8_lower(pc.replace_substring_regex(decoded, r"\p{Cf}+", ""))
