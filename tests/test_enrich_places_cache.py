"""The gazetteer's cache: built once, announced once, and never in the way."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from groundswell.enrich.fold import alphabet, text_buffers
from groundswell.enrich.gazetteer import PlacesSettings
from groundswell.enrich.place_index import (
    MISSING,
    build_index,
    common_of,
    look_up,
    may_be_stem,
    name_keys,
    name_of,
    readings_of,
    words_of,
)
from groundswell.enrich.places import Gazetteer

FEW = PlacesSettings(min_population=15000)


def events_of_loading() -> list[str]:
    with structlog.testing.capture_logs() as logs:
        Gazetteer.load(FEW)
    return [str(entry["event"]) for entry in logs]


def test_the_second_start_reads_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _: str(tmp_path))
    first = events_of_loading()
    assert len(first) == 1
    assert "building the gazetteer" in first[0]
    assert [path.suffix for path in tmp_path.iterdir()] == [".npz"]
    assert events_of_loading() == []


def test_a_damaged_file_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _: str(tmp_path))
    events_of_loading()
    (stored,) = tmp_path.iterdir()
    stored.write_bytes(stored.read_bytes()[:1000])
    assert len(events_of_loading()) == 1
    assert events_of_loading() == []


def test_an_unwritable_cache_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "a_file"
    blocked.write_text("")
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _: str(blocked))
    assert any("cannot be cached" in event for event in events_of_loading())


@pytest.mark.parametrize(
    "wrong", [{"min_population": 700}, {"min_confidence": 1.5}, {"min_confidence": -0.1}, {"max": 3}]
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, PlacesSettings)


def keys_of(names: list[str]) -> np.ndarray:
    offsets, data = text_buffers(pa.array(names, pa.string()))
    keys: np.ndarray = name_keys(offsets, data, alphabet())[0]
    return keys


def test_a_key_knows_no_gaps_accents_or_capitals() -> None:
    keys = keys_of(["São Tomé", "sao tome", "#SaoTome", "sao_tome", "SÃO-TOMÉ", "Sao Tomo"])
    assert len(set(keys[:5].tolist())) == 1
    assert keys[5] != keys[0]


NAMES = st.text(st.sampled_from("abcdeghiаилмاحر東京서울"), min_size=1, max_size=8)


@settings(deadline=None)  # the first example compiles
@given(st.lists(NAMES, min_size=1, unique=True))
def test_every_name_is_found_again_and_no_other(names: list[str]) -> None:
    offsets, data = text_buffers(pa.array(names, pa.string()))
    keys, _, words, _, filters = name_keys(offsets, data, alphabet())
    rows = np.arange(len(names), dtype=np.int32)
    kinds = np.zeros(len(names), np.uint8)
    index = build_index(keys, rows, kinds, words, filters, rows.astype(float), {int(keys[0]): 7}, 8)
    for row, key in enumerate(keys):
        entry = look_up(index.table, key)
        assert index.readings[name_of(entry)]["place"] == row
        assert words_of(entry) == words[row]
        assert common_of(entry) == (7 if row == 0 else 0)
    assert look_up(index.table, keys_of(["zzz"])[0]) == MISSING


CYRILLIC = st.text(st.sampled_from("абвкмостуя"), min_size=2, max_size=8)


@settings(deadline=None)
@given(st.lists(CYRILLIC, min_size=1, unique=True))
def test_the_small_filter_holds_every_stem_that_a_name_is_declined_from(names: list[str]) -> None:
    offsets, data = text_buffers(pa.array(names, pa.string()))
    filters = name_keys(offsets, data, alphabet())[4]
    stems = [*names, *(name[:-1] for name in names if name[-1] in "аяоь")]
    assert all(may_be_stem(filters, key) for key in keys_of(stems))
    others = keys_of([f"{name}zq" for name in names])
    assert sum(may_be_stem(filters, key) for key in others) <= len(names) // 2


def test_readings_are_capped_and_names_of_nowhere_have_none() -> None:
    keys = np.array([5] * 12 + [6, 6], np.uint64)
    order = np.array([*range(12), 3.0, np.inf])
    one = np.ones(14, np.uint8)
    filters = name_keys(*text_buffers(pa.array([""])), alphabet())[4]
    index = build_index(keys, np.arange(14, dtype=np.int32), one, one, filters, order, {}, 8)
    common, nowhere = (look_up(index.table, np.uint64(key)) for key in (5, 6))
    start = name_of(common)
    assert index.readings["place"][start : start + readings_of(common)].tolist() == list(range(11, 3, -1))
    assert readings_of(nowhere) == 0
