"""The rest of a resident's life that departments hold: marriage, schooling, work, phones, and which benefits and duties he has."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from district.dwellings import Dwellings
from district.enterprises import enterprise_count, enterprise_names
from district.households import CHILD, FATHER, FEMALE, HEAD, MALE, MOTHER, SPOUSE, YEAR, Families
from district.numbers import phones
from district.plan import Plan
from district.texts import NEVER, Numbers, chain, dates, numbered, words
from district.timelines import ALWAYS, Timeline, coded

MARITAL = ("10", "20", "22", "30", "40")
UNMARRIED, MARRIED, REMARRIED, WIDOWED, DIVORCED = range(5)
EDUCATION = ("10", "20", "30", "40", "60", "70", "80", "91")
RELATIONS = ("0", "1", "2", "3", "51", "52", "98")
_COHORTS = (1940, 1955, 1970, 1985, 2005)
_EDUCATION_SHARES = (
    (0.00, 0.02, 0.02, 0.03, 0.06, 0.17, 0.45, 0.25),
    (0.00, 0.02, 0.03, 0.05, 0.16, 0.34, 0.35, 0.05),
    (0.01, 0.06, 0.10, 0.12, 0.21, 0.38, 0.11, 0.01),
    (0.03, 0.17, 0.22, 0.16, 0.15, 0.24, 0.03, 0.00),
    (0.04, 0.27, 0.27, 0.17, 0.15, 0.09, 0.01, 0.00),
)


@dataclass(frozen=True, kw_only=True)
class Lives:
    """Timelines by element key, and traits (yes or no for each resident) by name."""

    timelines: Mapping[str, Timeline]
    traits: Mapping[str, Numbers]


def live(plan: Plan, block: int, families: Families, dwellings: Dwellings, citizen: Numbers) -> Lives:
    rng = plan.rng("lives", block)
    age = families.age(plan.day)
    marital, court = _marriages(plan, rng, families, age)
    traits = _traits(rng, families, age, citizen) | {"court_divorce": court}
    return Lives(
        timelines={
            "marital_status": marital,
            "registered_marriage": _registered(marital, court),
            "marriage_date": _weddings(plan, rng, marital, age, court),
            "education": _schooling(plan, rng, families, age),
            "employer": _work(plan, rng, age, traits["employed"]),
            "death_date": _deaths(rng, families),
            "relation_to_head": _relations(families, dwellings),
            "household_number": _registers(plan, rng, block, dwellings),
            **_phones(plan, rng, block, families, age),
        },
        traits=traits,
    )


def _marriages(plan: Plan, rng: np.random.Generator, families: Families, age: Numbers) -> tuple[Timeline, Numbers]:
    """Status before and after the last event: wedding, divorce, remarriage, or the spouse's death."""
    count, day = len(age), plan.day
    with_spouse = families.spouse >= 0
    widowed_on = np.where(with_spouse, families.death[families.spouse], NEVER)
    draw = rng.random(count)
    alone = np.where(
        age < 22,
        UNMARRIED,
        np.select([age < 30, age < 62], [np.where(draw < 0.86, UNMARRIED, MARRIED), _alone(draw)], np.where(draw < 0.7, WIDOWED, DIVORCED)),
    )
    now = np.where(with_spouse, np.where(draw < 0.05, REMARRIED, MARRIED), alone)
    now = np.where(with_spouse & (widowed_on > NEVER), WIDOWED, now)
    before = np.select([now == MARRIED, now == REMARRIED, now == UNMARRIED], [UNMARRIED, DIVORCED, UNMARRIED], MARRIED)
    on = day - (rng.random(count) ** 0.5 * np.clip(age - 22, 0.2, 25) * YEAR).astype(int)
    changed = np.where(now == UNMARRIED, ALWAYS, np.where(widowed_on > NEVER, widowed_on, on))
    court = (now == DIVORCED) & (rng.random(count) < 0.2) & ("X-21" in plan.patterns)
    return coded(words(MARITAL), now, before, changed), court


def _alone(draw: Numbers) -> Numbers:
    return np.select([draw < 0.3, draw < 0.72, draw < 0.94], [UNMARRIED, MARRIED, DIVORCED], WIDOWED)


