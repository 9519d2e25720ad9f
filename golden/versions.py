"""The files of one golden version: a folder of the lake, written aside and renamed whole.

A version is whole, or it says only of some residents what is new: it then stands on the versions before it (`parts.json`), back to a whole
one, and `touched.parquet` names the residents of whom the older parts no longer count. `relation` gives the rows of either as one.
Of very many residents, residents, values and rivals stand in several files, one per portion of them: `values-001.parquet` and so on.

crosswalk    dataset, record, resident_id                     each accepted record and its resident
residents    resident_id and one column per element
values       resident_id, element, value, dataset, record, observed_on, received_on, rule, confidence, sources, status, value_of_record
rivals       resident_id, element, value, dataset, record, observed_on     every value that was not chosen, with who says it
evidence     resident_id, dataset_a, record_a, dataset_b, record_b, bits, bridge and a level per comparison
identities   resident_id, status, superseded_by
history      dataset, record, resident_id, content, since     also of records that are no longer in any source: what they said, since when
review       resident_id, other_id, kind, dataset_a, record_a, dataset_b, record_b, bits, probability, records, elements, weight and a
             level with its bits per comparison            what the machine is in doubt about, once under each resident
reliability  element, dataset, …                               who is how right about what (`golden.reliability_table`)
alarms       decision, kind, resident_id, element, dataset, record   stewards' decisions that newer evidence contradicts
touched      resident_id                                      only in a version that stands on others
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from catalog.lake import Lake
from golden.engine import enum_of, identifier, quoted, scratch
from golden.reliability_table import FILE as RELIABILITY
from golden.reliability_table import reliability_sql

ROW_GROUP_ROWS = 122_880
PARTS, TOUCHED = "parts.json", "touched"
PORTIONS, PORTIONED = "portions", ("values", "rivals", "residents")

MOST_PARTS = 12
"""A version on more parts than this is written whole again, so that reading stays quick."""


def resident_id(res: str) -> str:
    """SQL: the id of a resident as people see it."""
    return f"'R' || lpad({res}::VARCHAR, 10, '0')"


def golden_folder(lake: Lake, version: int) -> Path:
    """Where the files of a version stand or will stand."""
    return lake.root / "golden" / f"v{version:06d}"


def version_of(folder: Path) -> int:
    """Which version's folder it is."""
    return int(folder.name.removeprefix("v"))


def parts_of(folder: Path) -> tuple[Path, ...]:
    """The folders that a version's rows stand in, the whole one first."""
    listed = folder / PARTS
    older = json.loads(listed.read_text(encoding="utf-8")) if listed.exists() else []
    return (*(folder.parent / name for name in older), folder)


def relation(folder: Path, name: str, after: Path | None = None) -> str:
    """SQL in parentheses: all rows of a version's file, whichever part they stand in. after: only those newer than this part."""
    parts = parts_of(folder)
    parts = parts[0 if after is None else parts.index(after) + 1 :]
    rows = []
    for place, part in enumerate(parts):
        newer = ", ".join(_files(later, TOUCHED) for later in parts[place + 1 :])
        left = f"ANTI JOIN (SELECT resident_id FROM read_parquet([{newer}])) AS newer USING (resident_id)" if newer else ""
        rows.append(f"SELECT part.* FROM read_parquet([{_files(part, name)}]) AS part {left}")
    return f"({' UNION ALL '.join(rows)})"


def touched_since(folder: Path, older: Path) -> str | None:
    """SQL of the residents in whom a version can differ from an older one that it stands on; None where it does not stand on it."""
    parts = parts_of(folder)
    if older not in parts or older == folder:
        return None
    newer = ", ".join(_files(part, TOUCHED) for part in parts[parts.index(older) + 1 :])
    return f"SELECT DISTINCT resident_id FROM read_parquet([{newer}])"


def columns_of(folder: Path, name: str) -> list[str]:
    """The columns of a version's file."""
    return list(pq.read_schema(_paths(folder, name)[0]).names)


def _files(folder: Path, name: str) -> str:
    """SQL of a list: the files of one name."""
    return ", ".join(f"'{quoted(str(path))}'" for path in _paths(folder, name))


def _paths(folder: Path, name: str) -> list[Path]:
    return sorted(folder.glob(f"{name}-[0-9]*.parquet")) or [folder / f"{name}.parquet"]


def write_portion(con: duckdb.DuckDBPyConnection, number: int, elements: Sequence[str]) -> None:
    """What was chosen for a portion of all residents, the `number`th from below, as files that `write_version` takes over."""
    folder, queries = scratch(con, PORTIONS), _queries(con, elements, ())
    for name in PORTIONED:
        _copy(con, f"{queries[name]} ORDER BY res{_ORDERS[name].removeprefix('resident_id')}", folder / f"{name}-{number:03}.parquet")


def portions_as_one(con: duckdb.DuckDBPyConnection) -> None:
    """golden_values and rivals, as views over the files of all portions."""
    for relation_name, name in (("golden_values", "values"), ("rivals", "rivals")):
        con.execute(f"DROP TABLE {relation_name}")
        con.execute(f"""
            CREATE VIEW {relation_name} AS SELECT resident_id[2:]::BIGINT AS res, * EXCLUDE (resident_id)
            FROM read_parquet([{_files(scratch(con, PORTIONS), name)}])""")


