"""Owns the line itself: what of a candidate is published, and when.

`Release.decide` is the only door. A candidate comes out as a record, or is refused with a counted reason;
what it says is built from laddered, screened and coarsened parts, never copied. What a record may say stands
here and in what is joined here: `floor`, `ladder`, `geography`, `moods`, `phrases`, `pictures`, `policy`,
`revision`.

Between ticks only published material is kept: the last record of each chain and what was decided for it. So
the state may be written down beside the records, and a process that restores it goes on as if never killed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from groundswell.candidates import Candidate, PhraseUse, PictureUse
from groundswell.clock import BIN_US, HOUR_US, MINUTE_US, floor_to, rfc3339
from groundswell.drops import Refusal
from groundswell.errors import StoreError
from groundswell.metrics import Metrics
from groundswell.pile_ons import UNSAID
from groundswell.published import Bin, Event, Image, Mood, Narrative, Record, Step
from groundswell.release.floor import Floor, ReleaseSettings
from groundswell.release.geography import PopulationGrid, showable_place
from groundswell.release.ladder import Ladder, label
from groundswell.release.moods import CrowdMoods
from groundswell.release.phrases import is_showable, showable_phrases
from groundswell.release.pictures import Pictures, PictureStanding, Seen
from groundswell.release.policy import (
    ASSEMBLY_DELAY_US,
    Handling,
    handling,
    may_turn_on_a_person,
    refusal,
)
from groundswell.release.publish_key import PublishKey
from groundswell.release.revision import (
    CrowdRecord,
    Standing,
    chosen_phrases,
    closing,
    draft,
    is_due,
    same_to_a_reader,
)
from groundswell.release.tellings import LEAST_RECURRENCES, NARRATIVE, Fit, fit, longer_path
from groundswell.release.verdicts import Verdicts
from groundswell.release.words import SENSITIVE_PLACES

__all__ = ["Decision", "Marks", "Release"]

_DAY_US = 24 * HOUR_US
_FORGOTTEN_AFTER_US = 2 * _DAY_US
_NARRATIVE_FORGOTTEN_AFTER_US = 7 * _DAY_US + HOUR_US  # `detect` tells its end after seven days
_ENDINGS = frozenset({"fading", "ended"})

_STATE_DECODER = msgspec.msgpack.Decoder(tuple[dict[str, Standing], dict[str, PictureStanding]])


@dataclass(frozen=True)
class Marks:
    """What every record says of where its posts came from; both false for live posts."""

    simulated: bool = False
    replayed: bool = False


@dataclass
class Decision:
    """What one tick lets over the line."""

    records: list[Record] = field(default_factory=list)
    bins: list[Bin] = field(default_factory=list)
    released: set[str] = field(default_factory=set)
    """Those chains among the candidates that stand published, changed or not."""
    refused: Counter[Refusal] = field(default_factory=Counter)
    images: list[Image] = field(default_factory=list)
    """The files of those pictures among the records that are new."""
    fit: dict[str, Fit] = field(default_factory=dict)
    """What may be remembered of those narratives among the candidates that may be, by chain."""


class Release:
    """Decides, tick by tick, what is published.

    Parameters
    ----------
    settings
        The floors.
    key
        The secret behind the ladder's thresholds.
    population
        How many people live where.
    person_like
        The person gate: whether a phrase could be a private person's name. The same text must always get
        the same answer.
    metrics
        Counts records by kind and refusals by reason.
    marks
        Put on every record.
    everyday
        Whether every word of a phrase is an everyday one: of what is only copied nothing else shows.
    country_names
        What a country is called, by ISO 3166-1 alpha-2 code; codes show for those that are missing.
    """

    def __init__(
        self,
        settings: ReleaseSettings,
        key: PublishKey,
        population: PopulationGrid,
        person_like: Callable[[str], bool],
        metrics: Metrics,
        marks: Marks = Marks(),
        *,
        everyday: Callable[[str], bool] = lambda text: True,
        country_names: Mapping[str, str] | None = None,
    ) -> None:
        self._floor = Floor(settings.k, settings.sensitive_k)
        self._ladders = {
            sensitive: Ladder(key, self._floor.of(sensitive=sensitive), entry_until=self._floor.sensitive_k)
            for sensitive in (False, True)
        }
        self._moods = CrowdMoods(key)
        self._population = population
        self._everyday = Verdicts(everyday)
        self._showable = Verdicts(lambda text: is_showable(text, person_like))
        self._sensitive_place = Verdicts(SENSITIVE_PLACES.found_in)
        self._metrics = metrics
        self._marks = marks
        self._country_names = country_names or {}
        self._standing: dict[str, Standing] = {}
        self._pictures = Pictures(
            self._ladders, self._showable, simulated=marks.simulated, replayed=marks.replayed
        )

    def decide(
        self,
        candidates: Sequence[Candidate],
        tick_us: int,
        pictures: Sequence[PictureUse] = (),
        seen: Seen = lambda picture: None,
    ) -> Decision:
        """What is published at `tick_us`; call it with ticks in order.

        Parameters
        ----------
        candidates
            The tick's crowds.
        pictures
            Who posted the pictures of the chains released so far.
        seen
            What was seen in a picture; None while it has not been looked at.
        """
        decision = Decision()
        for candidate in candidates:
            self._decide(candidate, tick_us, decision)
        shown, decision.images = self._pictures.decide(pictures, seen, tick_us)
        decision.records.extend(shown)
        for record in decision.records:
            self._metrics.release_records.labels(record.__struct_config__.tag).inc()
        for reason, count in decision.refused.items():
            self._metrics.release_refused.labels(reason).inc(count)
        self._forget(tick_us)
        self._showable.turn()
        self._everyday.turn()
        self._sensitive_place.turn()
        return decision

    def state(self) -> bytes:
        """All that is remembered between ticks; the same bytes for the same history."""
        pictures = dict(sorted(self._pictures.standing.items(), key=lambda item: item[1].since_us))
        return msgspec.msgpack.encode((dict(sorted(self._standing.items())), pictures))

    def restore(self, state: bytes) -> None:
        """Go on from `state()`.

        Raises
        ------
        StoreError
            It is not such a state.
        """
        try:
            self._standing, self._pictures.standing = _STATE_DECODER.decode(state)
        except msgspec.MsgspecError as error:
            raise StoreError(
                "checkpoint",
                f"the release state cannot be read ({type(error).__name__})",
                "start with a new data folder, or with the version of the program that wrote this one",
            ) from None

    def _decide(self, candidate: Candidate, tick_us: int, decision: Decision) -> None:
        asked = self._asked(candidate)
        barred = refusal(candidate, asked, self._floor)
        outcome: list[CrowdRecord] | Refusal
        if barred is not None:
            outcome = self._let_end(candidate, tick_us) or barred
        else:
            outcome = self._describe(candidate, asked, tick_us, decision)
        if isinstance(outcome, Refusal):
            decision.refused[outcome] += 1
        else:
            decision.records.extend(outcome)
        if candidate.chain in self._standing:
            decision.released.add(candidate.chain)
            decision.records.extend(self._admit_pictures(candidate, asked, barred, tick_us))
            if barred is None:
                decision.bins.extend(self._bins(candidate, asked, tick_us))

    def _admit_pictures(
        self, candidate: Candidate, asked: Handling, barred: Refusal | None, tick_us: int
    ) -> Sequence[Record]:
        """Whether pictures of a published chain may show from here on; what takes back those that did."""
        if asked.wordless or asked.hidden or may_turn_on_a_person(candidate):
            return self._pictures.bar(candidate.chain, tick_us)
        if barred is None and candidate.state != "ended":
            self._pictures.allow(candidate.chain, sensitive=asked.sensitive)
        else:  # it has ended, or too few are left to say what it is about: what is out stays
            self._pictures.close(candidate.chain)
        return ()

    def _asked(self, candidate: Candidate) -> Handling:
        """The policy's demands on a chain, which may grow and never shrink once it is out."""
        asked = handling(candidate, self._floor.sensitive_k, self._sensitive_place)
        last = self._standing.get(candidate.chain)
        if last is None:
            return asked
        return replace(asked, sensitive=asked.sensitive or last.sensitive, coarse=asked.coarse or last.coarse)

    def _describe(
        self, candidate: Candidate, asked: Handling, tick_us: int, decision: Decision
    ) -> list[CrowdRecord] | Refusal:
        """The revisions that `candidate` calls for, maybe none; or why nothing may be said of it now."""
        last = self._standing.get(candidate.chain)
        ladder = self._ladders[asked.sensitive]
        stands = last  # what goes on showing though it is not said any more
        if asked.wordless:
            candidate, stands = _without_words(candidate), None
        elif candidate.kind == "event" and candidate.category == UNSAID:
            candidate = msgspec.structs.replace(candidate, domains=())  # a page may be called after its owner
        # The chain's first day, not today: a crowd that lasts must not draw its threshold anew each midnight.
        entry = f"{candidate.seed}\x1f{candidate.first_us // _DAY_US}"
        reached = ladder.rung(candidate.speakers, candidate.chain, entry)
        enough = reached is not None if last is None else candidate.speakers >= ladder.leaving(entry)
        if not enough:
            return self._let_end(candidate, tick_us) or Refusal.BELOW_FLOOR
        floor = self._floor.of(sensitive=asked.sensitive)
        phrases = self._phrases(candidate, floor)
        if not phrases and not asked.wordless and not _shares_a_link(candidate, floor):
            return self._let_end(candidate, tick_us) or Refusal.NO_PHRASE
        path: tuple[Step, ...] = ()
        if candidate.kind == NARRATIVE:
            decision.fit[candidate.chain], path = self._telling(candidate, floor, ladder)
            if last is None and candidate.recurrences < LEAST_RECURRENCES:
                return []
        due = last is None or is_due(candidate, last)
        named = chosen_phrases(
            phrases,
            stands.phrases if stands else {},
            lambda speakers, text: ladder.rung(speakers, f"{candidate.chain}\x1f{text}") or floor,
            floor,
            [use.value for use in candidate.languages if use.speakers >= floor],
        )
        place = showable_place(
            candidate.places, floor, asked.coarseness, self._population, self._country_names
        )
        if (
            place is None
            and stands is not None
            and (stands.sensitive, stands.coarse) == (asked.sensitive, asked.coarse)
        ):
            place = stands.record.place
        rung = max(reached or 0, last.rung if last else 0)
        record = draft(
            candidate,
            rung=rung,
            phrases=tuple(named),
            place=place,
            mood=self._mood(candidate, asked, due),
            path=path,
            wordless=asked.wordless,
            floor=floor,
            tick_us=tick_us,
            last=last,
            simulated=self._marks.simulated,
            replayed=self._marks.replayed,
        )
        return self._revise(candidate, record, rung, named, asked, due)

    def _phrases(self, candidate: Candidate, floor: int) -> tuple[PhraseUse, ...]:
        """Those that may show: of copies, narratives and what does not say its matter everyday words."""
        says = candidate.kind == "event" and candidate.category != UNSAID
        wanted = self._showable if says else self._is_everyday
        return showable_phrases(candidate.phrases, floor, wanted)

    def _is_everyday(self, text: str) -> bool:
        return self._everyday(text) and self._showable(text)

    def _telling(self, candidate: Candidate, floor: int, ladder: Ladder) -> tuple[Fit, tuple[Step, ...]]:
        """What of a narrative may be remembered, and its path."""
        last = self._standing.get(candidate.chain)
        shown = last.record.path if last is not None and isinstance(last.record, Narrative) else ()

        def reached(speakers: int, step: str) -> bool:
            return (
                speakers >= floor
                and ladder.rung(speakers, f"{candidate.chain}\x1fpath\x1f{step}") is not None
            )

        remembered = fit(candidate, floor, self._is_everyday, reached)
        return remembered, longer_path(candidate, shown, floor, reached)

    def _mood(self, candidate: Candidate, asked: Handling, due: bool) -> Mood | None:
        """The crowd's mood, looked at when a revision is due; in between, what stands."""
        last = self._standing.get(candidate.chain)
        before = last.record.mood if last is not None and isinstance(last.record, Event) else None
        if last is not None and not due and asked.sensitive == last.sensitive:
            return before
        return self._moods.shown(candidate, self._ladders[asked.sensitive], before)

    def _revise(
        self,
        candidate: Candidate,
        record: CrowdRecord,
        rung: int,
        named: dict[str, int],
        asked: Handling,
        due: bool,
    ) -> list[CrowdRecord]:
        """Remember what stands, and give the revisions that a reader needs to see."""
        last = self._standing.get(candidate.chain)
        revisions: list[CrowdRecord] = []
        kept, last_seen_us = record, floor_to(candidate.last_us, MINUTE_US)
        if last is not None and not due and same_to_a_reader(record, last.record):
            kept, last_seen_us = last.record, last.last_seen_us
        else:
            if last is not None and type(last.record) is not type(record):
                # An event that turns out to be amplification, or the other way: the old kind ends.
                revisions.append(closing(last.record, "ended", record.published_at))
            revisions.append(record)
        self._standing[candidate.chain] = Standing(
            record=kept,
            rung=rung,
            phrases=named,
            last_seen_us=max(last_seen_us, last.last_seen_us) if last else last_seen_us,
            bins_until_us=last.bins_until_us if last else -1,
            sensitive=asked.sensitive,
            coarse=asked.coarse,
        )
        return revisions

    def _let_end(self, candidate: Candidate, tick_us: int) -> list[CrowdRecord]:
        """The one thing still said of a published crowd that may no longer be described: that it fades."""
        last = self._standing.get(candidate.chain)
        if last is None or candidate.state not in _ENDINGS or candidate.state == last.record.state:
            return []
        record = closing(last.record, candidate.state, rfc3339(tick_us))
        self._standing[candidate.chain] = msgspec.structs.replace(last, record=record)
        return [record]

    def _bins(self, candidate: Candidate, asked: Handling, tick_us: int) -> Iterator[Bin]:
        """The closed bins of a published chain that are not out yet, in order.

        Their thresholds belong to the series and stay the same from bin to bin, so that a steady crowd draws
        a steady line and no average over bins undoes them. (Whoever can fill many bins of one series with
        accounts of their own can find them out.) No bin shows more than its record does.
        """
        standing = self._standing[candidate.chain]
        ladder = self._ladders[asked.sensitive]
        until_us = tick_us - (ASSEMBLY_DELAY_US if asked.delayed else 0)
        for start_us, speakers in sorted(candidate.bins):
            if start_us <= standing.bins_until_us or start_us + BIN_US > until_us:
                continue
            rung = ladder.rung(speakers, f"{candidate.chain}\x1fbins")
            accounts = None if rung is None else label(min(rung, standing.rung))
            yield Bin(series=candidate.chain, start=rfc3339(start_us), accounts=accounts)
            standing = msgspec.structs.replace(standing, bins_until_us=start_us)
        self._standing[candidate.chain] = standing

    def _forget(self, tick_us: int) -> None:
        """Chains that nobody spoke of for two days, narratives for a week: their ids do not come back."""
        gone = [
            chain
            for chain, standing in self._standing.items()
            if standing.last_seen_us < tick_us - _forgotten_after_us(standing.record)
        ]
        for chain in gone:
            del self._standing[chain]


def _without_words(candidate: Candidate) -> Candidate:
    """What may name somebody: a place could be half a name, a domain all of it."""
    return msgspec.structs.replace(candidate, phrases=(), places=(), domains=(), cited=(), category="other")


def _shares_a_link(candidate: Candidate, floor: int) -> bool:
    """Whether copies can be told of without a word: by where the link leads that all of them share."""
    return candidate.kind == "amplification" and any(use.speakers >= floor for use in candidate.domains)


def _forgotten_after_us(record: CrowdRecord) -> int:
    return _NARRATIVE_FORGOTTEN_AFTER_US if isinstance(record, Narrative) else _FORGOTTEN_AFTER_US
