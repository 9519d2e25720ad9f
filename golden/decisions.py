"""Stewards' decisions (裁定) as reconciliation sees them: merge, apart, pin, each on records, with who, why, when and until when.

A decision is bound to records, not to resident ids: those may change. All records of one side of a merge are one person with all of the
other side's; no record of one side of an apart is of one person with any of the other side's; a pin is of the resident that has its
records. Records that have gone still hold the others of their side together, so a decision outlives a new snapshot.

Relations made here
  steward_decisions(decision, kind, decided_on, element, value, overruled, until)   those that stand
  decision_anchors(decision, side, rid)                        the records on which they hold
  decided_records(decision, record_a, record_b, together)      rids; an incremental run takes both, or neither
  decided_pairs(a, b, together)                                the same of units
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

import duckdb
import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.schema import DecisionAnchorRow, StewardDecisionRow
from catalog.snapshots import CHINA
from golden.engine import arrow, keep
from golden.exact_groups import component_labels, count_units
from golden.records import rid_in


class Kind(StrEnum):
    """What a steward decides."""

    MERGE = "merge"
    APART = "apart"
    PIN = "pin"


class State(StrEnum):
    """How a decision stands: an expired pin is the machine's again; a revoked decision never comes back."""

    STANDING = "standing"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, kw_only=True, order=True)
class Anchor:
    """A record by data set and key there."""

    dataset: str
    record: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class StewardDecision:
    """One decision with its records. `side_b` is empty for a pin; `residents` are those that were shown when it was decided."""

    id: int
    kind: Kind
    residents: tuple[str, ...]
    side_a: tuple[Anchor, ...] = field(repr=False)
    side_b: tuple[Anchor, ...] = field(repr=False)
    element: str | None
    value: str | None = field(repr=False)
    overruled: tuple[str, ...] = field(repr=False)
    reason: str
    until: date | None
    golden_version: int
    decided_by: str
    decided_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None
    revoke_reason: str | None

    def state(self, now: datetime) -> State:
        if self.revoked_at is not None and self.revoked_at <= now:
            return State.REVOKED
        past = self.until is not None and day_of(now) > self.until
        return State.EXPIRED if past and self.kind is Kind.PIN else State.STANDING

    def review_due(self, now: datetime) -> bool:
        """A standing merge or apart whose day of review has come."""
        return self.kind is not Kind.PIN and self.state(now) is State.STANDING and self.until is not None and day_of(now) > self.until


def day_of(now: datetime) -> date:
    """The bureau's calendar day."""
    return now.astimezone(CHINA).date()


def load_decisions(session: Session, ids: Collection[int] | None = None) -> list[StewardDecision]:
    """Decisions in the order in which they were made; all when no ids are given."""
    wanted = sa.true() if ids is None else StewardDecisionRow.id.in_(sorted(ids))
    rows = session.scalars(sa.select(StewardDecisionRow).where(wanted).order_by(StewardDecisionRow.id)).all()
    anchors: dict[tuple[int, str], list[Anchor]] = {}
    of_these = DecisionAnchorRow.decision_id.in_([row.id for row in rows]) if ids is not None else sa.true()
    for anchor in session.scalars(sa.select(DecisionAnchorRow).where(of_these)):
        anchors.setdefault((anchor.decision_id, anchor.side), []).append(Anchor(dataset=anchor.dataset_key, record=anchor.record))
    return [_decision(row, anchors) for row in rows]


@dataclass(frozen=True, kw_only=True)
class DecisionsAtHand:
    """What a reconciliation takes from the stewards: the decisions that stand, those that ended, and those revoked since the version
    before.
    """

    standing: tuple[StewardDecision, ...] = ()
    ended: tuple[StewardDecision, ...] = ()
    revoked: tuple[StewardDecision, ...] = ()

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(decision.id for decision in self.standing)

    def moved_since(self, before: Collection[int]) -> tuple[StewardDecision, ...]:
        """Decisions that stand now and did not when those of the ids `before` stood, or the other way round."""
        return (*(d for d in self.standing if d.id not in before), *(d for d in self.ended if d.id in before))


