"""What each unit says of itself: one relation per attribute, and how frequent each value is.

Relations made here
  unit_<attribute>(unit, value, bits)   bits: what an agreement on this value weighs, in hundredths; values over the shared cap are left out
  unit_number_near(unit, value), unit_number_prefix, unit_pinyin, unit_birth_month (unit, value)   derived, for blocking
  shared_values(attribute, values)      how many values were too widely shared to be evidence (X-16)
"""

import duckdb

from golden.exact_groups import birth_in, sex_in
from golden.weights import Weights
from rules.matching import Attribute, MatchingRules

SMOOTHING = 1_000
"""The u of the rules counts as much as so many units when a value's frequency is taken."""

STATED_BY_NUMBER = {"birth": birth_in("number"), "sex": sex_in("number")}


def list_unit_values(con: duckdb.DuckDBPyConnection, rules: MatchingRules, weights: Weights) -> None:
    """Make the relations of this module from `record_<attribute>`, `unit_of`, `units`."""
    con.execute("CREATE OR REPLACE TABLE shared_values (attribute VARCHAR, shared BIGINT)")
    for attribute in rules.attributes.values():
        _list_raw(con, attribute)
        _drop_shared(con, attribute)
        _weigh(con, attribute, rules, weights)
    _list_derived(con)


def _list_raw(con: duckdb.DuckDBPyConnection, attribute: Attribute) -> None:
    if attribute.kind == "number":
        rows = "SELECT unit, number AS value FROM units WHERE number IS NOT NULL"
    else:
        rows = f"SELECT unit, value FROM record_{attribute.key} JOIN unit_of USING (rid)"
    if attribute.reversed:
        rows += f"""
            UNION ALL SELECT u.unit, s.number FROM record_{attribute.key} r JOIN unit_of USING (rid) JOIN units s ON s.unit = unit_of.unit
            JOIN units u ON u.number = r.value WHERE s.number IS NOT NULL AND r.value NOT IN (SELECT number FROM number_conflicts)"""
    if attribute.key in STATED_BY_NUMBER:
        rows += f" UNION ALL SELECT unit, {STATED_BY_NUMBER[attribute.key]} FROM units WHERE number IS NOT NULL"
    if attribute.kind == "date":
        lost = "value[7:10] || '-' || value[11:12] || '-' || value[13:14]"
        rows += f" UNION ALL SELECT unit, {lost} FROM record_lost JOIN unit_of USING (rid) WHERE kind = 'prefix'"
    con.execute(f"CREATE OR REPLACE TEMP TABLE raw_{attribute.key} AS SELECT DISTINCT unit, value FROM ({rows})")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE spread_{attribute.key} AS SELECT value, count(*) AS n FROM raw_{attribute.key} GROUP BY value"
    )


def _drop_shared(con: duckdb.DuckDBPyConnection, attribute: Attribute) -> None:
    """Shared by many names, that is: unlinked records of one person do not make a value common."""
    if attribute.shared_cap is None:
        return
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE too_shared AS
        SELECT value FROM raw_{attribute.key} JOIN (SELECT unit, min(value) AS name FROM raw_name GROUP BY unit) USING (unit)
        WHERE value IN (SELECT value FROM spread_{attribute.key} WHERE n > {attribute.shared_cap})
        GROUP BY value HAVING count(DISTINCT name) > {attribute.shared_cap}""")
    con.execute(f"DELETE FROM raw_{attribute.key} WHERE value IN (SELECT value FROM too_shared)")
    con.execute(f"INSERT INTO shared_values SELECT '{attribute.key}', count(*) FROM too_shared")


def _weigh(con: duckdb.DuckDBPyConnection, attribute: Attribute, rules: MatchingRules, weights: Weights) -> None:
    """A rare value weighs more: u of an agreement is the value's own frequency, held towards the rules' u among few units."""
    comparison = rules.comparisons.get(attribute.key)
    flat = weights.of(attribute.key, "equal") if comparison else 0
    if comparison is None or not comparison.frequency:
        bits = str(flat)
    else:
        m, u = weights.probabilities[attribute.key, "equal"]
        bits = f"round(100 * (log2({m}) - log2((n + {u * SMOOTHING}) / ((SELECT count(*) FROM units) + {SMOOTHING}))))::INT"
    con.execute(f"""
        CREATE OR REPLACE TABLE unit_{attribute.key} AS
        SELECT unit, value, {bits} AS bits FROM raw_{attribute.key} JOIN spread_{attribute.key} USING (value)""")


def _list_derived(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE OR REPLACE TABLE unit_pinyin AS "
        "SELECT DISTINCT unit, pinyin AS value FROM raw_name JOIN names ON name_key = value WHERE pinyin <> ''"
    )
    con.execute(
        "CREATE OR REPLACE TABLE unit_birth_month AS SELECT DISTINCT unit, left(value, 7) AS value FROM unit_birth WHERE length(value) >= 7"
    )
    lost = "SELECT DISTINCT unit, value FROM record_lost JOIN unit_of USING (rid) JOIN units USING (unit) WHERE number IS NULL"
    con.execute(f"CREATE OR REPLACE TABLE unit_number_near AS {lost} AND kind = 'near' UNION ALL SELECT unit, value FROM unit_number")
    con.execute(
        f"CREATE OR REPLACE TABLE unit_number_prefix AS {lost} AND kind = 'prefix' UNION ALL SELECT unit, left(value, 15) FROM unit_number"
    )
