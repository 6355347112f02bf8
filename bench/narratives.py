"""Is what is told again and again found, once, and nothing that only recurs? `groundswell bench narratives`.

Simulated worlds of a day: claims in several wordings, languages and sources, told three to six times each,
beside greetings, shared pages, machines, a crowd that turns against one person on and off, events, campaigns
and cascades. A record is about the planted thing that wrote most of the posts of its crowds. A claim counts
as found when a narrative record is about it; a second record about it is a duplicate. A step (a source and a
language) is right when the claim was told there, and not before. Worlds with many such crowds against people,
in all languages that the simulator scolds in, are looked at apart: no record may hold a part of a name.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from threading import Event as Stop
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from bench._data import progress, row

from groundswell.candidates import Candidate
from groundswell.clock import MINUTE_US, moment_us
from groundswell.detect.narratives import Narratives
from groundswell.gate import SpeakerKeys
from groundswell.metrics import Metrics
from groundswell.pipeline import Lexica, Line, LineSettings
from groundswell.published import Bin, Coverage, Narrative, Picture, Record
from groundswell.release import PublishKey
from groundswell.simulator import PlantedDecoy, PlantedNarrative, World, WorldSettings
from groundswell.sources import Lines

__all__ = ["measure"]

SEEDS = 3
PILE_ONS = 10
FIRST_SEED = 2101
CODES = {"en": "eng_Latn", "es": "spa_Latn", "fr": "fra_Latn", "de": "deu_Latn"}
"""The simulator's own codes of the languages that claims are told in."""
_KEY = PublishKey(bytes(range(32)))


def day(seed: int) -> WorldSettings:
    return WorldSettings(
        seed=seed,
        hours=14.0,
        posts_per_second=0.15,
        quiet_minutes=40,
        events_per_hour=0.3,
        campaigns_per_hour=0.1,
        pile_ons_per_hour=0.2,
        narratives=5,
        narrative_posts=(100.0, 250.0),
        narrative_decoys=True,
        sources=("plaza", "square"),
    )


def against_people(seed: int) -> WorldSettings:
    """The same day with a crowd against each of many people, and no claims."""
    return msgspec.structs.replace(
        day(seed), narratives=0, pile_ons_per_hour=0.0, recurring_pile_ons=PILE_ONS
    )


class Score(NamedTuple):
    """One world's: what each narrative record is about, and how well it is told."""

    planted: int
    about: list[str]
    worded: list[str]
    """Of these, those with a phrase, a place or a domain."""
    first_minutes: list[float]
    steps: Counter[str]
    tellings: list[tuple[int, int]]
    """(told, planted) for the records about a claim."""
    people: int
    named: Counter[str]
    """Kinds of the records with a part of the name of a person whom a crowd was against."""
    looked_us: float
    looks: int


def measure(seeds: int = SEEDS) -> list[dict[str, Any]]:
    """Recall, precision, duplicates, moments, steps and cost over `seeds` worlds; what shows of people."""
    lexica = Lexica()
    scores, against = [], []
    with progress("narratives") as bar:
        for done in range(seeds):
            scores.append(score(day(FIRST_SEED + done), lexica))
            against.append(score(against_people(FIRST_SEED + done), lexica))
            bar(done + 1, seeds)
    return [*rows(scores), *people_rows(against)]


def rows(scores: list[Score]) -> list[dict[str, Any]]:
    planted = sum(each.planted for each in scores)
    about = [what for each in scores for what in each.about]
    right = [what for what in about if what.startswith("narrative-")]
    found = sum(len(_claims(each.about)) for each in scores)
    minutes = [late for each in scores for late in each.first_minutes]
    steps = sum((each.steps for each in scores), Counter[str]())
    exact = sum(told == due for each in scores for told, due in each.tellings)
    return [
        row("planted claims", planted),
        row("recall", round(found / planted, 3), ">= .9"),
        row("of these with words", sum(len(_claims(each.worded)) for each in scores)),
        row("precision", f"{len(right) / max(len(about), 1):.3f} of {len(about)}", ">= .9"),
        row("what the others are about", _sorts(about)),
        row("duplicates", round((len(right) - found) / max(len(right), 1), 3), "<= .1"),
        row("first seen, minutes after the telling began: median", _median(minutes), "<= 10"),
        row("first telling is the claim's first", sum(late < 30 for late in minutes)),
        row("tellings counted exactly", f"{exact} of {len(right)}"),
        row("steps right", f"{steps['right']} of {steps['shown']}", ">= .9"),
        row("steps found", f"{steps['found']} of {steps['due']}", ">= .9"),
        row("CPU time of a look, ms", round(_look_ms(scores))),
    ]


