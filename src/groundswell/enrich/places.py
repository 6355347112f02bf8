"""Which places a post speaks of, and how surely.

Owns the columnar face of the gazetteer: text in, place rows and confidences out, and the same engine for one
text with offsets. A place here is what a crowd speaks of; the posts' own coordinates are not read, and
nothing is kept of a post.

>>> gazetteer = Gazetteer.load()  # doctest: +SKIP
>>> gazetteer.find_text("Flooding in Moore, Oklahoma")[0].name  # doctest: +SKIP
'Moore'
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.enrich.fold import text_buffers
from groundswell.enrich.gazetteer import Arrays, PlacesSettings, load_arrays
from groundswell.enrich.language import bcp47
from groundswell.enrich.place_data import Level
from groundswell.enrich.place_index import Readings
from groundswell.enrich.place_letters import spellings
from groundswell.enrich.place_match import LETTER, MAX_LETTERS, MAX_MENTIONS, MENTION, WordIndex, match
from groundswell.enrich.place_parts import MAX_PARTS, PART, casing, cut
from groundswell.enrich.place_reach import doubt, radius_km
from groundswell.enrich.place_score import WEIGHTS, judge, new_judgement, rank_names
from groundswell.kernels import allocating

__all__ = ["MAX_PLACES", "Found", "Gazetteer", "PlacesSettings"]

U8 = npt.NDArray[np.uint8]
I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]
U64 = npt.NDArray[np.uint64]

MAX_PLACES = 16  # distinct places a post
_AREA = int(Level.AREA)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One mention of a place in a text; `start` and `end` count characters.

    `confidence` is the chance that a place is meant and that it is this one or, in the same country, within
    161 km of it; where it is a place, the circle of `radius_km` holds it in four cases of five.
    """

    start: int
    end: int
    name: str
    country: str
    lat: float
    lon: float
    level: str
    confidence: float
    radius_km: float


class Mentioned(NamedTuple):
    """The mentions of a batch's posts, or the first of each post's distinct places."""

    starts: I32  # bytes within the post
    ends: I32
    rows: I32
    confidences: F32
    odds: F32  # the last two of `place_reach.doubt`; empty for distinct places
    spreads: F32
    bounds: I32
    """Posts + 1."""


class Gazetteer:
    """The world's places and the engine that finds them in posts."""

    def __init__(self, arrays: Arrays, settings: PlacesSettings) -> None:
        self._arrays = arrays
        self._settings = settings
        self._table = arrays.table.slice(0, int(np.sum(arrays.places["level"] != Level.AREA)))
        rank_names(arrays.names, WEIGHTS)
        self._languages = sorted(arrays.spoken)
        none = np.zeros((1, len(next(iter(arrays.spoken.values())))), np.uint8)
        self._spoken = np.concatenate(
            [none, np.array([arrays.spoken[language] for language in self._languages])]
        )

    @classmethod
    def load(cls, settings: PlacesSettings | None = None) -> Gazetteer:
        """From the user's cache, or built anew in some seconds."""
        settings = settings or PlacesSettings()
        return cls(load_arrays(settings), settings)

    @property
    def table(self) -> pa.Table:
        """Every place but areas: name, country (ISO 3166-1 alpha-2), latitude, longitude, population, level,
        and within: the row of the region that a city or a county lies in, else -1.

        A place's row is its id in `find`; rows change with the sources and are never published.
        """
        return self._table

    def find(
        self, folded: pa.StringArray, text: pa.StringArray, lang: pa.StringArray
    ) -> tuple[pa.ListArray, pa.ListArray]:
        """Per post the distinct rows of `table` it speaks of, at most `MAX_PLACES`, and a confidence each.

        `text` is the post as written: its capitals and the pieces of its hashtags count, so `folded` is not
        read. `lang` is a code such as `eng_Latn` or `und`, and speaks mildly for the countries that use the
        language. Continents, seas and other areas are left out: no crowd is there.
        Returns list<int32> and list<float32>, in order of first mention.
        """
        offsets, data = text_buffers(text)
        found = self._run(offsets, data, self.language_rows(lang), distinct=True)
        bounds = pa.array(found.bounds)
        return (
            pa.ListArray.from_arrays(bounds, pa.array(found.rows)),
            pa.ListArray.from_arrays(bounds, pa.array(found.confidences)),
        )

    def find_text(self, text: str, lang: str = "und") -> list[Found]:
        """Every mention of a place in one text; `lang` as `find` takes it."""
        encoded = text.encode("utf-8", "replace")
        offsets, data = text_buffers(pa.array([encoded.decode()], pa.string()))
        languages = self.language_rows(pa.array([lang], pa.string()))
        mentions = self.mentions(offsets, data, languages)
        radii = radius_km(*self.doubts(mentions))
        places = self._arrays.table.take(pa.array(mentions.rows)).to_pylist()
        return [
            Found(
                start=len(encoded[:start].decode()),
                end=len(encoded[:end].decode()),
                name=place["name"],
                country=place["country"],
                lat=place["latitude"],
                lon=place["longitude"],
                level=place["level"],
                confidence=round(float(confidence), 3),
                radius_km=round(float(radius), 1),
            )
            for start, end, place, confidence, radius in zip(
                mentions.starts, mentions.ends, places, mentions.confidences, radii, strict=True
            )
        ]

    def mentions(self, offsets: I32, data: U8, languages: I16) -> Mentioned:
        """Every mention of a place in texts as Arrow buffers; `languages` as `language_rows` gives them."""
        return self._run(offsets, data, languages, distinct=False)

    def where(self, row: int) -> tuple[float, float]:
        """Latitude and longitude of a mention's place."""
        table = self._arrays.table
        return table["latitude"][row].as_py(), table["longitude"][row].as_py()

    def doubts(self, found: Mentioned) -> tuple[U8, F32, F32, F32]:
        """What `place_reach.radius_km` takes of each: level, size in km, odds against, spread in km."""
        places = self._arrays.places[found.rows]
        return places["level"], places["radius"], found.odds, found.spreads

    def _run(self, offsets: I32, data: U8, languages: I16, *, distinct: bool) -> Mentioned:
        arrays = self._arrays
        found: Mentioned = _find(
            offsets,
            data,
            languages,
            self._spoken,
            spellings(),
            arrays.names.table,
            arrays.names.readings,
            arrays.words,
            WEIGHTS,
            self._settings.min_confidence,
            distinct,
        )
        return found

    def language_rows(self, lang: pa.StringArray) -> I16:
        """The row of `_spoken` for each post; 0 where the language is not known or listed."""
        encoded = lang.dictionary_encode()
        rows = np.array(
            [self._language_row(code) for code in encoded.dictionary.to_pylist()] or [0], np.int16
        )
        indices: I32 = encoded.indices.to_numpy(zero_copy_only=False)
        return rows[indices]

    def _language_row(self, code: str) -> int:
        subtag = bcp47(code).split("-")[0]
        return self._languages.index(subtag) + 1 if subtag in self._languages else 0


