"""Conditions of a rule set as SQL over the levels of compared pairs."""

from collections.abc import Mapping
from typing import Any

from rules.matching import Comparison, Condition, MatchingRules


def condition_sql(rules: MatchingRules, condition: Condition) -> str:
    """True, false or null where an attribute is silent; columns: one per comparison with the level, attested_a, attested_b."""
    if not isinstance(condition, Mapping):
        return _either(rules, condition)
    return "(" + " AND ".join(_CLAUSES.get(key, _said_of(key))(rules, said) for key, said in condition.items()) + ")"


def eligible_sql(rules: MatchingRules) -> str:
    """Whether an edge has what it needs beside its weight."""
    cases = [(case.where, condition_sql(rules, case.need)) for case in rules.eligible]
    if not cases:
        return "true"
    return _case([("true" if where is None else condition_sql(rules, where), f"coalesce({need}, false)") for where, need in cases])


def barred_sql(rules: MatchingRules) -> str:
    """The name of the first bar that holds, null where none does."""
    return _case([(condition_sql(rules, condition), f"'{name}'") for name, condition in rules.barred.items()])


def agrees_sql(comparison: Comparison) -> str:
    """Whether a comparison counts as an agreement; silence does not."""
    return f"coalesce({comparison.attribute} IN ({_listed(comparison.agreeing())}), false)"


def _case(rows: list[tuple[str, str]]) -> str:
    return "CASE " + " ".join(f"WHEN {test} THEN {value}" for test, value in rows) + " END" if rows else "NULL::VARCHAR"


def _either(rules: MatchingRules, conditions: Condition) -> str:
    return "(" + " OR ".join(f"coalesce({condition_sql(rules, c)}, false)" for c in conditions if isinstance(c, Mapping)) + ")"


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


_CLAUSES = {
    "beside": _beside,
    "groups": _groups,
    "attested": lambda rules, said: "attested_a <> attested_b",
    "unless": lambda rules, said: f"NOT coalesce({condition_sql(rules, said)}, false)",
    "any": _either,
}