def people_rows(scores: list[Score]) -> list[dict[str, Any]]:
    about = [what for each in scores for what in each.about if what.startswith("pile_on-")]
    worded = [what for each in scores for what in each.worded if what.startswith("pile_on-")]
    named = sum((each.named for each in scores), Counter[str]())
    return [
        row("people whom a crowd is against, on and off", sum(each.people for each in scores)),
        row("narratives about one, without a word", len(about) - len(worded)),
        row("narratives about one, with a word, a place or a domain", len(worded), "0"),
        row("narratives with a part of a name", named.pop("Narrative", 0), "0"),
        row("revisions of other records with one", named.total()),
    ]


def _claims(about: list[str]) -> set[str]:
    return {what for what in about if what.startswith("narrative-")}


def _sorts(about: list[str]) -> str:
    wrong = Counter(what.rpartition("-")[0] for what in about if not what.startswith("narrative-"))
    return ", ".join(f"{number} {what}" for what, number in wrong.items()) or "-"


def _look_ms(scores: list[Score]) -> float:
    return sum(each.looked_us for each in scores) / max(sum(each.looks for each in scores), 1) / 1e3


def _median(minutes: list[float]) -> float | str:
    return round(float(np.median(minutes)), 1) if minutes else "-"


class _Timed:
    """CPU time of the looks."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.looks = 0
        self._look = Narratives.look

    def __enter__(self) -> _Timed:
        def look(narratives: Narratives, now_us: int) -> list[Candidate]:
            begun = time.process_time()
            found = self._look(narratives, now_us)
            self.seconds += time.process_time() - begun
            self.looks += 1
            return found

        Narratives.look = look  # type: ignore[method-assign, assignment]
        return self

    def __exit__(self, *exception: object) -> None:
        Narratives.look = self._look  # type: ignore[method-assign]


def score(settings: WorldSettings, lexica: Lexica) -> Score:
    """Play one world through the line and compare."""
    world = World(settings)
    lines = list(world.lines("plain"))
    metrics = Metrics()
    keys = SpeakerKeys()
    labels: dict[int, str | None] = {}
    crowds: dict[str, Counter[str]] = defaultdict(Counter)
    published: dict[str, Narrative] = {}
    everything: list[Record] = []

    def observe(candidate: Candidate, post_keys: npt.NDArray[np.uint64]) -> None:
        if candidate.kind == "narrative":
            crowds[candidate.chain].update(labels.get(key) or "everyday-0" for key in post_keys.tolist())

    def take(records: Sequence[Record], _: Sequence[Bin]) -> None:
        everything.extend(records)
        published.update({each.id: each for each in records if isinstance(each, Narrative)})

    line = Line(
        LineSettings(), lexica, _KEY, metrics, published=take, resume=False, keys=keys, observer=observe
    )
    with _Timed() as timed:
        source = Lines("simulator", lambda since: (each + b"\n" for each in lines), metrics, 2_000)
        for batch in source.read(None, Stop()):
            assert isinstance(batch, pa.RecordBatch)
            uris = batch.column("uri")
            known = keys.posts(batch.column("source"), uris).tolist()
            labels.update(zip(known, map(world.label, uris.to_pylist()), strict=True))
            line.feed(batch)
        line.finish()
    line.close()
    claims = {each.id: each for each in world.truth if isinstance(each, PlantedNarrative)}
    about = {id: crowds[id].most_common(1)[0][0] for id in published}
    people = [each for each in world.truth if isinstance(each, PlantedDecoy) and each.name]
    parts = {part.lower() for person in people for part in person.name.split()}
    told = [(published[id], claims[what]) for id, what in about.items() if what in claims]
    return Score(
        planted=len(claims),
        about=list(about.values()),
        worded=[about[each.id] for each in published.values() if each.phrases or each.place or each.domains],
        people=len(people),
        named=Counter(type(each).__name__ for each in everything if _names(each, parts)),
        first_minutes=[_late(record, claim) for record, claim in told],
        steps=sum((_steps(record, claim) for record, claim in told), Counter[str]()),
        tellings=[(record.recurrences, len(claim.tellings)) for record, claim in told],
        looked_us=timed.seconds * 1e6,
        looks=timed.looks,
    )


def _names(record: Record, parts: set[str]) -> bool:
    """Whether anything that was written by people is, in this record, a part of a name, or holds one."""
    if isinstance(record, Coverage | Picture):
        return False
    shown = " ".join((*record.phrases, *record.domains, record.place.name if record.place else "")).lower()
    return any(part in shown.split() or (len(part) > 3 and part in shown) for part in parts)


def _late(record: Narrative, claim: PlantedNarrative) -> float:
    """Minutes from the beginning of the claim's first telling to the record's first."""
    return (moment_us(record.first_seen) - claim.tellings[0][0]) / MINUTE_US


def _steps(record: Narrative, claim: PlantedNarrative) -> Counter[str]:
    due = {(source, CODES[code]): claim.tellings[telling] for telling, source, code in claim.steps}
    shown = {(step.source, step.language): moment_us(step.since) for step in record.path}
    right = sum(step in due and since >= due[step][0] - 5 * MINUTE_US for step, since in shown.items())
    return Counter(due=len(due), shown=len(shown), right=right, found=len(due.keys() & shown.keys()))
