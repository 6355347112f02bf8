"""The command line: `groundswell COMMAND`.

Records and answers go to standard output, everything else to standard error; `--json` makes both one JSON
object a line. Exit codes: 0 done, 1 it went wrong while running, 2 bad use or bad configuration.
"""

from __future__ import annotations

import importlib
import inspect
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import platformdirs
import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from groundswell import logs, warmup
from groundswell.config import Document
from groundswell.errors import GroundswellError, UsageError, did_you_mean
from groundswell.gate import forbid_core_dumps
from groundswell.inspection import media
from groundswell.memory import return_freed
from groundswell.metrics import Metrics
from groundswell.pipeline import LineSettings
from groundswell.published import Coverage, Picture, Record, to_json
from groundswell.recordings import replay
from groundswell.runner import Runner, RunSettings
from groundswell.store import Store, export

__all__ = ["app", "main"]

app = typer.Typer(
    name="groundswell",
    help="What the public is saying, as it happens. Never who.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(media, name="media")
_notes = Console(stderr=True, highlight=False, soft_wrap=True)

JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON object a line on stdout; notes on stderr.")
]
DataOption = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The data folder.")]


def main() -> None:
    """Run the command line; errors that a user can mend end in one line and an exit code."""
    return_freed()
    try:
        app()
    except GroundswellError as error:
        _notes.print(f"groundswell: {error}", markup=False)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(0)


@app.callback(invoke_without_command=True)
def about(
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        from groundswell import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.command()
def run(
    config: Annotated[Path | None, typer.Argument(metavar="[CONFIG]", help="A TOML file.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the page on loopback; 0 takes a free one.")
    ] = None,
    data: DataOption = None,
    simulate: Annotated[bool, typer.Option("--simulate", help="Play the simulated hour.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Stop when the source ends.")] = False,
    as_json: JsonOption = False,
) -> None:
    """The main job: a live source, its events on a page on loopback."""
    logs.configure(json=as_json)
    settings = RunSettings.read(Document.load(config)) if config else RunSettings()
    if port is not None:
        settings = msgspec.structs.replace(
            settings, console=msgspec.structs.replace(settings.console, port=port)
        )

    def announce(url: str, mode: str) -> None:
        if as_json:
            _print_json({"kind": "listening", "page": url, "mode": mode})
        else:
            marked = " (simulated: nothing there is happening)" if mode == "simulated" else ""
            typer.echo(f"Groundswell is listening. Open {url}{marked}")
        sys.stdout.flush()

    warmup.once()
    runner = Runner(settings, data, announce=announce)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: runner.stop.set())
    runner.run(simulate=simulate, once=once)


