"""The pages say what the code does: whatever is undocumented, and whatever is documented and gone, fails."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints
from xml.etree import ElementTree

import msgspec
import pytest
import typer

import groundswell
from groundswell.batches import ENRICHED, RAW
from groundswell.cli import app
from groundswell.console import Feed, create_app
from groundswell.detect.chains import Chain
from groundswell.detect.coverage import Outage, WatchMemory
from groundswell.detect.rates import Rates, RateSettings
from groundswell.detect.refrains import Mark, Refrain
from groundswell.detect.volumes import PairMemory
from groundswell.drops import FetchDrop, GateDrop, MediaDrop, Refusal, SourceDrop
from groundswell.errors import GroundswellError
from groundswell.gate import IDENTIFIERS
from groundswell.metrics import Metrics
from groundswell.published import RECORD_TYPES, Bin, Coverage, Picture, Place, Step
from groundswell.release.pictures import PictureStanding
from groundswell.release.revision import Standing
from groundswell.resume import Sealed
from groundswell.sources.forms import PlainPost
from groundswell.store.schema import TABLES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])

CONCEPTS = """
    source cursor gap post speaker gate drop enricher window baseline burst chain event narrative
    amplification floor ladder release record topic purpose alert channel ledger checkpoint retention
"""


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def section(text: str, heading: str) -> str:
    """What stands under a heading (given with its marks), up to the next of its level or above."""
    level = len(heading) - len(heading.lstrip("#"))
    after = text.split(f"\n{heading}\n", 1)
    assert len(after) == 2, f"no heading {heading!r}"
    return re.split(rf"^#{{1,{level}}} ", after[1], maxsplit=1, flags=re.MULTILINE)[0]


def table(text: str, first: str) -> dict[str, list[str]]:
    """The table whose first heading is `first`: code words of the first column to the other cells."""
    rows: dict[str, list[str]] = {}
    lines = text.splitlines()
    start = next((at for at, line in enumerate(lines) if line.startswith(f"| {first} |")), None)
    assert start is not None, f"no table {first!r}"
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.strip("|").split(" |")]
        for name in re.findall(r"`([^`]+)`", cells[0]):
            rows[name] = cells[1:]
    return rows


def fields(types: Iterable[type[msgspec.Struct]]) -> set[str]:
    return {field.encode_name for type_ in types for field in msgspec.structs.fields(type_)}


# --- concepts, links, pictures ------------------------------------------------------------------------------


def test_every_concept_is_defined_once() -> None:
    defined = re.findall(r"^\* \*\*(\w+)\*\*: \S.+", page("concepts.md"), re.MULTILINE)
    assert defined == CONCEPTS.split()


def anchors(path: Path) -> set[str]:
    """Headings as the usual renderers make anchors of them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text("utf-8")):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        led = (path.parent / name) if name else path
        assert led.exists(), target
        if anchor:
            assert anchor in anchors(led), target


def test_the_picture_is_well_formed_and_loads_nothing() -> None:
    text = page("architecture.svg")
    ElementTree.fromstring(text)
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"(?:href|src)=|url\((?!#)|@import|@font-face|<script", text)


def test_the_map_of_the_source_names_files_that_are_there() -> None:
    source = ROOT / "src" / "groundswell"
    found = section(page("architecture.md"), "## Where to find what").split("Rooms that come later")[0]
    named = re.findall(r"`([\w/]+(?:\.\w+|/))`", found)
    assert len(named) > 15
    assert [name for name in named if not any((root / name).exists() for root in (source, ROOT))] == []


def test_every_stage_is_on_the_architecture_page() -> None:
    stages = set(table(section(page("architecture.md"), "## Stages"), "stage"))
    packages = {path.parent.name for path in (ROOT / "src" / "groundswell").glob("*/__init__.py")}
    assert stages == packages - {"simulator"}


# --- commands -----------------------------------------------------------------------------------------------


