"""What stewards decide about residents (裁定): made and revoked here, each a record of the log first (law.md M-04).

Whoever decides names residents or records; kept are the records, so that the decision holds whatever becomes of the ids. Nothing is
deleted: to take a decision back is an act of its own.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import duckdb
import pyarrow as pa
from sqlalchemy.orm import Session

from access.accounts import Account, Role, load_account
from access.log_faults import log_faults_translated
from access.reasons import reason_faults
from access.targets import GoldenFiles, required_golden
from audit.events import Event
from audit.log import Log
from catalog.areas import address_book, county_codes
from catalog.lake import Lake
from catalog.schema import DecisionAnchorRow, StewardDecisionRow
from catalog.store import Store
from golden.decisions import Anchor, Kind, State, StewardDecision, day_of, decisions_at, load_decisions
from golden.versions import relation
from rules.elements import person_elements
from rules.errors import Denied, NotFound, Refused
from rules.standardise import standardise

ANCHORS_A_SIDE = 50
"""So many records of a resident carry a decision at most, taken from all data sets in turn."""

LONGEST_PIN_DAYS = 1_830
RESIDENT_PREFIX = "R"


@dataclass(frozen=True, kw_only=True)
class Side:
    """A resident, or one record of it: whom a decision is about. `residents` holds the resident id as it stands now."""

    resident: str
    anchors: tuple[Anchor, ...] = field(repr=False)


def merge(
    store: Store, lake: Lake, log: Log, *, by: str, a: str, b: str, reason: str, now: datetime, until: date | None = None
) -> StewardDecision:
    """Two residents, or two records, are one person. `a` and `b`: `R…`, or `dataset/record`."""
    with store.session() as session, session.begin():
        _check_terms(session, by, reason, until, now, Kind.MERGE)
        golden = required_golden(session, lake)
        side_a, side_b = find_side(golden, a), find_side(golden, b)
        if set(side_a.anchors) & set(side_b.anchors):
            raise Refused("DEC-SIDES", where=f"{a}, {b}")
        _check_against(session, now, Kind.MERGE, side_a, side_b)
        return _make(session, log, _row(golden, Kind.MERGE, by, reason, until, now, side_a, side_b), side_a, side_b)


def set_apart(
    store: Store, lake: Lake, log: Log, *, by: str, a: str, b: str, reason: str, now: datetime, until: date | None = None
) -> StewardDecision:
    """Two residents, or two records, are two people. A record named as `b` leaves the resident named as `a`."""
    with store.session() as session, session.begin():
        _check_terms(session, by, reason, until, now, Kind.APART)
        golden = required_golden(session, lake)
        side_a, side_b = find_side(golden, a), find_side(golden, b)
        side_a = replace(side_a, anchors=tuple(anchor for anchor in side_a.anchors if anchor not in side_b.anchors))
        if not side_a.anchors:
            raise Refused("DEC-SIDES", where=f"{a}, {b}")
        _check_against(session, now, Kind.APART, side_a, side_b)
        return _make(session, log, _row(golden, Kind.APART, by, reason, until, now, side_a, side_b), side_a, side_b)


def pin(
    store: Store, lake: Lake, log: Log, *, by: str, who: str, element: str, value: str, reason: str, now: datetime, until: date | None
) -> StewardDecision:
    """An element of a resident has this value until a day. Refused DEC-VALUE where the rules make no value of it."""
    with store.session() as session, session.begin():
        _check_terms(session, by, reason, until, now, Kind.PIN)
        canonical = canonical_value(session, element, value, day_of(now))
        golden = required_golden(session, lake)
        side = find_side(golden, who)
        row = _row(golden, Kind.PIN, by, reason, until, now, side, None)
        row.element, row.value = element, canonical
        row.overruled = [known for known in _known_values(golden, side.resident, element) if known != canonical]
        return _make(session, log, row, side, None)


def revoke(store: Store, log: Log, *, by: str, decision: int, reason: str, now: datetime) -> StewardDecision:
    """Take a decision back; the next reconciliation is as if it had not been made. Refused DEC-STATE if it was revoked before."""
    with store.session() as session, session.begin():
        _check_terms(session, by, reason, None, now, None)
        row = session.get(StewardDecisionRow, decision, populate_existing=True)
        if row is None:
            raise NotFound("DEC-NONE", where=str(decision))
        if row.revoked_at is not None:
            raise Refused("DEC-STATE", where=str(decision))
        row.revoked_by, row.revoked_at, row.revoke_reason = by, now, reason
        with log_faults_translated():
            log.append_sealed(Event.DECISION_REVOKED, {"actor": by, "decision": decision, "kind": row.kind, "why": reason})
        session.flush()
        return load_decisions(session, [decision])[0]


def find_side(golden: GoldenFiles, name: str) -> Side:
    """A resident with its records, or one record with its resident. NotFound REC-RESIDENT or DEC-RECORD."""
    dataset, slash, record = name.partition("/")
    with duckdb.connect() as con:
        if slash:
            return _side_of_record(con, golden, Anchor(dataset=dataset, record=record))
        return _side_of_resident(con, golden, name)


def _side_of_resident(con: duckdb.DuckDBPyConnection, golden: GoldenFiles, resident: str) -> Side:
    identities = relation(golden.folder, "identities")
    found = con.execute(
        f"SELECT coalesce(superseded_by, resident_id) FROM {identities} WHERE resident_id = $1 AND status <> 'gone'", [resident]
    ).fetchall()
    if not found:
        raise NotFound("REC-RESIDENT", where=resident if resident.startswith(RESIDENT_PREFIX) and resident[1:].isdigit() else "")
    stands = found[0][0]
    rows = con.execute(
        f"""SELECT dataset, record FROM {relation(golden.folder, "crosswalk")} WHERE resident_id = $1
            ORDER BY row_number() OVER (PARTITION BY dataset ORDER BY record), dataset LIMIT {ANCHORS_A_SIDE}""",
        [stands],
    ).fetchall()
    return Side(resident=stands, anchors=tuple(sorted(Anchor(dataset=dataset, record=record) for dataset, record in rows)))


def _side_of_record(con: duckdb.DuckDBPyConnection, golden: GoldenFiles, anchor: Anchor) -> Side:
    found = con.execute(
        f"SELECT resident_id FROM {relation(golden.folder, 'crosswalk')} WHERE dataset = $1 AND record = $2",
        [anchor.dataset, anchor.record],
    ).fetchall()
    if not found:
        raise NotFound("DEC-RECORD", where=anchor.dataset if anchor.dataset.isidentifier() else "")
    return Side(resident=found[0][0], anchors=(anchor,))


def _known_values(golden: GoldenFiles, resident: str, element: str) -> list[str]:
    files = " UNION ".join(
        f"SELECT value FROM {relation(golden.folder, name)} WHERE resident_id = $1 AND element = $2" for name in ("values", "rivals")
    )
    with duckdb.connect() as con:
        rows = con.execute(f"SELECT value FROM ({files}) WHERE value IS NOT NULL ORDER BY value", [resident, element]).fetchall()
    return [value for (value,) in rows]


def canonical_value(session: Session, element: str, value: str, today: date) -> str:
    """The value as the rules write it."""
    known = {e.key: e for e in person_elements()}
    if element not in known:
        raise NotFound("REC-ELEMENT", where=element if element.isidentifier() else "")
    done = standardise(
        known[element], pa.array([value], pa.string()), areas=address_book(session), today=today, regions=county_codes(session)
    )
    canonical, fault = done.value[0].as_py(), done.fault[0].as_py()
    if canonical is None:
        raise Refused("DEC-VALUE", where=element, what=fault or "")
    return str(canonical)


def _check_terms(session: Session, by: str, reason: str, until: date | None, now: datetime, kind: Kind | None) -> Account:
    """Who may decide at all, and all faults of what was sent at once."""
    account = load_account(session, by)
    if not account.active or Role.STEWARD not in account.roles:
        raise Denied("DOOR-DENIED", where=by, what="裁定须由数据管理员作出 decisions are made by stewards")
    today = day_of(now)
    checks: Mapping[str, bool] = {
        "确认值须有到期日 a pin needs its last day": kind is Kind.PIN and until is None,
        "到期日不在将来 the last day is not in the future": until is not None and until <= today,
        f"确认值最长 {LONGEST_PIN_DAYS} 天 a pin stands {LONGEST_PIN_DAYS} days at most": kind is Kind.PIN
        and until is not None
        and until > today + timedelta(days=LONGEST_PIN_DAYS),
    }
    faults = reason_faults(reason) + [fault for fault, wrong in checks.items() if wrong]
    if faults:
        raise Refused("DEC-TERMS", what="; ".join(faults))
    return account


def _check_against(session: Session, now: datetime, kind: Kind, a: Side, b: Side) -> None:
    """Refused DEC-CONTRADICTS where standing decisions would say of two records both that they are one person and that they are two."""
    standing = decisions_at(session, now).standing
    merges = [frozenset(d.side_a + d.side_b) for d in standing if d.kind is Kind.MERGE]
    aparts = [(d.id, frozenset(d.side_a), frozenset(d.side_b)) for d in standing if d.kind is Kind.APART]
    if kind is Kind.MERGE:
        merges.append(frozenset(a.anchors + b.anchors))
    else:
        aparts.append((0, frozenset(a.anchors), frozenset(b.anchors)))
    for person in _persons(merges):
        for decision, one, other in aparts:
            if person & one and person & other:
                raise Refused("DEC-CONTRADICTS", where=str(decision or _named(standing, person)))


def _persons(merges: Collection[frozenset[Anchor]]) -> list[frozenset[Anchor]]:
    """Records that merges hold to be one person, also over several merges."""
    persons: list[frozenset[Anchor]] = []
    for merged in merges:
        touching = [person for person in persons if person & merged]
        persons = [person for person in persons if not person & merged] + [merged.union(*touching)]
    return persons


def _named(standing: Collection[StewardDecision], person: frozenset[Anchor]) -> int:
    """The newest merge of a person."""
    return max(d.id for d in standing if d.kind is Kind.MERGE and person & set(d.side_a))


def _row(
    golden: GoldenFiles, kind: Kind, by: str, reason: str, until: date | None, now: datetime, a: Side, b: Side | None
) -> StewardDecisionRow:
    return StewardDecisionRow(
        kind=kind.value,
        resident_a=a.resident,
        resident_b=None if b is None else b.resident,
        overruled=[],
        reason=reason,
        until=until,
        golden_version=golden.version,
        decided_by=by,
        decided_at=now,
    )


def _make(session: Session, log: Log, row: StewardDecisionRow, a: Side, b: Side | None) -> StewardDecision:
    session.add(row)
    session.flush()
    sides = [("a", a)] if b is None else [("a", a), ("b", b)]
    session.add_all(
        DecisionAnchorRow(decision_id=row.id, side=name, dataset_key=anchor.dataset, record=anchor.record)
        for name, side in sides
        for anchor in side.anchors
    )
    session.flush()
    with log_faults_translated():
        log.append_sealed(Event.DECISION_MADE, _recorded(log, row, [side for _, side in sides]))
    made = load_decisions(session, [row.id])[0]
    assert made.state(row.decided_at) is State.STANDING, "what was just decided stands"
    return made


def _recorded(log: Log, row: StewardDecisionRow, sides: Collection[Side]) -> dict[str, object]:
    """The decision as the log keeps it: residents and records, whose keys may be numbers of persons, and a pinned value as keyed hashes."""
    return {
        "actor": row.decided_by,
        "decision": row.id,
        "kind": row.kind,
        "subjects": [log.subject("resident", side.resident) for side in sides],
        "anchors": [[log.subject("record", f"{anchor.dataset}/{anchor.record}") for anchor in side.anchors] for side in sides],
        "element": row.element,
        "value": None if row.value is None else log.subject(str(row.element), row.value),
        "why": row.reason,
        "until": row.until.isoformat() if row.until else None,
        "golden_version": row.golden_version,
    }
