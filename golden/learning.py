"""Learning the model of one element from what sources say, without knowing the truth: expectation and maximisation (law.md R-02, R-03).

Verified observations take part as one more source that is all but always right; what is learnt from the residents they tell of weighs more,
because there the others are judged by the truth and not by each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from golden.believing import (
    AGE_STARTS_DAYS,
    AGES,
    CHANGES,
    COHORTS,
    SEES,
    UNDATED,
    Claims,
    Flags,
    Floats,
    Group,
    Model,
    Whole,
    groups_of,
    patterns_of,
    present_words,
    resident_starts,
    weigh,
)
from golden.copying import SHARES, find_copying, gains_of_claims

ROUNDS, LAST_ROUNDS = (8, 6, 6), 10
"""Rounds before copies are looked for, each time anew: once some are known, others show; and rounds after."""

NO_EVENT = 1e-6
"""How often a source that holds events only has one of somebody who had none, and any other mistake that nobody was seen to make."""

CHECKED_WEIGHT = 10.0
"""A resident with a verified observation teaches as much as so many others."""

VERIFIED_ERROR = 0.004
FIRST_ERROR = 0.05
"""How often any source errs before learning. All alike: whoever is trusted first by its role would be believed with all its copies."""

PRIOR_CLAIMS = 10.0
"""So many claims is what is believed of a source before anything was learnt."""

PRIOR_AGES, PRIOR_CHANGES, PRIOR_RESIDENTS = 20.0, 3.0, 50.0
MISTAKES = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
LEAST, MOST_ERROR = 1e-4, 0.7
LOOSE = 0.05
"""How often a stated date tells nothing, before anything was learnt."""

LIVED_DAYS = 180.0
"""Mean age of an undated claim, before anything was learnt."""


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What is assumed of an element's sources before learning. error: by source; undated: dates are stamped or missing; first: values that
    nobody has again once he had another; events: sources that hold events only, and nothing of those who are still at such a value (X-21).
    """

    values: tuple[str, ...]
    alternatives: float
    mistakes: float
    error: Floats
    verified: Flags
    undated: Flags
    half_life_days: float | None
    first: Flags
    events: Flags


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What a round of expectation counts, weighed: emission as in the model; today, outdated S × (AGES + 1) × CHANGES; copied of could."""

    errors: Floats
    today: Floats
    outdated: Floats
    copied: Floats
    could: Floats
    change: Floats
    now: Floats
    before: Floats
    aged: Floats


def first_model(prior: Prior) -> Model:
    """The model where nothing was learnt."""
    sources, size = len(prior.error), len(prior.values)
    lengths = np.diff([*AGE_STARTS_DAYS, 2 * AGE_STARTS_DAYS[-1]])
    drawn = np.exp(-np.array(AGE_STARTS_DAYS) / LIVED_DAYS) * (1 - np.exp(-lengths / LIVED_DAYS))
    yearly = np.full(max(size, 1), 1 / max(size, 1))
    model = Model(
        values=prior.values,
        alternatives=prior.alternatives,
        mistakes=prior.mistakes,
        errors=np.zeros((sources, size + 1, size) if size else (sources, 3)),
        change=np.tile(_lasting(prior.half_life_days, lengths), (size + 1, 1)),
        undated=np.where(prior.undated, 1.0, np.where(prior.verified, 0.0, LOOSE)),
        ages=np.tile(drawn / drawn.sum(), (sources, 1)),
        parent=np.full(sources, -1),
        copied=np.zeros(sources),
        now=yearly,
        aged=np.tile(yearly, (COHORTS, 1)),
        before=_shares(np.ones((len(yearly), len(yearly))) - np.eye(len(yearly))),
        first=prior.first,
        events=prior.events,
    )
    return replace(model, errors=_emission(np.zeros_like(model.errors), prior, model.now))


def _lasting(half_life_days: float | None, lengths: Floats) -> Floats:
    """When a value last changed if half of all change in that time; without a half life hardly any does."""
    return _came(1 - np.exp2(-lengths / half_life_days) if half_life_days else np.full(AGES, 0.0005))


def learn(claims: Claims, prior: Prior) -> Model:
    """The model that explains the claims best. Claims of all sources, one per resident and source.

    Where sources are often wrong alike, either they copied or there are few mistakes to make. Both are tried, and the better end taken.
    """
    prior = replace(prior, error=np.where(prior.verified, prior.error, FIRST_ERROR))
    claims, weight = _taught(claims.take(~claims.damaged), prior)
    if not len(claims):
        return first_model(prior)
    ways = (False,) if prior.values else (False, True)
    ends = [_settled(claims, prior, weight, copies_first=first) for first in ways]
    return max(ends, key=lambda end: end[0])[1]


def _taught(claims: Claims, prior: Prior) -> tuple[Claims, Floats]:
    """Each pattern once, with how much it teaches, by resident: those of whom one source alone speaks agree with whatever is believed."""
    if not len(claims):
        return claims, np.empty(0)
    sizes = np.diff(np.append(resident_starts(claims.resident), len(claims)))
    claims = claims.take(np.repeat(sizes > 1, sizes))
    if not len(claims):
        return claims, np.empty(0)
    found = patterns_of(claims)
    checked = np.maximum.reduceat(prior.verified[found.claims.source].astype(np.int64), resident_starts(found.claims.resident))
    return found.claims, np.bincount(found.of).astype(np.float64) * np.where(checked > 0, CHECKED_WEIGHT, 1.0)


def _settled(claims: Claims, prior: Prior, weight: Floats, *, copies_first: bool) -> tuple[float, Model]:
    """The model that rounds of learning end with, and how well it explains the claims."""
    model = _as_old_as_others(claims, prior, weight, first_model(prior))
    groups = list(groups_of(claims, model))
    for turn, rounds in enumerate(ROUNDS):
        for _ in range(rounds):
            model = _round(groups, prior, model, weight)
        if turn or not copies_first:
            model, prior = _with_likely_mistakes(groups, prior, model, weight)
        model = _with_copying(claims, groups, prior, model, weight)
        groups = list(groups_of(claims, model))
    for _ in range(LAST_ROUNDS):
        model = _round(groups, prior, model, weight)
    return _evidence(groups, model, weight), model


def _as_old_as_others(claims: Claims, prior: Prior, weight: Floats, model: Model) -> Model:
    """Undated claims are first taken to be as old as the dated ones of all sources are."""
    dated = (claims.age < UNDATED) & ~prior.verified[claims.source]
    ages = PRIOR_AGES * model.ages + np.bincount(claims.age[dated], weight[claims.resident[dated]], AGES)
    return replace(model, ages=_shares(ages))


def _evidence(groups: Sequence[Group], model: Model, weight: Floats) -> float:
    return float(sum((weigh(group, model).evidence * _weights(group, weight)).sum() for group in groups))


def _weights(group: Group, weight: Floats) -> Floats:
    """How much each of the group's residents teaches."""
    return weight[group.claims.resident[group.starts]]


