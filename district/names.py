"""Names of one block's residents: surnames by family, given names by sex and decade, rare characters, minority and foreign names."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from district.households import MALE, Families
from district.plan import Plan
from district.texts import NEVER, Numbers, Texts, join, patched, pick, words
from district.yaml_files import read_yaml

HAN = "01"
DOTTED_GROUPS, TIBETAN = ("05", "02", "07", "17"), "04"
MINORITY_SHARE = 0.09
MINORITIES = {
    "08": 34,
    "13": 10,
    "06": 11,
    "15": 11,
    "12": 8,
    "03": 7,
    "09": 6,
    "07": 3,
    "11": 4,
    "05": 2,
    "02": 2,
    "04": 1.5,
    "19": 1,
    "17": 0.5,
}
RARE_SHARE, MOTHERS_SURNAME_SHARE, RENAMED_SHARE = 0.009, 0.03, 0.012
NAMESAKE_SHARE = 0.004


@dataclass(frozen=True, kw_only=True)
class Names:
    """`full` and `former` are the names as the person bears or bore them; `former` and `renamed_on` only for who changed it."""

    full: Texts
    surname: Texts
    former: Texts
    renamed_on: Numbers
    ethnicity: Texts
    rare: Numbers


@cache
def pools() -> Mapping[str, Any]:
    return read_yaml(Path(__file__).parent / "names.yaml")


def inherit(own: Numbers, first: Numbers, second: Numbers) -> Numbers:
    """Each takes the value of the first relative who is known, else the second's, else the own; five generations deep."""
    for _ in range(5):
        own = np.where(first >= 0, own[first], np.where(second >= 0, own[second], own))
    return own


def draw_names(plan: Plan, block: int, families: Families, foreign: Numbers) -> Names:
    rng, count = plan.rng("names", block), len(families)
    mothers = rng.random(count) < MOTHERS_SURNAME_SHARE
    first = np.where(mothers & (families.mother >= 0), families.mother, families.father)
    surname = inherit(_weighted(rng, pools()["surnames"], count), first, families.mother)
    ethnicity = _ethnicities(rng, families)
    rare = rng.random(count) < RARE_SHARE
    surnames = pick(words(list(pools()["surnames"])), surname)
    given = _given(rng, families, rare)
    full = _unusual(rng, families, ethnicity, foreign, join(surnames, given))
    usual = ~foreign & ~np.isin(ethnicity, _codes((*DOTTED_GROUPS, TIBETAN)))
    return Names(
        full=full,
        surname=surnames,
        ethnicity=pick(_ethnic_words(), np.where(foreign, -1, ethnicity)),
        rare=rare & usual,
        **_renamed(plan, rng, families, usual, surnames),
    )


def _weighted(rng: np.random.Generator, weights: Mapping[str, float], count: int) -> Numbers:
    shares = np.array(list(weights.values()))
    return rng.choice(len(shares), count, p=shares / shares.sum())


def _ethnic_words() -> Texts:
    return words([HAN, *MINORITIES])


def _codes(groups: tuple[str, ...]) -> Numbers:
    return np.array([[HAN, *MINORITIES].index(group) for group in groups])


def _ethnicities(rng: np.random.Generator, families: Families) -> Numbers:
    own = np.where(rng.random(len(families)) < MINORITY_SHARE, 1 + _weighted(rng, MINORITIES, len(families)), 0)
    return inherit(own, families.father, families.mother)


def _given(rng: np.random.Generator, families: Families, rare: Numbers) -> Texts:
    """One or two characters; siblings often share the first, twins nearly always, a few sons take their father's."""
    year = 1970 + families.birth // 365.25
    first, second = _characters(rng, year, families.sex), _characters(rng, year, families.sex)
    first, rare_code = _shared_in_family(rng, families, first), rng.integers(len(pools()["rare"]), size=len(families))
    alphabet, rare_from = words([*_alphabet(), *pools()["rare"], ""]), len(_alphabet())
    second = np.where(rare, rare_from + rare_code, second)
    empty = len(alphabet) - 1
    single = (rng.random(len(families)) < _single_share(year)) & ((families.twin < 0) | (rng.random(len(families)) < 0.3))
    return join(pick(alphabet, np.where(single, empty, first)), pick(alphabet, second))


