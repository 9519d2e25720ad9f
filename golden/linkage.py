"""Greedy average linkage with cannot-link inside one component: the only place where units are looked at one by one."""

from dataclasses import dataclass

import numpy as np

MOST_WEIGHT = 10
"""A unit stands for so many of its records at most in an average."""

NEVER = np.iinfo(np.int64).min // 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Component:
    """Units 0…n-1 with their records and own numbers ('' for none), and the compared pairs (a, b) with weights in hundredths of a bit."""

    records: np.ndarray
    numbers: np.ndarray
    a: np.ndarray
    b: np.ndarray
    bits: np.ndarray
    barred: np.ndarray


def average_linkage(component: Component, *, threshold: int, missing: int) -> np.ndarray:
    """For each unit the first unit of its cluster.

    Again and again the two clusters with the highest mean weight are joined, as long as it is over `threshold` and nothing between them is
    barred; a pair that was never compared counts `missing`, and is barred if both have a number and not the same. Of equals the first pair
    goes first, so the result depends on nothing else.
    """
    n = len(component.records)
    size = np.minimum(component.records, MOST_WEIGHT).astype(np.int64)
    total, never = _tables(component, size, missing)
    root = np.arange(n)
    for _ in range(n - 1):
        mean = np.where(never, float(NEVER), total / (size[:, None] * size[None, :]))
        best = int(mean.argmax())
        i, j = divmod(best, n)
        if mean[i, j] <= threshold:
            break
        i, j = min(i, j), max(i, j)
        total[i] += total[j]
        total[:, i] = total[i]
        never[i] |= never[j]
        never[:, i] = never[i]
        never[i, i] = True
        never[j] = never[:, j] = True
        size[i] += size[j]
        root[root == j] = i
    return root


def _tables(component: Component, size: np.ndarray, missing: int) -> tuple[np.ndarray, np.ndarray]:
    n = len(size)
    weight = np.full((n, n), missing, dtype=np.int64)
    numbered = component.numbers != ""
    never = (component.numbers[:, None] != component.numbers[None, :]) & numbered[:, None] & numbered[None, :]
    never[component.a, component.b] = never[component.b, component.a] = False
    np.fill_diagonal(never, True)
    for x, y in ((component.a, component.b), (component.b, component.a)):
        weight[x, y] = component.bits
        never[x, y] |= component.barred
    return weight * (size[:, None] * size[None, :]), never
