"""What one department holds of one block's residents: whom, as of when, in which words, with which errors, and all errors noted."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from district.addresses import SPELLINGS, spell
from district.areas import Areas
from district.coverage import COVERS
from district.person_sets import KEY, Column, PersonSet
from district.residents import Residents
from district.texts import NEVER, Numbers, Texts, dates, join, numbered, patched, pick, words
from district.timelines import ALWAYS

KEYS_PER_BLOCK = 10**6
_TIMES = words([f" {8 + n % 10:02d}:{n * 7 % 60:02d}:{n * 13 % 60:02d}" for n in range(600)])


@dataclass(frozen=True, kw_only=True)
class Mark:
    """An error or difficulty: the pattern, the column, and the rows that show it."""

    pattern: str
    column: str
    rows: Numbers


@dataclass(kw_only=True)
class Scene:
    """One block while its departments' views are made, one after another, so that later ones can copy from earlier ones."""

    residents: Residents
    areas: Areas
    views: dict[str, "View"] = field(default_factory=dict)
    spelt: dict[str, Texts] = field(default_factory=dict)

    def addresses(self, spelling: str) -> Texts:
        if spelling not in self.spelt:
            self.spelt[spelling] = spell(self.areas, self.residents.dwellings.addresses, SPELLINGS[spelling])
        return self.spelt[spelling]


@dataclass(kw_only=True)
class View:
    """Rows of one data set while they are written. `who` are rows of the block's residents.

    `taken` says which cells already show an error, `copied` which came from another department.
    """

    scene: Scene
    spec: PersonSet
    rng: np.random.Generator
    who: Numbers
    observed: Numbers
    keys: Texts
    columns: dict[str, Texts] = field(default_factory=dict)
    taken: dict[str, Numbers] = field(default_factory=dict)
    copied: dict[str, Numbers] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.who)

    @property
    def residents(self) -> Residents:
        return self.scene.residents

    @cached_property
    def row_of(self) -> Numbers:
        """Row of each resident, −1 for who is not here."""
        rows = np.full(len(self.residents), -1)
        rows[self.who] = np.arange(len(self.who))
        return rows

    def wants(self, pattern: str) -> bool:
        return pattern in self.residents.plan.patterns

    def seen(self, element: str, rows: Numbers) -> Texts:
        """What was true of the residents in these rows on the day they were looked at."""
        return self.residents.timelines[element].seen(self.who[rows], self.observed[rows])

    def mark(self, pattern: str, column: str, rows: Numbers) -> None:
        if len(rows):
            self.marks.append(Mark(pattern=pattern, column=column, rows=rows))

    def rewrite(self, pattern: str, column: str, rows: Numbers, texts: Texts) -> None:
        """Put an error into some cells; empty texts leave the cell as it is."""
        told = np.flatnonzero(~pa.compute.is_null(texts).to_numpy(zero_copy_only=False))
        rows, texts = rows[told], texts.take(pa.array(told))
        self.columns[column] = patched(self.columns[column], rows, texts)
        self.taken[column][rows] = True
        self.mark(pattern, column, rows)

    def free_rows(self, column: str, share: float, eligible: Numbers | None = None) -> Numbers:
        """A random share of the rows whose cell holds something and shows no error yet."""
        filled = pa.compute.is_valid(self.columns[column]).to_numpy(zero_copy_only=False)
        chosen = filled & ~self.taken[column] & (self.rng.random(len(self)) < share)
        return np.flatnonzero(chosen if eligible is None else chosen & eligible)


def look(scene: Scene, spec: PersonSet) -> View:
    """Rows, days, keys and true (perhaps outdated) values; the errors come after."""
    rng = scene.residents.plan.rng("view", spec.key, scene.residents.block)
    who = _covered(scene.residents, spec, rng)
    view = View(scene=scene, spec=spec, rng=rng, who=who, observed=_observed(scene.residents, spec, rng, who), keys=words([]))
    view.keys = _keys(view)
    for column in spec.columns:
        view.columns[column.name] = _true_texts(view, column)
        view.taken[column.name] = np.zeros(len(view), bool)
        view.copied[column.name] = np.zeros(len(view), bool)
    return view


