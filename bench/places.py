"""How well and how fast places are found: `groundswell bench places`.

Sets with coordinates: IDRISI-D (posts, English and Arabic), GeoVirus and GeoWebNews (news). A gold toponym
counts as resolved when a mention found on its words lies within 161 km of it; not finding it at all counts
against us. Precision leaves out mentions of a place that the set marks elsewhere in the same event or
article: the sets mark places by fits and starts, above all in hashtags. The weights were fitted on the even
groups (`_places_fit.py`), so figures are of the odd ones unless they say otherwise.
"""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from bench._data import data_file, median_us

from groundswell.enrich.places import Found, Gazetteer

__all__ = ["EVENT_COUNTRIES", "Document", "Gold", "Score", "event_countries", "gold_sets", "measure", "score"]

HIT_KM = 161.0
POSTS = 50_000

# The published mark, or the project's own goal, for all gold toponyms of each set.
GOALS = {"IDRISI-D en": 0.60, "IDRISI-D ar": 0.60, "GeoVirus": 0.624, "GeoWebNews": 0.526}

# Where each labelled event of the mix was: any of these countries is right.
EVENT_COUNTRIES = {
    "2012_Sandy_Hurricane": {"US"},
    "2013_Alberta_Floods": {"CA"},
    "2013_Boston_Bombings": {"US"},
    "2013_Oklahoma_Tornado": {"US"},
    "2013_Queensland_Floods": {"AU"},
    "2013_West_Texas_Explosion": {"US"},
    "california_wildfires_2018": {"US"},
    "canada_wildfires_2016": {"CA"},
    "dragon_storms_2020": {"EG", "JO", "LB"},
    "ecuador_earthquake_2016": {"EC"},
    "hafr_albatin_floods_2019": {"SA"},
    "hurricane_florence_2018": {"US"},
    "hurricane_harvey_2017": {"US"},
    "hurricane_irma_2017": {"US", "AG", "MF", "SX", "VI", "CU", "BL", "PR"},
    "hurricane_maria_2017": {"PR", "US", "DM"},
    "hurricane_matthew_2016": {"HT", "US"},
    "italy_earthquake_aug_2016": {"IT"},
    "jordan_floods_2018": {"JO"},
    "maryland_floods_2018": {"US"},
    "midwestern_us_floods_2019": {"US"},
    "srilanka_floods_2017": {"LK"},
}


class Gold(NamedTuple):
    """A toponym that a set marks: characters, and where it is."""

    start: int
    end: int
    lat: float
    lon: float
    country: str  # empty where the set does not say


class Document(NamedTuple):
    """A text, the event or article it belongs to, and what is marked in it."""

    group: str
    lang: str
    text: str
    gold: list[Gold]
    unplaced: list[tuple[int, int]]  # marked, without coordinates


class Score(NamedTuple):
    """What a set says of the finder."""

    toponyms: int
    resolved: float
    precision: float
    country: float
    calibration_error: float
    inside: float
    """Share of the answers on marks that hold the mark in their stated 80 % circle."""
    answers: int


def gold_sets() -> dict[str, list[Document]]:
    """Every set with coordinates, by name."""
    places = data_file("places")
    return {
        "IDRISI-D en": list(_idrisi(places / "idrisi_D_en.jsonl.gz", "eng_Latn")),
        "IDRISI-D ar": list(_idrisi(places / "idrisi_D_ar.jsonl.gz", "arb_Arab")),
        "GeoVirus": list(_geovirus(places / "GeoVirus.xml.gz")),
        "GeoWebNews": list(_geowebnews(places / "GWN.xml.gz")),
    }


def _idrisi(path: Path, lang: str) -> Iterator[Document]:
    with gzip.open(path, "rt") as lines:
        for line in lines:
            post = json.loads(line)
            gold = [
                Gold(m["start"], m["end"], m["lat"], m["lon"], (m.get("cc") or "").upper())
                for m in post["mentions"]
            ]
            yield Document(post["event"], lang, post["text"], gold, [])