def write_version(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    version: int,
    elements: Sequence[str],
    levels: Sequence[str],
    *,
    learnt_with: int,
    on: Path | None = None,
) -> Path:
    """Write all files of a version; the folder appears whole or not at all.

    `on`: the version that it stands on; the relation `touched`(res) then names the residents of whom these files say all that counts.
    `learnt_with`: the version with which the model was learnt.
    """
    folder = golden_folder(lake, version)
    whole = on is None or len(parts_of(on)) >= MOST_PARTS
    queries = dict(_queries(con, elements, levels))
    if on is not None:
        touched = f"SELECT {resident_id('res')} AS resident_id FROM touched"
        if whole:
            kept = {name: f"SELECT * FROM {relation(on, name)} ANTI JOIN ({touched}) USING (resident_id)" for name in queries}
            queries = {name: f"SELECT * FROM ({kept[name]} UNION ALL BY NAME {sql})" for name, sql in queries.items()}
        else:
            queries[TOUCHED] = touched
    with lake.aside(folder) as aside:
        aside.mkdir()
        if on is not None and not whole:
            (aside / PARTS).write_text(json.dumps([part.name for part in parts_of(on)]), encoding="utf-8")
        for portion in scratch(con, PORTIONS).iterdir():
            shutil.move(portion, aside / portion.name)
            queries.pop(portion.stem.rpartition("-")[0], None)
        for name, sql in queries.items():
            _copy(con, f"{sql} ORDER BY {_ORDERS[name]}", aside / f"{name}.parquet")
        _copy(con, reliability_sql(learnt_with), aside / f"{RELIABILITY}.parquet")
    return folder


def _copy(con: duckdb.DuckDBPyConnection, sql: str, path: Path) -> None:
    con.execute(f"COPY ({sql}) TO '{quoted(str(path))}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP_ROWS})")


_ORDERS = {
    "crosswalk": "dataset, record",
    "residents": "resident_id",
    "values": "resident_id, element",
    "rivals": "resident_id, element, value, dataset, record",
    "evidence": "resident_id, dataset_a, record_a, dataset_b, record_b",
    "identities": "resident_id",
    "history": "dataset, record",
    "alarms": "decision, kind, resident_id",
    "review": "resident_id, other_id, kind, dataset_a, record_a, dataset_b, record_b",
    TOUCHED: "resident_id",
}


def _stated(con: duckdb.DuckDBPyConnection) -> set[str]:
    return {row[0] for row in con.execute("DESCRIBE golden_rows").fetchall()}


def _queries(con: duckdb.DuckDBPyConnection, elements: Sequence[str], levels: Sequence[str]) -> Mapping[str, str]:
    stated = _stated(con)
    named = con.execute("SELECT dataset FROM sources UNION SELECT dataset FROM history").fetchall()
    dataset = f"dataset::{enum_of(name for (name,) in named)} AS dataset"
    who = f"{resident_id('res')} AS resident_id"
    columns = ", ".join(identifier(e) if e in stated else f"NULL::VARCHAR AS {identifier(e)}" for e in elements)
    ends = "JOIN records {0} ON {0}.rid = e.{0} JOIN sources s{0} ON s{0}.src = {0}.src"
    return {
        "crosswalk": f"SELECT {dataset}, record, {who} FROM resident_of JOIN records USING (rid) JOIN sources USING (src)",
        "residents": f"SELECT {who}, {columns} FROM golden_rows",
        "values": f"""SELECT {who}, element, value, dataset, record, observed_on, received_on, rule, confidence, sources, status,
                      value_of_record FROM golden_values""",
        "rivals": f"""SELECT {who}, element, value, dataset, record, observed_on FROM rivals""",
        "evidence": f"""SELECT {resident_id("r.res")} AS resident_id, sa.dataset AS dataset_a, a.record AS record_a,
                        sb.dataset AS dataset_b,
                        b.record AS record_b, bits / 100 AS bits, bridge, {", ".join(f'e."{level}"' for level in levels)}
                        FROM evidence e {ends.format("a")} {ends.format("b")} JOIN resident_of r ON r.rid = e.a""",
        "identities": f"""SELECT {who}, status, {resident_id("superseded_by")} AS superseded_by FROM identities""",
        "review": _review(levels),
        "alarms": f"SELECT decision, kind, {who}, element, dataset, record FROM alarms",
        "history": f"SELECT {dataset}, record, {who}, content, since FROM history",
    }


def _review(levels: Sequence[str]) -> str:
    """A pair stands under each of its residents, for files are brought forward resident by resident."""
    said = ", ".join(f'l."{level}"::VARCHAR AS "{level}", l."{level}_bits" / 100 AS "{level}_bits"' for level in levels)
    rows = f"""
        SELECT {{mine}} AS resident_id, {{other}} AS other_id, kind, sx.dataset AS dataset_a, x.record AS record_a,
          sy.dataset AS dataset_b, y.record AS record_b, bits / 100 AS bits, probability, p.records, elements, weight, {said}
        FROM review_pairs p JOIN review_levels l USING (pair) JOIN records x ON x.rid = p.a JOIN sources sx ON sx.src = x.src
        JOIN records y ON y.rid = p.b JOIN sources sy ON sy.src = y.src"""
    a, b = resident_id("res_a"), resident_id("res_b")
    return f"SELECT * FROM ({rows.format(mine=a, other=b)} UNION ALL {rows.format(mine=b, other=a)} WHERE res_a <> res_b)"
