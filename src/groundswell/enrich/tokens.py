"""Cuts folded text into tokens: what counts as a word, in every script.

Words are runs of letters, marks and digits; apostrophes join (`don't`), possessive `'s` and elided articles
(`l'`, `dell'`) fall away; hashtags lose their `#`, are cut into their words (`hashtags.py`), and stay whole
beside them. Scripts that do not write words apart (Han, hiragana, Thai, Lao, Khmer, Burmese, Tibetan) give
overlapping pairs of characters. Handles, links, entities and the `rt` of a repost give nothing.

The hash of a token is that of its compared letters and digits (`hashing.py`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from groundswell.enrich.fold import (
    APOSTROPHE,
    DIGIT,
    EMOJI,
    FLAG,
    GAP,
    I32,
    JOINER,
    KIND,
    SKELETON_SHIFT,
    U8,
    U32,
    U64,
    UNIT,
    UNIT_MARK,
    WORD,
    Folded,
    alphabet,
    decode,
    fold,
    traits_of,
)
from groundswell.enrich.hashing import SEED, HashMap, contains, finish, hash_set, open_with, pair_hash, step
from groundswell.enrich.hashtags import MAX_PARTS, cut_compound, read_costs, room, vocabulary
from groundswell.kernels import allocating, inner

__all__ = [
    "CAPITAL",
    "CAPITALS",
    "ICON",
    "LINKED",
    "NUMBER",
    "PAIR",
    "STOP",
    "WHOLE",
    "Stops",
    "Tokens",
    "hash_pairs",
    "hash_words",
    "range_hash",
    "tokenise",
    "word_hash",
]

# Token flags.
STOP = 1  # a stop word: never a term by itself
CAPITAL = 2  # began with a capital in the post
CAPITALS = 4  # all its letters were capitals, and there were at least two
PAIR = 8  # two characters of a script that does not write words apart
NUMBER = 16
ICON = 32  # an emoji
WHOLE = 64  # a compound hashtag as a whole; its parts stand before it
LINKED = 128  # follows the token before it closely enough to make a phrase

MAX_TOKENS = 256  # a post; what follows is not read
MAX_TOKEN_BYTES = 120  # longer runs are noise, and would be costly phrases
MAX_LINK_BYTES = 3  # between the words of a phrase

AND, DOT, COMMA, HASH, SEMICOLON, AT, SPACE = (ord(char) for char in "&.,#;@ ")
LETTER_A, LETTER_H, LETTER_R, LETTER_S, LETTER_W, LETTER_Z = (ord(char) for char in "ahrswz")
LONG_VOWEL = 0x30FC  # the katakana length mark; in a run of hiragana it belongs to the kana before it
HIRAGANA = (0x3041, 0x309F)
PASS, PASS_RUN = 1, 2

_DATA = Path(__file__).parent / "data"


class Tokens(NamedTuple):
    """A batch's tokens, flat; row `r` owns `offsets[r]:offsets[r + 1]`."""

    offsets: I32
    hashes: U64
    starts: I32
    """Byte offsets into the row's own folded text."""
    ends: I32
    flags: U8
    openings: U32
    """Hashes of how each word begins; see `hashing.open_with`."""


class Stops(NamedTuple):
    """The stop words that hold for each row of a batch; `stop_terms.stops_for` gives them."""

    language: I32
    """Row by row: whose set in `slots`."""
    bounds: I32
    slots: U64
    """A `hash_set` a language, end to end."""


class _Lists(NamedTuple):
    """The word lists a tokeniser needs, as hashes."""

    elided: U64
    words: HashMap
    """What hashtags are made of; see `hashtags.py`."""


@allocating
def range_hash(data: U8, start: int, end: int, traits: U32) -> tuple[np.uint64, np.int64]:
    """The hash and the opening of the text from `start` to `end`."""
    state = SEED
    opening = np.int64(0)
    letters = 0
    i = start
    while i < end:
        code, length = decode(data, i, end)
        i += length
        same = traits_of(code, traits) >> SKELETON_SHIFT
        if same != 0:
            state = step(state, same)
            opening, letters = open_with(opening, letters, same, state)
    return finish(state), opening


@allocating
def _hash_rows(offsets: I32, data: U8, traits: U32, out: U64) -> None:
    for row in range(len(offsets) - 1):
        out[row], _ = range_hash(data, offsets[row], offsets[row + 1], traits)


