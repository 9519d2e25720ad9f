"""What each candidate pair agrees and disagrees in, and the weight of it all.

One pass over the pairs compares what both units say once; where a unit says several things of an attribute, or the comparison needs more
than the two values, the best level is found apart and joined.

Relations made here
  found_<attribute>(pair, rank, bits)    the best level over the values of both units, where it takes more than one look
  compared(pair, a, b, <attribute>, <attribute>_bits)   ranks of levels, null where one side says nothing; bits: of the equal value
  scored(pair, a, b, bits, eligible, alone, barred, <attribute>)
      bits      total weight in hundredths, prior included
      eligible  the edge has what the rules ask beside its weight (M-03, X-24)
      alone     … but only if no other entity with a number fits the same unnumbered one
      barred    why the two may never stand in one cluster, null where they may
      <attribute>   the level by name
"""

import duckdb

from golden.conditions import alone_sql, barred_sql, eligible_sql
from golden.likeness import rank_sql
from golden.name_comparison import compare_names
from golden.unit_values import list_facts
from golden.weights import Weights
from rules.matching import Comparison, MatchingRules


def score_pairs(con: duckdb.DuckDBPyConnection, rules: MatchingRules, weights: Weights, pairs: str = "pairs") -> str:
    """Make the relations of this module for the pairs of a relation (pair, a, b)."""
    compared = compare_pairs(con, rules, pairs)
    con.execute(f"CREATE OR REPLACE TABLE scored AS {_scored_sql(rules, weights, compared)}")
    return "scored"


def weighed_levels(con: duckdb.DuckDBPyConnection, rules: MatchingRules, weights: Weights, pairs: str) -> str:
    """SQL (pair, <attribute>, <attribute>_bits): what each comparison finds of the pairs of a relation, and what it adds to the weight."""
    compared = compare_pairs(con, rules, pairs)
    said = ", ".join(f"{_name_of(c)} AS {key}, {_bits(c, weights)} AS {key}_bits" for key, c in rules.comparisons.items())
    return f"SELECT pair, {said} FROM ({compared})"


def compare_pairs(con: duckdb.DuckDBPyConnection, rules: MatchingRules, pairs: str) -> str:
    """SQL for `compared`; what it needs beside the pairs and `unit_<attribute>` is made here."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE compared_units AS SELECT a AS unit FROM {pairs} UNION SELECT b FROM {pairs}")
    list_facts(con, rules, "compared_units")
    found = [key for key, comparison in rules.comparisons.items() if _look_apart(con, rules, comparison, pairs)]
    return _compared_sql(rules, pairs, found)


def refuse_ambiguous(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> None:
    """A unit without a number that fits two numbered ones may be either of two twins, of father and son, or neither: what is enough only
    alone joins it to none of them.
    """
    if rules.number not in rules.comparisons:
        return
    number = rules.number
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE ambiguous AS
        WITH fitting AS (
          SELECT a, b, x.number AS number_a, y.number AS number_b FROM scored s SEMI JOIN drawn USING (a, b)
          JOIN units x ON x.unit = a JOIN units y ON y.unit = b WHERE s.{number} IS NULL)
        SELECT unit FROM (SELECT a AS unit, number_b AS fits FROM fitting WHERE number_a IS NULL
          UNION ALL SELECT b, number_a FROM fitting WHERE number_b IS NULL)
        GROUP BY unit HAVING count(DISTINCT fits) > 1""")
    con.execute(f"""
        UPDATE scored SET eligible = false
        WHERE alone AND {number} IS NULL AND (a IN (SELECT unit FROM ambiguous) OR b IN (SELECT unit FROM ambiguous))""")


def _look_apart(con: duckdb.DuckDBPyConnection, rules: MatchingRules, comparison: Comparison, pairs: str) -> bool:
    """Make found_<attribute>, or say that nothing of it is needed."""
    key, kind = comparison.attribute, rules.attributes[comparison.attribute].kind
    parts = _APART[kind](con, rules, comparison, pairs) if kind in _APART else []
    if kind != "name" and _several(con, key):
        parts.append(_several_values(comparison, kind, pairs))
    parts += [_swapped_values(key, other, rank, pairs) for rank, other in _swaps(comparison) if _several(con, key) or _several(con, other)]
    if parts:
        con.execute(f"""
            CREATE OR REPLACE TEMP TABLE found_{key} AS
            SELECT pair, min(rank)::UTINYINT AS rank, max(bits) FILTER (WHERE rank = 0) AS bits
            FROM ({" UNION ALL ".join(parts)}) GROUP BY pair""")
    return bool(parts)