def commands() -> dict[str, Any]:
    """Every command by its name; those of a group with the group's before it."""
    group: Any = typer.main.get_command(app)
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        below = getattr(command, "commands", None)
        found |= {f"{name} {each}": one for each, one in below.items()} if below else {name: command}
    return found


def test_every_command_is_documented_and_no_other() -> None:
    found = section(page("commands.md"), "## Commands")
    assert re.findall(r"^### `groundswell ([a-z]+(?: [a-z]+)*)", found, re.MULTILINE) == list(commands())


@pytest.mark.parametrize("name", commands())
def test_every_option_is_documented_and_no_other(name: str) -> None:
    text = re.split(r"^### ", section(page("commands.md"), "## Commands"), flags=re.MULTILINE)
    found = next(part for part in text if re.match(rf"`groundswell {name}\b", part))
    options = {option for each in commands()[name].params for option in each.opts if option.startswith("--")}
    assert set(re.findall(r"`(--[\w-]+)`", found)) == options


def test_exit_codes_are_those_of_the_errors() -> None:
    codes = {int(code) for code in re.findall(r"^\| (\d) \|", page("commands.md"), re.MULTILINE)}
    raised = {error.exit_code for error in GroundswellError.__subclasses__()}
    assert codes == {0, GroundswellError.exit_code, *raised}


# --- forms, records, API, metrics ---------------------------------------------------------------------------


def test_every_key_of_a_plain_post_is_documented() -> None:
    rows = table(section(page("commands.md"), "## Recorded posts"), "key")
    assert set(rows) == fields([PlainPost])
    required = {field.name for field in msgspec.structs.fields(PlainPost) if field.required}
    assert {key for key, cells in rows.items() if cells[0] == "required"} == required | {"text"}


def test_every_field_of_a_record_is_documented() -> None:
    text = section(page("commands.md"), "## Records")
    crowd, coverage = text.split("**`coverage`**")
    crowd, picture = crowd.split("**`picture`**")
    crowds = [type_ for type_ in RECORD_TYPES if type_ not in (Coverage, Picture)]
    assert set(table(crowd, "field")) == fields(crowds) | {"kind"}
    assert set(table(picture, "field")) == fields([Picture]) | {"kind"}
    assert set(table(crowd, "field of `place`")) == fields([Place])
    assert set(table(crowd, "field of `path`")) == fields([Step])
    gap, bins = coverage.split("A **bin**")
    assert set(table(gap, "field")) == fields([Coverage]) | {"kind"}
    assert set(table(bins, "field")) == fields([Bin])


def test_every_value_of_a_closed_field_is_documented() -> None:
    text = section(page("commands.md"), "## Records")
    for type_ in (*RECORD_TYPES, Place):
        for name, hint in get_type_hints(type_).items():
            if get_origin(hint) is Literal:
                assert [value for value in get_args(hint) if f"`{value}`" not in text] == [], name


def test_every_route_and_parameter_is_documented() -> None:
    reader: Any = None
    console = create_app(reader, Feed(), Metrics(), lambda: None)  # type: ignore[arg-type,return-value]
    paths = console.openapi()["paths"]
    rows = table(section(page("commands.md"), "## API"), "route")
    assert set(rows) == set(paths)
    for path, cells in rows.items():
        named = [parameter["name"] for parameter in paths[path]["get"].get("parameters", [])]
        assert re.findall(r"`(\w+)`", cells[0]) == named, path


def test_every_metric_is_documented_with_its_labels() -> None:
    shown = {}
    for metric in vars(Metrics()).values():
        if hasattr(metric, "_labelnames"):
            name = metric._name + ("_total" if metric._type == "counter" else "")
            labels = ",".join(metric._labelnames)
            shown[f"{name}{{{labels}}}" if labels else name] = metric._type
    rows = table(section(page("commands.md"), "## Metrics"), "metric")
    assert {name: cells[0] for name, cells in rows.items()} == shown


# --- privacy ------------------------------------------------------------------------------------------------


