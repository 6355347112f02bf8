"""Which script a text is in, and its letters alone: one pass over the bytes, before any language model.

Scripts are ISO 15924 codes. Han, kana and Hangul letters count double, for one of them says as much as two
letters of an alphabet. Links, handles, entities, `RT`, digits, emoji and punctuation are no letters; they
become one space. Letters are lower-cased and in one form; one apostrophe stands for all; a letter is written
at most twice running.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.enrich.fold import I32, U8, U32, decode, text_buffers
from groundswell.kernels import allocating

__all__ = ["SCRIPTS", "U16", "Letters", "letters"]

U16 = npt.NDArray[np.uint16]

SCRIPTS = (
    *("Zyyy", "Latn", "Cyrl", "Grek", "Arab", "Hebr", "Deva", "Beng", "Guru", "Gujr", "Orya", "Taml", "Telu"),
    *("Knda", "Mlym", "Sinh", "Thai", "Laoo", "Tibt", "Mymr", "Geor", "Armn", "Ethi", "Khmr", "Hang", "Hani"),
    *("Kana", "Thaa", "Syrc", "Nkoo", "Cher", "Cans", "Mong", "Olck", "Tfng", "Limb", "Java", "Adlm", "Vaii"),
    *("Mtei", "Yiii"),
)
_NUMBER = {script: number for number, script in enumerate(SCRIPTS)}

# The blocks of each script, first and last code point.
_BLOCKS: dict[str, tuple[tuple[int, int], ...]] = {
    "Latn": (
        (0x41, 0x24F),
        (0x250, 0x2AF),
        (0x1E00, 0x1EFF),
        (0x2C60, 0x2C7F),
        (0xA720, 0xA7FF),
        (0xFB00, 0xFB06),
        (0xFF21, 0xFF5A),
    ),
    "Grek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "Cyrl": ((0x400, 0x52F), (0x1C80, 0x1C8F), (0x2DE0, 0x2DFF), (0xA640, 0xA69F)),
    "Armn": ((0x531, 0x58F),),
    "Hebr": ((0x591, 0x5F4), (0xFB1D, 0xFB4F)),
    "Arab": ((0x600, 0x6FF), (0x750, 0x77F), (0x870, 0x8FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC)),
    "Syrc": ((0x700, 0x74F),),
    "Thaa": ((0x780, 0x7BF),),
    "Nkoo": ((0x7C0, 0x7FF),),
    "Deva": ((0x900, 0x97F), (0xA8E0, 0xA8FF)),
    "Beng": ((0x980, 0x9FF),),
    "Guru": ((0xA00, 0xA7F),),
    "Gujr": ((0xA80, 0xAFF),),
    "Orya": ((0xB00, 0xB7F),),
    "Taml": ((0xB80, 0xBFF),),
    "Telu": ((0xC00, 0xC7F),),
    "Knda": ((0xC80, 0xCFF),),
    "Mlym": ((0xD00, 0xD7F),),
    "Sinh": ((0xD80, 0xDFF),),
    "Thai": ((0xE00, 0xE7F),),
    "Laoo": ((0xE80, 0xEFF),),
    "Tibt": ((0xF00, 0xFFF),),
    "Mymr": ((0x1000, 0x109F), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F)),
    "Geor": ((0x10A0, 0x10FF), (0x1C90, 0x1CBF), (0x2D00, 0x2D2F)),
    "Hang": ((0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7FF)),
    "Ethi": ((0x1200, 0x139F), (0x2D80, 0x2DDF), (0xAB00, 0xAB2F)),
    "Cher": ((0x13A0, 0x13FF), (0xAB70, 0xABBF)),
    "Cans": ((0x1400, 0x167F), (0x18B0, 0x18FF)),
    "Khmr": ((0x1780, 0x17FF),),
    "Mong": ((0x1800, 0x18AF),),
    "Limb": ((0x1900, 0x194F),),
    "Olck": ((0x1C50, 0x1C7F),),
    "Tfng": ((0x2D30, 0x2D7F),),
    "Kana": ((0x3041, 0x30FF), (0x31F0, 0x31FF), (0xFF66, 0xFF9F)),
    "Hani": ((0x3005, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)),
    "Yiii": ((0xA000, 0xA4CF),),
    "Vaii": ((0xA500, 0xA63F),),
    "Java": ((0xA980, 0xA9DF),),
    "Mtei": ((0xAAE0, 0xAAFF), (0xABC0, 0xABFF)),
}

_HAN = _NUMBER["Hani"]
_KANA = _NUMBER["Kana"]
_HANGUL = _NUMBER["Hang"]
_ADLM = _NUMBER["Adlm"]
_KANA_SHARE = 8  # one kana in eight letters makes Han Japanese

_SPACE = 32
_SIGN = 62  # likewise: emoji, `!` and `?`, where they are asked for
_MARK = 63  # in place of a script: belongs to the word it stands in
_APOSTROPHES = "'’ʼ‛＇ʹ`´ʻ‘"
# Zero-width characters, soft hyphen and tatweel mean nothing to a reader.
_INVISIBLE = (
    0xAD,
    0x61C,
    0x640,
    0x200B,
    0x200C,
    0x200D,
    0x200E,
    0x200F,
    0x2060,
    0xFEFF,
    *range(0xFE00, 0xFE10),
)
# Letters beyond the basic plane: Adlam, capitals first; Han is one and the same unknown character.
_ADLAM = 0x1E900
_ADLAM_SMALL = 0x1E922
_ADLAM_END = 0x1E95F
_PLANE_2 = 0x20000
_PLANE_4 = 0x40000
_RARE_HAN = 0xF8FF
# Emoji stand in the private use area, where no text has letters.
_EMOJI = 0x1F000
_EMOJI_END = 0x1FAFF
_SKIN_TONES = (0x1F3FB, 0x1F3FF)
_EMOJI_AT = 0xEC00
_SIGNS = (*b"!?", *range(0x2600, 0x27C0))


class Letters(NamedTuple):
    """A batch's letters alone."""

    bounds: I32
    """Rows + 1 positions in `codes`."""
    codes: U16
    """Code points (Adlam moved to U+E900 …); words between single spaces, one at either end too."""
    script: U8
    """Index into `SCRIPTS`; 0 when there are no letters."""
    counts: I32
    """Letters of that script."""


