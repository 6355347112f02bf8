"""What the steps cost, in CPU milliseconds, and how much faster than it plays a video is looked through."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from bench._data import DATA, row
from bench._media_pictures import draw
from PIL import Image
from tests.media_files import video

from groundswell.media import fingerprint
from groundswell.media.decode import decode
from groundswell.media.families import lies_over
from groundswell.media.video import watch

__all__ = ["measure"]

SIDES = (1920, 1080)


def measure() -> list[dict[str, Any]]:
    """Decoding by format, a fingerprint, a confirmation; videos against their own time."""
    rng = np.random.default_rng(21)
    photograph = np.asarray(Image.fromarray(draw("noise", rng)).resize(SIDES, Image.Resampling.BICUBIC))
    rows = []
    for form in ("JPEG", "PNG", "WEBP", "GIF", "AVIF"):
        file = io.BytesIO()
        Image.fromarray(photograph).save(file, form)
        spent = _milliseconds(partial(_decoded, file.getvalue()))
        rows.append(row(f"decode {form}, 1920 × 1080, ms", spent))
    rows.append(row("fingerprint, 1920 × 1080, ms", _milliseconds(lambda: fingerprint.take(photograph))))
    one = fingerprint.take(photograph).grey()
    other = fingerprint.take(np.ascontiguousarray(photograph[40:, 60:])).grey()
    rows.append(row("geometry of two, ms", _milliseconds(lambda: lies_over(one, other))))
    return rows + _videos()


def _decoded(data: bytes) -> int:
    return sum(1 for _ in decode(data))


def _videos() -> list[dict[str, Any]]:
    shots = [4.0, 7.0, 3.0, 12.0, 4.0]
    cuts = np.cumsum([0.0, *shots[:-1]])
    rows = []
    for name, options in {
        "720p, 30 fps, H.264": {"form": "mp4", "codec": "libx264", "size": (1280, 720)},
        "720p, 30 fps, VP9": {
            "form": "webm", "codec": "libvpx-vp9", "size": (1280, 720),
            "options": {"deadline": "realtime", "cpu-used": "8"},
        },
        "1080p, 30 fps, H.264, a key frame every 2 s": {
            "form": "mp4", "codec": "libx264", "size": (1920, 1080),
            "options": {"g": "60", "preset": "ultrafast"},
        },
    }.items():  # fmt: skip
        data = video(shots, rate=30, **options)  # type: ignore[arg-type]
        begun = time.process_time()
        offsets = [frame.offset_seconds for frame in watch(data)]
        times = sum(shots) / (time.process_time() - begun)
        found = sum(any(-0.1 <= offset - cut <= 2.1 for offset in offsets) for cut in cuts)
        rows.append(row(f"video, times as fast as it plays: {name}", round(times, 1), ">= 9"))
        rows.append(row(f"shots seen: {name}", f"{found} of {len(shots)}", "all"))
    for path in sorted(DATA.glob("media/intel_sample_videos/*.mp4")):
        data = path.read_bytes()
        begun, last = time.process_time(), 0.0
        for frame in watch(data):
            fingerprint.take(frame.picture)
            last = frame.offset_seconds
        speed = round(last / (time.process_time() - begun), 1)
        rows.append(row(f"with fingerprints, at least: {path.stem}", speed, ">= 2.5"))
    return rows


def _milliseconds(work: Callable[[], object], rounds: int = 9) -> float:
    work()
    spent = []
    for _ in range(rounds):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
    return round(float(np.median(spent)) * 1e3, 1)
