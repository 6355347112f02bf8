"""Files become pictures, upright and without anything else of them, or a refusal with its reason."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from groundswell.drops import MediaDrop
from groundswell.media.decode import MAX_BYTES, WORKING_PIXELS, decode
from groundswell.media.formats import Format, tell_format, webp_size
from groundswell.media.picture import Picture, as_picture
from groundswell.media.refusals import RefusedError
from tests.media_files import bomb_png, packed, picture


def only(data: bytes) -> Picture:
    frames = list(decode(data))
    assert [frame.offset_seconds for frame in frames] == [0.0]
    return frames[0].picture


def reason(data: bytes) -> MediaDrop:
    with pytest.raises(RefusedError) as refused:
        list(decode(data))
    return refused.value.reason


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_every_allowed_format_is_read(form: str) -> None:
    told = tell_format(packed(picture(), form))
    assert told is Format(form.lower())
    seen = only(packed(picture(), form))
    assert (seen.shape, seen.flags.c_contiguous) == ((240, 320, 3), True)
    assert np.abs(seen.astype(int) - picture()).mean() < 12


def test_heic_is_read_where_the_extra_is_installed() -> None:
    pi_heif = pytest.importorskip("pi_heif", reason="the extra `heic` is not installed")
    assert pi_heif
    assert tell_format(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") is Format.HEIC
    assert reason(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") in (MediaDrop.BROKEN, MediaDrop.TRUNCATED)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = Image.fromarray(picture())
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that undoes each
    if orientation > 1:
        turned = turned.transpose(Image.Transpose(back[orientation]))
    file = io.BytesIO()
    turned.save(file, "PNG", exif=exif)
    assert np.array_equal(only(file.getvalue()), picture())


def test_transparency_is_white_and_sixteen_bits_become_eight() -> None:
    clear = np.zeros((4, 4, 4), np.uint8)
    assert (only(packed(clear, "PNG")) == 255).all()
    deep = Image.fromarray(np.full((4, 4), 0x80FF, np.uint16))
    file = io.BytesIO()
    deep.save(file, "PNG")
    assert (only(file.getvalue()) == 0x80).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "YCbCr", "I;16"])
def test_every_mode_is_read(mode: str) -> None:
    form = "JPEG" if mode in ("CMYK", "YCbCr") else "PNG"
    image = Image.fromarray(picture(width=32, height=24))
    image = image.convert("I").convert("I;16") if mode == "I;16" else image.convert(mode)
    file = io.BytesIO()
    image.save(file, form)
    assert only(file.getvalue()).shape == (24, 32, 3)


def test_large_pictures_are_made_smaller_and_larger_ones_refused() -> None:
    for form in ("JPEG", "PNG"):
        seen = only(packed(np.full((5_000, 7_000, 3), 90, np.uint8), form))
        assert seen.shape[0] * seen.shape[1] <= WORKING_PIXELS
        assert abs(seen.shape[1] / seen.shape[0] - 1.4) < 0.01
    assert reason(bomb_png(40_000, 40_000)) is MediaDrop.TOO_MANY_PIXELS
    assert len(bomb_png(40_000, 40_000)) < 400_000


def test_a_webp_header_is_read_before_its_reader_takes_memory() -> None:
    for options in ({"quality": 50}, {"lossless": True}, {"quality": 50, "exif": b"Exif\0\0"}):
        assert webp_size(packed(picture(), "WEBP", **options)) == (320, 240)
    large = bytearray(packed(picture(), "WEBP", quality=50))
    large[26:30] = (16_000).to_bytes(2, "little") * 2
    assert reason(bytes(large)) is MediaDrop.TOO_MANY_PIXELS


def test_the_format_is_told_by_content_alone() -> None:
    assert reason(b"") is MediaDrop.EMPTY
    for other in (
        b"%PDF-1.7 ",
        b"<svg xmlns=",
        b"BM" + bytes(60),
        b"II*\0" + bytes(60),
        b"MZ",
        b"PK\x03\x04",
    ):
        assert reason(other + bytes(100)) is MediaDrop.FORMAT_NOT_ALLOWED
    assert reason(b"\xff\xd8\xff" + bytes(MAX_BYTES)) is MediaDrop.TOO_MANY_BYTES


def test_a_file_that_is_two_things_is_what_it_begins_as() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("page.html", "<script>")
    for form in ("JPEG", "PNG", "GIF", "WEBP"):
        both = packed(picture(), form) + archive.getvalue()
        assert only(both).shape == (240, 320, 3)
    assert reason(archive.getvalue() + packed(picture(), "JPEG")) is MediaDrop.FORMAT_NOT_ALLOWED
    assert reason(b"GIF89a/*" + packed(picture(), "PNG")) in (
        MediaDrop.BROKEN,
        MediaDrop.TRUNCATED,
        MediaDrop.TOO_MANY_PIXELS,
    )


def test_what_is_cut_short_is_told_as_such() -> None:
    for form in ("JPEG", "PNG", "WEBP"):
        whole = packed(picture(), form)
        assert reason(whole[: len(whole) // 2]) in (MediaDrop.TRUNCATED, MediaDrop.BROKEN)
    assert reason(packed(picture(), "JPEG")[:5_000]) is MediaDrop.TRUNCATED


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_each_shot_is_seen_once(form: str) -> None:
    shots = [Image.fromarray(picture(seed)) for seed in (1, 1, 2, 2, 3)]
    file = io.BytesIO()
    shots[0].save(file, form, save_all=True, append_images=shots[1:], duration=400)
    frames = list(decode(file.getvalue()))
    assert len(frames) == 3
    assert [round(frame.offset_seconds, 1) for frame in frames] == [0.0, 0.8, 1.6]
    assert all(
        np.abs(frame.picture.astype(int) - picture(seed)).mean() < 20
        for frame, seed in zip(frames, (1, 2, 3), strict=True)
    )


def test_an_animation_of_too_many_frames_is_refused() -> None:
    shots = [Image.new("L", (8, 8), number % 251) for number in range(1_100)]
    file = io.BytesIO()
    shots[0].save(file, "GIF", save_all=True, append_images=shots[1:], duration=20)
    assert reason(file.getvalue()) is MediaDrop.TOO_MANY_FRAMES


def test_only_a_picture_is_a_picture() -> None:
    for pixels in (
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3)),
        np.zeros((0, 4, 3), np.uint8),
    ):
        with pytest.raises(ValueError, match="no RGB picture"):
            as_picture(pixels)