def _covered(residents: Residents, spec: PersonSet, rng: np.random.Generator) -> Numbers:
    """In an order that tells nothing of the residents' own."""
    listed = COVERS[spec.covers](residents) & (rng.random(len(residents)) < spec.rate)
    dead, plan = residents.families.death > NEVER, residents.plan
    if not spec.knows_death:
        listed &= ~dead | ((rng.random(len(residents)) < spec.keeps_dead) & ("X-17" in plan.patterns))
    rows = np.flatnonzero(listed)
    twice = rng.random(len(rows)) < spec.habits.get("X-20", 0.0) * ("X-20" in plan.patterns)
    return rng.permutation(np.concatenate([rows, rows[twice]]))


def _observed(residents: Residents, spec: PersonSet, rng: np.random.Generator, who: Numbers) -> Numbers:
    """The day each row was last true: not before the person was there; who has died was seen alive unless deaths are known here."""
    plan = residents.plan
    seen = plan.day - 1 - (rng.exponential(spec.lag_days, len(who))).astype(int)
    first = residents.since[who]
    seen = np.where(seen < first, first + (rng.random(len(who)) * np.maximum(plan.day - 1 - first, 0)).astype(int), seen)
    death, left = residents.families.death[who], residents.dwellings.left[who]
    if not spec.knows_death:
        seen = np.where(death > NEVER, np.minimum(seen, death - 5), seen)
    stayed_on_list = (left > ALWAYS) & (seen > left)
    return np.where(stayed_on_list, left - 1 - rng.integers(0, 200, len(who)), seen)


def _keys(view: View) -> Texts:
    """Running numbers, unique over all blocks; composite keys are the number of a household's paper and the place of the person on it."""
    first = view.residents.block * KEYS_PER_BLOCK
    if view.spec.key_parts == 1:
        return join(view.spec.key_prefix, numbered(first + np.arange(len(view)), 8))
    household = view.residents.families.household[view.who]
    _, group = np.unique(household, return_inverse=True)
    shuffled = view.rng.permutation(group.max(initial=0) + 1)[group]
    return join(view.spec.key_prefix, numbered(first + shuffled, 8), "|", numbered(1 + _order_within(household)))


def _order_within(groups: Numbers) -> Numbers:
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    place = np.empty(len(groups), np.int64)
    place[order] = np.arange(len(groups)) - np.searchsorted(ordered, ordered)
    return place


def _true_texts(view: View, column: Column) -> Texts:
    rows = np.arange(len(view))
    if column.element == KEY:
        return _key_part(view, column)
    if column.element == "updated_at":
        return _stamps(view)
    if column.element is None or column.fill:
        return pick(words(list(column.fill)), view.rng.integers(len(column.fill), size=len(view)))
    if column.spelling:
        codes = view.residents.timelines[column.timeline].codes(view.who, view.observed)
        return pick(view.scene.addresses(column.spelling), codes)
    return view.seen(column.timeline, rows)


def _key_part(view: View, column: Column) -> Texts:
    if view.spec.key_parts == 1:
        return view.keys
    parts = [c.name for c in view.spec.columns if c.element == KEY]
    split = pa.compute.split_pattern(view.keys, "|")
    return pa.compute.list_element(split, parts.index(column.name))


def _stamps(view: View) -> Texts:
    """When the source last confirmed the row, or, where uploads stamp everything (X-19), the day of the last upload."""
    upload = view.spec.stamp == "upload" and view.wants("X-19")
    day = np.full(len(view), view.residents.plan.day - 3) if upload else view.observed
    times = np.full(len(view), 17) if upload else view.rng.integers(len(_TIMES), size=len(view))
    return join(dates(day), pick(_TIMES, times))
