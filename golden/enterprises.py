"""Enterprises (企业) as residents are: accepted snapshots in, enterprises out, with ids that stay and a golden record each.

A version is a folder of the lake, written aside and renamed, committed by its row in the store. Ids are `E` and 10 digits, kept as those of
residents are (identity.py). Linked by the rule set `enterprises` of matching.yaml.

crosswalk    dataset, record, enterprise_id                 each accepted record and its enterprise
enterprises  enterprise_id and one column per element       the golden records
values       enterprise_id, element, value, dataset, record, observed_on, received_on, rule, confidence, sources, status, value_of_record
rivals       enterprise_id, element, value, dataset, record, observed_on     every value that was not chosen, with who says it
evidence     enterprise_id, dataset_a, record_a, dataset_b, record_b, bits, bridge and a level per comparison
identities   enterprise_id, status, superseded_by
history      dataset, record, enterprise_id, content, since     also of records that are no longer in any source: what they said, since when
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
from golden.enterprise_rows import list_spellings, read_enterprises
from golden.identity import IdentityChanges, keep_identities, recall
from golden.records import list_records, stamped_at_upload
from golden.sources import RecordSource, enterprise_sources
from golden.survivorship import choose_of_enterprises
from golden.tables import link_table
from rules.authority import SurvivorshipRules, load_survivorship
from rules.elements import enterprise_elements
from rules.errors import Refused
from rules.matching import MatchingRules, load_matching
from rules.version import rules_version

ENTERPRISES = "enterprises"
ENTERPRISE_ID = "enterprise_id"
ENTERPRISE_LETTER = "E"
"""Of which an enterprise's id begins."""


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
            changes, warnings = resolve_enterprises(con, sources, load_matching(ENTERPRISES), load_survivorship(), previous, told)
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
    matching: MatchingRules,
    survivorship: SurvivorshipRules,
    previous: Path | None,
    told: Callable[[str], None] = lambda step: None,
) -> tuple[IdentityChanges, tuple[str, ...]]:
    """All relations of a version, in one connection; what became of the ids, and what was cut short."""
    told("records")
    read_enterprises(con, sources, matching)
    told("pairs and clusters")
    link_table(con, "enterprise_rows", matching)
    told("identities")
    recall(con, previous, called=ENTERPRISE_ID)
    list_records(con, sources, matching, stamped_at_upload(con, sources))
    changes = keep_identities(con)
    told("values")
    list_spellings(con, sources)
    choose_of_enterprises(con, sources, survivorship)
    return changes, _warnings(con, matching)


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
        for name, sql in _queries(con, levels).items():
            con.execute(f"COPY ({sql}) TO '{quoted(str(aside / f'{name}.parquet'))}' (FORMAT parquet, COMPRESSION zstd)")


def _queries(con: duckdb.DuckDBPyConnection, levels: Sequence[str]) -> Mapping[str, str]:
    stated = {row[0] for row in con.execute("DESCRIBE golden_rows").fetchall()}
    who = f"{_id('res')} AS {ENTERPRISE_ID}"
    cells = [(e.key in stated, identifier(e.key)) for e in enterprise_elements()]
    columns = ", ".join(name if said else f"NULL::VARCHAR AS {name}" for said, name in cells)
    ends = "JOIN records {0} ON {0}.rid = e.{0} JOIN sources s{0} ON s{0}.src = {0}.src"
    return {
        "crosswalk": f"SELECT dataset, record, {who} FROM resident_of JOIN records USING (rid) JOIN sources USING (src) ORDER BY ALL",
        "enterprises": f"SELECT {who}, {columns} FROM golden_rows ORDER BY res",
        "values": f"""SELECT {who}, element, value, dataset, record, observed_on, received_on, rule, confidence, sources, status,
                      value_of_record FROM golden_values ORDER BY res, element""",
        "rivals": f"SELECT {who}, element, value, dataset, record, observed_on FROM rivals ORDER BY res, element, value, dataset, record",
        "evidence": f"""SELECT {_id("r.res")} AS {ENTERPRISE_ID}, sa.dataset AS dataset_a, a.record AS record_a, sb.dataset AS dataset_b,
                        b.record AS record_b, bits / 100 AS bits, bridge, {", ".join(f'e."{level}"' for level in levels)}
                        FROM evidence e {ends.format("a")} {ends.format("b")} JOIN resident_of r ON r.rid = e.a ORDER BY r.res, e.a, e.b""",
        "identities": f"SELECT {who}, status, {_id('superseded_by')} AS superseded_by FROM identities ORDER BY res",
        "history": f"SELECT dataset, record, {who}, content, since FROM history ORDER BY dataset, record",
    }


def _id(res: str) -> str:
    """SQL: the id of an enterprise as people see it."""
    return f"'{ENTERPRISE_LETTER}' || lpad({res}::VARCHAR, 10, '0')"


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
