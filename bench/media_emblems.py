"""Emblems in made-up scenes: marks that nothing was learnt from, in photographs that nothing was learnt from.

A scene is 800 by 600 pixels of a held-out photograph; in two of three lies one held-out mark, 110 to 260
pixels long before it is turned, as `bench/_emblem_scenes.py` puts it there: up to 40 degrees off, on a
plate or on nothing, waving if it is a flag, in four of ten partly hidden. The gallery has 100 held-out
marks; a larger one has 900 more, for which marks that were learnt from serve too, since they are only there
to be mistaken for. Precision is of all hits, in scenes with and without a mark. `GROUNDSWELL_EMBLEM_SETS`
names the folder of packages, see docs/media-emblems.md.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

import cv2
import numpy as np
from bench._data import progress, row
from bench._emblem_marks import TEST, TRAIN, TUNE, U8, Mark, drawn, listed, photographs
from bench._emblem_scenes import background, put

from groundswell.media.emblems import EmblemHit, Emblems
from groundswell.media.gallery import STARTER, Category, Emblem, Entry, Gallery
from groundswell.media.proposals import overlap

__all__ = ["Scene", "as_gallery", "chosen", "measure", "scenes"]

HEIGHT_PX, WIDTH_PX = 600, 800
SHORTEST_PX, LONGEST_PX = 110, 260
SCENES = int(os.environ.get("EMBLEM_SCENES", "300"))
EMPTY = int(os.environ.get("EMBLEM_PHOTOGRAPHS", "1000"))
GALLERY, LARGE = 100, 1000
SHARES = {"flag-icons": 25, "ghs": 12, "ocha": 13, "simple-icons": 25, "logos": 25}
"""How the gallery of 100 is made up."""
ART_PX = 288
SAME = 0.3
SEED = 7


class Scene(NamedTuple):
    picture: U8
    mark: str | None
    """Which mark is in it."""
    box: Any
    """Left, top, right and bottom of it."""


def chosen(part: str, shares: dict[str, int] = SHARES) -> list[Mark]:
    """Marks of a part for a gallery, set by set, the same on every run."""
    rng = np.random.default_rng(SEED)
    every = listed(part, measured=True)
    found: list[Mark] = []
    for source, count in shares.items():
        own = [each for each in every if each[0].startswith(f"{source}/")]
        shuffled = [own[at] for at in rng.permutation(len(own)).tolist()]
        order = (drawn(name, svg, ART_PX) for name, svg in shuffled)
        found += islice((mark for mark in order if mark is not None), count)
    return found


def as_gallery(some: Sequence[Mark]) -> Gallery:
    """Marks as a gallery would have them."""
    emblems = []
    for mark in some:
        entry = Entry(
            name=mark.name,
            organisation=mark.name,
            category=Category.BRAND,
            picture="-",
            source="-",
            licence="-",
        )
        art = np.asarray(cv2.resize(mark.rgba, (192, 192), interpolation=cv2.INTER_AREA), np.uint8)
        emblems.append(Emblem(mark.name, entry, art))
    return Gallery(tuple(emblems))


def scenes(
    some: Sequence[Mark], behind: Sequence[U8], count: int, seed: int, empty: float = 1 / 3
) -> list[Scene]:
    """Made-up scenes, the same on every run."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        picture = background(behind, HEIGHT_PX, WIDTH_PX, rng)
        if rng.random() < empty:
            made.append(Scene(picture, None, None))
            continue
        mark = some[int(rng.integers(len(some)))]
        length = rng.uniform(SHORTEST_PX, LONGEST_PX)
        centre = [rng.uniform(0.55 * length, side - 0.55 * length) for side in (WIDTH_PX, HEIGHT_PX)]
        placed = put(picture, mark, length, (centre[0], centre[1]), rng)
        box = np.concatenate([placed.corners.min(0), placed.corners.max(0)])
        made.append(Scene(placed.picture, mark.name, box))
    return made


def right(hit: EmblemHit, scene: Scene) -> bool:
    return hit.name == scene.mark and overlap(np.array(hit.box, np.float32), scene.box) > SAME


def figures(emblems: Emblems, some: Sequence[Scene], label: str) -> list[dict[str, Any]]:
    """Precision, recall and time over scenes."""
    hits = good = 0
    found: dict[str, list[bool]] = {}
    spent = []
    with progress(label) as advance:
        for at, scene in enumerate(some):
            begun = time.process_time()
            told = emblems.find(scene.picture)
            spent.append(time.process_time() - begun)
            goods = [right(hit, scene) for hit in told]
            hits, good = hits + len(told), good + sum(goods)
            if scene.mark:
                found.setdefault(scene.mark.split("/")[0], []).append(any(goods))
            advance(at + 1, len(some))
    each = [value for values in found.values() for value in values]
    rows = [
        row(f"{label}: precision, of {hits} hits", round(good / max(hits, 1), 3), ">= .95"),
        row(f"{label}: recall, of {len(each)} marks", round(float(np.mean(each)), 3), ">= .50"),
        row(f"{label}: ms a picture, median", round(1e3 * float(np.median(spent))), "<= 300"),
    ]
    for source, values in found.items():
        rows.append(row(f"{label}: recall of {source}, {len(values)}", round(float(np.mean(values)), 3)))
    return rows


def false_hits(emblems: Emblems, behind: Sequence[U8]) -> dict[str, Any]:
    """Distinct stretches of held-out photographs, without a mark put in."""
    rng = np.random.default_rng(SEED + 2)
    wrong = 0
    with progress("photographs") as advance:
        for at in range(EMPTY):
            wrong += bool(emblems.find(background(behind, HEIGHT_PX, WIDTH_PX, rng)))
            advance(at + 1, EMPTY)
    return row(
        f"{EMPTY} stretches of {len(behind)} photographs, gallery of {GALLERY}: with a hit",
        round(wrong / EMPTY, 4),
        "<= .01",
    )


def simple(behind: Sequence[U8]) -> list[dict[str, Any]]:
    """A tricolour and a red crescent, each in 30 scenes, looked for with the whole starter gallery."""
    gallery = Gallery.load(STARTER)
    emblems = Emblems(gallery)
    rows = []
    for key in ("flag_fr", "red_crescent"):
        large = np.asarray(cv2.resize(gallery[key].art, (ART_PX, ART_PX)), np.uint8)
        mark = Mark(gallery[key].entry.name, large, key.startswith("flag"))
        some = scenes([mark], behind, 30, SEED + 3, 0.0)
        found = sum(any(right(hit, scene) for hit in emblems.find(scene.picture)) for scene in some)
        rows.append(row(f"starter gallery of {len(gallery)}: {mark.name} found, of 30", found, "found"))
    return rows


def measure() -> list[dict[str, Any]]:
    cv2.setNumThreads(1)
    behind = photographs(TEST, 1600)
    held_out = chosen(TEST)
    some = scenes(held_out, behind, SCENES, SEED + 1)
    emblems = Emblems(as_gallery(held_out))
    rows = figures(emblems, some, f"gallery of {GALLERY}")
    rows.append(false_hits(emblems, behind))
    names = {mark.name for mark in held_out}
    rest = [each for part in (TEST, TUNE, TRAIN) for each in listed(part, True) if each[0] not in names]
    others = islice(
        (mark for mark in (drawn(name, svg, 192) for name, svg in rest) if mark), LARGE - len(names)
    )
    more = as_gallery([*held_out, *others])
    rows += figures(Emblems(more), some[: len(some) // 2], f"gallery of {LARGE}")
    return rows + simple(behind)
