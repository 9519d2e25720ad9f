"""How probable each value is that sources say of a resident, given what was learnt of the sources (law.md §5.3, R-02, R-03).

The model of one element, in the family of Dawid and Skene, with three things more. A value may have changed once, some time ago: whoever
looked before the change saw the older value, so that agreement among old observations is no agreement about today (staleness). A source may
not know when it looked, or stamp its rows: then how old its rows are is a distribution that is learnt. And a source may have taken its
value
over from another: then its agreement with that one proves nothing (copying).

For each resident all readings are weighed: the value now (one that somebody says, or one that nobody says), the value before, and when it
changed. Nothing here looks further than one resident, so the same claims and the same model always give the same probabilities.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

AGE_STARTS_DAYS = (0, 91, 182, 365, 547, 730, 1095, 1460, 1825)
"""Where each class of age begins; a claim of unknown age has the class UNDATED."""

AGES = len(AGE_STARTS_DAYS)
UNDATED = AGES
CHANGES = AGES + 1
"""A value changed while it was in one of the classes of age, or never."""

MOST_VALUES = 6
"""So many different values of one resident are weighed, those with the most claims first; none of further ones becomes golden."""

NEVER = 1e-9
"""How probable it is that a value which people have only at first came back."""

CHUNK_CELLS = 8_000_000
"""So many probabilities are held at once while residents are weighed."""

SEES = np.array([[1.0 if change > age else 0.5 if change == age else 0.0 for change in range(CHANGES)] for age in range(AGES)])
"""Whether somebody who looked so long ago saw today's value, by when it changed: ages × changes."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """What was learnt of one element. Arrays run over its sources S, classes of age, changes and, where the element has few, its values K.

    values     the values of a small vocabulary (the last stands for all others), none where there are many
    errors     emission: with a vocabulary S × (K + 1) × K, how often each is said where each is seen (the last row: a value nobody says);
               without S × 2, a right claim and one particular wrong value
    alternatives, mistakes: how many values there are, and how many wrong ones are likely when somebody errs
    change     when the value last changed: CHANGES, sums to one
    undated    S: how often the stated date tells nothing; 1 where dates are stamped or missing
    ages       S × AGES: how old such claims are
    parent     S: the source it takes values over from, −1 for none; `copied`: how often
    now, before    K and K × K: how frequent values are, and what was there before each
    first          K: values that nobody has again once he had another (未婚)
    events         S: sources that hold events only: what they say stays true of the past, whenever they looked (X-21)
    """

    values: tuple[str, ...]
    alternatives: float
    mistakes: float
    errors: Floats
    change: Floats
    undated: Floats
    ages: Floats
    parent: Whole
    copied: Floats
    now: Floats
    before: Floats
    first: Flags
    events: Flags

    @property
    def seen(self) -> Floats:
        """S × (AGES and UNDATED) × CHANGES: the chance that a claim tells of today's value."""
        drawn = (self.ages @ SEES)[:, None, :]
        loose = self.undated[:, None, None]
        seen = np.concatenate([(1 - loose) * SEES[None] + loose * drawn, drawn], axis=1)
        return np.where(self.events[:, None, None], 1.0, seen)


@dataclass(frozen=True, kw_only=True)
class Claims:
    """What sources say now of some residents about one element: parallel columns, in the order of residents and, within, of sources.

    value: what is said, as a number that stands for it; word: its place in the model's vocabulary, or 0
    """

    resident: Whole
    source: Whole
    age: Whole
    value: npt.NDArray[np.uint64]
    word: Whole
    damaged: Flags

    def __len__(self) -> int:
        return len(self.resident)

    def take(self, rows: npt.NDArray[np.int64] | Flags | slice) -> "Claims":
        return Claims(**{name: column[rows] for name, column in vars(self).items()})


@dataclass(frozen=True, kw_only=True)
class Group:
    """Residents of whom equally many values are said, with every reading laid out: M claims, N residents, P pairs of (now, before).

    starts: first claim of each resident; owner: the resident's row of each claim
    cell_now, cell_before: M × P, place in the source's row of `errors` where now or before is what was seen
    place: M, which of the resident's values the claim says
    parent_says: M, 0 the parent says nothing here, 1 the same, 2 otherwise
    word: N × V vocabulary places of the values (open: 0); value: N × V
    """

    claims: Claims
    starts: Whole
    owner: Whole
    cell_now: Whole
    cell_before: Whole
    place: Whole
    parent_says: Whole
    value: npt.NDArray[np.uint64]
    word: Whole

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        return _pairs(self.value.shape[1])


@dataclass(frozen=True, kw_only=True)
class Beliefs:
    """Of each resident and each value that is said of him: how probable it is, and how many say so who did not copy it from each other."""

    resident: Whole
    value: npt.NDArray[np.uint64]
    p: Floats
    independent: Whole


