"""The smallest cut of a cluster: where it would come apart most easily, and how much evidence holds it there (Stoer and Wagner 1997).

Many clusters of one size are cut at once, each step over all of them.
"""

import numpy as np

MOST_UNITS = 64
"""Larger clusters are not cut: n³ steps are too many."""

BATCH_CELLS = 4_000_000


def smallest_cuts(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k, n, n) symmetric weights ≥ 0 of k graphs → (k) weight of the smallest cut, (k, n) which nodes are on the one side of it."""
    k, n, _ = weights.shape
    batch = max(1, BATCH_CELLS // (n * n))
    found = [_cut(weights[start : start + batch].astype(np.int64)) for start in range(0, k, batch)]
    return np.concatenate([weight for weight, _ in found]), np.concatenate([side for _, side in found])


def _cut(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    k, n, _ = weights.shape
    every = np.arange(k)
    merged = np.tile(np.eye(n, dtype=bool), (k, 1, 1))
    standing = np.ones((k, n), dtype=bool)
    least = np.full(k, np.iinfo(np.int64).max)
    side = np.zeros((k, n), dtype=bool)
    for nodes in range(n, 1, -1):
        last, before, weight = _phase(weights, standing, nodes)
        better = weight < least
        least[better] = weight[better]
        side[better] = merged[every, last][better]
        weights[every, before] += weights[every, last]
        weights[every, :, before] = weights[every, before]
        weights[every, before, before] = 0
        merged[every, before] |= merged[every, last]
        standing[every, last] = False
    return least, side


def _phase(weights: np.ndarray, standing: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Maximum adjacency order: the last node, the one before it, and the weight that cuts the last off."""
    every = np.arange(len(weights))
    pull = np.zeros(standing.shape, dtype=np.int64)
    waiting = standing.copy()
    last = before = np.zeros(len(weights), dtype=np.int64)
    weight = np.zeros(len(weights), dtype=np.int64)
    for _ in range(nodes):
        before, last = last, np.where(waiting, pull, -1).argmax(axis=1)
        weight = pull[every, last]
        waiting[every, last] = False
        pull += weights[every, last]
    return last, before, weight
