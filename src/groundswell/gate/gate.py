"""The gate: `RAW` rows in, `POST` rows out, and nothing that names anybody goes through.

It owns the order of its parts: consent, memory of what was deleted or seen, redaction, links, keys. What
became of a row depends on the rows before it within the horizon and on nothing else, least of all on
where the stream was cut into batches. It keeps no text and no account; what it remembers is keyed hashes,
for minutes.

Every row is counted: rows in = rows kept + rows dropped by reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, NamedTuple

import h3.api.basic_int as h3
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from groundswell.batches import POST, SIGHTING, Kind, empty
from groundswell.clock import SECOND_US
from groundswell.config import Settings
from groundswell.drops import GateDrop
from groundswell.gate.consent import declined
from groundswell.gate.feature_flags import Feature
from groundswell.gate.horizon import Horizon
from groundswell.gate.links import Links, read_links
from groundswell.gate.mentions import mentioned
from groundswell.gate.pictures import Pictures, read_pictures
from groundswell.gate.redact import Redactor, reveal
from groundswell.gate.speakers import DAY_US, GRACE_US, SpeakerKeys
from groundswell.gate.strings import buffers
from groundswell.kernels import kernel, word_at
from groundswell.metrics import Metrics

__all__ = ["Gate", "GateSettings", "forbid_core_dumps"]

CELL_RESOLUTION = 5  # about 250 km²
_LANGUAGE_TAG = r"^[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|\d{3}))?$"
_MAX_LANGUAGES = 4
_REASONS = tuple(GateDrop)
_KEPT = -1
_NO_KEYS = np.empty(0, np.uint64)
# No character that begins with such a byte is white space.
_SHOWS = np.ones(256, np.bool_)
_SHOWS[:33] = _SHOWS[[0xC2, 0xE1, 0xE2, 0xE3]] = False


class GateSettings(Settings, frozen=True, kw_only=True):
    """`[gate]`."""

    horizon_seconds: Annotated[float, msgspec.Meta(gt=0, le=86_400)] = 600.0
    """How long a post, a deletion and a vanished account are remembered after they were last seen."""
    remembered_keys: Annotated[int, msgspec.Meta(ge=1, le=1 << 26)] = 1 << 20
    """At most so many of each are remembered; the oldest is forgotten first."""
    max_text_bytes: Annotated[int, msgspec.Meta(ge=1, le=1 << 20)] = 32 * 1024
    """A longer text (UTF-8) is dropped."""


class Gate:
    """Admits batches of one stream, in order.

    Parameters
    ----------
    settings, metrics
        See `GateSettings`; counts every row.
    keys
        The keys that speakers are hashed with; its own by default.
    show
        Called with the `SIGHTING` rows of every batch that has pictures: the only way a reference goes on.

    >>> from groundswell.batches import RAW, empty
    >>> Gate(GateSettings(), Metrics()).admit(empty(RAW)).num_rows
    0
    """

    def __init__(
        self,
        settings: GateSettings,
        metrics: Metrics,
        keys: SpeakerKeys | None = None,
        show: Callable[[pa.RecordBatch], None] | None = None,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._show = show
        self._keys = keys or SpeakerKeys()
        self._redactor = Redactor()
        self._posts, self._deletions, self._gone = (
            Horizon(settings.horizon_seconds, settings.remembered_keys) for _ in range(3)
        )

    @property
    def forgotten_early(self) -> int:
        """Keys that were forgotten within the horizon because `remembered_keys` was reached."""
        return self._posts.evicted + self._deletions.evicted + self._gone.evicted

    def close(self) -> None:
        """Destroy all keys; the gate is of no use afterwards."""
        self._keys.close()

    def admit(self, raw: pa.RecordBatch) -> pa.RecordBatch:
        """The rows of a `RAW` batch that may go on, as `POST`, in their order.

        An `ACCOUNT_GONE` row leaves as one row for each living speaker key: its `speaker` then equals that of
        the account's posts in that epoch. A deletion leaves with an empty text.
        """
        if raw.num_rows == 0:
            return empty(POST)
        keys = self._keys.posts(raw["source"], raw["uri"])
        keys[raw["kind"].to_numpy() == Kind.ACCOUNT_GONE] = 0
        reasons, kinds = self._judge(raw, keys)

        rows = np.flatnonzero(reasons == _KEPT)
        going = raw.take(pa.array(rows)) if len(rows) < raw.num_rows else raw
        kinds = kinds[rows]
        is_text = _is_text(kinds)
        revealed = reveal(
            going["text"] if is_text.all() else pc.if_else(pa.array(is_text), going["text"], "")
        )
        drafts = revealed.drafts
        links = read_links(going["urls"], drafts, revealed.having(Feature.LINK))
        speaking = revealed.having(Feature.AT)
        names = mentioned(drafts, speaking)
        found = self._redactor.redact_revealed(revealed)
        redacted = drafts.column()
        is_empty = _has_nothing(kinds, redacted, links, going["media"])
        reasons[rows[is_empty]] = _REASONS.index(GateDrop.EMPTY)
        self._count(raw["kind"].to_numpy(), reasons, found)

        # A text of which redaction leaves nothing only hands a post on, and speaks of nobody.
        left = drafts.sizes[speaking] > 0
        mentions = _Mentions(drafts.rows[speaking[left]], names.filter(pa.array(left)))
        voices = self._speak(raw["time_us"].to_numpy(), rows, going, kinds, mentions, ~is_empty)
        pictures = read_pictures(going["media"])
        columns = {
            "kind": pa.array(kinds),
            "source": going["source"],
            "post_key": pa.array(keys[rows]),
            "text": redacted,
            "langs": _languages(going["langs"]),
            "domains": links.domains,
            "link_keys": links.keys,
            "picture_keys": pictures.keys,
            "cell": pa.array(_cells(going["latitude"], going["longitude"])),
            "time_us": pa.array(_to_the_second(going["time_us"].to_numpy())),
        }
        if not np.array_equal(voices.rows, np.arange(len(rows))):
            at = pa.array(voices.rows)
            columns = {name: column.take(at) for name, column in columns.items()}
        columns |= {
            "speaker": pa.array(voices.speakers),
            "epoch": pa.array(voices.epochs),
            "target": pa.array(voices.targets),
        }
        if self._show is not None and len(pictures.references):
            self._show(_sightings(pictures, voices, columns["time_us"]))
        return pa.RecordBatch.from_arrays([columns[name] for name in POST.names], schema=POST)

    def _judge(self, raw: pa.RecordBatch, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Why each row is dropped (an index into `_REASONS`, or `_KEPT`), and its kind, edits told apart.

        Every row is a sighting, dropped or not: else the answer would depend on more than the horizon.
        """
        kinds, times = raw["kind"].to_numpy(), raw["time_us"].to_numpy()
        is_text = _is_text(kinds)
        digests = _digests(raw["text"])
        none = np.zeros(len(kinds), np.uint64)
        seen, before = self._posts.sight(keys, times, digests, asks=is_text, marks=is_text)
        deleted, _ = self._deletions.sight(keys, times, none, asks=is_text, marks=kinds == Kind.DELETE)
        gone = self._gone_accounts(raw, kinds, times)
        reasons = np.full(len(kinds), _KEPT, np.int8)
        sizes = pc.binary_length(raw["text"]).to_numpy()
        for reason, applies in (
            (GateDrop.TOO_LONG, sizes > self._settings.max_text_bytes),
            (GateDrop.CONSENT, declined(raw["marks"])),
            (GateDrop.ACCOUNT_GONE, gone),
            (GateDrop.DELETED, deleted),
            (GateDrop.DUPLICATE, seen & (before == digests)),
        ):
            reasons[is_text & applies & (reasons == _KEPT)] = _REASONS.index(reason)
        return reasons, np.where(is_text & seen, np.uint8(Kind.EDIT), kinds).astype(np.uint8)

    def _gone_accounts(self, raw: pa.RecordBatch, kinds: np.ndarray, times: np.ndarray) -> np.ndarray:
        """Rows whose account was announced as gone within the horizon."""
        going = kinds == Kind.ACCOUNT_GONE
        if not going.any() and len(self._gone) == 0:
            return np.zeros(len(kinds), bool)  # the usual case needs no hashing
        accounts = self._keys.accounts(raw["source"], raw["account"])
        gone, _ = self._gone.sight(accounts, times, accounts, asks=_is_text(kinds), marks=going)
        return gone

    def _speak(
        self,
        times: np.ndarray,
        rows: np.ndarray,
        going: pa.RecordBatch,
        kinds: np.ndarray,
        mentions: _Mentions,
        kept: np.ndarray,
    ) -> _Voices:
        """Speakers and targets of the kept rows, one stretch of equal keys after the other.

        `times` are those of the whole batch, because dropped rows move stream time too; `rows` says which of
        them the other columns are about.
        """
        times = np.maximum.accumulate(times)
        stretch = times // DAY_US * 2 + (times % DAY_US >= GRACE_US)
        parts = []
        for number in np.unique(stretch):
            first = int(np.searchsorted(stretch, number))
            epochs = self._keys.epochs(int(times[first]))
            here = np.flatnonzero((stretch[rows] == number) & kept)
            for epoch in epochs:
                speaking = here if epoch == epochs[0] else here[kinds[here] == Kind.ACCOUNT_GONE]
                if len(speaking) == 0:
                    continue
                sources, accounts = going["source"], going["account"]
                if len(speaking) < len(rows):
                    chosen = pa.array(speaking)
                    sources, accounts = sources.take(chosen), accounts.take(chosen)
                at = np.searchsorted(speaking, mentions.rows)
                said = np.flatnonzero(np.isin(mentions.rows, speaking, assume_unique=True))
                at = at[said]
                targets = np.zeros(len(speaking), np.uint64)
                targets[at] = self._keys.targets(
                    epoch, sources.take(pa.array(at)), mentions.names.take(pa.array(said))
                )
                speakers = self._keys.speakers(epoch, sources, accounts)
                parts.append(_Voices(speaking, np.full(len(speaking), epoch, np.uint32), speakers, targets))
        if not parts:
            return _Voices(rows[:0], rows[:0].astype(np.uint32), _NO_KEYS, _NO_KEYS)
        if len(parts) == 1:
            return parts[0]
        order = np.argsort(np.concatenate([part.rows for part in parts]), kind="stable")
        joined = [np.concatenate(arrays)[order] for arrays in zip(*parts, strict=True)]
        return _Voices(*joined)

    def _count(self, kinds: np.ndarray, reasons: np.ndarray, found: dict[str, int]) -> None:
        for kind in Kind:
            rows = int(np.count_nonzero(kinds == kind))
            if rows:
                self._metrics.gate_posts.labels(kind.name.lower()).inc(rows)
        for index, reason in enumerate(_REASONS):
            dropped = int(np.count_nonzero(reasons == index))
            if dropped:
                self._metrics.gate_dropped.labels(reason.value).inc(dropped)
        self._metrics.gate_kept.inc(int(np.count_nonzero(reasons == _KEPT)))
        for identifier, posts in found.items():
            self._metrics.gate_redactions.labels(identifier).inc(posts)


