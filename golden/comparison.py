"""What each candidate pair agrees and disagrees in, and the weight of it all.

Relations made here
  level_<attribute>(pair, level, bits)   the best level over the values of both units; no row where one side says nothing
  scored(pair, a, b, bits, eligible, barred)
      bits      total weight in hundredths, prior included
      eligible  the name or a number agrees, and enough independent things beside the name (M-03, X-24)
      barred    why the two may never stand in one cluster, null where they may
"""

import duckdb

from golden.exact_groups import GENERATION_YEARS
from golden.name_comparison import compare_names
from golden.weights import Weights
from rules.matching import Comparison, MatchingRules

LUNAR_DAYS = (20, 50)
"""A lunar date written as a solar one lies so many days before (X-13)."""


def score_pairs(con: duckdb.DuckDBPyConnection, rules: MatchingRules, weights: Weights, pairs: str = "pairs") -> str:
    """Make the relations of this module for the pairs of a relation (pair, a, b)."""
    for comparison in rules.comparisons.values():
        kind = rules.attributes[comparison.attribute].kind
        _LEVELLERS[kind](con, comparison, weights, pairs)
    con.execute(f"CREATE OR REPLACE TABLE scored AS {_scored_sql(rules, weights, pairs)}")
    return "scored"


def refuse_ambiguous(con: duckdb.DuckDBPyConnection) -> None:
    """A unit without a name that fits two numbered units may be either of two twins, or neither: it joins none of them."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE ambiguous AS
        SELECT nameless FROM (
          SELECT CASE WHEN a IN (SELECT unit FROM unit_name) THEN b ELSE a END AS nameless,
            CASE WHEN a IN (SELECT unit FROM unit_name) THEN a ELSE b END AS named
          FROM scored WHERE name IS NULL AND eligible AND barred IS NULL AND number IS NULL)
        JOIN units ON unit = named WHERE number IS NOT NULL GROUP BY nameless HAVING count(DISTINCT number) > 1""")
    con.execute("""
        UPDATE scored SET eligible = false
        WHERE name IS NULL AND number IS NULL AND (a IN (SELECT nameless FROM ambiguous) OR b IN (SELECT nameless FROM ambiguous))""")


def _level_values(con: duckdb.DuckDBPyConnection, comparison: Comparison, weights: Weights, pairs: str) -> None:
    _keep_best(con, comparison, weights, pairs, _equal_sql(comparison.attribute, pairs))


