"""Which groups of a table of counts are hidden (小单元抑制): the small ones, and as many others as keep those from being computed.

The table is a cube of counts by some dimensions, and along each dimension its sums. A small group is protected by a box (the hypercube
method of official statistics): for each dimension a second category, or the sum; if all corners of the box are hidden, as much can be
added to some of them as is taken from the others without any shown number changing. So nobody who solves the equations of all sums, and
knows that no count is negative, gets a hidden number narrower than `smallest` wide. All sums count as shown, asked for or not: they may be
told another time. law.md I-07, peers.md §2 trap 9.
"""

from itertools import chain, combinations

import numpy as np

TOO_DEAR = np.inf


def with_sums(counts: np.ndarray) -> np.ndarray:
    """The counts with their sums along each dimension, last in it."""
    for axis in range(counts.ndim):
        counts = np.concatenate([counts, counts.sum(axis=axis, keepdims=True)], axis=axis)
    return counts


def hidden_groups(counts: np.ndarray, smallest: int) -> np.ndarray:
    """Of counts with their sums (`with_sums`): which are hidden, of the same shape.

    Small are groups of 1 to `smallest` - 1. The smallest come first: what protects them often protects others as well.
    """
    small = (counts > 0) & (counts < smallest)
    hidden, protected = small.copy(), np.zeros_like(small)
    places = np.argwhere(small)
    for place in map(tuple, places[np.lexsort([*places.T, counts[small]])]):
        if not protected[place]:
            box = _cheapest_box(counts, hidden, place, smallest)
            hidden[box] = protected[box] = True
    return hidden


def _cheapest_box(counts: np.ndarray, hidden: np.ndarray, place: tuple[int, ...], smallest: int) -> tuple[np.ndarray, ...]:
    """The corners of the box around a group that hides least and leaves enough room; one through the sums always does.

    Moving one up moves a corner up or down by whether an odd number of dimensions went to another category; a sum moves with its part.
    """
    dims = counts.ndim
    cost, least = np.zeros(counts.shape), {1: np.full(counts.shape, np.inf), -1: np.full(counts.shape, np.inf)}
    turns = [_turns(counts.shape[dim], place[dim], dim, dims) for dim in range(dims)]
    for moved in chain.from_iterable(combinations(range(dims), size) for size in range(dims + 1)):
        corner = tuple(slice(None) if dim in moved else slice(place[dim], place[dim] + 1) for dim in range(dims))
        found, shown = counts[corner], ~hidden[corner]
        sign = np.ones((1,) * dims)
        for dim in moved:
            sign = sign * turns[dim]
        cost = cost + np.where(shown, found + 1, 0) + np.where(found == 0, TOO_DEAR, 0)
        for side, smallest_there in least.items():
            least[side] = np.minimum(smallest_there, np.where(sign == side, found, np.inf))
    cost = np.where(least[1] + least[-1] >= smallest, cost, TOO_DEAR)
    for dim in range(dims):
        cost[tuple(place[dim] if dim == other else slice(None) for other in range(dims))] = TOO_DEAR
    partner = np.unravel_index(np.argmin(cost), cost.shape)
    assert np.isfinite(cost[partner]), "the box through all sums protects anything"
    return np.ix_(*([place[dim], partner[dim]] for dim in range(dims)))


def _turns(size: int, here: int, dim: int, dims: int) -> np.ndarray:
    """+1 where going from `here` to a place along a dimension keeps the direction: to the sum or from it; else -1."""
    total = size - 1
    turns = np.where((np.arange(size) == total) | (here == total), 1.0, -1.0)
    return turns.reshape([-1 if other == dim else 1 for other in range(dims)])
