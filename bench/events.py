"""Are events found, once each and in time, and nothing besides?

`python -m bench.events assign FILE --out TSV` writes, for people who hold labelled data, the chain that each
recorded post fell in.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from bench._clustering import agreement
from bench._data import data_file, progress
from bench._observed import observe_file

from groundswell import logs
from groundswell.errors import GroundswellError, UsageError
from groundswell.pipeline import Lexica

__all__ = ["assign", "measure"]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class _Labelled(msgspec.Struct):
    event: str | None = None


def measure() -> list[dict[str, Any]]:
    """How the mix's labelled posts fall into chains."""
    path = data_file("events", "mix.jsonl.gz")
    decoder = msgspec.json.Decoder(_Labelled)
    with gzip.open(path) as lines:
        labels = [decoder.decode(line).event for line in lines]
    with progress("replaying the mix") as bar:
        _, chains = observe_file(path, Lexica(), progress=bar)
    posts = [(label, chain) for label, chain in zip(labels, chains, strict=True) if label]
    everything = agreement([label for label, _ in posts], [chain for _, chain in posts])
    held = agreement([label for label, chain in posts if chain], [chain for _, chain in posts if chain])
    return [
        {"figure": "mix: labelled posts in a chain", "value": round(everything.covered, 3), "goal": "-"},
        {"figure": "mix: AMI of these", "value": round(held.ami, 3), "goal": ">= .88"},
        {"figure": "mix: B3 F1 of these", "value": round(held.b3, 3), "goal": ">= .85"},
        {"figure": "mix: AMI, the others alone", "value": round(everything.ami, 3), "goal": "-"},
        {"figure": "mix: B3 F1, the others alone", "value": round(everything.b3, 3), "goal": "-"},
    ]


@app.callback()
def about() -> None:
    """Measurements of event detection; `groundswell bench events` prints the figures."""


@app.command("assign")
def assign_command(
    file: Annotated[Path, typer.Argument(help="Recorded posts: .jsonl, .gz, .zst.")],
    out: Annotated[Path, typer.Option(help="The table to write.")],
) -> None:
    """Write `row` and `chain` for each line of FILE, tab-separated, with a header."""
    logs.configure()
    try:
        rows, assigned = assign(file, out)
    except GroundswellError as error:
        typer.echo(f"groundswell: {error}", err=True)
        raise typer.Exit(error.exit_code) from None
    typer.echo(f"{rows} rows, {assigned} of them in a chain: {out}")


def assign(file: Path, out: Path) -> tuple[int, int]:
    """Replay `file` and write its table; gives the rows, and how many of them have a chain.

    Raises
    ------
    UsageError
        `file` is missing or no file, or `out` cannot be written.
    """
    if not file.is_file():
        raise UsageError(str(file), "no such file", "give the path of a file of JSON lines")
    with progress("replaying") as bar:
        _, chains = observe_file(file, Lexica(), progress=bar)
    try:
        with out.open("w", encoding="utf-8") as table:
            table.write("row\tchain\n")
            table.writelines(f"{row}\t{chain}\n" for row, chain in enumerate(chains))
    except OSError as error:
        raise UsageError(str(out), f"cannot be written ({error.strerror})", "choose another path") from None
    return len(chains), sum(map(bool, chains))


if __name__ == "__main__":
    app()