@cache
def _table(signs: bool) -> U32:
    """For each code point of the basic plane: what it is read as, and `script << 16`.

    Read as 0 is left out, as a space ends a word.
    """
    table = np.full(0x10000, _SPACE, np.uint32)
    for script, blocks in _BLOCKS.items():
        for low, high in blocks:
            for code in range(low, high + 1):
                char = chr(code)
                if unicodedata.category(char)[0] in "LM":
                    lowered = unicodedata.normalize("NFKC", char).lower()
                    read = ord(lowered) if len(lowered) == 1 else code
                    table[code] = (read if read < 0x10000 else code) | _NUMBER[script] << 16
    for code in range(0x300, 0x370):
        table[code] = code | _MARK << 16
    for char in _APOSTROPHES:
        table[ord(char)] = ord("'") | _MARK << 16
    table[ord("İ")] = ord("i") | _NUMBER["Latn"] << 16
    table[list(_INVISIBLE)] = 0
    if signs:
        for code in _SIGNS:
            table[code] = code | _SIGN << 16
    return table


def letters(text: pa.StringArray, cap: int, *, signs: bool = False) -> Letters:
    """The letters of every row and the script most of them are in; of each row the first `cap` are read.

    `signs` are emoji, `!` and `?`: with them, they are read as letters of no script.
    """
    offsets, data = text_buffers(text)
    rows = len(offsets) - 1
    lengths = np.minimum(np.diff(offsets), cap)
    codes = np.empty(int(lengths.sum()) + 3 * rows, np.uint16)
    bounds = np.zeros(rows + 1, np.int32)
    script = np.zeros(rows, np.uint8)
    count = np.zeros(rows, np.int32)
    _letters(offsets, data, cap, _table(signs), signs, codes, bounds, script, count)
    return Letters(bounds, codes[: bounds[-1]], script, count)


