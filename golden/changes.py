"""Which records changed since the last version, and how far a change can reach: the scope of an incremental run.

A unit is touched if a record of it changed, or carries a number that a changed record carries or names: its records are read and grouped
anew. All other units are taken from the state as they stand. What is joined can only change in the components of touched units, of the
units that share a block with them (their mates) and of those that come in for another reason (drawn in): all these are near. Where the
edges are known again, the core is what hangs together with a touched unit, or did; nobody else can have become another resident.

Relations made here
  changed(rid)                    records that came, went or say something else
  returned(res)                   residents to whom a changed record belonged
  touched_numbers(number), touched_units(unit), touched_records(rid)      units: as they were
  drawn_in(unit)                  units that are not touched and are near all the same
  capped_blocks(key, block)       blocks over the cap after the change
  mates(unit), crossing(unit)     of blocks that the change lifts over the cap or brings under it all units are looked at like touched ones
  near_units(unit)                old units that are not touched, whom the steps look at
  core_units(unit), standing_core(unit)   the core, as it was and as it is
  core_records(rid)               its records, those that went as well
  concerned_residents(res)        residents whose records are in the core
"""

from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import duckdb

from golden.engine import count, identifier, quoted
from golden.records import NUMBERS, contents, rid_in, valid_number
from golden.sources import RecordSource
from golden.state import blocks_of
from rules.matching import MatchingRules

WORKERS = 2


def list_changed(
    con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], moved: Sequence[int], stamped: Collection[str], rules: MatchingRules
) -> int:
    """Make `changed` and `returned`. moved: the places of the sources that sent something since. Returns how many records changed.

    said_now(rid, content, named): the rows of these sources; named: what stands where a number may stand, the record's own or a relative's.
    """
    nothing = "SELECT NULL::BIGINT AS rid, NULL::BIGINT AS content, NULL::VARCHAR[] AS named LIMIT 0"
    now = contents([sources[place] for place in moved], stamped, lambda source: _named(source, rules)) if moved else nothing
    con.execute(f"CREATE OR REPLACE TEMP TABLE said_now AS {now}")
    places = ", ".join(map(str, moved)) or "NULL"
    con.execute(f"""
        CREATE OR REPLACE TABLE changed AS
        SELECT coalesce(o.rid, n.rid) AS rid
        FROM (SELECT rid, content FROM state.unit_of WHERE src IN ({places})) o FULL JOIN said_now n USING (rid)
        WHERE o.content IS DISTINCT FROM n.content""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE returned AS
        SELECT DISTINCT res FROM state.unit_of SEMI JOIN changed USING (rid) JOIN state.units USING (unit)
        UNION SELECT res FROM state.gone SEMI JOIN changed USING (rid)""")
    return count(con, "changed")


def also_changed(con: duckdb.DuckDBPyConnection, records: str) -> None:
    """Records of a relation (rid) that stand count as changed, though they say what they said."""
    con.execute(f"INSERT INTO changed SELECT rid FROM {records} SEMI JOIN state.unit_of USING (rid) ANTI JOIN changed USING (rid)")


def list_touched(con: duckdb.DuckDBPyConnection) -> None:
    """Make `touched_numbers`, `touched_units`, `touched_records` from `changed` and the state."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE touched_numbers AS
        SELECT number FROM state.unit_of SEMI JOIN changed USING (rid) WHERE number IS NOT NULL
        UNION SELECT number FROM state.relatives SEMI JOIN changed USING (rid)
        UNION SELECT {valid_number("cell")} AS number FROM (SELECT unnest(named) AS cell FROM said_now SEMI JOIN changed USING (rid))
        WHERE number IS NOT NULL""")
    con.execute("DROP TABLE said_now")
    con.execute("CREATE OR REPLACE TEMP TABLE touched_units AS SELECT DISTINCT unit FROM state.unit_of SEMI JOIN changed USING (rid)")
    con.execute("CREATE OR REPLACE TEMP TABLE drawn_in AS SELECT unit FROM state.units SEMI JOIN returned USING (res)")
    con.execute("CREATE OR REPLACE TEMP TABLE crossing (unit BIGINT)")
    _touch_numbers(con)


