"""Owns the file of published records: one DuckDB database, one writer, finite retention.

A commit is one transaction, on the disk before it returns. Records are keyed by (kind, id, revision) and
bins by (series, start); what is already there is left as it is, so publishing twice changes nothing. The
store cannot know whether a record is safe to publish: only `release` makes them.

Nothing is written outside the one file and its write-ahead log: DuckDB may not spill to a temporary folder.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import duckdb
import msgspec

from groundswell.clock import HOUR_US, SECOND_US, rfc3339
from groundswell.config import Settings
from groundswell.errors import StoreError
from groundswell.published import Bin, Image, Picture, Record, to_json
from groundswell.store.schema import TABLES, VERSION

__all__ = ["FILE_NAME", "Checkpoint", "Commit", "Kind", "Store", "StoreSettings"]

FILE_NAME = "published.duckdb"
Kind = Literal["event", "narrative", "amplification", "coverage", "picture"]

_DAY_US = 24 * HOUR_US
_EPOCH = datetime(1970, 1, 1)
_DECODER = msgspec.json.Decoder(Record)
_INSERT_RECORD = "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_BIN = "INSERT OR IGNORE INTO bins VALUES (?, ?, ?)"
_INSERT_IMAGE = "INSERT OR IGNORE INTO images VALUES (?, ?, ?, ?)"
_IMAGES_KEPT_US = 72 * HOUR_US
"""Whatever the retention: a picture is gone after three days."""
_LATEST = """
    SELECT body FROM records WHERE kind = ?
    QUALIFY row_number() OVER (PARTITION BY id ORDER BY revision_us DESC) = 1
    {since}
    ORDER BY last_seen DESC, id LIMIT ?
"""


class StoreSettings(Settings, frozen=True, kw_only=True):
    """`[store]`: how long published records are kept, and how much memory the database may take."""

    retention_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 30
    memory_megabytes: Annotated[int, msgspec.Meta(ge=64)] = 256


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a restart takes up again: the stages' own states as of the end of a bin."""

    bin_us: int
    release_state: bytes
    detect_state: bytes = b""


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """What is published at once, or not at all."""

    records: Sequence[Record] = ()
    bins: Sequence[Bin] = ()
    images: Sequence[Image] = ()
    """Files of pictures; a picture's record that is `withdrawn` takes its file along."""
    checkpoint: Checkpoint | None = None


