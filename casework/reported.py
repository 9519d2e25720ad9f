"""Errors that a person reported (反映有误): by a user of an extract (L-25) or for a resident (P-03). They end when it
says otherwise.

Relation made here
  answered_reports(item, ticket)    reported items whose record no longer says what it said when it was reported
"""

from pathlib import Path

import duckdb

from casework.conflicts import REPORTED
from catalog.lake import Lake
from golden.versions import golden_folder, relation


def list_answered_reports(con: duckdb.DuckDBPyConnection, lake: Lake, folder: Path) -> str:
    """Compare, version by version in which something was reported, what those records said with what they say now."""
    con.execute("CREATE OR REPLACE TEMP TABLE answered_reports (item BIGINT, ticket BIGINT)")
    versions = con.execute(f"SELECT DISTINCT opened_version FROM standing WHERE kind = '{REPORTED}' ORDER BY 1").fetchall()
    for (version,) in versions:
        before = golden_folder(lake, version)
        if before != folder:
            con.execute(f"""
                INSERT INTO answered_reports
                SELECT item, ticket FROM ({_said(before, version)}) b JOIN ({_said(folder, version)}) n USING (item, ticket)
                WHERE b.value IS DISTINCT FROM n.value""")
    return "answered_reports"


def _said(folder: Path, version: int) -> str:
    """What the record of each reported item says in a version: its own value where it is a rival, else the golden value it agrees with."""
    return f"""
        SELECT s.item, s.ticket, coalesce(min(r.value), min(v.value)) AS value
        FROM (FROM standing WHERE kind = '{REPORTED}' AND opened_version = {int(version)}) s
        LEFT JOIN {relation(folder, "crosswalk")} c ON c.dataset = s.dataset AND c.record = s.record
        LEFT JOIN {relation(folder, "rivals")} r ON r.dataset = s.dataset AND r.record = s.record AND r.element = s.element
        LEFT JOIN {relation(folder, "values")} v ON v.resident_id = c.resident_id AND v.element = s.element
        GROUP BY ALL"""
