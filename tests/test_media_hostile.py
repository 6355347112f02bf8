"""Hostile files: none ends the service, takes it beyond its memory, or holds it up."""

from __future__ import annotations

import io
import struct
import tarfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from groundswell.drops import MediaDrop
from groundswell.media.jobs import Job, JobKind
from groundswell.media.sandbox import Worker
from tests.measuring import measuring
from tests.media_files import bomb_png, packed, picture, video

MOST_BYTES_ABOVE_IDLE = 256 << 20
PATIENCE_SECONDS = 20.0
"""Far over the five seconds that `groundswell bench media` holds: a test does not measure."""


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker("tests.media_files:plain_eyes") as started:
        yield started


def idle_bytes(worker: Worker) -> int:
    return worker.ask(Job(JobKind.FINGERPRINT), packed(picture(), "PNG"), 60)[0].peak_bytes


def looked_at(worker: Worker, data: bytes) -> MediaDrop | None:
    answer, _ = worker.ask(Job(JobKind.READ, cpu_seconds=PATIENCE_SECONDS), data, PATIENCE_SECONDS)
    return answer.drop


def noise(width: int, height: int) -> Image.Image:
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8))


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def png_with(name: bytes, data: bytes) -> bytes:
    chunk = struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    whole = packed(picture(), "PNG")
    return whole[:33] + chunk + whole[33:]


def large_files() -> dict[str, bytes]:
    plain = Image.new("RGB", (7_200, 5_500), (200, 30, 60))
    return {
        "png of 40 Mpx": saved(plain, "PNG"),
        "grey png of 40 Mpx": saved(plain.convert("L"), "PNG"),
        "palette png of 40 Mpx": saved(plain.convert("P"), "PNG", transparency=3),
        "png with alpha of 40 Mpx": saved(plain.convert("RGBA"), "PNG"),
        "png of one bit": bomb_png(7_200, 5_500),
        "png bomb of 1.6 Gpx": bomb_png(40_000, 40_000),
        "long thin png": bomb_png(1_000_000, 39),
        "jpeg of 40 Mpx": saved(plain, "JPEG"),
        "jpeg of 40 Mpx, no subsampling": saved(plain, "JPEG", subsampling=0),
        "progressive jpeg of 40 Mpx": saved(plain, "JPEG", progressive=True),
        "progressive jpeg of 26 Mpx, no subsampling": saved(
            plain.resize((6_000, 4_400)), "JPEG", progressive=True, subsampling=0
        ),
        "cmyk jpeg of 40 Mpx": saved(plain.convert("CMYK"), "JPEG"),
        "webp of 16 Mpx": saved(plain.resize((4_600, 3_450)), "WEBP", method=0),
        "lossless webp of 16 Mpx": saved(plain.resize((4_600, 3_450)), "WEBP", lossless=True, method=0),
        "webp of 40 Mpx": saved(plain, "WEBP", method=0),
        "avif of 16 Mpx": saved(plain.resize((4_600, 3_450)), "AVIF", speed=10),
        "gif of 16 Mpx": saved(plain.resize((4_600, 3_450)).convert("P"), "GIF"),
        "animated gif of 400 Mpx": saved(
            noise(2_000, 2_000).convert("P"), "GIF", save_all=True,
            append_images=[Image.new("P", (2_000, 2_000), level) for level in range(120)],
        ),
        "animated webp": saved(
            noise(1_500, 1_500), "WEBP", save_all=True, method=0,
            append_images=[Image.new("RGB", (1_500, 1_500), (level, 0, 0)) for level in range(60)],
        ),
        "png with a packed text of 64 MiB": png_with(
            b"zTXt", b"a\0\0" + zlib.compress(bytes(64 << 20), 9)
        ),
        "png with a packed profile of 64 MiB": png_with(
            b"iCCP", b"a\0\0" + zlib.compress(bytes(64 << 20), 9)
        ),
    }  # fmt: skip


