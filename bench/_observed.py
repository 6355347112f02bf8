"""Replays recorded posts as a user would, and sees which post stands behind which published record.

What it sees is on no other road: the line's observer gives the detector's candidates with their posts' keys,
in memory. A post belongs to the chain that it was counted for at the most minutes; posts of candidates that
were never published belong to none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event as Stop

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from groundswell.batches import Kind
from groundswell.candidates import Candidate, Gap
from groundswell.clock import SECOND_US
from groundswell.gate import SpeakerKeys
from groundswell.metrics import Metrics
from groundswell.pipeline import Lexica, Line, LineSettings
from groundswell.published import Amplification, Bin, Event, Record
from groundswell.recordings import recorded
from groundswell.release import Marks, PublishKey
from groundswell.sources import FilesSettings, Lines
from groundswell.sources.files import Progress
from groundswell.sources.lines import blocks, decompressed
from groundswell.sources.rows import Row
from groundswell.sources.wire import Decoder

__all__ = ["Observed", "microseconds", "observe", "observe_file", "observe_lines", "row_keys"]

U64Array = npt.NDArray[np.uint64]
_COMPACT = 4_000_000
_PLAIN = FilesSettings(paths=()).name
_TEXT_KINDS = (Kind.POST, Kind.EDIT)


@dataclass(frozen=True)
class Observed:
    """What a replay published, and out of which posts."""

    revisions: list[Event | Amplification]
    """Every revision, in the order of publication."""
    proposals: dict[str, Candidate]
    """The candidate that first crossed the line, by chain."""
    keys: U64Array
    """Of posts that were counted for a published chain, ascending."""
    chains: list[str]
    """Beside `keys`: the chain of each."""
    crowds: dict[str, tuple[U64Array, npt.NDArray[np.int64]]]
    """Every post that was ever counted for a chain, and for how many minutes, by chain."""

    @property
    def latest(self) -> dict[str, Event | Amplification]:
        """The last revision of each chain, in order of first publication."""
        return {record.id: record for record in self.revisions}

    @property
    def first_published_us(self) -> dict[str, int]:
        """When each chain was first published, in stream time."""
        first: dict[str, int] = {}
        for record in self.revisions:
            first.setdefault(record.id, microseconds(record.published_at))
        return first

    def chain_of(self, keys: U64Array) -> list[str]:
        """The chain of each post; empty where it fell in none."""
        if not len(self.keys):
            return [""] * len(keys)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        known = (self.keys[at] == keys).tolist()
        return [self.chains[i] if hit else "" for i, hit in zip(at.tolist(), known, strict=True)]


class _Votes:
    """Counts for how many minutes each post was in each chain's crowd."""

    def __init__(self) -> None:
        self._names: dict[str, int] = {}
        self._parts: list[tuple[U64Array, npt.NDArray[np.int64], npt.NDArray[np.int64]]] = []
        self._waiting = 0

    def add(self, chain: str, keys: U64Array) -> None:
        number = self._names.setdefault(chain, len(self._names))
        ones = np.ones(len(keys), np.int64)
        self._parts.append((keys.copy(), number * ones, ones))
        self._waiting += len(keys)
        if self._waiting > _COMPACT:
            self._compact()

    def _compact(self) -> None:
        if not self._parts:
            return
        keys, chains, counts = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        order = np.lexsort((chains, keys))
        keys, chains, counts = keys[order], chains[order], counts[order]
        starts = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]) | (chains[1:] != chains[:-1])])
        self._parts = [(keys[starts], chains[starts], np.add.reduceat(counts, starts))]
        self._waiting = 0

    def crowds(self) -> dict[str, tuple[U64Array, npt.NDArray[np.int64]]]:
        """(posts, minutes) of each chain, whatever other chain they were in."""
        self._compact()
        return {
            chain: (keys[chains == number], counts[chains == number])
            for keys, chains, counts in self._parts
            for chain, number in self._names.items()
        }

    def winners(self, published: set[str]) -> tuple[U64Array, list[str]]:
        """(keys, chains): of each post the published chain with most minutes, ties to the earlier chain."""
        self._compact()
        if not self._parts:
            return np.empty(0, np.uint64), []
        keys, chains, counts = self._parts[0]
        names = list(self._names)
        out = np.isin(chains, [number for name, number in self._names.items() if name in published])
        keys, chains, counts = keys[out], chains[out], counts[out]
        order = np.lexsort((chains, -counts, keys))
        keys, first = np.unique(keys[order], return_index=True)
        return keys, [names[number] for number in chains[order][first].tolist()]