def believe(claims: Claims, model: Model) -> Beliefs:
    """The probability of each value of each resident; values beyond MOST_VALUES are left out."""
    parts = [_believe_group(group, model) for chunk in _chunks(_whole_ones(claims)) for group in groups_of(chunk, model)]
    parts = parts or [
        Beliefs(resident=np.empty(0, np.int64), value=np.empty(0, np.uint64), p=np.empty(0), independent=np.empty(0, np.int64))
    ]
    return Beliefs(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])})


def _whole_ones(claims: Claims) -> Claims:
    """Without damaged spellings of those of whom somebody gives a whole one: they say nothing against it."""
    if not claims.damaged.any():
        return claims
    starts = resident_starts(claims.resident)
    only_damaged = np.repeat(np.minimum.reduceat(claims.damaged.astype(np.int64), starts) > 0, np.diff(np.append(starts, len(claims))))
    return claims.take(~claims.damaged | only_damaged)


def _believe_group(group: Group, model: Model) -> Beliefs:
    posterior = weigh(group, model).posterior.sum(axis=2)
    now = np.array([now for now, _ in group.pairs])
    p = np.stack([posterior[:, now == place].sum(axis=1) for place in range(group.value.shape[1])], axis=1)
    said = group.place[:, None] == np.arange(group.value.shape[1])[None]
    alone = np.add.reduceat((said & (group.parent_says != 1)[:, None]).astype(np.int64), group.starts, axis=0)
    resident = np.repeat(group.claims.resident[group.starts], group.value.shape[1])
    return Beliefs(resident=resident, value=group.value.ravel(), p=p.ravel(), independent=alone.ravel())


def _chunks(claims: Claims) -> Iterator[Claims]:
    """Stretches of whole residents."""
    if not len(claims):
        return
    step = CHUNK_CELLS // (CHANGES * 4)
    starts = resident_starts(claims.resident)
    cuts = np.unique(starts[np.searchsorted(starts, np.arange(0, len(claims), step), side="right") - 1])
    for first, last in zip(cuts, [*cuts[1:], len(claims)], strict=True):
        yield claims.take(slice(first, last))


def resident_starts(resident: Whole) -> Whole:
    return np.flatnonzero(np.concatenate([[True], resident[1:] != resident[:-1]]))


def groups_of(claims: Claims, model: Model) -> Iterator[Group]:
    """The residents by how many values are said of them."""
    if not len(claims):
        return
    starts = resident_starts(claims.resident)
    sizes = np.diff(np.append(starts, len(claims)))
    owner = np.repeat(np.arange(len(starts)), sizes)
    several = np.minimum.reduceat(claims.value, starts) != np.maximum.reduceat(claims.value, starts)
    counts = np.ones(len(starts), np.int64)
    place = np.zeros(len(claims), np.int64)
    rows = np.flatnonzero(several[owner])
    if len(rows):
        place[rows], counts[several] = _places(owner[rows], claims.value[rows])
    says = _parent_says(claims, owner, place, model)
    for count in np.unique(np.minimum(counts, MOST_VALUES)):
        mine = np.flatnonzero(np.minimum(counts, MOST_VALUES)[owner] == count)
        yield _laid_out(claims.take(mine), owner[mine], place[mine], says[mine], int(count), model)


def _places(owner: Whole, value: npt.NDArray[np.uint64]) -> tuple[Whole, Whole]:
    """Of each claim the place of its value among the resident's, most claimed first; and how many values each resident has."""
    order = np.lexsort((value, owner))
    new = np.concatenate([[True], (owner[order][1:] != owner[order][:-1]) | (value[order][1:] != value[order][:-1])])
    firsts = np.flatnonzero(new)
    claimed = np.diff(np.append(firsts, len(order)))
    whose = owner[order][firsts]
    ranked = np.lexsort((value[order][firsts], -claimed, whose))
    begins = resident_starts(whose[ranked])
    counts = np.diff(np.append(begins, len(ranked)))
    places = np.empty(len(ranked), np.int64)
    places[ranked] = np.arange(len(ranked)) - np.repeat(begins, counts)
    back = np.empty(len(order), np.int64)
    back[order] = places[np.cumsum(new) - 1]
    return back, counts


def _parent_says(claims: Claims, owner: Whole, place: Whole, model: Model) -> Whole:
    """0 where the source that each claim's source copies says nothing of this resident, 1 where it says the same, 2 otherwise."""
    says = np.zeros(len(claims), np.int64)
    parent = model.parent[claims.source]
    sources = len(model.parent)
    keys = owner * sources + claims.source
    asked = np.flatnonzero(parent >= 0)
    found = np.minimum(np.searchsorted(keys, owner[asked] * sources + parent[asked]), len(keys) - 1)
    there = keys[found] == owner[asked] * sources + parent[asked]
    says[asked[there]] = np.where(place[found[there]] == place[asked[there]], 1, 2)
    return says


