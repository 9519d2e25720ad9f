"""Pinned values (人工确认值): what a steward said of a resident's element wins over the machine until it expires (R-05).

Relations made here
  pinned(decision, res, element, value, decided_on)   the pins of the residents at hand, the newest of each element
Relations changed here
  golden_values, rivals                               the pinned value becomes golden, the machine's choice its rival
"""

import duckdb

RULE_PINNED = "R-05"


def apply_pins(con: duckdb.DuckDBPyConnection) -> str:
    """After the values are chosen, before they are spread over columns. Reads `steward_decisions`, `decision_anchors`, `resident_of`."""
    _list_pinned(con)
    _make_rivals(con)
    _make_golden(con)
    con.execute("""
        DELETE FROM rivals USING pinned p
        WHERE p.res = rivals.res AND p.element = rivals.element AND p.value = rivals.value""")
    return "pinned"


def _list_pinned(con: duckdb.DuckDBPyConnection) -> None:
    """A pin is of the resident that has its records; where these have come apart, of each part, until somebody decides anew."""
    con.execute("""
        CREATE OR REPLACE TABLE pinned AS
        SELECT DISTINCT decision, res, element, value, decided_on
        FROM steward_decisions JOIN decision_anchors USING (decision) JOIN resident_of USING (rid) WHERE kind = 'pin'
        QUALIFY dense_rank() OVER (PARTITION BY res, element ORDER BY decision DESC) = 1""")


def _make_rivals(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        INSERT INTO rivals SELECT g.res, g.element, g.value, g.dataset, g.record, g.observed_on
        FROM golden_values g JOIN pinned p ON p.res = g.res AND p.element = g.element WHERE g.value <> p.value""")


def _make_golden(con: duckdb.DuckDBPyConnection) -> None:
    """The value of record stays beside it; `sources` counts the data sets that say the same."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE pinned_values AS
        SELECT p.res, p.element, p.value, NULL AS dataset, NULL AS record, p.decided_on AS observed_on, p.decided_on AS received_on,
          '{RULE_PINNED}' AS rule, 1 AS confidence,
          CASE WHEN g.value = p.value THEN g.sources ELSE coalesce(r.tellers, 0) END AS sources, 'ok' AS status, g.value_of_record
        FROM pinned p LEFT JOIN golden_values g ON g.res = p.res AND g.element = p.element
        LEFT JOIN (SELECT res, element, value, count(DISTINCT dataset) AS tellers FROM rivals GROUP BY ALL) r
          ON r.res = p.res AND r.element = p.element AND r.value = p.value""")
    con.execute("DELETE FROM golden_values USING pinned p WHERE p.res = golden_values.res AND p.element = golden_values.element")
    con.execute("INSERT INTO golden_values BY NAME FROM pinned_values")