def _with_likely_mistakes(groups: Sequence[Group], prior: Prior, model: Model, weight: Floats) -> tuple[Model, Prior]:
    """How many wrong values there are to choose from when somebody errs: the number that explains the claims best. Few: one slip of the
    pen is made by many, and agreement on it shows no copying.
    """
    possible = [mistakes for mistakes in MISTAKES if mistakes <= prior.alternatives]
    if prior.values or not possible:  # where nearly all say the same there are not even so many to choose from
        return model, prior
    tried = []
    for mistakes in possible:
        other = replace(model, mistakes=mistakes, errors=_of_many(1 - model.errors[:, 0], mistakes, prior.alternatives))
        tried.append((_evidence(groups, other, weight), mistakes, other))
    _, mistakes, best = max(tried, key=lambda t: t[:2])
    return best, replace(prior, mistakes=mistakes)


def _with_copying(claims: Claims, groups: Sequence[Group], prior: Prior, model: Model, weight: Floats) -> Model:
    """With the copying that shows by this model."""
    each = weight[claims.resident]
    gains = np.empty((len(claims), len(SHARES)))
    first = resident_starts(claims.resident)
    for group in groups:
        sizes = np.diff(np.append(group.starts, len(group.claims)))
        rows = np.repeat(first[group.claims.resident[group.starts]] - group.starts, sizes) + np.arange(len(group.claims))
        gains[rows] = gains_of_claims(group, weigh(group, model)) * each[rows, None]
    found = find_copying(claims, gains, each, prior.verified, prior.undated)
    return replace(model, parent=found.parent, copied=found.share)


def _round(groups: Sequence[Group], prior: Prior, model: Model, weight: Floats) -> Model:
    counts = [_count(group, model, _weights(group, weight)) for group in groups]
    return _improved(model, prior, Counts(**{n: np.sum([getattr(c, n) for c in counts], axis=0) for n in vars(counts[0])}))


