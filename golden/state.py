"""What an incremental run needs to know of the last one and cannot read from its files: who was grouped, blocked and joined with whom.

One DuckDB file of the lake, written whole by a full run and brought forward by an incremental one in a single transaction. It says of which
version it is and by which code and rules it was made; where that is not what is asked for, it is worth nothing: the next run is a full one.

Relations, under the schema name `state` once attached
  tag(version, made_by)
  unit_of(rid, unit), units(unit, number, attested, res, component)    component: its units hang together by edges
  numbers(rid, number)           valid numbers that a record carries, doubtful ones too
  relatives(rid, number)         numbers of relatives that a record names and by which the relative is matched
  unit_<part>(unit, value)       what pairs are proposed by
  capped(key, block)             blocks over the cap
  own_numbers(res, number)       the golden identity number of each resident
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from golden.engine import arrow, keep, quoted
from golden.exact_groups import component_labels
from rules.matching import MatchingRules
from rules.version import rules_version

FILE = "state.duckdb"

LARGEST_JOURNAL = "64MB"
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
    _label_components(con)
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
    con.execute(f"SET wal_autocheckpoint='{LARGEST_JOURNAL}'")
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


def bring_forward(con: duckdb.DuckDBPyConnection, rules: MatchingRules, version: int) -> None:
    """Replace what the state says of `core_records`, `core_units`, `capped_blocks` and the residents `touched` by what stands now."""
    _label_components(con)
    con.execute("CREATE OR REPLACE TABLE resident_of AS FROM core_residents")
    con.execute("BEGIN")
    con.execute("UPDATE state.tag SET version = $1", [version])
    for name, sql in _relations(rules).items():
        outdated, current = _REPLACED.get(name, ("unit IN (FROM core_units)", "unit IN (FROM standing_core)"))
        con.execute(f"DELETE FROM state.{name} WHERE {outdated}")
        con.execute(f"INSERT INTO state.{name} SELECT * FROM ({sql}) WHERE {current}")
    con.execute("COMMIT")


def forget(path: Path) -> None:
    """Remove a state and its journal."""
    for found in (path, path.with_name(path.name + ".wal")):
        found.unlink(missing_ok=True)


_OF_CORE = ("rid IN (FROM core_records)", "rid IN (FROM core_records)")
_REPLACED = {
    **dict.fromkeys(("unit_of", "numbers", "relatives"), _OF_CORE),
    "own_numbers": ("res IN (FROM touched)", "true"),
    "capped": ("true", "true"),
}
"""Which rows of a relation an incremental run replaces, and by which of those at hand; elsewhere by units of the core."""


def _relations(rules: MatchingRules) -> dict[str, str]:
    """Relation of the state → SQL over the relations of the steps."""
    relatives = [f"SELECT rid, value AS number FROM record_{a.key}" for a in rules.attributes.values() if a.reversed]
    return {
        "unit_of": "SELECT rid, unit FROM unit_of",
        "units": """
            SELECT unit, number, attested, res, component FROM units
            JOIN (SELECT unit, min(res) AS res FROM unit_of JOIN resident_of USING (rid) GROUP BY unit) USING (unit)
            LEFT JOIN drawn_together USING (unit)""",
        "numbers": "SELECT rid, number FROM records WHERE number IS NOT NULL UNION ALL SELECT rid, number FROM doubtful",
        "relatives": " UNION ALL ".join(relatives) or "SELECT NULL::BIGINT AS rid, NULL::VARCHAR AS number LIMIT 0",
        "own_numbers": "SELECT res, number FROM numbers_of_record",
        "capped": "SELECT key, block FROM capped_blocks",
        **{f"unit_{part}": f"SELECT unit, value FROM unit_{part}" for part in blocking_parts(rules)},
    }


def _label_components(con: duckdb.DuckDBPyConnection) -> None:
    """drawn_together(unit, component): what edges hang together; component: its smallest unit."""
    edges = arrow(con, "SELECT a, b FROM drawn ORDER BY a, b")
    units, places = np.unique(np.concatenate([edges.column("a").to_numpy(), edges.column("b").to_numpy()]), return_inverse=True)
    labels = component_labels(pa.table({"a": places[: len(edges)], "b": places[len(edges) :]}), len(units))
    keep(con, "labelled", pa.table({"unit": pa.array(units, pa.int64()), "label": labels}))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE drawn_together AS SELECT unit, min(unit) OVER (PARTITION BY label) AS component FROM labelled"
    )


def blocking_parts(rules: MatchingRules) -> Sequence[str]:
    """What pairs are proposed by, each once."""
    return list(dict.fromkeys(part for key in rules.blocking for part in key))
