"""The shapes of what the API answers beside the published records themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from groundswell.console.ranking import Pace, pace
from groundswell.published import Bin, Event

__all__ = ["Health", "ListedEvent", "Problem", "TimelineBin", "answer", "listed"]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not answered: where, what, and how to mend it."""

    where: str
    what: str
    mend: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether published records can be written."""

    status: str
    """`ok`, or `blocked` while the store cannot write."""


class TimelineBin(msgspec.Struct, frozen=True):
    """Five minutes of an event; bins that are absent were not published."""

    start: str
    accounts: str | None
    """A rung of the ladder; null under the floor."""


class ListedEvent(Event, frozen=True, kw_only=True, tag_field="kind", tag="event"):
    """An event record, field for field, and its newest published bins, oldest first."""

    timeline: tuple[TimelineBin, ...]
    pace: Pace | None
    """How fast its bins climbed the ladder; null while none has a label."""


def listed(event: Event, bins: Sequence[Bin], newest: int) -> ListedEvent:
    """`event` with the `newest` last of its bins."""
    timeline = tuple(TimelineBin(start=bin.start, accounts=bin.accounts) for bin in bins[-newest:])
    return ListedEvent(**msgspec.structs.asdict(event), timeline=timeline, pace=pace(event, bins))


def answer(value: Any, status_code: int = 200) -> Response:
    """`value` as JSON; never kept by a cache, since the next tick may change it."""
    return Response(
        msgspec.json.encode(value),
        status_code=status_code,
        media_type="application/json",
        headers={"cache-control": "no-store"},
    )
