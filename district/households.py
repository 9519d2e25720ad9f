"""Households of one block: who lives together, how they are related, when they were born and died."""

from dataclasses import dataclass

import numpy as np

from district.plan import Plan
from district.texts import NEVER, Numbers

HEAD, SPOUSE, CHILD, FATHER, MOTHER, OTHER = 0, 1, 2, 5, 6, 7
SLOTS = 11
MALE, FEMALE = 1, 2
YEAR = 365.25
LOCAL_SHARE, COLLECTIVE_SHARE = 0.47, 0.05
TWIN_SHARE = 0.04
DEATHS_KNOWN_FOR = 8 * YEAR


@dataclass(frozen=True, kw_only=True)
class Families:
    """One row per resident, households together, head first. `father`, `mother`, `spouse` are rows of this block or −1; dates are days."""

    household: Numbers
    slot: Numbers
    sex: Numbers
    birth: Numbers
    death: Numbers
    father: Numbers
    mother: Numbers
    spouse: Numbers
    local: Numbers
    collective: Numbers
    twin: Numbers

    def __len__(self) -> int:
        return len(self.household)

    def age(self, day: int) -> Numbers:
        return (day - self.birth) / YEAR


def found(plan: Plan, block: int) -> Families:
    """As many residents as the block has, in whole households (the last may be cut short)."""
    rng, size = plan.rng("households", block), plan.size_of(block)
    local = rng.random(size) < LOCAL_SHARE
    collective = ~local & (rng.random(size) < COLLECTIVE_SHARE / (1 - LOCAL_SHARE))
    birth, sex = _members(rng, plan.day, local, collective)
    household, slot = (rows[:size] for rows in np.nonzero(birth > NEVER))
    first = np.searchsorted(household, household)
    member_birth, member_sex = birth[household, slot], sex[household, slot]
    father, mother, spouse = _kin(household, slot, member_sex, first)
    father, mother = _parents_elsewhere(rng, local[household], slot, member_birth, member_sex, father, mother, spouse)
    twin = _set_twins(rng, "X-23" in plan.patterns, household, slot, member_birth)
    return Families(
        household=household,
        slot=slot,
        sex=member_sex,
        birth=member_birth,
        death=_deaths(rng, plan.day, member_birth),
        father=father,
        mother=mother,
        spouse=spouse,
        local=local[household],
        collective=collective[household],
        twin=twin,
    )


def _members(rng: np.random.Generator, day: int, local: Numbers, collective: Numbers) -> tuple[Numbers, Numbers]:
    """Birth day (NEVER: nobody) and sex in every slot of every household."""
    count = len(local)
    birth = np.full((count, SLOTS), NEVER)
    sex = np.where(rng.random((count, SLOTS)) < 0.52, MALE, FEMALE)
    age = np.where(local, 22 + 68 * rng.beta(1.7, 2.3, count), 18 + 46 * rng.beta(1.6, 2.6, count))
    birth[:, HEAD] = day - (age * YEAR).astype(int)
    sex[:, HEAD] = np.where(rng.random(count) < 0.72, MALE, FEMALE)
    couple = ~collective & (rng.random(count) < np.interp(age, (20, 24, 30, 60, 85), (0.02, 0.2, 0.75, 0.85, 0.5)))
    _add_spouse(rng, birth, sex, couple)
    _add_children(rng, day, birth, sex, couple, collective)
    _add_parents(rng, birth, sex, age, collective)
    others = np.where(collective, rng.integers(1, 5, count), rng.random(count) < 0.03)
    for place in range(SLOTS - OTHER):
        born = birth[:, HEAD] + rng.normal(0, np.where(collective, 6, 14) * YEAR, count).astype(int)
        birth[:, OTHER + place] = np.where((place < others) & (born < day - 17 * YEAR), born, NEVER)
    sex[:, OTHER:] = np.where(collective[:, None], sex[:, [HEAD]], sex[:, OTHER:])
    return birth, sex


def _add_spouse(rng: np.random.Generator, birth: Numbers, sex: Numbers, couple: Numbers) -> None:
    older = np.where(sex[:, HEAD] == MALE, 1.6, -1.6) * YEAR
    born = birth[:, HEAD] + (older + rng.normal(0, 2.6 * YEAR, len(couple))).astype(int)
    birth[:, SPOUSE] = np.where(couple, born, NEVER)
    sex[:, SPOUSE] = MALE + FEMALE - sex[:, HEAD]


def _add_children(rng: np.random.Generator, day: int, birth: Numbers, sex: Numbers, couple: Numbers, collective: Numbers) -> None:
    """Up to three, born when the mother was 20 to 40; most who are grown up have left."""
    count = len(couple)
    single_parent = ~couple & ~collective & (rng.random(count) < 0.12)
    mother = np.where(couple & (sex[:, SPOUSE] == FEMALE), birth[:, SPOUSE], birth[:, HEAD])
    born = mother + ((21 + 11 * rng.beta(2, 2.4, count)) * YEAR).astype(int)
    wanted = rng.choice(4, count, p=(0.16, 0.4, 0.36, 0.08)) * (couple | single_parent)
    for place in range(3):
        grown = (day - born) / YEAR
        stays = rng.random(count) < np.interp(grown, (0, 22, 32, 45), (1, 0.8, 0.25, 0.08))
        birth[:, CHILD + place] = np.where((wanted > place) & (born <= day) & (born < mother + 42 * YEAR) & stays, born, NEVER)
        born = born + ((1.3 + 4.5 * rng.random(count)) * YEAR).astype(int)