def observe(
    items: Iterable[pa.RecordBatch | Gap],
    lexica: Lexica,
    *,
    keys: SpeakerKeys | None = None,
    secret: int = 0,
    settings: LineSettings | None = None,
) -> Observed:
    """Run `RAW` batches through the line.

    Parameters
    ----------
    keys
        The gate's keys, for whoever must find a post again; drawn afresh when None.
    secret
        Which publishing key: the thresholds of the ladder follow from it.
    """
    revisions: list[Event | Amplification] = []
    proposals: dict[str, Candidate] = {}
    votes = _Votes()

    def see(candidate: Candidate, keys: U64Array) -> None:
        if candidate.kind == "narrative":
            return
        proposals.setdefault(candidate.chain, candidate)
        votes.add(candidate.chain, keys)

    def take(records: Sequence[Record], _: Sequence[Bin]) -> None:
        revisions.extend(record for record in records if isinstance(record, Event | Amplification))

    line = Line(
        settings or LineSettings(),
        lexica,
        PublishKey(secret.to_bytes(32, "big")),
        Metrics(),
        marks=Marks(replayed=True),
        published=take,
        resume=False,
        keys=keys,
        observer=see,
    )
    try:
        for _ in line.run(items):
            pass
        line.finish()
    finally:
        line.close()
    published = {record.id for record in revisions}
    return Observed(
        revisions,
        {chain: candidate for chain, candidate in proposals.items() if chain in published},
        *votes.winners(published),
        {chain: counted for chain, counted in votes.crowds().items() if chain in published},
    )


def observe_file(
    path: Path, lexica: Lexica, *, secret: int = 0, progress: Progress | None = None
) -> tuple[Observed, U64Array]:
    """Replay a file: what was observed, and the key of each of its lines (see `row_keys`)."""
    keys = SpeakerKeys()
    of_rows = row_keys(_lines(path), keys)
    return observe(recorded(path, Metrics(), progress), lexica, keys=keys, secret=secret), of_rows


def observe_lines(lines: list[bytes], lexica: Lexica, *, secret: int = 0) -> tuple[Observed, U64Array]:
    """Replay lines that were made: what was observed, and the key of each of them."""
    keys = SpeakerKeys()
    of_rows = row_keys(lines, keys)
    source = Lines(_PLAIN, lambda since_us: (line + b"\n" for line in lines), Metrics())
    return observe(source.read(None, Stop()), lexica, keys=keys, secret=secret), of_rows


def row_keys(lines: Iterable[bytes], keys: SpeakerKeys) -> U64Array:
    """The gate's key of the post in each line of a recording, whichever form it has; 0 where there is none.

    Lines are counted from 0, blank and broken ones too. Versions of one post, under one id, have one key.
    """
    decoder = Decoder(_PLAIN)
    sources: list[str] = []
    uris: list[str | None] = []
    for line in lines:
        row = decoder.decode(line)
        is_post = isinstance(row, Row) and row.kind in _TEXT_KINDS
        sources.append(row.source if isinstance(row, Row) else _PLAIN)
        uris.append(row.uri if isinstance(row, Row) and is_post else None)
    if not uris:
        return np.empty(0, np.uint64)
    return keys.posts(pa.array(sources, pa.string()), pa.array(uris, pa.string()))


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        for block in blocks(decompressed(file, str(path))):
            lines = block.split(b"\n")
            yield from lines if lines[-1] else lines[:-1]


def microseconds(moment: str) -> int:
    """A record's time as stream time."""
    return int(datetime.fromisoformat(moment).timestamp()) * SECOND_US
