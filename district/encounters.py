"""Residents whom reconciliation must keep apart: namesakes born the same day, two people with one number, neighbours with one name."""

from dataclasses import dataclass, replace

import numpy as np

from district.households import HEAD, Families
from district.plan import Plan
from district.texts import Numbers

NAMESAKE_SHARE, SAME_NUMBER_SHARE, NEIGHBOUR_SHARE = 0.002, 0.0006, 0.002


@dataclass(frozen=True, kw_only=True)
class Encounters:
    """Pairs of rows (two columns): the second takes the first one's birth day and name, birth day and number, or name and building."""

    namesakes: Numbers
    same_number: Numbers
    neighbours: Numbers


def bring_together(plan: Plan, block: int, families: Families, citizen: Numbers) -> tuple[Families, Encounters]:
    rng = plan.rng("encounters", block)
    free = citizen & _without_kin(families)
    by_birth = _pairs_by_birth(families, free, citizen)
    order = rng.permutation(len(by_birth))
    wanted = max(2, int(len(families) * NAMESAKE_SHARE)), max(2, int(len(families) * SAME_NUMBER_SHARE))
    namesakes = by_birth[np.sort(order[: wanted[0]])]
    same = by_birth[np.sort(order[wanted[0] : sum(wanted)])] if "X-06" in plan.patterns else by_birth[:0]
    free[np.concatenate([namesakes.ravel(), same.ravel()])] = False
    neighbours = _neighbours(rng, families, free, citizen) if "X-24" in plan.patterns else by_birth[:0]
    birth = families.birth.copy()
    for pairs in (namesakes, same):
        birth[pairs[:, 1]] = birth[pairs[:, 0]]
    return replace(families, birth=birth), Encounters(namesakes=namesakes, same_number=same, neighbours=neighbours)


def _without_kin(families: Families) -> Numbers:
    """Nobody's parent or child: changing the name of one of them makes nobody else's wrong."""
    alone = (families.father < 0) & (families.mother < 0)
    parents = np.concatenate([families.father, families.mother])
    alone[parents[parents >= 0]] = False
    return alone


def _pairs_by_birth(families: Families, free: Numbers, citizen: Numbers) -> Numbers:
    """Each free resident with the one of the same sex born just before; nobody twice."""
    order = np.lexsort((families.birth, families.sex, ~citizen))
    order = order[citizen[order]]
    first, second = order[0::2][: len(order) // 2], order[1::2]
    fits = (families.sex[first] == families.sex[second]) & (families.household[first] != families.household[second])
    close = np.abs(families.birth[first] - families.birth[second]) < 60
    swap = ~free[second] & free[first]
    pairs = np.stack([np.where(swap, second, first), np.where(swap, first, second)], axis=1)
    return pairs[fits & close & free[pairs[:, 1]]]


def _neighbours(rng: np.random.Generator, families: Families, free: Numbers, citizen: Numbers) -> Numbers:
    """A head and somebody without kin in the next household, of one sex."""
    heads = np.flatnonzero(families.slot == HEAD)
    first, second = heads[:-1], heads[1:]
    fits = citizen[first] & free[second] & (families.sex[first] == families.sex[second]) & ~families.collective[second]
    pairs = np.stack([first[fits], second[fits]], axis=1)
    chosen = np.sort(rng.permutation(len(pairs))[: max(3, int(len(families) * NEIGHBOUR_SHARE))])
    return pairs[chosen]