def decisions_at(session: Session, now: datetime, last: datetime | None = None) -> DecisionsAtHand:
    """The decisions at a time. `last`: when the version before was made."""
    known = load_decisions(session)
    ended = tuple(decision for decision in known if decision.state(now) is not State.STANDING)
    return DecisionsAtHand(
        standing=tuple(decision for decision in known if decision.state(now) is State.STANDING),
        ended=ended,
        revoked=tuple(d for d in ended if last is not None and d.revoked_at is not None and d.revoked_at > last),
    )


def _decision(row: StewardDecisionRow, anchors: Mapping[tuple[int, str], Sequence[Anchor]]) -> StewardDecision:
    return StewardDecision(
        id=row.id,
        kind=Kind(row.kind),
        residents=tuple(filter(None, (row.resident_a, row.resident_b))),
        side_a=tuple(sorted(anchors.get((row.id, "a"), ()))),
        side_b=tuple(sorted(anchors.get((row.id, "b"), ()))),
        element=row.element,
        value=row.value,
        overruled=tuple(row.overruled),
        reason=row.reason,
        until=row.until,
        golden_version=row.golden_version,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        revoked_by=row.revoked_by,
        revoked_at=row.revoked_at,
        revoke_reason=row.revoke_reason,
    )


def list_decisions(con: duckdb.DuckDBPyConnection, decisions: Sequence[StewardDecision]) -> None:
    """Make the relations of records from decisions that stand; none make them empty."""
    keep(con, "steward_decisions", _decision_rows(decisions))
    keep(con, "anchors_by_key", _anchor_rows(decisions))
    con.execute(
        f"CREATE OR REPLACE TABLE decision_anchors AS SELECT decision, side, {rid_in('dataset', 'record')} AS rid FROM anchors_by_key"
    )
    con.execute("""
        CREATE OR REPLACE TABLE decided_records AS
        SELECT decision, a.rid AS record_a, b.rid AS record_b, false AS together
        FROM steward_decisions JOIN decision_anchors a USING (decision) JOIN decision_anchors b USING (decision)
        WHERE kind = 'apart' AND a.side = 'a' AND b.side = 'b'
        UNION ALL
        SELECT decision, first, rid, true
        FROM (SELECT decision, rid, min(rid) OVER (PARTITION BY decision) AS first FROM steward_decisions JOIN decision_anchors
              USING (decision) WHERE kind = 'merge') WHERE rid <> first""")


def _decision_rows(decisions: Sequence[StewardDecision]) -> pa.Table:
    return pa.table(
        {
            "decision": pa.array([d.id for d in decisions], pa.int64()),
            "kind": pa.array([d.kind.value for d in decisions], pa.string()),
            "decided_on": pa.array([day_of(d.decided_at).isoformat() for d in decisions], pa.string()),
            "element": pa.array([d.element for d in decisions], pa.string()),
            "value": pa.array([d.value for d in decisions], pa.string()),
            "overruled": pa.array([d.overruled for d in decisions], pa.list_(pa.string())),
            "until": pa.array([d.until.isoformat() if d.until else None for d in decisions], pa.string()),
        }
    )


def _anchor_rows(decisions: Sequence[StewardDecision]) -> pa.Table:
    rows = [(d.id, side, anchor) for d in decisions for side, anchors in (("a", d.side_a), ("b", d.side_b)) for anchor in anchors]
    return pa.table(
        {
            "decision": pa.array([decision for decision, *_ in rows], pa.int64()),
            "side": pa.array([side for _, side, _ in rows], pa.string()),
            "dataset": pa.array([anchor.dataset for *_, anchor in rows], pa.string()),
            "record": pa.array([anchor.record for *_, anchor in rows], pa.string()),
        }
    )


def list_moved(con: duckdb.DuckDBPyConnection, moved: Sequence[StewardDecision]) -> str:
    """moved_records(rid): the records of decisions that came or ended, which an incremental run looks at as if they had changed."""
    keep(con, "moved_by_key", _anchor_rows(moved))
    con.execute(f"CREATE OR REPLACE TEMP TABLE moved_records AS SELECT DISTINCT {rid_in('dataset', 'record')} AS rid FROM moved_by_key")
    return "moved_records"