class Store:
    """The published records of one data folder.

    Writes come from one thread at a time; reads may come from any thread, each on a cursor of its own, and
    see whole commits only.
    """

    def __init__(self, path: Path, settings: StoreSettings, read_only: bool) -> None:
        self._path = path
        self._settings = settings
        self._read_only = read_only
        self._writing = threading.Lock()
        self._connection = _connect(path, settings, read_only)

    @classmethod
    def open(cls, folder: Path, settings: StoreSettings | None = None, read_only: bool = False) -> Store:
        """The store in the data folder `folder`, which is made when it is missing.

        Raises
        ------
        StoreError
            The file is locked, damaged, or no store of this version; or it cannot be made.
        """
        path = folder / FILE_NAME
        if read_only and not path.exists():
            raise StoreError(
                str(path), "no such file", "publish something first, or give another data folder"
            )
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                str(folder),
                f"cannot be made ({type(error).__name__})",
                "choose a data folder you may write to",
            ) from None
        return cls(path, settings or StoreSettings(), read_only)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Fold the log into the file and let it go; on a full disk the log stays and nothing is lost."""
        with self._writing:
            try:
                self._connection.close()
            except duckdb.Error as error:
                raise _explained(self._path, error) from None

    def commit(self, commit: Commit) -> None:
        """Write all of `commit`, on the disk when this returns, or nothing of it.

        Raises
        ------
        StoreError
            The disk is full or the file cannot be written. What was published before is intact, and the same
            commit may be tried again.
        """
        with self._writing:
            self._write(commit)

    def checkpoint(self) -> Checkpoint | None:
        """Where a restart takes up again; None in a new store."""
        rows = self._rows("SELECT bin_us, release_state, detect_state FROM checkpoint")
        if not rows:
            return None
        bin_us, release_state, detect_state = rows[0]
        return Checkpoint(bin_us=bin_us, release_state=bytes(release_state), detect_state=bytes(detect_state))

    def latest(self, kind: Kind, *, since_us: int | None = None, limit: int | None = 200) -> list[Record]:
        """The newest revision of each record of `kind`, newest `last_seen` first.

        Parameters
        ----------
        since_us
            Leave out what was last seen before this.
        limit
            At most this many; None for all.
        """
        since = "" if since_us is None else "AND last_seen >= ?"
        times = () if since_us is None else (_timestamp(rfc3339(since_us)),)
        rows = self._rows(_LATEST.format(since=since), kind, *times, limit)
        return [_DECODER.decode(body) for (body,) in rows]

    def record(self, kind: Kind, id: str) -> Record | None:
        """The newest revision of one record; None when there is none."""
        rows = self._rows(
            "SELECT body FROM records WHERE kind = ? AND id = ? ORDER BY revision_us DESC LIMIT 1", kind, id
        )
        return _DECODER.decode(rows[0][0]) if rows else None

    def image(self, id: str) -> Image | None:
        """The file of a picture that is shown; None when there is none, or not any more."""
        rows = self._rows("SELECT media_type, published_at, body FROM images WHERE id = ?", id)
        if not rows:
            return None
        media_type, published_at, body = rows[0]
        moment = rfc3339(_microseconds(published_at))
        return Image(id=id, media_type=media_type, published_at=moment, body=bytes(body))

    def series(self, ids: Sequence[str]) -> dict[str, list[Bin]]:
        """The bins of each series in order of time; empty for one that has none."""
        found: dict[str, list[Bin]] = {series: [] for series in ids}
        rows = self._rows(
            "SELECT series, start, accounts FROM bins WHERE list_contains(?, series) ORDER BY series, start",
            list(found),
        )
        for series, start, accounts in rows:
            found[series].append(Bin(series=series, start=rfc3339(_microseconds(start)), accounts=accounts))
        return found

    def count(self) -> dict[str, int]:
        """How many records of each kind there are, revisions not counted."""
        return dict(self._rows("SELECT kind, count(DISTINCT id) FROM records GROUP BY kind ORDER BY kind"))

    def retain(self, now_us: int) -> int:
        """Delete what is older than the retention, and pictures of three days ago; gives how many rows went.

        No query finds them any more. Their bytes stay in the file until DuckDB uses the space again, which
        is tolerable for what was public.

        Raises
        ------
        StoreError
            As `commit`.
        """
        oldest_us = now_us - self._settings.retention_days * _DAY_US
        with self._writing:
            try:
                self._connection.execute("BEGIN")
                records = self._connection.execute("DELETE FROM records WHERE revision_us < ?", [oldest_us])
                gone = int(records.fetchone()[0])
                oldest = _EPOCH + timedelta(microseconds=oldest_us)
                bins = self._connection.execute("DELETE FROM bins WHERE start < ?", [oldest])
                gone += int(bins.fetchone()[0])
                shown_since = _EPOCH + timedelta(microseconds=now_us - _IMAGES_KEPT_US)
                images = self._connection.execute("DELETE FROM images WHERE published_at < ?", [shown_since])
                gone += int(images.fetchone()[0])
                self._connection.execute("COMMIT")
                # Without this the log would keep every deleted row until the store is closed.
                self._connection.execute("CHECKPOINT")
            except duckdb.Error as error:
                raise self._failed(error) from None
        return gone

    def _write(self, commit: Commit) -> None:
        try:
            self._connection.execute("BEGIN")
            if commit.records:
                self._connection.executemany(
                    _INSERT_RECORD, [_record_row(record) for record in commit.records]
                )
            if commit.bins:
                self._connection.executemany(_INSERT_BIN, [_bin_row(bin) for bin in commit.bins])
            if commit.images:
                self._connection.executemany(_INSERT_IMAGE, [_image_row(image) for image in commit.images])
            for record in commit.records:
                if isinstance(record, Picture) and record.state == "withdrawn":
                    self._connection.execute("DELETE FROM images WHERE id = ?", [record.id])
            if commit.checkpoint is not None:
                self._connection.execute("DELETE FROM checkpoint")
                self._connection.execute(
                    "INSERT INTO checkpoint VALUES (?, ?, ?)", msgspec.structs.astuple(commit.checkpoint)
                )
            self._connection.execute("COMMIT")
        except duckdb.Error as error:
            raise self._failed(error) from None

    def _failed(self, error: Exception) -> StoreError:
        """Roll back, so that the next commit starts clean; the error to raise."""
        try:
            self._connection.execute("ROLLBACK")
        except duckdb.FatalException:
            # DuckDB refuses all work after a fatal error until the file is opened anew.
            self._reopen()
        except duckdb.Error:
            pass  # a COMMIT that fails has rolled back by itself
        return _explained(self._path, error)

    def _reopen(self) -> None:
        """Open the file anew; where that fails too, the next commit says so again."""
        try:
            self._connection.close()
            self._connection = _connect(self._path, self._settings, self._read_only)
        except (duckdb.Error, StoreError):
            pass

    def _rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        try:
            return self._read(sql, parameters)
        except duckdb.Error:
            pass
        try:
            with self._writing:  # a failed write may be opening the file anew: then it is there in a moment
                return self._read(sql, parameters)
        except duckdb.Error as error:
            raise _explained(self._path, error) from None

    def _read(self, sql: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        with self._connection.cursor() as cursor:
            rows: list[tuple[Any, ...]] = cursor.execute(sql, parameters).fetchall()
        return rows


def _connect(path: Path, settings: StoreSettings, read_only: bool) -> Any:
    """A connection to a store of this version, made if need be."""
    config = {
        "temp_directory": "",
        "memory_limit": f"{settings.memory_megabytes}MB",
        "threads": 2,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    try:
        connection = duckdb.connect(str(path), read_only=read_only, config=config)
    except duckdb.Error as error:
        raise _explained(path, error) from None
    try:
        _prepare(connection, path, read_only)
    except duckdb.Error as error:
        connection.close()
        raise _explained(path, error) from None
    except StoreError:
        connection.close()
        raise
    return connection


def _prepare(connection: Any, path: Path, read_only: bool) -> None:
    """Shut other files out; make the tables of a new file; refuse one that is not ours or of this version."""
    connection.execute("SET enable_external_access = false")
    tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if not tables and not read_only:
        connection.execute("BEGIN")
        for name, columns in TABLES.items():
            connection.execute(f"CREATE TABLE {name} ({columns})")
        connection.execute("INSERT INTO groundswell VALUES (?)", [VERSION])
        connection.execute("COMMIT")
        return
    if not set(TABLES) <= tables:
        raise StoreError(str(path), "a database of something else", "give another data folder")
    versions = connection.execute("SELECT version FROM groundswell").fetchall()
    if versions != [(VERSION,)]:
        raise StoreError(
            str(path),
            f"written in another version of the format than {VERSION}",
            "start with a new data folder, or use the version of the program that wrote it",
        )


def _explained(path: Path, error: Exception) -> StoreError:
    """DuckDB's error as ours; its own words stay out, they quote values and paths."""
    message = str(error).lower()
    where = str(path)
    if "set lock" in message or "being used by another process" in message:
        return StoreError(
            where, "locked by another process", "stop that process, or give another data folder"
        )
    if "no space left" in message or "file too large" in message or "quota" in message:
        return StoreError(
            where,
            "the disk is full: nothing was written, nothing is lost",
            "free some space; publishing goes on",
        )
    if "not a valid duckdb" in message or "corrupt" in message or "checksum" in message:
        return StoreError(where, "damaged, or no store", "move the file away, or give another data folder")
    return StoreError(
        where,
        f"cannot be read or written ({type(error).__name__})",
        "see that the folder is there and yours to write, and that the disk works",
    )


def _record_row(record: Record) -> tuple[Any, ...]:
    place = getattr(record, "place", None)
    published_at = _timestamp(record.published_at)
    return (
        record.__struct_config__.tag,
        record.id,
        _microseconds(published_at),
        _timestamp(record.first_seen),
        _timestamp(record.last_seen),
        published_at,
        record.state,
        getattr(record, "category", None),
        getattr(record, "accounts", None),
        place.country if place else None,
        place.h3 if place else None,
        record.simulated,
        record.replayed,
        to_json(record).decode(),
    )


def _bin_row(bin: Bin) -> tuple[str, datetime, str | None]:
    return bin.series, _timestamp(bin.start), bin.accounts


def _image_row(image: Image) -> tuple[str, str, datetime, bytes]:
    return image.id, image.media_type, _timestamp(image.published_at), image.body


def _timestamp(moment: str) -> datetime:
    """An RFC 3339 moment in UTC, as DuckDB's zoneless TIMESTAMP."""
    return datetime.fromisoformat(moment).astimezone(UTC).replace(tzinfo=None)


def _microseconds(timestamp: datetime) -> int:
    return int((timestamp - _EPOCH).total_seconds()) * SECOND_US
