"""Clusters and cuts against naive references."""

import itertools
from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from golden.cuts import smallest_cuts
from golden.linkage import MOST_WEIGHT, Graph, average_linkage

THRESHOLD, MISSING = 0, -300
Pair = tuple[int, int, int, bool]


def graph(records: Sequence[int], numbered: Sequence[bool], pairs: Sequence[Pair], together: Sequence[tuple[int, int]] = ()) -> Graph:
    a, b, bits, barred = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in range(4))
    return Graph(
        keys=np.arange(len(records)),
        records=np.array(records),
        numbered=np.array(numbered, dtype=bool),
        a=a,
        b=b,
        bits=bits,
        barred=barred.astype(bool),
        together_a=np.array([x for x, _ in together], dtype=np.int64),
        together_b=np.array([y for _, y in together], dtype=np.int64),
    )


def found(g: Graph) -> list[int]:
    return average_linkage(g, threshold=THRESHOLD, missing=MISSING).tolist()


def naive(g: Graph) -> list[int]:
    """The two clusters with the highest mean are joined, again and again."""
    pairs = {(int(a), int(b)): (int(w), bool(x)) for a, b, w, x in zip(g.a, g.b, g.bits, g.barred, strict=True)}
    size = [min(int(r), MOST_WEIGHT) for r in g.records]
    clusters = [{i} for i in range(len(size))]
    for x, y in zip(g.together_a.tolist(), g.together_b.tolist(), strict=True):
        one, other = (next(c for c in clusters if i in c) for i in (x, y))
        if one is not other:
            clusters.remove(other)
            one |= other

    def mean(one: set[int], other: set[int]) -> float | None:
        total = weight = 0
        for i, j in itertools.product(one, other):
            bits, barred = pairs.get((min(i, j), max(i, j)), (MISSING, bool(g.numbered[i] and g.numbered[j])))
            if barred:
                return None
            total += bits * size[i] * size[j]
            weight += size[i] * size[j]
        return total / weight

    while True:
        means = [(m, one, other) for one, other in itertools.combinations(clusters, 2) if (m := mean(one, other)) is not None]
        best = max(means, key=lambda row: row[0], default=None)
        if best is None or best[0] <= THRESHOLD:
            return [min(next(c for c in clusters if i in c)) for i in range(len(size))]
        clusters.remove(best[2])
        best[1].update(best[2])


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Weights are distinct powers apart, so that hardly any two means are equal: of equals the order is by lot."""
    n = draw(st.integers(2, 8))
    every = list(itertools.combinations(range(n), 2))
    chosen = draw(st.lists(st.sampled_from(every), unique=True, max_size=len(every)))
    bits = draw(st.lists(st.integers(-2_000_003, 3_000_017), min_size=len(chosen), max_size=len(chosen), unique=True))
    barred = draw(st.lists(st.sampled_from([False, False, False, True]), min_size=len(chosen), max_size=len(chosen)))
    together = draw(st.lists(st.sampled_from(every), max_size=2))
    return graph(
        draw(st.lists(st.integers(1, 12), min_size=n, max_size=n)),
        draw(st.lists(st.sampled_from([False, False, True]), min_size=n, max_size=n)),
        [(a, b, w, x) for (a, b), w, x in zip(chosen, bits, barred, strict=True)],
        together,
    )


@given(graphs())
def test_joining_all_mutual_nearest_at_once_gives_what_joining_one_by_one_gives(g: Graph) -> None:
    assert found(g) == naive(g)


def test_a_chain_of_agreements_does_not_hold_its_ends_together() -> None:
    pairs = [(i, i + 1, 500, False) for i in range(20)]
    assert len(set(found(graph([1] * 21, [False] * 21, pairs)))) > 5


def test_a_bar_inside_keeps_two_clusters_apart_and_a_decision_joins_them() -> None:
    pairs = [(0, 1, 900, False), (2, 3, 900, False), (0, 2, 800, False), (1, 3, 800, True)]
    assert found(graph([1] * 4, [False] * 4, pairs)) == [0, 0, 2, 2]
    assert found(graph([1] * 4, [False] * 4, pairs, together=[(1, 3)])) == [0, 0, 0, 0]


def test_two_numbers_that_nobody_compared_never_meet() -> None:
    pairs = [(0, 1, 3000, False), (1, 2, 2000, False)]
    assert found(graph([1] * 3, [True, False, True], pairs)) == [0, 0, 2]
    assert found(graph([1] * 3, [True, False, False], pairs)) == [0, 0, 0]


def test_a_component_of_50_000_chained_units_ends() -> None:
    """Equal weights, the worst for an order by place: the rounds stay few because equals are ordered by lot."""
    n = 50_000
    g = graph([1] * n, [False] * n, [(i, i + 1, 500, False) for i in range(n - 1)])
    clusters = np.unique(average_linkage(g, threshold=THRESHOLD, missing=MISSING), return_counts=True)[1]
    assert clusters.max() < 10


@given(st.integers(2, 6).flatmap(lambda n: st.lists(st.integers(0, 9), min_size=n * n, max_size=n * n)))
def test_the_smallest_cut_is_that_of_a_search_through_all(cells: list[int]) -> None:
    n = int(len(cells) ** 0.5)
    half = np.triu(np.array(cells).reshape(n, n), 1)
    weights = half + half.T
    least, side = smallest_cuts(np.stack([weights, weights]))
    searched = min(
        weights[np.ix_(inside, [i for i in range(n) if i not in inside])].sum()
        for size in range(1, n)
        for inside in map(list, itertools.combinations(range(n), size))
    )
    assert least[0] == least[1] == searched
    assert 0 < side[0].sum() < n
    assert weights[side[0]][:, ~side[0]].sum() == searched