def decide_units(con: duckdb.DuckDBPyConnection) -> str:
    """Make `decided_pairs` from `decided_records` and `unit_of`, after units were made and before pairs are proposed.

    Records that a steward keeps apart leave their common unit first: `unit_of`, `units` and `number_conflicts` are changed.
    """
    _divide_units(con)
    con.execute("""
        CREATE OR REPLACE TABLE decided_pairs AS
        SELECT DISTINCT least(x.unit, y.unit) AS a, greatest(x.unit, y.unit) AS b, false AS together
        FROM decided_records JOIN unit_of x ON x.rid = record_a JOIN unit_of y ON y.rid = record_b WHERE NOT together""")
    _join_present(con)
    return "decided_pairs"


def _divide_units(con: duckdb.DuckDBPyConnection) -> None:
    """The records of side b leave; those that leave by the same decisions stay together, and all others stay where they were."""
    con.execute("""
        CREATE OR REPLACE TEMP TABLE leaving AS
        SELECT y.rid, y.unit, list_sort(list(DISTINCT decision)) AS decisions
        FROM decided_records JOIN unit_of x ON x.rid = record_a JOIN unit_of y ON y.rid = record_b
        WHERE NOT together AND x.unit = y.unit GROUP BY ALL""")
    if not con.execute("SELECT count(*) FROM leaving").fetchall()[0][0]:
        return
    con.execute("""
        CREATE OR REPLACE TABLE unit_of AS
        SELECT rid, min(rid) OVER (PARTITION BY u.unit, decisions) AS unit, own_number FROM unit_of u LEFT JOIN leaving USING (rid)""")
    count_units(con)


def _join_present(con: duckdb.DuckDBPyConnection) -> None:
    """Pairs of units that merges hold together, also over records that have gone: each with the first unit of its component."""
    links = arrow(con, "SELECT record_a, record_b FROM decided_records WHERE together ORDER BY ALL")
    ends = [links.column(name).to_numpy() for name in ("record_a", "record_b")]
    rids, places = np.unique(np.concatenate(ends), return_inverse=True)
    nodes = pa.table({"a": places[: len(links)], "b": places[len(links) :]})
    keep(con, "merged_records", pa.table({"rid": pa.array(rids, pa.int64()), "component": component_labels(nodes, len(rids))}))
    con.execute("""
        INSERT INTO decided_pairs
        SELECT DISTINCT first, unit, true FROM (
          SELECT unit, min(unit) OVER (PARTITION BY component) AS first FROM merged_records JOIN unit_of USING (rid))
        WHERE unit <> first""")


def give_back(con: duckdb.DuckDBPyConnection, revoked: Sequence[StewardDecision]) -> None:
    """Where merges were revoked since the previous version, their records are again remembered under the ids that they had before.

    Changes what `golden.identity.recall` made; without it the part that comes off would get a new id although its own was never given away.
    """
    rows = [(resident, anchor) for d in revoked if d.kind is Kind.MERGE for resident, side in _sides(d) for anchor in side]
    former = {
        "res": pa.array([int(resident[1:]) for resident, _ in rows], pa.int64()),
        "dataset": pa.array([anchor.dataset for _, anchor in rows], pa.string()),
        "record": pa.array([anchor.record for _, anchor in rows], pa.string()),
    }
    keep(con, "former_residents", pa.table(former))
    con.execute(f"""
        CREATE OR REPLACE TEMP TABLE given_back AS
        SELECT {rid_in("dataset", "record")} AS rid, min(res) AS res FROM former_residents JOIN old_identities o USING (res)
        WHERE o.status = 'merged' GROUP BY rid""")
    con.execute("UPDATE old_history SET res = g.res FROM given_back g WHERE g.rid = old_history.rid")
    con.execute("UPDATE old_identities SET status = 'active', superseded_by = NULL WHERE res IN (SELECT res FROM given_back)")


def _sides(decision: StewardDecision) -> Sequence[tuple[str, tuple[Anchor, ...]]]:
    return tuple(zip(decision.residents, (decision.side_a, decision.side_b), strict=True))
