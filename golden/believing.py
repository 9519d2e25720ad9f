"""How probable each value is that sources say of a resident, given what was learnt of the sources (law.md §5.3, R-02, R-03).

The model of one element, in the family of Dawid and Skene, with three things more. A value may have changed once, some time ago: whoever
looked before the change saw the older value, so that agreement among old observations is no agreement about today (staleness). A source may
not know when it looked, or stamp its rows: then how old its rows are is a distribution that is learnt. And a source may have taken its
value
over from another: then its agreement with that one proves nothing (copying).

For each resident all readings are weighed: the value now (one that somebody says, or one that nobody says), the value before, and when it
changed. Nothing here looks further than one resident, so the same claims and the same model always give the same probabilities. Residents
of whom the same sources speak, as long ago, with the same ones agreeing, have one pattern, and each pattern is weighed once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

AGE_STARTS_DAYS = (0, 91, 182, 365, 547, 730, 1095, 1460, 1825)
"""Where each class of age begins; a claim of unknown age has the class UNDATED."""

AGES = len(AGE_STARTS_DAYS)
UNDATED = AGES
CHANGES = AGES + 1
"""A value changed while it was in one of the classes of age, or never."""

COHORTS = 10
"""Ages of residents in tens of years, the last for all older ones; 0: the age is not known."""

MOST_VALUES = 6
"""So many different values of one resident are weighed, those with the most claims first; none of further ones becomes golden."""

MOST_CLAIMED = 64
"""Places of values beyond it are not told apart."""

NEVER = 1e-9
"""How probable it is that a value which people have only at first came back."""

CHUNK_CLAIMS, CHUNK_CELLS = 4_000_000, 8_000_000
"""So many claims are looked at at once for their patterns, and so many probabilities are held while patterns are weighed."""

SEES = np.array([[1.0 if change > age else 0.5 if change == age else 0.0 for change in range(CHANGES)] for age in range(AGES)])
"""Whether somebody who looked so long ago saw today's value, by when it changed: ages × changes."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """What was learnt of one element. Arrays run over its sources S, classes of age, changes and, where the element has few, its values K.

    values     the values of a small vocabulary (the last stands for all others), none where there are many
    errors     emission: with a vocabulary S × (K + 1) × K, how often each is said where each is seen (the last row: a value nobody says);
               without S × 3, a right claim, one particular of the likely mistakes, and by mistake what is true at another time
    alternatives, mistakes: how many values there are, and how many wrong ones are likely when somebody errs
    change     (K + 1) × CHANGES, when a value came to be the present one, the last row for one that nobody says; each sums to one
    undated    S: how often the stated date tells nothing; 1 where dates are stamped or missing
    ages       S × AGES: how old such claims are
    parent     S: the source it takes values over from, −1 for none; `copied`: how often
    now, before    K and K × K: how frequent values are, and what was there before each
    aged           COHORTS × K: how frequent they are among residents of an age
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
    aged: Floats
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

    value: what is said, as a number that stands for it; word: its place in the model's vocabulary, or 0; cohort: the resident's
    """

    resident: Whole
    source: Whole
    age: Whole
    value: npt.NDArray[np.uint64]
    word: Whole
    damaged: Flags
    cohort: Whole

    def __len__(self) -> int:
        return len(self.resident)

    def take(self, rows: npt.NDArray[np.int64] | Flags | slice) -> "Claims":
        return Claims(**{name: column[rows] for name, column in vars(self).items()})


@dataclass(frozen=True, kw_only=True)
class Cases:
    """What a claim can be under a reading, each once: parallel columns.

    says: 0 the source's parent says nothing of the resident, 1 the same, 2 otherwise
    now, before: place in the source's row of `errors` where the value now or before is what was seen
    """

    source: Whole
    age: Whole
    says: Whole
    now: Whole
    before: Whole


@dataclass(frozen=True, kw_only=True)
class Group:
    """Residents of whom equally many values are said, with every reading laid out: M claims, N residents, P pairs of (now, before).

    starts: first claim of each resident; owner: the resident's row of each claim; place: which of the resident's values the claim says
    parent_says: M, as in Cases
    readings: P times N × cases, which cases the resident's claims are under the reading
    word: N × V vocabulary places of the values (open: 0)
    """

    claims: Claims
    starts: Whole
    owner: Whole
    place: Whole
    parent_says: Whole
    cases: Cases
    readings: tuple[csr_array, ...]
    word: Whole

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        return _pairs(self.word.shape[1])


@dataclass(frozen=True, kw_only=True)
class Patterns:
    """Residents by the pattern of their claims.

    claims: each pattern once, as claims of one resident each, `resident` the pattern's number, `value` the place among his values
    whose: the row of the resident who stands for the pattern; of: the pattern of every resident
    value: every resident's values by place, as many as `counts`, at most MOST_VALUES
    """

    claims: Claims
    whose: Whole
    of: Whole
    value: npt.NDArray[np.uint64]
    counts: Whole


@dataclass(frozen=True, kw_only=True)
class Beliefs:
    """Of each resident and each value that is said of him: how probable it is, and how many say so who did not copy it from each other."""

    resident: Whole
    value: npt.NDArray[np.uint64]
    p: Floats
    independent: Whole


def believe(claims: Claims, model: Model) -> Beliefs:
    """The probability of each value of each resident; values beyond MOST_VALUES are left out."""
    parts = [_believe(chunk, model) for chunk in _chunks(_whole_ones(claims), CHUNK_CLAIMS)]
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


def _believe(claims: Claims, model: Model) -> Beliefs:
    found = patterns_of(claims)
    patterns = found.claims
    p = np.zeros((len(resident_starts(patterns.resident)), MOST_VALUES))
    alone = np.zeros(p.shape, np.int64)
    for part in _chunks(patterns, CHUNK_CELLS // (CHANGES * 4)):
        for group in groups_of(part, model):
            rows, said = group.claims.resident[group.starts], group.word.shape[1]
            p[rows, :said], alone[rows, :said] = _weighed(group, model)
    there = np.arange(MOST_VALUES)[None] < found.counts[:, None]
    resident = np.repeat(claims.resident[resident_starts(claims.resident)], there.sum(axis=1))
    return Beliefs(resident=resident, value=found.value[there], p=p[found.of][there], independent=alone[found.of][there])


def _weighed(group: Group, model: Model) -> tuple[Floats, Whole]:
    """N × V: the probability of each value, and how many say it who did not copy it from another."""
    posterior = weigh(group, model).posterior.sum(axis=2)
    now = np.array([now for now, _ in group.pairs])
    values = np.arange(group.word.shape[1])
    p = np.stack([posterior[:, now == value].sum(axis=1) for value in values], axis=1)
    said = (group.place[:, None] == values[None]) & (group.parent_says != 1)[:, None]
    return p, np.add.reduceat(said.astype(np.int64), group.starts, axis=0)


def _chunks(claims: Claims, size: int) -> Iterator[Claims]:
    """Stretches of whole residents."""
    if not len(claims):
        return
    starts = resident_starts(claims.resident)
    cuts = np.unique(starts[np.searchsorted(starts, np.arange(0, len(claims), size), side="right") - 1])
    for first, last in zip(cuts, [*cuts[1:], len(claims)], strict=True):
        yield claims.take(slice(first, last))


def resident_starts(resident: Whole) -> Whole:
    return np.flatnonzero(np.concatenate([[True], resident[1:] != resident[:-1]]))


def patterns_of(claims: Claims) -> Patterns:
    """Each pattern once, as the claims of the first resident who has it; patterns are numbered in the order of these residents.

    A pattern is told by a sum of hashes over the resident's claims; two of a million patterns are taken for one in one of 10⁷ cases.
    """
    starts = resident_starts(claims.resident)
    owner = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(claims))))
    place, counts = _places(claims, starts, owner)
    about = (claims.word * MOST_CLAIMED + np.minimum(place, MOST_CLAIMED - 1)) * COHORTS + claims.cohort
    said = (about * (AGES + 1) + claims.age) << 16 | claims.source
    of, _ = pd.factorize(np.add.reduceat(_mixed(said.astype(np.uint64)), starts))
    kept = np.flatnonzero(np.diff(np.maximum.accumulate(of), prepend=-1))
    value = np.zeros((len(starts), MOST_VALUES), np.uint64)
    weighed = place < MOST_VALUES
    value[owner[weighed], place[weighed]] = claims.value[weighed]
    mine = np.zeros(len(starts), np.bool_)
    mine[kept] = True
    patterns = claims.take(mine[owner])
    numbered = np.repeat(np.arange(len(kept)), np.diff(np.append(starts, len(claims)))[kept])
    return Patterns(
        claims=replace(patterns, resident=numbered, value=place[mine[owner]].astype(np.uint64)),
        whose=kept,
        of=of.astype(np.int64),
        value=value,
        counts=np.minimum(counts, MOST_VALUES),
    )


def _mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Numbers spread over all 64 bits (splitmix64), 0 too: a claim that hashed to nothing would be overlooked in a sum."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        numbers = (numbers ^ (numbers >> np.uint64(shift))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(31))


def _places(claims: Claims, starts: Whole, owner: Whole) -> tuple[Whole, Whole]:
    """Of each claim the place of its value among the resident's, most claimed first, then by word, then by who says it; and how many
    values each resident has.
    """
    place, counts = np.zeros(len(claims), np.int64), np.ones(len(starts), np.int64)
    several = np.minimum.reduceat(claims.value, starts) != np.maximum.reduceat(claims.value, starts)
    rows = np.flatnonzero(several[owner])
    if not len(rows):
        return place, counts
    whose, value = owner[rows], claims.value[rows]
    order = np.lexsort((rows, value, whose))
    new = np.concatenate([[True], (whose[order][1:] != whose[order][:-1]) | (value[order][1:] != value[order][:-1])])
    firsts = np.flatnonzero(new)
    claimed = np.diff(np.append(firsts, len(order)))
    holder = whose[order][firsts]
    ranked = np.lexsort((rows[order][firsts], claims.word[rows][order][firsts], -claimed, holder))
    begins = resident_starts(holder[ranked])
    counts[several] = np.diff(np.append(begins, len(ranked)))
    places = np.empty(len(ranked), np.int64)
    places[ranked] = np.arange(len(ranked)) - np.repeat(begins, counts[several])
    place[rows[order]] = places[np.cumsum(new) - 1]
    return place, counts


def groups_of(patterns: Claims, model: Model) -> Iterator[Group]:
    """The residents by how many values are said of them; `value` of these claims is the place of the value among the resident's."""
    if not len(patterns):
        return
    starts = resident_starts(patterns.resident)
    owner = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(patterns))))
    place = patterns.value.astype(np.int64)
    said = np.minimum(np.maximum.reduceat(place, starts) + 1, MOST_VALUES)
    says = _parent_says(patterns, owner, place, model)
    for count in np.unique(said):
        mine = np.flatnonzero(said[owner] == count)
        yield _laid_out(patterns.take(mine), place[mine], says[mine], int(count), model)


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


