"""Why something was dropped or refused: closed lists, so that every count has a name.

Drops are counted, never silent: *messages in = posts kept + drops by reason*, exactly.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["GateDrop", "Refusal", "SourceDrop"]


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