def _count(group: Group, model: Model, weight: Floats) -> Counts:
    weighing, cases = weigh(group, model), group.cases
    residents = weighing.posterior * weight[:, None, None]
    posterior = sum(reading.T @ residents[:, pair] for pair, reading in enumerate(group.readings))
    could = cases.says > 0
    copied = np.where(could, model.copied[cases.source], 0.0)[:, None]
    own = posterior * (1 - copied) * weighing.own / weighing.whole
    today = own * weighing.today / weighing.own
    outdated = own - today
    sources, width = len(model.errors), model.errors[0].size
    errors = np.zeros(sources * width)
    for cells, part in ((cases.now, today), (cases.before, outdated)):
        errors += _sums(cases.source * width + cells, part.sum(axis=1), len(errors))
    taken = (posterior - own).sum(axis=1)
    now, before, aged = _count_words(group, model, residents)
    change = [_sums(present_words(group, model).ravel(), residents[:, :, came].ravel(), len(model.change)) for came in range(CHANGES)]
    return Counts(
        errors=errors.reshape(model.errors.shape),
        today=_by_age(cases.source, cases.age, today, sources),
        outdated=_by_age(cases.source, cases.age, outdated, sources),
        copied=_sums(cases.source[could], taken[could], sources),
        could=_sums(cases.source[could], posterior[could].sum(axis=1), sources),
        change=np.stack(change, axis=1),
        now=now,
        before=before,
        aged=aged,
    )


def _sums(place: Whole, weight: Floats, places: int) -> Floats:
    return np.bincount(place, weight, places).astype(np.float64)


def _by_age(source: Whole, age: Whole, part: Floats, sources: int) -> Floats:
    cell = source * (AGES + 1) + age
    columns = [_sums(cell, column, sources * (AGES + 1)) for column in part.T]
    return np.stack(columns, axis=1).reshape(sources, AGES + 1, CHANGES)


def _count_words(group: Group, model: Model, residents: Floats) -> tuple[Floats, Floats, Floats]:
    """How often each value of the vocabulary is the present one, in all and by age, and which was there before, where it changed while
    somebody looked.
    """
    size = len(model.now)
    aged, before = np.zeros((COHORTS, size)), np.zeros((size, size))
    if model.values:
        for place, (today, then) in enumerate(group.pairs):
            share = residents[:, place]
            if today >= 0:
                cell = group.claims.cohort[group.starts] * size + group.word[:, today]
                aged += _sums(cell, share.sum(axis=1), COHORTS * size).reshape(COHORTS, size)
            if today >= 0 and then >= 0:
                cell = group.word[:, today] * size + group.word[:, then]
                before += np.bincount(cell, share[:, :-1].sum(axis=1), size * size).reshape(size, size)
    return aged.sum(axis=0), before, aged


def _improved(model: Model, prior: Prior, counts: Counts) -> Model:
    now = _shares(counts.now + 1.0)
    follows = counts.before + 2.0 * now[None, :]
    np.fill_diagonal(follows, 0.0)
    follows[prior.first] = 1e-9
    undated, ages = _improved_ages(model, prior, counts)
    could = counts.could > 0
    return replace(
        model,
        errors=_emission(counts.errors, prior, now),
        change=_improved_change(counts.change),
        undated=undated,
        ages=ages,
        copied=np.where(could, np.clip((counts.copied + 1) / (counts.could + 4), 0.001, 0.98), model.copied),
        now=now,
        aged=_shares(counts.aged + PRIOR_RESIDENTS * now[None]),
        before=_shares(follows) if model.values else model.before,
    )


def _improved_change(change: Floats) -> Floats:
    """By class of age the share of what had lasted so far, held towards one rate over all; of each value held towards what all do."""
    usual = change.sum(axis=0)
    lengths = np.diff([*AGE_STARTS_DAYS, 2 * AGE_STARTS_DAYS[-1]])
    lasted = _lasted(usual)
    rate = usual[:-1].sum() / (lasted * lengths).sum()
    pull = PRIOR_CHANGES * lasted + 20.0
    of_all = (usual[:-1] + pull * np.minimum(rate * lengths, 0.5)) / (lasted + pull)
    each = (change[:, :-1] + PRIOR_RESIDENTS * of_all) / (_lasted(change) + PRIOR_RESIDENTS)
    each[-1] = of_all
    return _came(each)


def _lasted(change: Floats) -> Floats:
    """How many had the present value before each class of age ended."""
    return np.cumsum(change[..., ::-1], axis=-1)[..., ::-1][..., :-1]


