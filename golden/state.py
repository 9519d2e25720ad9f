"""What an incremental run needs to know of the last one and cannot read from its files: who was grouped, blocked and joined with whom.

One DuckDB file of the lake, written whole by a full run and brought forward by an incremental one in a single transaction. It says of which
version it is and by which code and rules it was made; where that is not what is asked for, it is worth nothing: the next run is a full one.

Relations, under the schema name `state` once attached
  tag(version, made_by)
  unit_of(rid, unit, src, content, number, owns)     number: valid, doubtful ones too; owns: it is the unit's own
  units(unit, number, attested, number_attested, records, res, component, src, record)   component: its units hang together by edges; src,
      record: of the record that it is called after
  relatives(attribute, rid, number)  numbers of relatives that a record names and by which the relative is matched
  unit_<part>(unit, value[, bits])   what a unit says
  blocked(key, block, unit)      the blocks that it is in; key: the place of the blocking key among the rules
  capped(key, block)             blocks over the cap
  names(name, name_key, pinyin)  every name that was ever met
  attested_cut(number)           numbers ending in 000 that a source of record attests: they were not cut
  own_numbers(res, number)       the golden identity number of each resident
  gone(rid, res)                 records that are no longer in any source
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from golden.blocking import keyed_units
from golden.engine import arrow, keep, quoted
from golden.exact_groups import component_labels, list_conflicts
from golden.records import NAME_KINDS, rid_in
from rules.matching import MatchingRules
from rules.version import rules_version

FILE = "state.duckdb"

LARGEST_JOURNAL_BYTES = 64 * 2**20
"""What incremental runs changed stays in the journal until it is larger than this: writing the file anew costs more than reading it."""


@cache
def made_by() -> str:
    """The code, rules and engine that a state, a model or a version's files were made by."""
    digest = hashlib.sha256(f"{rules_version()} {duckdb.__version__}".encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def keep_state(con: duckdb.DuckDBPyConnection, folder: Path, rules: MatchingRules, version: int) -> None:
    """Write the state after a full run, aside and then in place of the old one."""
    path = folder / FILE
    aside = path.with_suffix(".aside")
    for left in (path, aside):
        forget(left)
    label_components(con)
    con.execute(f"ATTACH '{quoted(str(aside))}' AS state")
    con.execute("CREATE TABLE state.tag AS SELECT $1::INT AS version, $2::VARCHAR AS made_by", [version, made_by()])
    for name, sql in _relations(rules).items():
        con.execute(f"CREATE TABLE state.{name} AS {sql}")
    con.execute("DETACH state")
    aside.replace(path)


@contextmanager
def attached(con: duckdb.DuckDBPyConnection, folder: Path, version: int) -> Iterator[bool]:
    """Attach the state as `state`; false where there is none of this version, made by this code and these rules."""
    path = folder / FILE
    if not path.exists():
        yield False
        return
    con.execute("PRAGMA disable_checkpoint_on_shutdown")
    try:
        con.execute(f"ATTACH '{quoted(str(path))}' AS state")
    except duckdb.Error:  # written by another version of the engine, or cut off by a full disk: a full run writes it anew
        forget(path)
        yield False
        return
    try:
        yield con.execute("FROM state.tag").fetchall() == [(version, made_by())]
    finally:
        con.execute("DETACH state")


def bring_forward(con: duckdb.DuckDBPyConnection, folder: Path, rules: MatchingRules, version: int) -> None:
    """Replace what the state says of the core (`golden.changes`) and of the residents `touched` by what stands now."""
    con.execute("CREATE OR REPLACE TABLE resident_of AS FROM core_residents")
    con.execute("BEGIN")
    con.execute("UPDATE state.tag SET version = $1", [version])
    for name, sql in {**_relations(rules), "blocked": "FROM touched_blocks"}.items():
        outdated, current = _REPLACED.get(name, _OF_TOUCHED)
        con.execute(f"DELETE FROM state.{name} WHERE {outdated}")
        con.execute(f"INSERT INTO state.{name} SELECT * FROM ({sql}) WHERE {current}")
    con.execute("COMMIT")
    journal = _journal(folder / FILE)
    if journal.exists() and journal.stat().st_size > LARGEST_JOURNAL_BYTES:
        con.execute("CHECKPOINT state")


def stand_in(con: duckdb.DuckDBPyConnection, rules: MatchingRules, units: str) -> None:
    """The units of a relation (unit) as the state knows them, beside those that are at hand: stood_in(unit) are those that came so."""
    con.execute("CREATE TEMP TABLE IF NOT EXISTS stood_in (unit BIGINT)")
    con.execute(f"CREATE OR REPLACE TEMP TABLE arriving_units AS SELECT unit FROM {units} ANTI JOIN stood_in USING (unit)")
    con.execute("INSERT INTO stood_in FROM arriving_units")
    con.execute("""
        INSERT INTO unit_of BY NAME
        SELECT rid, unit, CASE WHEN owns THEN number END AS own_number FROM state.unit_of SEMI JOIN arriving_units USING (unit)""")
    con.execute("""
        INSERT INTO units BY NAME
        SELECT unit, number, attested, records, number_attested FROM state.units SEMI JOIN arriving_units USING (unit)""")
    for part in _parts(rules):
        con.execute(f"INSERT INTO unit_{part} BY NAME FROM state.unit_{part} SEMI JOIN arriving_units USING (unit)")
    list_conflicts(con)


def spell(con: duckdb.DuckDBPyConnection, rules: MatchingRules, *, units: bool) -> None:
    """How names are spelt among all records, in `names` without the name itself: those at hand already, and with `units` those of units."""
    said = [f"UNION ALL SELECT value FROM unit_{a.key}" for a in rules.attributes.values() if units and a.kind in NAME_KINDS]
    con.execute(f"""
        INSERT INTO names BY NAME
        SELECT DISTINCT name_key, pinyin FROM state.names
        WHERE name_key IN (SELECT name_key FROM names {" ".join(said)}) EXCEPT SELECT name_key, pinyin FROM names""")


def relatives_elsewhere(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> None:
    """What records that are not at hand say of the units that are: whoever names a relative by his number is the relative's relative."""
    for attribute in (a for a in rules.attributes.values() if a.reversed):
        con.execute(f"""
            INSERT INTO raw_{attribute.key} BY NAME
            SELECT u.unit, s.number AS value FROM units u JOIN state.relatives r ON r.number = u.number
            JOIN state.unit_of o USING (rid) JOIN state.units s ON s.unit = o.unit
            WHERE attribute = '{attribute.key}' AND s.number IS NOT NULL AND rid NOT IN (FROM touched_records)
              AND u.number NOT IN (SELECT number FROM number_conflicts)
            EXCEPT SELECT unit, value FROM raw_{attribute.key}""")


def forget(path: Path) -> None:
    """Remove a state and its journal."""
    for found in (path, _journal(path)):
        found.unlink(missing_ok=True)


def _journal(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


_OF_TOUCHED = ("unit IN (FROM touched_units)", "unit IN (FROM standing_touched)")
_REPLACED = {
    "unit_of": ("rid IN (FROM core_records)", "rid IN (FROM core_records)"),
    "units": ("unit IN (FROM core_units)", "unit IN (FROM standing_core)"),
    "relatives": ("rid IN (FROM touched_records)", "rid IN (FROM touched_records)"),
    "capped": ("true", "true"),
    "names": ("false", "name NOT IN (SELECT name FROM state.names)"),
    "attested_cut": ("number IN (FROM touched_numbers)", "number IN (FROM touched_numbers)"),
    "own_numbers": ("res IN (FROM touched)", "true"),
    "gone": ("res IN (FROM touched) OR rid IN (FROM changed)", "true"),
}
"""Which rows of a relation an incremental run replaces, and by which of those at hand; elsewhere by the touched units."""


def _relations(rules: MatchingRules) -> dict[str, str]:
    """Relation of the state → SQL over the relations of the steps."""
    relatives = [
        f"SELECT '{a.key}' AS attribute, rid, value AS number FROM record_{a.key}" for a in rules.attributes.values() if a.reversed
    ]
    return {
        "unit_of": """
            SELECT rid, unit, src, content, coalesce(r.number, d.number) AS number, own_number IS NOT NULL AS owns
            FROM unit_of JOIN records r USING (rid) LEFT JOIN doubtful d USING (rid)""",
        "units": """
            SELECT unit, units.number, attested, number_attested, records, res, component, r.src, r.record FROM units
            JOIN (SELECT unit, min(res) AS res FROM unit_of JOIN resident_of USING (rid) GROUP BY unit) USING (unit)
            JOIN records r ON r.rid = unit LEFT JOIN drawn_together USING (unit)""",
        "relatives": " UNION ALL ".join(relatives)
        or "SELECT NULL::VARCHAR AS attribute, NULL::BIGINT AS rid, NULL::VARCHAR AS number LIMIT 0",
        "blocked": blocks_of(rules),
        "capped": "SELECT key, block FROM capped_blocks",
        "names": "SELECT name, name_key, pinyin FROM names WHERE name IS NOT NULL",
        "attested_cut": "SELECT DISTINCT number FROM records JOIN sources USING (src) WHERE attests AND number LIKE '%000'",
        "own_numbers": "SELECT res, number FROM numbers_of_record",
        "gone": f"SELECT * FROM (SELECT {rid_in('dataset', 'record')} AS rid, res FROM history) ANTI JOIN resident_of USING (rid)",
        **{f"unit_{part}": f"FROM unit_{part}" for part in _parts(rules)},
    }


def blocks_of(rules: MatchingRules) -> str:
    """SQL (key, block, unit) of the units at hand."""
    return " UNION ALL ".join(f"SELECT {n}::UTINYINT AS key, block, unit FROM ({keyed_units(key)})" for n, key in enumerate(rules.blocking))


def label_components(con: duckdb.DuckDBPyConnection) -> str:
    """drawn_together(unit, component): what edges hang together; component: its smallest unit."""
    edges = arrow(con, "SELECT a, b FROM drawn ORDER BY a, b")
    units, places = np.unique(np.concatenate([edges.column("a").to_numpy(), edges.column("b").to_numpy()]), return_inverse=True)
    labels = component_labels(pa.table({"a": places[: len(edges)], "b": places[len(edges) :]}), len(units))
    keep(con, "labelled", pa.table({"unit": pa.array(units, pa.int64()), "label": labels}))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE drawn_together AS SELECT unit, min(unit) OVER (PARTITION BY label) AS component FROM labelled"
    )
    return "drawn_together"


def _parts(rules: MatchingRules) -> Sequence[str]:
    """What units say, told or derived."""
    return [*rules.attributes, *rules.derived]
