"""Folds post text to one spelling, and says what each character is to a tokeniser.

Owns the character tables and the kernel that turns text into `folded`: lower case, one form for one
character (the one- and two-character mappings of Unicode's NFKC, canonical pairs composed), invisible
characters gone, one apostrophe. `folded` is what phrases are shown from, so marks and accents stay; words are
compared by `skeleton`, in which `names.plain` has taken the accents off.

It does not know words, stop words or languages.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from groundswell.kernels import allocating
from groundswell.names import plain

__all__ = [
    "APOSTROPHE",
    "BREAK",
    "DIGIT",
    "EMOJI",
    "FLAG",
    "GAP",
    "JOINER",
    "UNIT",
    "UNIT_MARK",
    "WORD",
    "Alphabet",
    "Folded",
    "alphabet",
    "fold",
    "text_buffers",
]

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I32 = npt.NDArray[np.int32]

# What a character is to the tokeniser.
BREAK = 0  # ends words and phrases
GAP = 1  # ends a word; a phrase may go on across it
WORD = 2  # letters and marks of scripts that write words apart
DIGIT = 3
UNIT = 4  # letters of scripts that do not: Han, hiragana, Thai, Lao, Khmer, Burmese, Tibetan, …
UNIT_MARK = 5  # joins the unit before it
JOINER = 6  # invisible or skipped inside a word
APOSTROPHE = 7
EMOJI = 8
FLAG = 9  # half a flag: a regional indicator

KIND = 0x0F  # of a character's traits: what it is to the tokeniser …
MARK = 0x10  # … whether it may compose with what stands before it …
SKELETON_SHIFT = 8  # … and what it is compared as
TABLED = 0x20000  # code points with a table entry: the planes 0 and 1; above are Han, tags and nothing else

_UNIT_RANGES = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3005, 0x3007),
    (0x3041, 0x309F),  # hiragana; katakana runs are loan words and stay whole
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAD),  # Tai Tham
    (0x1B00, 0x1B4C),  # Balinese
    (0xA980, 0xA9CF),  # Javanese
    (0xA9E0, 0xA9FF),
    (0xAA60, 0xAA7F),
    (0xAA80, 0xAADF),  # Tai Viet
    (0xF900, 0xFAFF),
    (0x1B000, 0x1B16F),
)
# Long stretches of one kind that fold to themselves: not worth a look at each.
_UNIFORM = (
    (0x3400, 0x4DBF, UNIT),
    (0x4E00, 0x9FFF, UNIT),
    (0xAC00, 0xD7A3, WORD),
    (0xD800, 0xF8FF, BREAK),
    (0x12000, 0x16E3F, WORD),  # behind it capitals: Medefaidrin
    (0x16E60, 0x1AFFF, WORD),
)
_EMOJI_RANGES = ((0x231A, 0x23FF), (0x2600, 0x27BF), (0x2B00, 0x2BFF), (0x1F000, 0x1FAFF))
_INVISIBLE = (
    (0x00AD, 0x00AD),
    (0x061C, 0x061C),
    (0x0640, 0x0640),  # tatweel stretches a word and means nothing
    (0x180B, 0x180E),
    (0x200B, 0x200B),
    (0x200E, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFF9, 0xFFFB),
    (0x1F3FB, 0x1F3FF),  # skin tones
)
_JOINERS = (0x200C, 0x200D, 0x05F3, 0x05F4)  # zero-width (non-)joiner, Hebrew geresh and gershayim
_GAPS = ' \t#-_,"/+&()[]«»“”„‘・·‐‑–—、'
_APOSTROPHES = "’ʼ‛＇ʹ`´"


class Alphabet(NamedTuple):
    """Tables over the code points below `TABLED`; Numba kernels take it as it is."""

    first: U32
    """The folded code point; 0 for one that is dropped."""
    second: U32
    """What follows it; mostly 0."""
    upper: U8
    """1 for capitals."""
    pairs: U64
    """Sorted `base << 32 | mark` that compose …"""
    composed: U32
    """… into these."""
    kind: U8
    skeleton: U32
    """The code point under which words are compared; 0 for marks that do not count."""
    traits: U32
    """The last two side by side, for one look at a character: `skeleton << 8 | MARK | kind`."""


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= code <= high for low, high in ranges)


def _folded(char: str) -> str:
    """At most two characters; empty for an invisible one."""
    code = ord(char)
    if _within(code, _INVISIBLE):
        return ""
    if char in _APOSTROPHES:
        return "'"
    if unicodedata.category(char) in ("Cc", "Zs", "Zp", "Zl") or char in "™℠®©":
        return char if char == "\n" else " "
    if char == "İ":
        return "i"
    lowered = unicodedata.normalize("NFKC", char).lower()
    if 1 <= len(lowered) <= 2 and not lowered.startswith(" "):
        return lowered
    lowered = char.lower()
    return lowered if len(lowered) <= 2 else char


def _kind(char: str) -> int:
    code = ord(char)
    category = unicodedata.category(char)
    if code in _JOINERS:
        return JOINER
    if char == "'":
        return APOSTROPHE
    if char in _GAPS:
        return GAP
    if 0x1F1E6 <= code <= 0x1F1FF:
        return FLAG
    if category == "Nd":
        return DIGIT
    if _within(code, _UNIT_RANGES):
        if category.startswith("M") or code == 0x0F0B:
            return UNIT_MARK
        return UNIT if category.startswith("L") else BREAK
    if _within(code, _EMOJI_RANGES) and category in ("So", "Cn"):
        return EMOJI
    return WORD if category[0] in "LM" else BREAK


def _irregular() -> Iterator[int]:
    """The code points outside the uniform stretches."""
    at = 0
    for low, high, _ in _UNIFORM:
        yield from range(at, low)
        at = high + 1
    yield from range(at, TABLED)


def _compositions(char: str) -> Iterator[int]:
    """Each `base << 32 | mark` that makes `char`; two marks may be typed in either order."""
    parts = [chr(int(part, 16)) for part in unicodedata.decomposition(char).split() if "<" not in part]
    if len(parts) != 2:
        return
    base, mark = parts
    yield ord(base) << 32 | ord(mark)
    inner = unicodedata.normalize("NFD", base)
    if len(inner) == 2 and unicodedata.combining(inner[1]) != unicodedata.combining(mark):
        other = unicodedata.normalize("NFC", inner[0] + mark)
        if len(other) == 1:
            yield ord(other) << 32 | ord(inner[1])


@cache
def alphabet() -> Alphabet:
    """The tables, built once a process from the interpreter's Unicode data (about 0.3 s)."""
    first = np.arange(TABLED, dtype=np.uint32)
    second = np.zeros(TABLED, np.uint32)
    upper = np.zeros(TABLED, np.uint8)
    kind = np.zeros(TABLED, np.uint8)
    skeleton = np.zeros(TABLED, np.uint32)
    pairs: dict[int, int] = {}
    for low, high, uniform in _UNIFORM:
        kind[low : high + 1] = uniform
        skeleton[low : high + 1] = first[low : high + 1] if uniform != BREAK else 0
    for code in _irregular():
        char = chr(code)
        folded = _folded(char)
        first[code] = ord(folded[0]) if folded else 0
        second[code] = ord(folded[1]) if len(folded) > 1 else 0
        upper[code] = char.isupper() or char.istitle()
        kind[code] = _kind(char)
        if kind[code] in (WORD, DIGIT, UNIT, UNIT_MARK):
            bare = plain(char)
            skeleton[code] = ord(bare) if len(bare) == 1 else (code if bare else 0)
        if folded == char:
            pairs.update(dict.fromkeys(_compositions(char), code))
    order = sorted(pairs)
    traits = skeleton << np.uint32(SKELETON_SHIFT) | kind
    marks = np.unique(np.array(order, np.uint64) & np.uint64(0xFFFFFFFF)).astype(np.intp)
    traits[marks[np.isin(kind[marks], (WORD, UNIT_MARK))]] |= MARK
    return Alphabet(
        first,
        second,
        upper,
        np.array(order, np.uint64),
        np.array([pairs[key] for key in order], np.uint32),
        kind,
        skeleton,
        traits,
    )


