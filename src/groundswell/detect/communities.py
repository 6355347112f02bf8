"""Louvain community detection on a small weighted graph, compiled and deterministic.

Method: Blondel, Guillaume, Lambiotte, Lefebvre, "Fast unfolding of communities in large networks" (2008),
with the resolution of Reichardt and Bornholdt (2006). Nodes are visited in index order and ties go to the
smaller label, so that the same graph always gives the same communities; the usual random order would not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from groundswell.kernels import allocating

__all__ = ["louvain"]

I64Array = npt.NDArray[np.int64]

_MAX_SWEEPS = 20
_MAX_LEVELS = 10


@allocating
def _move_nodes(indptr: Any, indices: Any, weights: Any, loops: Any, resolution: float) -> Any:
    """One level: move nodes to the neighbouring community of largest modularity gain until none moves."""
    size = indptr.shape[0] - 1
    labels = np.arange(size)
    strength = np.zeros(size)
    for node in range(size):
        strength[node] = 2.0 * loops[node]
        for e in range(indptr[node], indptr[node + 1]):
            strength[node] += weights[e]
    twice_total = strength.sum()
    if twice_total == 0.0:
        return labels
    inside = strength.copy()
    to_label = np.zeros(size)
    for _ in range(_MAX_SWEEPS):
        moved = False
        for node in range(size):
            own = labels[node]
            for e in range(indptr[node], indptr[node + 1]):
                to_label[labels[indices[e]]] += weights[e]
            inside[own] -= strength[node]
            scale = resolution * strength[node] / twice_total
            best, best_gain = own, to_label[own] - scale * inside[own]
            for e in range(indptr[node], indptr[node + 1]):
                label = labels[indices[e]]
                gain = to_label[label] - scale * inside[label]
                if gain > best_gain + 1e-9 or (gain > best_gain - 1e-9 and label < best):
                    best, best_gain = label, gain
            for e in range(indptr[node], indptr[node + 1]):
                to_label[labels[indices[e]]] = 0.0
            to_label[own] = 0.0
            inside[best] += strength[node]
            if best != own:
                labels[node] = best
                moved = True
        if not moved:
            break
    return labels


def louvain(graph: csr_matrix, resolution: float) -> I64Array:
    """Community of each node, numbered from 0 in order of first node.

    `graph` is symmetric with an empty diagonal; `resolution` below 1 gives larger communities.
    """
    size = graph.shape[0]
    membership = np.arange(size)
    loops = np.zeros(size)
    for _ in range(_MAX_LEVELS):
        labels = _move_nodes(
            graph.indptr.astype(np.int64), graph.indices.astype(np.int64), graph.data, loops, resolution
        )
        found, labels = np.unique(labels, return_inverse=True)
        if len(found) == graph.shape[0]:
            break
        membership = labels[membership]
        gather = csr_matrix((np.ones(len(labels)), (labels, np.arange(len(labels)))))
        merged = (gather @ graph @ gather.T).tocsr()
        merged.sort_indices()
        loops = gather @ loops + merged.diagonal() / 2.0
        merged.setdiag(0.0)
        merged.eliminate_zeros()
        graph = merged
    firsts = np.unique(membership, return_index=True)[1]
    order = np.argsort(np.argsort(firsts))
    return order[membership].astype(np.int64)
