"""How the running pipeline is doing, in the words that the page and `/api/status` use.

The pipeline fills these structs; the console only shows them. They speak of sources and times, never of
posts.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Mode", "SourceState", "SourceStatus", "Status"]

Mode = Literal["live", "simulated", "replay"]
SourceState = Literal["connecting", "connected", "gap", "not_configured"]


class SourceStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One source, at one moment."""

    name: str
    """The source's configured name."""
    state: SourceState
    since: str | None = None
    """RFC 3339; when this state began, if known. For a gap: the last moment that was collected."""
    messages_per_second: float = 0.0
    lag_seconds: float | None = None
    """Between the newest message and now; null before the first message."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """The whole pipeline, at one moment."""

    mode: Mode
    version: str
    started_at: str
    """RFC 3339, wall time."""
    last_tick: str | None
    """RFC 3339, stream time; null before the first tick. In a replay or a simulation, the page's now."""
    store_blocked: bool
    """True while published records cannot be written."""
    floor: int = 20
    """The fewest accounts that a record may speak of."""
    sources: tuple[SourceStatus, ...] = ()