@allocating
def _skipped(data: U8, i: int, end: int) -> int:
    """The end of the handle, link, entity or `RT` that begins at `i`; `i` itself where none does."""
    lead = data[i]
    if lead == 38:  # &amp;
        for k in range(i + 2, min(i + 8, end)):
            if data[k] == 59:
                return k + 1
        return i
    if lead == 82:  # RT
        return i + 2 if i + 2 < end and data[i + 1] == 84 and data[i + 2] == 32 else i
    link = lead == 64  # @
    link |= end - i > 3 and lead == 104 and data[i + 1] == 116 and data[i + 2] == 116 and data[i + 3] == 112
    link |= end - i > 3 and lead == 119 and data[i + 1] == 119 and data[i + 2] == 119 and data[i + 3] == 46
    if link:
        while i < end and data[i] > 32:
            i += 1
    return i


@allocating
def _letters(
    offsets: I32, data: U8, cap: int, table: U32, signs: bool, codes: U16, bounds: I32, script: U8, count: I32
) -> None:
    counts = np.zeros(_MARK + 1, np.int32)
    at = 0
    for row in range(len(offsets) - 1):
        counts[:] = 0
        i = int(offsets[row])
        end = int(offsets[row + 1])
        codes[at] = _SPACE
        at += 1
        stop = at + cap
        fresh = True
        while i < end and at < stop:
            lead = data[i]
            if fresh and (lead == 64 or lead == 104 or lead == 119 or lead == 38 or lead == 82):
                after = _skipped(data, i, end)
                if after > i:
                    i = after
                    continue
            if lead < 0x80:
                entry = table[lead]
                i += 1
            else:
                code, length = decode(data, i, end)
                i += length
                entry = table[code] if code < 0x10000 else _beyond(code, signs)
            char = entry & np.uint32(0xFFFF)
            kind = entry >> np.uint32(16)
            if char == _SPACE:
                if not fresh:
                    codes[at] = _SPACE
                    at += 1
                    fresh = True
            elif char != 0 and not (fresh and kind == _MARK):
                if codes[at - 1] == char and at >= 2 and codes[at - 2] == char:
                    continue
                codes[at] = char
                at += 1
                counts[kind] += 1
                fresh = False
        if not fresh:
            codes[at] = _SPACE
            at += 1
        bounds[row + 1] = at
        script[row], count[row] = _dominant(counts)


@allocating
def _beyond(code: int, signs: bool) -> np.uint32:
    """The table's entry for a character outside the basic plane."""
    if _ADLAM <= code <= _ADLAM_END:
        small = code + (_ADLAM_SMALL - _ADLAM) if code < _ADLAM_SMALL else code
        return np.uint32((small & 0xFFFF) | _ADLM << 16)
    if signs and _EMOJI <= code <= _EMOJI_END:
        if _SKIN_TONES[0] <= code <= _SKIN_TONES[1]:
            return np.uint32(0)
        return np.uint32((code - _EMOJI + _EMOJI_AT) | _SIGN << 16)
    if _PLANE_2 <= code < _PLANE_4:
        return np.uint32(_RARE_HAN | _HAN << 16)
    return np.uint32(_SPACE)


@allocating
def _dominant(counts: I32) -> tuple[int, int]:
    if counts[_KANA] * _KANA_SHARE >= counts[_HAN] and counts[_KANA] > 0:
        counts[_KANA] += counts[_HAN]
        counts[_HAN] = 0
    best = 0
    most = 0
    for script in range(1, len(SCRIPTS)):
        weight = counts[script] * (2 if script in (_KANA, _HAN, _HANGUL) else 1)
        if weight > most:
            best = script
            most = weight
    return best, counts[best]
