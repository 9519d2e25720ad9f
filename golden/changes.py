"""Which records changed since the last version, and how far a change can reach: the scope of an incremental run.

A unit is touched if a record of it changed, or carries a number that a changed record carries or names. What is joined can only change in
the components of touched units and of the units that share a block with them (their mates); these units and their records are the core of
the scope. Beside it stands what the core is judged by and that stays as it is: the other records of its numbers, and the relatives that
name them.

Relations made here
  changed(rid)                   records that came, went or say something else
  touched_records(rid), touched_units(unit)       old units of touched records
  core_records(rid), core_units(unit)             old units of the core
  scope_records(rid)             the core and what stands beside it
  concerned_residents(res)       residents whose records are in the core
  capped_blocks(key, block)      blocks over the cap after the change
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import duckdb

from golden.blocking import keyed_units
from golden.engine import count, identifier, quoted
from golden.records import NUMBERS, contents, rid_in, rows_of, union_of, valid_number
from golden.sources import RecordSource
from golden.versions import relation
from rules.matching import MatchingRules


def list_changed(con: duckdb.DuckDBPyConnection, previous: Path, changed_sources: Sequence[RecordSource], stamped: Collection[str]) -> int:
    """Make `changed`, and `returned`(res): residents to whom a record belonged that had gone. Returns how many records changed."""
    names = ", ".join(f"'{quoted(source.dataset)}'" for source in changed_sources) or "NULL"
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE said_before AS
        SELECT {rid_in("dataset", "record")} AS rid, resident_id[2:]::BIGINT AS res, content
        FROM {relation(previous, "history")} WHERE dataset IN ({names})""")
    con.execute("CREATE OR REPLACE TEMP TABLE present AS SELECT rid FROM said_before SEMI JOIN state.unit_of USING (rid)")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE changed AS
        SELECT coalesce(o.rid, n.rid) AS rid
        FROM (SELECT rid, content FROM said_before SEMI JOIN present USING (rid)) o
        FULL JOIN ({contents(changed_sources, stamped)}) n USING (rid) WHERE o.content IS DISTINCT FROM n.content""")
    con.execute("CREATE OR REPLACE TEMP TABLE returned AS SELECT DISTINCT res FROM said_before SEMI JOIN changed USING (rid)")
    return count(con, "changed")


def also_changed(con: duckdb.DuckDBPyConnection, records: str) -> None:
    """Records of a relation (rid) that stand count as changed, though they say what they said."""
    con.execute(f"INSERT INTO changed SELECT rid FROM {records} SEMI JOIN state.unit_of USING (rid) ANTI JOIN changed USING (rid)")


def list_touched(con: duckdb.DuckDBPyConnection, changed_sources: Sequence[RecordSource], rules: MatchingRules) -> None:
    """Make `touched_records` and `touched_units` from `changed` and the state."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE touched_numbers AS
        SELECT number FROM state.numbers SEMI JOIN changed USING (rid)
        UNION SELECT number FROM state.relatives SEMI JOIN changed USING (rid)
        UNION SELECT number FROM ({_said_numbers(changed_sources, rules)}) WHERE number IS NOT NULL""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE touched_units AS
        SELECT unit FROM state.unit_of SEMI JOIN changed USING (rid)
        UNION SELECT unit FROM state.unit_of SEMI JOIN (FROM state.numbers SEMI JOIN touched_numbers USING (number)) USING (rid)""")
    _list_touched_records(con)


def touch(con: duckdb.DuckDBPyConnection, units: str) -> bool:
    """Add the units of a relation to the touched; whether there were any new ones."""
    con.execute(f"INSERT INTO touched_units SELECT DISTINCT unit FROM {units} ANTI JOIN touched_units USING (unit)")
    before = count(con, "touched_records")
    _list_touched_records(con)
    return count(con, "touched_records") > before


def list_around(con: duckdb.DuckDBPyConnection, records: str, into: str) -> None:
    """`into`(rid): the records of a relation, the others of their numbers, and relatives that name these numbers, with theirs."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE numbers_at_hand AS
        SELECT number FROM state.numbers SEMI JOIN {records} USING (rid) UNION FROM touched_numbers""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE naming AS
        SELECT DISTINCT u.rid FROM state.relatives SEMI JOIN numbers_at_hand USING (number) JOIN state.unit_of r USING (rid)
        JOIN state.unit_of u USING (unit)""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE {into} AS
        SELECT rid FROM {records} UNION SELECT rid FROM naming UNION
        SELECT rid FROM state.numbers SEMI JOIN (
          FROM numbers_at_hand UNION SELECT number FROM state.numbers SEMI JOIN naming USING (rid)) USING (number)""")


def list_mates(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> None:
    """mates(unit): old units, not touched, that a pair with a touched unit may be proposed with; crossing(unit): units of blocks that the
    change lifts over the cap or brings under it. From `unit_<part>` and `units` of the touched units as they are now, and from the state.
    """
    for name in ("mates", "crossing"):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} (unit BIGINT)")
    con.execute("CREATE OR REPLACE TEMP TABLE capped_blocks AS FROM state.capped")
    for key in rules.blocking:
        _list_mates_by(con, key, rules.block_cap)


def list_core(con: duckdb.DuckDBPyConnection) -> None:
    """core_units, core_records, concerned_residents from `touched_units`, `mates`, `changed`, `returned`."""
    con.execute("CREATE OR REPLACE TEMP TABLE near_units AS SELECT unit FROM touched_units UNION SELECT unit FROM mates")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE core_units AS
        SELECT unit FROM near_units UNION
        SELECT unit FROM state.units WHERE component IN (SELECT component FROM state.units SEMI JOIN near_units USING (unit))""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE core_records AS
        SELECT rid FROM state.unit_of SEMI JOIN core_units USING (unit) UNION FROM changed""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE concerned_residents AS
        SELECT res FROM state.units SEMI JOIN core_units USING (unit) UNION FROM returned""")


