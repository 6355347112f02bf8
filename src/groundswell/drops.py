"""Why something was dropped or refused: closed lists, so that every count has a name.

Drops are counted, never silent: *messages in = posts kept + drops by reason*, exactly.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["FetchDrop", "GateDrop", "MediaDrop", "Refusal", "SourceDrop"]


class SourceDrop(StrEnum):
    """A message that a source read and did not pass on."""

    MALFORMED_JSON = "malformed_json"
    """Not one JSON object: broken syntax, wrong top-level type, too deep."""
    BAD_ENCODING = "bad_encoding"
    """Bytes that are not UTF-8."""
    OVERSIZE = "oversize"
    """Longer than the source's message cap."""
    WRONG_TYPE = "wrong_type"
    """A field that must be there is missing or of another type."""
    UNKNOWN_KIND = "unknown_kind"
    """A message kind or operation that the protocol does not have."""
    NOT_A_POST = "not_a_post"
    """A like, a follow, a profile: a collection that is not read."""
    NO_CONTENT = "no_content"
    """A message that announces nothing for us: a handle change, a sync mark, a reactivated account."""
    CLOCK_OFF = "clock_off"
    """A time that is years off, or not a time."""
    LATE = "late"
    """Older than anything the open windows still hold."""
    REDELIVERED = "redelivered"
    """Came again in the overlap after a reconnection."""


class GateDrop(StrEnum):
    """A post that reached the gate and did not pass."""

    EMPTY = "empty"
    """Nothing to read: no text, no link, no picture."""
    TOO_LONG = "too_long"
    """Text over the gate's cap."""
    DUPLICATE = "duplicate"
    """The same post id with the same text, again."""
    DELETED = "deleted"
    """Its deletion was already known."""
    ACCOUNT_GONE = "account_gone"
    """Its account was deleted, deactivated or taken down."""
    CONSENT = "consent"
    """Its author asked not to be indexed or read without logging in."""


class Refusal(StrEnum):
    """A candidate that `release` did not let over the line."""

    BELOW_FLOOR = "below_floor"
    """Fewer distinct accounts than the secret threshold of the first rung."""
    PERSON = "person"
    """It speaks of one private person: a pile-on, not an event."""
    DELAYED = "delayed"
    """An assembly inside its delay."""
    NO_PHRASE = "no_phrase"
    """No phrase that enough accounts used and that passes the person gate."""


class MediaDrop(StrEnum):
    """A picture or video that was not read, or not to its end."""

    EMPTY = "empty"
    """No bytes."""
    FORMAT_NOT_ALLOWED = "format_not_allowed"
    """By its first bytes none of the formats that are read."""
    CODEC_MISSING = "codec_missing"
    """A format that this installation cannot read, such as HEIC without the extra."""
    TOO_MANY_BYTES = "too_many_bytes"
    """A file over the cap."""
    TOO_MANY_PIXELS = "too_many_pixels"
    """By its header larger than what is decoded: a bomb, or a very large picture."""
    TOO_MANY_FRAMES = "too_many_frames"
    """An animation or video of more frames than are looked at."""
    TOO_LONG = "too_long"
    """A video over ten minutes."""
    TRUNCATED = "truncated"
    """It ends before its content does."""
    BROKEN = "broken"
    """Its content contradicts its format."""
    STEP_FAILED = "step_failed"
    """It was decoded, and a part that had to look at it failed; a picture to be shielded is withheld."""
    PART_ABSENT = "part_absent"
    """What was asked for needs a part that is not installed."""
    OUT_OF_MEMORY = "out_of_memory"
    """It needed more memory than a worker may have."""
    OUT_OF_TIME = "out_of_time"
    """It took longer than a worker may take."""
    WORKER_DIED = "worker_died"
    """The worker ended without an answer, or answered what is no answer."""
    BACKLOG_FULL = "backlog_full"
    """It made room for files of larger crowds."""


class FetchDrop(StrEnum):
    """A picture or video that was not fetched."""

    BAD_URL = "bad_url"
    """No `http` or `https` address of a named public host on a usual port."""
    FORBIDDEN_ADDRESS = "forbidden_address"
    """The host is, or resolves to, an address that is not public."""
    UNKNOWN_HOST = "unknown_host"
    """The host has no address."""
    TOO_MANY_REDIRECTS = "too_many_redirects"
    """More than five, or one that leads nowhere."""
    STATUS = "status"
    """The host answered with something else than the content."""
    TYPE_NOT_ALLOWED = "type_not_allowed"
    """By its header no picture or video, or packed."""
    TOO_MANY_BYTES = "too_many_bytes"
    """Longer than the cap, by its header or in fact."""
    OUT_OF_TIME = "out_of_time"
    """The host took too long."""
    UNREACHABLE = "unreachable"
    """No connection, or a broken one."""
    HOST_BUSY = "host_busy"
    """The host asked to wait, or already serves as many requests as politeness allows."""
    UNCHANGED = "unchanged"
    """The host says that it is what was fetched before."""
