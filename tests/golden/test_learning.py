"""What is learnt of sources, on claims that were drawn from a known truth: errors, staleness, copying (law.md R-02, R-03)."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from golden.believing import AGE_STARTS_DAYS, UNDATED, Claims, Model, believe
from golden.learning import Prior, learn

RESIDENTS = 3_000
FRESH, OLD, STAMPED, COPIER, CHECKS = range(5)
ERRORS = (0.03, 0.02, 0.05, 0.05, 0.0)
LAGS_DAYS = (150.0, 800.0, 900.0, 900.0, 10.0)
COPIED = 0.7
YEARLY_CHANGE = 0.12


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Claims about residents whose values are known: `right` by claim."""

    claims: Claims
    right: np.ndarray
    truth: np.ndarray


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Half of the residents' values changed; the stamped source and its copier do not say when they looked; 2 % were checked."""
    rng = np.random.default_rng(7)
    now, before = (np.arange(RESIDENTS) * 10 + place for place in (0, 1))
    changed_days = rng.exponential(365 / YEARLY_CHANGE, RESIDENTS)
    said: list[np.ndarray] = []
    ages: list[np.ndarray] = []
    there: list[np.ndarray] = []
    for source in range(5):
        days = rng.exponential(LAGS_DAYS[source], RESIDENTS)
        value = np.where(days > changed_days, before, now)
        value = np.where(rng.random(RESIDENTS) < ERRORS[source], now + 2 + rng.integers(0, 8, RESIDENTS), value)
        if source == COPIER:
            value = np.where(there[STAMPED] & (rng.random(RESIDENTS) < COPIED), said[STAMPED], value)
        said.append(value)
        undated = source in (STAMPED, COPIER)
        ages.append(np.full(RESIDENTS, UNDATED) if undated else np.searchsorted(AGE_STARTS_DAYS, days, side="right") - 1)
        there.append(rng.random(RESIDENTS) < (0.02 if source == CHECKS else 0.8))
    resident, who = np.nonzero(np.array(there).T)
    value, age = np.array(said)[who, resident], np.array(ages)[who, resident]
    claims = Claims(
        resident=resident,
        source=who,
        age=age,
        value=value.astype(np.uint64),
        word=np.zeros(len(value), np.int64),
        damaged=np.zeros(len(value), np.bool_),
        cohort=np.zeros(len(value), np.int64),
    )
    return Drawn(claims=claims, right=value == now[resident], truth=now)


def learnt(claims: Claims) -> Model:
    prior = Prior(
        values=(),
        alternatives=1_000.0,
        mistakes=1_000.0,
        error=np.full(5, 0.1),
        verified=np.arange(5) == CHECKS,
        undated=np.isin(np.arange(5), (STAMPED, COPIER)),
        half_life_days=540.0,
        first=np.array([False]),
        events=np.zeros(5, np.bool_),
    )
    return learn(claims, prior)


def without_checks(claims: Claims) -> Claims:
    return claims.take(claims.source != CHECKS)


@pytest.mark.parametrize("checked", [True, False])
def test_a_copier_is_found_and_the_sources_it_agrees_with_by_being_right_are_not(drawn: Drawn, checked: bool) -> None:
    model = learnt(drawn.claims if checked else without_checks(drawn.claims))
    links = {frozenset((child, int(parent))) for child, parent in enumerate(model.parent) if parent >= 0}
    assert links == {frozenset((STAMPED, COPIER))}
    assert model.copied.max() == pytest.approx(COPIED, abs=0.1)


@pytest.mark.parametrize("checked", [True, False])
def test_values_are_right_as_often_as_their_probability_says(drawn: Drawn, checked: bool) -> None:
    claims = drawn.claims if checked else without_checks(drawn.claims)
    beliefs = believe(claims, learnt(claims))
    right = beliefs.value == drawn.truth[beliefs.resident].astype(np.uint64)
    for low, high in ((0.5, 0.9), (0.9, 0.99), (0.99, 1.0)):
        band = (beliefs.p > low) & (beliefs.p <= high)
        assert band.sum() > 30
        assert right[band].mean() == pytest.approx(beliefs.p[band].mean(), abs=0.1 if low < 0.9 else 0.02)


def test_what_is_believed_is_right_more_often_than_the_newest_or_the_most_claimed(drawn: Drawn) -> None:
    claims = without_checks(drawn.claims)
    beliefs = believe(claims, learnt(claims))
    best = np.lexsort((-beliefs.p, beliefs.resident))
    first = np.flatnonzero(np.diff(beliefs.resident[best], prepend=-1))
    found = (beliefs.value == drawn.truth[beliefs.resident].astype(np.uint64))[best][first].mean()
    assert found > 0.01 + max(_chosen(drawn, claims, -claims.age), _chosen(drawn, claims, _tellers(claims)))


def test_the_same_claims_teach_the_same_whatever_order_the_residents_have(drawn: Drawn) -> None:
    claims = without_checks(drawn.claims)
    turned = RESIDENTS - 1 - claims.resident
    order = np.lexsort((claims.source, turned))
    again = claims.take(order)
    there = believe(claims, learnt(claims))
    back = believe(Claims(**{**vars(again), "resident": turned[order]}), learnt(claims))
    mine = {(int(r), int(v)): p for r, v, p in zip(there.resident, there.value, there.p, strict=True)}
    theirs = {(RESIDENTS - 1 - int(r), int(v)): p for r, v, p in zip(back.resident, back.value, back.p, strict=True)}
    assert mine.keys() == theirs.keys()
    assert max(abs(mine[key] - theirs[key]) for key in mine) < 1e-12


def test_residents_are_weighed_together_as_each_alone(drawn: Drawn) -> None:
    claims = drawn.claims
    model, starts = learnt(claims), np.flatnonzero(np.diff(claims.resident, prepend=-1))
    together = believe(claims, model)
    whole = {(int(r), int(v)): p for r, v, p in zip(together.resident, together.value, together.p, strict=True)}
    for first, last in pairwise(starts[:200]):
        alone = believe(claims.take(slice(first, last)), model)
        assert [whole[int(r), int(v)] for r, v in zip(alone.resident, alone.value, strict=True)] == pytest.approx(alone.p, abs=1e-12)


def _tellers(claims: Claims) -> np.ndarray:
    """By claim how many say the same of the resident."""
    _, which, count = np.unique(claims.value, return_inverse=True, return_counts=True)
    return count[which]


def _chosen(drawn: Drawn, claims: Claims, worth: np.ndarray) -> float:
    """How often the claim that is worth most is right; among equals any."""
    right = claims.value == drawn.truth[claims.resident].astype(np.uint64)
    order = np.lexsort((claims.source, -worth, claims.resident))
    return float(right[order][np.flatnonzero(np.diff(claims.resident[order], prepend=-1))].mean())
