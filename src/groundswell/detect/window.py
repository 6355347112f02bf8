"""The open window: the enriched posts of the last hour, in memory only, in columns.

Owns what is warm and lets go of it in time: posts leave after `minutes`, earlier when the window is full
(counted), and at once when their deletion or their account's end arrives. Row numbers grow for ever and are
never reused, so that postings can be kept between ticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.batches import ENRICHED, Kind
from groundswell.clock import MINUTE_US
from groundswell.config import Settings
from groundswell.detect.columns import Array, Lists, Names, Queue, flat, letters, occurrences

__all__ = ["COLUMNS", "Window", "WindowSettings"]

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]
BoolArray = npt.NDArray[np.bool_]

_COLUMNS = ("time_us", "speaker", "epoch", "post_key", "shape", "target", "mood", "naming")
_NAMES = ("lang", "source")
_LISTS = (
    ("terms", "term_starts", "term_ends"),
    ("places", "place_confidences"),
    ("persons",),
    ("categories",),
)
COLUMNS = ["kind", *_COLUMNS, *_NAMES, *(name for names in _LISTS for name in names), "folded", "domains"]
"""What the window reads of a batch; nothing else is held."""
_TEXT_BYTES = 1024
"""The texts of a full window may take so much for each post of the cap."""


class WindowSettings(Settings, frozen=True, kw_only=True):
    """How long and how many posts stay warm."""

    minutes: int = 60
    posts: int = 400_000
    """Hard cap; half a kilobyte a post is usual, 2 kB the most in the mean."""
    tick_posts: int = 2_000
    """Posts of one tick that come in at most, surprising ones first; see `intake`."""


class Window:
    """Posts of the last `minutes`, by row number; `first_row` moves on as posts leave."""

    def __init__(self, settings: WindowSettings) -> None:
        self._settings = settings
        self._columns = {name: Queue(_dtype(name)) for name in _COLUMNS}
        self._columns["alive"] = Queue(bool)
        self._names = {name: Names() for name in (*_NAMES, "domains")}
        self._columns |= {name: self._names[name].numbers for name in _NAMES}
        self._texts = Lists(folded=Queue(np.uint8))
        self._links = Lists(domains=self._names["domains"].numbers)
        lists = [Lists(**{name: Queue(_dtype(name)) for name in names}) for names in _LISTS]
        self._terms = lists[0]
        self._lists = [*lists, self._texts, self._links]
        self._list_of = {name: held for held in self._lists for name in held.values}
        self.first_row = 0
        self.end_row = 0
        self.evicted = 0
        """Posts that came in late, left early or never came in, for want of room."""

    def __len__(self) -> int:
        return self.end_row - self.first_row

    def take(self, batches: Sequence[pa.RecordBatch], admitted: BoolArray | None = None) -> None:
        """Take in one tick's `ENRICHED` rows; edits and deletions act on the posts before them.

        `admitted` masks the rows whose post or edit comes in, through all batches; None for all.
        """
        if not batches:
            return
        kinds = np.concatenate([batch.column("kind").to_numpy() for batch in batches])
        posted = kinds <= Kind.EDIT
        kept = posted if admitted is None else posted & admitted
        self.evicted += int(np.count_nonzero(posted) - np.count_nonzero(kept))
        before = self.end_row + np.cumsum(kept) - kept
        gone = kinds == Kind.ACCOUNT_GONE
        first = 0
        for batch in batches:
            last = first + batch.num_rows
            self._append(batch.filter(pa.array(kept[first:last])))
            first = last
        for name, chosen in (("post_key", (kinds != Kind.POST) & ~gone), ("speaker", gone)):
            if chosen.any():
                values = np.concatenate([batch.column(name).to_numpy() for batch in batches])
                self._withdraw(name, values[chosen], before[chosen])

    def _append(self, batch: pa.RecordBatch) -> None:
        if not batch.num_rows:
            return
        for name in _COLUMNS:
            self._columns[name].extend(batch.column(name).to_numpy())
        self._columns["alive"].extend(np.ones(batch.num_rows, bool))
        for name in _NAMES:
            self._columns[name].extend(self._names[name].number(batch.column(name)))
        for names, lists in zip(_LISTS, self._lists, strict=False):
            values = {name: flat(batch.column(name)) for name in names}
            lists.extend(values[names[0]][1], **{name: found for name, (found, _) in values.items()})
        folded, ends = letters(batch.column("folded"))
        self._texts.extend(ends, folded=folded)
        domains = batch.column("domains")
        ends = flat(domains)[1]
        self._links.extend(ends, domains=self._names["domains"].number(domains.flatten()))
        self.end_row += batch.num_rows

    def _withdraw(self, name: str, values: Array, before: I64Array) -> None:
        """Posts that have one of `values` in the column `name` are gone if `before` the row beside it."""
        wanted, inverse = np.unique(values, return_inverse=True)
        limits = np.zeros(len(wanted), np.int64)
        np.maximum.at(limits, inverse, before)
        at, positions = occurrences(self.of(name), wanted)
        self.of("alive")[at[at + self.first_row < limits[positions]]] = False

    def expire(self, now_us: int) -> None:
        """Let go of posts older than the window, then of the oldest that it has no room for."""
        oldest_us = now_us - self._settings.minutes * MINUTE_US
        gone = int(np.searchsorted(self.of("time_us"), oldest_us))
        room = self._settings.posts
        over = max(len(self) - room, self._texts.over(_TEXT_BYTES * room))
        if over > gone:
            self.evicted += over - gone
            gone = over
        if gone <= 0:
            return
        self.first_row += gone
        for column in self._columns.values():
            column.drop(gone)
        for lists in self._lists:
            lists.drop(gone)
        for names in self._names.values():
            names.tidy()

    def of(self, name: str) -> Array:
        """A column (`time_us`, `speaker`, `epoch`, `shape`, `alive`, …) from `first_row` on."""
        return self._columns[name].view

    def at(self, name: str, rows: I64Array) -> Array:
        """The same column at `rows`; of `lang` and `source`, numbers that `words` turns into words."""
        return self.of(name)[rows - self.first_row]

    def words(self, name: str) -> list[str]:
        """The words behind the numbers of `lang`, `source` or `domains`, by number."""
        return self._names[name].words()

    def row_at(self, time_us: int) -> int:
        """The first row that is not older."""
        return self.first_row + int(np.searchsorted(self.of("time_us"), time_us))

    def lists_at(self, name: str, rows: I64Array) -> tuple[Array, I64Array]:
        """A list column at `rows`, flat: (values, index into `rows` of each value).

        `terms`, `term_starts`, `term_ends`, `places`, `place_confidences`, `persons`, `categories`, the bytes
        of `folded`, or `domains` as numbers.
        """
        lists = self._list_of[name]
        indices, owners = lists.ranges(rows - self.first_row)
        return lists.values[name].view[indices], owners

    def find(self, terms: U64Array, from_row: int) -> tuple[I64Array, I64Array]:
        """Uses of `terms` (distinct) at or after `from_row`: (row numbers, positions in `terms`)."""
        start = self._terms.start(min(max(from_row - self.first_row, 0), len(self)))
        at, positions = occurrences(self._terms.values["terms"].view[start:], terms)
        return self.first_row + self._terms.owners(at + start), positions

    def written(self, rows: I64Array, terms: U64Array) -> list[str]:
        """How each of `terms` is written in the post at the row beside it; empty where it is not there."""
        starts, ends = (self._terms.values[name].view for name in ("term_starts", "term_ends"))
        letters_, used = self._texts.values["folded"].view, self._terms.values["terms"].view
        found = []
        for row, term in zip((rows - self.first_row).tolist(), terms.tolist(), strict=True):
            first = self._terms.start(row)
            (hits,) = np.nonzero(used[first : self._terms.start(row + 1)] == term)
            if len(hits):
                text, at = self._texts.start(row), first + int(hits[0])
                surface = letters_[text + int(starts[at]) : text + int(ends[at])]
                found.append(surface.tobytes().decode("utf-8", "ignore"))
            else:
                found.append("")
        return found


def _dtype(name: str) -> np.dtype[Any]:
    """Of an `ENRICHED` column, or of its lists' values."""
    type_ = ENRICHED.field(name).type
    dtype: np.dtype[Any] = np.dtype(
        (type_.value_type if pa.types.is_list(type_) else type_).to_pandas_dtype()
    )
    return dtype
