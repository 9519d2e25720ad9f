"""The yardsticks of oversight (预警标准): from when on an access, a day or an account is worth a look. law.md A-05, P-10."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class Deferral:
    """When a resident is told of an access to his data (PIPL 45; P-01). `days_by_cited`: what a legal basis cites → days that it may wait.

    `other_persons`: acts in which another person's affairs would show, so that of them only institution and time are told.
    """

    longest_days: int
    days_by_cited: Mapping[str, int]
    other_persons: frozenset[str]

    def days_of(self, legal_bases: Iterable[str]) -> int:
        """How many days an access under these legal bases waits; 0: none."""
        cited = [days for basis in legal_bases for cites, days in self.days_by_cited.items() if cites in basis]
        return min(max(cited, default=0), self.longest_days)


@dataclass(frozen=True, kw_only=True)
class Yardsticks:
    """`classes`: class of P-10 → elements; `limits`: class → subjects in all; `numbers`: the thresholds of each rule.

    `famous_names`: of well-known people, whose namesakes tempt.
    """

    version: int
    classes: Mapping[str, tuple[str, ...]]
    limits: Mapping[str, int]
    numbers: Mapping[str, Mapping[str, float]]
    famous_names: tuple[str, ...]
    deferral: Deferral

    def class_of(self, columns: frozenset[str]) -> str:
        """The gravest class among these columns: the one with the lowest limit."""
        touched = [name for name, elements in self.classes.items() if columns & set(elements)]
        return min(touched, key=lambda name: self.limits[name], default=OTHER)


@cache
def load_yardsticks() -> Yardsticks:
    return read_yardsticks(yaml.safe_load((Path(__file__).parent / "oversight.yaml").read_text(encoding="utf-8")))


def read_yardsticks(document: Mapping[str, Any]) -> Yardsticks:
    named = {"version", "classes", "cumulative_subjects", "famous_names", "deferral"}
    return Yardsticks(
        version=document["version"],
        classes={name: tuple(elements) for name, elements in document["classes"].items()},
        limits=dict(document["cumulative_subjects"]),
        numbers={name: dict(values) for name, values in document.items() if name not in named},
        famous_names=tuple(document["famous_names"]),
        deferral=_deferral(document["deferral"]),
    )


def _deferral(section: Mapping[str, Any]) -> Deferral:
    return Deferral(
        longest_days=section["longest_days"],
        days_by_cited={cites: rule["days"] for rule in section["by_basis"] for cites in rule["cites"]},
        other_persons=frozenset(section["other_persons"]),
    )