class _Mentions(NamedTuple):
    """Whom texts speak to or about."""

    rows: np.ndarray
    names: pa.StringArray


class _Voices(NamedTuple):
    """Who speaks: rows that go out (a row once for each living key), with their keys."""

    rows: np.ndarray
    epochs: np.ndarray
    speakers: np.ndarray
    targets: np.ndarray


def _sightings(pictures: Pictures, voices: _Voices, times_us: pa.Int64Array) -> pa.RecordBatch:
    """A `SIGHTING` row for each picture of each post that goes out."""
    references = pa.ListArray.from_arrays(pictures.keys.offsets, pictures.references)
    at = pa.array(voices.rows)
    keys, references = pictures.keys.take(at), references.take(at)
    owners = pc.list_parent_indices(keys)
    columns = {
        "picture": keys.flatten(),
        "reference": references.flatten(),
        "speaker": pa.array(voices.speakers).take(owners),
        "epoch": pa.array(voices.epochs).take(owners),
        "time_us": times_us.take(owners),
    }
    return pa.RecordBatch.from_arrays([columns[name] for name in SIGHTING.names], schema=SIGHTING)


def forbid_core_dumps() -> None:
    """Keep this process's memory, keys and posts in it, from being written out when it crashes.

    Does nothing where the platform has no such limit.
    """
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _is_text(kinds: np.ndarray) -> np.ndarray:
    return np.asarray((kinds == Kind.POST) | (kinds == Kind.EDIT))


