"""Turns romanised Arabic names back into Arabic letters: `Al Khafjī` gives `الخفجي`.

GeoNames romanises by the BGN/PCGN system of 1956, which keeps every consonant and long vowel apart, so it
can be reversed; a third of its towns in the Arab world have no other spelling. Nine in ten of those that do
are given it. Short vowels are not written, doubled consonants once, hamza on the seat its vowels give it.
Names without a mark of the system are left alone: they may be French, English or anybody's.
"""

from __future__ import annotations

import re
import unicodedata

__all__ = ["ARAB_WORLD", "arabic"]

ARAB_WORLD = frozenset(["AE", "BH", "DJ", "DZ", "EG", "IQ", "JO", "KM", "KW", "LB", "LY", "MA"])
ARAB_WORLD |= {"MR", "OM", "PS", "QA", "SA", "SD", "SO", "SY", "TN", "YE"}

_MARKED = re.compile("[āīūḩşḑţ‘’]|z̧")
_ARTICLE = re.compile(r"\b(?:al|ad|an|ar|as|at|az|aş|aḑ|aţ|az̧|adh|ash|ath)[ -](?=\w|‘)")
_DIGRAPHS = {"kh": "خ", "sh": "ش", "th": "ث", "dh": "ذ", "gh": "غ", "z̧": "ظ"}
_LETTERS = dict(zip("btjḩdrzsşḑţ‘fqklmnhwyāīūá", "بتجحدرزسصضطعفقكلمنهويايوى", strict=True))
_SEATS = {"a": "ا", "i": "ي", "u": "و", "ī": "ي", "ū": "و"}  # of a hamza behind them; accents do not count


def arabic(name: str) -> str:
    """The Arabic spelling; empty for a name that is not in the system.

    >>> arabic("An Nu‘ayrīyah"), arabic("Paris")
    ('النعيرية', '')
    """
    name = unicodedata.normalize("NFC", name).lower().replace("`", "‘")
    if "'" in name or not _MARKED.search(name):  # an apostrophe is any of two letters
        return ""
    words = [_word(word) for word in _ARTICLE.sub("+", name).replace("-", " ").split()]
    return " ".join(words) if all(words) else ""


def _word(word: str) -> str:
    """One word, `+` standing for the article; empty where a letter is foreign to the system."""
    letters: list[str] = []
    if word.startswith("+"):
        letters.append("ال")
        word = word[1:]
    ending = ""
    if len(word) > 3 and word.endswith(("ah", "at")) and word[-3] not in "aiuāīū":
        word, ending = word[:-2], "ة"
    at = 0
    if word[:1] in ("a", "i", "u", "ā", "ī", "ū"):
        letters.append({"ī": "اي", "ū": "او"}.get(word[0], "ا"))
        at = 1
    last = ""
    while at < len(word):
        unit = word[at : at + 2] if word[at : at + 2] in _DIGRAPHS else word[at]
        before = word[at - 1] if at else ""
        at += len(unit)
        if unit in ("a", "i", "u"):
            last = ""
            continue
        if unit == "’":
            letter = _SEATS.get(before, "ء") if at < len(word) else "ء"
        else:
            letter = _DIGRAPHS.get(unit) or _LETTERS.get(unit, "")
        if not letter:
            return ""
        lengthened = (before, unit) in (("ī", "y"), ("ū", "w"))
        if letter != last and not lengthened:
            letters.append(letter)
        last = letter
    return "".join(letters) + ending
