"""`ENRICHED` batches written by hand: posts with their terms, a gazetteer of five places, steady chatter.

Terms are hashes of words, of adjacent pairs of words, of links and of pictures, as `enrich` makes them in
kind, not in value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from groundswell.batches import ENRICHED, Kind
from groundswell.candidates import Candidate
from groundswell.clock import MINUTE_US, SECOND_US
from groundswell.detect import TICK_US, Detector, DetectSettings
from groundswell.detect.rates import RateSettings

NOON_US = 1_777_636_800_000_000  # 2026-05-01T12:00:00Z
K = 20
CATEGORIES = ("other", "flood", "storm", "explosion")
OTHER, FLOOD, STORM, EXPLOSION = range(4)

PORTO_ALEGRE, RIO_GRANDE, BRAZIL, VALENCIA, SPAIN = range(5)
PLACES = pa.table(
    {
        "name": ["Porto Alegre", "Rio Grande do Sul", "Brazil", "Valencia", "Spain"],
        "country": ["BR", "BR", "BR", "ES", "ES"],
        "latitude": [-30.03, -29.75, -10.0, 39.47, 40.0],
        "longitude": [-51.23, -53.25, -55.0, -0.38, -4.0],
        "population": [1_330_000, 10_880_000, 203_000_000, 790_000, 48_000_000],
        "level": ["city", "region", "country", "city", "country"],
        "within": [-1, -1, -1, -1, -1],
    }
)

SMALL = DetectSettings(rates=RateSettings(bits=14, speaker_bits=15))
"""The same detector in less memory."""

Row = dict[str, Any]


def hashed(*parts: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "little")


def term(phrase: str) -> int:
    """The hash of a word (its lowest bit is 0) or of a pair of words (1)."""
    return hashed("term", phrase) & ~1 | (" " in phrase)


def post(seconds: float, speaker: int, text: str = "", **changes: Any) -> Row:
    """What `speaker` said `seconds` after noon, in lower case: a row of `ENRICHED` as a dict.

    `places` are rows of `PLACES`, each as sure as can be; any other column can be given as it is.
    """
    words = text.split()
    starts = np.cumsum([0, *(len(word.encode()) + 1 for word in words)]).tolist()
    spans = [(word, starts[i], starts[i] + len(word.encode())) for i, word in enumerate(words)]
    pairs = [(f"{a} {b}", start, end) for (a, start, _), (b, _, end) in pairwise(spans)]
    terms = {term(phrase): (start, end) for phrase, start, end in [*spans, *pairs]}
    row: Row = {
        "kind": Kind.POST,
        "source": "plaza",
        "post_key": hashed("key", seconds, speaker, text),
        "speaker": hashed("speaker", speaker),
        "epoch": 1,
        "text": text,
        "langs": [],
        "domains": [],
        "link_keys": [],
        "picture_keys": [],
        "cell": 0,
        "target": 0,
        "time_us": NOON_US + int(seconds) * SECOND_US,
        "lang": "eng_Latn",
        "folded": text,
        "terms": list(terms),
        "term_starts": [start for start, _ in terms.values()],
        "term_ends": [end for _, end in terms.values()],
        "shape": hashed("shape", text),
        "places": [],
        "categories": [],
        "mood": -1,
        "persons": [],
        "naming": 0,
    }
    row |= changes
    if "terms" not in changes:
        whole = [*row["link_keys"], *row["picture_keys"]]
        row["terms"] = [*row["terms"], *whole]
        row["term_starts"] = [*row["term_starts"], *(0 for _ in whole)]
        row["term_ends"] = [*row["term_ends"], *(0 for _ in whole)]
    return {"place_confidences": [1.0] * len(row["places"]), **row}


def delete(seconds: float, of: Row) -> Row:
    """The news that the post `of` is gone."""
    return post(seconds, 0, kind=Kind.DELETE, post_key=of["post_key"]) | {"speaker": of["speaker"]}


def account_gone(seconds: float, speaker: int) -> Row:
    return post(seconds, speaker, kind=Kind.ACCOUNT_GONE, post_key=0)


def batch(rows: Iterable[Row]) -> pa.RecordBatch:
    """The rows as one batch, in stream-time order."""
    ordered = sorted(rows, key=lambda row: row["time_us"])
    return pa.RecordBatch.from_pylist(ordered, schema=ENRICHED)


def chatter(minutes: int, seed: int = 1, per_second: float = 0.5) -> list[Row]:
    """Everyday posts from noon on: three words each out of sixty, from four hundred speakers."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, minutes * 60, int(minutes * 60 * per_second)))
    return [
        post(time, int(rng.integers(400)), " ".join(f"word{w}" for w in rng.integers(0, 60, 3)))
        for time in times.tolist()
    ]


def detector(settings: DetectSettings = SMALL) -> Detector:
    return Detector(settings, PLACES, CATEGORIES, floor_k=K)


def play(
    watching: Detector,
    posts: Sequence[Row],
    minutes: float,
    *,
    since: float = 0,
    judged_from: float = 0,
    passes: Callable[[Candidate], bool] = lambda candidate: True,
    cuts: Iterable[int] = (),
) -> list[Candidate]:
    """Run the ticks between two minutes after noon; `release` is `passes`.

    Ticks up to the minute `judged_from` only refill the windows. `cuts` are rows at which the posts come in
    another batch.
    """
    rows = batch(posts)
    times_us = rows.column("time_us").to_numpy()
    start_us, end_us = NOON_US + int(since * MINUTE_US), NOON_US + int(minutes * MINUTE_US)
    found = []
    at = int(np.searchsorted(times_us, start_us))
    for now_us in range(start_us + TICK_US, end_us + 1, TICK_US):
        end = int(np.searchsorted(times_us, now_us))
        bounds = [at, *sorted(cut for cut in set(cuts) if at < cut < end), end]
        for first, last in pairwise(bounds):
            watching.wait(rows.slice(first, last - first))
        at = end
        candidates = watching.tick(now_us, judge=now_us > NOON_US + judged_from * MINUTE_US)
        watching.settle({candidate.chain for candidate in candidates if passes(candidate)})
        found.extend(candidates)
    return found
