"""Owns which phrases show: those that many used, that name no private person and identify nobody.

Redaction happened at the gate and the person gate is handed in; this module checks once more, cheaply and
on the safe side, that no identifier survived, because what passes here cannot be called back. It judges
single phrases, never a post: longer verbatim text has no way through.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from groundswell.candidates import PhraseUse

__all__ = ["MOST_PHRASES", "identifies", "is_part", "is_showable", "showable_phrases", "unspaced"]

MOST_PHRASES = 8
_MOST_TOKENS = 5
_MOST_CHARACTERS = 64
_MOST_UNSPACED = 10
"""Characters of a script that writes no spaces: five tokens of two."""

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
    "|[\U00020000-\U0003ffff]"
)
_IDENTIFIER = re.compile(
    r"@"
    r"|\bdid:"
    r"|://|\bwww\b"
    r"|\w\.[^\W\d_]{2,}"  # a host name: letters right after an inner dot
    r"|\d{6}|(?:\d[\s().\-/]*){7}"  # telephone, card and identity numbers, however they are spaced
    r"|\d+\.\d+\.\d+\.\d+"
    r"|\b(?=\w{8,}\b)(?=\w*[^\W\d_])(?:[^\W\d]*\d){4}"  # IBAN, plates, keys: long, letters and digits mixed
)
_JOINERS = "\u200c\u200d"
"""Invisible, but Persian and the Indic scripts are misspelt without them."""
_SIMILAR = 0.5
"""A longer phrase replaces its part when at least this share of the part's speakers used the longer one."""


def identifies(text: str) -> bool:
    """Whether a phrase looks like a handle, an address, a link or a number that stands for somebody.

    Conservative: it refuses some harmless phrases and repeats none of the gate's finer distinctions.
    """
    plain = unicodedata.normalize("NFKC", text)
    visible = "".join(char for char in plain if unicodedata.category(char) not in ("Cf", "Cc"))
    return _IDENTIFIER.search(visible) is not None


def is_showable(text: str, person_like: Callable[[str], bool]) -> bool:
    """Whether a phrase may show at all, once enough speakers used it.

    The person gate is the dearest check and runs last, on what is left.
    """
    return _fits(text) and not identifies(text) and not person_like(text)


def is_part(part: str, whole: str) -> bool:
    """Whether `part` is a run of whole tokens in `whole`; of characters in scripts without spaces.

    >>> is_part("hurricane", "hurricane sandy"), is_part("hurri", "hurricane")
    (True, False)
    """
    # A quick no first: phrases are compared in pairs.
    if part not in whole:
        return False
    return bool(_UNSPACED.search(part)) or f" {part} " in f" {whole} "


def unspaced(text: str) -> int:
    """How many characters of scripts that write no spaces are in it."""
    return len(_UNSPACED.findall(text))


def showable_phrases(
    phrases: Sequence[PhraseUse], floor: int, showable: Callable[[str], bool]
) -> tuple[PhraseUse, ...]:
    """All phrases that may show, most telling first, none a mere part of another; not yet cut to eight."""
    allowed = {use.text: use for use in reversed(phrases) if use.speakers >= floor and showable(use.text)}
    uses = tuple(reversed(allowed.values()))
    return tuple(use for use in uses if not any(_absorbs(other, use) for other in uses))


def _fits(text: str) -> bool:
    """Whether the phrase has one to five tokens, and shows something."""
    return (
        1 <= len(text.split()) <= _MOST_TOKENS
        and len(text) <= _MOST_CHARACTERS
        and unspaced(text) <= _MOST_UNSPACED
        and any(char.isalnum() for char in text)
        and all(char.isprintable() or char in _JOINERS for char in text)
    )


def _absorbs(longer: PhraseUse, part: PhraseUse) -> bool:
    return (
        len(longer.text) > len(part.text)
        and longer.speakers >= _SIMILAR * part.speakers
        and is_part(part.text, longer.text)
    )
