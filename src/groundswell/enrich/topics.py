"""What a post is about: categories from a small multilingual concept list.

A post's categories are hints, cheap and per post; a crowd's category is for the detector to count. The list
is `data/concepts.toml`: words, stems and pairs of words in some fifty languages, matched over the tokens of
`tokens.py` by hash. Arabic and Hebrew words are also tried without the particles written onto their front.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numba import njit

from groundswell.enrich.fold import I32, TABLED, U8, U64, Alphabet, alphabet, decode, fold, text_buffers
from groundswell.enrich.hashing import SEED, HashMap, finish, get, hash_map, pair_hash, step
from groundswell.enrich.tokens import ICON, LINKED, PAIR, WHOLE, Tokens, hash_words, tokenise

__all__ = ["CATEGORIES", "Topics"]

CATEGORIES: tuple[str, ...] = (
    "other",
    "earthquake",
    "tsunami",
    "flood",
    "storm",
    "wildfire",
    "heat",
    "drought",
    "snow",
    "eruption",
    "landslide",
    "explosion",
    "attack",
    "transport",
    "industrial",
    "outage",
    "outbreak",
    "assembly",
    "election",
    "sport",
    "culture",
    "science",
    "markets",
)
"""A category's id is its place here; 0 is for posts and crowds of which nothing else is known."""

MIN_STEM_BYTES = 3
MAX_WALK_BYTES = 60  # into a word or a run; no concept is longer
_MAX_PARTICLES = 4
_OPENING = 4  # letters
_DENSE = 0x0E00  # from here on, in scripts that do not write words apart and in Korean, a letter is enough
_SLOT_MASK = np.uint64((1 << 16) - 1)
_OPENS = 0x80
_PARTICLE_LEAD = (0xD6, 0xD9)  # first bytes of Hebrew and Arabic letters


class _Concepts(NamedTuple):
    words: HashMap
    """Whole words, and phrases of two or three as nested pairs; `_OPENS` is added to what begins a phrase."""
    stems: HashMap
    """Stems, and all terms of scripts that do not write words apart."""
    openings: U64
    """A bit for each `_opening` of a term: spares most words the walk."""
    particles: U8
    """1 for code points below 0x700 that Arabic or Hebrew write onto the front of a word."""


def read_terms(path: Path) -> dict[str, list[str]]:
    """The terms of every category in a concept file, languages joined.

    Raises `ValueError` for a category that is not in `CATEGORIES`.
    """
    tables = tomllib.loads(path.read_text("utf-8"))
    unknown = set(tables) - set(CATEGORIES)
    if unknown:
        raise ValueError(f"{path.name}: unknown categories {sorted(unknown)}")
    return {
        name: [term.strip() for line in languages.values() for term in line.split(",")]
        for name, languages in tables.items()
    }


