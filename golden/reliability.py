"""How far a source is believed about an element, by the age of what it says, and which sources are copies of each other.

This is the place of learned reliability. Here it is estimated simply: from agreement with verified observations where there are enough of
them, else from agreement with the value of record; a source's own figures are held towards what all sources of the same age reach.

Relations made here
  reliability(eix, src, age, p)
  copies(eix, src, lot)     sources of one lot make the same mistakes and count as one (R-02); a source alone is its own lot
"""

import duckdb
import numpy as np
import pyarrow as pa

from golden.claims import AGE_DAYS, NOT_OF_RECORD
from golden.engine import arrow, count, keep
from golden.exact_groups import component_labels

LEARNT: tuple[str, ...] = ()
"""The relations that are learnt from the whole population and kept with the model."""

ENOUGH_VERIFIED = 100
"""With so many verified residents an element's reliabilities rest on them alone."""

PRIOR_COMPARISONS = 10
MOST, LEAST = 0.999, 0.02
COPY_MISTAKES = 8
COPY_SHARE = 0.6
"""Two sources that were both wrong at least so often, and then with the same value in this share, copy (from each other or a third)."""


def estimate_reliability(con: duckdb.DuckDBPyConnection) -> None:
    """Make the relations of this module for the batch in `claims`."""
    _list_known(con)
    _list_compared(con)
    _smooth(con)
    _find_copies(con)


def _list_known(con: duckdb.DuckDBPyConnection) -> None:
    """known(eix, res, by_src, vid): what is taken for true in order to judge the others."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE known AS
        WITH candidates AS (
          SELECT eix, res, src AS by_src, vid, verified, rank, day FROM claims JOIN sources USING (src) JOIN standing USING (eix, src)
          WHERE latest AND (verified OR rank < {NOT_OF_RECORD})),
        enough AS (SELECT eix FROM candidates WHERE verified GROUP BY eix HAVING count(*) >= {ENOUGH_VERIFIED})
        SELECT eix, res, by_src, vid FROM candidates WHERE verified OR eix NOT IN (SELECT eix FROM enough)
        QUALIFY row_number() OVER (PARTITION BY eix, res ORDER BY verified DESC, rank, day DESC, by_src) = 1""")


def _list_compared(con: duckdb.DuckDBPyConnection) -> None:
    """compared(eix, src, age, n, agreed); verified claims are given, not judged."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE compared AS
        SELECT eix, src, age, count(*) AS n, count_if(c.vid = k.vid) AS agreed
        FROM claims c JOIN known k USING (eix, res) JOIN sources USING (src)
        WHERE latest AND src <> by_src AND NOT verified GROUP BY eix, src, age""")


def _smooth(con: duckdb.DuckDBPyConnection) -> None:
    """p of (source, age): all sources at that age × how this one does against them, then its own figures; verified: the prior."""
    con.execute(f"""
        CREATE OR REPLACE TABLE reliability AS
        WITH steps AS (
          SELECT DISTINCT eix, src, age, prior, verified,
            CASE WHEN half_life IS NULL OR age <= 0 THEN 1 ELSE greatest(power(2, -age * {AGE_DAYS} / half_life), 0.3) END AS decay
          FROM claims JOIN standing USING (eix, src) JOIN sources USING (src) JOIN judged_elements USING (eix)),
        pooled AS (
          SELECT eix, age,
            (coalesce(sum(agreed), 0) + {PRIOR_COMPARISONS} * avg(prior * decay)) / (coalesce(sum(n), 0) + {PRIOR_COMPARISONS}) AS base
          FROM steps LEFT JOIN compared USING (eix, src, age) WHERE NOT verified GROUP BY eix, age),
        judged AS (
          SELECT eix, src, (sum(agreed) + {PRIOR_COMPARISONS} * 0.9) / (sum(base * n) + {PRIOR_COMPARISONS} * 0.9) AS ratio
          FROM compared JOIN pooled USING (eix, age) GROUP BY eix, src)
        SELECT eix, src, age, round(CASE WHEN verified THEN prior ELSE least(greatest(
            (coalesce(agreed, 0) + {PRIOR_COMPARISONS} * least(CASE WHEN ratio IS NULL THEN prior * decay ELSE base * ratio END, {MOST}))
            / (coalesce(n, 0) + {PRIOR_COMPARISONS}), {LEAST}), {MOST}) END, 6) AS p
        FROM steps LEFT JOIN compared USING (eix, src, age) LEFT JOIN pooled USING (eix, age) LEFT JOIN judged USING (eix, src)""")


def _find_copies(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE OR REPLACE TEMP TABLE mistaken AS
        SELECT eix, res, src, c.vid FROM claims c JOIN known k USING (eix, res) WHERE latest AND src <> by_src AND c.vid <> k.vid""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE copying AS
        SELECT a.eix, a.src AS a, b.src AS b FROM mistaken a JOIN mistaken b USING (eix, res) WHERE a.src < b.src
        GROUP BY ALL HAVING count(*) >= {COPY_MISTAKES} AND count_if(a.vid = b.vid) >= {COPY_SHARE} * count(*)""")
    sources = count(con, "sources")
    pairs = arrow(con, f"SELECT eix * {sources} + a AS a, eix * {sources} + b AS b FROM copying ORDER BY a, b")
    nodes = count(con, "judged_elements") * sources
    lots = component_labels(pairs, nodes)
    places = np.arange(nodes)
    table = {
        "eix": pa.array(places // sources, pa.int16()),
        "src": pa.array(places % sources, pa.int16()),
        "lot": pa.array(lots, pa.int64()),
    }
    keep(con, "copies", pa.table(table))
