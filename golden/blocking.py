"""Candidate pairs: units that share all attributes of at least one blocking key.

Two units whose numbers the source of record both holds are two people; such pairs are not even proposed, which leaves few pairs per record.

Relations made here
  pairs(pair, a, b)              a < b
  blocks_capped(key, blocks, units)   blocks larger than the cap, by key: none of their pairs was proposed under this key
"""

from collections.abc import Sequence

import duckdb

from rules.matching import MatchingRules


def propose_pairs(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> str:
    """Make the relations of this module from `unit_<attribute>`."""
    con.execute("CREATE OR REPLACE TABLE blocks_capped (key VARCHAR, blocks BIGINT, units BIGINT)")
    con.execute("CREATE OR REPLACE TEMP TABLE proposed (a BIGINT, b BIGINT)")
    for key in rules.blocking:
        _propose(con, key, rules.block_cap)
    con.execute(
        "CREATE OR REPLACE TABLE pairs AS SELECT row_number() OVER (ORDER BY a, b) AS pair, a, b FROM (SELECT DISTINCT a, b FROM proposed)"
    )
    con.execute("DROP TABLE proposed")
    return "pairs"


def _propose(con: duckdb.DuckDBPyConnection, key: Sequence[str], cap: int) -> None:
    name = " + ".join(key)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE keyed AS SELECT k.unit, k.block, u.attested FROM ({_keyed(key)}) k JOIN units u USING (unit)"
    )
    con.execute("""
        CREATE OR REPLACE TEMP TABLE blocks AS
        SELECT block, count(*) AS units, count_if(NOT attested) AS open FROM keyed
        GROUP BY block HAVING count(*) > 1 AND count_if(NOT attested) > 0""")
    con.execute(f"INSERT INTO blocks_capped SELECT '{name}', count(*), sum(units) FROM blocks WHERE units > {cap} HAVING count(*) > 0")
    con.execute(f"""
        INSERT INTO proposed
        SELECT DISTINCT least(x.unit, y.unit), greatest(x.unit, y.unit)
        FROM keyed x JOIN blocks USING (block) JOIN keyed y USING (block)
        WHERE NOT x.attested AND x.unit <> y.unit AND blocks.units <= {cap} AND (y.attested OR x.unit < y.unit)""")


def _keyed(key: Sequence[str]) -> str:
    first, *rest = key
    joins = " ".join(f"JOIN unit_{other} USING (unit)" for other in rest)
    values = ", ".join(f"unit_{part}.value" for part in key)
    return f"SELECT DISTINCT unit, hash({values}) AS block FROM unit_{first} {joins}"