def _registered(marital: Timeline, court: Numbers) -> Timeline:
    """What the marriage register goes on saying: it hears neither of courts' divorces nor of deaths (X-21)."""
    once = np.isin(marital.now, (MARRIED, WIDOWED)) | court
    return coded(marital.vocabulary, np.where(once, MARRIED, marital.now))


def _weddings(plan: Plan, rng: np.random.Generator, marital: Timeline, age: Numbers, court: Numbers) -> Timeline:
    """The day of the last wedding: the last change of those who are married, some years earlier for the others."""
    married = np.isin(marital.now, (MARRIED, REMARRIED))
    wed = married | (marital.now == WIDOWED) | court
    earlier = plan.day - (np.clip(age - 24, 1, 45) * YEAR * (0.4 + 0.6 * rng.random(len(age)))).astype(int)
    day = np.where(married, marital.changed, np.minimum(earlier, marital.changed - 300))
    return coded(dates(day), np.where(wed, np.arange(len(age)), -1))


def _schooling(plan: Plan, rng: np.random.Generator, families: Families, age: Numbers) -> Timeline:
    """Pupils by age; adults by cohort; a few adults went up a level lately."""
    cohort = np.clip(np.searchsorted(_COHORTS, 1970 + families.birth / YEAR), 0, len(_COHORTS) - 1)
    grown = (rng.random(len(age))[:, None] > np.cumsum(_EDUCATION_SHARES, axis=1)[cohort]).sum(axis=1).clip(0, len(EDUCATION) - 1)
    pupil = np.select([age < 6.8, age < 12.8, age < 15.8, age < 18.8], [-1, 6, 5, 4], grown)
    before = np.select([age < 7.8, age < 13.8, age < 16.8, age < 22], [-1, 6, 5, 4], np.where(grown == 1, 2, grown))
    last_summer = plan.day - 60 - (np.maximum(age - 6, 0) % 3 * YEAR).astype(int)
    learnt = (age < 22) | ((grown == 1) & (rng.random(len(age)) < 0.25) & (age < 50))
    return coded(words(EDUCATION), pupil, before, np.where(learnt, last_summer, ALWAYS))


def _work(plan: Plan, rng: np.random.Generator, age: Numbers, employed: Numbers) -> Timeline:
    count, enterprises = len(age), enterprise_count(plan)
    now, before = ((enterprises * rng.random(count) ** 2.2).astype(int) for _ in range(2))
    changed = np.where(rng.random(count) < 0.4, plan.day - (rng.random(count) * 5 * YEAR).astype(int), ALWAYS)
    return coded(enterprise_names(plan), np.where(employed, now, -1), np.where(employed & (age > 23), before, -1), changed)


def _deaths(rng: np.random.Generator, families: Families) -> Timeline:
    """Known to whoever looks some weeks after; before that the person is alive on paper."""
    dead = families.death > NEVER
    reported = np.where(dead, families.death + rng.integers(3, 150, len(dead)), ALWAYS)
    rows = np.where(dead, np.arange(len(dead)), -1)
    return coded(dates(families.death), rows, np.full(len(rows), -1), reported)


def _relations(families: Families, dwellings: Dwellings) -> Timeline:
    """GB/T 4761. When the head dies the spouse follows as head; whoever looked before saw the old relation."""
    relation = np.select(
        [families.slot == HEAD, families.slot == SPOUSE, families.slot < FATHER, families.slot == FATHER, families.slot == MOTHER],
        [0, 1, np.where(families.sex == MALE, 2, 3), 4, 5],
        6,
    )
    guest = families.local & (dwellings.hukou_household != families.household)
    relation = np.where(guest, np.where(families.sex == MALE, 2, 3), relation)
    head = np.searchsorted(families.household, families.household)
    follows = (families.slot == SPOUSE) & ~guest & (families.death[head] > NEVER)
    known = families.local
    now = np.where(known, np.where(follows, 0, relation), -1)
    return coded(words(RELATIONS), now, np.where(known, relation, -1), np.where(follows, families.death[head], ALWAYS))


