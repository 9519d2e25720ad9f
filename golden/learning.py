"""Learning the model of one element from what sources say, without knowing the truth: expectation and maximisation (law.md R-02, R-03).

Verified observations take part as one more source that is all but always right; what is learnt from the residents they tell of weighs more,
because there the others are judged by the truth and not by each other.
"""

from dataclasses import dataclass, replace

import numpy as np

from golden.believing import (
    AGE_STARTS_DAYS,
    AGES,
    CHANGES,
    SEES,
    UNDATED,
    Claims,
    Flags,
    Floats,
    Group,
    Model,
    Whole,
    groups_of,
    resident_starts,
    weigh,
)
from golden.copying import SHARES, find_copying, gains_of_claims

ROUNDS_ALONE, ROUNDS = 8, 16
"""Rounds before copies are looked for, and after."""

NO_EVENT = 1e-6
"""How often a source that holds events only has one of somebody who had none, and any other mistake that nobody was seen to make."""

CHECKED_WEIGHT = 10.0
"""A resident with a verified observation teaches as much as so many others."""

VERIFIED_ERROR = 0.004
PRIOR_CLAIMS = 10.0
"""So many claims is what is believed of a source before anything was learnt."""

PRIOR_AGES, PRIOR_CHANGES = 20.0, 3.0
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
        errors=np.zeros((sources, size + 1, size) if size else (sources, 2)),
        change=_lasting(prior.half_life_days, lengths),
        undated=np.where(prior.undated, 1.0, np.where(prior.verified, 0.0, LOOSE)),
        ages=np.tile(drawn / drawn.sum(), (sources, 1)),
        parent=np.full(sources, -1),
        copied=np.zeros(sources),
        now=yearly,
        before=_shares(np.ones((len(yearly), len(yearly))) - np.eye(len(yearly))),
        first=prior.first,
        events=prior.events,
    )
    return replace(model, errors=_emission(np.zeros_like(model.errors), prior, model.now))


def _lasting(half_life_days: float | None, lengths: Floats) -> Floats:
    """When a value last changed if half of all change in that time; without a half life hardly any does."""
    kept = np.exp2(-lengths / half_life_days) if half_life_days else np.full(AGES, 0.9995)
    lasted = np.concatenate([[1.0], np.cumprod(kept)])
    return np.append(lasted[:-1] * (1 - kept), lasted[-1])


def learn(claims: Claims, prior: Prior) -> Model:
    """The model that explains the claims best. Claims of all sources, one per resident and source."""
    model, claims = first_model(prior), _of_several(claims.take(~claims.damaged))
    if not len(claims):
        return model
    weight = _weights(claims, prior)
    for _ in range(ROUNDS_ALONE):
        model = _round(claims, prior, model, weight)
    model, prior = _with_likely_mistakes(claims, prior, model)
    model = _with_copying(claims, prior, model, weight)
    for _ in range(ROUNDS):
        model = _round(claims, prior, model, weight)
    return model


def _of_several(claims: Claims) -> Claims:
    """Without residents of whom one source alone speaks: they agree with whatever is believed, and only slow learning down."""
    if not len(claims):
        return claims
    sizes = np.diff(np.append(resident_starts(claims.resident), len(claims)))
    return claims.take(np.repeat(sizes > 1, sizes))


def _weights(claims: Claims, prior: Prior) -> Floats:
    """By claim: how much its resident teaches."""
    starts = resident_starts(claims.resident)
    checked = np.maximum.reduceat(prior.verified[claims.source].astype(np.int64), starts)
    weight = np.where(checked > 0, CHECKED_WEIGHT, 1.0)
    return np.repeat(weight, np.diff(np.append(starts, len(claims))))


def _with_likely_mistakes(claims: Claims, prior: Prior, model: Model) -> tuple[Model, Prior]:
    """How many wrong values there are to choose from when somebody errs: the number that explains the claims best. Few: one slip of the
    pen is made by many, and agreement on it shows no copying.
    """
    possible = [mistakes for mistakes in MISTAKES if mistakes <= prior.mistakes]
    if prior.values or not possible:  # where nearly all say the same there are not even so many to choose from
        return model, prior
    groups = list(groups_of(claims, model))
    tried = []
    for mistakes in possible:
        other = replace(model, mistakes=mistakes, errors=np.stack([model.errors[:, 0], (1 - model.errors[:, 0]) / mistakes], axis=1))
        tried.append((sum(weigh(group, other).evidence for group in groups), mistakes, other))
    _, mistakes, best = max(tried, key=lambda t: t[:2])
    return best, replace(prior, mistakes=mistakes)


def _with_copying(claims: Claims, prior: Prior, model: Model, weight: Floats) -> Model:
    gains = np.empty((len(claims), len(SHARES)))
    for group, rows in _numbered_groups(claims, model):
        gains[rows] = gains_of_claims(group, weigh(group, model)) * weight[rows, None]
    found = find_copying(claims, gains, weight, prior.verified, prior.undated)
    return replace(model, parent=found.parent, copied=found.share)


