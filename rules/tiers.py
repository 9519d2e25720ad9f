"""Levels (分级), release tiers (开放层级) and what each tier lets through, read from `tiers.yaml`. law.md G-02, G-07, I-05…I-07, P-08."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml


class Level(StrEnum):
    """How sensitive a column is; comparable, L4 the highest."""

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    L4 = "L4"


class Tier(StrEnum):
    """How much an answer may tell."""

    T0 = "T0"
    T1 = "T1"
    T2 = "T2"
    T3 = "T3"
    T4 = "T4"


class Audience(StrEnum):
    """For whom an answer is opened (开放范围), the narrowest first."""

    LEADERS = "leaders"
    DEPARTMENT = "department"
    RELATED = "related"
    ALL_DEPARTMENTS = "all_departments"
    PUBLIC = "public"


class Treatment(StrEnum):
    """What a tier does to a level, before the kind of element decides on the method."""

    KEEP = "keep"
    MASK = "mask"
    SUPPRESS = "suppress"


class AnswerForm(StrEnum):
    """The kind of answer that a tier allows."""

    STATISTICS = "statistics"
    VERIFICATION = "verification"
    EXTRACT = "extract"


@dataclass(frozen=True, kw_only=True)
class TierRule:
    tier: Tier
    zh: str
    en: str
    answer: AnswerForm
    by_level: Mapping[Level, Treatment]


@dataclass(frozen=True, kw_only=True)
class PartialNumber:
    """How many characters of a number stay readable at each end."""

    first: int
    last: int


@dataclass(frozen=True, kw_only=True)
class MinorRule:
    """P-08: below `under_years` everything about the person has `level`; `unknown_age_is_minor` says how a person of unknown age counts."""

    under_years: int
    level: Level
    unknown_age_is_minor: bool


@dataclass(frozen=True, kw_only=True)
class TierPolicy:
    """One version of the rules; results say which."""

    version: int
    tiers: Mapping[Tier, TierRule]
    masks: Mapping[str, Mapping[Level, str]]
    elements: Mapping[str, str]
    partial_number: PartialNumber
    minors: MinorRule
    filter_kinds: frozenset[str]
    direct_kinds: frozenset[str]
    direct_elements: frozenset[str]
    acceptable_group: int

    def method(self, tier: Tier, level: Level, kind: str, element: str | None) -> str:
        """The name of the masking method for a column: the tier's treatment of its level, then the element's or its kind's method."""
        treatment = self.tiers[tier].by_level[level]
        if treatment is not Treatment.MASK:
            return treatment.value
        return self.elements.get(element or "") or self.masks[kind][level]


def highest(levels: list[Level]) -> Level:
    """就高从严 (G-01): the highest of some levels; L4 where none is known."""
    return max(levels, default=Level.L4)


@cache
def load_tier_policy() -> TierPolicy:
    rows = yaml.safe_load((Path(__file__).parent / "tiers.yaml").read_text(encoding="utf-8"))
    return TierPolicy(
        version=rows["version"],
        tiers={Tier(key): _rule(Tier(key), row) for key, row in rows["tiers"].items()},
        masks={kind: {Level(level): method for level, method in row.items()} for kind, row in rows["masks"].items()},
        elements=rows["elements"],
        partial_number=PartialNumber(**rows["partial_number"]),
        minors=_minors(rows["minors"]),
        filter_kinds=frozenset(rows["filters"]),
        direct_kinds=frozenset(rows["direct_identifiers"]["kinds"]),
        direct_elements=frozenset(rows["direct_identifiers"]["elements"]),
        acceptable_group=rows["direct_identifiers"]["acceptable_group"],
    )


def _rule(tier: Tier, row: Mapping[str, Any]) -> TierRule:
    by_level = {Level(level): Treatment(treatment) for level, treatment in row["by_level"].items()}
    return TierRule(tier=tier, zh=row["zh"], en=row["en"], answer=AnswerForm(row["answer"]), by_level=by_level)


def _minors(row: Mapping[str, Any]) -> MinorRule:
    return MinorRule(under_years=row["under_years"], level=Level(row["level"]), unknown_age_is_minor=row["unknown_age"] == "minor")
