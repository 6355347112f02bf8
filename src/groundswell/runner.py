"""The main job: one live source through the line, its records on a page on loopback.

Without a configuration it reads Bluesky's public Jetstream. When no host answers it says so and plays the
simulated hour instead, marked as simulated in every record, on the page and in the log. A restart rewinds
the source and goes on where the last checkpoint stands.
"""

from __future__ import annotations

import shutil
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any, cast

import msgspec
import platformdirs
import pyarrow as pa
import structlog

from groundswell import console
from groundswell.candidates import Gap
from groundswell.clock import MINUTE_US, SECOND_US, Clock, SystemClock, rfc3339
from groundswell.config import Document, Settings
from groundswell.console import Feed, SourceStatus, Status
from groundswell.console.status import SourceState
from groundswell.enrich import CATEGORIES
from groundswell.errors import ConfigurationError, SourceError, StoreError, did_you_mean
from groundswell.gate import forbid_core_dumps
from groundswell.lookout import open_desk
from groundswell.media import Fetch, Fetched, MediaSettings
from groundswell.metrics import Metrics
from groundswell.pipeline import Lexica, Line, LineSettings
from groundswell.release import Marks, PublishKey
from groundswell.simulator import World, simulated_hour
from groundswell.sources import FilesSettings, JetstreamSettings, Lines, Paced, Source
from groundswell.store import Store
from groundswell.store.store import FILE_NAME, Kind

__all__ = ["SOURCE_KINDS", "ConsoleSettings", "RunSettings", "Runner"]

DEFAULT_PORT = 8750
SIMULATED_LEAD_MINUTES = 75
"""The simulated hour begins this long ago: an hour of quiet to learn from, then its first events."""

log = structlog.get_logger("groundswell.run")

SOURCE_KINDS: dict[str, type[Settings]] = {"jetstream": JetstreamSettings, "files": FilesSettings}


class ConsoleSettings(Settings, frozen=True, kw_only=True):
    """Where the page is served: always on loopback."""

    port: int = DEFAULT_PORT


class SimulatorSettings(Settings, frozen=True, kw_only=True):
    """The simulated hour."""

    seed: int = 1


class RunSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a configuration file can say."""

    line: LineSettings = LineSettings()
    media: MediaSettings = MediaSettings()
    console: ConsoleSettings = ConsoleSettings()
    simulator: SimulatorSettings = SimulatorSettings()
    source_kind: str = "jetstream"
    source: Any = JetstreamSettings()

    @classmethod
    def read(cls, document: Document) -> RunSettings:
        """Decode a whole file; raises `ConfigurationError` for the first thing that is wrong."""
        document.allow({"console", "media", "simulator", "source"} | LineSettings.tables())
        tables = document.tables("source")
        kind, source = "jetstream", cast(Settings, JetstreamSettings())
        if len(tables) > 1:
            names = ", ".join(f"`{name}`" for name in tables)
            raise ConfigurationError(
                f"{document.where} [source]",
                f"{len(tables)} sources: {names}",
                "keep one; a run reads one source",
            )
        for name, table in tables.items():
            where = f"source.{name}"
            kind = table.get("kind", "")
            if kind not in SOURCE_KINDS:
                raise ConfigurationError(
                    f"{document.where} [{where}]",
                    f"`kind` = {kind!r} is unknown",
                    did_you_mean(str(kind), SOURCE_KINDS),
                )
            rest = {"name": name} | {key: value for key, value in table.items() if key != "kind"}
            source = document.decode(rest, SOURCE_KINDS[kind], where)
        return cls(
            line=LineSettings.read(document),
            media=document.section("media", MediaSettings),
            console=document.section("console", ConsoleSettings),
            simulator=document.section("simulator", SimulatorSettings),
            source_kind=kind,
            source=source,
        )


class _Pulse:
    """How fast and how late a source is, over the last ten seconds of the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: deque[tuple[int, int]] = deque()
        self.newest_us: int | None = None
        self.since_us = clock.now_us()
        self.connected = False
        self.gap = False

    def feel(self, items: Iterable[pa.RecordBatch | Gap]) -> Iterator[pa.RecordBatch | Gap]:
        """The items as they come, each noted."""
        for item in items:
            self._beat(item)
            yield item

    def _beat(self, item: pa.RecordBatch | Gap) -> None:
        now_us = self._clock.now_us()
        if isinstance(item, Gap):
            self.gap, self.since_us = True, item.start_us
            return
        if item.num_rows:
            if not self.connected or self.gap:
                self.since_us = now_us
            self.connected, self.gap = True, False
            self.newest_us = item.column("time_us")[-1].as_py()
            self._rows.append((now_us, item.num_rows))

    def status(self, name: str) -> SourceStatus:
        now_us = self._clock.now_us()
        rows = [count for time_us, count in list(self._rows) if time_us > now_us - 10 * SECOND_US]
        while len(self._rows) > len(rows):
            self._rows.popleft()
        state: SourceState = "gap" if self.gap else "connected" if self.connected else "connecting"
        lag = None if self.newest_us is None else max(0.0, (now_us - self.newest_us) / SECOND_US)
        return SourceStatus(
            name=name,
            state=state,
            since=rfc3339(self.since_us),
            messages_per_second=sum(rows) / 10,
            lag_seconds=lag,
        )


