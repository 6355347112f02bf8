"""Videos: every shot is seen once, with its time; what is too long, too large or broken is refused."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from groundswell.drops import MediaDrop
from groundswell.media import video as reader
from groundswell.media.formats import Format, tell_format
from groundswell.media.refusals import RefusedError
from groundswell.media.shots import MAX_KEPT, Shots, tiny_grey
from groundswell.media.video import watch
from tests.media_files import picture, video


def reason(data: bytes) -> MediaDrop:
    with pytest.raises(RefusedError) as refused:
        list(watch(data))
    return refused.value.reason


@pytest.mark.parametrize(
    ("form", "codec", "told"),
    [
        ("mp4", "libx264", Format.MP4),
        ("mov", "libx264", Format.MOV),
        ("webm", "libvpx", Format.WEBM),
        ("webm", "libvpx-vp9", Format.WEBM),
        ("mp4", "mpeg4", Format.MP4),
    ],
)
def test_every_cut_is_seen_with_its_time(form: str, codec: str, told: Format) -> None:
    data = video([2, 1.5, 3], form, codec)
    assert tell_format(data) is told
    frames = list(watch(data))
    cuts = [frame.offset_seconds for frame in frames]
    for cut in (0.0, 2.0, 3.5):
        assert min(abs(cut - seen) for seen in cuts) <= 0.3, cuts
    assert len(frames) <= 5
    assert frames[0].picture.shape == (240, 320, 3)
    assert np.abs(frames[0].picture.astype(int) - picture(100, 360)[:, :320]).mean() < 25


def test_a_frame_every_five_seconds_and_none_of_what_stands_still() -> None:
    assert len(list(watch(video([21], rate=5)))) == 5
    assert len(list(watch(video([21], rate=5, moving=False)))) == 1


def test_large_videos_are_seen_by_their_key_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "WHOLE_PIXELS_A_SECOND", 0)
    keys_often = video([3, 3, 3], rate=10, options={"g": "10"})
    offsets = [frame.offset_seconds for frame in watch(keys_often)]
    assert all(min(abs(cut - seen) for seen in offsets) <= 1.1 for cut in (0.0, 3.0, 6.0)), offsets


def test_what_is_too_long_or_too_large_is_refused_by_its_header() -> None:
    assert reason(video([601], size=(64, 48), rate=1)) is MediaDrop.TOO_LONG
    assert reason(video([0.2], size=(2560, 1440))) is MediaDrop.TOO_MANY_PIXELS
    assert len(list(watch(video([0.3], size=(1080, 1920))))) == 1  # held upright


def test_broken_videos_are_refused() -> None:
    whole = video([3])
    assert reason(b"") is MediaDrop.EMPTY
    assert reason(b"\0\0\0\x18ftypisom" + bytes(200)) in (MediaDrop.BROKEN, MediaDrop.TRUNCATED)
    assert reason(whole[: len(whole) // 3]) in (MediaDrop.BROKEN, MediaDrop.TRUNCATED)
    assert reason(b"\x1a\x45\xdf\xa3" + b"matroska" + bytes(200)) is MediaDrop.FORMAT_NOT_ALLOWED


@dataclass
class _Seen:
    offset: float


def test_never_more_frames_than_are_looked_at_and_spread_over_the_whole() -> None:
    shots, kept = Shots(duration_seconds=600.0), []
    greys = [tiny_grey(picture(seed)) for seed in range(7)]
    for step in range(6_000):  # a cut every tenth of a second
        if shots.keeps(step / 10, greys[step % 7]):
            kept.append(_Seen(step / 10))
    assert MAX_KEPT - 10 <= len(kept) <= MAX_KEPT
    assert max(late.offset - early.offset for early, late in pairwise(kept)) < 10
    assert kept[-1].offset > 590