def hash_words(words: list[str]) -> U64:
    """The token hash of each word; apostrophes and all that is no letter, mark or digit do not count."""
    folded = fold(pa.array(words, pa.string()))
    out = np.zeros(len(words), np.uint64)
    _hash_rows(folded.offsets, folded.data, alphabet().traits, out)
    return out


def word_hash(word: str) -> int:
    """The hash of one word.

    >>> word_hash("Émeute") == word_hash("emeute")
    True
    """
    return int(hash_words([word])[0])


def hash_pairs(pairs: list[tuple[str, str]]) -> U64:
    """The hashes of pairs of adjacent words."""
    first = hash_words([pair[0] for pair in pairs])
    second = hash_words([pair[1] for pair in pairs])
    out = np.zeros(len(pairs), np.uint64)
    _pair_rows(first, second, out)
    return out


@allocating
def _pair_rows(first: U64, second: U64, out: U64) -> None:
    for row in range(len(first)):
        out[row] = pair_hash(first[row], second[row])


def read_words(name: str) -> list[str]:
    """The words of a data file: split at white space, `#` starts a comment."""
    lines = (_DATA / name).read_text("utf-8").splitlines()
    return [word for line in lines for word in line.split("#")[0].split()]


@cache
def _lists() -> _Lists:
    elided = [word.rstrip("'") for word in read_words("elided.txt")]
    costs = read_costs()
    hashes = hash_words(list(costs)).tolist()
    return _Lists(hash_set(hash_words(elided)), vocabulary(hashes, list(costs.values())))


def tokenise(folded: Folded, stops: Stops | None = None) -> Tokens:
    """Cut every row of a folded batch, `MAX_TOKENS` a row at most; without `stops` no word is one."""
    rows = len(folded.offsets) - 1
    if stops is None:
        none = hash_set(np.empty(0, np.uint64))
        stops = Stops(np.zeros(rows, np.int32), np.array([0, len(none)], np.int32), none)
    lengths = np.diff(folded.offsets)
    # No token without a byte of its own: the whole of a compound has its `#` or its digits to count on.
    capacity = int(np.minimum(lengths + 2, MAX_TOKENS).sum())
    offsets = np.zeros(rows + 1, np.int32)
    hashes = np.empty(capacity, np.uint64)
    starts = np.empty(capacity, np.int32)
    ends = np.empty(capacity, np.int32)
    flags = np.empty(capacity, np.uint8)
    openings = np.empty(capacity, np.uint32)
    out = Tokens(offsets, hashes, starts, ends, flags, openings)
    _tokenise(folded.offsets, folded.data, folded.capital, alphabet().traits, _lists(), stops, out)
    used = offsets[-1]
    return Tokens(offsets, hashes[:used], starts[:used], ends[:used], flags[:used], openings[:used])


class _Word(NamedTuple):
    """A word as it was read."""

    start: int
    stop: int
    next: int
    """Where to go on."""
    hashed: np.uint64
    opening: np.int64
    letters: int
    digits: int


@inner
def _scan_word(data: U8, start: int, end: int, traits: U32, elided: U64) -> _Word:
    """Read a word from `start`."""
    state = SEED
    opening = np.int64(0)
    opened = 0
    letters = 0
    digits = 0
    stop = start
    i = start
    while i < end:
        if LETTER_A <= data[i] <= LETTER_Z:  # most of what is written; stands for itself
            code = np.int64(data[i])
            state = step(state, code)
            opening, opened = open_with(opening, opened, code, state)
            letters += 1
            i += 1
            stop = i
            continue
        code, length = decode(data, i, end)
        trait = traits_of(code, traits)
        kind = trait & KIND
        if kind in (WORD, DIGIT):
            same = trait >> SKELETON_SHIFT
            if same != 0:
                state = step(state, same)
                opening, opened = open_with(opening, opened, same, state)
            letters += kind == WORD
            digits += kind == DIGIT
            i += length
            stop = i
            continue
        if kind == APOSTROPHE:
            after = i + length
            if letters == 0 or after >= end:
                break
            code, _ = decode(data, after, end)
            if traits_of(code, traits) & KIND != WORD:
                break
            if contains(elided, finish(state)):
                start, state, letters, digits, opened = after, SEED, 0, 0, 0
                opening = np.int64(0)
            elif code == LETTER_S:  # possessive, unless the word goes on
                beyond = after + 1
                goes_on = False
                if beyond < end:
                    code, _ = decode(data, beyond, end)
                    goes_on = traits_of(code, traits) & KIND == WORD
                if not goes_on:
                    i = beyond
                    break
        elif code in (DOT, COMMA):  # 7.8, M7.8 and 1,000 are one token
            if letters > 1 or digits == 0 or i + 1 >= end:
                break
            digit, _ = decode(data, i + 1, end)
            if traits_of(digit, traits) & KIND != DIGIT:
                break
            if code == DOT:
                state = step(state, DOT)
        elif kind != JOINER:
            break
        i += length
    return _Word(start, stop, i, finish(state), opening, letters, digits)


