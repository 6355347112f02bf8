"""Undoes disguises, so that a masked identifier looks like a plain one to everything after.

Owns character-level tricks: full-width and mathematical letters, look-alike at-signs, invisible
characters put between letters, digits of other scripts among ASCII letters, percent-encoding and HTML
entities. It refuses to judge what the letters
spell.

Every step makes the text shorter or leaves it alone, in one pass over the bytes. Invisible characters go
only where they stand beside ASCII, a digit or an at-sign: a zero-width non-joiner is spelling in Persian,
a joiner holds emoji together.
"""

from __future__ import annotations

import unicodedata

import numpy as np

from groundswell.gate.ascii import is_alnum
from groundswell.gate.drafts import Drafts
from groundswell.gate.strings import Bytes, Offsets, Rows
from groundswell.kernels import inner, kernel

__all__ = ["DIGIT_VALUES", "PLAIN", "next_code_point", "unmask"]

_PLANES = 0x20000  # code points at and above this are never digits or letters in disguise


_INVISIBLE = 1  # the code in `PLAIN` for a character that shows nothing


def _digit_values() -> np.ndarray:
    """The decimal value of each code point, -1 where it is no digit (Unicode category Nd)."""
    values = np.full(_PLANES, -1, np.int8)
    for code in range(_PLANES):
        value = unicodedata.decimal(chr(code), -1)
        values[code] = value
    return values


def _plain() -> np.ndarray:
    """For each code point the ASCII character it poses as, `_INVISIBLE`, or 0 to leave it alone.

    Letters and digits are those whose compatibility decomposition (NFKC) is one ASCII character, superscripts
    and fractions left out because they carry meaning (km²); of the signs, those that identifiers need.
    """
    plain = np.zeros(_PLANES, np.uint8)
    # The long s is what RE2 takes an s for wherever case does not count.
    ranges = [
        (0x17F, 0x180),
        (0x2100, 0x2150),
        (0x24B6, 0x24EA),
        (0xFF10, 0xFF5B),
        (0x1D400, 0x1D800),
        (0x1F130, 0x1F14A),
    ]
    for first, last in ranges:
        for code in range(first, last):
            folded = unicodedata.normalize("NFKC", chr(code))
            if len(folded) == 1 and folded.isascii() and folded.isalnum():
                plain[code] = ord(folded)
    for code in (*range(0x1F150, 0x1F16A), *range(0x1F170, 0x1F18A)):  # negative circled and squared letters
        plain[code] = ord("A") + (code - 0x1F150) % 0x20
    for posing, sign in zip("＠﹫．﹒／＿－﹣＋％＆", "@@../_--+%&", strict=True):
        plain[ord(posing)] = ord(sign)
    for code in range(0x80, _PLANES):
        if unicodedata.category(chr(code)) == "Cf" or 0xFE00 <= code <= 0xFE0F:
            plain[code] = _INVISIBLE
    for code in (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0):
        plain[code] = _INVISIBLE
    return plain


DIGIT_VALUES = _digit_values()
PLAIN = _plain()


def _named() -> tuple[Bytes, Offsets, Bytes]:
    names = {
        "amp": "&", "commat": "@", "period": ".", "colon": ":", "sol": "/", "lowbar": "_", "num": "#",
        "plus": "+", "percnt": "%", "dash": "-", "hyphen": "-", "lpar": "(", "rpar": ")",
    }  # fmt: skip
    offsets = np.cumsum([0, *(len(name) for name in names)]).astype(np.int32)
    data = np.frombuffer("".join(names).encode(), np.uint8)
    return data, offsets, np.frombuffer("".join(names.values()).encode(), np.uint8)


_ENTITY_NAMES, _ENTITY_OFFSETS, _ENTITY_SIGNS = _named()


@inner
def next_code_point(data, at):  # type: ignore[no-untyped-def]
    """The code point at byte `at` and the byte after it; broken UTF-8 counts as single bytes."""
    lead = data[at]
    left = len(data) - at
    if lead < 0x80:
        return np.int64(lead), at + 1
    if lead < 0xE0 and left > 1:
        return np.int64(lead & 0x1F) << 6 | np.int64(data[at + 1] & 0x3F), at + 2
    if lead < 0xF0 and left > 2:
        code = np.int64(lead & 0x0F) << 12 | np.int64(data[at + 1] & 0x3F) << 6
        return code | np.int64(data[at + 2] & 0x3F), at + 3
    if left > 3:
        code = np.int64(lead & 0x07) << 18 | np.int64(data[at + 1] & 0x3F) << 12
        return code | np.int64(data[at + 2] & 0x3F) << 6 | np.int64(data[at + 3] & 0x3F), at + 4
    return np.int64(lead), at + 1


@inner
def _hex(byte):  # type: ignore[no-untyped-def]
    if 48 <= byte <= 57:
        return np.int64(byte) - 48
    if 65 <= byte <= 70:
        return np.int64(byte) - 55
    if 97 <= byte <= 102:
        return np.int64(byte) - 87
    return np.int64(-1)


