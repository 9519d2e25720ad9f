"""How alike two values are: for each kind of attribute the tests of its levels, as SQL over two values x and y.

Native functions of the engine only, so that they run inside the one pass over all pairs; Chinese names are judged apart, once per pair
of distinct names (name_comparison.py).
"""

from collections.abc import Callable, Mapping
from typing import Any

from golden.exact_groups import GENERATION_YEARS
from rules.matching import Comparison, Level

LUNAR_DAYS = (20, 50)
"""A lunar date written as a solar one lies so many days before (X-13)."""

SHORTEST = 3
"""Shorter values are alike by chance: they are equal or not."""

_LONG = f"least(length({{x}}), length({{y}})) >= {SHORTEST}"

TESTS: Mapping[str, Callable[[Any], str]] = {
    "jaro_winkler": lambda least: f"{_LONG} AND jaro_winkler_similarity({{x}}, {{y}}) >= {least}",
    "hamming": lambda most: f"{_LONG} AND length({{x}}) = length({{y}}) AND hamming({{x}}, {{y}}) <= {most}",
    "edits": lambda most: f"{_LONG} AND abs(length({{x}}) - length({{y}})) <= {most} AND damerau_levenshtein({{x}}, {{y}}) <= {most}",
    "prefix": lambda n: f"left({{x}}, {n}) = left({{y}}, {n})",
    "contained": lambda least: f"least(length({{x}}), length({{y}})) >= {least} AND (contains({{x}}, {{y}}) OR contains({{y}}, {{x}}))",
    "tokens": lambda least: f"len(list_intersect(string_split({{x}}, ' '), string_split({{y}}, ' '))) >= {least}",
}
"""Likeness of two texts by name, with how much of it a level takes. `swapped` needs a second attribute: comparison.py."""

_SAME_PARTS = " + ".join(f"(substr({{x}}, {at}, {n}) = substr({{y}}, {at}, {n}))::INT" for at, n in ((1, 4), (6, 2), (9, 2)))
_SWAPPED = "left({x}, 5) || right({x}, 2) || '-' || {x}[6:7] = {y}"
_WHOLE = "length({x}) = 10 AND length({y}) = 10"
_DAYS = "abs(date_diff('day', try_cast({x} AS DATE), try_cast({y} AS DATE)))"
_YEARS = "abs(try_cast(left({x}, 4) AS INT) - try_cast(left({y}, 4) AS INT))"

DATES: Mapping[str, str] = {
    "equal": "length({x}) = 10 AND {x} = {y}",
    "month": "left({x}, 7) = left({y}, 7) AND least(length({x}), length({y})) = 7",
    "one_part": f"{_WHOLE} AND ({_SAME_PARTS} = 2 OR {_SWAPPED})",
    "near": f"{_DAYS} BETWEEN {LUNAR_DAYS[0]} AND {LUNAR_DAYS[1]}",
    "year": "left({x}, 4) = left({y}, 4) AND least(length({x}), length({y})) = 4",
    "same_year": "left({x}, 4) = left({y}, 4)",
    "far": f"{_YEARS} >= {GENERATION_YEARS}",
}
"""Equal; without day or month; one of year, month, day differs, or two exchanged; lunar; far apart."""


def rank_sql(comparison: Comparison, kind: str, x: str, y: str) -> str:
    """The rank of the level that two values reach, 0 the strongest. What comes after `else` is worse than it, and tested first."""
    levels = [level for level in comparison.levels if level.key != "else" and _stated_test(level, kind) is not None]
    other = comparison.rank("else")
    levels.sort(key=lambda level: comparison.rank(level.key) < other)
    cases = " ".join(f"WHEN {_test(level, kind, x, y)} THEN {comparison.rank(level.key)}" for level in levels)
    return f"CASE {cases} ELSE {other} END"


def _test(level: Level, kind: str, x: str, y: str) -> str:
    stated = _stated_test(level, kind)
    assert stated is not None
    return "(" + stated.format(x=x, y=y) + ")"


def _stated_test(level: Level, kind: str) -> str | None:
    """Null for the levels that are found in another way: of numbers, of names, swapped."""
    if kind == "date" and level.test is None:
        return DATES[level.key]
    if level.key == "equal":
        return "{x} = {y}"
    if level.test is None or level.test[0] == "swapped":
        return None
    return TESTS[level.test[0]](level.test[1])