@inner
def _skip_to_space(data: U8, i: int, end: int) -> int:
    while i < end and data[i] > 32:
        i += 1
    return i


@inner
def _is_bytes(data: U8, start: int, stop: int, wanted: bytes) -> bool:
    if stop - start != len(wanted):
        return False
    for k in range(len(wanted)):  # noqa: SIM110  (Numba knows no generator)
        if data[start + k] != wanted[k]:
            return False
    return True


@inner
def _is_plain(data: U8, row_start: int, start: int, stop: int, end: int) -> bool:
    """Whether a word stands between spaces and begins like no link and no `rt`: `_noise` lets it be."""
    lead = data[start]
    return bool(
        (start == row_start or data[start - 1] <= SPACE)
        and (stop == end or data[stop] <= SPACE)
        and lead != LETTER_H
        and lead != LETTER_R
        and lead != LETTER_W
        and stop - start <= MAX_TOKEN_BYTES
    )


@inner
def _noise(data: U8, row_start: int, start: int, stop: int, end: int) -> int:
    """`PASS` for a word that is none, `PASS_RUN` for one that spoils all up to the next space, else 0."""
    before = data[start - 1] if start > row_start else 0
    if before == AT:
        return PASS_RUN
    if _is_bytes(data, start, stop, b"http") or _is_bytes(data, start, stop, b"https"):
        return PASS_RUN
    if _is_bytes(data, start, stop, b"www"):
        return PASS_RUN
    after = data[stop] if stop < end else 0
    is_number = before == HASH and start - 2 >= row_start and data[start - 2] == AND
    if after == SEMICOLON and (before == AND or is_number):
        return PASS  # an entity: &amp; &#39;
    if after == 0xE2 and _is_bytes(data, stop, min(stop + 3, end), b"\xe2\x80\xa6"):
        return PASS  # cut off by an ellipsis: half a word
    is_repost = _is_bytes(data, start, stop, b"rt")
    return PASS if is_repost or stop - start > MAX_TOKEN_BYTES else 0


@inner
def _linked(data: U8, left: int, right: int, traits: U32, short: bool) -> bool:
    """Whether only spaces, hyphens, commas … stand between words; after a `short` one, a full stop too."""
    if left < 0 or right - left > MAX_LINK_BYTES:
        return False
    i = left
    while i < right:
        code, length = decode(data, i, right)
        kind = traits_of(code, traits) & KIND
        if kind != GAP and kind != APOSTROPHE and not (short and code == DOT):
            return False
        i += length
    return True


@inner
def _emit(
    out: Tokens, at: int, hashed: np.uint64, opening: np.int64, start: int, stop: int, flags: int
) -> int:
    out.hashes[at] = hashed
    out.openings[at] = opening
    out.starts[at] = start
    out.ends[at] = stop
    out.flags[at] = flags
    return at + 1


@inner
def _word_flags(hashed: np.uint64, capital: U8, start: int, stop: int, letters: int, stops: U64) -> int:
    flags = 0
    if contains(stops, hashed):
        flags |= STOP
    if letters == 0:
        return flags | NUMBER
    if capital[start] != 0:
        flags |= CAPITAL
        count = 0
        for i in range(start, stop):
            count += capital[i]
        if letters >= 2 and count >= letters:
            flags |= CAPITALS
    return flags


@inner
def _compound(
    data: U8,
    capital: U8,
    base: int,
    word: _Word,
    cuts: I32,
    parts: int,
    link: int,
    at: int,
    traits: U32,
    stops: U64,
    out: Tokens,
) -> int:
    """Write the pieces of a compound, and the whole of it; the next free place."""
    cuts[parts] = word.stop
    left = word.start
    for part in range(parts + 1):
        right = int(cuts[part])
        code, _ = decode(data, left, right)
        count = 0 if traits_of(code, traits) & KIND == DIGIT else 2
        piece, opening = range_hash(data, left, right, traits)
        flag = link | _word_flags(piece, capital, left, right, count, stops)
        at = _emit(out, at, piece, opening, left - base, right - base, flag)
        link = LINKED
        left = right
    return int(_emit(out, at, word.hashed, word.opening, word.start - base, word.stop - base, WHOLE))