def _laid_out(claims: Claims, place: Whole, says: Whole, count: int, model: Model) -> Group:
    starts = resident_starts(claims.resident)
    row = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(claims))))
    word = np.zeros((len(starts), count), np.int64)
    kept = place < count
    word[row[kept], place[kept]] = claims.word[kept]
    pairs = _pairs(count)
    now, before = _cells(model, claims, row, place, word, pairs), _cells(model, claims, row, place, word, [(b, a) for a, b in pairs])
    cases, case = _cases(claims, says, now, before, model.errors[0].size)
    ends = np.append(starts, len(claims))
    readings = tuple(
        csr_array((np.ones(len(claims)), case[:, pair], ends), shape=(len(starts), len(cases.source))) for pair in range(case.shape[1])
    )
    return Group(claims=claims, starts=starts, owner=row, place=place, parent_says=says, cases=cases, readings=readings, word=word)


def _cells(model: Model, claims: Claims, row: Whole, place: Whole, word: Whole, truths: Sequence[tuple[int, int]]) -> Whole:
    """M × P: where a claim stands in its source's row of `errors` if the first of two values was seen (−1: one that nobody says)."""
    if not model.values:
        return np.stack([np.where(place == seen, 0, np.where(place == other, 2, 1)) for seen, other in truths], axis=1)
    size = len(model.values)
    return np.stack([(word[row, seen] if seen >= 0 else size) * size + claims.word for seen, _ in truths], axis=1)


