"""The commands `groundswell media`: what the media path sees in files, and in which languages it reads.

Owns their options; what does the work is loaded when it is called.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from groundswell import logs
from groundswell.errors import UsageError
from groundswell.gate import forbid_core_dumps

__all__ = ["media"]

media = typer.Typer(
    help="Pictures and videos.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)


@media.callback()
def about() -> None:
    """Pictures and videos, as the line looks at them."""


@media.command()
def inspect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Pictures or videos.")],
    shielded: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Write the picture, faces and plates covered, as JPEG; one FILE."),
    ] = None,
    language: Annotated[
        list[str] | None,
        typer.Option(help="A language of the posts that show it (`ukr`); repeatable."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a file on stdout; notes on stderr.")
    ] = False,
) -> None:
    """What the media path sees: text, emblems, tags, fingerprints; with `--shielded` the covered picture."""
    logs.configure(json=as_json)
    forbid_core_dumps()
    if shielded is not None and len(files) != 1:
        raise UsageError("--shielded", f"{len(files)} files for one picture", "give one FILE")
    for file in files:
        if not file.is_file():
            raise UsageError(str(file), "no such file", "give the path of a picture or video")
    from groundswell.inspected import as_lines, as_object, inspect_files

    for number, (file, answer) in enumerate(inspect_files(files, tuple(language or ()), shielded)):
        shown = msgspec.json.encode(as_object(file, answer)).decode() if as_json else as_lines(file, answer)
        typer.echo(shown)
        if number == 0 and answer.absent:
            typer.echo(f"not installed here: {', '.join(answer.absent)}", err=True)
        sys.stdout.flush()


@media.command()
def languages(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a language on stdout; notes on stderr.")
    ] = False,
) -> None:
    """The languages that words in pictures can be read in here, and with what."""
    from groundswell.media.languages import languages as readable
    from groundswell.media.languages import missing

    found = readable()
    for each in found:
        row = {"code": each.code, "reader": each.reader}
        typer.echo(msgspec.json.encode(row).decode() if as_json else f"{each.code}  {each.reader}")
    typer.echo(f"{len(found)} languages; {missing() or 'no script is missing'}", err=True)