def _several(con: duckdb.DuckDBPyConnection, key: str) -> bool:
    return bool(con.execute(f"SELECT bool_or({key}_many) FROM facts").fetchall()[0][0])


def _several_values(comparison: Comparison, kind: str, pairs: str) -> str:
    key = comparison.attribute
    return f"""
        SELECT pair, {rank_sql(comparison, kind, "x.value", "y.value")} AS rank, x.bits AS bits FROM {_pairs_of_several(key, pairs)} p
        JOIN unit_{key} x ON x.unit = p.a JOIN unit_{key} y ON y.unit = p.b"""


def _pairs_of_several(key: str, pairs: str) -> str:
    """The pairs of which one unit says several things of an attribute."""
    several = f"(SELECT unit FROM facts WHERE {key}_many)"
    return f"(SELECT * FROM {pairs} WHERE a IN {several} OR b IN {several})"


def _swapped_values(key: str, other: str, rank: int, pairs: str) -> str:
    several = f"(SELECT unit FROM facts WHERE {key}_many OR {other}_many)"
    return f"""
        SELECT pair, {rank} AS rank, NULL::INT AS bits FROM (SELECT * FROM {pairs} WHERE a IN {several} OR b IN {several}) p
        JOIN unit_{key} x ON x.unit = p.a JOIN unit_{other} y ON y.unit = p.b AND y.value = x.value
        JOIN unit_{other} v ON v.unit = p.a JOIN unit_{key} w ON w.unit = p.b AND w.value = v.value"""


def _swaps(comparison: Comparison) -> list[tuple[int, str]]:
    """(rank, other attribute) of the levels at which two attributes stand in each other's place."""
    return [(rank, level.test[1]) for rank, level in enumerate(comparison.levels) if level.test is not None and level.test[0] == "swapped"]


def _names_apart(con: duckdb.DuckDBPyConnection, rules: MatchingRules, comparison: Comparison, pairs: str) -> list[str]:
    key = comparison.attribute
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE unequal_names AS
        SELECT pair, least(x.{key}, y.{key}) AS a, greatest(x.{key}, y.{key}) AS b
        FROM {pairs} p JOIN facts x ON x.unit = p.a JOIN facts y ON y.unit = p.b WHERE x.{key} <> y.{key}""")
    several = _several(con, key)
    if several:
        con.execute(f"""
            INSERT INTO unequal_names SELECT pair, least(x.value, y.value), greatest(x.value, y.value)
            FROM {_pairs_of_several(key, pairs)} p JOIN unit_{key} x ON x.unit = p.a JOIN unit_{key} y ON y.unit = p.b
            WHERE x.value <> y.value""")
    con.execute("CREATE OR REPLACE TEMP TABLE distinct_unequal AS SELECT DISTINCT a, b FROM unequal_names")
    compare_names(con, "distinct_unequal", "names_compared")
    ranks = ", ".join(f"('{level}', {rank})" for rank, level in enumerate(comparison.level_keys()))
    found = [
        f"""SELECT pair, rank, NULL::INT AS bits FROM unequal_names JOIN names_compared USING (a, b)
            JOIN (VALUES {ranks}) l(level, rank) USING (level)""",
    ]
    if several:
        found.append(f"""
            SELECT pair, 0, x.bits FROM {_pairs_of_several(key, pairs)} p
            JOIN unit_{key} x ON x.unit = p.a JOIN unit_{key} y ON y.unit = p.b AND y.value = x.value""")
    if "former" in comparison.level_keys():
        found += [
            f"""SELECT pair, {comparison.rank("former")}, NULL::INT FROM {pairs} p
                JOIN unit_former_{key} x ON x.unit = p.{one} JOIN unit_{key} y ON y.unit = p.{other} AND y.value = x.value"""
            for one, other in (("a", "b"), ("b", "a"))
        ]
    return found


def _numbers_apart(con: duckdb.DuckDBPyConnection, rules: MatchingRules, comparison: Comparison, pairs: str) -> list[str]:
    """near: a void number one error from the other's valid one; prefix: the 15 digits a spreadsheet left."""
    ways = [d for d in rules.derived.values() if d.source == comparison.attribute and d.way in comparison.level_keys()]
    return [
        f"""SELECT pair, {comparison.rank(derived.way)} AS rank, NULL::INT AS bits FROM {pairs} p
            JOIN unit_{derived.key} x ON x.unit = p.a JOIN unit_{derived.key} y ON y.unit = p.b AND y.value = x.value
            JOIN units u ON u.unit = p.a JOIN units v ON v.unit = p.b WHERE (u.number IS NULL) <> (v.number IS NULL)"""
        for derived in ways
        if derived.way is not None
    ]


