"""Made-up published records for the tests of `store`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from groundswell.clock import rfc3339
from groundswell.published import (
    Amplification,
    Bin,
    Coverage,
    CrowdRecord,
    Event,
    Image,
    Mark,
    Picture,
    Place,
)
from groundswell.store import Store
from groundswell.store.store import Kind

DAY_US = 86_400_000_000
NOON_US = 1_777_636_800_000_000  # 2026-05-01T12:00:00Z
LISBON = Place("Lisbon", "PT", "863933907ffffff", "cell", 0.8)


def event(id: str = "e1", at_us: int = NOON_US, **changes: Any) -> Event:
    values: dict[str, Any] = {
        "id": id,
        "first_seen": rfc3339(at_us - at_us % 60_000_000),
        "last_seen": rfc3339(at_us - at_us % 60_000_000),
        "published_at": rfc3339(at_us),
        "accounts": "20+",
        "phrases": ("flash flood", "ponte 25 de abril"),
        "category": "flood",
        "place": LISBON,
        "languages": ("por_Latn",),
        "sources": ("plaza",),
        "domains": ("news.example",),
        "state": "growing",
    }
    return Event(**(values | changes))


def amplification(id: str = "a1") -> Amplification:
    shared = {name: getattr(event(id), name) for name in CrowdRecord.__struct_fields__}
    return Amplification(**shared, p_value=1e-6, spread_seconds=50.0)


def gap(id: str = "gap-plaza", **changes: Any) -> Coverage:
    return Coverage(
        id=id,
        source="plaza",
        first_seen=rfc3339(NOON_US),
        last_seen=rfc3339(NOON_US),
        published_at=rfc3339(NOON_US),
        state="not_collected",
        reason="outage",
        **changes,
    )


def bin(series: str = "e1", at_us: int = NOON_US, accounts: str | None = "20+") -> Bin:
    return Bin(series=series, start=rfc3339(at_us), accounts=accounts)


def picture(id: str = "p1", at_us: int = NOON_US, **changes: Any) -> Picture:
    values: dict[str, Any] = {
        "id": id,
        "event": "e1",
        "first_seen": rfc3339(at_us),
        "last_seen": rfc3339(at_us),
        "published_at": rfc3339(at_us),
        "accounts": "20+",
        "words": ("Rua da Praia",),
        "languages": ("por_Latn",),
        "emblems": (Mark("Red Cross", "humanitarian"),),
        "tags": (),
        "media_type": "image/jpeg",
        "width": 640,
        "height": 480,
        "state": "shown",
    }
    return Picture(**(values | changes))


def image(id: str = "p1", at_us: int = NOON_US) -> Image:
    return Image(id=id, media_type="image/jpeg", published_at=rfc3339(at_us), body=b"\xff\xd8 a picture")


def everything(store: Store) -> dict[str, list[Any]]:
    """All that a reader of the store can see."""
    kinds: tuple[Kind, ...] = ("event", "amplification", "coverage")
    seen: dict[str, list[Any]] = {kind: store.latest(kind, limit=None) for kind in kinds}
    ids = [record.id for records in seen.values() for record in records]
    return seen | {"bins": list(store.series(ids).items()), "checkpoint": [store.checkpoint()]}


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
