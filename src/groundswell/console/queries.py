"""What may be asked of the lists, and the words in which a bad question is refused.

The filters pick among published records; none of them reaches a crowd's make-up, and none names an account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import h3
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from groundswell.console.answers import Problem
from groundswell.errors import UsageError, did_you_mean
from groundswell.published import Amplification, Event, Narrative

__all__ = ["CrowdQuery", "ListQuery", "PictureQuery", "explain"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MENDS = {
    "event": "give an id as `/api/events` lists it",
    "id": "give an id as `/api/events` lists it",
    "since": "give an RFC 3339 time such as `2026-05-01T00:00:00Z`",
    "limit": "give a whole number from 1 to 1000",
    "category": "give a category's name such as `flood`",
    "country": "give an ISO 3166-1 alpha-2 code such as `TR`",
    "order": "give `newest` or `rank`",
    "near": "give an H3 cell such as `831c9cfffffffff` or a country's code such as `TR`",
    "language": "give a language code such as `eng_Latn` or `eng`",
}


class ListQuery(BaseModel):
    """Which records of a kind: the newest `limit`, last seen at or after `since`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: AwareDatetime | None = Field(None, description="Last seen at or after this time (RFC 3339).")
    limit: int = Field(200, ge=1, le=1000, description="At most so many records.")

    def since_us(self) -> int | None:
        """`since` in microseconds since the epoch."""
        return None if self.since is None else (self.since - _EPOCH) // timedelta(microseconds=1)


class PictureQuery(ListQuery):
    """The same, for pictures."""

    event: str | None = Field(None, max_length=200, description="Pictures of one event or amplification.")


class CrowdQuery(ListQuery):
    """The same, for records that speak of a crowd."""

    category: str | None = Field(None, pattern=r"^[a-z][a-z_-]{0,39}$", description="One category.")
    country: str | None = Field(None, pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2.")
    language: str | None = Field(
        None,
        pattern=r"^[a-z]{3}(_[A-Z][a-z]{3})?$",
        description="One of the record's languages, with or without its script.",
    )

    order: Literal["newest", "rank"] = Field(
        "newest", description="`rank`: what is new, growing, well attested and near comes first."
    )
    near: str | None = Field(
        None,
        pattern=r"^([A-Z]{2}|[0-9a-f]{15})$",
        description="An H3 cell or an ISO 3166-1 alpha-2 code: what is near ranks higher.",
    )

    def check_near(self) -> None:
        """Raise `UsageError` for a cell that is none, and where the order would take no notice."""
        if self.near is not None and len(self.near) > 2 and not h3.is_valid_cell(self.near):
            raise UsageError("near", f"`{self.near}` is no H3 cell", _MENDS["near"])
        if self.near is not None and self.order != "rank":
            raise UsageError("near", "`near` is for `order=rank`", "add `order=rank`, or leave `near` away")

    def filters(self) -> bool:
        return any((self.category, self.country, self.language))

    def matches(self, record: Event | Narrative | Amplification) -> bool:
        """Whether `record` is in the category, the country and the language that were asked for."""
        return (
            (self.category is None or record.category == self.category)
            and (self.country is None or (record.place is not None and record.place.country == self.country))
            and (self.language is None or _speaks(record.languages, self.language))
        )

    def check_category(self, known: Sequence[str]) -> None:
        """Raise `UsageError` for a category that no record can have; no `known` accepts any."""
        if known and self.category is not None and self.category not in known:
            raise UsageError(
                "category", f"unknown category `{self.category}`", did_you_mean(self.category, known)
            )


def explain(error: Mapping[str, Any], query: type[ListQuery]) -> Problem:
    """One error of pydantic's, in our words: the parameter, its value, the mend."""
    name = str(error["loc"][-1])[:40]
    if error["type"] == "extra_forbidden":
        return Problem(
            where="query", what=f"unknown parameter `{name}`", mend=did_you_mean(name, query.model_fields)
        )
    value = repr(error.get("input"))[:60]
    return Problem(where=str(error["loc"][0]), what=f"`{name}` = {value} is not usable", mend=_MENDS[name])


def _speaks(languages: Sequence[str], code: str) -> bool:
    return any(language == code or language.partition("_")[0] == code for language in languages)