class Topics:
    """The concept list, ready to match; `load()` reads the one that comes with the package."""

    def __init__(self, terms: dict[str, list[str]]) -> None:
        words: dict[int, int] = {}
        stems: dict[int, int] = {}
        categories = [CATEGORIES.index(name) for name, listed in terms.items() for _ in listed]
        every = [term for listed in terms.values() for term in listed]
        for category, (hashes, is_stem) in zip(categories, _hashes(every), strict=True):
            table = stems if is_stem else words
            table[hashes[-1]] = table.get(hashes[-1], 0) & _OPENS | category
            for begun in hashes[:-1]:
                table[begun] = table.get(begun, 0) | _OPENS
        particles = np.zeros(0x700, np.uint8)
        for char in "وفبكلاהובלמשכ":
            particles[ord(char)] = 1
        openings = np.zeros((int(_SLOT_MASK) + 1) // 64, np.uint64)
        folded = fold(pa.array([term.rstrip("*") for term in every], pa.string()))
        _add_openings(folded.offsets, folded.data, alphabet(), openings)
        self._concepts = _Concepts(hash_map(words), hash_map(stems), openings, particles)

    @classmethod
    def load(cls) -> Topics:
        return cls(read_terms(Path(__file__).parent / "data" / "concepts.toml"))

    def categories(self, folded: pa.StringArray, tokens: Tokens) -> pa.ListArray:
        """The distinct categories of each post, list<uint8>, in the order they are met."""
        offsets, data = text_buffers(folded)
        bounds = np.zeros(len(folded) + 1, np.int32)
        found = np.empty(len(folded) * len(CATEGORIES), np.uint8)
        _match(offsets, data, tokens, alphabet(), self._concepts, bounds, found)
        return pa.ListArray.from_arrays(pa.array(bounds), pa.array(found[: bounds[-1]]))


def _hashes(terms: list[str]) -> Iterator[tuple[list[int], bool]]:
    """The hashes of each term's beginnings and of itself, and whether it is looked up as a stem."""
    written = [term.rstrip("*") for term in terms]
    whole = hash_words(written)
    tokens = tokenise(fold(pa.array(written, pa.string())))
    for row, term in enumerate(terms):
        first, end = int(tokens.offsets[row]), int(tokens.offsets[row + 1])
        if term.endswith("*") or (first < end and tokens.flags[first] & PAIR):
            yield [int(whole[row])], True
            continue
        hashes = [int(tokens.hashes[first])]
        for following in tokens.hashes[first + 1 : min(end, first + 3)]:
            hashes.append(int(pair_hash(np.uint64(hashes[-1]), following)))
        yield hashes, False


@njit(cache=True, nogil=True, inline="always")
def _opening(data: U8, start: int, end: int, tables: Alphabet, openings: U64, adding: bool) -> bool:
    """Whether a term may begin like the text at `start`, or let one, the text itself, begin so from now on.

    A term is entered by its first four letters, by all of them where it has fewer, and by the first alone
    where that is a syllable or a word.
    """
    state = SEED
    letters = 0
    known = False
    while start < end and letters < _OPENING:
        code, length = decode(data, start, end)
        same = int(tables.skeleton[code]) if code < TABLED else code
        start += length
        if same == 0:
            continue
        state = step(state, same)
        letters += 1 if same < _DENSE else _OPENING
        if letters >= _OPENING - 1 and not adding:
            slot = (state ^ state >> np.uint64(32)) & _SLOT_MASK
            known = known or (openings[slot >> np.uint64(6)] >> (slot & np.uint64(63))) & np.uint64(1) != 0
    if adding:
        slot = (state ^ state >> np.uint64(32)) & _SLOT_MASK
        openings[slot >> np.uint64(6)] |= np.uint64(1) << (slot & np.uint64(63))
    return bool(known)


@njit(cache=True, nogil=True)
def _add_openings(offsets: I32, data: U8, tables: Alphabet, openings: U64) -> None:
    for row in range(len(offsets) - 1):
        _opening(data, int(offsets[row]), int(offsets[row + 1]), tables, openings, True)


@njit(cache=True, nogil=True)
def _walk(data: U8, start: int, end: int, tables: Alphabet, stems: HashMap) -> int:
    """The category of the longest stem that the text at `start` begins with, else 0."""
    best = 0
    state = SEED
    i = start
    end = min(end, start + MAX_WALK_BYTES)
    while i < end:
        code, length = decode(data, i, end)
        same = int(tables.skeleton[code]) if code < TABLED else code
        i += length
        if same == 0:
            continue
        state = step(state, same)
        if i - start >= MIN_STEM_BYTES:
            category = get(stems, finish(state))
            if category != 0:
                best = category
    return best


@njit(cache=True, nogil=True, inline="always")
def _word(data: U8, start: int, end: int, tables: Alphabet, concepts: _Concepts) -> int:
    """The category of a word by its stem, or without the particles on its front; else 0."""
    category = 0
    if _opening(data, start, end, tables, concepts.openings, False):
        category = _walk(data, start, end, tables, concepts.stems)
    if category == 0 and _PARTICLE_LEAD[0] <= data[start] <= _PARTICLE_LEAD[1]:
        category = _bare_word(data, start, end, tables, concepts)
    return int(category)


@njit(cache=True, nogil=True)
def _bare_word(data: U8, start: int, end: int, tables: Alphabet, concepts: _Concepts) -> int:
    """The category of an Arabic or Hebrew word without the particles on its front; else 0."""
    category = 0
    for _ in range(_MAX_PARTICLES):
        code, length = decode(data, start, end)
        if category != 0 or code >= 0x700 or concepts.particles[code] == 0:
            break
        start += length
        if end - start < 2 * MIN_STEM_BYTES:
            break
        if not _opening(data, start, end, tables, concepts.openings, False):
            continue
        state = SEED
        i = start
        while i < end:
            code, length = decode(data, i, end)
            i += length
            if tables.skeleton[code] != 0:
                state = step(state, int(tables.skeleton[code]))
        category = get(concepts.words, finish(state)) & (_OPENS - 1)
        if category == 0:
            category = _walk(data, start, end, tables, concepts.stems)
    return int(category)


@njit(cache=True, nogil=True)
def _add(category: int, row: int, seen: I32, found: U8, at: int) -> int:
    """Append a category that is new to this row; the next free place."""
    if category == 0 or seen[category] == row:
        return at
    seen[category] = row
    found[at] = category
    return at + 1


@njit(cache=True, nogil=True)
def _match(
    offsets: I32, data: U8, tokens: Tokens, tables: Alphabet, concepts: _Concepts, bounds: I32, found: U8
) -> None:
    seen = np.full(len(CATEGORIES), -1, np.int32)
    at = 0
    for row in range(len(bounds) - 1):
        base = int(offsets[row])
        last = int(tokens.offsets[row + 1])
        one = np.uint64(0)  # the word before, and the pair it ends, where they begin a phrase; else 0
        two = np.uint64(0)
        for k in range(tokens.offsets[row], last):
            flags = int(tokens.flags[k])
            if flags & ICON:
                continue
            start = base + int(tokens.starts[k])
            end = base + int(tokens.ends[k])
            if flags & PAIR:
                j = k  # overlapping pairs are one run
                while j + 1 < last and tokens.flags[j + 1] & PAIR and tokens.starts[j + 1] < tokens.ends[j]:
                    j += 1
                    if tokens.ends[j] - tokens.starts[k] >= MAX_WALK_BYTES:
                        break
                category = _walk(data, start, base + int(tokens.ends[j]), tables, concepts.stems)
                at = _add(category, row, seen, found, at)
                continue
            word = tokens.hashes[k]
            known = get(concepts.words, word)
            category = known & (_OPENS - 1)
            if category == 0:
                category = _word(data, start, end, tables, concepts)
            at = _add(category, row, seen, found, at)
            if flags & WHOLE:
                continue
            pair = np.uint64(0)
            if flags & LINKED:
                if two != 0:
                    three = get(concepts.words, pair_hash(two, word)) & (_OPENS - 1)
                    at = _add(three, row, seen, found, at)
                if one != 0:
                    pair = pair_hash(one, word)
                    both = get(concepts.words, pair)
                    at = _add(both & (_OPENS - 1), row, seen, found, at)
                    pair = pair if both & _OPENS else np.uint64(0)
            two = pair
            one = word if known & _OPENS else np.uint64(0)
        bounds[row + 1] = at
