"""No column for a person: read from the types, the tables as DuckDB made them, and the exports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from groundswell.published import RECORD_TYPES, Bin, Place
from groundswell.store import EXPORT_SCHEMA, Checkpoint, Commit, Store

_AUTHOR_LIKE_WORDS = """
    account acct address agent actor author authors avatar bio biography birthday byline commenter
    contact creator did device email emails face fingerprint follower followers friend from handle
    handles identity ip login mail member mention mentions mobile nick nickname owner participant
    people person persons phone post posts poster profile profiles pseudonym quote reply sender
    screenname signature speaker speakers subject surname target text texts thread tweet uid uri
    uris url urls user userid username users uuid voice who writer
"""
AUTHOR_LIKE = frozenset(_AUTHOR_LIKE_WORDS.split())
"""Words that name an account, a person or a post. `accounts`, a label of the ladder, is the one exception."""


def author_like(name: str) -> bool:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().split("_")
    if "accounts" in words and name != "accounts":
        return True
    return not AUTHOR_LIKE.isdisjoint(words) or "".join(words) in AUTHOR_LIKE


def tables(folder: Path) -> Iterator[tuple[str, str]]:
    with Store.open(folder) as store:
        yield from store._rows("SELECT table_name, column_name FROM information_schema.columns")


def fields() -> Iterator[tuple[str, str]]:
    types: tuple[type[msgspec.Struct], ...] = (*RECORD_TYPES, Place, Bin, Checkpoint, Commit)
    for type_ in types:
        for field in msgspec.structs.fields(type_):
            yield type_.__name__, field.encode_name


def test_the_store_has_no_author_like_column(tmp_path: Path) -> None:
    columns = list(tables(tmp_path))
    assert {table for table, _ in columns} == {"groundswell", "records", "bins", "images", "checkpoint"}
    assert [(table, column) for table, column in columns if author_like(column)] == []


def test_no_record_has_an_author_like_field() -> None:
    named = list(fields())
    assert ("Event", "accounts") in named
    assert [(type_, field) for type_, field in named if author_like(field)] == []


def test_no_export_has_an_author_like_column() -> None:
    assert [name for name in EXPORT_SCHEMA.names if author_like(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        "author",
        "account_id",
        "handle",
        "user",
        "userId",
        "user_name",
        "did",
        "post_uri",
        "speaker",
        "email",
        "text",
        "accounts_seen",
    ],
)
def test_the_check_finds_them(name: str) -> None:
    assert author_like(name)


def test_a_record_s_every_field_is_exported() -> None:
    for type_ in RECORD_TYPES:
        for field in msgspec.structs.fields(type_):
            exported = {"source": "sources"}.get(field.encode_name, field.encode_name)
            parts = [name for name in EXPORT_SCHEMA.names if name.startswith(f"{exported}_")]
            assert exported in EXPORT_SCHEMA.names or parts
