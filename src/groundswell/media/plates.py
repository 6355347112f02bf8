"""Which text boxes of a picture may be number plates, so that they can be covered. Nothing is looked up.

A plate is told by its text where it could be read, by its shape where it could not. Too many are covered
rather than too few: a covered street sign costs little.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

__all__ = ["may_be_plate"]

_SHAPE = (1.1, 8.5)
"""Width over height of a line's box on a plate, motorcycles' two rows to the long European form."""
_UNREAD_SHAPE = (1.6, 7.0)
_TALLEST = 0.3
"""A plate's line is at most this share of the picture's height; what is larger is a headline."""
_LETTERS = (4, 10)
_SURE = 0.6
"""Under this confidence the shape decides alone."""
_NO_PLATE = re.compile(
    r"(19|20)\d\d"  # a year
    r"|\d{1,2}[:.h]\d\d([:.]\d\d)?"  # a time
    r"|\d{1,2}[./-]\d{1,2}([./-](\d\d){1,2})?"  # a date
    r"|[+-]?\d+([.,]\d+)?\s*(%|°C?|km|kg|cm|mm|m)"  # an amount
    r"|[$€£¥₹]\s*\d[\d.,]*|\d[\d.,]*\s*[$€£¥₹]"  # a price
    r"|(COVID|G|H\dN)-?\d{1,2}"
)


def may_be_plate(text: str, confidence: float, box: Sequence[Sequence[float]], picture_height: int) -> bool:
    """Whether a line's box is to be covered; `text` is empty where it could not be read."""
    corners = np.array(box, np.float64)
    wide = float(np.linalg.norm(corners[1] - corners[0]))
    high = max(1.0, float(np.linalg.norm(corners[3] - corners[0])))
    if high > _TALLEST * picture_height:
        return False
    if not text or confidence < _SURE:
        return _UNREAD_SHAPE[0] <= wide / high <= _UNREAD_SHAPE[1]
    return _SHAPE[0] <= wide / high <= _SHAPE[1] and _reads_like_plate(text)


def _reads_like_plate(text: str) -> bool:
    """Four to ten letters and digits, two digits at least, or three beside few letters: what plates have in
    common."""
    plain = unicodedata.normalize("NFKC", text).strip(" .,:;|'\"()[]*•·-_")
    if _NO_PLATE.fullmatch(plain):
        return False
    kept = [letter for letter in plain if letter.isalnum() or unicodedata.category(letter) == "Mc"]
    digits = sum(letter.isdecimal() for letter in kept)
    few = _LETTERS[0] <= len(kept) <= _LETTERS[1]
    capitals = all(not letter.islower() or letter in "olisz" for letter in kept)
    return few and capitals and digits >= 2
