"""Which script a text is in, and its letters alone: one pass over the bytes, before any language model.

Scripts are ISO 15924 codes. Han, kana and Hangul letters count double, for one of them says as much as two
letters of an alphabet. Links, handles, digits, emoji and punctuation are no letters; they become one space.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from groundswell.enrich.fold import I32, TABLED, U8, decode, text_buffers

__all__ = ["SCRIPTS", "Letters", "letters"]

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
    "Hani": ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)),
    "Yiii": ((0xA000, 0xA4CF),),
    "Vaii": ((0xA500, 0xA63F),),
    "Java": ((0xA980, 0xA9DF),),
    "Mtei": ((0xAAE0, 0xAAFF), (0xABC0, 0xABFF)),
    "Adlm": ((0x1E900, 0x1E95F),),
}

_HAN = _NUMBER["Hani"]
_KANA = _NUMBER["Kana"]
_HANGUL = _NUMBER["Hang"]
_KANA_SHARE = 8  # one kana in eight letters makes Han Japanese


class Letters(NamedTuple):
    """A batch's letters alone."""

    offsets: I32
    data: U8
    """UTF-8; words separated by single spaces."""
    script: U8
    """Index into `SCRIPTS`; 0 when there are no letters."""
    letters: I32
    """Letters of that script."""


@cache
def _table() -> U8:
    """The script of each code point that is a letter or mark, else 0 (marks of no script: 255)."""
    table = np.zeros(TABLED, np.uint8)
    for script, blocks in _BLOCKS.items():
        for low, high in blocks:
            for code in range(low, high + 1):
                if unicodedata.category(chr(code))[0] in "LM":
                    table[code] = _NUMBER[script]
    table[0x300:0x370] = 255
    table[0x200C:0x200E] = 255  # zero-width joiners are part of a word's spelling
    table[ord("'")] = table[0x2019] = 255
    return table


def letters(text: pa.StringArray, cap_bytes: int) -> Letters:
    """The letters of every row and the script most of them are in; at most `cap_bytes` a row are kept."""
    offsets, data = text_buffers(text)
    bounds = np.zeros(len(offsets), np.int32)
    lengths = np.minimum(np.diff(offsets), cap_bytes + 4)
    out = np.empty(int(lengths.sum()) + len(lengths), np.uint8)
    script = np.zeros(len(lengths), np.uint8)
    count = np.zeros(len(lengths), np.int32)
    _letters(offsets, data, cap_bytes, _table(), out, bounds, script, count)
    return Letters(bounds, out[: bounds[-1]], script, count)


@njit(cache=True, nogil=True)
def _skips_word(data: U8, i: int, end: int) -> bool:
    """Whether a handle or a link begins here."""
    if data[i] == 64:
        return True
    return bool(
        end - i > 4 and data[i] == 104 and data[i + 1] == 116 and data[i + 2] == 116 and data[i + 3] == 112
    )


@njit(cache=True, nogil=True)
def _letters(
    offsets: I32, data: U8, cap_bytes: int, table: U8, out: U8, bounds: I32, script: U8, count: I32
) -> None:
    counts = np.zeros(len(SCRIPTS), np.int32)
    at = 0
    for row in range(len(offsets) - 1):
        counts[:] = 0
        i = int(offsets[row])
        end = int(offsets[row + 1])
        first = at
        fresh = True
        while i < end and at - first < cap_bytes:
            if fresh and _skips_word(data, i, end):
                while i < end and data[i] > 32:
                    i += 1
                continue
            code, length = decode(data, i, end)
            kind = int(table[code]) if code < TABLED else (_HAN if code < 0x30000 else 0)
            if kind == 0:
                if not fresh:
                    out[at] = 32
                    at += 1
                fresh = True
            elif kind != 255 or not fresh:
                if kind != 255:
                    counts[kind] += 1
                for k in range(length):
                    out[at + k] = data[i + k]
                at += length
                fresh = False
            i += length
        bounds[row + 1] = at
        script[row], count[row] = _dominant(counts)


@njit(cache=True, nogil=True)
def _dominant(counts: I32) -> tuple[int, int]:
    if counts[_KANA] * _KANA_SHARE >= counts[_HAN] and counts[_KANA] > 0:
        counts[_KANA] += counts[_HAN]
        counts[_HAN] = 0
    best = 0
    most = 0
    for script in range(1, len(counts)):
        weight = counts[script] * (2 if script in (_KANA, _HAN, _HANGUL) else 1)
        if weight > most:
            best = script
            most = weight
    return best, counts[best]