def _has_nothing(kinds: np.ndarray, texts: pa.StringArray, links: Links, media: pa.ListArray) -> np.ndarray:
    """The posts without a word, a link or a picture."""
    bare = (kinds == Kind.POST) & (pc.list_value_length(media).to_numpy() == 0)
    bare &= pc.list_value_length(links.keys).to_numpy() == 0
    data, offsets = buffers(texts)
    written = np.flatnonzero(bare & (offsets[:-1] < offsets[1:]))
    bare[written[_SHOWS[data[offsets[written]]]]] = False
    rows = np.flatnonzero(bare)
    blank = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(texts.take(pa.array(rows)))), 0)
    bare[rows] = blank.to_numpy(zero_copy_only=False)
    return np.asarray(bare)


def _to_the_second(times_us: np.ndarray) -> np.ndarray:
    return np.asarray(times_us - times_us % SECOND_US)


@kernel
def _digest(data, offsets, out):  # type: ignore[no-untyped-def]
    for row in range(len(out)):
        at, stop = np.uint64(offsets[row]), np.uint64(offsets[row + 1])
        value = np.uint64(stop - at)
        while at < stop:
            value = (value ^ word_at(data, at, stop)) * np.uint64(0x9E3779B97F4A7C15)
            value ^= value >> np.uint64(32)
            at += np.uint64(8)
        out[row] = value


