"""Candidate pairs: units that share all attributes of at least one blocking key.

Two units whose numbers the source of record both holds are two people; such pairs are not even proposed, which leaves few pairs per record.

Relations made here
  pairs(pair, a, b)              a < b
  blocks_capped(key, blocks, units)   blocks larger than the cap, by key: none of their pairs was proposed under this key
  capped_blocks(key, block)           the same blocks one by one; where only a part of the units is at hand it stands already
"""

from collections.abc import Sequence

import duckdb

from rules.matching import MatchingRules


def propose_pairs(con: duckdb.DuckDBPyConnection, rules: MatchingRules, *, capped_known: bool = False) -> str:
    """Make the relations of this module from `unit_<attribute>`. capped_known: `capped_blocks` says which blocks are left out."""
    if not capped_known:
        con.execute("CREATE OR REPLACE TEMP TABLE capped_blocks (key VARCHAR, block UBIGINT)")
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
        f"CREATE OR REPLACE TEMP TABLE keyed AS SELECT k.unit, k.block, u.attested FROM ({keyed_units(key)}) k JOIN units u USING (unit)"
    )
    con.execute("""
        CREATE OR REPLACE TEMP TABLE blocks AS
        SELECT block, count(*) AS units, count_if(NOT attested) AS open FROM keyed
        GROUP BY block HAVING count(*) > 1 AND count_if(NOT attested) > 0""")
    con.execute(f"INSERT INTO blocks_capped SELECT '{name}', count(*), sum(units) FROM blocks WHERE units > {cap} HAVING count(*) > 0")
    con.execute(f"INSERT INTO capped_blocks SELECT '{name}', block FROM blocks WHERE units > {cap} EXCEPT FROM capped_blocks")
    # Capped blocks go before the join: a condition beside it would be tested on the pairs, 20,000,000,000 of them in a block of 200,000.
    con.execute(f"DELETE FROM blocks WHERE block IN (SELECT block FROM capped_blocks WHERE key = '{name}')")
    con.execute("""
        INSERT INTO proposed
        SELECT least(x.unit, y.unit), greatest(x.unit, y.unit)
        FROM (FROM keyed SEMI JOIN blocks USING (block)) x JOIN (FROM keyed SEMI JOIN blocks USING (block)) y USING (block)
        WHERE NOT x.attested AND x.unit <> y.unit AND (y.attested OR x.unit < y.unit)""")


def keyed_units(key: Sequence[str], where: str = "true", prefix: str = "") -> str:
    """SQL (unit, block) of one blocking key. `where`: a condition on the unit and the `value` of the key's first part; `prefix`: the schema
    in which the units' values stand. No unit says a value twice, so none stands in a block twice.
    """
    first, *rest = key
    joins = " ".join(f"JOIN {prefix}unit_{other} AS {other}_of USING (unit)" for other in rest)
    values = ", ".join([f"{first}_of.value", *(f"{part}_of.value" for part in rest)])
    return f"SELECT unit, hash({values}) AS block FROM (FROM {prefix}unit_{first} WHERE {where}) AS {first}_of {joins}"
