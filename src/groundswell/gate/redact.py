"""Takes identifiers out of texts: the last pass that sees a handle, an address or a number of a person.

Nothing is put in their place but a space, so that no placeholder becomes a word of the crowd. Works on
whole columns: `features` says what each text could hold, and a pattern is tried only on texts that could
hold it. Owns neither the patterns' forms nor the links' meaning. It errs towards taking out: a text may
lose a harmless number, it must not keep an account.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.gate.disguise import unmask
from groundswell.gate.expressions import Expression
from groundswell.gate.feature_flags import Feature
from groundswell.gate.features import features
from groundswell.gate.links import BARE_URL, URL
from groundswell.gate.mending import mend
from groundswell.gate.numbers import NumberClass, strip_numbers
from groundswell.gate.patterns import ACCOUNTS, DOCUMENTS, Pattern

__all__ = ["IDENTIFIERS", "Redactor", "reveal"]

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


def reveal(texts: pa.StringArray) -> tuple[pa.StringArray, np.ndarray]:
    """The texts with character-level disguises undone, and the `Feature` flags of each."""
    flags = features(texts)
    disguised = (flags & int(Feature.DISGUISE)) != 0
    if not disguised.any():
        return texts, flags
    mask = pa.array(disguised)
    plain = unmask(texts.filter(mask))
    flags[disguised] = features(plain)
    return pc.replace_with_mask(texts, mask, plain), flags


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
        return self.redact_revealed(*reveal(texts.fill_null("")))

    def redact_revealed(
        self, texts: pa.StringArray, flags: np.ndarray
    ) -> tuple[pa.StringArray, dict[str, int]]:
        """As `redact`, for texts and flags that come from `reveal`."""
        rows = np.flatnonzero(flags)
        if len(rows) == 0:
            return texts, {}
        work = _Work(texts.take(pa.array(rows)), flags[rows])
        while work.rounds < _MAX_ROUNDS and work.run_round():
            pass
        if work.rounds == _MAX_ROUNDS:
            work.blank_unsettled()
        return _put(texts, rows, work.texts), dict(work.counts)


class _Work:
    """Texts on their way through the steps, round after round, until nothing changes.

    Taking one identifier out can bare another. A step is tried again on those texts alone that changed since
    it last ran, so that a second round costs next to nothing.
    """

    def __init__(self, texts: pa.StringArray, flags: np.ndarray) -> None:
        self.texts = texts
        self.counts: Counter[str] = Counter()
        self.rounds = 0
        self._flags = flags
        self._step = 0
        self._changed_at = np.zeros(len(texts), np.int64)  # the step that last changed each text

    def run_round(self) -> bool:
        """Try every step once; did any text change?"""
        before = self._step
        for step in _STEPS:
            self._step += 1
            step(self)
        self.rounds += 1
        return bool((self._changed_at > before).any())

    def blank_unsettled(self) -> None:
        """Empty the texts that still changed in the last round: nobody writes so by chance."""
        rows = np.flatnonzero(self._changed_at > self._step - len(_STEPS))
        if len(rows):
            self.counts[_UNSETTLED] += len(rows)
            self.texts = _put(self.texts, rows, pa.array([""] * len(rows), pa.string()))

    def _due(self, needs: Feature) -> np.ndarray:
        """The rows that have the features and changed since this step last ran."""
        wanted = int(needs)
        due = (self._flags & wanted) == wanted
        if self.rounds:
            due &= self._changed_at >= self._step - len(_STEPS)
        return np.flatnonzero(due)

    def _replace(self, rows: np.ndarray, values: pa.StringArray) -> None:
        """Put new values where they differ. A step that changes a text changes its length."""
        part = self.texts.take(pa.array(rows))
        changed = pc.not_equal(pc.binary_length(part), pc.binary_length(values)).to_numpy(
            zero_copy_only=False
        )
        if changed.any():
            self._put(rows[changed], values.filter(pa.array(changed)))

    def _put(self, rows: np.ndarray, values: pa.StringArray) -> None:
        """Put texts that this step changed."""
        self.texts = _put(self.texts, rows, values)
        self._changed_at[rows] = self._step

    def strip(self, pattern: Pattern, compiled: Expression) -> None:
        """Take one pattern out of the texts."""
        rows = self._due(pattern.needs)
        if len(rows):
            part = self.texts.take(pa.array(rows))
            changed, values = compiled.replaced(part, r"\1 " if pattern.keeps else " ")
            if changed.any():
                self._put(rows[changed], values.filter(pa.array(changed)))
                self.counts[pattern.identifier] += int(changed.sum())

    def strip_numbers(self) -> None:
        rows = self._due(Feature.NUMBER)
        if len(rows):
            values, classes = strip_numbers(self.texts.take(pa.array(rows)))
            self._replace(rows, values)
            for flag in NumberClass:
                found = int(np.count_nonzero(classes & int(flag)))
                if found:
                    self.counts[str(flag.name).lower()] += found

    def unmask(self) -> None:
        rows = self._due(Feature.DISGUISE)
        if len(rows):
            self._replace(rows, unmask(self.texts.take(pa.array(rows))))

    def tidy(self) -> None:
        """Mend the holes made since the last tidying: empty brackets, doubled spaces, stray punctuation."""
        rows = np.flatnonzero(self._changed_at > max(self._step - len(_STEPS), 0))
        if len(rows):
            self._replace(rows, mend(self.texts.take(pa.array(rows))))

    def look_again(self) -> None:
        """Say anew what the changed texts hold."""
        rows = np.flatnonzero(self._changed_at > max(self._step - len(_STEPS), 0))
        if len(rows):
            flags = features(self.texts.take(pa.array(rows)))
            # Steps that passed a text over for want of a feature have not tried it as it stands now.
            self._changed_at[rows[(flags & ~self._flags[rows]) != 0]] = self._step
            self._flags[rows] = flags


def _put(texts: pa.StringArray, rows: np.ndarray, values: pa.StringArray) -> pa.StringArray:
    if len(rows) == len(texts):
        return values
    mask = np.zeros(len(texts), bool)
    mask[rows] = True
    return pc.replace_with_mask(texts, pa.array(mask), values)


def _stripping(pattern: Pattern) -> Callable[[_Work], None]:
    compiled = Expression(pattern.expression)
    return lambda work: work.strip(pattern, compiled)


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