@cache
def _alphabet() -> tuple[str, ...]:
    return tuple(dict.fromkeys(c for era in pools()["given"] for sex in ("male", "female") for c in era[sex].replace(" ", "")))


def _eras(year: Numbers) -> Numbers:
    return np.searchsorted([era["until"] for era in pools()["given"]], year, side="right")


def _characters(rng: np.random.Generator, year: Numbers, sex: Numbers) -> Numbers:
    """Positions in the alphabet; earlier characters of a pool are more popular."""
    era, place = _eras(year), {character: n for n, character in enumerate(_alphabet())}
    out = np.zeros(len(year), np.int64)
    for number, row in enumerate(pools()["given"]):
        for value, name in ((MALE, "male"), (3 - MALE, "female")):
            rows = np.flatnonzero((era == number) & (sex == value))
            pool = np.array([place[c] for c in row[name].replace(" ", "")])
            shares = 1 / (np.arange(len(pool)) + 6.0)
            out[rows] = pool[rng.choice(len(pool), len(rows), p=shares / shares.sum())]
    return out


def _single_share(year: Numbers) -> Numbers:
    return np.array([era["single"] for era in pools()["given"]])[_eras(year)]


def _shared_in_family(rng: np.random.Generator, families: Families, first: Numbers) -> Numbers:
    """Generation characters: a child takes the first character of the row before it when that is a sibling."""
    first = first.copy()
    siblings = np.flatnonzero((families.father[1:] >= 0) & (families.father[1:] == families.father[:-1])) + 1
    twin = families.twin[siblings] >= 0
    sharing = siblings[rng.random(len(siblings)) < np.where(twin, 0.85, 0.3)]
    first[sharing] = first[sharing - 1]
    sons = np.flatnonzero((families.father >= 0) & (families.sex == MALE) & (rng.random(len(first)) < 0.01))
    first[sons] = first[families.father[sons]]
    return first


def _unusual(rng: np.random.Generator, families: Families, ethnicity: Numbers, foreign: Numbers, names: Texts) -> Texts:
    """Names of groups that write a dot, Tibetan names, and foreigners' Latin names in place of the combined ones."""
    male = families.sex == MALE
    dotted = np.flatnonzero(np.isin(ethnicity, _codes(DOTTED_GROUPS)) & ~foreign)
    names = patched(names, dotted, _dotted(rng, male[dotted]))
    tibetan = np.flatnonzero((ethnicity == _codes((TIBETAN,))[0]) & ~foreign)
    parts = pools()["tibetan"]
    names = patched(names, tibetan, join(_any_of(rng, parts["first"], len(tibetan)), _any_of(rng, parts["second"], len(tibetan))))
    return patched(names, np.flatnonzero(foreign), _latin(rng, male[foreign]))


def _any_of(rng: np.random.Generator, pool: list[str], count: int) -> Texts:
    return pick(words(pool), rng.integers(len(pool), size=count))


def _by_sex(rng: np.random.Generator, men: list[str], women: list[str], male: Numbers) -> Texts:
    return pick(
        words([*men, *women]), np.where(male, rng.integers(len(men), size=len(male)), len(men) + rng.integers(len(women), size=len(male)))
    )


def _dotted(rng: np.random.Generator, male: Numbers) -> Texts:
    pool = pools()["dotted"]
    return join(_by_sex(rng, pool["male"].split(), pool["female"].split(), male), "·", _any_of(rng, pool["parent"].split(), len(male)))


def _latin(rng: np.random.Generator, male: Numbers) -> Texts:
    pool = pools()["foreign"]
    return join(_any_of(rng, pool["family"], len(male)), " ", _by_sex(rng, pool["male"], pool["female"], male))


def _renamed(plan: Plan, rng: np.random.Generator, families: Families, usual: Numbers, surnames: Texts) -> dict[str, Any]:
    """Some bore another given name until a day at least two years after birth."""
    count = len(families)
    chosen = usual & (rng.random(count) < RENAMED_SHARE) & (plan.day - families.birth > 1200) & ("X-10" in plan.patterns)
    earliest = np.maximum(families.birth + 700, plan.day - 20 * 365)
    on = earliest + (rng.random(count) * (plan.day - 200 - earliest)).astype(int)
    former = join(surnames, _given(rng, families, np.zeros(count, bool)))
    return {"former": pc.if_else(chosen, former, None), "renamed_on": np.where(chosen, on, NEVER)}
