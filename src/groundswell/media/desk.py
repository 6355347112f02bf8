"""The order of work: which pictures are looked at, how closely, and what is known of them since.

Fingerprint first, of the pictures that most speakers posted and then of the newest, within a budget; all that
is seen in a picture only when its crowd comes near the floor. Nothing here ever waits: the line hands in
sightings, asks what is known, and goes on. Sightings, references and findings are in memory only; a reference
is kept until its picture is fetched, and an hour at most.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.batches import POST, Kind
from groundswell.candidates import PictureSeen
from groundswell.clock import HOUR_US
from groundswell.config import Settings
from groundswell.media.families import Families
from groundswell.media.fetch import FetchSettings
from groundswell.media.findings import Hints
from groundswell.media.fingerprint import Fingerprint
from groundswell.media.pool import PoolSettings
from groundswell.media.reading import Reading
from groundswell.metrics import Metrics

__all__ = ["Desk", "MediaSettings"]

I64Array = npt.NDArray[np.int64]
U64Array = npt.NDArray[np.uint64]

_SEEN_KEPT = 2_000
_KNOWN_KEPT = 100_000
_VERSIONS = 3
"""Of a picture that are read, when so many go round."""
_TRIES = 2
_CAPTION_CHARACTERS = 300


class MediaSettings(Settings, frozen=True, kw_only=True):
    """Table `[media]`: whether pictures are looked at, and how much that may take."""

    enabled: bool = True
    fetches_per_minute: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 120
    sightings: Annotated[int, msgspec.Meta(ge=1_000, le=10_000_000)] = 200_000
    """Of the last hour that are remembered; the oldest goes first, counted."""
    pool: PoolSettings = PoolSettings()
    fetch: FetchSettings = FetchSettings()


class Desk:
    """What the line asks about pictures.

    Parameters
    ----------
    settings
        See `MediaSettings`.
    reading
        Fetches and looks; its calls wait, so they are made in threads of the desk's own.
    floor_k
        A picture is read when half as many speakers have posted it.
    metrics
        Counts what is looked at and what is left.
    """

    def __init__(self, settings: MediaSettings, reading: Reading, floor_k: int, metrics: Metrics) -> None:
        self._settings = settings
        self._reading = reading
        self._near = max(3, floor_k // 2)
        self._metrics = metrics
        self._lock = threading.Lock()
        self._waiting: list[pa.RecordBatch] = []
        self._hour: deque[pa.RecordBatch] = deque()
        self._rows = 0
        self._families = Families()
        self._first: dict[int, int] = {}  # family to the picture that stands for it
        self._known: OrderedDict[int, int] = OrderedDict()  # picture to the one that stands for it
        self._tries: dict[int, int] = {}
        self._asked: set[int] = set()
        self._seen: OrderedDict[int, PictureSeen] = OrderedDict()
        self._is_stale = False
        self._table = (np.empty(0, np.uint64), np.empty(0, np.uint64))
        self._written: tuple[U64Array, tuple[str, ...]] = (np.empty(0, np.uint64), ())
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="media-desk")
        self._closed = False

    def note(self, sightings: pa.RecordBatch) -> None:
        """`SIGHTING` rows of posts that go on."""
        with self._lock:
            self._waiting.append(sightings)

    def fold(self, post: pa.RecordBatch) -> pa.RecordBatch:
        """`POST` rows with one key for all near-duplicates of a picture that are known."""
        keys, stands = self._table
        lists = post.column("picture_keys")
        values = lists.flatten().to_numpy()
        if not len(values) or not len(keys):
            return post
        at = np.minimum(np.searchsorted(keys, values), len(keys) - 1)
        folded = np.where(keys[at] == values, stands[at], values)
        owners = pc.list_parent_indices(lists).to_numpy().astype(np.uint64)
        _, first = np.unique(np.stack([owners, folded]), axis=1, return_index=True)
        kept = np.sort(first)
        ends = np.cumsum(np.bincount(owners[kept].astype(np.int64), minlength=post.num_rows))
        offsets = pa.array(np.concatenate([[0], ends]).astype(np.int32))
        column = pa.ListArray.from_arrays(offsets, pa.array(folded[kept]))
        return post.set_column(POST.get_field_index("picture_keys"), POST.field("picture_keys"), column)

    def captions(self, post: pa.RecordBatch) -> tuple[pa.RecordBatch, I64Array] | None:
        """What is written in the posts' pictures, and which of it belongs to each post."""
        keys, texts = self._written
        lists = post.column("picture_keys")
        values = lists.flatten().to_numpy()
        if not len(values) or not len(keys):
            return None
        at = np.minimum(np.searchsorted(keys, values), len(keys) - 1)
        owners = pc.list_parent_indices(lists).to_numpy()
        hit = np.flatnonzero(keys[at] == values)[::-1]  # of several the first
        if not len(hit):
            return None
        used, positions = np.unique(at[hit], return_inverse=True)
        belongs = np.full(post.num_rows, -1, np.int64)
        belongs[owners[hit]] = positions
        return _as_posts([texts[i] for i in used.tolist()]), belongs

    def seen(self, picture: int) -> PictureSeen | None:
        """What was seen in a picture."""
        return self._seen.get(picture)

    def turn(self, now_us: int) -> None:
        """Ask for what is worth a look now; never waits for it."""
        with self._lock:
            fresh, self._waiting = self._waiting, []
            self._remember(fresh, now_us)
            self._sort_known()
            if not self._hour or self._closed:
                return
            wanted = self._wanted()
        for look in wanted:
            self._threads.submit(look)

    @property
    def is_busy(self) -> bool:
        """Whether anything that was asked for is not there yet."""
        return bool(self._asked)

    def close(self) -> None:
        """Look at nothing any more; what is under way is given up."""
        with self._lock:
            self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._reading.close()

    def _remember(self, fresh: list[pa.RecordBatch], now_us: int) -> None:
        if fresh:
            (batch,) = pa.Table.from_batches(fresh).combine_chunks().to_batches()
            self._hour.append(batch)
            self._rows += batch.num_rows
        while self._hour and (
            self._rows > self._settings.sightings or self._hour[0]["time_us"][-1].as_py() < now_us - HOUR_US
        ):
            gone = self._hour.popleft()
            self._rows -= gone.num_rows
            if gone["time_us"][-1].as_py() >= now_us - HOUR_US:
                self._metrics.media_shed_sightings.inc(gone.num_rows)

    def _wanted(self) -> list[Callable[[], None]]:
        """What to look at until the next turn, the largest crowds first."""
        pictures = np.concatenate([batch["picture"].to_numpy() for batch in self._hour])
        speakers = np.concatenate([batch["speaker"].to_numpy() for batch in self._hour])
        keys, stands = self._table
        families = pictures
        if len(keys):
            at = np.minimum(np.searchsorted(keys, pictures), len(keys) - 1)
            families = np.where(keys[at] == pictures, stands[at], pictures)
        mixed = families * np.uint64(0x9E3779B97F4A7C15) ^ speakers
        _, each = np.unique(mixed, return_index=True)
        names, crowds = np.unique(families[each], return_counts=True)
        order = np.argsort(-crowds, kind="stable")
        room = max(1, self._settings.fetches_per_minute // 6) - len(self._asked)
        looks: list[Callable[[], None]] = []
        for family, crowd in zip(names[order].tolist(), crowds[order].tolist(), strict=True):
            if crowd < self._near or room <= 0:
                break
            if family not in self._seen and self._may_ask(family):
                members = list(dict.fromkeys(pictures[families == family][::-1].tolist()))[:_VERSIONS]
                looks.append(self._look(family, crowd, self._references(members)))
                room -= len(members)
        for picture, crowd in self._unknown(pictures, names, crowds)[: max(0, room)]:
            if self._may_ask(picture):
                looks.append(self._glance(picture, crowd, self._references([picture])))
        return looks

    def _may_ask(self, picture: int) -> bool:
        if picture in self._asked or self._tries.get(picture, 0) >= _TRIES:
            return False
        self._asked.add(picture)
        self._tries[picture] = self._tries.get(picture, 0) + 1
        while len(self._tries) > _KNOWN_KEPT:
            del self._tries[next(iter(self._tries))]
        return True

    def _unknown(self, pictures: U64Array, names: U64Array, crowds: I64Array) -> list[tuple[int, int]]:
        """Pictures without a fingerprint and their crowds: the largest first, then the newest."""
        newest = dict.fromkeys(pictures[::-1][: 4 * self._settings.fetches_per_minute].tolist())
        large = names[crowds > 1].tolist()
        crowd_of = dict(zip(names.tolist(), crowds.tolist(), strict=True))
        asked = [key for key in dict.fromkeys([*large, *newest]) if key not in self._known]
        return sorted(((key, crowd_of.get(key, 1)) for key in asked), key=lambda item: -item[1])

    def _references(self, members: list[int]) -> list[str]:
        """Where each of some pictures can be fetched, by its newest sighting."""
        wanted = pa.array(members, pa.uint64())
        found: dict[int, str] = {}
        for batch in reversed(self._hour):
            hits = batch.filter(pc.is_in(batch["picture"], wanted))
            for picture, reference in zip(
                hits["picture"].to_pylist()[::-1], hits["reference"].to_pylist()[::-1], strict=True
            ):
                found.setdefault(picture, reference)
            if len(found) == len(members):
                break
        return [found[member] for member in members if member in found]

    def _look(self, picture: int, crowd: int, references: list[str]) -> Callable[[], None]:
        def look() -> None:
            try:
                found = self._reading.read(picture, references, crowd, Hints())
            finally:
                with self._lock:
                    self._asked.discard(picture)
            if found is not None:
                seen, fingerprint = found
                with self._lock:
                    self._file(picture, fingerprint)
                    self._keep(msgspec.structs.replace(seen, picture=self._known[picture]))

        return look

    def _glance(self, picture: int, crowd: int, references: list[str]) -> Callable[[], None]:
        def glance() -> None:
            try:
                fingerprint = self._reading.fingerprint(references[0], crowd) if references else None
            finally:
                with self._lock:
                    self._asked.discard(picture)
            if fingerprint is not None:
                with self._lock:
                    self._file(picture, fingerprint)

        return glance

    def _file(self, picture: int, fingerprint: Fingerprint) -> None:
        """Put a picture into its family; the first of a family stands for all of it."""
        if picture in self._known:
            return
        family = self._families.add(fingerprint, 0, 0).family
        stands = self._first.setdefault(family, picture)
        self._known[picture] = stands
        self._is_stale = True
        while len(self._known) > _KNOWN_KEPT:
            self._known.popitem(last=False)

    def _sort_known(self) -> None:
        """Make the table that posts are folded by."""
        if not self._is_stale:
            return
        self._is_stale = False
        keys = np.fromiter(self._known.keys(), np.uint64, len(self._known))
        order = np.argsort(keys)
        values = np.fromiter(self._known.values(), np.uint64, len(self._known))
        self._table = (keys[order], values[order])

    def _keep(self, seen: PictureSeen) -> None:
        self._seen[seen.picture] = seen
        while len(self._seen) > _SEEN_KEPT:
            self._seen.popitem(last=False)
        texts = {
            picture: " \n".join(sign.text for sign in found.signs)[:_CAPTION_CHARACTERS]
            for picture, found in self._seen.items()
            if found.signs
        }
        keys = np.array(sorted(texts), np.uint64)
        self._written = (keys, tuple(texts[key] for key in keys.tolist()))


def _as_posts(texts: list[str]) -> pa.RecordBatch:
    """Texts as `POST` rows that nobody wrote."""
    blank = {
        "kind": int(Kind.POST),
        "source": "",
        "post_key": 0,
        "speaker": 0,
        "epoch": 0,
        "langs": [],
        "domains": [],
        "link_keys": [],
        "picture_keys": [],
        "cell": 0,
        "target": 0,
        "time_us": 0,
    }
    return pa.RecordBatch.from_pylist([blank | {"text": text} for text in texts], schema=POST)