def _geovirus(path: Path) -> Iterator[Document]:
    with gzip.open(path) as file:
        for article in ElementTree.parse(file).getroot():
            gold = [
                Gold(_number(at, "start"), _number(at, "end"), _degrees(at, "lat"), _degrees(at, "lon"), "")
                for at in article.iter("location")
            ]
            yield Document(article.findtext("source", ""), "eng_Latn", article.findtext("text", ""), gold, [])


def _geowebnews(path: Path) -> Iterator[Document]:
    with gzip.open(path) as file:
        for article in ElementTree.parse(file).getroot():
            marked = list(article.iter("toponym"))
            gold = [
                Gold(
                    _number(at, "start"),
                    _number(at, "end"),
                    _degrees(at, "latitude"),
                    _degrees(at, "longitude"),
                    "",
                )
                for at in marked
                if at.findtext("latitude")
            ]
            unplaced = [
                (_number(at, "start"), _number(at, "end")) for at in marked if not at.findtext("latitude")
            ]
            yield Document(article.get("file", ""), "eng_Latn", article.findtext("text", ""), gold, unplaced)


def _number(element: ElementTree.Element, tag: str) -> int:
    return int(element.findtext(tag, "0"))


def _degrees(element: ElementTree.Element, tag: str) -> float:
    return float(element.findtext(tag, "nan"))


def kilometres(lat: Any, lon: Any, other_lat: Any, other_lon: Any) -> Any:
    """Great-circle distance; scalars or arrays of degrees."""
    a, b, c, d = (np.radians(value) for value in (lat, lon, other_lat, other_lon))
    h = np.sin((c - a) / 2) ** 2 + np.cos(a) * np.cos(c) * np.sin((d - b) / 2) ** 2
    return 12742 * np.arcsin(np.sqrt(h))


def halves(documents: list[Document], half: int) -> list[Document]:
    """The documents of every other group: 0 for those the weights were fitted on, 1 for the rest."""
    kept = set(sorted({document.group for document in documents})[half::2])
    return [document for document in documents if document.group in kept]


def near_marks(documents: list[Document]) -> dict[str, npt.NDArray[np.float64]]:
    """The coordinates that each group marks anywhere."""
    marks: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for document in documents:
        marks[document.group] += [(gold.lat, gold.lon) for gold in document.gold]
    return {group: np.array(points) for group, points in marks.items() if points}


def score(gazetteer: Gazetteer, documents: list[Document]) -> Score:
    """Find the places of every document and compare."""
    marks = near_marks(documents)
    toponyms = resolved = with_country = right_country = 0
    judged: list[tuple[float, bool]] = []
    held: list[bool] = []
    for document in documents:
        found = gazetteer.find_text(document.text, document.lang)
        for gold in document.gold:
            hits = [f for f in found if f.start < gold.end and f.end > gold.start]
            toponyms += 1
            resolved += any(_hits(f, gold) for f in hits)
            if hits and gold.country:
                with_country += 1
                right_country += any(f.country == gold.country for f in hits)
        judged += _judged(document, found, marks)
        held += _held(document, found)
    confidences, right = (np.array(column, float) for column in zip(*judged, strict=True))
    return Score(
        toponyms,
        resolved / toponyms,
        float(right.mean()),
        right_country / with_country if with_country else float("nan"),
        _calibration_error(confidences, right),
        float(np.mean(held)),
        len(held),
    )


def _hits(found: Found, gold: Gold) -> bool:
    return bool(kilometres(gold.lat, gold.lon, found.lat, found.lon) <= HIT_KM)


def _held(document: Document, found: list[Found]) -> Iterator[bool]:
    """Of every mention on marked words, whether its circle holds the nearest mark."""
    for mention in found:
        over = [gold for gold in document.gold if mention.start < gold.end and mention.end > gold.start]
        if over:
            nearest = min(kilometres(gold.lat, gold.lon, mention.lat, mention.lon) for gold in over)
            yield bool(nearest <= mention.radius_km)


