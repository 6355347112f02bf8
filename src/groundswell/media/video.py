"""From the bytes of a video to the frames that are looked at, each with its offset in seconds.

Owns containers, codecs and caps. Every frame is decoded while that is cheap (up to 720p at 30 frames a
second it is, and every cut is found); of larger ones only the key frames, where those are never more than
five seconds apart. Sound, subtitles and metadata are not read, and a container can point at no other file.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import Interpolation

from groundswell.drops import MediaDrop
from groundswell.media.formats import VIDEOS, Format, tell_format
from groundswell.media.picture import Frame, Picture, as_picture
from groundswell.media.refusals import RefusedError
from groundswell.media.shots import EVERY_SECONDS, Grey, Shots, tiny_grey

__all__ = ["MAX_SECONDS", "MAX_VIDEO_BYTES", "watch"]

MAX_VIDEO_BYTES = 96 << 20
MAX_SECONDS = 600.0
LONG_SIDE, SHORT_SIDE = 1920, 1088
MAX_DECODED = 45_000
"""Frames of ten minutes at 75 a second."""
WHOLE_PIXELS_A_SECOND = 1280 * 720 * 30
KEPT_SIDE = 1280
"""Kept frames are made smaller than this: what looks at them needs no more."""

_DEMUXERS = {Format.MP4: "mov", Format.MOV: "mov", Format.WEBM: "matroska"}
_CODECS = "h264,hevc,mpeg4,vp8,vp9,av1,libdav1d,libvpx,libvpx-vp9"
_OPTIONS = {
    "codec_whitelist": _CODECS,
    "enable_drefs": "0",
    "use_absolute_path": "0",
    "probesize": "2000000",
    "analyzeduration": "2000000",
    "max_streams": "32",
}
_CONVERSION = Interpolation.FAST_BILINEAR
_BRIGHT = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray"})

av.logging.set_level(None)


def watch(data: bytes) -> Iterator[Frame]:
    """The kept frames of a video, one at a time.

    Raises
    ------
    RefusedError
        The video is not read; maybe only after some frames.
    """
    if not data:
        raise RefusedError(MediaDrop.EMPTY)
    found = tell_format(data)
    if found not in VIDEOS:
        raise RefusedError(MediaDrop.FORMAT_NOT_ALLOWED)
    if len(data) > MAX_VIDEO_BYTES:
        raise RefusedError(MediaDrop.TOO_MANY_BYTES)
    try:
        with av.open(io.BytesIO(data), format=_DEMUXERS[found], options=_OPTIONS) as container:
            yield from _kept(container)
    except (RefusedError, GeneratorExit):
        raise
    except MemoryError:
        raise RefusedError(MediaDrop.OUT_OF_MEMORY) from None
    except EOFError:
        raise RefusedError(MediaDrop.TRUNCATED) from None
    except Exception:  # whatever a demuxer or decoder stumbles over is the file's
        raise RefusedError(MediaDrop.BROKEN) from None


def _kept(container: Any) -> Iterator[Frame]:
    if not container.streams.video:
        raise RefusedError(MediaDrop.BROKEN)
    stream = container.streams.video[0]
    context = stream.codec_context
    if context is None:
        raise RefusedError(MediaDrop.CODEC_MISSING)
    _allow(context.width, context.height)
    duration = _duration(container, stream)
    if duration is not None and duration > MAX_SECONDS:
        raise RefusedError(MediaDrop.TOO_LONG)
    context.thread_count = 1
    context.options = {"max_pixels": str(LONG_SIDE * LONG_SIDE)}
    shots = Shots(duration)
    begin: float | None = None
    for frame in _decoded(container, stream):
        _allow(frame.width, frame.height)
        seconds = frame.time if frame.time is not None and math.isfinite(frame.time) else 0.0
        begin = seconds if begin is None else begin
        offset = max(0.0, seconds - begin)
        if offset > MAX_SECONDS:
            raise RefusedError(MediaDrop.TOO_LONG)
        if shots.keeps(offset, _grey(frame)):
            yield Frame(round(offset, 3), _picture(frame))
    if begin is None:
        raise RefusedError(MediaDrop.TRUNCATED)


def _allow(width: int, height: int) -> None:
    if max(width, height) > LONG_SIDE or min(width, height) > SHORT_SIDE:
        raise RefusedError(MediaDrop.TOO_MANY_PIXELS)


def _duration(container: Any, stream: Any) -> float | None:
    if container.duration:
        return float(container.duration / av.time_base)
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return None


def _decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Frames in order; packets that cannot be decoded are left out, as players do."""
    keys_only = _is_dear(stream) and _keys_suffice(stream)
    if not keys_only:
        stream.codec_context.skip_frame = "NONREF"  # frames that no other needs: the cuts stay
    count = failed = 0
    for packet in container.demux(stream):
        if keys_only and packet.size and not packet.is_keyframe:
            continue
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            failed += 1
            if failed > 100 and failed > count:
                raise
            continue
        for frame in frames:
            count += 1
            if count > MAX_DECODED:
                raise RefusedError(MediaDrop.TOO_MANY_FRAMES)
            yield frame


def _is_dear(stream: Any) -> bool:
    rate = stream.average_rate or stream.base_rate or 30
    return bool(stream.codec_context.width * stream.codec_context.height * rate > WHOLE_PIXELS_A_SECOND)


def _keys_suffice(stream: Any) -> bool:
    """Whether key frames, by the container's index, are never too far apart."""
    base = float(stream.time_base or 0)
    keys = [entry.timestamp * base for entry in stream.index_entries if entry.is_keyframe]
    end = max((entry.timestamp * base for entry in stream.index_entries), default=0.0)
    return len(keys) > 1 and max(np.diff([*keys, end])) <= EVERY_SECONDS


def _grey(frame: Any) -> Grey:
    """Every few points of the brightness, averaged further: a tiny grey picture for a few microseconds."""
    if frame.format.name not in _BRIGHT:
        return tiny_grey(frame.reformat(64, 36, "gray", interpolation=_CONVERSION).to_ndarray())
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height, : frame.width]
    across, down = max(1, frame.width // 128), max(1, frame.height // 72)
    return tiny_grey(np.ascontiguousarray(rows[down // 2 :: down, across // 2 :: across]))


def _picture(frame: Any) -> Picture:
    scale = min(1.0, KEPT_SIDE / max(frame.width, frame.height))
    width, height = (max(2, round(side * scale)) for side in (frame.width, frame.height))
    if (width, height) != (frame.width, frame.height):
        frame_rgb = frame.reformat(width, height, "rgb24", interpolation=Interpolation.AREA)
    else:
        frame_rgb = frame.reformat(format="rgb24")
    pixels = frame_rgb.to_ndarray()
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return as_picture(np.rot90(pixels, turns) if turns else pixels)


cv2.setNumThreads(1)
