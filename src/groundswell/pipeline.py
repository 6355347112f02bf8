"""The only wiring: sources, gate, enrich, detect, release and store, joined to one line.

`Line` drives the stages on stream time and knows nothing of how posts came. It owns the ticks, the order of
what is written, and the checkpoint: at the end of every five-minute bin the chains are sealed and stored in
one transaction with what was published. After a crash the source is rewound (`Resume`), the open windows
refill, and ticks up to the checkpoint are counted but not judged.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import structlog

from groundswell.candidates import Gap
from groundswell.clock import (
    BIN_US,
    HOUR_US,
    MINUTE_US,
    QUARTER_US,
    SECOND_US,
    Clock,
    floor_to,
    moment_us,
    rfc3339,
)
from groundswell.config import Document
from groundswell.detect import TICK_US, Detector, DetectSettings, Observer, Watch
from groundswell.enrich import CATEGORIES, Enricher, EnrichSettings
from groundswell.enrich.places import Gazetteer, PlacesSettings
from groundswell.errors import StoreError
from groundswell.gate import Gate, GateSettings, SpeakerKeys
from groundswell.metrics import Metrics
from groundswell.names import NameLexicon
from groundswell.overlap import ahead
from groundswell.published import Bin, Coverage, Record
from groundswell.release import (
    CoverageRelease,
    Marks,
    PopulationGrid,
    PublishKey,
    Release,
    ReleaseSettings,
    gap_record,
    is_gap,
    shortfall_id,
)
from groundswell.sources import FilesSettings, Tally, from_records
from groundswell.sources.files import Progress
from groundswell.store import Checkpoint, Commit, Store, StoreSettings

__all__ = ["Lexica", "Line", "LineSettings", "Resume", "replay"]

RING_US = 60 * MINUTE_US
"""How far back the open window of posts reaches."""
RATES_US = 3 * HOUR_US + 30 * MINUTE_US
"""How far back from there the rates reach, with the gate's horizon."""
LEAP_US = 4 * HOUR_US
"""A silence this long empties every window: ticks inside it are skipped."""
_BACKLOG = 10_000

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


class Sealed(msgspec.Struct, frozen=True):
    """The detector's part of a checkpoint: when the stream began, and the sealed chains."""

    start_us: int
    chains: bytes


@dataclass(frozen=True)
class Resume:
    """Where a restarted run takes up: rewind the source to `since_us`, judge ticks after `checkpoint_us`."""

    checkpoint_us: int
    since_us: int
    baseline_us: int
    start_us: int

    @classmethod
    def after(cls, checkpoint_us: int, start_us: int) -> Resume:
        """The rewind that makes every window at `checkpoint_us` what it was.

        The window of posts reaches back an hour; what was surprising then depends on rates over the three
        hours before and on the long baseline as of that quarter hour.
        """
        baseline_us = max(start_us, floor_to(checkpoint_us - RING_US, QUARTER_US))
        return cls(checkpoint_us, max(start_us, baseline_us - RATES_US), baseline_us, start_us)