def _registers(plan: Plan, rng: np.random.Generator, block: int, dwellings: Dwellings) -> Timeline:
    """Household numbers of nine digits; some single people stand in a collective register (集体户) until they have one of their own."""
    households = dwellings.hukou_household.max() + 1
    own = numbered(100_000_000 + block * 1_000_000 + np.arange(households))
    collective = numbered(900_000_000 + block * 100 + np.arange(20))
    now = dwellings.hukou_household
    stood = (now >= 0) & (rng.random(len(now)) < 0.01) & ("X-22" in plan.patterns)
    before = np.where(stood, households + rng.integers(0, 20, len(now)), now)
    changed = np.where(stood, plan.day - (rng.random(len(now)) * 4 * YEAR).astype(int), ALWAYS)
    return coded(chain([own, collective]), now, before, changed)


def _phones(plan: Plan, rng: np.random.Generator, block: int, families: Families, age: Numbers) -> dict[str, Timeline]:
    """Children have none and are reached through a parent; half of the old carry a grown child's or the head's number."""
    count = len(age)
    rows, order = np.arange(count), plan.first_of(block) + np.arange(count)
    head = np.searchsorted(families.household, families.household)
    parent = np.where((rng.random(count) < 0.7) & (families.mother >= 0), families.mother, families.father)
    parent = np.where(parent >= 0, parent, np.where(families.mother >= 0, families.mother, head))
    child = np.full(count, -1)
    for relative in (families.mother, families.father):
        grown = np.flatnonzero((relative >= 0) & (age > 20))
        child[relative[grown]] = grown
    shares = (age > 68) & (rng.random(count) < 0.5)
    lent = np.where(child >= 0, child, np.where(head != rows, head, rows))
    now = np.where(age < 14, -1, np.where(shares, lent, rows))
    recycled = rng.random(count) < 0.01
    before = np.where(age < 16, -1, np.where(shares, now, count + np.where(recycled, rng.permutation(count) - count, rows)))
    changed = np.where(rng.random(count) < 0.36, plan.day - (rng.random(count) * 6 * YEAR).astype(int), ALWAYS)
    vocabulary = chain([phones(order), phones(plan.residents + order)])
    guardian = np.where(age < 18, parent, -1)
    return {
        "phone": coded(vocabulary, now, before, changed),
        "guardian_phone": coded(vocabulary, guardian, np.where(age < 18, count + parent, -1), changed[parent]),
    }


def _traits(rng: np.random.Generator, families: Families, age: Numbers, citizen: Numbers) -> dict[str, Numbers]:
    count, adult = len(age), age >= 18
    head = np.searchsorted(families.household, families.household)
    retired = age >= np.where(families.sex == FEMALE, 55, 60)
    employed = adult & ~retired & (rng.random(count) < 0.74)
    owns = (rng.random(count) < np.where(families.local, 0.62, 0.2))[head] & ~families.collective & (families.slot <= SPOUSE) & (age > 23)
    keeps_house = (families.slot == HEAD) | (families.slot >= FATHER)
    poor = (rng.random(count) < 0.012)[head] & families.local
    return {
        "citizen": citizen,
        "local": families.local,
        "adult": adult,
        "retired": retired,
        "employed": employed,
        "insured": (employed & (rng.random(count) < 0.92)) | (retired & families.local & (rng.random(count) < 0.88)),
        "fund": employed & (rng.random(count) < 0.45),
        "owner": owns,
        "renter": ~owns & keeps_house & adult & ~families.local & (rng.random(count) < 0.8),
        "poor": poor,
        "disabled": rng.random(count) < np.interp(age, (0, 40, 70, 95), (0.006, 0.015, 0.045, 0.1)),
        "veteran": (families.sex == MALE) & (age > 24) & (rng.random(count) < 0.025),
        "driver": adult & (age < 72) & (rng.random(count) < 0.48),
        "trader": adult & ~employed & (age < 65) & (rng.random(count) < 0.2),
        "pupil": (age > 6.2) & (age < 18.6),
        "infant": age < 7.2,
        "newborn": age < 9,
        "married_here": (families.spouse >= 0) & (rng.random(count) < 0.8)[np.minimum(np.arange(count), np.maximum(families.spouse, 0))],
        "minor": age < 18,
        "in_school_age": (families.slot >= CHILD) & (age < 19),
    }