def stored() -> dict[str, set[str]]:
    """Heading of the privacy page's section to the fields it must have, as the code has them."""
    columns = {
        f"### Table `{name}`": {
            line.split()[0]
            for line in re.split(r",\s*\n|\n", definition.strip())
            if "PRIMARY KEY" not in line
        }
        for name, definition in TABLES.items()
    }
    columns["### Table `checkpoint`"] |= fields([Standing, PictureStanding, Sealed, Chain, Refrain, Mark])
    _, means, _ = Rates(RateSettings(bits=8, speaker_bits=8), 20).snapshot()
    assert len(means) == 0
    columns["### Folder `baseline/`"] = {"filled", "means", "quarters"}
    columns["### Folder `baseline/`"] |= fields([WatchMemory, PairMemory, Outage])
    columns["### Folder `keys/`"] = {"publish.key"}
    return columns


@pytest.mark.parametrize("heading", stored())
def test_every_stored_field_has_a_reason_and_an_end(heading: str) -> None:
    text = section(page("privacy.md"), heading)
    rows = re.findall(r"^\| (`.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    documented = {name for first, _, _ in rows for name in re.findall(r"`([^`]+)`", first)}
    assert documented == stored()[heading]
    for first, why, until in rows:
        assert why, first
        assert until, first


def test_every_column_in_memory_is_listed() -> None:
    rows = table(page("privacy.md"), "column")
    assert set(rows) == {*RAW.names, *ENRICHED.names}
    for name, cells in rows.items():
        if name not in ENRICHED.names:
            assert cells[1].startswith("the gate"), name


def test_every_identifier_class_is_listed() -> None:
    assert set(table(page("privacy.md"), "class")) == set(IDENTIFIERS)


@pytest.mark.parametrize(
    ("heading", "reasons"),
    [
        ("reason at the source", SourceDrop),
        ("reason at the gate", GateDrop),
        ("reason in fetching", FetchDrop),
        ("reason in a picture or video", MediaDrop),
        ("reason at the line", Refusal),
    ],
)
def test_every_reason_to_drop_or_refuse_is_listed(heading: str, reasons: type[GateDrop]) -> None:
    assert list(table(section(page("privacy.md"), "## Drops and refusals"), heading)) == [*reasons]


def test_records_are_called_minimised_and_never_anonymous() -> None:
    for path in PAGES:
        words = " ".join(path.read_text("utf-8").split())
        assert len(re.findall(r"anonym", words)) == len(re.findall(r"not anonymous", words)), path.name
    assert "*minimised*" in page("privacy.md")


# --- invariants, scoreboard, README -------------------------------------------------------------------------


def test_every_invariant_is_held_by_a_test_that_is_there() -> None:
    named = re.findall(r"`(tests/\w+\.py)::(\w+)`", page("invariants.md"))
    assert len(named) > 30
    for path, name in named:
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, (
            f"{path}::{name}"
        )


def test_every_measurement_is_on_the_scoreboard_and_no_other() -> None:
    benches = {path.stem for path in (ROOT / "bench").glob("*.py") if not path.stem.startswith("_")}
    assert set(re.findall(r"`groundswell bench (\w+)`", page("scoreboard.md"))) == benches


def test_make_targets_that_pages_name_are_there() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for path in PAGES:
        named = re.findall(r"(?:`| {4})make ([a-z-]+)", path.read_text("utf-8"))
        assert set(named) <= targets, path.name


def test_the_example_in_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "posts.jsonl").write_text(
        '{"id": 1, "created_at": "2026-05-01T00:00:00Z", "account": "a", "text": "rain"}\n'
    )
    monkeypatch.chdir(tmp_path)
    example = re.findall(r"```python\n(.+?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    assert len(example) == 1
    exec(compile(example[0], "README.md", "exec"), {})


def test_the_mission_stands_first() -> None:
    for path in (ROOT / "README.md", ROOT / "src" / "groundswell" / "__init__.py"):
        assert "Never who." in path.read_text("utf-8")[:200], path.name
    assert groundswell.__version__ in (ROOT / "CHANGELOG.md").read_text("utf-8")