class Runner:
    """One run of the main job.

    Parameters
    ----------
    settings
        See `RunSettings`.
    folder
        The data folder; the platform's usual one by default.
    clock
        For the edges only: pacing, status, the simulated hour's anchor.
    announce
        Called once with the page's address and the mode.
    """

    def __init__(
        self,
        settings: RunSettings,
        folder: Path | None = None,
        clock: Clock | None = None,
        announce: Callable[[str, str], None] = lambda url, mode: None,
    ) -> None:
        self._settings = settings
        self._folder = folder or platformdirs.user_data_path("groundswell")
        self._clock = clock or SystemClock()
        self._announce = announce
        self._started_us = self._clock.now_us()
        self.stop = threading.Event()

    def run(self, *, simulate: bool = False, once: bool = False) -> None:
        """Read until `stop` is set; with `once`, until the source ends.

        Raises
        ------
        GroundswellError
            The port or the store cannot be had, or writing failed for good.
        """
        forbid_core_dumps()
        lexica = Lexica(self._settings.line.places)
        if not simulate:
            metrics = Metrics()
            source = self._settings.source.build(metrics)
            try:
                self._read(source, lexica, metrics, self._folder, Marks(), "live", once)
                return
            except SourceError as error:
                if self._settings.source_kind != "jetstream":
                    raise
                log.warning(
                    "no host answers; playing the simulated hour instead", where=error.where, what=error.what
                )
        self._simulate(lexica, once)

    def _simulate(self, lexica: Lexica, once: bool) -> None:
        metrics = Metrics()
        folder = _folder_for_simulation(self._folder)
        start_us = self._clock.now_us() - SIMULATED_LEAD_MINUTES * MINUTE_US
        world = World(simulated_hour(start_us, seed=self._settings.simulator.seed))
        lines = Lines(
            "simulator",
            lambda since: (line + b"\n" for line in world.lines("jetstream", since)),
            metrics,
            512,
        )
        source = Paced(lines, self._clock, from_us=self._clock.now_us())
        log.warning("simulated: every post, place and account is made up; nothing here is happening")
        marks = Marks(simulated=True)

        def drawn(reference: str, anew: bool) -> Fetched:
            return Fetched(world.picture(reference.rpartition("/")[2]))

        self._read(source, lexica, metrics, folder, marks, "simulated", once, drawn)

    def _read(
        self,
        source: Source,
        lexica: Lexica,
        metrics: Metrics,
        folder: Path,
        marks: Marks,
        mode: str,
        once: bool,
        fetch: Fetch | None = None,
    ) -> None:
        feed = Feed()
        settings = self._settings
        eyes = open_desk(settings.media, lexica.names, settings.line.release.k, metrics, self._clock, fetch)
        line = Line(
            self._settings.line,
            lexica,
            PublishKey.open(folder),
            metrics,
            folder=folder,
            marks=marks,
            published=feed.publish,
            resume=mode == "live",
            eyes=eyes,
        )
        pulse = _Pulse(self._clock)
        with ExitStack() as stack:
            stack.callback(line.close)
            if eyes is not None:
                stack.callback(eyes.close)
            assert line.store is not None
            app = console.create_app(
                line.store,
                feed,
                metrics,
                lambda: self._status(line, source, pulse, mode),
                categories=CATEGORIES,
            )
            since_us = line.resume.since_us if line.resume else None
            batches = source.read(since_us, self.stop)
            first = next(batches, None)  # a source that no host answers for fails here, before the page is up
            url = stack.enter_context(console.serve(app, self._settings.console.port))
            log.info("listening", page=url, mode=mode, source=source.name, data=str(folder))
            self._announce(url, mode)
            items = batches if first is None else chain((first,), batches)
            for _ in line.run(pulse.feel(items), self.stop, self._clock):
                if self.stop.is_set():
                    break
            else:
                if self.stop.is_set():
                    return  # told to stop while it waited: the open tick is for the restart to finish
                line.finish()
                if not once:
                    log.info("the source has ended; the page stays up")
                    self.stop.wait()

    def _status(self, line: Line, source: Source, pulse: _Pulse, mode: str) -> Status:
        from groundswell import __version__

        return Status(
            mode="simulated" if mode == "simulated" else "live",
            version=__version__,
            started_at=rfc3339(self._started_us),
            last_tick=None if line.last_tick_us is None else rfc3339(line.last_tick_us),
            store_blocked=line.blocked,
            floor=self._settings.line.release.k,
            sources=(pulse.status(source.name),),
        )


def _folder_for_simulation(folder: Path) -> Path:
    """The folder beside `folder`, emptied of an earlier simulation: a live run goes on from what it finds.

    Raises
    ------
    StoreError
        Another process has it open, or it holds what was not simulated.
    """
    beside = folder.with_name(f"{folder.name}-simulated")
    if (beside / FILE_NAME).exists():
        with Store.open(beside, read_only=True) as store:
            kinds = cast(list[Kind], list(store.count()))
            records = chain.from_iterable(store.latest(kind, limit=None) for kind in kinds)
            if not all(record.simulated for record in records):
                raise StoreError(
                    str(beside),
                    "holds records that were not simulated",
                    "move it, or give another data folder",
                )
        for path in beside.glob(f"{FILE_NAME}*"):
            path.unlink()
        shutil.rmtree(beside / "baseline", ignore_errors=True)
    return beside
