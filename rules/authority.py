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
  first_values          values that nobody has again once he had another (未婚): who holds an event refutes them, however old it is (X-21)
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
from rules.errors import Refused

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
        "first_values",
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
    first_values: tuple[str, ...]
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
    """The shipped rule of every registered element: its own row, over its volatility's, over the defaults."""
    document = _shipped()
    faults = faults_of(document)
    assert not faults, f"survivorship.yaml: {faults}"
    return _rules_of(document)


def read_proposal(path: Path) -> SurvivorshipRules:
    """The shipped rules with what a file changes: `defaults`, `volatilities`, `elements`, with only the fields that differ.

    Raises Refused RULES-SURVIVORSHIP with all faults of the file.
    """
    try:
        changes = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise Refused("RULES-SURVIVORSHIP", where=path.name, what=f"{type(fault).__name__}: no YAML document") from fault
    parts = ("defaults", "volatilities", "elements")
    if not isinstance(changes, dict) or not set(changes) <= set(parts) or not all(isinstance(part, dict) for part in changes.values()):
        raise Refused("RULES-SURVIVORSHIP", where=path.name, what=f"a mapping with {', '.join(parts)}")
    document = _shipped()
    for part, rows in changes.items():
        for key, row in rows.items():
            known = document[part].get(key)
            document[part][key] = {**known, **row} if isinstance(known, dict) and isinstance(row, dict) else row
    if faults := faults_of(document):
        raise Refused("RULES-SURVIVORSHIP", where=path.name, what="; ".join(faults))
    return _rules_of(document)


def faults_of(document: Mapping[str, Any]) -> list[str]:
    """All that is wrong with a document like `survivorship.yaml`, by element and field."""
    unknown = sorted(set(document["elements"]) - set(load_elements()))
    faults = [f"elements: unknown {key}" for key in unknown]
    reliability = document["defaults"].get("reliability")
    if not isinstance(reliability, dict) or set(reliability) != set(ROLES) or not all(_is_share(p) for p in reliability.values()):
        faults.append(f"defaults: reliability needs a probability for each of {', '.join(ROLES)}")
    for element in load_elements().values():
        row = _row_of(element, document)
        faults += [f"{element.key}: {fault}" for fault in (_row_faults(row) if isinstance(row, dict) else ["is no mapping"])]
    return faults


def _shipped() -> dict[str, Any]:
    return yaml.safe_load((Path(__file__).parent / "survivorship.yaml").read_text(encoding="utf-8"))


def _row_of(element: Element, document: Mapping[str, Any]) -> Any:
    own = document["elements"].get(element.key, {})
    defaults = {key: value for key, value in document["defaults"].items() if key != "reliability"}
    return {**defaults, **document["volatilities"][element.volatility], **own} if isinstance(own, dict) else own


def _rules_of(document: Mapping[str, Any]) -> SurvivorshipRules:
    rules = {element.key: _rule(element, _row_of(element, document)) for element in load_elements().values()}
    return SurvivorshipRules(rules=rules, prior_reliability=document["defaults"]["reliability"])


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1


def _row_faults(row: Mapping[str, Any]) -> list[str]:
    """What is wrong with the fields of one element."""
    faults = [f"unknown field {field}" for field in sorted(set(row) - _FIELDS)]
    order = [*row.get("of_record", ()), *row.get("fallbacks", ())]
    faults += [f"unknown department {key}" for key in order if key not in load_departments()]
    half_life, sources = row.get("half_life_days"), row.get("refute_sources")
    tests = {
        "a department is named twice": len(set(order)) == len(order),
        f"method is one of {', '.join(METHODS)}": row.get("method") in METHODS,
        "0.5 ≤ accept_at < refute_at < 1": all(_is_share(row.get(key)) for key in ("accept_at", "refute_at"))
        and 0.5 <= row["accept_at"] < row["refute_at"],
        "half_life_days is a number over 0, or null": half_life is None or (isinstance(half_life, int | float) and half_life > 0),
        "refute_sources is a whole number over 0, or null": sources is None or (isinstance(sources, int) and sources > 0),
        "freshness needs a half life": row.get("method") != "freshness" or bool(half_life),
    }
    return faults + [fault for fault, holds in tests.items() if not holds]


def _rule(element: Element, row: Mapping[str, Any]) -> SurvivorshipRule:
    return SurvivorshipRule(
        element=element.key,
        of_record=tuple(row.get("of_record", (element.source_of_record,))),
        fallbacks=tuple(row.get("fallbacks", ())),
        method=row["method"],
        half_life_days=row.get("half_life_days"),
        refute_at=row["refute_at"],
        refute_sources=row["refute_sources"],
        refuted_by_id_number=row.get("refuted_by_id_number", False),
        accept_at=row["accept_at"],
        first_values=tuple(row.get("first_values", ())),
        legal=row.get("legal", ""),
        confirm=row.get("confirm", "legal" not in row),
    )
