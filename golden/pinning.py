"""Pinned values (人工确认值): what a steward said of a resident's element wins over the machine until it expires (R-05).

Relations made here
  pinned(decision, res, element, value, decided_on)   the pins of the residents at hand, the newest of each element
  pinned_claims(res, element, value, rid, src, day)   what the sources say of these elements, each value once per source
Relations changed here
  numbers_of_record                                   a pinned identity number, before it says anything of its holder
  golden_values, rivals                               the pinned value becomes golden, all others its rivals
"""

from collections.abc import Sequence

import duckdb

from golden.engine import identifier
from golden.records import rows_of, union_of, valid_number
from golden.sources import RecordSource

RULE_PINNED = "R-05"


def apply_pins(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> str:
    """After the values are chosen, before they are spread over columns. Reads `steward_decisions`, `decision_anchors`, `resident_of`."""
    list_pins(con, sources)
    _make_golden(con)
    _make_rivals(con)
    return "pinned"


def pin_numbers(con: duckdb.DuckDBPyConnection) -> None:
    """A pinned identity number says its holder's birth date and sex until the pin ends, in the place of the one that the machine chose.

    It is shown with the newest of his records that states it, should there be one.
    """
    _list_pinned(con)
    con.execute(f"""
        CREATE OR REPLACE TABLE numbers_of_record AS
        WITH mine AS (SELECT res, value AS number FROM pinned WHERE element = 'id_number' AND {valid_number("value")} IS NOT NULL)
        SELECT * FROM numbers_of_record ANTI JOIN mine USING (res)
        UNION ALL
        SELECT m.res, m.number, arg_min(rid, (-day, rid)), NULL, true
        FROM mine m LEFT JOIN claimants c ON c.res = m.res AND c.number = m.number GROUP BY ALL""")


def list_pins(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> None:
    """Make `pinned` and `pinned_claims` of the residents at hand."""
    _list_pinned(con)
    _list_claims(con, sources)


def _list_pinned(con: duckdb.DuckDBPyConnection) -> None:
    """A pin is of the resident that has its records; where these have come apart, of each part, until somebody decides anew."""
    con.execute("""
        CREATE OR REPLACE TABLE pinned AS
        SELECT DISTINCT decision, res, element, value, decided_on
        FROM steward_decisions JOIN decision_anchors USING (decision) JOIN resident_of USING (rid) WHERE kind = 'pin'
        QUALIFY dense_rank() OVER (PARTITION BY res, element ORDER BY decision DESC) = 1""")


def _list_claims(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> None:
    elements = [row[0] for row in con.execute("SELECT DISTINCT element FROM pinned ORDER BY element").fetchall()]
    said = [
        rows_of(source, f"rid, '{element}' AS element, nullif({identifier(column)}, '') AS value")
        for element in elements
        for source in sources
        for column in source.columns.get(element, ())
    ]
    rows = union_of(said, "SELECT NULL::BIGINT AS rid, NULL::VARCHAR AS element, NULL::VARCHAR AS value")
    con.execute(f"""
        CREATE OR REPLACE TABLE pinned_claims AS
        SELECT res, c.element, c.value, rid, src, day FROM ({rows}) c JOIN resident_of USING (rid) JOIN records USING (rid)
        SEMI JOIN pinned p ON p.res = resident_of.res AND p.element = c.element WHERE c.value IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY res, c.element, c.value, src ORDER BY day DESC, rid) = 1""")


def _make_golden(con: duckdb.DuckDBPyConnection) -> None:
    """The value of record stays beside it; `sources` counts the data sets that say the same."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE pinned_values AS
        SELECT p.res, p.element, p.value, NULL::VARCHAR AS dataset, NULL::VARCHAR AS record,
          p.decided_on AS observed_on, p.decided_on AS received_on,
          '{RULE_PINNED}' AS rule, 1 AS confidence, coalesce(tellers, 0) AS sources, 'ok' AS status, g.value_of_record
        FROM pinned p LEFT JOIN golden_values g ON g.res = p.res AND g.element = p.element
        LEFT JOIN (SELECT res, element, value, count(*) AS tellers FROM pinned_claims GROUP BY ALL) c
          ON c.res = p.res AND c.element = p.element AND c.value = p.value""")
    con.execute("DELETE FROM golden_values USING pinned p WHERE p.res = golden_values.res AND p.element = golden_values.element")
    con.execute("INSERT INTO golden_values BY NAME FROM pinned_values")


def _make_rivals(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("DELETE FROM rivals USING pinned p WHERE p.res = rivals.res AND p.element = rivals.element")
    con.execute("""
        INSERT INTO rivals
        SELECT c.res, c.element, c.value, s.dataset, r.record, r.observed_on
        FROM pinned_claims c JOIN pinned p ON p.res = c.res AND p.element = c.element AND p.value <> c.value
        JOIN records r ON r.rid = c.rid JOIN sources s ON s.src = c.src""")