def _digests(texts: pa.StringArray) -> np.ndarray:
    """A hash of each text: tells an edit from a repetition of the same post, where nothing is at stake."""
    out = np.empty(len(texts), np.uint64)
    data, offsets = buffers(texts)
    _digest(data, offsets, out)
    return out


def _languages(langs: pa.ListArray) -> pa.ListArray:
    """The declared languages that are language tags and nothing else; the field is the author's to fill."""
    tags = pc.list_flatten(langs).fill_null("")
    encoded = tags.dictionary_encode()
    known = pc.match_substring_regex(encoded.dictionary, _LANGUAGE_TAG).to_numpy(zero_copy_only=False)
    ends = langs.offsets.to_numpy()
    ends = ends - ends[0]
    rank = np.arange(len(tags)) - np.repeat(ends[:-1], np.diff(ends))
    fit = known[encoded.indices.to_numpy()] & (rank < _MAX_LANGUAGES)
    if fit.all():
        return langs
    kept = np.concatenate([[0], np.cumsum(fit)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(kept[ends]), tags.filter(pa.array(fit)))


def _cells(latitudes: pa.DoubleArray, longitudes: pa.DoubleArray) -> np.ndarray:
    """H3 cells of the geotags; 0 for none and for coordinates that are not on Earth."""
    cells = np.zeros(len(latitudes), np.uint64)
    tagged = pc.and_(pc.is_valid(latitudes), pc.is_valid(longitudes)).to_numpy(zero_copy_only=False)
    # Few posts carry a geotag, and h3 has no columnar call.
    for row in np.flatnonzero(tagged):
        latitude, longitude = latitudes[row].as_py(), longitudes[row].as_py()
        if -90 <= latitude <= 90 and -180 <= longitude <= 180:
            cells[row] = h3.latlng_to_cell(latitude, longitude, CELL_RESOLUTION)
    return cells
