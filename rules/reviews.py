"""The rules of reviews (审计核查规则): how many accesses are drawn, what a review can end with, and which ends take two. law.md A-06."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

import yaml


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """With what a review ends. `grave`: two auditors close it; `found`: something was wrong; `after`: the stages it may follow."""

    key: str
    zh: str
    en: str
    grave: bool
    found: bool
    after: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class ReviewRules:
    """`share` of what nothing pointed at is drawn, at least and at most so many."""

    version: int
    share: float
    at_least: int
    at_most: int
    frozen_accesses: int
    outcomes: Mapping[str, Outcome]

    def drawn(self, accesses: int) -> int:
        """How many of so many accesses are drawn; all where there are fewer."""
        return min(accesses, self.at_most, max(self.at_least, ceil(accesses * self.share)))


@cache
def load_review_rules() -> ReviewRules:
    return read_review_rules(yaml.safe_load((Path(__file__).parent / "reviews.yaml").read_text(encoding="utf-8")))


def read_review_rules(document: Mapping[str, Any]) -> ReviewRules:
    rows = document["outcomes"].items()
    return ReviewRules(
        version=document["version"],
        frozen_accesses=document["frozen_accesses"],
        outcomes={key: Outcome(key=key, **{**row, "after": frozenset(row["after"])}) for key, row in rows},
        **document["draw"],
    )
