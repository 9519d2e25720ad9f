"""Replay (重现): what an answer gave, made once more from that day's files, grant, masks, key and day; compared by digest.

What a record holds of its answer is all that is taken for given: which version of which target, under which grant, which column by which
mask. The terms of a grant never change, and versions and snapshots are immutable, so the same rows come out, unless a file is gone.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.epochs import FIRST, MASTER_KEY, Epoch, key_of
from access.grants import load_grant
from access.labels import labelled_columns, with_labels
from access.populations import Population
from access.reading import MaskTerms, base_batches, counted, crosswalk_batches, golden_batches, marked_batches, masked_batches, row_order
from access.targets import Target, target_of_version
from access.terms import Disputed, Grant
from audit.errors import LogBroken, RecordDestroyed
from audit.keys import read_private
from audit.log import Entry, Log
from catalog.lake import Lake
from catalog.schema import PseudonymEpochRow
from catalog.snapshots import CHINA
from masking.fingerprints import NO_MARKING, Marking, marking, marks_of
from masking.methods import Mask
from masking.plan import ColumnPlan
from rules.errors import NotFound, Refused
from rules.tiers import TierPolicy

EXTRACT, GOLDEN, CROSSWALK = "extract", "golden", "crosswalk"
REPLAYED = frozenset({EXTRACT, GOLDEN, CROSSWALK})
MASK = re.compile(r"(?P<method>[a-z_]+)(?:\((?P<first>\d+)\+(?P<last>\d+)\))?")

Batches = Iterator[pa.RecordBatch]


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """An answer as its INTENT and RESULT tell of it."""

    seq: int
    kind: str
    at: datetime
    asked: Mapping[str, Any]
    told: Mapping[str, Any]

    @property
    def day(self) -> date:
        return self.at.astimezone(CHINA).date()

    @property
    def format(self) -> str:
        return str(self.told["format"])


@dataclass(frozen=True, kw_only=True)
class Replay:
    """How to make it again: the columns that come out, and the batches of a connection, counting their residents."""

    names: tuple[str, ...]
    batches: Callable[[duckdb.DuckDBPyConnection, Population], Batches]


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What came out, beside what the record says. `same`: byte for byte; `doubts`: why it may not be where it is not."""

    replayed: int
    same: bool
    digest: str
    recorded_digest: str
    rows: int
    recorded_rows: int
    residents: int
    recorded_residents: int
    doubts: tuple[str, ...]


def recorded_answer(log: Log, seq: int) -> Recorded:
    """The answer whose RESULT stands at an index. NotFound OVS-RECORD; Refused DOOR-NO-REPLAY for a kind that is not replayed."""
    try:
        result = log.entry(seq) if seq < log.size() else None
        intent = log.entry(int(result.record.body["intent"])) if result and result.record.event.action == "result" else None
    except (RecordDestroyed, LogBroken) as gone:
        raise NotFound("OVS-RECORD", where=str(seq)) from gone
    if result is None or intent is None:
        raise NotFound("OVS-RECORD", where=str(seq))
    return _recorded(result, intent)


def replay_of(session: Session, lake: Lake, keys: Path, policy: TierPolicy, recorded: Recorded) -> Replay:
    """Refused DOOR-NO-REPLAY where what it was made from is no longer there."""
    target = _target(session, lake, recorded)
    columns = recorded.told["columns"]
    plan = {told["column"]: ColumnPlan(mask=_mask(told["mask"]), minor_mask=_mask(told["minor_mask"])) for told in columns}
    if recorded.kind == EXTRACT:
        return _extract(session, keys, policy, recorded, target, plan)
    if recorded.kind == CROSSWALK:
        folder = target.persons
        assert folder is not None, "the golden target knows its folder"
        return Replay(names=tuple(plan), batches=lambda con, residents: counted(crosswalk_batches(con, folder), residents))
    return _golden(recorded, target, list(plan))