@inner
def _percent(data, at, end):  # type: ignore[no-untyped-def]
    """The ASCII character that `%XX` at `at` encodes, however often over, and the byte after; -1 if none."""
    digits = at + 1
    while digits + 3 < end and data[digits] == 50 and data[digits + 1] == 53 and _hex(data[digits + 2]) >= 0:
        if data[digits + 2] == 50 and data[digits + 3] == 53:
            digits += 2  # %2525…: the percent sign itself was encoded again
            continue
        if _hex(data[digits + 3]) < 0:
            break
        digits += 2
    if digits + 1 >= end:
        return np.int64(-1), at
    high, low = _hex(data[digits]), _hex(data[digits + 1])
    code = high * 16 + low
    if high < 0 or low < 0 or not (code == 64 or code == 95 or 43 <= code <= 58 or is_alnum(code)):
        return np.int64(-1), at
    return code, digits + 2


@inner
def _entity(data, at, end, names, name_offsets, signs):  # type: ignore[no-untyped-def]
    """The printable ASCII character that the entity at `at` stands for, and the byte after; -1 if none."""
    inside = at + 1
    while (
        inside + 4 <= end
        and data[inside] == 97
        and data[inside + 1] == 109
        and data[inside + 2] == 112
        and data[inside + 3] == 59
    ):
        inside += 4  # &amp;amp;…: the ampersand itself was encoded, maybe again and again
    close = inside
    while close < end and close - inside < 12 and (is_alnum(data[close]) or data[close] == 35):
        close += 1
    code = np.int64(-1)
    if close < end and data[close] == 59 and close > inside:
        if data[inside] == 35:
            code = np.int64(0)
            is_hex = inside + 1 < close and (data[inside + 1] | 32) == 120
            base = 16 if is_hex else 10
            for place in range(inside + (2 if is_hex else 1), close):
                digit = _hex(data[place])
                if digit < 0 or digit >= base:
                    code = np.int64(-1)
                    break
                code = min(code * base + digit, np.int64(1 << 30))
            if not 32 < code < 127:
                code = np.int64(-1)
        else:
            for name in range(len(signs)):
                length = name_offsets[name + 1] - name_offsets[name]
                if length != close - inside:
                    continue
                same = True
                for step in range(length):
                    if data[inside + step] != names[name_offsets[name] + step]:
                        same = False
                        break
                if same:
                    code = np.int64(signs[name])
    if code >= 0:
        return code, close + 1
    if inside > at + 1:
        return np.int64(38), inside
    return np.int64(-1), at


@inner
def _are_digits_alien(data, at, end, digit_values, plain):  # type: ignore[no-untyped-def]
    """Does a digit of another script stand directly beside an ASCII letter: AB١٢٣٤C?"""
    letter = digit = False
    while at < end:
        code, at = next_code_point(data, at)
        is_letter = 97 <= (code | 32) <= 122
        is_digit = 0x80 <= code < len(digit_values) and digit_values[code] >= 0 and plain[code] == 0
        if (letter and is_digit) or (digit and is_letter):
            return True
        letter, digit = is_letter, is_digit
    return False


@kernel
def _unmask(data, out, starts, ends, drafts, digit_values, plain, names, name_offsets, signs):  # type: ignore[no-untyped-def]
    for draft in drafts:
        at, end = np.int64(starts[draft]), np.int64(ends[draft])
        written = at
        beside = False  # is the last character kept ASCII or a digit?
        alien = _are_digits_alien(data, at, end, digit_values, plain)
        while at < end:
            byte = data[at]
            if byte < 0x80:
                sign = np.int64(-1)
                after = at
                if byte == 37:
                    sign, after = _percent(data, at, end)
                    if not beside and (after >= end or data[after] <= 32):
                        sign = np.int64(-1)  # a lone %40 is a careless 40 %
                elif byte == 38:
                    sign, after = _entity(data, at, end, names, name_offsets, signs)
                if sign >= 0:
                    out[written] = sign
                    at = after
                else:
                    out[written] = byte
                    at += 1
                written += 1
                beside = byte > 32
                continue
            code, after = next_code_point(data, at)
            posing = plain[code] if code < len(plain) else np.uint8(0)
            if posing == _INVISIBLE:
                while after < end and data[after] >= 0x80:  # a run of them stays or goes as one
                    code, beyond = next_code_point(data, after)
                    if code >= len(plain) or plain[code] != _INVISIBLE:
                        break
                    after = beyond
                following = data[after] if after < end else np.uint8(0)
                if beside or 32 < following < 0x80:
                    at = after
                    continue
                beside = False
            elif posing:
                out[written] = posing
                written += 1
                at = after
                beside = True
                continue
            elif alien and code < len(digit_values) and digit_values[code] >= 0:
                out[written] = 48 + digit_values[code]
                written += 1
                at = after
                beside = True
                continue
            else:
                beside = code < len(digit_values) and digit_values[code] >= 0
            while at < after:
                out[written] = data[at]
                written += 1
                at += 1
        ends[draft] = written


def unmask(drafts: Drafts, which: Rows) -> None:
    """Undo the character-level disguises of some drafts; none becomes longer.

    >>> import pyarrow as pa
    >>> drafts = Drafts(pa.array(["jane&commat;example%2Ecom", "ｊａｎｅ＠example．com"]))
    >>> unmask(drafts, np.arange(2))
    >>> drafts.column().to_pylist()
    ['jane@example.com', 'jane@example.com']
    """
    _unmask(
        drafts.readable().data,
        drafts.data,
        drafts.starts,
        drafts.ends,
        which,
        DIGIT_VALUES,
        PLAIN,
        _ENTITY_NAMES,
        _ENTITY_OFFSETS,
        _ENTITY_SIGNS,
    )
