"""Regular expressions over many texts: compiled once, run over all texts joined by a byte that is in none.

RE2 is linear in the text whatever it says. No part of an expression matches the byte 0xFF, which no UTF-8
has: a match never reaches from one text into the next, and what a text holds does not depend on its company.
Owns no expression.
"""

from __future__ import annotations

import re

import numpy as np
import re2

from groundswell.gate.drafts import Drafts
from groundswell.gate.strings import Rows, gathered

__all__ = ["Expression"]

_BARRIER = b"\xff"


class Expression:
    r"""An RE2 expression that never matches nothing and asks of no end of the text.

    >>> import pyarrow as pa
    >>> texts = pa.array(["a 12 b", "c", "3"])
    >>> drafts = Drafts(texts)
    >>> [found.tolist() for found in Expression(r"\d+").spans(drafts, np.arange(3))]
    [[0, 2], [2, 0], [4, 1]]

    Parameters
    ----------
    pattern
        `^` may stand only before an alternative that takes a character such as a space.
    keeps
        What the first group takes is left out of the match; it must stand at the match's beginning.
    """

    def __init__(self, pattern: str, *, keeps: bool = False) -> None:
        self._group = 1 if keeps else 0
        # For `^` or a character: a space before each text, which is no part of it.
        self._before = _BARRIER + b" " if re.match(r"\((\?:)?\^\|", pattern) else _BARRIER
        options = re2.Options()
        options.encoding = re2.Options.Encoding.UTF8
        self._compiled = re2.compile(pattern.encode(), options)

    def spans(self, drafts: Drafts, which: Rows) -> tuple[Rows, Rows, Rows]:
        """Each match in the drafts `which`: the draft, and the bytes where the match begins and ends."""
        data, bounds = gathered(drafts.readable(), which, self._before)
        group = self._group
        matches = [(m.start(), m.end(), m.end(group)) for m in self._compiled.finditer(data)]
        if not matches:
            return which[:0], which[:0], which[:0]
        begins, afters, kept = np.array(matches, np.int64).T
        at = np.searchsorted(bounds, begins, side="right") - 1
        starts = bounds[at] + len(self._before)
        return which[at], np.maximum(kept if group else begins, starts) - starts, afters - starts

    def first_group(self, text: bytes) -> bytes | None:
        """The first group of the first match in one text."""
        match = self._compiled.search(text)
        return None if match is None else match.group(1)

    def without(self, text: bytes, put: bytes) -> bytes:
        """One text with `put` for each match."""
        replaced: bytes = self._compiled.sub(put, text)
        return replaced
