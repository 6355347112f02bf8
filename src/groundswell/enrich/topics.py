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
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from groundswell.enrich.fold import (
    I32,
    SKELETON_SHIFT,
    U8,
    U32,
    U64,
    alphabet,
    decode,
    fold,
    text_buffers,
    traits_of,
)
from groundswell.enrich.hashing import (
    FILTER_WORDS,
    SEED,
    HashMap,
    finish,
    get,
    hash_map,
    hold,
    may_hold,
    open_with,
    pair_hash,
    short_hash,
    step,
)
from groundswell.enrich.tokens import ICON, LINKED, PAIR, WHOLE, Tokens, hash_words, range_hash, tokenise
from groundswell.kernels import allocating

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
_OPENS = 0x80
_PARTICLE_LEAD = (0xD6, 0xD9)  # first bytes of Hebrew and Arabic letters


class _Concepts(NamedTuple):
    words: HashMap
    """Whole words, and phrases of two or three as nested pairs; `_OPENS` is added to what begins a phrase."""
    stems: HashMap
    """Stems, and all terms of scripts that do not write words apart."""
    words_held: U64
    """A filter of the words' hashes: spares most words the table."""
    openings: U64
    """A filter of how stems begin (`hashing.open_with`): spares most words the walk …"""
    prefixes: U64
    """… and one of everything that a stem begins with: ends a walk early."""
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
        hashed = list(_hashes(every))
        for category, (hashes, stem) in zip(categories, hashed, strict=True):
            table = stems if stem else words
            table[hashes[-1]] = table.get(hashes[-1], 0) & _OPENS | category
            for begun in hashes[:-1]:
                table[begun] = table.get(begun, 0) | _OPENS
        particles = np.zeros(0x700, np.uint8)
        for char in "وفبكلاהובלמשכ":
            particles[ord(char)] = 1
        is_stem = np.array([stem for _, stem in hashed])
        words_held, openings, prefixes = np.zeros((3, FILTER_WORDS), np.uint64)
        folded = fold(pa.array([term.rstrip("*") for term in every], pa.string()))
        _hold_terms(folded.offsets, folded.data, alphabet().traits, is_stem, openings, prefixes)
        _hold_words(np.fromiter(words, np.uint64, len(words)), words_held)
        self._concepts = _Concepts(
            hash_map(words), hash_map(stems), words_held, openings, prefixes, particles
        )

    @classmethod
    def load(cls) -> Topics:
        return cls(read_terms(Path(__file__).parent / "data" / "concepts.toml"))

    def categories(self, folded: pa.StringArray, tokens: Tokens) -> pa.ListArray:
        """The distinct categories of each post, list<uint8>, in the order they are met."""
        offsets, data = text_buffers(folded)
        bounds = np.zeros(len(folded) + 1, np.int32)
        found = np.empty(len(folded) * len(CATEGORIES), np.uint8)
        _match(offsets, data, tokens, alphabet().traits, self._concepts, bounds, found)
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


@allocating
def _hold_terms(
    offsets: I32, data: U8, traits: U32, is_stem: npt.NDArray[np.bool_], openings: U64, prefixes: U64
) -> None:
    for row in range(len(offsets) - 1):
        state = SEED
        opening = np.int64(0)
        letters = 0
        i = int(offsets[row])
        while i < offsets[row + 1]:
            code, length = decode(data, i, int(offsets[row + 1]))
            i += length
            same = traits_of(code, traits) >> SKELETON_SHIFT
            if same != 0:
                state = step(state, same)
                opening, letters = open_with(opening, letters, same, state)
                if is_stem[row]:
                    hold(prefixes, short_hash(state))
        if opening != 0:
            hold(openings, opening >> 16)


@allocating
def _hold_words(hashes: U64, words_held: U64) -> None:
    for hashed in hashes:
        hold(words_held, short_hash(hashed))


@njit(cache=True, nogil=True, inline="always")
def _opens(opening: np.int64, openings: U64) -> bool:
    """Whether a stem may begin like this; of three letters, it is met by the first half."""
    return bool(may_hold(openings, opening & 0xFFFF) or may_hold(openings, opening >> 16))


@allocating
def _walk(data: U8, start: int, end: int, traits: U32, stems: HashMap, prefixes: U64) -> int:
    """The category of the longest stem that the text at `start` begins with, else 0."""
    best = 0
    state = SEED
    i = start
    end = min(end, start + MAX_WALK_BYTES)
    while i < end:
        code, length = decode(data, i, end)
        same = traits_of(code, traits) >> SKELETON_SHIFT
        i += length
        if same == 0:
            continue
        state = step(state, same)
        if not may_hold(prefixes, short_hash(state)):
            break
        if i - start >= MIN_STEM_BYTES:
            category = get(stems, finish(state))
            if category != 0:
                best = category
    return best


@allocating
def _bare_word(data: U8, start: int, end: int, traits: U32, concepts: _Concepts) -> int:
    """The category of an Arabic or Hebrew word without the particles on its front; else 0."""
    for _ in range(_MAX_PARTICLES):
        code, length = decode(data, start, end)
        if code >= 0x700 or concepts.particles[code] == 0:
            break
        start += length
        if end - start < 2 * MIN_STEM_BYTES:
            break
        hashed, opening = range_hash(data, start, end, traits)
        if not _opens(opening, concepts.openings):
            continue
        category = get(concepts.words, hashed) & (_OPENS - 1)
        if category == 0:
            category = _walk(data, start, end, traits, concepts.stems, concepts.prefixes)
        if category != 0:
            return int(category)
    return 0


@allocating
def _add(category: int, row: int, seen: I32, found: U8, at: int) -> int:
    """Append a category that is new to this row; the next free place."""
    if category == 0 or seen[category] == row:
        return at
    seen[category] = row
    found[at] = category
    return at + 1


@allocating
def _match(
    offsets: I32, data: U8, tokens: Tokens, traits: U32, concepts: _Concepts, bounds: I32, found: U8
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
            opens = _opens(np.int64(tokens.openings[k]), concepts.openings)
            if flags & PAIR:
                if opens:
                    end = base + _run_end(tokens, k, last)
                    start = base + int(tokens.starts[k])
                    category = _walk(data, start, end, traits, concepts.stems, concepts.prefixes)
                    at = _add(category, row, seen, found, at)
                continue
            if flags & ICON:
                continue
            word = tokens.hashes[k]
            known = get(concepts.words, word) if may_hold(concepts.words_held, short_hash(word)) else 0
            category = known & (_OPENS - 1)
            if category == 0:
                start = base + int(tokens.starts[k])
                end = base + int(tokens.ends[k])
                if opens:
                    category = _walk(data, start, end, traits, concepts.stems, concepts.prefixes)
                if category == 0 and _PARTICLE_LEAD[0] <= data[start] <= _PARTICLE_LEAD[1]:
                    category = _bare_word(data, start, end, traits, concepts)
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


@allocating
def _run_end(tokens: Tokens, k: int, last: int) -> int:
    """Where the run of overlapping pairs ends that goes on with token `k`, as far as a walk may go."""
    j = k
    while j + 1 < last and tokens.flags[j + 1] & PAIR and tokens.starts[j + 1] < tokens.ends[j]:
        j += 1
        if tokens.ends[j] - tokens.starts[k] >= MAX_WALK_BYTES:
            break
    return int(tokens.ends[j])
