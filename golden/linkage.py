"""Average linkage with cannot-link and must-link over a sparse graph: whole arrays at a time, near linear in the edges.

Average linkage is reducible: joining two clusters brings neither of them nearer to a third. So all pairs of clusters that are each other's
nearest may be joined at once, and the outcome is that of joining the nearest of all one by one.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

MOST_WEIGHT = 10
"""A unit stands for so many of its records at most in an average."""

_NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """Units 0…n-1 and the compared pairs among them, each once, a < b.

    keys: what breaks ties, distinct and ascending; records: how many each unit stands for; numbered: it has a number of its own;
    bits: weights in hundredths; barred: never in one cluster; together_a, together_b: pairs in one cluster whatever else is said.
    """

    keys: np.ndarray
    records: np.ndarray
    numbered: np.ndarray
    a: np.ndarray
    b: np.ndarray
    bits: np.ndarray
    barred: np.ndarray
    together_a: np.ndarray = field(default_factory=lambda: _NONE)
    together_b: np.ndarray = field(default_factory=lambda: _NONE)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Edges:
    """Between clusters a < b: summed weights and products of sizes of the compared pairs, how many of these are between numbered units, and
    whether one is barred.
    """

    a: np.ndarray
    b: np.ndarray
    bits: np.ndarray
    compared: np.ndarray
    numbered: np.ndarray
    barred: np.ndarray

    def only(self, which: np.ndarray) -> "_Edges":
        return _Edges(**{name: column[which] for name, column in vars(self).items()})


def average_linkage(graph: Graph, *, threshold: int, missing: int) -> np.ndarray:
    """For each unit the first unit of its cluster.

    Two clusters are joined while the mean weight between them is over `threshold` and nothing between them is barred. A pair that was never
    compared counts `missing` (at most the threshold, so that clusters without a compared pair never meet), and is barred if both units have
    a number. What stands together by decision is joined before anything else, and bars between its members are void.
    """
    assert missing <= threshold
    size = np.minimum(graph.records, MOST_WEIGHT).astype(np.int64)
    numbered = graph.numbered.astype(np.int64)
    edges = _edges(graph, size)
    root = np.arange(len(size))
    joins = _decided(graph)
    while True:
        root = joins[root]
        size, numbered = _summed(size, joins), _summed(numbered, joins)
        edges = _joined(edges, joins)
        mean = (edges.bits + missing * (size[edges.a] * size[edges.b] - edges.compared)) / (size[edges.a] * size[edges.b])
        open_edges = ~edges.barred & (edges.numbered >= numbered[edges.a] * numbered[edges.b]) & (mean > threshold)
        if not open_edges.any():
            return root
        joins = _nearest(edges.only(open_edges), mean[open_edges], graph.keys)
        edges = edges.only(_alive(edges, open_edges, len(size)))


def _edges(graph: Graph, size: np.ndarray) -> _Edges:
    product = size[graph.a] * size[graph.b]
    both = (graph.numbered[graph.a] & graph.numbered[graph.b]).astype(np.int64)
    return _Edges(a=graph.a, b=graph.b, bits=graph.bits * product, compared=product, numbered=both, barred=graph.barred)


def _decided(graph: Graph) -> np.ndarray:
    return first_of_component(graph.together_a, graph.together_b, len(graph.keys))


def first_of_component(a: np.ndarray, b: np.ndarray, nodes: int) -> np.ndarray:
    """For each node the first node that pairs connect it with."""
    if not len(a):
        return np.arange(nodes)
    linked = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(nodes, nodes))
    labels = connected_components(linked, directed=False)[1]
    _, first = np.unique(labels, return_index=True)
    return first[labels]


def _summed(values: np.ndarray, joins: np.ndarray) -> np.ndarray:
    """Each cluster's sum at its first unit; what was joined to it keeps nothing."""
    return np.bincount(joins, weights=values, minlength=len(values)).astype(np.int64)


def _joined(edges: _Edges, joins: np.ndarray) -> _Edges:
    """The edges between what the clusters have become: parallel ones in one, inner ones gone."""
    a, b = joins[edges.a], joins[edges.b]
    moved = replace(edges, a=np.minimum(a, b), b=np.maximum(a, b)).only(a != b)
    order = np.lexsort((moved.b, moved.a))
    moved = moved.only(order)
    new = np.flatnonzero(np.r_[True, (moved.a[1:] != moved.a[:-1]) | (moved.b[1:] != moved.b[:-1])]) if len(order) else _NONE
    if len(new) == len(order):
        return moved
    return _Edges(
        a=moved.a[new],
        b=moved.b[new],
        bits=np.add.reduceat(moved.bits, new),
        compared=np.add.reduceat(moved.compared, new),
        numbered=np.add.reduceat(moved.numbered, new),
        barred=np.logical_or.reduceat(moved.barred, new),
    )


def _nearest(edges: _Edges, mean: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """For each cluster the one that it is joined to: of two that are each other's nearest the first, else itself."""
    place = np.empty(len(mean), dtype=np.int64)
    place[np.lexsort((_lot(keys[edges.a], keys[edges.b]), -mean))] = np.arange(len(mean))
    best = np.full(len(keys), len(mean), dtype=np.int64)
    np.minimum.at(best, edges.a, place)
    np.minimum.at(best, edges.b, place)
    mutual = (place == best[edges.a]) & (place == best[edges.b])
    joins = np.arange(len(keys))
    joins[edges.b[mutual]] = edges.a[mutual]
    return joins


def _lot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Equal means are ordered by lot, drawn from the keys: ordered by place, a long chain of equals would be joined one by one."""
    mixed = (a.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) ^ (b.astype(np.uint64) + np.uint64(0x7F4A7C15))
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(27))


def _alive(edges: _Edges, open_edges: np.ndarray, nodes: int) -> np.ndarray:
    """Edges that lie in a component, over all edges, in which something may still be joined; the others are settled."""
    component = first_of_component(edges.a, edges.b, nodes)
    alive = np.zeros(nodes, dtype=bool)
    alive[component[edges.a[open_edges]]] = True
    return alive[component[edges.a]]