def _add_parents(rng: np.random.Generator, birth: Numbers, sex: Numbers, age: Numbers, collective: Numbers) -> None:
    count = len(age)
    with_parents = ~collective & (age < 62) & (rng.random(count) < 0.15)
    father = birth[:, HEAD] - ((22 + 12 * rng.random(count)) * YEAR).astype(int)
    mother = father + (rng.normal(1.8, 2, count) * YEAR).astype(int)
    mother = np.minimum(mother, birth[:, HEAD] - int(18 * YEAR))
    birth[:, FATHER] = np.where(with_parents & (rng.random(count) < 0.75), father, NEVER)
    birth[:, MOTHER] = np.where(with_parents & (rng.random(count) < 0.85), mother, NEVER)
    sex[:, FATHER], sex[:, MOTHER] = MALE, FEMALE


def _kin(household: Numbers, slot: Numbers, sex: Numbers, first: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Father, mother and spouse inside the household."""
    rows = np.arange(len(household))
    at = np.full((household[-1] + 1, SLOTS), -1)
    at[household, slot] = rows
    head, wife_or_husband = first, at[household, SPOUSE]
    child = (slot >= CHILD) & (slot < FATHER)
    male_head = sex[head] == MALE
    father = np.where(child, np.where(male_head, head, wife_or_husband), -1)
    mother = np.where(child, np.where(male_head, wife_or_husband, head), -1)
    is_head = slot == HEAD
    father = np.where(is_head, at[household, FATHER], father)
    mother = np.where(is_head, at[household, MOTHER], mother)
    spouse = np.full(len(rows), -1)
    for one, other in ((HEAD, SPOUSE), (SPOUSE, HEAD), (FATHER, MOTHER), (MOTHER, FATHER)):
        spouse = np.where(slot == one, at[household, other], spouse)
    return father, mother, spouse


def _parents_elsewhere(
    rng: np.random.Generator, local: Numbers, slot: Numbers, birth: Numbers, sex: Numbers, father: Numbers, mother: Numbers, spouse: Numbers
) -> tuple[Numbers, Numbers]:
    """Some local heads and their spouses are children of older local couples in other households of the block."""
    husbands = np.flatnonzero(local & (slot == HEAD) & (sex == MALE) & (spouse >= 0))
    husbands = husbands[np.argsort(birth[husbands], kind="stable")]
    seekers = np.flatnonzero(local & (slot <= SPOUSE) & (father < 0) & (mother < 0) & (rng.random(len(slot)) < 0.4))
    wanted = birth[seekers] - ((23 + 10 * rng.random(len(seekers))) * YEAR).astype(int)
    found_at = np.searchsorted(birth[husbands], wanted) + rng.integers(0, 20, len(seekers))
    seekers, found_at = seekers[found_at < len(husbands)], found_at[found_at < len(husbands)]
    parents = husbands[found_at]
    gap = (birth[seekers] - birth[parents]) / YEAR
    mothers_gap = (birth[seekers] - birth[spouse[parents]]) / YEAR
    fits = (gap > 20) & (gap < 42) & (mothers_gap > 19) & (mothers_gap < 44)
    father, mother = father.copy(), mother.copy()
    father[seekers[fits]], mother[seekers[fits]] = parents[fits], spouse[parents[fits]]
    return father, mother


def _set_twins(rng: np.random.Generator, wanted: bool, household: Numbers, slot: Numbers, birth: Numbers) -> Numbers:
    """The first two children of some households get one birth day; `twin` names the other one's row."""
    twin = np.full(len(slot), -1)
    pairs = np.flatnonzero((slot[1:] == CHILD + 1) & (slot[:-1] == CHILD) & (household[1:] == household[:-1]))
    pairs = pairs[rng.random(len(pairs)) < TWIN_SHARE]
    if wanted:
        birth[pairs + 1] = birth[pairs]
        twin[pairs], twin[pairs + 1] = pairs + 1, pairs
    return twin


def _deaths(rng: np.random.Generator, day: int, birth: Numbers) -> Numbers:
    """Deaths of the last years; older ones are of people whom no department lists any more."""
    age = (day - birth) / YEAR
    died = rng.random(len(birth)) < np.interp(age, (0, 40, 60, 72, 85, 97), (0.002, 0.004, 0.02, 0.08, 0.42, 0.9))
    death = day - (rng.random(len(birth)) * DEATHS_KNOWN_FOR).astype(int)
    return np.where(died & (death > birth), death, NEVER)
