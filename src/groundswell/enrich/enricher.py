"""Enrichment: what a post says, in columns beside the post.

Joins this stage's parts in their order: the language, the text folded and cut once, then places, categories
and possible private names from the same tokens. The gazetteer is handed in; this module knows only its one
method. Rows that are no posts (deletions, accounts gone) pass with empty columns.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.batches import ENRICHED, Kind
from groundswell.config import Settings
from groundswell.enrich import terms
from groundswell.enrich.language import Languages
from groundswell.enrich.mood import Moods
from groundswell.enrich.naming import Wording
from groundswell.enrich.people import People
from groundswell.enrich.topics import Topics
from groundswell.names import NameLexicon

__all__ = ["EnrichSettings", "Enricher", "PlaceFinder"]


class PlaceFinder(Protocol):
    """Finds the places that texts speak of; `places.Gazetteer` is one."""

    def find(
        self, folded: pa.StringArray, text: pa.StringArray, lang: pa.StringArray
    ) -> tuple[pa.ListArray, pa.ListArray]:
        """Rows of the gazetteer (list<int32>) and confidences in [0, 1] (list<float32>), post by post."""
        ...


class EnrichSettings(Settings, frozen=True, kw_only=True):
    """Settings of the stage, table `[enrich]`."""

    min_language_confidence: float = 0.5
    """Under this chance of being right, a post's language is `und`. In [0, 1]; a declaration counts as .5."""

    def __post_init__(self) -> None:
        if not 0.0 <= self.min_language_confidence <= 1.0:
            raise ValueError("`min_language_confidence` must be from 0 to 1")


class Enricher:
    """Turns POST batches into ENRICHED ones; batches are independent of one another.

    Parameters
    ----------
    settings
        See `EnrichSettings`.
    gazetteer
        Where places are looked up.
    names
        The lexicon that tells possible private names.
    """

    def __init__(self, settings: EnrichSettings, gazetteer: PlaceFinder, names: NameLexicon) -> None:
        self._settings = settings
        self._gazetteer = gazetteer
        self._languages = Languages()
        self._topics = Topics.load()
        self._moods = Moods()
        self._people = People(names)
        self._wording = Wording(names)

    def enrich(self, post: pa.RecordBatch) -> pa.RecordBatch:
        """The same rows with what they say; POST in, ENRICHED out."""
        said = post.column("text")
        is_post = pc.less_equal(post.column("kind"), pa.scalar(int(Kind.EDIT), pa.uint8()))
        text = pc.if_else(is_post, said, "")
        lang = self._language(text, post.column("langs"))
        found = terms.extract(text, lang)
        places, confidences = self._gazetteer.find(found.folded, text, lang)
        added = (
            lang,
            found.folded,
            *_with_keys(found, post),
            found.shape,
            places,
            confidences,
            self._topics.categories(found.folded, found.tokens),
            pa.array(self._moods.counted(text, lang)),
            self._people.mentions(found.folded, found.tokens),
            self._wording.naming(found.folded, lang, found.tokens),
        )
        return pa.RecordBatch.from_arrays([*post.columns, *added], schema=ENRICHED)

    def _language(self, text: pa.StringArray, hints: pa.ListArray) -> pa.StringArray:
        codes, confidences = self._languages.identify(text, hints)
        sure = pc.greater_equal(confidences, self._settings.min_language_confidence)
        return pc.if_else(sure, codes, "und")


def _with_keys(found: terms.Terms, post: pa.RecordBatch) -> tuple[pa.ListArray, pa.ListArray, pa.ListArray]:
    """The terms, and where they stand, with links and pictures as further terms that stand nowhere."""
    columns = (found.terms, post.column("link_keys"), post.column("picture_keys"))
    if not any(len(column.flatten()) for column in columns[1:]):
        return found.terms, found.starts, found.ends
    sizes = np.stack([pc.list_value_length(column).fill_null(0).to_numpy() for column in columns])
    rows = np.concatenate([np.repeat(np.arange(post.num_rows), size) for size in sizes])
    order = np.argsort(rows, kind="stable")
    bounds = pa.array(np.concatenate([[0], np.cumsum(sizes.sum(axis=0))]).astype(np.int32))
    wordless = np.zeros(int(sizes[1:].sum()), np.int32)
    hashes = np.concatenate([column.flatten().to_numpy() for column in columns])
    starts, ends = (
        np.concatenate([column.flatten().to_numpy(), wordless]) for column in (found.starts, found.ends)
    )
    lists = (pa.ListArray.from_arrays(bounds, pa.array(flat[order])) for flat in (hashes, starts, ends))
    terms_, starts_, ends_ = lists
    return terms_, starts_, ends_
