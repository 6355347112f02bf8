"""Takes identifiers out of texts: the last pass that sees a handle, an address or a number of a person.

Nothing is put in their place but a space, so that no placeholder becomes a word of the crowd. Works on
whole columns: `features` says what each text could hold, and a pattern is tried only on texts that could
hold it. Owns neither the patterns' forms nor the links' meaning. It errs towards taking out: a text may
lose a harmless number, it must not keep an account.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.gate.disguise import unmask
from groundswell.gate.drafts import Drafts
from groundswell.gate.expressions import Expression
from groundswell.gate.feature_flags import Feature
from groundswell.gate.features import features
from groundswell.gate.handles import LEFT, TAKEN, strip_handles
from groundswell.gate.links import BARE_URL, URL
from groundswell.gate.mending import mend
from groundswell.gate.numbers import NumberClass, strip_numbers
from groundswell.gate.patterns import ACCOUNTS, DOCUMENTS, HANDLE, Pattern
from groundswell.gate.strings import Rows, Stretches

__all__ = ["IDENTIFIERS", "Redactor", "Revealed", "reveal"]

T = TypeVar("T")

LINK = Pattern("url", Feature.LINK, URL)
BARE_LINK = Pattern("url", Feature.LINK, BARE_URL)
_UNSETTLED = "unsettled"

IDENTIFIERS = (
    *sorted(
        {pattern.identifier for pattern in (LINK, *ACCOUNTS, *DOCUMENTS)}
        | {str(flag.name).lower() for flag in NumberClass}
    ),
    _UNSETTLED,
)
"""The classes that are counted; `unsettled` is a text that was blanked because it would not settle."""

_MAX_ROUNDS = 6


class Revealed(NamedTuple):
    """Those texts of a column that could hold identifiers, with character-level disguises undone."""

    drafts: Drafts
    flags: npt.NDArray[np.int32]
    """`Feature` flags of each draft."""

    def having(self, feature: Feature) -> Rows:
        """The drafts with a feature."""
        return np.flatnonzero(self.flags & int(feature))


def reveal(texts: pa.StringArray) -> Revealed:
    """Look for texts that could hold identifiers, and undo their disguises. There may be no nulls."""
    stretches = Stretches.column(texts)
    flags = features(stretches, np.arange(len(texts)))
    rows = np.flatnonzero(flags)
    drafts, flags = Drafts(texts, rows), flags[rows]
    disguised = np.flatnonzero(flags & int(Feature.DISGUISE))
    if len(disguised):
        unmask(drafts, disguised)
        flags[disguised] = features(drafts.readable(), disguised)
    return Revealed(drafts, flags)


class Redactor:
    """Redacts columns of text, or one text.

    >>> Redactor().redact_text("Flood in Porto, call +351 912 345 678 or ask @ana.example (ana@example.org)")
    'Flood in Porto, call or ask'
    """

    def redact_text(self, text: str) -> str:
        """One text; for many, `redact` is a thousand times cheaper a text."""
        redacted, _ = self.redact(pa.array([text], pa.string()))
        return str(redacted[0].as_py())

    def redact(self, texts: pa.StringArray) -> tuple[pa.StringArray, dict[str, int]]:
        """The redacted texts, and for each identifier class how many texts it was taken from.

        Redacting twice changes nothing, and no text becomes longer. Nulls become empty.
        """
        revealed = reveal(texts.fill_null(""))
        counts = self.redact_revealed(revealed)
        return revealed.drafts.column(), counts

    def redact_revealed(self, revealed: Revealed) -> dict[str, int]:
        """Redact the drafts where they lie; for each identifier class how many texts it was taken from."""
        work = _Work(*revealed)
        while work.rounds < _MAX_ROUNDS and work.run_round():
            pass
        if work.rounds == _MAX_ROUNDS:
            work.blank_unsettled()
        return dict(work.counts)


class _Work:
    """Drafts on their way through the steps, round after round, until nothing changes.

    Taking one identifier out can bare another. A step is tried again on those drafts alone that changed since
    it last ran, so that a second round costs next to nothing.
    """

    def __init__(self, drafts: Drafts, flags: npt.NDArray[np.int32]) -> None:
        self.drafts = drafts
        self.counts: Counter[str] = Counter()
        self.rounds = 0
        self._flags = flags
        self._step = 0
        self._changed_at = np.zeros(len(drafts), np.int64)  # the step that last changed each draft

    def run_round(self) -> bool:
        """Try every step once; did any draft change?"""
        before = self._step
        for step in _STEPS:
            self._step += 1
            step(self)
        self.rounds += 1
        return bool((self._changed_at > before).any())

    def blank_unsettled(self) -> None:
        """Empty the drafts that still changed in the last round: nobody writes so by chance."""
        unsettled = np.flatnonzero(self._changed_at > self._step - len(_STEPS))
        if len(unsettled):
            self.counts[_UNSETTLED] += len(unsettled)
            self.drafts.ends[unsettled] = self.drafts.starts[unsettled]

    def _due(self, needs: Feature) -> Rows:
        """The drafts that have the features and changed since this step last ran."""
        wanted = int(needs)
        due = (self._flags & wanted) == wanted
        if self.rounds:
            due &= self._changed_at >= self._step - len(_STEPS)
        return np.flatnonzero(due)

    def _lately(self) -> Rows:
        """The drafts that changed since the round before."""
        return np.flatnonzero(self._changed_at > max(self._step - len(_STEPS), 0))

    def _edit(self, edit: Callable[[Drafts, Rows], T], which: Rows) -> T:
        """Let something edit some drafts and note which it changed: those whose length is another."""
        before = self.drafts.ends[which]
        result = edit(self.drafts, which)
        self._changed_at[which[self.drafts.ends[which] != before]] = self._step
        return result

    def strip(self, pattern: Pattern, expression: Expression) -> None:
        """Take one pattern out of the texts."""
        due = self._due(pattern.needs)
        if len(due):
            found, begins, afters = expression.spans(self.drafts, due)
            self.drafts.cut(found, begins, afters)
            self._took(pattern, np.unique(found))

    def strip_handles(self, expression: Expression) -> None:
        """Take handles out, by a kernel where it is sure."""
        due = self._due(HANDLE.needs)
        if len(due):
            fates = strip_handles(self.drafts, due)
            self._took(HANDLE, due[fates == TAKEN])
            found, begins, afters = expression.spans(self.drafts, due[fates == LEFT])
            self.drafts.cut(found, begins, afters)
            self._took(HANDLE, np.unique(found))

    def _took(self, pattern: Pattern, which: Rows) -> None:
        """Note that a pattern was taken out of some drafts."""
        if len(which):
            self._changed_at[which] = self._step
            self.counts[pattern.identifier] += len(which)

    def strip_numbers(self) -> None:
        due = self._due(Feature.NUMBER)
        if len(due):
            classes = self._edit(strip_numbers, due)
            for flag in NumberClass:
                found = int(np.count_nonzero(classes & int(flag)))
                if found:
                    self.counts[str(flag.name).lower()] += found

    def unmask(self) -> None:
        due = self._due(Feature.DISGUISE)
        if len(due):
            self._edit(unmask, due)

    def tidy(self) -> None:
        """Mend the holes made since the last tidying: empty brackets, doubled spaces, stray punctuation."""
        self._edit(mend, self._lately())

    def look_again(self) -> None:
        """Say anew what the changed texts hold."""
        lately = self._lately()
        flags = features(self.drafts.readable(), lately)
        # Steps that passed a text over for want of a feature have not tried it as it stands now.
        self._changed_at[lately[(flags & ~self._flags[lately]) != 0]] = self._step
        self._flags[lately] = flags


def _stripping(pattern: Pattern) -> Callable[[_Work], None]:
    expression = Expression(pattern.expression, keeps=pattern.keeps)
    if pattern is HANDLE:
        return lambda work: work.strip_handles(expression)
    return lambda work: work.strip(pattern, expression)


# Links first, because a link may hold a handle; bare ones after mail addresses, whose hosts look like them.
_STEPS: tuple[Callable[[_Work], None], ...] = (
    _Work.unmask,
    _stripping(LINK),
    _Work.look_again,
    *map(_stripping, (*ACCOUNTS, BARE_LINK)),
    _Work.tidy,
    _Work.look_again,
    *map(_stripping, DOCUMENTS),
    _Work.strip_numbers,
    _Work.tidy,
    _Work.look_again,
)
