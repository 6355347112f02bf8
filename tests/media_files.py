"""Pictures and videos for the media tests, by the real encoders, and parts that misbehave on purpose."""

from __future__ import annotations

import io
import os
import socket
import struct
import time
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from groundswell.media.eyes import Eyes
from groundswell.media.findings import Box, Findings, Hints, Tag, Text
from groundswell.media.picture import Picture

__all__ = [
    "bomb_png",
    "misbehaving_eyes",
    "packed",
    "picture",
    "plain_eyes",
    "shielding_eyes",
    "video",
]

Pixels = npt.NDArray[np.uint8]


def picture(seed: int = 0, width: int = 320, height: int = 240) -> Pixels:
    """Shapes and words that no other seed has."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (width, height), tuple(int(value) for value in rng.integers(0, 256, 3)))
    pen = ImageDraw.Draw(image)
    for _ in range(25):
        x, y = int(rng.integers(-20, width)), int(rng.integers(-20, height))
        box = (
            x,
            y,
            x + int(rng.integers(10, max(12, width // 3))),
            y + int(rng.integers(10, max(12, height // 3))),
        )
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        (pen.rectangle if rng.random() < 0.5 else pen.ellipse)(box, fill=colour)
    pen.text((10, 10), f"number {seed}", fill="white", font=ImageFont.load_default(24))
    return np.asarray(image)


def packed(pixels: Pixels, form: str, **options: Any) -> bytes:
    """The picture as a file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form, **options)
    return out.getvalue()


def bomb_png(width: int, height: int) -> bytes:
    """A small PNG file of many white pixels, written line by line."""
    packer, parts = zlib.compressobj(9), []
    line = b"\0" + b"\xff" * ((width + 7) // 8)
    for _ in range(height):
        parts.append(packer.compress(line))
    body = b"".join(parts) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")]
    written = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + written


def video(
    shots: list[float],
    form: str = "mp4",
    codec: str = "libx264",
    size: tuple[int, int] = (320, 240),
    rate: int = 10,
    moving: bool = True,
    options: dict[str, str] | None = None,
) -> bytes:
    """A video of so many seconds a shot, each shot another picture that wanders a little."""
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=rate, options=options or {})
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, rate)
        number = 0
        for shot, seconds in enumerate(shots):
            wide = picture(100 + shot, size[0] + 40, size[1])
            for step in range(int(seconds * rate)):
                left = step % 40 if moving else 0
                frame = av.VideoFrame.from_ndarray(
                    np.ascontiguousarray(wide[:, left : left + size[0]]), format="rgb24"
                )
                frame.pts = number
                number += 1
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


# --- parts, loaded in the worker by name --------------------------------------------------------------------


def plain_eyes() -> Eyes:
    """Tells each picture's mean colour as a tag, and what it was told as a text."""

    def see(seen: Picture, hints: Hints) -> Findings:
        text = Text(" ".join(hints.languages), 1.0, Box(0, 0, seen.shape[1], seen.shape[0]))
        return Findings(texts=(text,), tags=(Tag(str(int(seen.mean())), 0.5),))

    return Eyes(parts={"colour": see}, absent=("text",))


def shielding_eyes() -> Eyes:
    """Covers the left half; refuses pictures 13 pixels high."""

    def cover(seen: Picture, hints: Hints, findings: Findings) -> Picture:
        if seen.shape[0] == 13:
            raise RuntimeError("cannot be sure")
        covered = seen.copy()
        covered[:, : seen.shape[1] // 2] = 0
        return covered

    return Eyes(shield=cover)


def misbehaving_eyes() -> Eyes:
    """What a decoder that was taken over would try; which, is told by the first hint."""
    return Eyes(parts={"bad": _misbehave})


def _misbehave(seen: Picture, hints: Hints) -> Findings:
    what, _, argument = hints.languages[0].partition(" ")
    return Findings(tags=(Tag(_TRIES[what](argument), 1.0),))


def _tried(work: Callable[[], object]) -> str:
    try:
        work()
    except OSError as error:
        return f"refused {type(error).__name__}"
    return "done"


def _connect(argument: str) -> str:
    def work() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as opened:
            opened.connect(("127.0.0.1", int(argument)))

    return _tried(work)


def _connect_below_python(argument: str) -> str:
    """Past the interpreter, as shell code would."""
    import ctypes

    return "done" if ctypes.CDLL(None).socket(2, 1, 0) >= 0 else "refused"


def _write(argument: str) -> str:
    return _tried(lambda: Path(argument).write_bytes(b"x"))


def _write_below_python(argument: str) -> str:
    import ctypes

    opened = ctypes.CDLL(None).open(argument.encode(), os.O_WRONLY | os.O_CREAT, 0o600)
    return "done" if opened >= 0 else "refused"


def _read(argument: str) -> str:
    return _tried(lambda: Path(argument).read_bytes())


def _run_below_python(argument: str) -> str:
    import ctypes

    return "done" if ctypes.CDLL(None).fork() >= 0 else "refused"


def _hang(argument: str) -> str:
    time.sleep(600)
    return "done"


def _spin(argument: str) -> str:
    while True:
        pass


def _gulp(argument: str) -> str:
    return str(len(bytearray(4 << 30)))


def _crash(argument: str) -> str:
    import ctypes

    return str(ctypes.string_at(1))


def _babble(argument: str) -> str:
    os.write(1, b"to the log")
    for number in range(3, 20):  # whichever of them is the pipe
        try:
            os.write(number, b"\0\0\0\x08not this")
        except OSError:
            continue
    return "done"


_TRIES: dict[str, Callable[[str], str]] = {
    "connect": _connect,
    "connect_below": _connect_below_python,
    "write": _write,
    "write_below": _write_below_python,
    "read": _read,
    "run_below": _run_below_python,
    "hang": _hang,
    "spin": _spin,
    "gulp": _gulp,
    "crash": _crash,
    "babble": _babble,
}