def reduced(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], records: str, folder: Path) -> tuple[RecordSource, ...]:
    """The same sources with only the records of a relation (rid) in their files."""
    from dataclasses import replace

    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for source in sources:
        standard, faults = folder / f"{source.dataset}.parquet", folder / f"{source.dataset}.faults.parquet"
        rid = rid_in(f"'{quoted(source.dataset)}'", "_record")
        for original, part in ((source.standard, standard), (source.faults, faults)):
            if original is not None:
                con.execute(f"""
                    COPY (SELECT * FROM read_parquet('{quoted(str(original))}') WHERE {rid} IN (FROM {records}))
                    TO '{quoted(str(part))}' (FORMAT parquet, COMPRESSION uncompressed)""")
        found.append(replace(source, standard=standard, faults=None if source.faults is None else faults))
    return tuple(found)


def _list_touched_records(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("""
        CREATE OR REPLACE TEMP TABLE touched_records AS
        SELECT rid FROM state.unit_of SEMI JOIN touched_units USING (unit) UNION FROM changed""")


def _said_numbers(sources: Sequence[RecordSource], rules: MatchingRules) -> str:
    """SQL (number): the valid numbers that the changed rows of some sources carry or name."""
    elements = [*NUMBERS, *(element for a in rules.attributes.values() if a.reversed for element in a.elements)]
    cells = [
        (valid_number(identifier(column)), rows_of(source, f"rid, {identifier(column)}"))
        for source in sources
        for element in elements
        for column in source.columns.get(element, ())
    ]
    parts = [f"SELECT {number} AS number FROM ({rows}) SEMI JOIN changed USING (rid)" for number, rows in cells]
    return union_of(parts, "SELECT NULL::VARCHAR AS number")


def _list_mates_by(con: duckdb.DuckDBPyConnection, key: Sequence[str], cap: int) -> None:
    name = " + ".join(key)
    first = key[0]
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE now_in AS
        SELECT unit, block, attested FROM ({keyed_units(key)}) JOIN units USING (unit) SEMI JOIN standing_touched USING (unit)""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE was_in AS
        SELECT unit, block FROM ({keyed_units(key, "unit IN (FROM touched_units)", "state.")})""")
    con.execute("CREATE OR REPLACE TEMP TABLE blocks_at_hand AS SELECT block FROM now_in UNION SELECT block FROM was_in")
    likely = f"""value IN (SELECT value FROM unit_{first} SEMI JOIN standing_touched USING (unit) UNION
        SELECT value FROM state.unit_{first} SEMI JOIN touched_units USING (unit)) AND unit NOT IN (FROM touched_units)"""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE others_in AS
        SELECT unit, block, attested FROM ({keyed_units(key, likely, "state.")})
        SEMI JOIN blocks_at_hand USING (block) JOIN state.units USING (unit)""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE sizes AS
        SELECT block, count_if(place <> 'old') AS size, count_if(place <> 'old' AND NOT attested) AS open,
          block IN (SELECT block FROM state.capped WHERE key = '{name}') AS was_capped
        FROM (SELECT block, 'now' AS place, attested FROM now_in UNION ALL SELECT block, 'other', attested FROM others_in
              UNION ALL SELECT block, 'old', true FROM was_in) GROUP BY block""")
    con.execute(f"DELETE FROM capped_blocks WHERE key = '{name}' AND block IN (SELECT block FROM sizes)")
    con.execute(f"INSERT INTO capped_blocks SELECT '{name}', block FROM sizes WHERE size > {cap} AND open > 0")
    con.execute(f"""
        INSERT INTO crossing SELECT unit FROM others_in JOIN sizes USING (block) WHERE was_capped <> (size > {cap} AND open > 0)""")
    con.execute(f"""
        INSERT INTO mates SELECT DISTINCT o.unit FROM others_in o JOIN now_in n USING (block) JOIN sizes USING (block)
        WHERE size <= {cap} AND NOT (o.attested AND n.attested)""")
