"""Whom a department's data set covers, by name: each a mask over one block's residents."""

from collections.abc import Callable, Mapping

import numpy as np

from district.households import FEMALE
from district.residents import Residents
from district.texts import NEVER, Numbers


def _trait(*names: str) -> Callable[[Residents], Numbers]:
    return lambda residents: np.logical_or.reduce([residents.traits[name] for name in names])


def _age(low: float, high: float) -> Callable[[Residents], Numbers]:
    def covers(residents: Residents) -> Numbers:
        age = residents.families.age(residents.plan.day)
        return (age >= low) & (age < high)

    return covers


def _migrants(residents: Residents) -> Numbers:
    return ~residents.traits["local"] & residents.traits["citizen"]


def _dead(residents: Residents) -> Numbers:
    return residents.families.death > NEVER


def _women(residents: Residents) -> Numbers:
    return (residents.families.sex == FEMALE) & _age(20, 50)(residents)


COVERS: Mapping[str, Callable[[Residents], Numbers]] = {
    "everyone": lambda residents: np.ones(len(residents), bool),
    "adults": _trait("adult"),
    "local": _trait("local"),
    "migrants": _migrants,
    "from_elsewhere": _trait("foreign", "hmt"),
    "married": _trait("married_here", "court_divorce"),
    "poor": _trait("poor"),
    "newborn": _trait("newborn"),
    "infants_and_pupils": _trait("infant", "pupil"),
    "pupils": _trait("pupil"),
    "insured": _trait("insured"),
    "employed": _trait("employed"),
    "fund": _trait("fund"),
    "owners": _trait("owner"),
    "renters": _trait("renter"),
    "disabled": _trait("disabled"),
    "veterans": _trait("veteran"),
    "drivers": _trait("driver"),
    "traders": _trait("trader"),
    "retired": _trait("retired"),
    "old": _age(80, 130),
    "women": _women,
    "dead": _dead,
    "aged_0_6": _age(0, 7),
}