@pytest.mark.slow
def test_large_files_stay_within_their_memory(worker: Worker) -> None:
    over = {}
    for name, data in large_files().items():
        with Worker("tests.media_files:plain_eyes") as fresh:  # a peak is the process's
            idle = idle_bytes(fresh)
            answer, _ = fresh.ask(Job(JobKind.READ, cpu_seconds=60), data, 60)
            assert answer.drop is not MediaDrop.WORKER_DIED, name
            if answer.peak_bytes - idle > MOST_BYTES_ABOVE_IDLE:
                over[name] = (answer.peak_bytes - idle) >> 20
    assert over == {}


def test_bombs_are_refused_by_their_header(worker: Worker) -> None:
    assert looked_at(worker, bomb_png(40_000, 40_000)) is MediaDrop.TOO_MANY_PIXELS
    assert looked_at(worker, saved(Image.new("L", (6_000, 3_000)), "WEBP")) is MediaDrop.TOO_MANY_PIXELS
    assert looked_at(worker, png_with(b"zTXt", b"a\0\0" + zlib.compress(bytes(64 << 20), 9))) in (
        None,
        MediaDrop.BROKEN,
    )
    assert worker.ended == []


def mutated(seed: int, count: int) -> Iterator[bytes]:
    """Files of every format with bytes changed, cut out, doubled, or cut short."""
    whole = [packed(picture(), form) for form in ("JPEG", "PNG", "WEBP", "GIF", "AVIF")]
    whole.append(saved(Image.fromarray(picture()), "JPEG", progressive=True))
    frames = [Image.fromarray(picture(number, 64, 48)) for number in range(4)]
    whole += [
        saved(frames[0], form, save_all=True, append_images=frames[1:]) for form in ("GIF", "WEBP", "PNG")
    ]
    whole += [video([0.5]), video([0.5], "webm", "libvpx-vp9"), video([0.5], "mov")]
    rng = np.random.default_rng(seed)
    for number in range(count):
        data = bytearray(whole[number % len(whole)])
        for _ in range(int(rng.integers(1, 12))):
            at, how = int(rng.integers(0, len(data))), rng.random()
            if how < 0.6:
                data[at] = int(rng.integers(0, 256))
            elif how < 0.75:
                del data[at : at + int(rng.integers(1, 64))]
            elif how < 0.9:
                data[at:at] = data[at : at + int(rng.integers(1, 64))]
            else:
                data[at : at + 4] = b"\xff\xff\xff\xff"
            if len(data) < 16:
                break
        yield bytes(data[: int(rng.integers(1, len(data)))] if rng.random() < 0.1 else data)


def hold(worker: Worker, files: Iterator[bytes]) -> Counter[str]:
    """Look at all; what ends a worker, or holds it up, fails."""
    told: Counter[str] = Counter()
    for data in files:
        begun, ended = time.monotonic(), len(worker.ended)
        drop = looked_at(worker, data)
        assert drop not in (MediaDrop.WORKER_DIED, MediaDrop.OUT_OF_TIME), (
            len(data),
            time.monotonic() - begun,
        )
        assert worker.ended[ended:] in ([], ["replaced"])
        told[str(drop)] += 1
    return told


def test_mutated_files_end_nothing(worker: Worker) -> None:
    told = hold(worker, mutated(seed=1, count=150))
    assert told["None"] > 0
    assert told["broken"] + told["truncated"] > 20


@pytest.mark.slow
def test_five_thousand_mutated_files_end_nothing(worker: Worker) -> None:
    assert hold(worker, mutated(seed=2, count=5_000))["None"] > 500


def packed_files(path: Path) -> Iterator[bytes]:
    with tarfile.open(path) as archive:
        for member in archive:
            opened = archive.extractfile(member) if member.isfile() else None
            if opened is not None:
                yield opened.read()


@pytest.mark.parametrize("name", ["go-fuzz-corpus.tar.gz", "pillow_images.tar.gz"])
def test_files_that_broke_other_readers_end_nothing(worker: Worker, name: str) -> None:
    told = hold(worker, packed_files(measuring("hostile", name)))
    assert told.total() > 150
    assert told["None"] > 10