@app.command("replay")
def replay_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Recorded posts: .jsonl, .gz, .zst.")],
    data: DataOption = None,
    config: Annotated[Path | None, typer.Option("--config", help="A TOML file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """The same line over recorded posts, at full speed, on their own time; prints what is published."""
    logs.configure(json=as_json)
    forbid_core_dumps()
    settings = LineSettings.read(Document.load(config)) if config else LineSettings()
    metrics = Metrics()
    warmup.once()
    with _bar("replaying") as progress:
        for record in replay(files, folder=data, settings=settings, metrics=metrics, progress=progress):
            typer.echo(to_json(record).decode() if as_json else _sentence(record))
            sys.stdout.flush()
    _tell_counts(metrics)


@app.command()
def prepare() -> None:
    """Build the place index and compile the kernels; `make setup` does this."""
    logs.configure()
    warmup.compile_all()


@app.command()
def redact(as_json: JsonOption = False) -> None:
    """Take identifiers out of lines of stdin; gives `{"text"}` a line."""
    from groundswell.gate import Redactor

    logs.configure(json=as_json)
    redactor = Redactor()
    for line in _lines():
        _print_json({"text": redactor.redact_text(line)})


@app.command()
def language(as_json: JsonOption = False) -> None:
    """The language of lines of stdin; gives `{"code", "confidence"}` a line."""
    from groundswell.enrich import identify_text

    logs.configure(json=as_json)
    for line in _lines():
        code, confidence = identify_text(line)
        _print_json({"code": code, "confidence": round(confidence, 4)})


@app.command()
def mood(as_json: JsonOption = False) -> None:
    """The mood of lines of stdin; gives `{"negative", "neutral", "positive"}` a line."""
    from groundswell.enrich.mood import MOODS, mood_of_text

    logs.configure(json=as_json)
    for line in _lines():
        chances = mood_of_text(line) or dict.fromkeys(MOODS)
        _print_json({name: chance and round(chance, 4) for name, chance in chances.items()})


@app.command()
def places(as_json: JsonOption = False) -> None:
    """The places in lines of stdin; gives `{"places": […]}` a line, offsets in characters."""
    from groundswell.enrich.places import Gazetteer

    logs.configure(json=as_json)
    gazetteer = Gazetteer.load()
    for line in _lines():
        _print_json({"places": gazetteer.find_text(line)})


@app.command("export")
def export_records(
    out: Annotated[
        Path, typer.Argument(metavar="OUT", help="The file to write; its suffix says the format.")
    ],
    kind: Annotated[
        Literal["event", "narrative", "amplification", "coverage", "picture"],
        typer.Option(help="Which records."),
    ] = "event",
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Published records as Parquet (.parquet), CSV (.csv), GeoJSON (.geojson) or JSON lines (.jsonl)."""
    formats = {".parquet": "parquet", ".csv": "csv", ".geojson": "geojson", ".jsonl": "jsonl"}
    if out.suffix not in formats:
        raise UsageError(str(out), f"`{out.suffix}` is no format", did_you_mean(out.suffix, formats))
    folder = data or platformdirs.user_data_path("groundswell")
    with Store.open(folder, read_only=True) as store:
        count = export(store, kind, formats[out.suffix], out)  # type: ignore[arg-type]
    if as_json:
        _print_json({"kind": kind, "records": count, "file": str(out)})
    else:
        typer.echo(f"{count} records written to {out}")


@app.command()
def bench(
    name: Annotated[str, typer.Argument(help="A measurement in `bench/`, or `all`.")],
    seeds: Annotated[
        int | None, typer.Option(min=1, max=100, help="How many streams to draw, where some are drawn.")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="A page to put the tables into as well, each between its marks.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the measurements in `bench/`; they print a figure beside its goal."""
    logs.configure(json=as_json)
    folder = _bench_folder()
    known = sorted(path.stem for path in folder.glob("*.py") if not path.stem.startswith("_"))
    if name not in {*known, "all"}:
        raise UsageError("bench", f"no measurement `{name}`", did_you_mean(name, [*known, "all"]))
    if write is not None and not write.is_file():
        raise UsageError(str(write), "no such page", "give the path of a Markdown file")
    sys.path.insert(0, str(folder.parent))
    for each in known if name == "all" else [name]:
        measure = importlib.import_module(f"bench.{each}").measure
        draws = "seeds" in inspect.signature(measure).parameters
        if seeds is not None and not draws and name != "all":
            raise UsageError("bench", f"`{each}` draws no streams", "leave `--seeds` away")
        rows = measure(seeds=seeds) if draws and seeds is not None else measure()
        for row in rows:
            if as_json:
                _print_json({"bench": each, **row})
            else:
                typer.echo(f"{each:<12} {row['figure']:<44} {row['value']:>14}   goal {row['goal']}")
        if write is not None:
            importlib.import_module("bench._tables").write_table(write, each, rows)


def _bench_folder() -> Path:
    for folder in (Path.cwd(), *Path(__file__).resolve().parents):
        if (folder / "bench" / "throughput.py").exists():
            return folder / "bench"
    raise UsageError("bench", "no `bench/` folder here", "run it in a checkout of the repository")


def _lines() -> Iterator[str]:
    """Lines of stdin, whatever their bytes."""
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def _print_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def _sentence(record: Record) -> str:
    """A record as one line for people."""
    if isinstance(record, Coverage):
        missing = "below the expected" if record.reason == "low_volume" else "not collected"
        what = f"{record.language} on {record.source}" if record.language else record.source
        until = "and goes on" if record.ongoing else f"until {record.last_seen}"
        return f"{record.first_seen}  {missing}: {what}, {until} ({record.reason})"
    if isinstance(record, Picture):
        seen = " · ".join((*record.words, *(mark.name for mark in record.emblems))) or "no words, no emblem"
        return f"{record.first_seen}  {record.accounts:>5}  picture/{record.state} of {record.event}: {seen}"
    where = f"{record.place.name}, {record.place.country}" if record.place else "no single place"
    said = " · ".join(record.phrases or record.domains) or "wording kept back: it may name somebody"
    kind = type(record).__name__.lower()
    return f"{record.first_seen}  {record.accounts:>5}  {kind}/{record.category:<12} {where:<28} {said}"


def _tell_counts(metrics: Metrics) -> None:
    """Posts in = kept + dropped, by reason, in one line."""
    kept = metrics.gate_kept._value.get()
    dropped = {
        sample.labels["reason"]: int(sample.value)
        for family in (metrics.source_dropped, metrics.gate_dropped)
        for metric in family.collect()
        for sample in metric.samples
        if sample.name.endswith("_total") and sample.value
    }
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(dropped.items())) or "none"
    _notes.print(f"{int(kept):,} posts kept; dropped: {reasons}", markup=False)


@contextmanager
def _bar(label: str) -> Iterator[Any]:
    """A progress bar over bytes on standard error, or None where that is no terminal."""
    if not _notes.is_terminal:
        yield None
        return
    columns = (TextColumn(label), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_notes, transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
