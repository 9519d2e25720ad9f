"""Replay (重现): what an answer gave, made once more from that day's files, grant, masks, key and day; compared by digest.

What a record holds of its answer is all that is taken for given: which version of which target, under which grant, which column by which
mask. The terms of a grant never change, and versions and snapshots are immutable, so the same rows come out, unless a file is gone.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.clients import Listed, read_clients
from access.epochs import FIRST, MASTER_KEY, Epoch, key_of
from access.files import write
from access.grants import load_grant
from access.labels import labelled_columns, with_labels
from access.look_up import Reach
from access.look_up_again import made_again
from access.populations import Population
from access.reading import MaskTerms, base_batches, counted, crosswalk_batches, golden_batches, marked_batches, masked_batches, row_order
from access.targets import Target, target_of_version
from access.terms import Disputed, Grant, RowScope
from audit.errors import LogBroken, RecordDestroyed
from audit.keys import read_private
from audit.log import Entry, Log
from catalog.home import Home
from catalog.lake import Lake
from catalog.schema import PseudonymEpochRow
from catalog.snapshots import CHINA
from masking.fingerprints import NO_MARKING, Marking, marking, marks_of
from masking.methods import Mask
from masking.plan import ColumnPlan
from rules.errors import NotFound, Refused
from rules.tiers import TierPolicy

EXTRACT, GOLDEN, CROSSWALK, LOOK_UP = "extract", "golden", "crosswalk", "look_up"
REPLAYED = frozenset({EXTRACT, GOLDEN, CROSSWALK, LOOK_UP})
JSON = "json"
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
        return JSON if self.kind == LOOK_UP else str(self.told["format"])


Again = Callable[[duckdb.DuckDBPyConnection, Population, Path], int]
"""Writes an answer to a file once more, counting its residents; how many rows it has."""


@dataclass(frozen=True, kw_only=True)
class Archive:
    """What replays are made from beside the store: files of versions and lists, keys, the log that hides persons, the policy."""

    home: Home
    log: Log
    policy: TierPolicy

    @property
    def lake(self) -> Lake:
        return Lake(self.home.lake_root)

    def listed(self, scope: RowScope) -> Listed | None:
        """A list of clients never changes: its name is its digest."""
        return read_clients(self.home.clients, scope.clients, self.log) if scope.clients else None


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


def replay_of(session: Session, archive: Archive, recorded: Recorded) -> Again:
    """How to make it again. Refused DOOR-NO-REPLAY where what it was made from is no longer there."""
    target = _target(session, archive.lake, recorded)
    columns = recorded.told["columns"]
    plan = {told["column"]: ColumnPlan(mask=_mask(told["mask"]), minor_mask=_mask(told["minor_mask"])) for told in columns}
    if recorded.kind in MADE_UNDER_GRANTS:
        grant = _grant(session, recorded)
        key = key_of(archive.home.keys, grant.grantee, _epoch_of(session, grant, recorded))
        disputed = grant.disputed if target.holds_residents else Disputed.KEEP
        terms = MaskTerms(plan=plan, policy=archive.policy, key=key, today=recorded.day, disputed=disputed)
        return MADE_UNDER_GRANTS[recorded.kind](archive, recorded, grant, target, terms)
    if recorded.kind == CROSSWALK:
        folder = target.persons
        assert folder is not None, "the golden target knows its folder"
        return _written(tuple(plan), recorded, lambda con, residents: counted(crosswalk_batches(con, folder), residents))
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
    if kind not in REPLAYED or (kind != LOOK_UP and "format" not in result.record.body):
        raise Refused("DOOR-NO-REPLAY", where=str(result.seq), what=f"{kind}: {', '.join(sorted(REPLAYED))}")
    return Recorded(seq=result.seq, kind=kind, at=intent.record.at, asked=intent.record.body, told=result.record.body)


def _target(session: Session, lake: Lake, recorded: Recorded) -> Target:
    key, version = str(recorded.asked["target"]), int(recorded.asked["target_version"])
    try:
        return target_of_version(session, lake, key, version, recorded.at, recorded.asked.get("golden_version"))
    except NotFound as gone:
        raise Refused("DOOR-NO-REPLAY", where=str(recorded.seq), what=f"{key} v{version}") from gone


def _grant(session: Session, recorded: Recorded) -> Grant:
    grant = load_grant(session, int(recorded.asked["grant"]))
    if grant is None:
        raise Refused("DOOR-NO-REPLAY", where=str(recorded.seq), what="授权已不在 the grant is gone")
    return grant


def _extract(archive: Archive, recorded: Recorded, grant: Grant, target: Target, terms: MaskTerms) -> Again:
    marks = _marking(archive, grant, target, terms.plan, recorded.told.get("fingerprint"))

    def batches(con: duckdb.DuckDBPyConnection, residents: Population) -> Batches:
        order = row_order(grant, target, terms.plan, terms.key)
        base = base_batches(con, target, list(terms.plan), grant.row_scope, order, archive.listed(grant.row_scope))
        return marked_batches(masked_batches(base, grant.row_scope, terms, residents), marks)

    return _written(tuple(terms.names), recorded, batches)


def _looked_up(archive: Archive, recorded: Recorded, grant: Grant, target: Target, terms: MaskTerms) -> Again:
    listed = archive.listed(grant.row_scope)
    clients = frozenset(listed.hashes.to_pylist()) if listed else None
    reach = Reach(areas=grant.row_scope.areas, clients=clients, hashed=archive.log.subject)

    def write_again(con: duckdb.DuckDBPyConnection, residents: Population, staged: Path) -> int:
        told = made_again(con, recorded.told, grant, target, terms, reach)
        residents.add(pa.array(told.residents, pa.string()))
        staged.write_bytes(told.body)
        return told.rows

    return write_again


def _written(names: Sequence[str], recorded: Recorded, batches: Callable[[duckdb.DuckDBPyConnection, Population], Batches]) -> Again:
    return lambda con, residents, staged: write(staged, list(names), batches(con, residents), recorded.format)


def _marking(archive: Archive, grant: Grant, target: Target, plan: Mapping[str, ColumnPlan], fingerprint: str | None) -> Marking:
    """The fingerprint of the copy, as its record names it."""
    if fingerprint is None:
        return NO_MARKING
    kinds = {name: target.columns[name].facts.kind for name in plan if name in target.columns}
    marks = marks_of(plan, kinds, archive.policy.fingerprints)
    return marking(read_private(archive.home.keys / MASTER_KEY), grant.grantee, fingerprint, marks)


def _golden(recorded: Recorded, target: Target, columns: list[str]) -> Again:
    labels = bool(recorded.asked.get("labels"))

    def batches(con: duckdb.DuckDBPyConnection, residents: Population) -> Batches:
        plain = counted(golden_batches(con, target, columns), residents)
        return with_labels(plain, columns) if labels else plain

    return _written(labelled_columns(columns) if labels else columns, recorded, batches)


MADE_UNDER_GRANTS: Mapping[str, Callable[[Archive, Recorded, Grant, Target, MaskTerms], Again]] = {
    EXTRACT: _extract,
    LOOK_UP: _looked_up,
}


def _epoch_of(session: Session, grant: Grant, recorded: Recorded) -> Epoch:
    """As the record names it; records of an earlier platform do not, and then it is the one that had begun."""
    if "epoch" in recorded.asked:
        return Epoch(number=int(recorded.asked["epoch"]), digest=str(recorded.asked["digest_of_pseudonyms"]))
    row, at = PseudonymEpochRow, recorded.at
    begun = sa.select(row.epoch, row.digest).where(row.department_key == grant.grantee, row.begun_at <= at).order_by(row.epoch.desc())
    found = session.execute(begun.limit(1)).first()
    return Epoch(number=found[0], digest=found[1]) if found else FIRST


def _mask(text: str) -> Mask:
    told = MASK.fullmatch(text)
    assert told is not None, "a record names masks as they name themselves"
    return Mask(method=told["method"], first=int(told["first"] or 0), last=int(told["last"] or 0))