def _cases(claims: Claims, says: Whole, now: Whole, before: Whole, width: int) -> tuple[Cases, Whole]:
    """The cases, and which one each claim is under each reading (M × P)."""
    about = ((claims.source * (AGES + 1) + claims.age) * 3 + says)[:, None]
    codes, case = np.unique((about * width + now) * width + before, return_inverse=True)
    about, seen = np.divmod(codes, width * width)
    whose, told = np.divmod(about, 3)
    source, age = np.divmod(whose, AGES + 1)
    cell, past = np.divmod(seen, width)
    return Cases(source=source, age=age, says=told, now=cell, before=past), case.reshape(now.shape)


@cache
def _pairs(count: int) -> tuple[tuple[int, int], ...]:
    """(now, before) over the places of the values said and −1 for one that nobody says; two unsaid ones differ."""
    places = [*range(count), -1]
    return tuple((now, before) for now in places for before in places if now != before or now < 0)


@dataclass(frozen=True, kw_only=True)
class Weighing:
    """posterior: N × P × CHANGES; evidence: N; by case × CHANGES, as learning needs it: how likely a claim of its own was, its part of
    today's value, and with what could be copied."""

    posterior: Floats
    evidence: Floats
    own: Floats
    today: Floats
    whole: Floats


def weigh(group: Group, model: Model) -> Weighing:
    cases = group.cases
    errors = model.errors.reshape(len(model.errors), -1)
    seen = model.seen[cases.source, cases.age]
    today = seen * errors[cases.source, cases.now][:, None]
    own = today + (1 - seen) * errors[cases.source, cases.before][:, None]
    copied = np.where(cases.says > 0, model.copied[cases.source], 0.0)[:, None]
    whole = copied * (cases.says == 1)[:, None] + (1 - copied) * own
    logs, joint = np.log(whole), log_prior(group, model)
    for pair, reading in enumerate(group.readings):
        joint[:, pair] += reading @ logs
    top = joint.max(axis=(1, 2), keepdims=True)
    joint = np.exp(joint - top)
    total = joint.sum(axis=(1, 2), keepdims=True)
    return Weighing(posterior=joint / total, evidence=(np.log(total) + top)[:, 0, 0], own=own, today=today, whole=whole)


