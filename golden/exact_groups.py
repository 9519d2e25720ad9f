"""Records that belong together for certain: one valid identity number and one name (law.md M-01, M-02, X-06).

Relations made here
  unit_of(rid, unit)                       unit: what is compared from here on; its key is its smallest rid
  units(unit, number, attested, number_attested, records)
      number: its own valid number, if any; attested: a record of it is the source of record's; number_attested: … of its number is
  number_conflicts(number, units)          numbers that several names carry: 重号 or borrowed, never merged here
"""

import duckdb
import numpy as np
import pyarrow as pa
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from golden.engine import arrow, keep
from golden.name_comparison import compare_names
from rules.matching import Exact

GENERATION_YEARS = 12
"""A record whose birth lies so far from the number's does not carry its own number (a child with a parent's, X-05)."""


def group_exactly(con: duckdb.DuckDBPyConnection, exact: Exact) -> None:
    """Make the relations of this module from `records`."""
    _list_numbered(con, exact)
    _list_plain_numbers(con)
    _list_names_of_numbers(con)
    _link_names_of_numbers(con)
    _judge_ownership(con)
    _list_units(con)


def _list_numbered(con: duckdb.DuckDBPyConnection, exact: Exact) -> None:
    """numbered(rid, number, name_key, agrees, clashes): whether the record's own birth and sex are what the number states of them."""
    born = "number[7:14]" if "birth" in exact.states else "NULL::VARCHAR"
    other_sex = f"sex <> {sex_in('number')}" if "sex" in exact.states else "NULL::BOOLEAN"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE numbered AS
        WITH facts AS (
          SELECT rid, src, number, {"name_key" if exact.names else "NULL::VARCHAR"} AS name_key, {born} AS born,
            replace(birth, '-', '') AS birth, {other_sex} AS other_sex
          FROM records WHERE number IS NOT NULL)
        SELECT rid, number, name_key, attests, coalesce(starts_with(born, birth), false) AS agrees,
          CASE WHEN left(birth, 4) = left(born, 4) THEN false ELSE coalesce(
            abs(left(birth, 4)::INT - left(born, 4)::INT) >= {GENERATION_YEARS}
            OR (other_sex AND substr(birth, 5) <> substr(born, 5)), false)
          END AS clashes
        FROM facts JOIN sources USING (src)""")


def birth_in(number: str) -> str:
    """SQL: the birth date inside a number, ISO 8601."""
    return f"({number}[7:10] || '-' || {number}[11:12] || '-' || {number}[13:14])"


def sex_in(number: str) -> str:
    """SQL: the sex inside a number; odd is male."""
    return f"(CASE WHEN {number}[17]::INT % 2 = 1 THEN '1' ELSE '2' END)"


def _list_plain_numbers(con: duckdb.DuckDBPyConnection) -> None:
    """plain_numbers(number, unit, records, attested): nearly all of them. All who carry one bear one name and nothing contradicts it, so it
    takes no more than one aggregation; contested: the rest of `numbered`.
    """
    con.execute("""
        CREATE OR REPLACE TEMP TABLE plain_numbers AS
        SELECT number, min(rid) AS unit, count(*)::INT AS records, bool_or(attests) AS attested FROM numbered
        GROUP BY number HAVING min(name_key) = max(name_key) AND (count_if(agrees) > 0 OR count_if(clashes) = 0)""")
    con.execute("CREATE OR REPLACE TEMP TABLE contested AS SELECT * FROM numbered ANTI JOIN plain_numbers USING (number)")


def _list_names_of_numbers(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE OR REPLACE TEMP TABLE names_of_numbers AS
        SELECT row_number() OVER (ORDER BY number, name_key) - 1 AS node, *, count(*) OVER (PARTITION BY number) AS names FROM (
          SELECT number, name_key, count(*) AS records, count_if(attests) AS attested,
            count_if(agrees) AS agreeing, count_if(clashes) AS clashing
          FROM contested WHERE name_key IS NOT NULL GROUP BY number, name_key)""")


