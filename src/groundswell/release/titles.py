"""Owns which of a record's phrases stand first, so that the first can be read as its title.

Which phrases may show, and which are strongest, is decided elsewhere; here the eight that do are taken from
them, titles first. A title is a phrase of two to four words around what most of the crowd says
(`temblor rosario` rather than `rosario`); where several languages have a crowd of their own, each has one
in front. It is worked out from ladder rungs and never from counts, so that an order tells no more than
the labels do.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from groundswell.release.phrases import MOST_PHRASES, is_part, unspaced

__all__ = ["titled"]

_MOST_TITLES = 3
_FALL = 5
"""A title's rung may be so many times lower than its language's highest: two or three steps of the ladder."""
_TITLE_WORDS = range(2, 5)
_TITLE_CHARACTERS = range(4, 11)
"""In scripts that write no spaces."""
_HEADWORDS = 3


def titled(
    ranked: Sequence[str], reached: Mapping[str, int], spoken: Mapping[str, str], languages: Sequence[str]
) -> list[str]:
    """The phrases of `ranked` (strongest first) that show, a title of each language in front.

    Parameters
    ----------
    reached
        The highest rung of each phrase; also of words that only show as a part of others.
    spoken
        The language of each phrase that is in use now; another is taken for one of those in its script.
    languages
        Those with a crowd of their own, largest first.
    """
    of_script = {_script(text): language for text, language in reversed([*spoken.items()])}
    language_of = {text: spoken.get(text) or of_script.get(_script(text), "") for text in reached}
    titles: list[str] = []
    for language in languages:
        own = [text for text in ranked if language_of[text] == language]
        if own and len(titles) < _MOST_TITLES:
            words = [text for text in reached if language_of[text] == language and not _is_title(text)]
            titles.append(_title(own, reached, words))
    return [*titles, *(text for text in ranked if text not in titles)][:MOST_PHRASES]


def _title(own: Sequence[str], reached: Mapping[str, int], words: Sequence[str]) -> str:
    """The phrase of one language that reads best: titles before words, then what has its main words in it."""
    heads = sorted(words, key=lambda text: -reached[text])[:_HEADWORDS]
    least = reached[own[0]] / _FALL
    strong = [text for text in own if reached[text] >= least]
    return max(strong, key=lambda text: (_is_title(text), _holds(text, heads), reached[text]))


def _script(text: str) -> str:
    """The script of its first letter, as its name begins: LATIN, ARABIC, CJK, …"""
    letter = next((char for char in text if char.isalpha()), "")
    return unicodedata.name(letter, "").partition(" ")[0] if letter else ""


def _holds(text: str, heads: Sequence[str]) -> int:
    return sum(text != head and is_part(head, text) for head in heads)


def _is_title(text: str) -> bool:
    characters = unspaced(text)
    return characters in _TITLE_CHARACTERS if characters else len(text.split()) in _TITLE_WORDS
