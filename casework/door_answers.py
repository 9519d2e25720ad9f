"""What was found at the door (入户核查), as evidence about the records that say something else (law.md R-02, R-03, R-06).

The threshold of `conflicts` is for what a machine concludes from the sources alone. A person went and looked: whose records say otherwise,
and said so before the visit, is asked to correct them, however probable the golden value is, and even where fresh sources still outvote the
answer. Who says what was found is asked nothing. What was said after the visit may be newer than it; and of a name, a number or a marriage
the door never outranks the register (R-03), nor a value of record that is not refuted (R-02).

Relations
  reads answers(record, element, visited_on)    accepted answers: the key of the observation, an element that was asked about, the day
  reads asked(dataset, record, element)         items that wait for an answer
  found(resident_id, element, record, visited_on, value)    the newest answer of each, where nothing that is golden was said later
  conflicts                                     gains and loses what follows from them
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from casework.conflicts import DEVIATES, lost
from golden.engine import quoted
from golden.versions import relation


def follow_answers(con: duckdb.DuckDBPyConnection, folder: Path, observations: str, never: Sequence[str]) -> None:
    """Bring `conflicts` in line with what was found. `observations`: the data set of the answers; `never`: elements that no answer decides.

    Who was asked about a record is bound by the answer for any element (R-06).
    """
    _list_found(con, folder, observations, never)
    _drop_right(con, folder)
    con.execute(f"""
        INSERT INTO conflicts FROM ({lost(folder, f"against_dataset = '{quoted(observations)}'")})
        SEMI JOIN asked USING (dataset, record, element) ANTI JOIN conflicts USING (dataset, record, element)""")
    con.execute(f"""
        INSERT INTO conflicts
        SELECT c.dataset, c.record, element, resident_id, '{quoted(observations)}', f.record, '{DEVIATES}'
        FROM ({_claims(folder)}) c JOIN found f USING (resident_id, element) JOIN holders USING (dataset, element)
        WHERE NOT of_record AND c.said_on <= f.visited_on AND NOT {_agree("c.value", "f.value")}
          AND (c.dataset, c.record, element) NOT IN (SELECT (dataset, record, element) FROM conflicts)
        QUALIFY row_number() OVER (PARTITION BY c.dataset, c.record, element ORDER BY f.record) = 1""")


def _list_found(con: duckdb.DuckDBPyConnection, folder: Path, observations: str, never: Sequence[str]) -> None:
    """An answer that is neither golden nor a rival agrees with the golden value, which is shown for another record."""
    excluded = ", ".join(f"'{quoted(element)}'" for element in never)
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE found AS
        WITH newest AS (
          SELECT w.resident_id, a.element, a.record, a.visited_on
          FROM answers a JOIN {relation(folder, "crosswalk")} w ON w.dataset = '{quoted(observations)}' AND w.record = a.record
          WHERE a.element NOT IN ({excluded})
          QUALIFY row_number() OVER (PARTITION BY w.resident_id, a.element ORDER BY a.visited_on DESC, a.record::BIGINT DESC) = 1)
        SELECT n.resident_id, n.element, n.record, n.visited_on, coalesce(r.value, v.value) AS value
        FROM newest n JOIN {relation(folder, "values")} v ON v.resident_id = n.resident_id AND v.element = n.element
        LEFT JOIN {relation(folder, "rivals")} r
          ON r.resident_id = n.resident_id AND r.element = n.element AND r.dataset = '{quoted(observations)}' AND r.record = n.record
        WHERE v.value IS NOT NULL AND (r.value IS NULL OR coalesce(left(v.observed_on, 10), '') <= n.visited_on)""")


def _drop_right(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Whoever was found right is not asked to correct what he says, though fresher sources outvote him and the answer."""
    con.execute(f"""
        DELETE FROM conflicts WHERE kind = '{DEVIATES}' AND (dataset, record, element) IN (
          SELECT (c.dataset, c.record, element) FROM ({_claims(folder)}) c JOIN found f USING (resident_id, element)
          WHERE {_agree("c.value", "f.value")})""")


def _claims(folder: Path) -> str:
    """Who says what since when, as far as a version names it: of those who say the golden value it shows one."""
    columns = "resident_id, element, value, dataset, record, coalesce(left(observed_on, 10), '') AS said_on"
    return " UNION ".join(f"SELECT {columns} FROM {relation(folder, name)}" for name in ("values", "rivals"))


def _agree(one: str, other: str) -> str:
    """What is only less exact contradicts nothing."""
    return f"(starts_with({one}, {other}) OR starts_with({other}, {one}))"
