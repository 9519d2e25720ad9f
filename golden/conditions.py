"""Conditions of a rule set as SQL over the levels of compared pairs."""

from collections.abc import Callable, Mapping
from typing import Any

from golden.weights import HUNDREDTHS
from rules.matching import Case, Comparison, Condition, MatchingRules


def condition_sql(rules: MatchingRules, condition: Condition) -> str:
    """True, false or null where an attribute is silent; columns: one per comparison with the level, bits, attested_a,
    attested_b.
    """
    if not isinstance(condition, Mapping):
        return _either(rules, condition)
    return "(" + " AND ".join(_CLAUSES.get(key, _said_of(key))(rules, said) for key, said in condition.items()) + ")"


def eligible_sql(rules: MatchingRules) -> str:
    """Whether an edge has what it needs beside its weight, alone or not."""
    return _cases(rules, lambda case: f"{_holds(rules, case.need)} OR {_holds(rules, case.alone)}", "true")


def alone_sql(rules: MatchingRules) -> str:
    """Whether it has only what is enough if nobody else fits."""
    return _cases(rules, lambda case: f"NOT {_holds(rules, case.need)}", "false")


def _cases(rules: MatchingRules, of_case: Callable[[Case], str], without: str) -> str:
    if not rules.eligible:
        return without
    rows = [("true" if case.where is None else condition_sql(rules, case.where), of_case(case)) for case in rules.eligible]
    return f"coalesce({_case(rows)}, false)"


def barred_sql(rules: MatchingRules) -> str:
    """The name of the first bar that holds, null where none does."""
    return _case([(condition_sql(rules, condition), f"'{name}'") for name, condition in rules.barred.items()])


def agrees_sql(comparison: Comparison) -> str:
    """Whether a comparison counts as an agreement; silence does not."""
    return f"coalesce({comparison.attribute} IN ({_listed(comparison.agreeing())}), false)"


def _case(rows: list[tuple[str, str]]) -> str:
    return "CASE " + " ".join(f"WHEN {test} THEN {value}" for test, value in rows) + " END" if rows else "NULL::VARCHAR"


def _either(rules: MatchingRules, conditions: Condition) -> str:
    return "(" + (" OR ".join(_holds(rules, c) for c in conditions if isinstance(c, Mapping)) or "false") + ")"


def _holds(rules: MatchingRules, condition: Condition) -> str:
    return f"coalesce({condition_sql(rules, condition)}, false)"


def _said_of(attribute: str) -> Any:
    def clause(rules: MatchingRules, said: Any) -> str:
        if said == "silent":
            return f"{attribute} IS NULL"
        if said == "agrees":
            return agrees_sql(rules.comparisons[attribute])
        return f"{attribute} IN ({_listed(said)})"

    return clause


def _listed(levels: Any) -> str:
    return ", ".join(f"'{level}'" for level in levels)


def _beside(rules: MatchingRules, least: int) -> str:
    counted = [_group(rules, group) for group in dict.fromkeys(c.group for c in rules.comparisons.values()) if group not in rules.uncounted]
    return f"{' + '.join(f'{test}::INT' for test in counted)} >= {least}"


def _groups(rules: MatchingRules, groups: list[str]) -> str:
    return "(" + " OR ".join(_group(rules, group) for group in groups) + ")"


def _group(rules: MatchingRules, group: str) -> str:
    return "(" + " OR ".join(agrees_sql(c) for c in rules.comparisons.values() if c.group == group) + ")"


_ATTESTED = {"none": 0, "one": 1, "both": 2}
_CLAUSES = {
    "beside": _beside,
    "groups": _groups,
    "bits": lambda rules, least: f"bits >= {round(least * HUNDREDTHS)}",
    "attested": lambda rules, said: f"(attested_a::INT + attested_b::INT) = {_ATTESTED[said]}",
    "unless": lambda rules, said: f"NOT {_holds(rules, said)}",
    "any": _either,
}