class Folded(NamedTuple):
    """A batch's folded text as raw buffers, and which of its bytes began as capitals."""

    offsets: I32
    """Rows + 1 byte offsets into `data`."""
    data: U8
    capital: U8
    """1 at the first byte of a character that was a capital in the post."""

    def array(self) -> pa.StringArray:
        offsets, data = pa.py_buffer(self.offsets), pa.py_buffer(self.data)
        return pa.StringArray.from_buffers(len(self.offsets) - 1, offsets, data)


def text_buffers(text: pa.StringArray) -> tuple[I32, U8]:
    """The offsets (rows + 1) and the bytes of a string array, slices included, without a copy."""
    _, offsets, data = text.buffers()
    if len(text) == 0 or offsets is None:
        return np.zeros(len(text) + 1, np.int32), np.zeros(0, np.uint8)
    bounds = np.frombuffer(offsets, np.int32)[text.offset : text.offset + len(text) + 1]
    return bounds, np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)


def fold(text: pa.StringArray) -> Folded:
    """Fold every row; the text must be UTF-8 (Arrow's promise) and without nulls.

    >>> fold(pa.array(["ＦＬＯＯＤ in Zu\u0308rich"])).array()[0].as_py()
    'flood in zürich'
    """
    offsets, data = text_buffers(text)
    total = int(offsets[-1] - offsets[0])
    # A two-byte letter folds to three bytes at most, a three-byte ligature to two letters: twice is enough.
    folded = np.empty(2 * total, np.uint8)
    capital = np.zeros(2 * total, np.uint8)
    bounds = np.zeros(len(offsets), np.int32)
    _fold(offsets, data, alphabet(), folded, capital, bounds)
    return Folded(bounds, folded[: bounds[-1]], capital[: bounds[-1]])


