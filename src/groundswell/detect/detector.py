"""The detector: from enriched posts to candidates, tick by tick.

A tick is ten seconds of stream time. Posts wait until their tick is over and are then counted as one, so
that nothing depends on how a source cut its batches. What a tick finds depends on the posts of the last
hours, on the long baseline and on the sealed chains, and on nothing else: no clock, no order of sets, no
speaker's key. `tests/test_line_restart.py` and `tests/test_line_twice.py` hold that.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.batches import Kind
from groundswell.candidates import Candidate, PictureUse
from groundswell.clock import MINUTE_US, QUARTER_US, SECOND_US, floor_to
from groundswell.config import Settings
from groundswell.detect.albums import Albums
from groundswell.detect.amplification import Copies, Family, own_words
from groundswell.detect.bursts import BurstSettings, Heat, HotTerms, Postings, crowd, hot_terms
from groundswell.detect.chains import Chain, Chains, ChainSettings
from groundswell.detect.columns import count_distinct, distinct
from groundswell.detect.crowds import Crowds
from groundswell.detect.gazette import Gazette
from groundswell.detect.groups import Group, Grouping
from groundswell.detect.intake import admit
from groundswell.detect.kinship import Kinship
from groundswell.detect.names_in import Plain
from groundswell.detect.narratives import Narratives
from groundswell.detect.parts import Parts
from groundswell.detect.rates import Rates, RateSettings, Uses
from groundswell.detect.window import COLUMNS, Window, WindowSettings

__all__ = ["TICK_US", "DetectSettings", "Detector", "Observer"]

TICK_US = 10 * SECOND_US
SWEEP_US = 30 * SECOND_US
"""Clusters are formed anew when a term has just become hot, and at the latest after so long."""
_MOST_WAITING = 1 << 17
"""Rows that wait for the end of their tick, some 700 bytes each: what 13,000 posts a second bring."""

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]
Observer = Callable[[Candidate, npt.NDArray[np.uint64]], None]
"""Called with each candidate and the `post_key` of every post in its crowd."""


class DetectSettings(Settings, frozen=True, kw_only=True):
    """Settings of the detector and of its parts."""

    alert: float = 18.0
    """Nats from which a term can carry an event."""
    min_terms: int = 2
    """Hot terms an event needs, unless one term is twice as surprising as `alert`."""
    unique_share: float = 0.3
    """With fewer of its posts beside the copies of one text, link or picture a crowd is no event."""
    rates: RateSettings = RateSettings()
    window: WindowSettings = WindowSettings()
    bursts: BurstSettings = BurstSettings()
    chains: ChainSettings = ChainSettings()


class Detector:
    """Finds events and amplification in `ENRICHED` batches.

    Parameters
    ----------
    settings
        See `DetectSettings`.
    places
        The gazetteer's table (name, country, latitude, longitude, population, level, within); rows are the
        ids that the enricher wrote.
    categories
        The names behind the category ids.
    floor_k
        The crowd's floor of `release`: smaller groups are not worth handing over, and nothing that fewer
        speakers used is ever sealed.
    observer
        For measuring only: sees what is proposed, in memory, and changes nothing.
    plain
        See `Narratives`.
    """

    def __init__(
        self,
        settings: DetectSettings,
        places: pa.Table,
        categories: tuple[str, ...],
        floor_k: int,
        observer: Observer | None = None,
        plain: Plain = lambda word: False,
    ) -> None:
        self._settings = settings
        self._observer = observer
        self._floor_k = floor_k
        self._rates = Rates(settings.rates, floor_k)
        self._window = Window(settings.window)
        self._heat = Heat(settings.bursts)
        self._postings = Postings()
        self._chains = Chains(settings.chains)
        self._gazette = Gazette(places)
        self._crowds = Crowds(self._window, self._gazette, categories)
        self._copies = Copies(self._window, floor_k)
        self._albums = Albums(self._window, floor_k)
        parts = Parts(self._crowds, self._gazette, floor_k)
        self._grouping = Grouping(
            settings.bursts, settings.chains, self._chains, self._crowds, self._gazette, floor_k,
            Kinship(settings.chains, self._window, self._crowds, self._gazette, parts, floor_k), parts,
        )  # fmt: skip
        self.narratives = Narratives(
            self._window, self._heat, self._crowds, self._gazette, floor_k, plain, observer
        )
        self._pending: list[pa.RecordBatch] = []
        self._waiting = 0
        self._proposed: dict[str, tuple[Candidate, Group, U64Array]] = {}

    @property
    def warm_posts(self) -> int:
        return len(self._window)

    @property
    def evicted_posts(self) -> int:
        return self._window.evicted

    def wait(self, batch: pa.RecordBatch) -> None:
        """Hold `ENRICHED` rows of the tick that is running; `tick` counts them, or they are counted here.

        However many posts share ten seconds, no more than `_MOST_WAITING` wait.
        """
        while batch.num_rows:
            part = batch.slice(0, _MOST_WAITING - self._waiting)
            self._pending.append(part.select(COLUMNS))
            self._waiting += part.num_rows
            batch = batch.slice(part.num_rows)
            if self._waiting == _MOST_WAITING:
                self._count(floor_to(part.column("time_us")[-1].as_py(), TICK_US) + TICK_US)

    def tick(self, now_us: int, *, judge: bool = True) -> list[Candidate]:
        """End the tick at `now_us`: count what waited and give the candidates.

        With `judge` false (when windows are being refilled after a restart) everything is counted and
        nothing proposed.
        """
        self._count(now_us)
        self._proposed = {}
        if not judge:
            return []
        settings = self._settings
        ended = [self._ended(chain, now_us) for chain in self._chains.quiet(now_us)]
        for candidate in ended:
            self._albums.close(candidate.chain)
        if now_us % SWEEP_US and not self._heat.kindled(now_us):
            return ended
        hot = hot_terms(
            self._window, self._heat, self._postings, settings.bursts, now_us, max(3, self._floor_k // 3),
            self._chains.own(),
        )  # fmt: skip
        groups = self._grouping.of(hot) if hot is not None else []
        candidates = []
        for group in groups:
            assert hot is not None
            family = None
            if group.chain is not None:
                last_us = int(hot.times_us[group.posts].max())
                self._chains.learn(group.chain, group.terms, last_us, group.usual)
                self._settle_place(group.chain, group, hot)
                self._albums.enter(group.chain.id, self._albums.shared(hot.rows[group.posts]))
                if now_us % MINUTE_US:
                    continue
                if group.chain.kind == "amplification":
                    family = self._copies.family(hot, group.posts, group.hot)
                    if family is None:
                        continue
            else:
                family = self._copies.family(hot, group.posts, group.hot)
                alarming = self._alarming(hot, group) and not self._grouping.spread_over_chains(hot, group)
                if family is not None and self._only_copies(group, family):
                    alarming = False
                if alarming or (family is not None and self._copies.judge(family, now_us) is None):
                    family = None
                if family is None and not alarming:
                    continue
            if family is not None:
                group = replace(group, posts=family.posts, speakers=family.speakers)
            candidate = self._candidate(hot, group, now_us, family)
            if family is not None or group.chain is not None or self._says_enough(candidate):
                candidates.append(candidate)
                if self._observer is not None:
                    self._observer(candidate, self._window.at("post_key", hot.rows[group.posts]))
        return candidates + ended

    def settle(self, released: set[str]) -> None:
        """Make chains of the candidates that `release` let over the line."""
        for chain_id in sorted(released & self._proposed.keys()):
            candidate, group, pictures = self._proposed[chain_id]
            chain = Chain(
                id=chain_id,
                kind=candidate.kind,
                seed=candidate.seed,
                first_us=candidate.first_us,
                last_us=candidate.last_us,
                terms=dict(group.terms),
                usual=dict(group.usual),
                place=group.place,
                country=group.country,
                category=group.category,
            )
            self._chains.add(chain)
            self._albums.enter(chain_id, pictures)

    def pictures(self) -> list[PictureUse]:
        """Who posted the pictures of the chains' crowds, as of the last tick."""
        return self._albums.uses()

    def _settle_place(self, chain: Chain, group: Group, hot: HotTerms) -> None:
        """A chain that had no place or category takes what k speakers of its crowd give it, and keeps it."""
        if chain.category == "other":
            chain.category = group.category
        if chain.place < 0:
            evidence = self._crowds.evidence(hot.rows[group.posts])
            place, country = self._gazette.attested(evidence, hot.speakers[group.posts], self._floor_k)
            if chain.country < 0 or self._gazette.same_country(country, chain.country):
                chain.place, chain.country = place, country

    def seal(self) -> bytes:
        """Cut the chains down to what may be stored; the bytes are the checkpoint's (see `Chains.seal`)."""
        terms = sorted({term for chain in self._chains for term in chain.terms})
        rows, positions = self._window.find(np.array(terms, np.uint64), self._window.first_row)
        live = self._window.at("alive", rows).astype(bool)
        speakers = self._window.at("speaker", rows[live]).astype(np.uint64)
        epochs = self._window.at("epoch", rows[live])
        common: set[int] = set()
        for epoch in np.unique(epochs):
            of_epoch = epochs == epoch
            counts = distinct(positions[live][of_epoch], speakers[of_epoch], len(terms))
            common.update(terms[i] for i in np.flatnonzero(counts >= self._floor_k).tolist())
        return self._chains.seal(common)

    def restore(self, sealed: bytes) -> None:
        """Go on with the chains of a checkpoint; the windows come from replaying the source."""
        self._chains.restore(sealed)

    def baseline(self) -> bytes:
        """The long baseline as bytes: hashed buckets that at least k speakers filled, no words."""
        filled, means, quarters = self._rates.snapshot()
        return msgspec.msgpack.encode((filled.tobytes(), means.tobytes(), quarters))

    def restore_baseline(self, stored: bytes) -> None:
        filled, means, quarters = msgspec.msgpack.decode(stored, type=tuple[bytes, bytes, float])
        self._rates.restore(np.frombuffer(filled, np.int64), np.frombuffer(means, np.float32), quarters)

    def _count(self, now_us: int) -> None:
        batches, self._pending, self._waiting = self._pending, [], 0
        self._rates.advance(now_us - TICK_US)
        if batches:
            emitted = self._rates.observe(Uses.of(batches), now_us)
            posted = np.concatenate([batch.column("kind").to_numpy() <= Kind.EDIT for batch in batches])
            self._window.take(batches, admit(posted, self._settings.window.tick_posts, emitted))
            self._heat.add(now_us, emitted.terms, emitted.surprise, emitted.usual)
        self._window.expire(now_us)
        self._heat.expire(now_us)

    def _alarming(self, hot: HotTerms, group: Group) -> bool:
        """Whether a group without a chain is unlikely enough to be proposed."""
        if group.speakers < self._floor_k:
            return False
        settings = self._settings
        terms = group.hot
        top = float(hot.surprise[terms].max())
        if group.category == "other" and group.country < 0:
            return self._speaks_for_itself(hot, group, terms)
        per_post = np.asarray(hot.uses[group.posts][:, terms].sum(axis=1)).ravel()
        several = own_words(hot.shapes, group.posts[per_post >= 2])
        strong = crowd(hot.speakers[several], hot.epochs[several]) >= 0.5 * self._floor_k
        if strong and len(terms) >= settings.min_terms and top >= settings.alert:
            return True
        unique = count_distinct(hot.shapes[group.posts])
        return top >= 2 * settings.alert and unique >= 0.6 * group.speakers

    def _speaks_for_itself(self, hot: HotTerms, group: Group, terms: I64Array) -> bool:
        """Of a crowd that says neither what nor where: whether `release` should hear of it at all.

        It is refused there, and counted, as a possible pile-on. A word in fashion for an hour, or a fragment
        of something bigger, has one or two surprising terms and is not worth the count.
        """
        settings = self._settings
        own = own_words(hot.shapes, group.posts)
        uses = np.asarray(hot.uses[own][:, terms].sum(axis=0)).ravel()
        carrying = int(((hot.surprise[terms] >= settings.alert) & (uses >= 0.5 * self._floor_k)).sum())
        return carrying >= 2 * settings.min_terms and float(hot.surprise[terms].max()) >= 2 * settings.alert

    def _only_copies(self, group: Group, family: Family) -> bool:
        """Whether hardly anybody in a crowd says more than what all of them copy."""
        return len(group.posts) - len(family.posts) < self._settings.unique_share * len(group.posts)

    def _says_enough(self, candidate: Candidate) -> bool:
        """A small crowd with one common phrase, and not of what or where, says too little: wait for more."""
        phrases = sum(use.speakers >= self._floor_k for use in candidate.phrases)
        placed = any(place.speakers >= self._floor_k // 2 for place in candidate.places)
        enough = 1 if candidate.category != "other" and placed else 2
        return phrases >= enough or candidate.speakers >= 3 * self._floor_k

    def _candidate(self, hot: HotTerms, group: Group, now_us: int, family: Family | None) -> Candidate:
        posts, chain = group.posts, group.chain
        rows, speakers, epochs = hot.rows[posts], hot.speakers[posts], hot.epochs[posts]
        times_us = hot.times_us[posts]
        terms = group.hot
        kind = chain.kind if chain else ("event" if family is None else "amplification")
        seed = chain.seed if chain else self._seed(hot, group)
        first_us = chain.first_us if chain else floor_to(int(times_us.min()), MINUTE_US)
        spread = self._copies.spread(family, now_us) if family is not None else None
        naming = self._window.at("naming", rows) if family is not None else np.empty(0, np.uint8)
        candidate = Candidate(
            kind=kind,
            chain=chain.id if chain else _new_id(seed, now_us),
            seed=seed,
            tick_us=now_us,
            first_us=first_us,
            last_us=floor_to(int(times_us.max()), MINUTE_US),
            speakers=group.speakers,
            unique_texts=count_distinct(hot.shapes[posts]),
            bins=tuple(self._crowds.bins(times_us, speakers, epochs, now_us)),
            phrases=self._crowds.phrases(hot, terms, posts),
            places=self._gazette.uses(
                self._crowds.evidence(rows), speakers, prefer=chain.country if chain else -1
            ),
            languages=self._crowds.named("lang", rows, speakers),
            sources=self._crowds.named("source", rows, speakers),
            domains=self._crowds.domains(rows, speakers),
            moods=self._crowds.moods(rows, speakers, epochs),
            category=group.category,
            state=_state(times_us, first_us, now_us),
            person_share=round(self._person_share(hot, group, rows, terms, copied=family is not None), 4),
            parts=group.parts if family is None else (),
            surprise=round(float(hot.surprise[terms].max()), 2),
            spread_seconds=None if spread is None else spread.spread_seconds,
            p_value=None if spread is None else spread.p_value,
            naming=_share(naming == 2),
            unclear=_share(naming == 1),
        )
        if chain is None:
            self._proposed[candidate.chain] = (candidate, group, self._albums.shared(rows))
        return candidate

    def _person_share(
        self, hot: HotTerms, group: Group, rows: I64Array, terms: I64Array, *, copied: bool
    ) -> float:
        """In copies no two words stand apart, so that rare pairs tell nothing: there `naming` does."""
        if copied:
            return self._crowds.person_share(rows)
        return self._crowds.share_about_one(hot, terms, group.posts, group.category)

    @staticmethod
    def _seed(hot: HotTerms, group: Group) -> int:
        """The term that most of the group's posts use, ties to the smaller hash."""
        terms = group.hot
        uses = np.asarray(hot.uses[group.posts][:, terms].sum(axis=0)).ravel()
        _, seed = min(zip((-uses).tolist(), hot.terms[terms].tolist(), strict=True))
        return int(seed)

    @staticmethod
    def _ended(chain: Chain, now_us: int) -> Candidate:
        """The last word on a chain: nothing is counted any more, only its end is told."""
        return Candidate(
            kind=chain.kind,
            chain=chain.id,
            seed=chain.seed,
            tick_us=now_us,
            first_us=chain.first_us,
            last_us=floor_to(chain.last_us, MINUTE_US),
            speakers=0,
            unique_texts=0,
            bins=(),
            phrases=(),
            places=(),
            languages=(),
            sources=(),
            domains=(),
            category=chain.category,
            state="ended",
            person_share=0.0,
            surprise=0.0,
        )


def _new_id(seed: int, now_us: int) -> str:
    digest = hashlib.blake2b(f"{seed}/{now_us}".encode(), digest_size=10).digest()
    return base64.b32encode(digest).decode().lower()


def _share(posts: npt.NDArray[np.bool_]) -> float:
    return round(float(posts.mean()), 4) if len(posts) else 0.0


def _state(times_us: I64Array, first_us: int, now_us: int) -> str:
    """From the last quarter hour's posts against the quarter hour before."""
    if now_us - first_us <= 10 * MINUTE_US:
        return "new"
    recent = int((times_us >= now_us - QUARTER_US).sum())
    before = int(((times_us >= now_us - 2 * QUARTER_US) & (times_us < now_us - QUARTER_US)).sum())
    if recent >= 1.3 * before:
        return "growing"
    return "steady" if recent >= 0.7 * before else "fading"