@allocating
def _find(
    offsets: I32,
    data: U8,
    languages: I16,
    spoken: npt.NDArray[np.uint8],
    spelling: U64,
    names: U64,
    readings: Readings,
    words: WordIndex,
    weights: npt.NDArray[np.float64],
    floor: float,
    distinct: bool,
) -> Mentioned:
    """Every post's mentions, or its distinct places with the surest confidence of each."""
    posts = len(offsets) - 1
    room = posts * (MAX_PLACES if distinct else MAX_MENTIONS)
    starts = np.empty(room, np.int32)
    ends = np.empty(room, np.int32)
    rows = np.empty(room, np.int32)
    confidences = np.empty(room, np.float32)
    odds = np.zeros(0 if distinct else room, np.float32)
    spreads = np.zeros(0 if distinct else room, np.float32)
    bounds = np.zeros(posts + 1, np.int32)
    parts = np.zeros(MAX_PARTS, PART)
    mentions = np.zeros(MAX_MENTIONS, MENTION)
    letters = np.zeros(MAX_LETTERS + 1, LETTER)
    judgement = new_judgement()
    size = 0
    for post in range(posts):
        begin = np.int64(offsets[post])
        count = cut(data, begin, np.int64(offsets[post + 1]), spelling, parts)
        cased = casing(count, parts)
        found = match(data, count, cased, parts, names, words, spelling, letters, mentions)
        if found > 0:
            judge(
                found,
                count,
                cased,
                mentions,
                parts,
                readings,
                words,
                spoken[languages[post]],
                weights,
                floor,
                judgement,
            )
        for mention in range(found):
            best = judgement.best[mention]
            confidence = np.float32(judgement.confidence[mention])
            if best < 0 or confidence < floor:
                continue
            place = readings[mentions[mention].name + best].place
            known = size
            if distinct:
                if readings[mentions[mention].name + best].level == _AREA:
                    continue
                for at in range(bounds[post], size):
                    if rows[at] == place:
                        known = at
                if known < size:
                    confidences[known] = max(confidences[known], confidence)
                    continue
                if size - bounds[post] == MAX_PLACES:
                    break
            starts[size] = parts[mentions[mention].first].start - begin
            ends[size] = parts[mentions[mention].last].end - begin
            rows[size] = place
            confidences[size] = confidence
            if not distinct:
                odds[size], spreads[size] = doubt(mention, mentions, readings, judgement)
            size += 1
        bounds[post + 1] = size
    return Mentioned(
        starts[:size], ends[:size], rows[:size], confidences[:size], odds[:size], spreads[:size], bounds
    )
