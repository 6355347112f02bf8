"""Whether a post's wording could name somebody, as far as anyone can tell: for texts that many copy.

A crowd in its own words shows a name as a pair of rare words that hardly ever stand apart. In a text that is
copied no two words ever do, so that every word has to be asked: is it an everyday one, or could it be a name?
The lists know the words of the larger languages, capitals tell the others where a script has them, and where
nothing tells, the answer is `UNCLEAR`. It errs towards `NAMING`; names themselves are `people`'s.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from groundswell.enrich.fold import I32, U8, text_buffers
from groundswell.enrich.hashing import HashMap, get, hash_map
from groundswell.enrich.hashtags import read_costs
from groundswell.enrich.stop_terms import read as read_stop_terms
from groundswell.enrich.tokens import (
    CAPITAL,
    CAPITALS,
    ICON,
    LINKED,
    NUMBER,
    PAIR,
    STOP,
    WHOLE,
    Tokens,
    hash_words,
)
from groundswell.names import NameLexicon, NameMark, words_of

__all__ = ["NAMING", "PLAIN", "UNCLEAR", "Wording"]

PLAIN, UNCLEAR, NAMING = 0, 1, 2
"""No word could be a name; nobody can tell; one looks like a name."""

_EVERYDAY, _NAME, _TOWN = 1, 2, 4
_PASSED_OVER = WHOLE | ICON | NUMBER
_NOUNS_CAPITAL = ("deu_", "ltz_", "nds_", "gsw_")
"""Languages in which every noun has a capital."""
# Lead bytes of scripts with capitals: Latin, Greek, Cyrillic, Armenian; and the later parts of the first two.
_LAST_CASED = 0xD5
_LATER_LATIN, _LATER_LATIN_SECOND = 0xE1, 0xB8


class Wording:
    """The lists as a table for the kernel.

    Parameters
    ----------
    names
        The lexicon that tells names and everyday words.
    """

    def __init__(self, names: NameLexicon) -> None:
        word = int(NameMark.WORD | NameMark.HEAD)
        everyday = word | int(NameMark.PLACE)
        name = int(NameMark.GIVEN | NameMark.SURNAME)
        known: dict[int, int] = {}
        marked = list(names.marks)
        for listed, key in zip(marked, hash_words(marked).tolist(), strict=True):
            mark = names.marks[listed]
            known[key] = known.get(key, 0) | (_EVERYDAY if mark & everyday else 0)
            known[key] |= _NAME if mark & name else 0
            known[key] |= _TOWN if mark & everyday and not mark & word else 0
        common = [*read_costs(), *(word for words in read_stop_terms().values() for word in words)]
        for key in hash_words(common).tolist():
            if not known.get(key, 0) & _NAME:
                known[key] = _EVERYDAY | (known.get(key, 0) & _TOWN)
        self._known = hash_map({key: value for key, value in known.items() if key and value})

    def everyday(self, phrase: str) -> bool:
        """Whether every word of a folded phrase is on a list of everyday words.

        >>> wording = Wording(NameLexicon.load())
        >>> wording.everyday("free coins"), wording.everyday("zelvira morantu")
        (True, False)
        """
        words = words_of(phrase)
        return bool(words) and all(get(self._known, key) & _EVERYDAY for key in hash_words(words))

    def plain(self, word: str) -> bool:
        """Whether a folded word is an everyday one that nobody is called, not even by the name of a town.

        What has no letters is plain too.

        >>> wording = Wording(NameLexicon.load())
        >>> wording.plain("plastic"), wording.plain("7041"), wording.plain("hope"), wording.plain("lisbon")
        (True, True, False, False)
        """
        return all(get(self._known, key) == _EVERYDAY for key in hash_words(words_of(word)))

    def naming(self, folded: pa.StringArray, lang: pa.StringArray, tokens: Tokens) -> pa.UInt8Array:
        """`PLAIN`, `UNCLEAR` or `NAMING`, post by post."""
        offsets, data = text_buffers(folded)
        found = np.zeros(len(folded), np.uint8)
        _naming(offsets, data, tokens, self._known, _capital_nouns(lang), found)
        return pa.array(found)


def _capital_nouns(lang: pa.StringArray) -> npt.NDArray[np.bool_]:
    coded = lang.dictionary_encode()
    nouns = np.array([code.startswith(_NOUNS_CAPITAL) for code in coded.dictionary.to_pylist()], bool)
    which = coded.indices.to_numpy()
    return nouns[which] if len(nouns) else np.zeros(len(lang), bool)


@njit(cache=True, nogil=True, inline="always")
def _is_cased(data: U8, at: int) -> bool:
    lead = data[at]
    return bool(lead <= _LAST_CASED or (lead == _LATER_LATIN and data[at + 1] >= _LATER_LATIN_SECOND))


@njit(cache=True, nogil=True)
def _capitals_of(flags: U8, first: int, last: int) -> tuple[bool, bool]:
    """Whether a post begins with a capital, and whether it is all in capitals, which then mean nothing."""
    capital = 0
    capitals = 0
    begins = -1
    for k in range(first, last):
        if flags[k] & _PASSED_OVER:
            continue
        if begins < 0:
            begins = 1 if flags[k] & CAPITAL else 0
        capital += (flags[k] & CAPITAL) != 0
        capitals += (flags[k] & CAPITALS) != 0
    return begins == 1, capitals >= 3 and 2 * capitals > capital


@njit(cache=True, nogil=True)
def _naming(
    offsets: I32, data: U8, tokens: Tokens, known: HashMap, nouns: npt.NDArray[np.bool_], found: U8
) -> None:
    for row in range(len(found)):
        first, last = int(tokens.offsets[row]), int(tokens.offsets[row + 1])
        begins, shouts = _capitals_of(tokens.flags, first, last)
        worst = PLAIN
        unlisted_before = False
        capital_before = False
        for k in range(first, last):
            flags = int(tokens.flags[k])
            if flags & _PASSED_OVER:
                unlisted_before, capital_before = False, False
                continue
            value = get(known, tokens.hashes[k])
            is_name = value & _NAME != 0 and not flags & PAIR
            everyday = bool(value & _EVERYDAY) or flags & STOP != 0
            linked = k > first and flags & LINKED != 0
            capital = flags & CAPITAL != 0 and not shouts
            both = capital and linked and capital_before and not flags & STOP
            if not _is_cased(data, int(offsets[row]) + int(tokens.starts[k])):
                doubt = PLAIN if everyday else (NAMING if is_name else UNCLEAR)
            elif both:  # two words in a row with capitals
                doubt = UNCLEAR if everyday and not is_name and not unlisted_before else NAMING
            elif capital and linked:
                doubt = (
                    PLAIN if everyday and not is_name else (UNCLEAR if nouns[row] and not is_name else NAMING)
                )
            elif capital:  # a sentence begins
                doubt = PLAIN if everyday else UNCLEAR
            elif begins and not shouts:  # a name would have one
                doubt = UNCLEAR if linked and unlisted_before and not everyday else PLAIN
            else:
                doubt = PLAIN if everyday else (NAMING if is_name else UNCLEAR)
            worst = max(worst, doubt)
            if worst == NAMING:
                break
            unlisted_before, capital_before = not everyday, capital and not flags & STOP
        found[row] = worst
