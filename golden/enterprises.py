"""Enterprises (企业) as residents are: accepted snapshots in, enterprises out, with ids that stay and a golden record each.

A version is a folder of the lake, written aside and renamed, committed by its row in the store. Ids are `E` and 10 digits, kept as those of
residents are (identity.py). Linked by the rule set `enterprises` of matching.yaml.

crosswalk    dataset, record, enterprise_id                 each accepted record and its enterprise
enterprises  enterprise_id and one column per element       the golden records
values       enterprise_id, element, value, of_record, sources, rivals    who backs each golden value: whether the source of record says it,
                                                            how many data sets say it, and how many other values there are
evidence     enterprise_id, dataset_a, record_a, dataset_b, record_b, bits, bridge and a level per comparison
identities   enterprise_id, status, superseded_by
history      dataset, record, enterprise_id, content, since     also of records that are no longer in any source; the last two are empty
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import sqlalchemy as sa

from catalog.lake import Lake
from catalog.schema import EnterpriseVersionRow
from catalog.snapshots import newest_accepted, sweep
from catalog.store import Store
from golden.engine import MEMORY_LIMIT, count, identifier, open_engine, quoted
from golden.enterprise_rows import read_enterprises
from golden.identity import IdentityChanges, keep_identities, recall
from golden.records import rows_of
from golden.sources import RecordSource, enterprise_sources, is_of_record
from golden.tables import link_table
from rules.elements import enterprise_elements
from rules.errors import Refused
from rules.matching import MatchingRules, load_matching
from rules.version import rules_version

ENTERPRISES = "enterprises"
ENTERPRISE_ID = "enterprise_id"


@dataclass(frozen=True, kw_only=True)
class EnterpriseOutcome:
    """What a reconciliation of enterprises did. `unchanged`: the inputs were those of `version`, and nothing was made."""

    version: int
    enterprises: int
    records: int
    new: int
    merged: int
    split: int
    unchanged: bool
    warnings: tuple[str, ...]


def reconcile_enterprises(
    store: Store,
    lake: Lake,
    *,
    full: bool,
    now: datetime,
    told: Callable[[str], None] = lambda step: None,
    memory_limit: str = MEMORY_LIMIT,
) -> EnterpriseOutcome:
    """Resolve the newest accepted snapshots about enterprises. Without `full`, inputs and rules like those of the newest version make none.

    Raises Refused REC-NO-ENTERPRISES where no accepted snapshot is about enterprises.
    """
    with lake.lock(ENTERPRISES):
        with store.session() as session:
            sources = enterprise_sources(newest_accepted(session, lake))
        if not sources:
            raise Refused("REC-NO-ENTERPRISES")
        last, digest = newest_enterprises(store), _digest(sources)
        if last is not None and last.inputs_digest == digest and not full:
            return _outcome(last, unchanged=True)
        sweep(store, lake)
        version = 1 if last is None else last.version + 1
        _drop_unnamed(lake, version)
        previous = None if last is None else enterprise_folder(lake, last.version)
        with open_engine(lake.root / ENTERPRISES / "spill", memory_limit=memory_limit) as con:
            changes, warnings = resolve_enterprises(con, sources, load_matching(ENTERPRISES), previous, told)
            told("files")
            _write(con, lake, version, list(load_matching(ENTERPRISES).comparisons))
            records = count(con, "records")
        return _outcome(_commit(store, version, digest, changes, records, warnings, now), unchanged=False)


def newest_enterprises(store: Store) -> EnterpriseVersionRow | None:
    """The version that stands."""
    with store.session() as session:
        return session.scalar(sa.select(EnterpriseVersionRow).order_by(EnterpriseVersionRow.version.desc()).limit(1))


def enterprise_folder(lake: Lake, version: int) -> Path:
    """Where the files of a version stand or will stand."""
    return lake.root / ENTERPRISES / f"v{version:06d}"


def resolve_enterprises(
    con: duckdb.DuckDBPyConnection,
    sources: Sequence[RecordSource],
    rules: MatchingRules,
    previous: Path | None,
    told: Callable[[str], None] = lambda step: None,
) -> tuple[IdentityChanges, tuple[str, ...]]:
    """All relations of a version, in one connection; what became of the ids, and what was cut short."""
    told("records")
    read_enterprises(con, sources, rules)
    told("pairs and clusters")
    link_table(con, "enterprise_rows", rules)
    con.execute("""
        CREATE OR REPLACE TABLE records AS
        SELECT rid, src, record, NULL::BIGINT AS content, NULL::VARCHAR AS since FROM enterprise_rows JOIN sources ON dataset = source""")
    told("identities")
    recall(con, previous, called=ENTERPRISE_ID)
    changes = keep_identities(con)
    told("values")
    choose_enterprise_values(con, sources)
    return changes, _warnings(con, rules)


def choose_enterprise_values(con: duckdb.DuckDBPyConnection, sources: Sequence[RecordSource]) -> None:
    """golden_enterprise_values(res, element, value, of_record, sources, rivals).

    The value of record stands (R-01); where there is none, what most data sets say, then what was received last; then by the value itself.
    """
    claims = [
        rows_of(source, _claim(source, element.key, column))
        for source in sources
        for element in enterprise_elements()
        for column in source.columns.get(element.key, ())
    ]
    con.execute(f"""
        CREATE OR REPLACE TABLE golden_enterprise_values AS
        SELECT res, element, value, of_record, said_by AS sources, count(*) OVER (PARTITION BY res, element) - 1 AS rivals FROM (
          SELECT res, element, value, bool_or(of_record) AS of_record, count(DISTINCT src) AS said_by, max(received_on) AS received_on
          FROM ({" UNION ALL ".join(claims)}) c JOIN records USING (rid) JOIN resident_of USING (rid) WHERE value <> ''
          GROUP BY res, element, value)
        QUALIFY row_number() OVER (PARTITION BY res, element ORDER BY of_record DESC, said_by DESC, received_on DESC, value) = 1""")


def _claim(source: RecordSource, element: str, column: str) -> str:
    said = {"element": f"'{element}'", "value": identifier(column), "of_record": str(is_of_record(source, element))}
    return ", ".join(["rid", *(f"{sql} AS {name}" for name, sql in {**said, "received_on": f"'{source.received_on}'"}.items())])


def _digest(sources: Sequence[RecordSource]) -> str:
    said = [
        [s.dataset, s.version, s.department, sorted(s.source_of_record), sorted((e, list(c)) for e, c in s.columns.items())]
        for s in sources
    ]
    return hashlib.sha256(json.dumps([rules_version(), said], ensure_ascii=False).encode()).hexdigest()


def _drop_unnamed(lake: Lake, version: int) -> None:
    """What a killed run left: folders from `version` on, which no row names."""
    for folder in (lake.root / ENTERPRISES).glob("v[0-9]*"):
        if folder.suffix == "" and int(folder.name[1:]) >= version:
            shutil.rmtree(folder)


def _write(con: duckdb.DuckDBPyConnection, lake: Lake, version: int, levels: Sequence[str]) -> None:
    with lake.aside(enterprise_folder(lake, version)) as aside:
        aside.mkdir()
        for name, sql in _queries(levels).items():
            con.execute(f"COPY ({sql}) TO '{quoted(str(aside / f'{name}.parquet'))}' (FORMAT parquet, COMPRESSION zstd)")


def _queries(levels: Sequence[str]) -> Mapping[str, str]:
    who = f"{_id('res')} AS {ENTERPRISE_ID}"
    columns = ", ".join(
        f"any_value(value) FILTER (WHERE element = '{element.key}') AS {identifier(element.key)}" for element in enterprise_elements()
    )
    ends = "JOIN records {0} ON {0}.rid = e.{0} JOIN sources s{0} ON s{0}.src = {0}.src"
    return {
        "crosswalk": f"SELECT dataset, record, {who} FROM resident_of JOIN records USING (rid) JOIN sources USING (src) ORDER BY ALL",
        "enterprises": f"""SELECT {_id("r.res")} AS {ENTERPRISE_ID}, {columns} FROM (SELECT DISTINCT res FROM resident_of) r
                           LEFT JOIN golden_enterprise_values USING (res) GROUP BY r.res ORDER BY r.res""",
        "values": f"SELECT {who}, element, value, of_record, sources, rivals FROM golden_enterprise_values ORDER BY res, element",
        "evidence": f"""SELECT {_id("r.res")} AS {ENTERPRISE_ID}, sa.dataset AS dataset_a, a.record AS record_a, sb.dataset AS dataset_b,
                        b.record AS record_b, bits / 100 AS bits, bridge, {", ".join(f'e."{level}"' for level in levels)}
                        FROM evidence e {ends.format("a")} {ends.format("b")} JOIN resident_of r ON r.rid = e.a ORDER BY r.res, e.a, e.b""",
        "identities": f"SELECT {who}, status, {_id('superseded_by')} AS superseded_by FROM identities ORDER BY res",
        "history": f"SELECT dataset, record, {who}, content, since FROM history ORDER BY dataset, record",
    }


def _id(res: str) -> str:
    """SQL: the id of an enterprise as people see it."""
    return f"'E' || lpad({res}::VARCHAR, 10, '0')"


def _commit(
    store: Store, version: int, digest: str, changes: IdentityChanges, records: int, warnings: tuple[str, ...], now: datetime
) -> EnterpriseVersionRow:
    row = EnterpriseVersionRow(
        version=version,
        inputs_digest=digest,
        rules_version=rules_version(),
        enterprises=changes.residents,
        records=records,
        counts={"new": changes.new, "merged": changes.merged, "split": changes.split, "warnings": list(warnings)},
        created_at=now,
    )
    with store.session() as session, session.begin():
        session.add(row)
    return row


def _warnings(con: duckdb.DuckDBPyConnection, rules: MatchingRules) -> tuple[str, ...]:
    capped = con.execute("SELECT key, blocks, units FROM blocks_capped ORDER BY key").fetchall()
    large = con.execute("SELECT count(*), max(units) FROM components_large").fetchall()[0]
    return (
        *(f"阻塞键过大 blocks over {rules.block_cap} left out under [{key}]: {n} ({units} units)" for key, n, units in capped),
        *(
            (f"过大的连通分量只按候选对聚类 large components, by proposed pairs only: {large[0]}, largest {large[1]} units",)
            if large[0]
            else ()
        ),
    )


def _outcome(row: EnterpriseVersionRow, *, unchanged: bool) -> EnterpriseOutcome:
    return EnterpriseOutcome(
        version=row.version,
        enterprises=row.enterprises,
        records=row.records,
        new=0 if unchanged else row.counts["new"],
        merged=0 if unchanged else row.counts["merged"],
        split=0 if unchanged else row.counts["split"],
        unchanged=unchanged,
        warnings=tuple(row.counts["warnings"]),
    )
