"""How well do clusters of posts agree with labelled events: adjusted mutual information and B³.

Both are over labelled posts. A post that a system put nowhere counts as a cluster of its own, so that keeping
silent is not rewarded; `covered` says how many it did put somewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

__all__ = ["Agreement", "agreement"]

I64Array = npt.NDArray[np.int64]


class Agreement(NamedTuple):
    """Of one clustering with the labels."""

    ami: float
    """Adjusted mutual information, means taken arithmetically."""
    b3: float
    """F1 of B³ precision and recall (Bagga and Baldwin 1998; Amigó and others 2009)."""
    b3_precision: float
    b3_recall: float
    covered: float
    """Share of the posts that are in a cluster at all."""
    clusters: int


def agreement(labels: Sequence[str], clusters: Sequence[str]) -> Agreement:
    """Compare the cluster of each post with its label; an empty name is no cluster.

    >>> agreement(["a", "a", "b", "b"], ["1", "1", "2", "2"])[:4]
    (1.0, 1.0, 1.0, 1.0)
    """
    if not labels:
        return Agreement(0.0, 0.0, 0.0, 0.0, 0.0, 0)
    alone = (f"\x1f{place}" for place in range(len(clusters)))
    named = [cluster or other for cluster, other in zip(clusters, alone, strict=True)]
    table, rows, columns = _contingency(labels, named)
    weight = table.counts / table.counts.sum()
    precision = float((weight * table.counts / columns[table.column]).sum())
    recall = float((weight * table.counts / rows[table.row]).sum())
    return Agreement(
        ami=_adjusted_mutual_information(table, rows, columns),
        b3=2 * precision * recall / (precision + recall),
        b3_precision=precision,
        b3_recall=recall,
        covered=sum(map(bool, clusters)) / len(clusters),
        clusters=len(set(clusters) - {""}),
    )


class _Table(NamedTuple):
    """The cells of a contingency table that are not empty."""

    row: I64Array
    column: I64Array
    counts: I64Array


def _contingency(labels: Sequence[str], clusters: Sequence[str]) -> tuple[_Table, I64Array, I64Array]:
    _, row = np.unique(np.array(labels, object).astype(str), return_inverse=True)
    _, column = np.unique(np.array(clusters, object).astype(str), return_inverse=True)
    width = int(column.max()) + 1
    cells, counts = np.unique(row * width + column, return_counts=True)
    return _Table(cells // width, cells % width, counts), np.bincount(row), np.bincount(column)


def _adjusted_mutual_information(table: _Table, rows: I64Array, columns: I64Array) -> float:
    """Vinh, Epps and Bailey, "Information Theoretic Measures for Clusterings Comparison" (JMLR 2010)."""
    total = int(table.counts.sum())
    share = table.counts / total
    mutual = float((share * np.log(total * table.counts / (rows[table.row] * columns[table.column]))).sum())
    expected = _expected_mutual_information(rows, columns, total)
    mean = (_entropy(rows / total) + _entropy(columns / total)) / 2
    if mean - expected == 0.0:  # both put all posts into one
        return 1.0
    return float((mutual - expected) / (mean - expected))


def _entropy(shares: npt.NDArray[np.float64]) -> float:
    return float(-(shares * np.log(shares)).sum())


def _expected_mutual_information(rows: I64Array, columns: I64Array, total: int) -> float:
    """Of two clusterings with these sizes, drawn by chance; equal sizes are reckoned once."""
    expected = 0.0
    factorial = gammaln(np.arange(total + 2) + 1.0)
    for a, of_a in zip(*np.unique(rows, return_counts=True), strict=True):
        for b, of_b in zip(*np.unique(columns, return_counts=True), strict=True):
            n = np.arange(max(1, a + b - total), min(a, b) + 1)
            chance = np.exp(
                factorial[a] + factorial[b] + factorial[total - a] + factorial[total - b]
                - factorial[total] - factorial[n] - factorial[a - n] - factorial[b - n]
                - factorial[total - a - b + n]
            )  # fmt: skip
            expected += of_a * of_b * float((n / total * np.log(total * n / (a * b)) * chance).sum())
    return expected