def touch_renumbered(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> bool:
    """Whether units are touched now that were not: a record that names a relative turned out to belong to somebody else than it did."""
    if not any(attribute.reversed for attribute in rules.attributes.values()):
        return False
    before = count(con, "touched_records")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE turned AS
        SELECT rid FROM (SELECT rid, u.number FROM state.unit_of SEMI JOIN touched_records USING (rid) JOIN state.units u USING (unit)) o
        FULL JOIN (SELECT rid, u.number FROM unit_of JOIN units u USING (unit)) n USING (rid) WHERE o.number IS DISTINCT FROM n.number""")
    con.execute("""
        INSERT INTO touched_numbers
        SELECT DISTINCT number FROM state.relatives SEMI JOIN turned USING (rid) ANTI JOIN touched_numbers USING (number)""")
    _touch_numbers(con)
    return count(con, "touched_records") > before


def list_expected(con: duckdb.DuckDBPyConnection) -> str:
    """expected_records(rid): touched records, and the others of the components that they were in: most of what will be asked for.

    `concerned_residents` are theirs, for the time being.
    """
    con.execute("""
        CREATE OR REPLACE TABLE expected_records AS
        SELECT rid FROM state.unit_of WHERE unit IN (
          SELECT unit FROM drawn_in UNION SELECT unit FROM state.units
          WHERE component IN (SELECT component FROM state.units WHERE unit IN (FROM touched_units UNION FROM drawn_in)))
        UNION FROM touched_records""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE concerned_residents AS
        SELECT DISTINCT res FROM state.unit_of SEMI JOIN expected_records USING (rid) JOIN state.units USING (unit) UNION FROM returned""")
    return "expected_records"


def draw_in(con: duckdb.DuckDBPyConnection, units: str) -> bool:
    """Units of a relation are near, whatever the blocks say. Whether any of them was not."""
    before = count(con, "drawn_in")
    con.execute(f"INSERT INTO drawn_in SELECT DISTINCT unit FROM {units} WHERE unit NOT IN (FROM drawn_in UNION FROM touched_units)")
    return count(con, "drawn_in") > before


def draw_in_decided(con: duckdb.DuckDBPyConnection, records: str) -> bool:
    """So are those of whom a steward decided together with records of a relation (rid), also over records that have gone."""
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE decided_with AS
        SELECT DISTINCT unit FROM state.unit_of WHERE rid IN (
          SELECT rid FROM merged_records WHERE component IN (SELECT component FROM merged_records SEMI JOIN {records} USING (rid))
          UNION SELECT record_b FROM decided_records WHERE record_a IN (FROM {records})
          UNION SELECT record_a FROM decided_records WHERE record_b IN (FROM {records}))""")
    return draw_in(con, "decided_with")


def list_blocks(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> None:
    """touched_blocks(key, block, unit): the blocks of the touched units as they are now, from `unit_<part>` while only they are at hand."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE touched_blocks AS {blocks_of(rules)}")


def list_mates(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> bool:
    """mates(unit): old units, not touched, that a pair with a touched unit may be proposed with. Whether blocks crossed the cap: then this
    is to be done again, for more is `crossing`. From `touched_blocks`, `units`, and the state.
    """
    named = _named_key(rules)
    con.execute("CREATE OR REPLACE TEMP TABLE outdated AS FROM touched_units UNION FROM crossing")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE now_in AS
        SELECT key, block, unit, attested
        FROM (FROM touched_blocks UNION ALL SELECT key, block, unit FROM state.blocked SEMI JOIN crossing USING (unit))
        JOIN units USING (unit)""")
    con.execute("CREATE OR REPLACE TEMP TABLE was_in AS SELECT key, block FROM state.blocked SEMI JOIN outdated USING (unit)")
    con.execute("CREATE OR REPLACE TEMP TABLE at_hand AS SELECT key, block FROM now_in UNION FROM was_in")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE others_in AS
        SELECT key, block, unit, attested FROM (FROM state.blocked SEMI JOIN at_hand USING (key, block)) ANTI JOIN outdated USING (unit)
        JOIN state.units USING (unit)""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE sizes AS
        SELECT *, size > {rules.block_cap} AND open > 0 AS capped, ({named}, block) IN (SELECT (key, block) FROM state.capped) AS was_capped
        FROM (SELECT key, block, count(unit) AS size, count_if(NOT attested) AS open
              FROM at_hand LEFT JOIN (FROM now_in UNION ALL FROM others_in) USING (key, block) GROUP BY key, block)""")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE capped_blocks AS
        FROM state.capped WHERE (key, block) NOT IN (SELECT ({named}, block) FROM sizes)
        UNION ALL SELECT {named}, block FROM sizes WHERE capped""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE mates AS
        SELECT DISTINCT o.unit FROM others_in o JOIN now_in n USING (key, block) JOIN sizes USING (key, block)
        WHERE NOT capped AND NOT (o.attested AND n.attested)""")
    before = count(con, "crossing")
    con.execute("INSERT INTO crossing SELECT DISTINCT unit FROM others_in JOIN sizes USING (key, block) WHERE capped <> was_capped")
    return count(con, "crossing") > before


def list_near(con: duckdb.DuckDBPyConnection) -> str:
    """Make `near_units`."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE nearest AS FROM mates UNION FROM crossing UNION FROM drawn_in UNION FROM touched_units""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE near_units AS
        SELECT unit FROM state.units WHERE unit NOT IN (FROM touched_units)
        AND (unit IN (FROM nearest) OR component IN (SELECT component FROM state.units SEMI JOIN nearest USING (unit)))""")
    return "near_units"