_APART = {"name": _names_apart, "number": _numbers_apart}


def _compared_sql(rules: MatchingRules, pairs: str, found: list[str]) -> str:
    columns = ", ".join(_ranked(rules, comparison, comparison.attribute in found) for comparison in rules.comparisons.values())
    joins = " ".join(f"LEFT JOIN found_{key} ON found_{key}.pair = p.pair" for key in found)
    return f"""
        SELECT p.pair, p.a, p.b, x.number_attested AS attested_a, y.number_attested AS attested_b, {columns}
        FROM {pairs} p JOIN facts x ON x.unit = p.a JOIN facts y ON y.unit = p.b {joins}"""


def _ranked(rules: MatchingRules, comparison: Comparison, found: bool) -> str:
    """SQL for the two columns of a comparison. Both units say something, or another comparison found a level all the same."""
    key, kind = comparison.attribute, rules.attributes[comparison.attribute].kind
    other = comparison.rank("else")
    swaps = " ".join(f"WHEN x.{key} = y.{part} AND x.{part} = y.{key} THEN {rank}" for rank, part in _swaps(comparison))
    once = rank_sql(comparison, kind, f"x.{key}", f"y.{key}") if kind != "name" else f"CASE WHEN x.{key} = y.{key} THEN 0 ELSE {other} END"
    if swaps:
        once = f"least({once}, CASE {swaps} ELSE {other} END)"
    both = f"x.{key}_bits IS NOT NULL AND y.{key}_bits IS NOT NULL"
    plain = f"CASE WHEN {both} THEN (CASE WHEN x.{key}_many OR y.{key}_many THEN {other} ELSE {once} END) END"
    if not found:
        return f"({plain})::UTINYINT AS {key}, x.{key}_bits AS {key}_bits"
    return f"coalesce(found_{key}.rank, {plain})::UTINYINT AS {key}, coalesce(found_{key}.bits, x.{key}_bits) AS {key}_bits"


def _scored_sql(rules: MatchingRules, weights: Weights, compared: str) -> str:
    keys = list(rules.comparisons)
    named = ", ".join(f"{_name_of(comparison)} AS {key}" for key, comparison in rules.comparisons.items())
    total = " + ".join(_bits(comparison, weights) for comparison in rules.comparisons.values())
    return f"""
        WITH compared AS ({compared}),
        weighed AS (SELECT pair, a, b, attested_a, attested_b, {weights.prior_bits} + {total} AS bits, {named} FROM compared)
        SELECT pair, a, b, bits::INT AS bits, {eligible_sql(rules)} AS eligible, {alone_sql(rules)} AS alone, {barred_sql(rules)} AS barred,
          {", ".join(keys)} FROM weighed"""


def _name_of(comparison: Comparison) -> str:
    levels = ", ".join(f"'{level}'" for level in comparison.level_keys())
    cases = " ".join(f"WHEN {rank} THEN '{level}'" for rank, level in enumerate(comparison.level_keys()))
    return f"(CASE {comparison.attribute} {cases} END)::ENUM({levels})"


def _bits(comparison: Comparison, weights: Weights) -> str:
    key = comparison.attribute
    flat = [weights.of(key, level) for level in comparison.level_keys()]
    equal = f"{key}_bits" if comparison.frequency else str(flat[0])
    cases = " ".join(f"WHEN {rank} THEN {bits}" for rank, bits in enumerate(flat) if rank)
    bits = f"(CASE {key} WHEN 0 THEN {equal} {cases} ELSE 0 END)"
    return f"(CASE WHEN {comparison.within} = 0 THEN 0 ELSE {bits} END)" if comparison.within else bits
