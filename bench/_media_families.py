"""Are pictures found again, others not, and how long does a look-up take among a million?"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from bench._data import progress, row
from bench._media_pictures import DISTORTIONS, drawn

from groundswell.media import fingerprint
from groundswell.media.families import Families
from groundswell.media.fingerprint import VIEWS, Fingerprint
from groundswell.media.near import NearIndex

__all__ = ["measure"]

PICTURES = 600
ASKED = 300
MILLION = 1_000_000


def measure() -> list[dict[str, Any]]:
    """Recall of each distortion, pairs taken for one, look-ups among a million."""
    families, prints, numbers = Families(), [], []
    with progress("pictures") as bar:
        for number, each in enumerate(drawn(PICTURES, seed=11)):
            prints.append(fingerprint.take(each))
            numbers.append(families.add(prints[-1], number, 0))
            bar(number + 1, PICTURES)
    pairs = PICTURES * (PICTURES - 1) // 2
    joined = sum(not sighting.is_new for sighting in numbers)
    rows = [row(f"false pairs of {pairs:,}", joined, "<= 1e-5 of them")]
    known = [sighting.family for sighting in numbers]
    for name, distort in DISTORTIONS.items():
        right, wrong = _found_again(families, known, distort)
        rows.append(row(f"found again: {name}", f"{right:.3f}", ">= .9"))
        rows.append(row(f"taken for another: {name}, of {ASKED}", wrong))
    return rows + _million(prints)


def _found_again(families: Families, known: list[int], distort: Any) -> tuple[float, int]:
    right = wrong = 0
    with progress("distorted") as bar:
        for number, each in enumerate(drawn(ASKED, seed=11)):
            changed = distort(each, np.random.default_rng((12, number)))
            family = families.find(fingerprint.take(changed))
            right += family == known[number]
            wrong += family not in (None, known[number])
            bar(number + 1, ASKED)
    return right / ASKED, wrong


def _million(prints: list[Fingerprint]) -> list[dict[str, Any]]:
    """Hashes of real pictures with a third of their bits turned, so that keys are as uneven as they are."""
    rng = np.random.default_rng(13)
    real = np.array([each.views for each in prints], np.uint64)
    index = NearIndex(MILLION, len(VIEWS))
    hashes = real[rng.integers(0, len(real), MILLION)]
    for _ in range(0, MILLION, 100_000):
        part = slice(_, _ + 100_000)
        turned = rng.random((len(hashes[part]), 64)) < 1 / 3  # the same bits of all views of a picture
        hashes[part] ^= np.packbits(turned, axis=1).view(np.uint64)[:, None, :]
    begun = time.process_time()
    index.add_many(hashes)
    sorting = time.process_time() - begun
    index.find(prints[0].asked)
    spent = []
    for each in prints[:ASKED]:
        begun = time.process_time()
        index.find(each.asked)
        index.find(each.asked_mirrored)
        spent.append(time.process_time() - begun)
    return [
        row(
            "look-up among a million, both ways round, median, ms",
            round(float(np.median(spent)) * 1e3, 2),
            "~ 1",
        ),
        row("the same, 99th percentile, ms", round(float(np.quantile(spent, 0.99)) * 1e3, 2)),
        row("sorting a million in, s", round(sorting, 2)),
    ]
