"""Release tiers (开放层级), audiences (开放范围) and what each lets through, read from `tiers.yaml`. law.md G-02, I-05…I-07, P-08."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rules.levels import Level


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
class AudienceRule:
    """The highest level of a column that an audience may be granted, by tier; a tier that is missing is not for it."""

    audience: Audience
    zh: str
    en: str
    highest: Mapping[Tier, Level]


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


NOTHING_ELSE = frozenset({"suppress"})
DEFAULT = "default"


@dataclass(frozen=True, kw_only=True)
class StatisticsRule:
    """T0: the smallest group that is told, how large a table may be; by kind the groupings, each with the mask that makes its groups."""

    smallest_group: int
    most_dimensions: int
    most_groups: int
    groupings: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class TierPolicy:
    """One version of the rules; results say which."""

    version: int
    tiers: Mapping[Tier, TierRule]
    audiences: Mapping[Audience, AudienceRule]
    masks: Mapping[str, Mapping[Level, str]]
    elements: Mapping[str, str]
    alternatives: Mapping[str, frozenset[str]]
    partial_numbers: Mapping[str, PartialNumber]
    pseudonym_digest: str
    minors: MinorRule
    filter_kinds: frozenset[str]
    direct_kinds: frozenset[str]
    direct_elements: frozenset[str]
    acceptable_group: int
    statistics: StatisticsRule
    fingerprints: Mapping[str, str]

    def method(self, tier: Tier, level: Level, kind: str, element: str | None) -> str:
        """The name of the masking method for a column: the tier's treatment of its level, then the element's or its kind's method."""
        treatment = self.tiers[tier].by_level[level]
        if treatment is not Treatment.MASK:
            return treatment.value
        return self.elements.get(element or "") or self.masks[kind][level]

    def alternatives_for(self, kind: str, element: str | None) -> frozenset[str]:
        """What a grant may name instead of the usual mask of a column."""
        return self.alternatives.get(element or "", self.alternatives.get(kind, NOTHING_ELSE))

    def within(self, audience: Audience, tier: Tier, level: Level) -> bool:
        """Whether an audience may be granted columns of a level under a tier."""
        most = self.audiences[audience].highest.get(tier)
        return most is not None and level <= most


def named_mask(choice: str) -> tuple[str, str]:
    """`partial_number:province` as method and the name of its setting; the setting is empty where none is named."""
    method, _, setting = choice.partition(":")
    return method, setting


@cache
def load_tier_policy() -> TierPolicy:
    rows = yaml.safe_load((Path(__file__).parent / "tiers.yaml").read_text(encoding="utf-8"))
    return TierPolicy(
        version=rows["version"],
        tiers={Tier(key): _rule(Tier(key), row) for key, row in rows["tiers"].items()},
        audiences={Audience(key): _audience(Audience(key), row) for key, row in rows["audiences"].items()},
        masks={kind: {Level(level): method for level, method in row.items()} for kind, row in rows["masks"].items()},
        elements=rows["elements"],
        alternatives={key: NOTHING_ELSE | set(choices) for key, choices in rows["alternatives"].items()},
        partial_numbers={name: PartialNumber(**row) for name, row in rows["partial_numbers"].items()},
        pseudonym_digest=rows["pseudonyms"]["digest"],
        minors=_minors(rows["minors"]),
        filter_kinds=frozenset(rows["filters"]),
        direct_kinds=frozenset(rows["direct_identifiers"]["kinds"]),
        direct_elements=frozenset(rows["direct_identifiers"]["elements"]),
        acceptable_group=rows["direct_identifiers"]["acceptable_group"],
        statistics=StatisticsRule(**rows["statistics"]),
        fingerprints=rows["fingerprints"],
    )


def _rule(tier: Tier, row: Mapping[str, Any]) -> TierRule:
    by_level = {Level(level): Treatment(treatment) for level, treatment in row["by_level"].items()}
    return TierRule(tier=tier, zh=row["zh"], en=row["en"], answer=AnswerForm(row["answer"]), by_level=by_level)


def _audience(audience: Audience, row: Mapping[str, Any]) -> AudienceRule:
    most = {Tier(tier): Level(level) for tier, level in row["highest"].items()}
    return AudienceRule(audience=audience, zh=row["zh"], en=row["en"], highest=most)


def _minors(row: Mapping[str, Any]) -> MinorRule:
    return MinorRule(under_years=row["under_years"], level=Level(row["level"]), unknown_age_is_minor=row["unknown_age"] == "minor")