def _judged(
    document: Document, found: list[Found], marks: dict[str, npt.NDArray[np.float64]]
) -> Iterator[tuple[float, bool]]:
    """Confidence and rightness of every mention that the set lets us judge."""
    for mention in found:
        over = [gold for gold in document.gold if mention.start < gold.end and mention.end > gold.start]
        if over:
            yield mention.confidence, any(_hits(mention, gold) for gold in over)
            continue
        if any(mention.start < end and mention.end > start for start, end in document.unplaced):
            continue
        points = marks.get(document.group)
        if points is not None:
            distances = kilometres(mention.lat, mention.lon, points[:, 0], points[:, 1])
            if (distances <= HIT_KM).any():
                continue
        yield mention.confidence, False


def _calibration_error(confidences: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> float:
    """Expected calibration error over ten equal bins."""
    bins = np.minimum((confidences * 10).astype(int), 9)
    return sum(
        float(abs(confidences[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean())
        for b in np.unique(bins)
    )


def _mix() -> tuple[list[str], list[str | None]]:
    with gzip.open(data_file("events", "mix.jsonl.gz"), "rt") as lines:
        posts = [json.loads(line) for line in lines]
    return [post["text"] for post in posts], [post["event"] for post in posts]


def event_countries(gazetteer: Gazetteer) -> dict[str, list[str]]:
    """For each event of the mix its countries by the confidence-weighted number of posts, the most first."""
    texts, events = _mix()
    text = pa.array(texts)
    lists, confidences = gazetteer.find(text, text, pa.array(["und"] * len(texts)))
    countries = gazetteer.table.column("country").to_pylist()
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    for event, rows, weights in zip(events, lists.to_pylist(), confidences.to_pylist(), strict=True):
        if event is not None:
            said: dict[str, float] = {}
            for row, weight in zip(rows, weights, strict=True):
                said[countries[row]] = max(said.get(countries[row], 0.0), weight)
            totals[event].update(said)
    return {event: [country for country, _ in total.most_common()] for event, total in totals.items()}


def _microseconds(gazetteer: Gazetteer) -> float:
    """CPU time a post, the median of five runs."""
    texts, _ = _mix()
    text = pa.array(texts[:POSTS])
    lang = pa.array(["und"] * len(text))
    gazetteer.find(text[:10], text[:10], lang[:10])
    return median_us(lambda: gazetteer.find(text, text, lang), len(text))


def measure() -> Iterator[dict[str, Any]]:
    """The rows that `groundswell bench` prints."""
    begun = time.perf_counter()
    gazetteer = Gazetteer.load()
    yield {"figure": "load, s (cached)", "value": round(time.perf_counter() - begun, 2), "goal": "<= 3"}
    inside, answers = 0.0, 0
    for name, documents in gold_sets().items():
        every = score(gazetteer, documents)
        kept = score(gazetteer, halves(documents, 1))
        goal = f"> {GOALS[name]}"
        yield {"figure": f"{name}: resolved in 161 km, all", "value": round(every.resolved, 3), "goal": goal}
        yield {"figure": f"{name}: resolved, held out", "value": round(kept.resolved, 3), "goal": goal}
        yield {"figure": f"{name}: precision, held out", "value": round(kept.precision, 3), "goal": "-"}
        yield {"figure": f"{name}: calibration error", "value": round(kept.calibration_error, 3), "goal": "-"}
        yield {
            "figure": f"{name}: 80 % circles, held out",
            "value": round(kept.inside, 3),
            "goal": ".75 to .85",
        }
        inside += kept.inside * kept.answers
        answers += kept.answers
        if name.startswith("IDRISI"):
            yield {"figure": f"{name}: right country", "value": round(kept.country, 3), "goal": "-"}
    yield {
        "figure": "80 % circles, all sets, held out",
        "value": round(inside / answers, 3),
        "goal": ".75 to .85",
    }
    ranked = event_countries(gazetteer)
    right = sum(ranked[event][0] in countries for event, countries in EVENT_COUNTRIES.items())
    yield {"figure": "mix: events whose first country is right", "value": right, "goal": "of 21"}
    yield {"figure": "µs a post", "value": round(_microseconds(gazetteer), 2), "goal": "<= 2"}


if __name__ == "__main__":
    for row in measure():
        print(row)
