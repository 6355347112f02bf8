"""The command `groundswell media inspect`: what the media path sees in files, told to people or as JSON.

Owns the words and the shape of the answer. The files are looked at in a worker, as in the line; the texts'
languages are told here, since the media stage knows none.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from groundswell import logs
from groundswell.drops import MediaDrop
from groundswell.errors import GroundswellError, UsageError
from groundswell.gate import forbid_core_dumps
from groundswell.media import Answer, Hints, Job, JobKind, Seen, Text, Worker
from groundswell.media.decode import MAX_BYTES
from groundswell.media.encode import encode_jpeg
from groundswell.media.formats import VIDEOS, tell_format
from groundswell.media.video import MAX_VIDEO_BYTES

__all__ = ["media"]

PICTURE_SECONDS = 60.0
VIDEO_SECONDS = 900.0

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
    hints = Hints(tuple(language or ()))
    with Worker() as worker:
        for number, file in enumerate(files):
            answer = _inspect(worker, file, hints, shielded)
            typer.echo(
                msgspec.json.encode(_as_object(file, answer)).decode() if as_json else _told(file, answer)
            )
            if number == 0 and answer.absent:
                typer.echo(f"not installed here: {', '.join(answer.absent)}", err=True)
            sys.stdout.flush()


def _inspect(worker: Worker, file: Path, hints: Hints, out: Path | None) -> Answer:
    with file.open("rb") as opened:
        data = opened.read(max(MAX_BYTES, MAX_VIDEO_BYTES) + 1)
    seconds = VIDEO_SECONDS if tell_format(data) in VIDEOS else PICTURE_SECONDS
    if len(data) > MAX_VIDEO_BYTES:
        return Answer(drop=MediaDrop.TOO_MANY_BYTES)
    kind = JobKind.READ if out is None else JobKind.SHIELD
    answer, picture = worker.ask(Job(kind, hints, seconds), data, seconds)
    if out is not None and picture is None:
        reason = answer.drop or MediaDrop.STEP_FAILED
        raise GroundswellError(
            str(file), f"there is no shielded picture ({reason})", _MENDS.get(reason, _SAFE)
        )
    if out is not None and picture is not None:
        out.write_bytes(encode_jpeg(picture))
    return answer


_SAFE = "where it cannot be sure, nothing is written"
_MENDS = {
    MediaDrop.PART_ABSENT: "install the shield's parts",
    MediaDrop.FORMAT_NOT_ALLOWED: "give a picture: JPEG, PNG, WebP, GIF, AVIF or HEIC",
}


def _as_object(file: Path, answer: Answer) -> dict[str, Any]:
    return {
        "file": str(file),
        "format": answer.format or None,
        "drop": answer.drop,
        "frames": [_frame(frame) for frame in answer.frames],
        "failed": answer.failed,
        "absent": answer.absent,
    }


def _frame(seen: Seen) -> dict[str, Any]:
    found = seen.findings
    return {
        "offset_seconds": seen.offset_seconds,
        "width": seen.width,
        "height": seen.height,
        "texts": [_text(text) for text in _read(seen)],
        "emblems": found.emblems,
        "tags": found.tags,
        "fingerprint": {
            "pdq": seen.fingerprint.pdq.hex(),
            "quality": seen.fingerprint.quality,
            "dhash": "".join(f"{half:016x}" for half in seen.fingerprint.views[0]),
        },
    }


def _read(seen: Seen) -> list[Text]:
    """The lines that could be read."""
    return [text for text in seen.findings.texts if text.text]


def _text(text: Text) -> dict[str, Any]:
    from groundswell.enrich import identify_text

    code, confidence = (text.language, text.confidence) if text.language else identify_text(text.text)
    return {
        "text": text.text,
        "confidence": round(text.confidence, 3),
        "script": text.script or None,
        "language": code,
        "language_confidence": round(confidence, 3),
        "box": text.box,
    }


def _told(file: Path, answer: Answer) -> str:
    """A file's answer as lines for people."""
    head = f"{file}  {answer.format or 'unknown format'}"
    if answer.drop is not None:
        head += f"  not read{' to its end' if answer.frames else ''}: {answer.drop}"
    if answer.failed:
        head += f"  failed: {', '.join(answer.failed)}"
    return "\n".join([head, *(line for frame in answer.frames for line in _lines(frame))])


def _lines(seen: Seen) -> list[str]:
    at = f"  {seen.offset_seconds:7.1f} s  {seen.width}×{seen.height}  "
    lines = [f"{at}pdq {seen.fingerprint.pdq.hex()}  quality {seen.fingerprint.quality}"]
    lines += [
        f"      text     {text['confidence']:.2f}  {text['language']}  {text['text']}"
        for text in map(_text, _read(seen))
    ]
    for emblem in seen.findings.emblems:
        box = emblem.box
        where = f"{box.left},{box.top}–{box.right},{box.bottom}"
        lines.append(f"      emblem   {emblem.confidence:.2f}  {emblem.name} ({emblem.category})  {where}")
    lines += [f"      tag      {tag.confidence:.2f}  {tag.name}" for tag in seen.findings.tags]
    return lines