class Baselines:
    """The long baselines' snapshots, two files a quarter hour, and two for where the stream began.

    `.base` is of terms, `.volumes` of sources and languages.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "baseline"

    def write(self, time_us: int, terms: bytes, volumes: bytes) -> None:
        """Durable before it returns; raises `StoreError`."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for suffix, snapshot in (("volumes", volumes), ("base", terms)):
                with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                    file.write(snapshot)
                    file.flush()
                    os.fsync(file.fileno())
                Path(file.name).replace(self._path(time_us, suffix))
        except OSError as error:
            raise StoreError(
                str(self._folder),
                f"cannot be written ({error.strerror})",
                "free space or mend the permissions",
            ) from None

    def read(self, time_us: int, suffix: str = "base") -> bytes | None:
        path = self._path(time_us, suffix)
        return path.read_bytes() if path.exists() else None

    def __contains__(self, time_us: int) -> bool:
        return self._path(time_us).exists()

    def prune(self, oldest_us: int) -> None:
        """Delete snapshots from before `oldest_us`, and drafts that a crash left."""
        for old in self._folder.glob("*"):
            if not old.stem.isdigit() or int(old.stem) < oldest_us:
                with suppress(OSError):  # it goes the next time
                    old.unlink()

    def _path(self, time_us: int, suffix: str = "base") -> Path:
        return self._folder / f"{time_us}.{suffix}"


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
        keys: SpeakerKeys | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._gate = Gate(settings.gate, metrics, keys)
        self._enricher = Enricher(settings.enrich, lexica.gazetteer, lexica.names)
        self._new_detector = partial(
            Detector, settings.detect, lexica.gazetteer.table, CATEGORIES,
            floor_k=settings.release.k, observer=observer,
        )  # fmt: skip
        self._detector = self._new_detector()
        self._watch = Watch(settings.release.k)
        self._coverage = CoverageRelease(settings.release, key, metrics, marks)
        self._late: dict[str, Coverage] = {}
        self._heard_us = -1
        self._release = Release(
            settings.release, key, lexica.population, lexica.names.person_like, metrics, marks,
            country_names=lexica.country_names,
        )  # fmt: skip
        self.store = Store.open(folder, settings.store) if folder is not None else None
        self._baselines = Baselines(folder) if folder is not None and resume else None
        self._metrics = metrics
        self._marks = marks
        self._published = published
        self._next_tick_us = -1
        self._start_us = -1
        self._newest_us = -1
        self._records: list[Record] = []
        self._bins: list[Bin] = []
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
        return item if isinstance(item, Gap) else self._gate.admit(item)

    def enrich(self, item: pa.RecordBatch | Gap) -> pa.RecordBatch | Gap:
        """`POST` to `ENRICHED`, each batch for itself."""
        return item if isinstance(item, Gap) else self._enricher.enrich(item)

    def take(self, batch: pa.RecordBatch | Gap) -> None:
        """Count `ENRICHED` rows, and run the ticks that they end."""
        if isinstance(batch, Gap):
            self._tell_gap(batch)
            return
        times_us = batch.column("time_us").to_numpy()
        if len(times_us) and self._next_tick_us < 0:
            self._begin(int(times_us[0]))
        if len(times_us):
            self._newest_us = int(times_us[-1])
            self._settle_late(times_us)
        at = 0
        while at < len(times_us):
            end = int(np.searchsorted(times_us, self._next_tick_us, side="left"))
            if end > at:
                rows = batch.slice(at, end - at)
                self._detector.wait(rows)
                self._watch.count(rows)
                at = end
            if at < len(times_us):
                self._tick()
                self._leap(int(times_us[at]))

    def heard(self, now_us: int) -> None:
        """Something has come, and it is `now_us` by the clock."""
        self._heard_us = now_us

    def wait(self, now_us: int) -> None:
        """Nothing has come for a while, and it is `now_us` by the clock: tell of sources that are late."""
        if self._heard_us < 0 or self._newest_us < 0:
            return
        late = self._watch.late(now_us - self._heard_us, self._newest_us, now_us)
        records = self._coverage.decide([each for each in late if each.source not in self._late], now_us)
        for record in records:
            self._late[record.source] = record
            log.warning("nothing comes", source=record.source, since=record.first_seen)
        if records:
            self._records.extend(records)
            self._write(None)

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
        self._refill_watch(self.resume, first_us)

    def _start(self, start_us: int) -> None:
        self._start_us, self._next_tick_us = start_us, start_us + TICK_US
        self._watch.start(start_us)
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
        self._detector, self._evicted = self._new_detector(), 0
        self._detector.restore(chains)
        self._detector.restore_baseline(baseline)
        self._watch.leap(floor_to(time_us, TICK_US))
        self._start(floor_to(time_us, TICK_US))

    def _tick(self) -> None:
        now_us = self._next_tick_us
        self._next_tick_us += TICK_US
        judge = self.resume is None or now_us > self.resume.checkpoint_us
        with self._metrics.detect_tick_seconds.time():
            candidates = self._detector.tick(now_us, judge=judge)
            shortfalls = self._watch.tick(now_us)
        self.last_tick_us = now_us
        self._metrics.detect_ticks.inc()
        self._metrics.detect_warm_posts.set(self._detector.warm_posts)
        self._metrics.detect_evicted_posts.inc(self._detector.evicted_posts - self._evicted)
        self._evicted = self._detector.evicted_posts
        if not judge:
            self._refill_baseline(now_us)
            return
        decision = self._release.decide(candidates, now_us)
        self._detector.settle(decision.released)
        missing = self._coverage.decide(shortfalls, now_us)
        self._records.extend(decision.records)
        self._records.extend(missing)
        self._bins.extend(decision.bins)
        if now_us % BIN_US == 0:
            self._write(self._checkpoint(now_us))
            if now_us % HOUR_US == 0:
                self._retain(now_us)
        elif decision.records or decision.bins or missing:
            self._write(None)

    def _refill_baseline(self, now_us: int) -> None:
        if self.resume is None or self._baselines is None or now_us != self.resume.baseline_us:
            return
        stored = self._baselines.read(now_us)
        if stored is None:
            log.warning("the snapshot of the long baseline is missing: it is learned anew")
        else:
            self._detector.restore_baseline(stored)

    def _refill_watch(self, resume: Resume, since_us: int) -> None:
        """The volumes' snapshot, the gaps that were published, and what was late when the last run ended."""
        self._watch.start(since_us)
        if self.store is not None:
            for record in self.store.latest("coverage", since_us=since_us, limit=None):
                assert isinstance(record, Coverage)
                if record.state == "delayed":
                    self._late[record.source] = record
                elif is_gap(record):
                    end_us = moment_us(record.last_seen) + SECOND_US
                    self._watch.excuse(record.source, moment_us(record.first_seen), end_us)
        stored = self._baselines.read(resume.baseline_us, "volumes") if self._baselines is not None else None
        if stored is not None:
            self._watch.restore(stored, since_us)

    def _keep_baseline(self, time_us: int) -> None:
        if self._baselines is not None:
            try:
                self._baselines.write(time_us, self._detector.baseline(), self._watch.snapshot(time_us))
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
            detect_state=msgspec.msgpack.encode(Sealed(self._start_us, chains)),
        )

    def _retain(self, now_us: int) -> None:
        if self.store is not None:
            try:
                self.store.retain(now_us)
            except StoreError as error:
                self._block(error)

    def _write(self, checkpoint: Checkpoint | None) -> None:
        """Write what waits, all of it or nothing; while it cannot be written, it waits and is counted on."""
        if not self._records and not self._bins and checkpoint is None:
            return
        if self.store is not None:
            try:
                self.store.commit(Commit(records=self._records, bins=self._bins, checkpoint=checkpoint))
            except StoreError as error:
                self._block(error)
                return
        if self.blocked:
            log.info("publishing again", records=len(self._records))
        self.blocked = False
        self._metrics.store_blocked.set(0)
        records, bins = self._records, self._bins
        self._records, self._bins = [], []
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
        if len(self._records) + len(self._bins) > _BACKLOG:
            raise error

    def _tell_gap(self, gap: Gap) -> None:
        """Publish a gap, under the id of the record that told of its silence, if one did."""
        late = self._late.pop(gap.source, None)
        began_us = self._watch.excuse(gap.source, gap.start_us, gap.end_us)
        told, tick_us = None, self.last_tick_us or gap.end_us
        if late is not None or began_us is not None:
            told = late.id if late else shortfall_id(gap.source, None, began_us or 0)
            tick_us = max(tick_us, gap.end_us, self._heard_us)  # newer than what it takes the place of
        self._records.append(gap_record(gap, tick_us, self._marks, told))
        log.warning("not collected", source=gap.source, reason=gap.reason)
        self._write(None)

    def _settle_late(self, times_us: npt.NDArray[np.int64]) -> None:
        """Posts come again: what was late has come, or a stretch that nobody told of as a gap is missing."""
        for source, record in list(self._late.items()):
            first_us = moment_us(record.first_seen)
            after = int(np.searchsorted(times_us, first_us + SECOND_US))
            if after == len(times_us):
                continue
            end_us = int(times_us[after])
            missing = end_us - first_us > MINUTE_US
            if missing:
                self._watch.excuse(source, first_us, end_us)
            self._records.append(
                msgspec.structs.replace(
                    record,
                    published_at=rfc3339(max(self._heard_us, end_us)),
                    state="not_collected" if missing else "restored",
                    reason="silent" if missing else "late",
                    last_seen=rfc3339(end_us) if missing else record.last_seen,
                    ongoing=False,
                )
            )
            del self._late[source]
            self._write(None)


