"""Resident ids that stay: `R` and 10 digits, kept from run to run, never used again (law.md M-04).

A cluster takes the oldest of the ids that most of whose records it holds. Ids that lose out resolve to the one that stays; a part that
splits off gets a new id. A record that has gone is remembered with its id, so that it comes back to it.

Relations made here
  resident_of(rid, res)                         res: the number in the resident's id
  history(dataset, record, res, content, since) every record ever seen, the resident it last belonged to, what it said and since when
  identities(res, status, superseded_by)        active, merged (resolves to superseded_by) or gone (no record left)
"""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from golden.engine import count
from golden.records import rid_in
from golden.versions import relation


@dataclass(frozen=True, kw_only=True)
class IdentityChanges:
    """What became of the ids in one run."""

    residents: int
    new: int
    merged: int
    split: int


def recall(con: duckdb.DuckDBPyConnection, previous: Path | None, concerned: str | None = None, *, called: str = "resident_id") -> None:
    """What the previous version knew: who had which id, and what each record said since when.

    `concerned`: a relation (res) of the only residents that the records at hand can have to do with; none: all. `called`: the column of
    the ids, for other entities than residents.
    """
    _read_previous(con, previous, concerned, called)
    con.execute("CREATE OR REPLACE TEMP VIEW old_contents AS SELECT rid, content, since FROM old_history WHERE since IS NOT NULL")


def keep_identities(con: duckdb.DuckDBPyConnection) -> IdentityChanges:
    """Make the relations of this module from `cluster_of`, `unit_of` and what `recall` made."""
    con.execute("CREATE OR REPLACE TEMP TABLE placed_in AS SELECT rid, cluster FROM unit_of JOIN cluster_of USING (unit)")
    _name_clusters(con)
    con.execute("CREATE OR REPLACE TABLE resident_of AS SELECT rid, res FROM placed_in JOIN cluster_names USING (cluster)")
    _remember(con)
    return IdentityChanges(
        residents=count(con, "cluster_names"),
        new=count(con, "cluster_names", "is_new"),
        merged=count(con, "identities JOIN old_identities o USING (res)", "identities.status = 'merged' AND o.status <> 'merged'"),
        split=count(con, "cluster_names", "is_new AND had_old"),
    )


def _read_previous(con: duckdb.DuckDBPyConnection, previous: Path | None, concerned: str | None, called: str) -> None:
    """old_identities(res, status, superseded_by), old_history(rid, dataset, record, res) with the ids that stayed."""
    if previous is None:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE old_history "
            "(rid BIGINT, dataset VARCHAR, record VARCHAR, res BIGINT, content BIGINT, since VARCHAR)"
        )
        con.execute("CREATE OR REPLACE TEMP TABLE highest_number AS SELECT 0::BIGINT AS res")
        con.execute("CREATE OR REPLACE TEMP TABLE old_identities (res BIGINT, status VARCHAR, superseded_by BIGINT)")
        return
    con.execute(f"""
        CREATE OR REPLACE TEMP VIEW known_identities AS
        SELECT {called}[2:]::BIGINT AS res, status, superseded_by[2:]::BIGINT AS superseded_by
        FROM {relation(previous, "identities")}""")
    only = f"WHERE res IN (FROM {concerned}) OR superseded_by IN (FROM {concerned})" if concerned else ""
    con.execute(f"CREATE OR REPLACE TEMP TABLE old_identities AS SELECT * FROM known_identities {only}")
    con.execute("CREATE OR REPLACE TEMP TABLE highest_number AS SELECT coalesce(max(res), 0) AS res FROM known_identities")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE old_history AS
        SELECT {rid_in("dataset", "record")} AS rid, dataset, record, coalesce(superseded_by, res) AS res, content, since
        FROM (SELECT * EXCLUDE ({called}), {called}[2:]::BIGINT AS res FROM {relation(previous, "history")})
        {"" if concerned else "LEFT"} JOIN old_identities USING (res)""")


def _name_clusters(con: duckdb.DuckDBPyConnection) -> None:
    """cluster_names(cluster, res, is_new, had_old). Ties are broken by the records themselves, never by the order of reading."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE cluster_keys AS
        SELECT cluster, min((dataset, record)) AS key FROM placed_in JOIN records USING (rid) JOIN sources USING (src) GROUP BY cluster""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE common_records AS
        SELECT h.res, cluster, count(*) AS shared FROM placed_in JOIN old_history h USING (rid) GROUP BY h.res, cluster""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE heirs AS
        SELECT cluster, min(res) AS res FROM (
          SELECT res, cluster FROM common_records JOIN cluster_keys USING (cluster)
          QUALIFY row_number() OVER (PARTITION BY res ORDER BY shared DESC, key) = 1) GROUP BY cluster""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE cluster_names AS
        SELECT cluster, coalesce(h.res, (FROM highest_number)
            + row_number() OVER (PARTITION BY h.res IS NULL ORDER BY key)) AS res,
          h.res IS NULL AS is_new, cluster IN (SELECT cluster FROM common_records) AS had_old
        FROM cluster_keys LEFT JOIN heirs h USING (cluster)""")


def _remember(con: duckdb.DuckDBPyConnection) -> None:
    """An old id without a cluster of its own resolves to the one that most of its records went to; without records it is gone."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE outcomes AS
        SELECT o.res, n.res AS went_to FROM common_records o JOIN cluster_names n USING (cluster) JOIN cluster_keys USING (cluster)
        QUALIFY row_number() OVER (PARTITION BY o.res ORDER BY shared DESC, key) = 1""")
    con.execute("""
        CREATE OR REPLACE TABLE identities AS
        WITH known AS (SELECT res, superseded_by FROM old_identities UNION ALL SELECT res, NULL FROM cluster_names WHERE is_new),
        resolved AS (SELECT k.res, coalesce(o.went_to, k.superseded_by, k.res) AS stands
          FROM known k LEFT JOIN outcomes o ON o.res = coalesce(k.superseded_by, k.res))
        SELECT res,
          CASE WHEN stands <> res THEN 'merged' WHEN res IN (SELECT res FROM cluster_names) THEN 'active' ELSE 'gone' END AS status,
          CASE WHEN stands <> res THEN stands END AS superseded_by
        FROM resolved""")
    con.execute("""
        CREATE OR REPLACE TABLE history AS
        SELECT dataset, record, res, content, since FROM resident_of JOIN records USING (rid) JOIN sources USING (src) UNION ALL
        SELECT h.dataset, h.record, coalesce(i.superseded_by, h.res), content, since FROM old_history h ANTI JOIN resident_of USING (rid)
        LEFT JOIN identities i USING (res)""")
