"""Ordinary words: those that many people use, told from what could be the name of one.

Owns the question, not the lists: the words that hashtags are cut into (`hashtags`), and what the lexicon of
names knows as everyday words, places and titles. A language that neither covers has no ordinary words; who
asks must take that as a no.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundswell.enrich.hashtags import read_costs
from groundswell.enrich.tokens import hash_words
from groundswell.names import NameLexicon, NameMark, words_of

__all__ = ["OrdinaryWords"]

_NO_NAME = int(NameMark.WORD | NameMark.PLACE | NameMark.STORM | NameMark.HEAD)
_NAME = int(NameMark.GIVEN | NameMark.SURNAME)


class OrdinaryWords:
    """Both lists, in a megabyte."""

    def __init__(self, names: NameLexicon) -> None:
        self._names = names
        self._common = np.unique(hash_words(list(read_costs())))

    def __call__(self, words: Sequence[str]) -> bool:
        """Whether a word is ordinary; of several, whether they are no name as they stand beside one another.

        A word that is a name and nothing else is not ordinary, nor is one that no list has. Beside an
        ordinary word, an unlisted one makes no full name.

        >>> ordinary = OrdinaryWords(NameLexicon.load())
        >>> ordinary(["parking"]), ordinary(["meyer"]), ordinary(["torrejera"])
        (True, False, False)
        >>> ordinary(["savings", "account"]), ordinary(["leandro", "torrejera"])
        (True, False)
        >>> ordinary(["casper", "quillan"])  # a town's name, and a given name
        False
        """
        if len(words) == 1:
            return self._is_ordinary(words[0])
        if self._names.person_like(" ".join(words)):
            return False
        return any(self._is_ordinary(word) and not self._mark(word) & _NAME for word in words)

    def _is_ordinary(self, word: str) -> bool:
        mark = self._mark(word)
        if any(character.isdigit() for character in word) or mark & _NO_NAME:
            return True
        if mark & _NAME:
            return False
        hashed = hash_words([word])[0]
        at = min(int(np.searchsorted(self._common, hashed)), len(self._common) - 1)
        return bool(self._common[at] == hashed)

    def _mark(self, word: str) -> int:
        return self._names.marks.get("".join(words_of(word)), 0)
