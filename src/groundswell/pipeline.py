"""The wiring: sources, gate, enrich, detect, release and store, joined to one line.

`Line` drives the stages on stream time and knows nothing of how posts came. It owns the ticks, the order of
what is written, and the checkpoint: at the end of every five-minute bin the chains are sealed and stored in
one transaction with what was published. After a crash the source is rewound (`Resume`), the open windows
refill, and ticks up to the checkpoint are counted but not judged. What is told of missing posts takes a
strand of its own, `CoverageLine`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from threading import Event
from typing import Protocol

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import structlog

from groundswell.candidates import Candidate, Gap, PictureSeen
from groundswell.clock import BIN_US, HOUR_US, MINUTE_US, QUARTER_US, Clock, floor_to
from groundswell.config import Document
from groundswell.coverage import CoverageLine
from groundswell.detect import TICK_US, Detector, DetectSettings, Observer
from groundswell.enrich import CATEGORIES, Enricher, EnrichSettings, captions
from groundswell.enrich.naming import Wording
from groundswell.enrich.places import Gazetteer, PlacesSettings
from groundswell.errors import StoreError
from groundswell.gate import Gate, GateSettings, SpeakerKeys
from groundswell.metrics import Metrics
from groundswell.names import NameLexicon
from groundswell.overlap import ahead
from groundswell.published import Bin, Image, Record
from groundswell.release import Decision, Marks, PopulationGrid, PublishKey, Release, ReleaseSettings
from groundswell.resume import Baselines, Resume, Sealed
from groundswell.store import Checkpoint, Commit, Store, StoreSettings

__all__ = ["Eyes", "Lexica", "Line", "LineSettings"]

LEAP_US = 4 * HOUR_US
"""A silence this long empties every window: ticks inside it are skipped."""
_BACKLOG = 10_000
_IMAGE_WEIGHT = 20
"""A waiting picture counts as so many records: it is a hundred kilobytes."""

log = structlog.get_logger("groundswell.pipeline")

Published = Callable[[Sequence[Record], Sequence[Bin]], None]


class LineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of all stages between the sources and the console."""

    gate: GateSettings = GateSettings()
    places: PlacesSettings = PlacesSettings()
    enrich: EnrichSettings = EnrichSettings()
    detect: DetectSettings = DetectSettings()
    release: ReleaseSettings = ReleaseSettings()
    store: StoreSettings = StoreSettings()

    @classmethod
    def read(cls, document: Document) -> LineSettings:
        """Decode each stage's own table; raises `ConfigurationError` naming the table and the key."""
        fields = msgspec.structs.fields(cls)
        return cls(**{field.name: document.section(field.name, field.type) for field in fields})

    @classmethod
    def tables(cls) -> set[str]:
        """The names of the tables it reads."""
        return {field.name for field in msgspec.structs.fields(cls)}


class Lexica:
    """What is loaded once and shared by every line of a process: places, people living there, names."""

    def __init__(self, settings: PlacesSettings | None = None) -> None:
        self.gazetteer = Gazetteer.load(settings or PlacesSettings())
        self.names = NameLexicon.load()
        self.wording = Wording(self.names)
        table = self.gazetteer.table
        levels = table.column("level").to_numpy(zero_copy_only=False)
        towns = table.filter(pa.array(levels == "city"))
        self.population = PopulationGrid.from_arrays(
            towns.column("latitude").to_numpy(),
            towns.column("longitude").to_numpy(),
            towns.column("population").to_numpy(),
            names=towns.column("name").to_pylist(),
            countries=towns.column("country").to_pylist(),
        )
        countries = table.filter(pa.array(levels == "country"))
        self.country_names = dict(
            zip(countries.column("country").to_pylist(), countries.column("name").to_pylist(), strict=True)
        )


class Eyes(Protocol):
    """What looks at pictures beside the line; `media.Desk` does. No call waits for a picture."""

    def note(self, sightings: pa.RecordBatch) -> None:
        """`SIGHTING` rows of the posts that the gate lets through, in the gate's thread."""
        ...

    def fold(self, post: pa.RecordBatch) -> pa.RecordBatch:
        """`POST` rows, one key for all pictures of a near-duplicate family."""
        ...

    def captions(self, post: pa.RecordBatch) -> tuple[pa.RecordBatch, npt.NDArray[np.int64]] | None:
        """What is written in the pictures of `POST` rows, itself as `POST` rows, and which belongs to each.

        -1 for a row without any; None where no row has one.
        """
        ...

    def turn(self, now_us: int) -> None:
        """A tick is over."""
        ...

    def seen(self, picture: int) -> PictureSeen | None:
        """What was seen in a picture; None while it has not been looked at."""
        ...


