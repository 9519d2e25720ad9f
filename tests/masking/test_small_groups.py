"""No hidden group can be computed: against an attacker who solves the equations of all sums and knows that no count is negative."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from masking.small_groups import hidden_groups, with_sums

SMALLEST = 5
UNBOUNDED = 3


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray:
    """Counts of one to three dimensions, many of them small."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    size = int(np.prod(shape))
    counts = st.one_of(st.integers(0, 9), st.integers(0, 60))
    return np.array(draw(st.lists(counts, min_size=size, max_size=size))).reshape(shape)


def sums_of(shape: tuple[int, ...]) -> np.ndarray:
    """For each group and sum which groups it adds up: written out, not by the code under test."""
    size = int(np.prod(shape))
    rows = np.zeros([extent + 1 for extent in shape] + [size])
    for place in np.ndindex(*rows.shape[:-1]):
        for number, cell in enumerate(np.ndindex(*shape)):
            rows[place][number] = all(at in (here, extent) for at, here, extent in zip(place, cell, shape, strict=True))
    return rows


def attackers_interval(asked: np.ndarray, known: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """The least and the most that a hidden number can be, by linear programming."""
    equations = {"A_eq": known, "b_eq": values} if len(known) else {}
    least, most = (linprog(sign * asked, bounds=(0, None), method="highs", **equations) for sign in (1, -1))
    return least.fun, np.inf if most.status == UNBOUNDED else -most.fun


@settings(max_examples=60, deadline=None)
@given(tables())
def test_the_attacker_gets_no_hidden_number_closer_than_the_smallest_group(table: np.ndarray) -> None:
    counts, sums = with_sums(table), sums_of(table.shape)
    hidden = hidden_groups(counts, SMALLEST)
    for place in map(tuple, np.argwhere(hidden)):
        least, most = attackers_interval(sums[place], sums[~hidden], counts[~hidden])
        assert most - least >= SMALLEST - 1e-6


@settings(max_examples=60, deadline=None)
@given(tables())
def test_every_small_group_is_hidden_and_nothing_is_where_none_is_small(table: np.ndarray) -> None:
    counts = with_sums(table)
    small = (counts > 0) & (counts < SMALLEST)
    hidden = hidden_groups(counts, SMALLEST)
    assert (hidden | ~small).all()
    assert small.any() or not hidden.any()
    assert (counts[hidden] > 0).all(), "a group of nobody protects nobody"


def test_sums_are_the_sums() -> None:
    assert with_sums(np.array([[1, 2], [3, 4]])).tolist() == [[1, 2, 3], [3, 4, 7], [4, 6, 10]]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
def test_one_small_group_hides_one_other_in_its_row_and_column_and_the_cheapest(order: list[int]) -> None:
    table = np.array([[3, 40, 80], [20, 90, 30], [70, 60, 95]])[:, order]
    hidden = hidden_groups(with_sums(table), SMALLEST)
    assert sorted(table[hidden[:3, :3]].tolist()) == [3, 20, 30, 80]
    assert not hidden[3].any()
    assert not hidden[:, 3].any()