@njit(cache=True, nogil=True, inline="always")
def decode(data: U8, at: int, end: int) -> tuple[int, int]:
    """The code point at `at` and its length in bytes; a cut-off sequence is U+FFFD to the end."""
    lead = int(data[at])
    if lead < 0x80:
        return lead, 1
    if lead < 0xE0:
        if at + 2 > end:
            return 0xFFFD, end - at
        return ((lead & 0x1F) << 6) | (int(data[at + 1]) & 0x3F), 2
    if lead < 0xF0:
        if at + 3 > end:
            return 0xFFFD, end - at
        return ((lead & 0x0F) << 12) | ((int(data[at + 1]) & 0x3F) << 6) | (int(data[at + 2]) & 0x3F), 3
    if at + 4 > end:
        return 0xFFFD, end - at
    low = ((int(data[at + 2]) & 0x3F) << 6) | (int(data[at + 3]) & 0x3F)
    return ((lead & 0x07) << 18) | ((int(data[at + 1]) & 0x3F) << 12) | low, 4


@allocating
def _encode(code: int, out: U8, at: int) -> int:
    """Write `code` as UTF-8 at `at`; the position after it."""
    if code < 0x80:
        out[at] = code
        return at + 1
    if code < 0x800:
        out[at] = 0xC0 | (code >> 6)
        out[at + 1] = 0x80 | (code & 0x3F)
        return at + 2
    if code < 0x10000:
        out[at] = 0xE0 | (code >> 12)
        out[at + 1] = 0x80 | ((code >> 6) & 0x3F)
        out[at + 2] = 0x80 | (code & 0x3F)
        return at + 3
    out[at] = 0xF0 | (code >> 18)
    out[at + 1] = 0x80 | ((code >> 12) & 0x3F)
    out[at + 2] = 0x80 | ((code >> 6) & 0x3F)
    out[at + 3] = 0x80 | (code & 0x3F)
    return at + 4


@allocating
def _compose(base: int, mark: int, pairs: U64, composed: U32) -> int:
    """The one character for a base and its mark, or 0."""
    key = (np.uint64(base) << np.uint64(32)) | np.uint64(mark)
    found = np.searchsorted(pairs, key)
    if found < len(pairs) and pairs[found] == key:
        return int(composed[found])
    return 0


@njit(cache=True, nogil=True, inline="always")
def traits_of(code: int, traits: U32) -> np.int64:
    """What `Alphabet.traits` says of a folded character; above the tables all are Han."""
    return np.int64(traits[code]) if code < TABLED else np.int64(code << SKELETON_SHIFT | UNIT)


@allocating
def _fold(offsets: I32, data: U8, tables: Alphabet, out: U8, capital: U8, bounds: I32) -> None:
    at = 0
    for row in range(len(offsets) - 1):
        i = int(offsets[row])
        end = int(offsets[row + 1])
        base = 0
        base_at = at
        while i < end:
            if data[i] < 0x80:
                while i < end and data[i] < 0x80:
                    out[at] = tables.first[data[i]]
                    capital[at] = tables.upper[data[i]]
                    at += 1
                    i += 1
                base_at = at - 1
                base = int(out[base_at])
                continue
            code, length = decode(data, i, end)
            i += length
            if code >= TABLED:
                base = 0
                if code < 0xE0000:  # above stand tags and variation selectors: invisible
                    at = _encode(code, out, at)
                continue
            first = int(tables.first[code])
            if first == 0:
                continue
            if base != 0 and tables.traits[first] & MARK:
                one = _compose(base, first, tables.pairs, tables.composed)
                if one != 0:
                    at = _encode(one, out, base_at)
                    base = one
                    continue
            capital[at] = tables.upper[code]
            base = first
            base_at = at
            at = _encode(first, out, at)
            second = int(tables.second[code])
            if second != 0:
                base = 0
                at = _encode(second, out, at)
        bounds[row + 1] = at
