"""The example configuration is every setting at its default, and `docs/configuration.md` says the same."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from groundswell.config import Document, Settings
from groundswell.errors import ConfigurationError
from groundswell.media import MediaSettings
from groundswell.pipeline import LineSettings
from groundswell.runner import SOURCE_KINDS, ConsoleSettings, RunSettings, SimulatorSettings
from groundswell.sources import JetstreamSettings

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "groundswell.toml"
PAGE = ROOT / "docs" / "configuration.md"


def nested(name: str, settings: type[Settings]) -> Iterator[tuple[str, type[Settings]]]:
    """The table of a settings struct, and those of the structs in it."""
    yield name, settings
    for field in msgspec.structs.fields(settings):
        if isinstance(field.type, type) and issubclass(field.type, Settings):
            yield from nested(f"{name}.{field.name}", field.type)


def tables() -> dict[str, type[Settings]]:
    """Every table but the sources', by name."""
    roots = [(field.name, field.type) for field in msgspec.structs.fields(LineSettings)]
    roots += [("media", MediaSettings), ("console", ConsoleSettings), ("simulator", SimulatorSettings)]
    return dict(table for name, settings in roots for table in nested(name, settings))


def defaults(settings: type[Settings]) -> dict[str, Any]:
    """Key to default; a key that must be given has `msgspec.NODEFAULT`."""
    return {
        field.name: field.default
        for field in msgspec.structs.fields(settings)
        if not (isinstance(field.type, type) and issubclass(field.type, Settings))
    }


def test_the_example_is_every_setting_at_its_default() -> None:
    assert RunSettings.read(Document.load(EXAMPLE)) == RunSettings()
    written = tomllib.loads(EXAMPLE.read_text("utf-8"))
    for name, settings in tables().items():
        table = written
        for part in name.split("."):
            table = table[part]
        keys = {key for key, value in table.items() if not isinstance(value, dict)}
        assert keys == set(defaults(settings)), name
    assert set(written["source"]["bluesky"]) == {"kind", *defaults(JetstreamSettings)} - {"name"}
    assert set(written) == {"source", *(name.partition(".")[0] for name in tables())}


def test_every_setting_has_a_comment() -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    keys = [at for at, line in enumerate(lines) if re.match(r"\w+ = ", line)]
    assert len(keys) > 40
    assert [lines[at] for at in keys if not lines[at - 1].startswith("# ")] == []


def documented() -> dict[str, dict[str, tuple[str, str]]]:
    """Heading to key to (default, meaning), as the page's tables have them."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for section in PAGE.read_text("utf-8").split("\n## ")[1:]:
        rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
        found[section.partition("\n")[0]] = {key: (default, meaning) for key, default, meaning in rows}
    return found


EXPECTED = {
    **{f"`[{name}]`": defaults(settings) for name, settings in tables().items()},
    **{
        f"`[source.NAME]`, kind `{kind}`": {"kind": kind, **defaults(settings)}
        for kind, settings in SOURCE_KINDS.items()
    },
}


def test_the_page_has_every_table_and_no_other() -> None:
    assert set(documented()) - {"Environment"} == set(EXPECTED)


@pytest.mark.parametrize("heading", EXPECTED)
def test_the_page_says_every_key_its_default_and_its_meaning(heading: str) -> None:
    rows = documented()[heading]
    assert list(rows) == list(EXPECTED[heading])
    for key, default in EXPECTED[heading].items():
        shown, meaning = rows[key]
        assert meaning.strip(), key
        if default is msgspec.NODEFAULT:
            assert shown == "required", key
        elif isinstance(default, tuple):
            assert "`" not in shown, key  # a list is told in words; the example holds it
        else:
            assert shown == f"`{json.dumps(default)}`", key


def test_a_mistyped_key_is_named_with_file_key_and_mend(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[release]\nsensitiv_k = 40\n")
    with pytest.raises(ConfigurationError) as told:
        RunSettings.read(Document.load(path))
    expected = f"{path} [release]: unknown key `sensitiv_k`; did you mean `sensitive_k`?"
    assert str(told.value) == expected


def test_a_table_nobody_owns_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"unknown table `\[relase\]`; did you mean `release`\?"):
        RunSettings.read(Document.parse("[relase]\nk = 30\n", "mine.toml"))


def test_a_value_of_another_type_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"mine.toml \[store\]: `retention_days` = 'ever'"):
        RunSettings.read(Document.parse('[store]\nretention_days = "ever"\n', "mine.toml"))


def test_a_time_to_learn_in_which_nothing_could_be_compared_is_refused() -> None:
    with pytest.raises(
        ConfigurationError, match=r"\[detect\]: `rates.learn_minutes` = 10 .* expected `int` >= 20"
    ):
        RunSettings.read(Document.parse("[detect.rates]\nlearn_minutes = 10\n", "mine.toml"))


def test_a_run_reads_one_source_of_a_known_kind() -> None:
    two = '[source.a]\nkind = "jetstream"\n[source.b]\nkind = "jetstream"\n'
    with pytest.raises(ConfigurationError, match="2 sources: `a`, `b`; keep one"):
        RunSettings.read(Document.parse(two, "mine.toml"))
    with pytest.raises(ConfigurationError, match="`kind` = 'jetsteam' is unknown; did you mean `jetstream`"):
        RunSettings.read(Document.parse('[source.a]\nkind = "jetsteam"\n', "mine.toml"))