def _level_names(con: duckdb.DuckDBPyConnection, comparison: Comparison, weights: Weights, pairs: str) -> None:
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE unequal_names AS
        SELECT pair, least(x.value, y.value) AS a, greatest(x.value, y.value) AS b
        FROM {pairs} p JOIN unit_name x ON x.unit = p.a JOIN unit_name y ON y.unit = p.b WHERE x.value <> y.value""")
    con.execute("CREATE OR REPLACE TEMP TABLE distinct_unequal AS SELECT DISTINCT a, b FROM unequal_names")
    compare_names(con, "distinct_unequal", "names_compared")
    former = f"""
        SELECT pair, 'former' AS level, NULL::INT AS bits
        FROM {pairs} p JOIN unit_former_name x ON x.unit IN (p.a, p.b)
        JOIN unit_name y ON y.unit = (CASE WHEN x.unit = p.a THEN p.b ELSE p.a END) AND y.value = x.value"""
    alike = "SELECT pair, level, NULL::INT AS bits FROM unequal_names JOIN names_compared USING (a, b)"
    _keep_best(con, comparison, weights, pairs, f"{_equal_sql('name', pairs)} UNION ALL {alike} UNION ALL {former}")


def _level_dates(con: duckdb.DuckDBPyConnection, comparison: Comparison, weights: Weights, pairs: str) -> None:
    """Best over all pairs of values: equal; without day or month; one of year, month, day differs, or two exchanged; lunar; far apart."""
    attribute = comparison.attribute
    day = "try_cast({0} AS DATE)"
    apart = f"abs(date_diff('day', {day.format('x.value')}, {day.format('y.value')}))"
    same = " + ".join(f"(substr(x.value, {at}, {n}) = substr(y.value, {at}, {n}))::INT" for at, n in ((1, 4), (6, 2), (9, 2)))
    swapped = "left(x.value, 5) || right(x.value, 2) || '-' || x.value[6:7] = y.value"
    levels = f"""
        SELECT pair, CASE
          WHEN abs(try_cast(left(x.value, 4) AS INT) - try_cast(left(y.value, 4) AS INT)) >= {GENERATION_YEARS} THEN 'far'
          WHEN left(x.value, 7) = left(y.value, 7) AND least(length(x.value), length(y.value)) = 7 THEN 'month'
          WHEN length(x.value) = 10 AND length(y.value) = 10 AND ({same} = 2 OR {swapped}) THEN 'one_part'
          WHEN {apart} BETWEEN {LUNAR_DAYS[0]} AND {LUNAR_DAYS[1]} THEN 'near'
          WHEN left(x.value, 4) = left(y.value, 4) AND least(length(x.value), length(y.value)) = 4 THEN 'year'
          WHEN left(x.value, 4) = left(y.value, 4) THEN 'same_year'
          ELSE 'else' END AS level, NULL::INT AS bits
        FROM {pairs} p JOIN unit_{attribute} x ON x.unit = p.a JOIN unit_{attribute} y ON y.unit = p.b
        WHERE x.value <> y.value OR length(x.value) < 10"""
    _keep_best(con, comparison, weights, pairs, f"{_equal_sql(attribute, pairs, 'length(x.value) = 10')} UNION ALL {levels}")


def _level_numbers(con: duckdb.DuckDBPyConnection, comparison: Comparison, weights: Weights, pairs: str) -> None:
    """equal; near: a void number one error from the other's valid one; prefix: the 15 digits a spreadsheet left; else: two numbers."""
    derived = " UNION ALL ".join(
        f"""SELECT pair, '{level}' AS level, NULL::INT AS bits FROM {pairs} p
            JOIN unit_number_{level} x ON x.unit = p.a JOIN unit_number_{level} y ON y.unit = p.b AND y.value = x.value
            JOIN units u ON u.unit = p.a JOIN units v ON v.unit = p.b WHERE (u.number IS NULL) <> (v.number IS NULL)"""
        for level in ("near", "prefix")
    )
    _keep_best(con, comparison, weights, pairs, f"{_equal_sql(comparison.attribute, pairs)} UNION ALL {derived}")


_LEVELLERS = {"value": _level_values, "folded": _level_values, "name": _level_names, "date": _level_dates, "number": _level_numbers}


def _equal_sql(attribute: str, pairs: str, where: str = "true") -> str:
    return f"""
        SELECT pair, 'equal' AS level, x.bits AS bits FROM {pairs} p
        JOIN unit_{attribute} x ON x.unit = p.a JOIN unit_{attribute} y ON y.unit = p.b AND y.value = x.value WHERE {where}"""