def recorded(data: Any, metrics: Metrics, progress: Progress | None = None) -> Iterator[pa.RecordBatch]:
    """`RAW` batches of recorded posts: paths, an iterable of dicts, or any Arrow-compatible frame."""
    if isinstance(data, str | Path):
        data = (data,)
    if isinstance(data, list | tuple) and data and all(isinstance(item, str | Path) for item in data):
        files = FilesSettings(paths=tuple(str(path) for path in data))
        return files.build(metrics, progress).read(None, Event())
    return from_records(data, tally=Tally("records", metrics))


def replay(
    data: Any,
    *,
    folder: str | Path | None = None,
    settings: LineSettings | None = None,
    lexica: Lexica | None = None,
    metrics: Metrics | None = None,
    progress: Progress | None = None,
) -> Iterator[Record]:
    """Run recorded posts through the line at full speed, on their own time, and give what is published.

    Each matter is given once, in its last state: when it has ended, or at the end of the recording.

    Parameters
    ----------
    data
        A path or paths of recorded posts, an iterable of dicts, or any Arrow-compatible frame.
    folder
        A data folder to publish into; None to keep nothing.
    settings, lexica, metrics
        See `Line`.
    progress
        Called with the bytes read and the bytes there are.

    Raises
    ------
    UsageError
        `data` is none of these.

    >>> list(replay([]))
    []
    """
    metrics = metrics or Metrics()
    settings = settings or LineSettings()
    where = Path(folder) if folder is not None else None
    batches = recorded(data, metrics, progress)
    open_records: dict[tuple[type[Record], str], Record] = {}
    ended: list[Record] = []

    def take(records: Sequence[Record], bins: Sequence[Bin]) -> None:
        for record in records:
            open_records[type(record), record.id] = record
            if record.state == "ended":
                ended.append(open_records.pop((type(record), record.id)))

    line = Line(
        settings,
        lexica or Lexica(settings.places),
        PublishKey.open(where) if where is not None else PublishKey.of_machine(),
        metrics,
        folder=where,
        marks=Marks(replayed=True),
        published=take,
        resume=False,
    )
    try:
        for _ in line.run(batches):
            yield from ended
            ended.clear()
        line.finish()
        yield from ended
        yield from open_records.values()
    finally:
        line.close()