def _laid_out(claims: Claims, owner: Whole, place: Whole, says: Whole, count: int, model: Model) -> Group:
    starts = resident_starts(owner)
    row = np.cumsum(np.concatenate([[0], owner[1:] != owner[:-1]]))
    value, word = np.zeros((len(starts), count), np.uint64), np.zeros((len(starts), count), np.int64)
    kept = place < count
    for table, column in ((value, claims.value), (word, claims.word)):
        table[row[kept], place[kept]] = column[kept]
    cells = [_cells(model, claims, row, place, word, [pair[side] for pair in _pairs(count)]) for side in (0, 1)]
    return Group(
        claims=claims,
        starts=starts,
        owner=row,
        cell_now=cells[0],
        cell_before=cells[1],
        place=place,
        parent_says=says,
        value=value,
        word=word,
    )


def _cells(model: Model, claims: Claims, row: Whole, place: Whole, word: Whole, truths: list[int]) -> Whole:
    """M × P: where a claim stands in its source's row of `errors` if the value at each of `truths` was seen; −1: one that nobody says."""
    if not model.values:
        return np.stack([(place != truth).astype(np.int64) for truth in truths], axis=1)
    size = len(model.values)
    return np.stack([(word[row, truth] if truth >= 0 else size) * size + claims.word for truth in truths], axis=1)


@cache
def _pairs(count: int) -> tuple[tuple[int, int], ...]:
    """(now, before) over the places of the values said and −1 for one that nobody says; two unsaid ones differ."""
    places = [*range(count), -1]
    return tuple((now, before) for now in places for before in places if now != before or now < 0)


@dataclass(frozen=True, kw_only=True)
class Weighing:
    """posterior: N × P × CHANGES; the rest by claim (M × P × CHANGES), as learning needs it: how likely a claim of its own was, its part of
    today's value, and with what could be copied."""

    posterior: Floats
    evidence: float
    own: Floats
    today: Floats
    whole: Floats


def weigh(group: Group, model: Model) -> Weighing:
    source = group.claims.source
    errors = model.errors.reshape(len(model.errors), -1)
    seen = model.seen[source, group.claims.age][:, None, :]
    today = seen * errors[source[:, None], group.cell_now][:, :, None]
    own = today + (1 - seen) * errors[source[:, None], group.cell_before][:, :, None]
    copied = np.where(group.parent_says > 0, model.copied[source], 0.0)[:, None, None]
    whole = copied * (group.parent_says == 1)[:, None, None] + (1 - copied) * own
    joint = np.add.reduceat(np.log(whole), group.starts, axis=0) + log_prior(group, model)
    top = joint.max(axis=(1, 2), keepdims=True)
    joint = np.exp(joint - top)
    total = joint.sum(axis=(1, 2), keepdims=True)
    return Weighing(posterior=joint / total, evidence=float((np.log(total) + top).sum()), own=own, today=today, whole=whole)


def log_prior(group: Group, model: Model) -> Floats:
    """N × P × CHANGES: how likely each reading is before anybody says anything."""
    now = np.array([pair[0] for pair in group.pairs])
    before = np.array([pair[1] for pair in group.pairs])
    prior = _prior_of_words(group, model, now, before) if model.values else _prior_of_many(group, model, now, before)
    joint = prior[:, :, None] + np.log(model.change)
    if model.first.any():
        never = np.append(np.full(CHANGES - 1, np.log(NEVER)), 0.0)
        joint = joint + np.where((now >= 0) & model.first[group.word[:, now]], 1.0, 0.0)[:, :, None] * never
    return joint


def _prior_of_many(group: Group, model: Model, now: Whole, before: Whole) -> Floats:
    """All values alike: each one of `alternatives` and one more. What is said and never was true must be one of the likely mistakes."""
    said, k = group.value.shape[1], model.alternatives + 1
    unsaid = max(k - said, 0.01)
    mistaken = said - (now >= 0) - (before >= 0)
    prior = np.where(now >= 0, 1.0, unsaid) / k * np.where(before >= 0, 1.0, unsaid) / k * (model.mistakes / k) ** mistaken
    return np.broadcast_to(np.log(prior), (len(group.value), len(now)))


def _prior_of_words(group: Group, model: Model, now: Whole, before: Whole) -> Floats:
    """As frequent as they are, and as one follows the other."""
    size = len(model.values)
    unsaid_now = np.maximum(1 - model.now[group.word].sum(axis=1), 1e-6)[:, None]
    first = np.where(now >= 0, model.now[group.word[:, now]], unsaid_now)
    rows = np.concatenate([model.before, model.now[None]])
    where = np.where(now >= 0, group.word[:, now], size)
    follows = rows[where]  # N × P × K
    named = np.take_along_axis(follows, group.word[:, before][:, :, None], axis=2)[:, :, 0]
    said = np.take_along_axis(follows, np.broadcast_to(group.word[:, None, :], (*where.shape, group.word.shape[1])), axis=2).sum(axis=2)
    second = np.where(before >= 0, named, np.maximum(1 - said, 1e-6))
    return np.log(np.maximum(first * second, 1e-12))