def _keep_best(con: duckdb.DuckDBPyConnection, comparison: Comparison, weights: Weights, pairs: str, found: str) -> None:
    """The strongest level of each pair; `else` where both units say something and nothing agrees."""
    key = comparison.attribute
    order = ", ".join(f"('{level.key}', {rank}, {weights.of(key, level.key)})" for rank, level in enumerate(comparison.levels))
    other = [level.key for level in comparison.levels].index("else")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE found_levels AS
        SELECT pair, min(rank) AS rank, max(coalesce(f.bits, l.bits)) FILTER (WHERE rank = 0) AS own_bits
        FROM ({found}) f JOIN (VALUES {order}) l(level, rank, bits) USING (level) GROUP BY pair""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE both_say AS
        SELECT pair FROM {pairs} WHERE a IN (SELECT unit FROM unit_{key}) AND b IN (SELECT unit FROM unit_{key})""")
    con.execute(f"""
        CREATE OR REPLACE TABLE level_{key} AS
        SELECT pair, l.level, coalesce(own_bits, l.bits)::INT AS bits FROM (
          SELECT pair, coalesce(rank, {other}) AS rank, own_bits FROM both_say FULL JOIN found_levels USING (pair)
        ) JOIN (VALUES {order}) l(level, rank, bits) USING (rank)""")


def _scored_sql(rules: MatchingRules, weights: Weights, pairs: str) -> str:
    keys = list(rules.comparisons)
    joins = " ".join(f"LEFT JOIN level_{key} USING (pair)" for key in keys)
    total = " + ".join(_bits(comparison) for comparison in rules.comparisons.values())
    levels = ", ".join(f"level_{key}.level AS {key}" for key in keys)
    agreed = _agreed_groups(rules)
    beside = " + ".join(f"({test})::INT" for group, test in agreed.items() if group not in ("name", "sex", "number"))
    return f"""
        WITH compared AS (
          SELECT pair, p.a, p.b, {levels}, {weights.prior_bits} + {total} AS bits,
            u.number AS number_a, v.number AS number_b, u.number_attested AS attested_a, v.number_attested AS attested_b
          FROM {pairs} p JOIN units u ON u.unit = p.a JOIN units v ON v.unit = p.b {joins}
        ), judged AS (
          SELECT *, {beside} AS beside, {agreed["name"]} AS name_agrees, {_barred(rules)} AS barred FROM compared)
        SELECT pair, a, b, bits::INT AS bits, coalesce(({_eligible(rules)}), false) AS eligible, barred, {", ".join(keys)} FROM judged"""


def _bits(comparison: Comparison) -> str:
    bits = f"coalesce(level_{comparison.attribute}.bits, 0)"
    return f"CASE WHEN level_{comparison.within}.level = 'equal' THEN 0 ELSE {bits} END" if comparison.within else bits


def _agreed_groups(rules: MatchingRules) -> dict[str, str]:
    """For each group of comparisons SQL that is true where one of them agrees."""
    groups: dict[str, list[str]] = {}
    for comparison in rules.comparisons.values():
        levels = ", ".join(f"'{level}'" for level in comparison.agreeing())
        groups.setdefault(comparison.group, []).append(f"coalesce({comparison.attribute} IN ({levels}), false)")
    return {group: f"({' OR '.join(tests)})" for group, tests in groups.items()}


def _eligible(rules: MatchingRules) -> str:
    """M-03. A common number with another name needs something that the number does not say already; two numbers need more than enough."""
    enough = rules.agreements
    agreed = _agreed_groups(rules)
    corroborated = " OR ".join(test for group, test in agreed.items() if group not in ("name", "sex", "number", "birth", "spouse"))
    return f"""
        CASE WHEN number = 'equal' THEN name_agrees OR {corroborated}
             WHEN number = 'else' THEN {_one_person_two_numbers(rules)}
             WHEN document = 'equal' OR register = 'equal' THEN name_agrees OR name IS NULL
             WHEN number IN ('near', 'prefix') THEN name_agrees OR (name IS NULL AND beside >= {enough})
             WHEN name IS NULL THEN beside >= {rules.nameless_agreements} AND birth IN ('equal', 'month')
             ELSE name_agrees AND beside >= {enough} END"""


def _one_person_two_numbers(rules: MatchingRules) -> str:
    """X-07: one of the numbers is current, the other in nobody's register, and more agrees than two people would share."""
    return f"(attested_a <> attested_b AND name IN ('equal', 'former') AND birth = 'equal' AND beside > {rules.agreements})"


def _barred(rules: MatchingRules) -> str:
    limits = rules.constraints
    unnumbered = "coalesce(number, '') NOT IN ('equal', 'near')"
    tests = {
        "numbers": (limits.numbers, f"number = 'else' AND NOT coalesce({_one_person_two_numbers(rules)}, false)"),
        "number_names": (
            limits.number_names,
            "number = 'equal' AND name IN ('else', 'surname') AND (sex = 'else' OR birth IN ('same_year', 'else', 'far'))",
        ),
        "sex_and_birth": (
            limits.sex_and_birth,
            f"sex = 'else' AND birth IN ('one_part', 'near', 'same_year', 'else', 'far') AND {unnumbered}",
        ),
        "twins": (limits.twins, f"name IN ('one_edit', 'surname', 'else') AND birth = 'equal' AND {unnumbered}"),
        "siblings": (limits.siblings, f"birth = 'else' AND {unnumbered}"),
        "generations": (limits.generations, f"birth = 'far' AND {unnumbered}"),
    }
    cases = " ".join(f"WHEN {test} THEN '{name}'" for name, (on, test) in tests.items() if on)
    return f"CASE {cases} END" if cases else "NULL"
