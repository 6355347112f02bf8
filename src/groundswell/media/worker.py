"""The main loop of a worker process: loads the parts, locks itself up, and answers one file at a time.

Owns nothing but its two pipes. Started by `sandbox.Worker`, which also ends it; whatever happens here stays
here. Files and pixels are in memory only, and a file's are gone before the next comes.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from groundswell.drops import MediaDrop
from groundswell.media import decode, fingerprint, video
from groundswell.media.eyes import Eyes
from groundswell.media.findings import Box, Findings
from groundswell.media.formats import VIDEOS, tell_format
from groundswell.media.jobs import Answer, Job, JobKind, Seen, Shielded, encode_answer
from groundswell.media.lockdown import allow_cpu, lock
from groundswell.media.picture import Frame, Picture, as_picture
from groundswell.media.refusals import RefusedError

__all__ = ["answer_job", "main"]

MAX_MESSAGE_BYTES = 128 << 20
_FILL = (40, 44, 52)
_NICE = 10
"""The text path goes first, whenever both want the machine."""


def main(eyes: str, memory_bytes: int) -> None:
    """Answer jobs from standard input on standard output until the former ends."""
    answers = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # what libraries print may quote a file
        os.dup2(nowhere, stream)
    module, _, function = eyes.partition(":")
    if hasattr(os, "nice"):
        os.nice(_NICE)
    parts: Eyes = getattr(importlib.import_module(module), function)()
    fingerprint.warm()
    _send(answers, msgspec.msgpack.encode(lock(memory_bytes)))
    jobs = sys.stdin.buffer
    while header := _receive(jobs):
        job = msgspec.msgpack.decode(header, type=Job)
        allow_cpu(job.cpu_seconds)
        answer, picture = answer_job(job, _receive(jobs), parts)
        _send(answers, encode_answer(answer, picture))


def answer_job(job: Job, data: bytes, eyes: Eyes) -> tuple[Answer, Picture | None]:
    """Look at one file; never raises for what is in it."""
    found = tell_format(data)
    frames: list[Seen] = []
    failed: dict[str, None] = {}
    drop: MediaDrop | None = None
    shielded: Picture | None = None
    try:
        if job.kind is JobKind.SHIELD and eyes.shield is None:
            raise RefusedError(MediaDrop.PART_ABSENT)
        for frame in _frames(data, job.kind):
            seen, troubles = _look(job, frame, eyes)
            frames.append(seen)
            failed.update(dict.fromkeys(troubles))
            if job.kind is JobKind.SHIELD:
                shielded = _covered(job, frame, seen.findings, troubles, eyes)
                break
    except RefusedError as error:
        drop = error.reason
    except MemoryError:
        drop, shielded = MediaDrop.OUT_OF_MEMORY, None
    answer = Answer(
        format=found.value if found else "",
        frames=tuple(frames),
        drop=drop,
        failed=tuple(failed),
        absent=eyes.absent,
        shielded=None if shielded is None else Shielded(shielded.shape[1], shielded.shape[0]),
        peak_bytes=_peak_bytes(),
    )
    return answer, shielded


def _frames(data: bytes, kind: JobKind) -> Iterator[Frame]:
    if tell_format(data) not in VIDEOS:
        return decode.decode(data)
    if kind is JobKind.SHIELD:
        raise RefusedError(MediaDrop.FORMAT_NOT_ALLOWED)
    return video.watch(data)


def _look(job: Job, frame: Frame, eyes: Eyes) -> tuple[Seen, tuple[str, ...]]:
    findings, failed = (
        (Findings(), ()) if job.kind is JobKind.FINGERPRINT else eyes.look(frame.picture, job.hints)
    )
    height, width, _ = frame.picture.shape
    seen = Seen(frame.offset_seconds, width, height, fingerprint.take(frame.picture), findings)
    return seen, failed


def _covered(job: Job, frame: Frame, seen: Findings, failed: tuple[str, ...], eyes: Eyes) -> Picture:
    """The shielded picture; where any step failed there is none."""
    if failed or eyes.shield is None:
        raise RefusedError(MediaDrop.STEP_FAILED)
    try:
        return as_picture(eyes.shield(filled(frame.picture, job.cover), job.hints, seen))
    except MemoryError:
        raise
    except Exception:
        raise RefusedError(MediaDrop.STEP_FAILED) from None


def filled(picture: Picture, boxes: Sequence[Box]) -> Picture:
    """A copy with these boxes, and a little around them, in one colour."""
    out = picture.copy()
    for box in boxes:
        around = max(2, (box.bottom - box.top) // 8)
        top, left = max(0, box.top - around), max(0, box.left - around)
        out[top : box.bottom + around, left : box.right + around] = _FILL
    return out


def _peak_bytes() -> int:
    """The most memory this process ever held; 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text("ascii")
    except OSError:
        return 0
    return 1024 * int(status.split("VmHWM:", 1)[1].split(None, 1)[0])


def _receive(stream: BinaryIO) -> bytes:
    """One message; empty at the end of the stream."""
    length = int.from_bytes(stream.read(4), "big")
    if length > MAX_MESSAGE_BYTES:
        raise ValueError("a message over the cap")
    return stream.read(length)


def _send(stream: BinaryIO, message: bytes) -> None:
    stream.write(len(message).to_bytes(4, "big"))
    stream.write(message)
    stream.flush()
