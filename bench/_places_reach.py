"""Fits the 80 % radii of `groundswell.enrich.place_reach`: `python -m bench._places_reach`, half a minute.

Quantile regression, as a linear program, of the logarithm of the distance between an answer and the mark it
stands on, over the even groups of the four sets. Each set weighs the same, and a place that a set marks n
times as the square root of n, so that no one disaster's town decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from bench.places import Document, gold_sets, halves, kilometres
from scipy.optimize import linprog
from scipy.sparse import csr_array, eye_array, hstack

from groundswell.enrich.fold import text_buffers
from groundswell.enrich.place_data import Level
from groundswell.enrich.place_reach import COVERED, SMALLEST_KM, features
from groundswell.enrich.places import Gazetteer, Mentioned

F64 = npt.NDArray[np.float64]


class Distances(NamedTuple):
    """Every answer that stands on a mark."""

    x: F64
    kilometres: F64
    weight: F64


def distances(gazetteer: Gazetteer, documents: list[Document]) -> Distances:
    """The answers' terms and how far the nearest mark on their words lies."""
    offsets, data = text_buffers(pa.array([document.text for document in documents]))
    languages = gazetteer.language_rows(pa.array([document.lang for document in documents]))
    found = gazetteer.mentions(offsets, data, languages)
    x = features(*gazetteer.doubts(found))
    kept = dict(_on_marks(gazetteer, documents, found))
    rows = np.array(list(kept))
    times = Counter(found.rows[rows].tolist())
    weight = np.array([times[row] ** -0.5 for row in found.rows[rows].tolist()])
    return Distances(x[rows], np.array(list(kept.values())), weight / weight.sum())


def _on_marks(
    gazetteer: Gazetteer, documents: list[Document], found: Mentioned
) -> Iterator[tuple[int, float]]:
    """Each mention that stands on a mark, with the kilometres to the nearest such."""
    for number, document in enumerate(documents):
        encoded = document.text.encode()
        for at in range(found.bounds[number], found.bounds[number + 1]):
            start, end = len(encoded[: found.starts[at]].decode()), len(encoded[: found.ends[at]].decode())
            over = [gold for gold in document.gold if start < gold.end and end > gold.start]
            if over:
                latitude, longitude = gazetteer.where(int(found.rows[at]))
                yield at, min(float(kilometres(g.lat, g.lon, latitude, longitude)) for g in over)


def fit(parts: list[Distances]) -> F64:
    """The coefficients, (levels, terms), of the least weighted error at the quantile `COVERED`."""
    x = np.concatenate([part.x for part in parts])
    y = np.log(np.maximum(SMALLEST_KM, np.concatenate([part.kilometres for part in parts])))
    weight = np.concatenate([part.weight for part in parts])
    rows, columns = x.shape
    cost = np.concatenate([np.zeros(columns), COVERED * weight, (1 - COVERED) * weight])
    equal = hstack([csr_array(x), eye_array(rows), -eye_array(rows)], format="csr")
    bounds = [(None, None) if at % 4 == 0 else (0, None) for at in range(columns)]
    found = linprog(cost, A_eq=equal, b_eq=y, bounds=[*bounds, *[(0, None)] * (2 * rows)], method="highs")
    coefficients: F64 = found.x[:columns].reshape(len(Level), -1)
    return coefficients


def main() -> None:
    gazetteer = Gazetteer.load()
    sets = gold_sets()
    found = fit([distances(gazetteer, halves(documents, 0)) for documents in sets.values()])
    print(np.array2string(found, precision=2, separator=", ", suppress_small=True))
    for half, name in enumerate(("fitted", "held out")):
        for title, documents in sets.items():
            part = distances(gazetteer, halves(documents, half))
            inside = part.kilometres <= np.maximum(SMALLEST_KM, np.exp(part.x @ found.ravel()))
            print(f"{name:9} {title:12} {len(inside):5} answers, {inside.mean():.3f} inside")


if __name__ == "__main__":
    main()
