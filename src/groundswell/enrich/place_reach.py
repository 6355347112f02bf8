"""How far from an answer the truth may lie: the circle that holds it in four cases of five.

Owns the 80 % radius that `places.Gazetteer.find_text` states. What widens it is the place's own size (where
in Canada is `Canada`?), the chance that another place of the name is meant, and how far off those lie:

    ln radius = level + a ln size + b ln odds against the reading + c ln(1 + spread)

by level, where the spread is the distance within which the readings hold four fifths of the odds for a place.
The coefficients are a linear quantile regression (Koenker and Bassett 1978) of the distances to the marks of
the even halves of the sets, fitted by `python -m bench._places_reach`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from groundswell.enrich.place_data import Level
from groundswell.enrich.place_index import Readings
from groundswell.enrich.place_match import Mentions
from groundswell.enrich.place_score import Judgement
from groundswell.kernels import allocating

__all__ = ["COVERED", "doubt", "features", "radius_km"]

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

COVERED = 0.8
SMALLEST_KM = 1.0
WIDEST_KM = 20_000.0
_TERMS = 4  # a level
_KM_DEGREE = 111.2
_LEAST_ODDS = 1e-3

# By level (country, region, city, area): constant, ln size, ln odds against, ln(1 + spread).
_COEFFICIENTS = np.array(
    [
        [1.12, 0.64, 0.00, 0.00],
        [1.67, 0.55, 0.07, 0.43],
        [2.80, 0.00, 0.00, 0.61],
        [2.32, 0.62, 0.02, 0.04],
    ]
)


@allocating
def doubt(mention: int, mentions: Mentions, table: Readings, out: Judgement) -> tuple[float, float]:
    """The odds against the chosen reading, were the mention a place; and the readings' spread in km."""
    start = mentions[mention].name
    readings = mentions[mention].readings
    chosen = start + out.best[mention]
    masses = np.zeros(readings)
    distances = np.zeros(readings)
    for reading in range(readings):
        place = start + reading
        masses[reading] = np.exp(out.scores[mention, reading])
        north = table[place].latitude - table[chosen].latitude
        east = (table[place].longitude - table[chosen].longitude + 180.0) % 360.0 - 180.0
        east *= np.cos(np.radians(table[place].latitude))
        distances[reading] = _KM_DEGREE * np.sqrt(north * north + east * east)
    total = masses.sum()
    near = masses[distances <= 161.0].sum()
    spread = 0.0
    held = 0.0
    for reading in np.argsort(distances):
        spread = distances[reading]
        held += masses[reading]
        if held >= COVERED * total:
            break
    return max(_LEAST_ODDS, (total - near) / near), spread


def features(levels: npt.NDArray[np.uint8], sizes: F32, odds: F32, spreads: F32) -> F64:
    """The terms of every answer, those of other levels than its own 0: (answers, 16)."""
    terms = np.stack([np.ones(len(levels)), np.log(sizes), np.log(odds), np.log1p(spreads)], axis=1)
    x = np.zeros((len(levels), len(Level), _TERMS))
    x[np.arange(len(levels)), levels] = terms
    return x.reshape(len(levels), len(Level) * _TERMS)


def radius_km(levels: npt.NDArray[np.uint8], sizes: F32, odds: F32, spreads: F32) -> F64:
    """The radius in km of each answer's 80 % circle."""
    logs = features(levels, sizes, odds, spreads) @ _COEFFICIENTS.ravel()
    radii: F64 = np.clip(np.exp(logs), SMALLEST_KM, WIDEST_KM)
    return radii