def propose_near(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> str:
    """`pairs` and `blocks_capped` as `blocking.propose_pairs` makes them, of the touched units and those near; all keys at once, for blocks
    of units that did not change are known.
    """
    con.execute("CREATE OR REPLACE TABLE blocks_capped (key VARCHAR, blocks BIGINT, units BIGINT)")
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE keyed AS
        SELECT key, block, unit, attested
        FROM (FROM touched_blocks UNION ALL SELECT key, block, unit FROM state.blocked SEMI JOIN near_units USING (unit))
        JOIN units USING (unit)
        WHERE ({_named_key(rules)}, block) NOT IN (SELECT (key, block) FROM capped_blocks)""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE shared_blocks AS
        SELECT key, block FROM keyed GROUP BY key, block HAVING count(*) > 1 AND count_if(NOT attested) > 0""")
    con.execute("CREATE OR REPLACE TEMP TABLE sharing AS FROM keyed SEMI JOIN shared_blocks USING (key, block)")
    con.execute("""
        CREATE OR REPLACE TABLE pairs AS
        SELECT row_number() OVER (ORDER BY a, b) AS pair, a, b FROM (
          SELECT DISTINCT least(x.unit, y.unit) AS a, greatest(x.unit, y.unit) AS b FROM sharing x JOIN sharing y USING (key, block)
          WHERE NOT x.attested AND x.unit <> y.unit AND (y.attested OR x.unit < y.unit))""")
    return "pairs"


def list_core(con: duckdb.DuckDBPyConnection) -> None:
    """core_units, standing_core, core_records, concerned_residents, from the components that stand now: `drawn_together`."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE hung_together AS
        FROM standing_touched UNION FROM crossing UNION FROM drawn_in UNION
        SELECT unit FROM state.units WHERE unit IN (FROM near_units) AND component IN (
          SELECT component FROM state.units WHERE unit IN (FROM touched_units UNION FROM crossing UNION FROM drawn_in))""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE standing_core AS
        FROM hung_together UNION SELECT unit FROM drawn_together
        WHERE component IN (SELECT component FROM drawn_together SEMI JOIN hung_together USING (unit))""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE core_units AS
        FROM touched_units UNION SELECT unit FROM standing_core SEMI JOIN near_units USING (unit)""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE core_records AS
        SELECT rid FROM state.unit_of SEMI JOIN core_units USING (unit) UNION FROM changed""")
    con.execute("""
        CREATE OR REPLACE TEMP TABLE concerned_residents AS
        SELECT res FROM state.units SEMI JOIN core_units USING (unit) UNION FROM returned""")


def reduced(
    con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource], records: str, folder: Path, part: int = 1
) -> tuple[RecordSource, ...]:
    """The same sources with only the records of a relation (rid) in their files. The relation is not a temporary one: several read it."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return tuple(pool.map(lambda source: _reduced(con, source, records, folder, part), sources))


def all_parts(source: RecordSource) -> RecordSource:
    """The source with the records of all parts of it, where more were asked for by and by."""
    return replace(source, standard=source.standard.with_name("*.parquet"))


def _reduced(con: duckdb.DuckDBPyConnection, source: RecordSource, records: str, folder: Path, part: int) -> RecordSource:
    """Only what is told by the columns that count, and of the faults those of numbers, which tell something all the same."""
    standard, faults = (folder / kind / source.dataset / f"{part}.parquet" for kind in ("standard", "faults"))
    told = sorted({column for columns in source.columns.values() for column in columns})
    files = [(source.standard, standard, ", ".join(map(identifier, ["_record", *told])), "true")]
    if source.faults is not None:
        numbers = ", ".join(f"'{quoted(column)}'" for column in source.columns.get("id_number", ())) or "NULL"
        files.append((source.faults, faults, "*", f'"column" IN ({numbers})'))
    rid = rid_in(f"'{quoted(source.dataset)}'", "_record")
    with con.cursor() as own:
        for original, reduced_file, cells, where in files:
            reduced_file.parent.mkdir(parents=True, exist_ok=True)
            own.execute(f"""
                COPY (SELECT {cells} FROM read_parquet('{quoted(str(original))}') WHERE {where} AND {rid} IN (FROM {records}))
                TO '{quoted(str(reduced_file))}' (FORMAT parquet, COMPRESSION uncompressed)""")
    return replace(source, standard=standard, faults=None if source.faults is None else faults)


def _named_key(rules: MatchingRules) -> str:
    """SQL: the name of the blocking key whose place among the rules is `key`."""
    return f"{[' + '.join(key) for key in rules.blocking]!r}[key + 1]"


def _named(source: RecordSource, rules: MatchingRules) -> str:
    elements = [*NUMBERS, *(element for a in rules.attributes.values() if a.reversed for element in a.elements)]
    columns = [identifier(column) for element in elements for column in source.columns.get(element, ())]
    return f", [{', '.join(columns)}]::VARCHAR[] AS named"


def _touch_numbers(con: duckdb.DuckDBPyConnection) -> None:
    """All who carry a touched number are touched; `touched_records` then are theirs and those that changed."""
    con.execute("""
        INSERT INTO touched_units
        SELECT DISTINCT unit FROM state.unit_of SEMI JOIN touched_numbers USING (number) WHERE unit NOT IN (FROM touched_units)""")
    con.execute("DELETE FROM drawn_in WHERE unit IN (FROM touched_units)")
    con.execute("""
        CREATE OR REPLACE TABLE touched_records AS
        SELECT rid FROM state.unit_of SEMI JOIN touched_units USING (unit) UNION FROM changed""")