class Line:
    """From `RAW` batches to published records.

    Parameters
    ----------
    settings
        Of the stages.
    lexica
        Loaded once, shared.
    key
        The secret behind the ladder.
    metrics
        Counts everything.
    folder
        The data folder; None to keep nothing.
    marks
        Whether records are simulated or replayed.
    published
        Called with what was written, after it was.
    resume
        Go on from the folder's checkpoint when it has one, and keep one; else checkpoints are left alone.
    eyes
        What looks at the posts' pictures; without it nobody does.
    keys, observer
        For measuring only: the keys that the gate hashes with, and who sees the detector's candidates.
    """

    def __init__(
        self,
        settings: LineSettings,
        lexica: Lexica,
        key: PublishKey,
        metrics: Metrics,
        *,
        folder: Path | None = None,
        marks: Marks = Marks(),  # noqa: B008 - frozen
        published: Published = lambda records, bins: None,
        resume: bool = True,
        eyes: Eyes | None = None,
        keys: SpeakerKeys | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._eyes = eyes
        self._gate = Gate(settings.gate, metrics, keys, show=eyes.note if eyes is not None else None)
        self._enricher = Enricher(settings.enrich, lexica.gazetteer, lexica.names)
        self._new_detector = partial(
            Detector, settings.detect, lexica.gazetteer.table, CATEGORIES,
            floor_k=settings.release.k, observer=observer, plain=lexica.wording.plain,
        )  # fmt: skip
        self._detector = self._new_detector()
        self._coverage = CoverageLine(settings.release, key, metrics, marks)
        self._release = Release(
            settings.release, key, lexica.population, lexica.names.person_like, metrics, marks,
            everyday=lexica.wording.everyday, country_names=lexica.country_names,
        )  # fmt: skip
        self.store = Store.open(folder, settings.store) if folder is not None else None
        self._baselines = Baselines(folder) if folder is not None and resume else None
        self._metrics = metrics
        self._published = published
        self._next_tick_us = -1
        self._start_us = -1
        self._records: list[Record] = []
        self._bins: list[Bin] = []
        self._images: list[Image] = []
        self._evicted = 0
        self.last_tick_us: int | None = None
        self.blocked = False
        self.resume = self._resumed() if resume else None

    def _resumed(self) -> Resume | None:
        checkpoint = self.store.checkpoint() if self.store is not None else None
        if checkpoint is None:
            return None
        sealed = msgspec.msgpack.decode(checkpoint.detect_state, type=Sealed)
        self._detector.restore(sealed.chains)
        self._detector.narratives.restore(sealed.narratives)
        self._release.restore(checkpoint.release_state)
        return Resume.after(checkpoint.bin_us, sealed.start_us)

    def feed(self, item: pa.RecordBatch | Gap) -> None:
        """Take in one batch of `RAW` rows, or the news of a gap."""
        self.take(self.enrich(self.admit(item)))

    def run(
        self, items: Iterable[pa.RecordBatch | Gap], stop: Event | None = None, clock: Clock | None = None
    ) -> Iterator[None]:
        """Take in a stream; yields after each item of it.

        The source and the gate work in one thread, enrichment in a second, the rest in the caller's. `stop`
        is set when it is broken off: it must make a source that waits for its network return. With a `clock`
        the stream is live, and a source that falls silent altogether is told of by it.
        """
        idle = None if clock is None else lambda: self.wait(clock.now_us())
        with closing(ahead(ahead(items, self.admit), self.enrich, idle=idle)) as enriched:
            try:
                for batch in enriched:
                    if clock is not None:
                        self.heard(clock.now_us())
                    self.take(batch)
                    yield
            except BaseException:  # a failure, or the caller closes this generator
                if stop is not None:
                    stop.set()
                raise

    def admit(self, item: pa.RecordBatch | Gap) -> pa.RecordBatch | Gap:
        """`RAW` to `POST`; batches must come in their order."""
        if isinstance(item, Gap):
            return item
        post = self._gate.admit(item)
        return post if self._eyes is None else self._eyes.fold(post)

    def enrich(self, item: pa.RecordBatch | Gap) -> pa.RecordBatch | Gap:
        """`POST` to `ENRICHED`, each batch for itself."""
        if isinstance(item, Gap):
            return item
        enriched = self._enricher.enrich(item)
        written = self._eyes.captions(item) if self._eyes is not None else None
        if written is None:
            return enriched
        texts, at = written
        return captions.join(enriched, self._enricher.enrich(texts), at)

    def take(self, batch: pa.RecordBatch | Gap) -> None:
        """Count `ENRICHED` rows, and run the ticks that they end."""
        if isinstance(batch, Gap):
            self._tell([self._coverage.gap(batch, self.last_tick_us)])
            return
        times_us = batch.column("time_us").to_numpy()
        if len(times_us) and self._next_tick_us < 0:
            self._begin(int(times_us[0]))
        if len(times_us):
            self._tell(self._coverage.come(times_us))
        at = 0
        while at < len(times_us):
            end = int(np.searchsorted(times_us, self._next_tick_us, side="left"))
            if end > at:
                rows = batch.slice(at, end - at)
                self._detector.wait(rows)
                self._coverage.count(rows)
                at = end
            if at < len(times_us):
                self._tick()
                self._leap(int(times_us[at]))

    def heard(self, now_us: int) -> None:
        """Something has come, and it is `now_us` by the clock."""
        self._coverage.heard(now_us)

    def wait(self, now_us: int) -> None:
        """Nothing has come for a while, and it is `now_us` by the clock: tell of sources that are late."""
        self._tell(self._coverage.late(now_us))

    def finish(self) -> None:
        """The stream has ended: run the tick that is open, on to the end of its minute, and write."""
        if self._next_tick_us < 0:
            return
        self._tick()
        while (self._next_tick_us - TICK_US) % MINUTE_US:
            self._tick()
        self._write(None)

    def close(self) -> None:
        """Destroy the keys and let the store go."""
        self._gate.close()
        if self.store is not None:
            self.store.close()

    def _begin(self, time_us: int) -> None:
        """Ticks begin with the first row, or where the source was rewound to, whenever a row comes then."""
        if self.resume is None:
            self._start(floor_to(time_us, TICK_US))
            return
        first_us = floor_to(self.resume.since_us, TICK_US)
        self._start_us, self._next_tick_us = self.resume.start_us, first_us + TICK_US
        self._refill_baseline(first_us)
        self._refill_coverage(self.resume, first_us)

    def _start(self, start_us: int) -> None:
        self._start_us, self._next_tick_us = start_us, start_us + TICK_US
        self._coverage.start(start_us)
        self._keep_baseline(start_us)

    def _leap(self, time_us: int) -> None:
        """After a long silence, run the hours in which chains end, and skip to where the stream goes on.

        Nothing but the chains and the long baseline outlives such a silence. So the stream starts anew with
        these two, and a restart need not reach back behind the silence.
        """
        if time_us - self._next_tick_us < LEAP_US:
            return
        until_us = self._next_tick_us + LEAP_US // 2
        while self._next_tick_us < until_us:
            self._tick()
        chains, baseline = self._detector.seal(), self._detector.baseline()
        narratives = self._detector.narratives.seal()
        self._detector, self._evicted = self._new_detector(), 0
        self._detector.restore(chains)
        self._detector.narratives.restore(narratives)
        self._detector.restore_baseline(baseline)
        self._coverage.leap(floor_to(time_us, TICK_US))
        self._start(floor_to(time_us, TICK_US))

    def _tick(self) -> None:
        now_us = self._next_tick_us
        self._next_tick_us += TICK_US
        judge = self.resume is None or now_us > self.resume.checkpoint_us
        with self._metrics.detect_tick_seconds.time():
            candidates = self._detector.tick(now_us, judge=judge)
            if judge and now_us % QUARTER_US == 0:
                candidates += self._detector.narratives.look(now_us)
            missing = self._coverage.tick(now_us, judge=judge)
        self.last_tick_us = now_us
        self._metrics.detect_ticks.inc()
        self._metrics.detect_warm_posts.set(self._detector.warm_posts)
        self._metrics.detect_evicted_posts.inc(self._detector.evicted_posts - self._evicted)
        self._evicted = self._detector.evicted_posts
        if not judge:
            self._refill_baseline(now_us)
            return
        decision = self._decide(candidates, now_us)
        self._detector.settle(decision.released)
        self._detector.narratives.settle(decision.fit, decision.released)
        self._records.extend(decision.records)
        self._records.extend(missing)
        self._bins.extend(decision.bins)
        self._images.extend(decision.images)
        if now_us % BIN_US == 0:
            self._write(self._checkpoint(now_us))
            if now_us % HOUR_US == 0:
                self._retain(now_us)
        elif decision.records or decision.bins or missing:
            self._write(None)

    def _decide(self, candidates: Sequence[Candidate], now_us: int) -> Decision:
        if self._eyes is None:
            return self._release.decide(candidates, now_us)
        self._eyes.turn(now_us)
        return self._release.decide(candidates, now_us, self._detector.pictures(), self._eyes.seen)

    def _refill_baseline(self, now_us: int) -> None:
        if self.resume is None or self._baselines is None or now_us != self.resume.baseline_us:
            return
        stored = self._baselines.read(now_us)
        if stored is None:
            log.warning("the snapshot of the long baseline is missing: it is learned anew")
        else:
            self._detector.restore_baseline(stored)

    def _refill_coverage(self, resume: Resume, since_us: int) -> None:
        told: Sequence[Record] = ()
        if self.store is not None:
            told = self.store.latest("coverage", since_us=since_us, limit=None)
        stored = self._baselines.read(resume.baseline_us, "volumes") if self._baselines is not None else None
        self._coverage.refill(since_us, told, stored)

    def _keep_baseline(self, time_us: int) -> None:
        if self._baselines is not None:
            try:
                self._baselines.write(time_us, self._detector.baseline(), self._coverage.snapshot(time_us))
            except StoreError as error:
                self._block(error)

    def _checkpoint(self, now_us: int) -> Checkpoint | None:
        """What a restart needs to go on from `now_us`; None when the last checkpoint has to do."""
        chains = self._detector.seal()  # kept or not, a run goes on alike
        if self._baselines is None:
            return None
        if now_us % QUARTER_US == 0:
            self._keep_baseline(now_us)
        if Resume.after(now_us, self._start_us).baseline_us not in self._baselines:
            return None  # it could not be written while the disk was full
        return Checkpoint(
            bin_us=now_us,
            release_state=self._release.state(),
            detect_state=msgspec.msgpack.encode(
                Sealed(self._start_us, chains, self._detector.narratives.seal())
            ),
        )

    def _retain(self, now_us: int) -> None:
        if self.store is not None:
            try:
                self.store.retain(now_us)
            except StoreError as error:
                self._block(error)

    def _tell(self, records: Sequence[Record]) -> None:
        """Write these at once, whatever tick is running."""
        if records:
            self._records.extend(records)
            self._write(None)

    def _write(self, checkpoint: Checkpoint | None) -> None:
        """Write what waits, all of it or nothing; while it cannot be written, it waits and is counted on."""
        if not self._records and not self._bins and checkpoint is None:
            return
        if self.store is not None:
            try:
                self.store.commit(
                    Commit(records=self._records, bins=self._bins, images=self._images, checkpoint=checkpoint)
                )
            except StoreError as error:
                self._block(error)
                return
        if self.blocked:
            log.info("publishing again", records=len(self._records))
        self.blocked = False
        self._metrics.store_blocked.set(0)
        records, bins = self._records, self._bins
        self._records, self._bins, self._images = [], [], []
        if records or bins:
            self._published(records, bins)
        if checkpoint is not None and self._baselines is not None:
            self._baselines.prune(Resume.after(checkpoint.bin_us, self._start_us).baseline_us)

    def _block(self, error: StoreError) -> None:
        if not self.blocked:
            log.error(
                "publishing has stopped; nothing published is lost",
                where=error.where,
                what=error.what,
                mend=error.mend,
            )
        self.blocked = True
        self._metrics.store_blocked.set(1)
        if len(self._records) + len(self._bins) + _IMAGE_WEIGHT * len(self._images) > _BACKLOG:
            raise error
