"""What the media path sees in files, as objects for machines and as lines for people.

Owns the words and the shape of the answer. The files are looked at in a worker, as in the line; languages
that the parts do not tell are told here, since the media stage knows none.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from groundswell.drops import MediaDrop
from groundswell.errors import GroundswellError
from groundswell.media import Answer, Hints, Job, JobKind, Seen, Text, Worker
from groundswell.media.decode import MAX_BYTES
from groundswell.media.encode import encode_jpeg
from groundswell.media.formats import VIDEOS, tell_format
from groundswell.media.video import MAX_VIDEO_BYTES

__all__ = ["as_lines", "as_object", "inspect_files"]

PICTURE_SECONDS = 60.0
VIDEO_SECONDS = 900.0


def inspect_files(
    files: list[Path], languages: tuple[str, ...], shielded: Path | None
) -> Iterator[tuple[Path, Answer]]:
    """Each file with its answer; `shielded` is where the covered picture is written.

    Raises
    ------
    GroundswellError
        There is no covered picture to write.
    """
    with Worker() as worker:
        for file in files:
            yield file, _inspect(worker, file, Hints(languages), shielded)


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


def as_object(file: Path, answer: Answer) -> dict[str, Any]:
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


def as_lines(file: Path, answer: Answer) -> str:
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
