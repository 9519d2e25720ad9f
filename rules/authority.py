"""Who is the department of record for each element, and how its value can be outdone: the authority table of law.md §5.3 from
`survivorship.yaml`.

A rule of an element says, with the fields of the file:
  of_record             departments of record (数源部门) in order; the first with a value for the person gives the value of record (R-01).
                        Empty: nobody's value stands by itself (手机号), all compete.
  fallbacks             departments that are asked next, in order of their prior reliability, where no department of record has a value.
  method                record    the value of record stands unless refuted (R-02)
                        freshness reliability × freshness decides, rank only between equals (R-03; elements that change unnoticed)
                        event     the latest event decides; a department that holds only events speaks up to its last event (X-21)
  half_life_days        after so many days since it was observed a value counts half: weight = reliability × 2^(-age / half life).
                        null: age does not count.
  refute_at             the probability that another value must reach to refute the value of record (R-02: .98)
  refute_sources        how many independent sources must hold that value; a copy is not independent, a verified observation is enough
                        alone. null: only a verified observation refutes (D-10: departments that hold one person's superseded number agree
                        because all took it down in its day, which makes them no independent witnesses against the number of today)
  refuted_by_id_number  the person's own check-valid number refutes it alone (R-02: birth date and sex)
  accept_at             below this probability, where no value of record exists, the element is 未决: unresolved, never invented
  legal                 on what the rule stands
  confirm               true: a default of the platform that the city has to confirm
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rules.departments import load_departments
from rules.elements import Element, load_elements

METHODS = ("record", "freshness", "event")
ROLES = ("of_record", "fallback", "other", "verified")
_FIELDS = frozenset(
    [
        "of_record",
        "fallbacks",
        "method",
        "half_life_days",
        "refute_at",
        "refute_sources",
        "accept_at",
        "refuted_by_id_number",
        "legal",
        "confirm",
    ]
)


@dataclass(frozen=True, kw_only=True)
class SurvivorshipRule:
    """How the golden value of one element is chosen; the fields are explained above."""

    element: str
    of_record: tuple[str, ...]
    fallbacks: tuple[str, ...]
    method: str
    half_life_days: float | None
    refute_at: float
    refute_sources: int | None
    refuted_by_id_number: bool
    accept_at: float
    legal: str
    confirm: bool

    def role(self, department: str) -> str:
        """`of_record`, `fallback` or `other`."""
        if department in self.of_record:
            return "of_record"
        return "fallback" if department in self.fallbacks else "other"

    def rank(self, department: str) -> int:
        """0 for the first department of record, one more for each that follows; all others share the last rank."""
        order = self.of_record + self.fallbacks
        return order.index(department) if department in order else len(order)


@dataclass(frozen=True, kw_only=True)
class SurvivorshipRules:
    """The rule of every element, and the reliability that a source is given by its role before anything was learnt about it."""

    rules: Mapping[str, SurvivorshipRule]
    prior_reliability: Mapping[str, float]

    def of(self, element: str) -> SurvivorshipRule:
        return self.rules[element]


@cache
def load_survivorship() -> SurvivorshipRules:
    """The rule of every registered element: its own row, over its volatility's, over the defaults."""
    document = yaml.safe_load((Path(__file__).parent / "survivorship.yaml").read_text(encoding="utf-8"))
    unknown = set(document["elements"]) - set(load_elements())
    assert not unknown, f"survivorship.yaml: unknown elements {sorted(unknown)}"
    defaults = dict(document["defaults"])
    reliability = defaults.pop("reliability")
    assert tuple(reliability) == ROLES, f"survivorship.yaml: reliability needs {ROLES}"
    rules = {
        element.key: _rule(
            element, {**defaults, **document["volatilities"][element.volatility], **document["elements"].get(element.key, {})}
        )
        for element in load_elements().values()
    }
    return SurvivorshipRules(rules=rules, prior_reliability=reliability)


def _rule(element: Element, row: Mapping[str, Any]) -> SurvivorshipRule:
    unknown = set(row) - _FIELDS
    assert not unknown, f"survivorship.yaml: {element.key} has unknown fields {sorted(unknown)}"
    return _checked(
        SurvivorshipRule(
            element=element.key,
            of_record=tuple(row.get("of_record", (element.source_of_record,))),
            fallbacks=tuple(row.get("fallbacks", ())),
            method=row["method"],
            half_life_days=row.get("half_life_days"),
            refute_at=row["refute_at"],
            refute_sources=row["refute_sources"],
            refuted_by_id_number=row.get("refuted_by_id_number", False),
            accept_at=row["accept_at"],
            legal=row.get("legal", ""),
            confirm=row.get("confirm", "legal" not in row),
        )
    )


def _checked(rule: SurvivorshipRule) -> SurvivorshipRule:
    name = f"survivorship.yaml: {rule.element}"
    order = rule.of_record + rule.fallbacks
    unknown = set(order) - set(load_departments())
    assert not unknown, f"{name} names unknown departments {sorted(unknown)}"
    assert len(set(order)) == len(order), f"{name} names a department twice"
    assert rule.method in METHODS, f"{name} has unknown method {rule.method}"
    assert 0.5 <= rule.accept_at < rule.refute_at < 1, f"{name}: 0.5 ≤ accept_at < refute_at < 1"
    assert rule.method != "freshness" or rule.half_life_days, f"{name}: freshness needs a half life"
    return rule