def log_prior(group: Group, model: Model) -> Floats:
    """N × P × CHANGES: how likely each reading is before anybody says anything."""
    now = np.array([pair[0] for pair in group.pairs])
    before = np.array([pair[1] for pair in group.pairs])
    prior = _prior_of_words(group, model, now, before) if model.values else _prior_of_many(group, model, now, before)
    came = np.log(model.change)[present_words(group, model)]
    if model.first.any():
        never = np.append(np.full(CHANGES - 1, np.log(NEVER)), 0.0)
        came = came + np.where((now >= 0) & model.first[group.word[:, now]], 1.0, 0.0)[:, :, None] * never
    return prior[:, :, None] + came


def present_words(group: Group, model: Model) -> Whole:
    """N × P: the row of `change` of the value now."""
    now = np.array([pair[0] for pair in group.pairs])
    size = len(model.values)
    return np.where(now >= 0, group.word[:, now], size) if size else np.zeros((len(group.word), len(now)), np.int64)


def _prior_of_many(group: Group, model: Model, now: Whole, before: Whole) -> Floats:
    """All values alike: each one of `alternatives` and one more. What is said and never was true must be one of the likely mistakes."""
    said, k = group.word.shape[1], model.alternatives + 1
    unsaid = max(k - said, 0.01)
    mistaken = said - (now >= 0) - (before >= 0)
    prior = np.where(now >= 0, 1.0, unsaid) / k * np.where(before >= 0, 1.0, unsaid) / k * (model.mistakes / k) ** mistaken
    return np.broadcast_to(np.log(prior), (len(group.word), len(now)))


def _prior_of_words(group: Group, model: Model, now: Whole, before: Whole) -> Floats:
    """As frequent as they are, and as one follows the other."""
    size = len(model.values)
    of_now = np.take_along_axis(model.aged[group.claims.cohort[group.starts]], group.word, axis=1)  # N × V
    first = np.where(now >= 0, of_now[:, now], np.maximum(1 - of_now.sum(axis=1), 1e-6)[:, None])
    rows = np.concatenate([model.before, model.now[None]])
    where = np.where(now >= 0, group.word[:, now], size)
    follows = rows[where]  # N × P × K
    named = np.take_along_axis(follows, group.word[:, before][:, :, None], axis=2)[:, :, 0]
    said = np.take_along_axis(follows, np.broadcast_to(group.word[:, None, :], (*where.shape, group.word.shape[1])), axis=2).sum(axis=2)
    second = np.where(before >= 0, named, np.maximum(1 - said, 1e-6))
    return np.log(np.maximum(first * second, 1e-12))
