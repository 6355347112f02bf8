"""Exports: the same records in four forms."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import h3
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundswell.errors import UsageError
from groundswell.published import Place, to_json
from groundswell.store import EXPORT_SCHEMA, Commit, Store, export
from groundswell.store.export import hexagon
from tests.store_records import NOON_US, amplification, event, gap, picture


def exported(folder: Path, kind: Any, format: Any, *records: Any) -> bytes:
    out = io.BytesIO()
    with Store.open(folder) as store:
        store.commit(Commit(records=records))
        assert export(store, kind, format, out) == len({record.id for record in records})
    return out.getvalue()


def test_json_lines_are_the_records_themselves(tmp_path: Path) -> None:
    lines = exported(tmp_path, "event", "jsonl", event("a"), event("b")).splitlines()
    assert lines == [to_json(event("a")), to_json(event("b"))]


def test_only_the_newest_revision_leaves(tmp_path: Path) -> None:
    newest = event("a", NOON_US + 10_000_000, state="ended")
    assert exported(tmp_path, "event", "jsonl", event("a"), newest) == to_json(newest) + b"\n"


def test_parquet_keeps_types(tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(exported(tmp_path, "event", "parquet", event())))
    assert table.schema.names == EXPORT_SCHEMA.names
    (row,) = table.to_pylist()
    assert row["phrases"] == ["flash flood", "ponte 25 de abril"]
    assert (row["place_name"], row["place_country"], row["accounts"]) == ("Lisbon", "PT", "20+")
    assert row["p_value"] is None
    assert row["mood_negative"] is None


def test_csv_joins_lists_and_disarms_formulas(tmp_path: Path) -> None:
    text = exported(tmp_path, "event", "csv", event(phrases=("=1+1", "flash flood"))).decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["phrases"] == "'=1+1 | flash flood"
    assert row["place_confidence"] == "0.8"
    assert row["accounts"] == "20+"


def test_geojson_has_a_hexagon_or_nothing(tmp_path: Path) -> None:
    nowhere = event("b", place=Place("Portugal", "PT", None, "country", 0.4))
    collection = json.loads(
        exported(tmp_path, "event", "geojson", event("a"), nowhere, event("c", place=None))
    )
    assert collection["type"] == "FeatureCollection"
    kinds = [feature["geometry"] and feature["geometry"]["type"] for feature in collection["features"]]
    assert kinds == ["Polygon", None, None]
    assert collection["features"][0]["properties"] == json.loads(to_json(event("a")))


@pytest.mark.parametrize("format", ["csv", "parquet", "geojson", "jsonl"])
def test_every_kind_can_leave_in_every_form(tmp_path: Path, format: str) -> None:
    for kind, record in (("amplification", amplification()), ("coverage", gap()), ("picture", picture())):
        assert record.id.encode() in exported(tmp_path / kind, kind, format, record)
    assert exported(tmp_path / "none", "narrative", format) is not None


def test_what_is_missing_leaves_with_its_source_and_language(tmp_path: Path) -> None:
    record = gap("quiet", language="tur_Latn", ongoing=True)
    table = pyarrow.parquet.read_table(io.BytesIO(exported(tmp_path, "coverage", "parquet", record)))
    (row,) = table.to_pylist()
    assert (row["source"], row["language"], row["ongoing"]) == ("plaza", "tur_Latn", True)


def test_an_unknown_form_is_named_with_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown format `geojsn`; did you mean `geojson`\?"):
        exported(tmp_path, "event", "geojsn", event())


def area(ring: list[list[float]]) -> float:
    """Signed, in square degrees: positive when the ring runs counter-clockwise."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring)) / 2


@given(st.floats(-80, 80), st.one_of(st.floats(-180, 180), st.floats(179, 180)), st.integers(3, 6))
def test_hexagons_obey_the_right_hand_rule_and_stay_in_the_world(
    latitude: float, longitude: float, resolution: int
) -> None:
    geometry = hexagon(h3.latlng_to_cell(latitude, longitude, resolution))
    assert geometry is not None
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    for (ring,) in polygons:
        assert ring[0] == ring[-1]
        assert area(ring) >= 0
        assert all(-180 <= x <= 180 and -90 <= y <= 90 for x, y in ring)
        assert max(x for x, _ in ring) - min(x for x, _ in ring) < 30


def test_a_cell_on_the_antimeridian_is_cut_in_two() -> None:
    geometry = hexagon(h3.latlng_to_cell(-16.8, 180.0, 4))
    assert geometry is not None
    assert geometry["type"] == "MultiPolygon"
    (west,), (east,) = geometry["coordinates"]
    assert max(x for x, _ in west) == 180
    assert min(x for x, _ in east) == -180


def test_a_polar_cell_has_no_ring() -> None:
    assert hexagon(h3.latlng_to_cell(90.0, 0.0, 3)) is None
