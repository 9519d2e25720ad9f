"""What each unit says of itself: one relation per attribute, and how frequent each value is.

Relations made here
  raw_<attribute>(unit, value)          all that a unit says
  frequencies(attribute, value, n, shared)   part of the model, learnt over all units: the values of n ≥ 2 of them;
      shared: too widely shared to be evidence (X-16). A value that is not listed is one unit's own.
  unit_<attribute>(unit, value, bits)   bits: what an agreement on this value weighs, in hundredths; shared values are left out
  unit_<derived>(unit, value)           derived, for blocking
  facts(unit, number_attested, <attribute>, <attribute>_bits, <attribute>_many)   what a unit that is compared says, if one thing;
      <attribute>_bits are null where it says nothing
  shared_values(attribute, shared)      how many values were too widely shared to be evidence
"""

import duckdb

from golden.exact_groups import birth_in, sex_in
from golden.weights import Weights
from rules.matching import Attribute, Derived, MatchingRules

SMOOTHING = 1_000
"""The u of the rules counts as much as so many units when a value's frequency is taken."""

STATED_BY_NUMBER = {"birth": birth_in("number"), "sex": sex_in("number")}


def learn_frequencies(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> str:
    """frequencies, from `raw_<attribute>` of the whole population."""
    con.execute("CREATE OR REPLACE TABLE frequencies (attribute VARCHAR, value VARCHAR, n BIGINT, shared BOOLEAN)")
    for attribute in rules.attributes.values():
        if attribute.key in rules.comparisons or attribute.shared_cap is not None:
            con.execute(
                f"INSERT INTO frequencies SELECT '{attribute.key}', value, n, {_shared_sql(rules, attribute)} FROM ({_spread(attribute)})"
            )
    return "frequencies"


def _spread(attribute: Attribute) -> str:
    return f"SELECT value, count(*) AS n FROM raw_{attribute.key} GROUP BY value HAVING count(*) > 1"


def _shared_sql(rules: MatchingRules, attribute: Attribute) -> str:
    """Shared by many names, that is: unlinked records of one person do not make a value common."""
    cap = attribute.shared_cap
    if cap is None:
        return "false"
    if rules.name is None:
        return f"n > {cap}"
    return f"""n > {cap} AND value IN (
        SELECT value FROM raw_{attribute.key} JOIN (SELECT unit, min(value) AS name FROM raw_{rules.name} GROUP BY unit) USING (unit)
        GROUP BY value HAVING count(DISTINCT name) > {cap})"""


def list_raw_values(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> None:
    """raw_<attribute> from `record_<attribute>`, `record_lost`, `unit_of`, `units`."""
    for attribute in rules.attributes.values():
        rows = (
            _number_rows() if attribute.key == rules.number else f"SELECT unit, value FROM record_{attribute.key} JOIN unit_of USING (rid)"
        )
        rows += "".join(f" UNION ALL {more}" for more in _indirect(attribute))
        con.execute(f"CREATE OR REPLACE TEMP TABLE raw_{attribute.key} AS SELECT DISTINCT unit, value FROM ({rows})")


def _number_rows() -> str:
    return "SELECT unit, number AS value FROM units WHERE number IS NOT NULL"


def _indirect(attribute: Attribute) -> list[str]:
    """What others, the unit's own number or the rest of a damaged one say of the attribute."""
    rows = []
    if attribute.reversed:
        rows.append(f"""
            SELECT u.unit, s.number FROM record_{attribute.key} r JOIN unit_of USING (rid) JOIN units s ON s.unit = unit_of.unit
            JOIN units u ON u.number = r.value WHERE s.number IS NOT NULL AND r.value NOT IN (SELECT number FROM number_conflicts)""")
    if attribute.stated is not None:
        rows.append(f"SELECT unit, {STATED_BY_NUMBER[attribute.stated]} FROM units WHERE number IS NOT NULL")
    if attribute.kind == "date" and attribute.repaired:
        lost = "value[7:10] || '-' || value[11:12] || '-' || value[13:14]"
        rows.append(f"SELECT unit, {lost} FROM record_lost JOIN unit_of USING (rid) WHERE kind = 'prefix'")
    return rows


def list_unit_values(con: duckdb.DuckDBPyConnection, rules: MatchingRules, weights: Weights) -> None:
    """unit_<attribute> and unit_<derived> from `raw_<attribute>` and the model."""
    con.execute("CREATE OR REPLACE TABLE shared_values (attribute VARCHAR, shared BIGINT)")
    for attribute in rules.attributes.values():
        _weigh(con, attribute, rules, weights)
    for derived in rules.derived.values():
        con.execute(f"CREATE OR REPLACE TABLE unit_{derived.key} AS {_derived_sql(derived)}")


def list_facts(con: duckdb.DuckDBPyConnection, rules: MatchingRules, asked: str) -> None:
    """One row per unit of a relation (unit), of all that stand. Few units say several things, so counting without the values and two joins
    cost less than grouping the values.
    """
    for key in rules.comparisons:
        con.execute(f"CREATE OR REPLACE TEMP TABLE said_{key} AS SELECT unit, value, bits FROM unit_{key} SEMI JOIN {asked} USING (unit)")
        con.execute(f"CREATE OR REPLACE TEMP TABLE several_{key} AS SELECT unit FROM said_{key} GROUP BY unit HAVING count(*) > 1")
    said = [
        f"LEFT JOIN (SELECT unit, value AS {key}, bits AS {key}_bits, false AS {key}_many "
        f"FROM said_{key} ANTI JOIN several_{key} USING (unit) UNION ALL "
        f"SELECT unit, NULL, 0, true FROM several_{key}) s_{key} USING (unit)"
        for key in rules.comparisons
    ]
    columns = ", ".join(f"s_{key}.{key}, {key}_bits, coalesce({key}_many, false) AS {key}_many" for key in rules.comparisons)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE facts AS
        SELECT unit, number_attested, {columns} FROM units SEMI JOIN {asked} USING (unit) {" ".join(said)}""")
    for key in rules.comparisons:
        con.execute(f"DROP TABLE said_{key}; DROP TABLE several_{key}")


def _weigh(con: duckdb.DuckDBPyConnection, attribute: Attribute, rules: MatchingRules, weights: Weights) -> None:
    """A rare value weighs more: u of an agreement is the value's own frequency, held towards the rules' u among few units.

    Its frequency among all units, also those that say nothing: who has a permit, an employer, a household is of a smaller number of people,
    among whom the odds to be one are higher by as much.
    """
    comparison = rules.comparisons.get(attribute.key)
    flat = weights.of(attribute.key, "equal") if comparison else 0
    if comparison is None or not comparison.frequency:
        bits = str(flat)
    else:
        m, u = weights.probabilities[attribute.key, "equal"]
        bits = f"round(100 * (log2({m}) - log2((coalesce(n, 1) + {u * SMOOTHING}) / {weights.units + SMOOTHING})))::INT"
    known = f"(SELECT value, n, shared FROM frequencies WHERE attribute = '{attribute.key}')"
    con.execute(f"""
        CREATE OR REPLACE TABLE unit_{attribute.key} AS
        SELECT unit, value, {bits} AS bits FROM raw_{attribute.key} LEFT JOIN {known} USING (value) WHERE NOT coalesce(shared, false)""")
    con.execute(f"""
        INSERT INTO shared_values SELECT '{attribute.key}', count(*) FROM {known} SEMI JOIN raw_{attribute.key} USING (value)
        WHERE shared HAVING count(*) > 0""")


def _derived_sql(derived: Derived) -> str:
    if derived.way is not None:
        return _WAYS[derived.way].format(source=derived.source)
    return f"""
        SELECT DISTINCT unit, value FROM (SELECT unit, {derived.expression} AS value FROM unit_{derived.source}) made
        WHERE value <> ''"""


_LOST = "SELECT DISTINCT unit, value FROM record_lost JOIN unit_of USING (rid) JOIN units USING (unit) WHERE number IS NULL"
_WAYS = {
    "pinyin": "SELECT DISTINCT unit, pinyin AS value FROM unit_{source} JOIN names ON name_key = value WHERE pinyin <> ''",
    "near": f"{_LOST} AND kind = 'near' UNION ALL SELECT unit, value FROM unit_{{source}}",
    "prefix": f"{_LOST} AND kind = 'prefix' UNION ALL SELECT unit, left(value, 15) FROM unit_{{source}}",
}