def _numbered_groups(claims: Claims, model: Model) -> list[tuple[Group, Whole]]:
    """Each group with the rows of its claims."""
    place = {int(resident): start for resident, start in zip(*_firsts(claims), strict=True)}
    found = []
    for group in groups_of(claims, model):
        sizes = np.diff(np.append(group.starts, len(group.claims)))
        first = np.array([place[int(r)] for r in group.claims.resident[group.starts]])
        found.append((group, np.repeat(first - group.starts, sizes) + np.arange(len(group.claims))))
    return found


def _firsts(claims: Claims) -> tuple[Whole, Whole]:
    starts = resident_starts(claims.resident)
    return claims.resident[starts], starts


def _round(claims: Claims, prior: Prior, model: Model, weight: Floats) -> Model:
    counts = None
    for group, rows in _numbered_groups(claims, model):
        mine = _count(group, model, weight[rows])
        counts = mine if counts is None else Counts(**{n: getattr(counts, n) + getattr(mine, n) for n in vars(mine)})
    assert counts is not None
    return _improved(model, prior, counts)


def _count(group: Group, model: Model, weight: Floats) -> Counts:
    weighing = weigh(group, model)
    source, age = group.claims.source, group.claims.age
    posterior = weighing.posterior[group.owner] * weight[:, None, None]
    could = group.parent_says > 0
    copied = np.where(could, model.copied[source], 0.0)[:, None, None]
    own = posterior * (1 - copied) * weighing.own / weighing.whole
    today = own * weighing.today / weighing.own
    outdated = own - today
    width = model.errors[0].size
    errors = np.zeros(len(model.errors) * width)
    for cells, part in ((group.cell_now, today), (group.cell_before, outdated)):
        errors += np.bincount((source[:, None] * width + cells).ravel(), part.sum(axis=2).ravel(), len(errors))
    taken = (posterior - own).sum(axis=(1, 2))
    residents = weighing.posterior * weight[group.starts][:, None, None]
    now, before = _count_words(group, model, residents)
    return Counts(
        errors=errors.reshape(model.errors.shape),
        today=_by_age(source, age, today, len(model.errors)),
        outdated=_by_age(source, age, outdated, len(model.errors)),
        copied=_sums(source[could], taken[could], len(model.errors)),
        could=_sums(source[could], weight[could], len(model.errors)),
        change=residents.sum(axis=(0, 1)),
        now=now,
        before=before,
    )


def _sums(place: Whole, weight: Floats, places: int) -> Floats:
    return np.bincount(place, weight, places).astype(np.float64)


def _by_age(source: Whole, age: Whole, part: Floats, sources: int) -> Floats:
    cell = source * (AGES + 1) + age
    columns = [_sums(cell, column, sources * (AGES + 1)) for column in part.sum(axis=1).T]
    return np.stack(columns, axis=1).reshape(sources, AGES + 1, CHANGES)


def _count_words(group: Group, model: Model, residents: Floats) -> tuple[Floats, Floats]:
    """How often each value of the vocabulary is the present one, and which was there before, where it changed while somebody looked."""
    size = len(model.now)
    now, before = np.zeros(size), np.zeros((size, size))
    if model.values:
        for place, (today, then) in enumerate(group.pairs):
            share = residents[:, place]
            if today >= 0:
                now += np.bincount(group.word[:, today], share.sum(axis=1), size)
            if today >= 0 and then >= 0:
                cell = group.word[:, today] * size + group.word[:, then]
                before += np.bincount(cell, share[:, :-1].sum(axis=1), size * size).reshape(size, size)
    return now, before


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
        before=_shares(follows) if model.values else model.before,
    )


def _improved_change(change: Floats) -> Floats:
    """By class of age the share of what had lasted so far, held towards one rate over all classes."""
    lengths = np.diff([*AGE_STARTS_DAYS, 2 * AGE_STARTS_DAYS[-1]])
    lasted = np.cumsum(change[::-1])[::-1][:-1]
    rate = change[:-1].sum() / (lasted * lengths).sum()
    pull = PRIOR_CHANGES * lasted + 20.0
    changed = (change[:-1] + pull * np.minimum(rate * lengths, 0.5)) / (lasted + pull)
    kept = np.concatenate([[1.0], np.cumprod(1 - changed)])
    return np.append(kept[:-1] * changed, kept[-1])


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
        return np.stack([1 - error, error / prior.mistakes], axis=1)
    return _confusion(counts, error, prior, now)


def _wrong_and_said(counts: Floats, prior: Prior) -> tuple[Floats, Floats]:
    if not prior.values:
        return counts[:, 1], counts.sum(axis=1)
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