def doubts_of(recorded: Recorded, policy: TierPolicy, rules: str) -> tuple[str, ...]:
    """What was otherwise then, so that the bytes may differ without anybody having changed anything."""
    checks = {
        "分级政策的版本已变 the tier policy has another version now": recorded.asked.get("policy_version") != policy.version,
        "规则的版本已变 the rules have another version now": recorded.asked.get("rules_version") != rules,
        "XLSX 文件含写入时间 an XLSX file holds the time of its writing": recorded.format == "xlsx",
    }
    return tuple(doubt for doubt, holds in checks.items() if holds)


def _recorded(result: Entry, intent: Entry) -> Recorded:
    kind = result.record.event.object
    if kind not in REPLAYED or "format" not in result.record.body:
        raise Refused("DOOR-NO-REPLAY", where=str(result.seq), what=f"{kind}: {', '.join(sorted(REPLAYED))}")
    return Recorded(seq=result.seq, kind=kind, at=intent.record.at, asked=intent.record.body, told=result.record.body)


def _target(session: Session, lake: Lake, recorded: Recorded) -> Target:
    key, version = str(recorded.asked["target"]), int(recorded.asked["target_version"])
    try:
        return target_of_version(session, lake, key, version, recorded.at, recorded.asked.get("golden_version"))
    except NotFound as gone:
        raise Refused("DOOR-NO-REPLAY", where=str(recorded.seq), what=f"{key} v{version}") from gone


def _extract(
    session: Session, keys: Path, policy: TierPolicy, recorded: Recorded, target: Target, plan: Mapping[str, ColumnPlan]
) -> Replay:
    grant = load_grant(session, int(recorded.asked["grant"]))
    if grant is None:
        raise Refused("DOOR-NO-REPLAY", where=str(recorded.seq), what="授权已不在 the grant is gone")
    if grant.row_scope.clients is not None:
        raise Refused("DOOR-NO-REPLAY", where=str(recorded.seq), what="按服务对象清单限定 its rows are those of a list of clients")
    key = key_of(keys, grant.grantee, _epoch_at(session, grant, recorded.at))
    disputed = grant.disputed if target.holds_residents else Disputed.KEEP
    terms = MaskTerms(plan=plan, policy=policy, key=key, today=recorded.day, disputed=disputed)

    marks = _marking(keys, grant, target, plan, policy, recorded.told.get("fingerprint"))

    def batches(con: duckdb.DuckDBPyConnection, residents: Population) -> Batches:
        base = base_batches(con, target, list(plan), grant.row_scope, row_order(grant, target, plan, key))
        return marked_batches(masked_batches(base, grant.row_scope, terms, residents), marks)

    return Replay(names=tuple(terms.names), batches=batches)


def _marking(
    keys: Path, grant: Grant, target: Target, plan: Mapping[str, ColumnPlan], policy: TierPolicy, fingerprint: str | None
) -> Marking:
    """The fingerprint of the copy, as its record names it."""
    if fingerprint is None:
        return NO_MARKING
    kinds = {name: target.columns[name].facts.kind for name in plan if name in target.columns}
    marks = marks_of(plan, kinds, policy.fingerprints)
    return marking(read_private(keys / MASTER_KEY), grant.grantee, fingerprint, marks)


def _golden(recorded: Recorded, target: Target, columns: list[str]) -> Replay:
    labels = bool(recorded.asked.get("labels"))

    def batches(con: duckdb.DuckDBPyConnection, residents: Population) -> Batches:
        plain = counted(golden_batches(con, target, columns), residents)
        return with_labels(plain, columns) if labels else plain

    return Replay(names=tuple(labelled_columns(columns) if labels else columns), batches=batches)


def _epoch_at(session: Session, grant: Grant, at: datetime) -> Epoch:
    row = PseudonymEpochRow
    begun = sa.select(row.epoch, row.digest).where(row.department_key == grant.grantee, row.begun_at <= at).order_by(row.epoch.desc())
    found = session.execute(begun.limit(1)).first()
    return Epoch(number=found[0], digest=found[1]) if found else FIRST


def _mask(text: str) -> Mask:
    told = MASK.fullmatch(text)
    assert told is not None, "a record names masks as they name themselves"
    return Mask(method=told["method"], first=int(told["first"] or 0), last=int(told["last"] or 0))