def _came(changed: Floats) -> Floats:
    """When the present value came, from the share of those that change in each class of age."""
    kept = np.cumprod(1 - changed, axis=-1)
    before = np.concatenate([np.ones((*kept.shape[:-1], 1)), kept], axis=-1)
    return np.concatenate([before[..., :-1] * changed, kept[..., -1:]], axis=-1)


def _improved_ages(model: Model, prior: Prior, counts: Counts) -> tuple[Floats, Floats]:
    """How often dates tell nothing, and how old such claims are: what each class of true age would explain of today's and outdated ones."""
    drawn = model.ages @ SEES
    seen = model.seen
    loose = np.concatenate([np.repeat(model.undated[:, None], AGES, axis=1), np.ones((len(drawn), 1))], axis=1)[:, :, None]
    today = counts.today * loose * drawn[:, None] / np.maximum(seen, 1e-12)
    outdated = counts.outdated * loose * (1 - drawn[:, None]) / np.maximum(1 - seen, 1e-12)
    fresh = today.sum(axis=1) / np.maximum(drawn, 1e-12)
    stale = outdated.sum(axis=1) / np.maximum(1 - drawn, 1e-12)
    old = model.ages * (fresh @ SEES.T + stale @ (1 - SEES).T)
    pooled = _shares(old[~prior.verified].sum(axis=0) + 1.0)
    ages = _shares(old + PRIOR_AGES * pooled)
    nothing = (today + outdated)[:, :UNDATED].sum(axis=(1, 2))
    dated = (counts.today + counts.outdated)[:, :UNDATED].sum(axis=(1, 2))
    undated = (nothing + PRIOR_CLAIMS * LOOSE) / (dated + PRIOR_CLAIMS)
    return np.where(prior.undated, 1.0, np.where(prior.verified, 0.0, undated)), ages


def _emission(counts: Floats, prior: Prior, now: Floats) -> Floats:
    """errors of the model from counts; a source with few claims is held towards what is assumed of it, then of all."""
    wrong, said = _wrong_and_said(counts, prior)
    others = ~prior.verified
    usual = (wrong[others].sum() + PRIOR_CLAIMS * prior.error[others].sum()) / (said[others].sum() + PRIOR_CLAIMS * max(others.sum(), 1))
    held = np.where(said > 0, usual, prior.error) if said.sum() else prior.error
    error = np.clip((wrong + PRIOR_CLAIMS * held) / (said + PRIOR_CLAIMS), LEAST, MOST_ERROR)
    error = np.where(prior.verified, VERIFIED_ERROR, error)
    if not prior.values:
        return _of_many(error, prior.mistakes, prior.alternatives)
    return _confusion(counts, error, prior, now)


def _of_many(error: Floats, mistakes: float, alternatives: float) -> Floats:
    """S × 3, as in the model: hardly ever is it a mistake to say what is true at another time."""
    return np.stack([1 - error, error / mistakes, error / (alternatives + 1)], axis=1)


def _wrong_and_said(counts: Floats, prior: Prior) -> tuple[Floats, Floats]:
    if not prior.values:
        return counts[:, 1:].sum(axis=1), counts.sum(axis=1)
    size = len(prior.values)
    square = counts[:, :size]
    right = np.trace(square, axis1=1, axis2=2)
    return square.sum(axis=(1, 2)) - right, square.sum(axis=(1, 2))


def _confusion(counts: Floats, error: Floats, prior: Prior, now: Floats) -> Floats:
    """S × (K + 1) × K: each source's own mistakes, held towards those that all make."""
    size = len(prior.values)
    square = counts[:, :size]
    mistaken = square[~prior.verified].sum(axis=0) + now[None, :]
    np.fill_diagonal(mistaken, 0.0)
    usual = error[:, None, None] * _shares(mistaken)[None] + (1 - error)[:, None, None] * np.eye(size)[None]
    pull = np.where(prior.verified, 1e9, 2 * PRIOR_CLAIMS)[:, None, None]
    each = (square + pull * usual) / (square.sum(axis=2, keepdims=True) + pull)
    impossible = np.where(np.eye(size, dtype=bool), 1.0, NO_EVENT)
    each = np.where(prior.events[:, None, None] & prior.first[None, :, None], impossible[None], each)
    right = np.diagonal(each, axis1=1, axis2=2)
    unsaid = (now @ each - now * right) / np.maximum(1 - now, 1e-6)
    return np.maximum(np.concatenate([each, unsaid[:, None]], axis=1), NO_EVENT)


def _shares(counts: Floats) -> Floats:
    """Along the last axis."""
    return counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1e-300)
