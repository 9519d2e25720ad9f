"""Which sources took values over from which: sources that make the same mistakes more often than their own would explain (law.md R-02).

Two sources that are right agree, and prove nothing by it. Two that are wrong in the same way more often than chance have one origin.
For each
pair the gain in likelihood is taken that copying brings, at the best share of copied values; the strongest links form a forest, since the
copies of one source also resemble each other; each tree is hung up where its links are likeliest.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components, minimum_spanning_tree

from golden.believing import Claims, Flags, Floats, Group, Weighing, Whole, resident_starts

SHARES = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97])
LEAST_SHARE = 0.2
"""Below it likeness is more probably a habit that two sources have in common than copying."""

LEAST_GAIN = 25.0
"""In nats: so much better must copying explain what two sources say, or it is chance."""


@dataclass(frozen=True, kw_only=True)
class Copying:
    """By source: the one it copies from, −1 for none, and for what share of the residents whom both hold."""

    parent: Whole
    share: Floats


def gains_of_claims(group: Group, weighing: Weighing) -> Floats:
    """M × SHARES: what it gains in log-likelihood that a claim may have been taken over from a source that says the same."""
    gains = np.zeros((len(group.claims), len(SHARES)))
    worth = np.log(1 - SHARES + SHARES / weighing.own[:, :, None])
    for pair, reading in enumerate(group.readings):
        case = reading.indices
        gains += np.einsum("mc,mcs->ms", weighing.posterior[group.owner, pair], worth[case])
    return gains


def find_copying(claims: Claims, gains: Floats, weight: Floats, verified: Flags, undated: Flags) -> Copying:
    """`gains` as above, for all claims; weight: how much each one's resident teaches. Verified observations neither copy nor are copied."""
    gain, share = _gain_of_pairs(claims, gains, weight, len(undated))
    gain[verified, :] = gain[:, verified] = -np.inf
    gain[share < LEAST_SHARE] = -np.inf
    gain[gain < LEAST_GAIN] = -np.inf
    parent, shares = np.full(len(undated), -1), np.zeros(len(undated))
    for tree in _trees(np.maximum(gain, gain.T)):
        for child, above in _hung_up(tree, undated, gain):
            parent[child], shares[child] = above, share[child, above] if np.isfinite(gain[child, above]) else share[above, child]
    return Copying(parent=parent, share=shares)


def _gain_of_pairs(claims: Claims, gains: Floats, weight: Floats, sources: int) -> tuple[Floats, Floats]:
    """S × S (who copies, from whom): the gain at the best share, and that share."""
    starts = resident_starts(claims.resident)
    owner = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(claims))))
    row_of = np.full((sources, len(starts)), -1)
    row_of[claims.source, owner] = np.arange(len(claims))
    best, share = np.full((sources, sources), -np.inf), np.zeros((sources, sources))
    for child in range(sources):
        held = np.flatnonzero(row_of[child] >= 0)
        mine = row_of[child, held]
        for other in range(sources):
            theirs = row_of[other, held]
            both = theirs >= 0
            if other == child or not both.any():
                continue
            same = claims.value[mine[both]] == claims.value[theirs[both]]
            total = gains[mine[both][same]].sum(axis=0) + weight[mine[both][~same]].sum() * np.log(1 - SHARES)
            best[child, other], share[child, other] = total.max(), SHARES[total.argmax()]
    return best, share


def _trees(weight: Floats) -> list[list[tuple[int, int]]]:
    """The links of the maximum spanning forest, tree by tree."""
    there = np.isfinite(weight)
    rows, columns = np.nonzero(np.triu(there, 1))
    if not len(rows):
        return []
    costs = coo_matrix((1.0 / weight[rows, columns], (rows, columns)), shape=weight.shape)
    forest = minimum_spanning_tree(costs).tocoo()
    _, label = connected_components(forest, directed=False)
    links = sorted(zip(forest.row.tolist(), forest.col.tolist(), strict=True))
    return [[link for link in links if label[link[0]] == tree] for tree in sorted({int(label[a]) for a, _ in links})]


def _hung_up(tree: list[tuple[int, int]], undated: Flags, gain: Floats) -> list[tuple[int, int]]:
    """(child, parent) of each link. Agreement alone does not tell who copied: the root is whom most are linked with, then who knows when
    it looked, then what makes the links likeliest, then the first.
    """
    nodes = sorted({node for link in tree for node in link})
    links = {node: sum(node in link for link in tree) for node in nodes}
    ways = {root: _from_root(root, tree, len(gain)) for root in nodes}
    gained = {root: sum(max(float(gain[link]), 0.0) for link in way) for root, way in ways.items()}
    return ways[max(nodes, key=lambda root: (links[root], not undated[root], gained[root], -root))]


def _from_root(root: int, tree: list[tuple[int, int]], nodes: int) -> list[tuple[int, int]]:
    ends = np.array(tree)
    graph = coo_matrix((np.ones(len(tree)), (ends[:, 0], ends[:, 1])), shape=(nodes, nodes))
    order, before = breadth_first_order(graph.tocsr(), root, directed=False)
    return [(int(node), int(before[node])) for node in order[1:]]