def _link_names_of_numbers(con: duckdb.DuckDBPyConnection) -> None:
    """number_parts(number, name_key, part): the names of one number that are spellings of one name, M-02."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE names_to_compare AS
        SELECT DISTINCT a.name_key AS a, b.name_key AS b FROM names_of_numbers a JOIN names_of_numbers b USING (number)
        WHERE a.names > 1 AND a.name_key < b.name_key""")
    compare_names(con, "names_to_compare", "names_of_numbers_compared")
    links = arrow(
        con,
        """
        SELECT a.node AS a, b.node AS b FROM names_of_numbers a JOIN names_of_numbers b USING (number)
        JOIN names_of_numbers_compared c ON c.a = a.name_key AND c.b = b.name_key
        WHERE a.names > 1 AND c.level IN ('wildcard', 'pinyin', 'shortened', 'one_edit') AND a.clashing = 0 AND b.clashing = 0
        UNION ALL
        SELECT a.node, b.node FROM names_of_numbers a JOIN names_of_numbers b USING (number)
        JOIN (SELECT DISTINCT number, name_key, value FROM contested JOIN record_former_name USING (rid)) f
          ON f.number = number AND f.name_key = a.name_key AND f.value = b.name_key
        WHERE a.names > 1""",
    )
    nodes = con.execute("SELECT count(*) FROM names_of_numbers").fetchall()[0][0]
    keep(con, "parts", pa.table({"node": np.arange(nodes), "part": component_labels(links, nodes)}))
    con.execute("CREATE OR REPLACE TEMP TABLE number_parts AS SELECT n.*, p.part FROM names_of_numbers n JOIN parts p USING (node)")


def component_labels(links: pa.Table, nodes: int) -> np.ndarray:
    """For each node 0…nodes-1 the number of its component; columns `a`, `b` of `links` are nodes."""
    a, b = links.column("a").to_numpy(), links.column("b").to_numpy()
    if not nodes:
        return np.empty(0, dtype=np.int64)
    graph = coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(nodes, nodes))
    return connected_components(graph, directed=False)[1].astype(np.int64)


def _judge_ownership(con: duckdb.DuckDBPyConnection) -> None:
    """owned(number, part, main, own): the main part owns the number unless its births contradict it; others only if they support it."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE owned AS
        SELECT *, CASE WHEN main THEN agreeing > 0 OR clashing = 0 ELSE agreeing > clashing END AS own FROM (
          SELECT number, part, sum(agreeing) AS agreeing, sum(clashing) AS clashing,
            row_number() OVER (PARTITION BY number ORDER BY sum(attested) > 0 DESC, sum(records) DESC, min(name_key)) = 1 AS main
          FROM number_parts GROUP BY number, part)""")


def _list_units(con: duckdb.DuckDBPyConnection) -> None:
    """A numbered record without a name goes to the number's main part, and makes one where there is none."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE placed AS
        SELECT n.rid, n.number, n.attests, coalesce(p.part, m.part, -1) AS part,
          CASE WHEN coalesce(o.own, m.own, NOT n.clashes) THEN n.number END AS own_number
        FROM contested n
        LEFT JOIN number_parts p ON p.number = n.number AND p.name_key = n.name_key
        LEFT JOIN owned o ON o.number = p.number AND o.part = p.part
        LEFT JOIN owned m ON m.number = n.number AND m.main AND p.part IS NULL""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE contested_units AS
        SELECT rid, unit, own_number, attests FROM placed
        JOIN (SELECT number, part, min(rid) AS unit FROM placed GROUP BY number, part) USING (number, part)""")
    con.execute("""
        CREATE OR REPLACE TABLE unit_of AS
        SELECT rid, unit, number AS own_number FROM numbered JOIN plain_numbers USING (number)
        UNION ALL SELECT rid, unit, own_number FROM contested_units
        UNION ALL SELECT rid, rid, NULL FROM records WHERE number IS NULL""")
    con.execute("""
        CREATE OR REPLACE TABLE units AS
        SELECT unit, number, attested, records, attested AS number_attested FROM plain_numbers
        UNION ALL
        SELECT *, number IS NOT NULL AND coalesce(bool_or(attested) OVER (PARTITION BY number), false) FROM (
          SELECT unit, max(own_number) AS number, bool_or(own_number IS NOT NULL AND attests) AS attested, count(*)::INT AS records
          FROM contested_units GROUP BY unit)
        UNION ALL SELECT rid, NULL, false, 1, false FROM records WHERE number IS NULL""")
    list_conflicts(con)


def count_units(con: duckdb.DuckDBPyConnection) -> None:
    """`units` and `number_conflicts` from `unit_of`, however that came about."""
    con.execute("""
        CREATE OR REPLACE TABLE units AS
        SELECT *, number IS NOT NULL AND coalesce(bool_or(attested) OVER (PARTITION BY number), false) AS number_attested FROM (
          SELECT unit, max(own_number) AS number, bool_or(own_number IS NOT NULL AND attests) AS attested, count(*)::INT AS records
          FROM unit_of JOIN records USING (rid) JOIN sources USING (src) GROUP BY unit)""")
    list_conflicts(con)


def list_conflicts(con: duckdb.DuckDBPyConnection) -> None:
    """`number_conflicts` from `units`."""
    con.execute("""
        CREATE OR REPLACE TABLE number_conflicts AS
        SELECT number, count(*) AS units FROM units WHERE number IS NOT NULL GROUP BY number HAVING count(*) > 1""")
