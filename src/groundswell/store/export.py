"""Owns the files that published records leave the store in: Parquet, CSV, GeoJSON, JSON lines.

The newest revision of each record, nothing that the console does not show: an export is post-processing of
what is public already. Delivering it anywhere is not done here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, Literal, get_args

import h3.api.basic_str as h3
import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from groundswell.errors import UsageError, did_you_mean
from groundswell.published import Place, Record, to_json
from groundswell.store.schema import EXPORT_SCHEMA
from groundswell.store.store import Kind, Store

__all__ = ["ExportFormat", "export", "hexagon"]

ExportFormat = Literal["parquet", "csv", "geojson", "jsonl"]

Position = list[float]
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_POLAR_LATITUDE = 85.0


def export(store: Store, kind: Kind, format: ExportFormat, out: BinaryIO) -> int:
    """Write the records of `kind` to `out`; gives how many.

    Raises
    ------
    UsageError
        `format` is none of the four.
    StoreError
        The store cannot be read.
    """
    records = store.latest(kind, limit=None)
    if format == "jsonl":
        out.writelines(to_json(record) + b"\n" for record in records)
    elif format == "geojson":
        out.write(_feature_collection(records))
    elif format == "parquet":
        pa.parquet.write_table(_table(records), out)
    elif format == "csv":
        pa.csv.write_csv(_flat(_table(records)), out)
    else:
        raise UsageError("export", f"unknown format `{format}`", did_you_mean(format, get_args(ExportFormat)))
    return len(records)


def hexagon(cell: str) -> dict[str, Any] | None:
    """The GeoJSON geometry of an H3 cell: counter-clockwise rings (RFC 7946, 3.1.6), cut where they cross
    the antimeridian (3.1.9). None for the uninhabited cells at the poles, which no such ring describes.
    """
    ring = [[longitude, latitude] for latitude, longitude in h3.cell_to_boundary(cell)]
    if max(abs(latitude) for _, latitude in ring) > _POLAR_LATITUDE:
        return None
    longitudes = [longitude for longitude, _ in ring]
    if max(longitudes) - min(longitudes) <= 180:
        return {"type": "Polygon", "coordinates": [_closed(ring)]}
    unwrapped = [[longitude % 360, latitude] for longitude, latitude in ring]
    west = _clipped(unwrapped, keep_west=True)
    east = [[longitude - 360, latitude] for longitude, latitude in _clipped(unwrapped, keep_west=False)]
    return {"type": "MultiPolygon", "coordinates": [[_closed(west)], [_closed(east)]]}


def _clipped(ring: Sequence[Position], keep_west: bool) -> list[Position]:
    """The part of a convex ring on one side of 180° (Sutherland and Hodgman's clip against one line)."""
    part: list[Position] = []
    for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (x0 <= 180) == keep_west:
            part.append([x0, y0])
        if (x0 <= 180) != (x1 <= 180):
            part.append([180.0, y0 + (y1 - y0) * (180 - x0) / (x1 - x0)])
    return part


def _closed(ring: Sequence[Position]) -> list[Position]:
    rounded = [[round(longitude, 6), round(latitude, 6)] for longitude, latitude in ring]
    return [*rounded, rounded[0]]


def _feature_collection(records: Iterable[Record]) -> bytes:
    features = []
    for record in records:
        place: Place | None = getattr(record, "place", None)
        features.append(
            {
                "type": "Feature",
                "id": record.id,
                "geometry": hexagon(place.h3) if place is not None and place.h3 is not None else None,
                "properties": msgspec.to_builtins(record),
            }
        )
    return msgspec.json.encode({"type": "FeatureCollection", "features": features})


def _table(records: Sequence[Record]) -> pa.Table:
    return pa.Table.from_pylist([_row(record) for record in records], schema=EXPORT_SCHEMA)


def _row(record: Record) -> dict[str, Any]:
    """One record, its place and mood spread over columns; what a kind does not have is null.

    A step of a path is written in one word after another: since, source, language.
    """
    row: dict[str, Any] = msgspec.to_builtins(record)
    if "path" in row:
        row["path"] = [" ".join((step["since"], step["source"], step["language"])) for step in row["path"]]
    for part in ("place", "mood"):
        row |= {f"{part}_{name}": value for name, value in (row.pop(part, None) or {}).items()}
    if "emblems" in row:
        row["emblems"] = [f"{emblem['name']} ({emblem['category']})" for emblem in row["emblems"]]
    return row


def _flat(table: pa.Table) -> pa.Table:
    """Lists joined by a bar, and no cell that a spreadsheet would run as a formula."""
    columns = []
    for field in table.schema:
        values = table[field.name].to_pylist()
        if pa.types.is_list(field.type):
            values = [None if value is None else " | ".join(value) for value in values]
        if not (pa.types.is_list(field.type) or pa.types.is_string(field.type)):
            columns.append(table[field.name])
            continue
        columns.append(pa.array([_inert(value) for value in values], pa.string()))
    return pa.table(columns, names=table.schema.names)


def _inert(value: str | None) -> str | None:
    return f"'{value}" if value is not None and value.startswith(_FORMULA_STARTS) else value