@allocating
def _tokenise(
    offsets: I32, data: U8, capital: U8, traits: U32, lists: _Lists, stops: Stops, out: Tokens
) -> None:
    cuts = np.zeros(2 * MAX_PARTS, np.int32)
    letters_room = room()
    at = 0
    for row in range(len(offsets) - 1):
        base = np.int64(offsets[row])
        end = np.int64(offsets[row + 1])
        full = at + MAX_TOKENS - MAX_PARTS - 2  # one compound may still be written whole
        language = stops.language[row]
        empty = stops.slots[stops.bounds[language] : stops.bounds[language + 1]]
        last = -1  # end of the last word, for links
        short = False
        unit = -1  # start of the unit before, inside a run
        pair, pair_opening, pair_letters = SEED, np.int64(0), 0  # the unit before, as the beginning of a pair
        was_kana = False
        i = int(base)
        while i < end and at < full:
            code, length = decode(data, i, end)
            trait = traits_of(code, traits)
            kind = trait & KIND
            if kind == UNIT:
                stop = i + length
                is_kana = HIRAGANA[0] <= code <= HIRAGANA[1]
                if was_kana and not is_kana:
                    unit = -1  # a particle and the word after it make no pair
                was_kana = is_kana
                own, opening, letters = SEED, np.int64(0), 0
                while True:
                    same = trait >> SKELETON_SHIFT
                    if same != 0:
                        own = step(own, same)
                        opening, letters = open_with(opening, letters, same, own)
                        pair = step(pair, same)
                        pair_opening, pair_letters = open_with(pair_opening, pair_letters, same, pair)
                    if stop >= end:
                        break
                    code, length = decode(data, stop, end)
                    trait = traits_of(code, traits)
                    if trait & KIND != UNIT_MARK and code != LONG_VOWEL:
                        break
                    stop += length
                if unit >= 0:
                    hashed = finish(pair)
                    flag = PAIR | (STOP if contains(empty, hashed) else 0)
                    at = _emit(out, at, hashed, pair_opening, unit - base, stop - base, flag)
                pair, pair_opening, pair_letters = own, opening, letters
                unit = i
                i = stop
                continue
            unit = -1
            if kind in (WORD, DIGIT):
                written = i
                word = _scan_word(data, i, end, traits, lists.elided)
                start, stop, i = word.start, word.stop, word.next
                if not _is_plain(data, base, start, stop, end):
                    noise = _noise(data, base, start, stop, end)
                    if noise == PASS_RUN:
                        i = _skip_to_space(data, i, end)
                    if noise != 0:
                        continue
                if word.letters == 0 and word.digits < 2:
                    continue
                spaced = 0 <= last == written - 1 and data[last] == SPACE
                link = LINKED if spaced or _linked(data, last, written, traits, short) else 0
                last = stop
                short = stop - start <= 2  # St. Louis, U.S. Army
                hashtag = start > base and data[start - 1] == HASH
                if hashtag or (word.letters >= 3 and word.digits >= 2):
                    parts = cut_compound(
                        data, capital, start, stop, hashtag, traits, lists.words, letters_room, cuts
                    )
                    if parts > 0:
                        at = _compound(data, capital, base, word, cuts, parts, link, at, traits, empty, out)
                        continue
                flag = link | _word_flags(word.hashed, capital, start, stop, word.letters, empty)
                at = _emit(out, at, word.hashed, word.opening, start - base, stop - base, flag)
                continue
            if kind == EMOJI:
                at = _emit(out, at, finish(step(SEED, code)), np.int64(0), i - base, i + length - base, ICON)
            elif kind == FLAG and i + 2 * length <= end:
                second, _ = decode(data, i + length, end)
                if traits_of(second, traits) & KIND == FLAG:
                    hashed = finish(step(step(SEED, code), second))
                    at = _emit(out, at, hashed, np.int64(0), i - base, i + 2 * length - base, ICON)
                    length *= 2
            i += length
        out.offsets[row + 1] = at
