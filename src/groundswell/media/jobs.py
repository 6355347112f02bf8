"""What goes to a worker and what comes back: a header in MessagePack, then plain bytes, each with its
length.

Owns the wire between the processes. The side that reads answers trusts nothing: lengths have caps, headers
are decoded into bounded structs, pixels must be as many as their header says.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
import numpy as np

from groundswell.drops import MediaDrop
from groundswell.media.findings import Box, Findings, Hints, Name
from groundswell.media.fingerprint import Fingerprint
from groundswell.media.picture import Picture

__all__ = ["Answer", "Job", "JobKind", "Locks", "Seen", "Shielded", "decode_answer", "encode_answer"]

MAX_ANSWER_BYTES = 64 << 20
MAX_SIDE = 1 << 16


class JobKind(StrEnum):
    """What is asked of a file."""

    FINGERPRINT = "fingerprint"
    """What it would be found again by; cheap."""
    READ = "read"
    """All that the parts see in it, and its fingerprint."""
    SHIELD = "shield"
    """The same, and the picture with what may identify somebody covered; stills only."""


class Job(msgspec.Struct, frozen=True):
    """One file to look at."""

    kind: JobKind
    hints: Hints = Hints()
    cpu_seconds: Annotated[float, msgspec.Meta(gt=0, le=3_600)] = 30.0
    cover: Annotated[tuple[Box, ...], msgspec.Meta(max_length=1_000)] = ()
    """To fill in, of a picture that is to be shielded, beside what the shield finds."""


class Seen(msgspec.Struct, frozen=True):
    """What was seen in one frame."""

    offset_seconds: Annotated[float, msgspec.Meta(ge=0, le=100_000)]
    width: Annotated[int, msgspec.Meta(gt=0, le=MAX_SIDE)]
    height: Annotated[int, msgspec.Meta(gt=0, le=MAX_SIDE)]
    fingerprint: Fingerprint
    findings: Findings = Findings()


class Shielded(msgspec.Struct, frozen=True):
    """The size of the picture whose pixels follow the header."""

    width: Annotated[int, msgspec.Meta(gt=0, le=MAX_SIDE)]
    height: Annotated[int, msgspec.Meta(gt=0, le=MAX_SIDE)]


class Locks(msgspec.Struct, frozen=True):
    """What a worker gave up before it saw its first file."""

    limits: bool = False
    syscalls: bool = False
    files: bool = False
    python: bool = False


class Answer(msgspec.Struct, frozen=True):
    """All that comes of a job. With a `drop` there may still be the frames before it."""

    format: Name = ""
    frames: Annotated[tuple[Seen, ...], msgspec.Meta(max_length=200)] = ()
    drop: MediaDrop | None = None
    failed: Annotated[tuple[Name, ...], msgspec.Meta(max_length=16)] = ()
    """Parts that failed at this file."""
    absent: Annotated[tuple[Name, ...], msgspec.Meta(max_length=16)] = ()
    """Parts that are not installed."""
    shielded: Shielded | None = None
    peak_bytes: Annotated[int, msgspec.Meta(ge=0)] = 0
    """The most memory the worker ever held, resident."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Answer)


def encode_answer(answer: Answer, picture: Picture | None = None) -> bytes:
    """An answer as it goes over the pipe, without the length of the whole."""
    header = _encoder.encode(answer)
    return len(header).to_bytes(4, "big") + header + (b"" if picture is None else picture.tobytes())


def decode_answer(message: bytes) -> tuple[Answer, Picture | None]:
    """The inverse of `encode_answer`.

    Raises
    ------
    ValueError
        The message is no answer (`msgspec.ValidationError` and `DecodeError` are `ValueError`).
    """
    length = int.from_bytes(message[:4], "big")
    answer = _decoder.decode(message[4 : 4 + length])
    pixels = memoryview(message)[4 + length :]
    if answer.shielded is None:
        if len(pixels):
            raise ValueError("pixels that nobody announced")
        return answer, None
    shape = (answer.shielded.height, answer.shielded.width, 3)
    if len(pixels) != shape[0] * shape[1] * 3:
        raise ValueError("more or fewer pixels than announced")
    return answer, np.frombuffer(pixels, np.uint8).reshape(shape)
