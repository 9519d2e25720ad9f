"""Correction tickets (校核): what a department answers, and errors that people report (law.md L-25, R-06, D-40, P-03).

The platform never edits a department's data: `correct` waits for the corrected record to arrive, `uphold` turns the items round to the
other side. Where both sides say that theirs is correct they are contested: a door check or a dispute decides.
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import duckdb
import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, Role, ensure_department, load_account
from access.epochs import epochs_of, key_of
from access.log_faults import log_faults_translated
from access.pseudonyms import is_pseudonym, resident_behind
from access.reasons import reason_faults
from access.stewardship import find_side
from access.targets import GoldenFiles, required_golden
from audit.events import Event
from audit.log import Log
from casework.acting import Acting, acting, raising_department, recorded_attempt
from casework.attempts import Act
from casework.bundles import bundle, new_ticket, recount, tell
from casework.conflicts import REPORTED, is_of_record
from casework.moves import ItemState, Kind
from casework.tickets import Ticket, ticket_of
from catalog.datasets import load_datasets
from catalog.lake import Lake
from catalog.schema import DataGrantRow, DatasetRow, ReceiptRow, SnapshotRow, TicketItemRow, TicketRow
from catalog.snapshots import ACCEPTED
from catalog.store import Store, serialise
from golden.versions import relation
from rules.elements import load_elements
from rules.errors import Denied, NotFound, Refused
from rules.tickets import load_ticket_rules

WORK = "tickets"
USER, RESIDENT, DEPARTMENT = "user", "resident", "department"
ORIGIN_TEXTS = {
    "reconciliation": "对账发现 found by reconciliation",
    USER: "数据使用部门反映 reported by a user",
    RESIDENT: "居民申请 asked for by a resident",
    DEPARTMENT: "部门提出 raised by a department",
}


def accept(store: Store, log: Log, *, ticket: int, act: Act) -> Ticket:
    """The department's clerk takes a ticket on (受理)."""
    with acting(store, log, ticket, "accept", act) as doing:
        doing.ticket.accepted_by = act.by
    return ticket_of(doing.ticket)


def correct(store: Store, log: Log, *, ticket: int, act: Act, items: Collection[int] = ()) -> Ticket:
    """The department says that it has corrected its records: of these items, or of all that are open. They wait for the data (R-06)."""
    with acting(store, log, ticket, "correct", act) as doing:
        open_items = _open_items(doing, items)
        snapshots = _snapshots(doing.session)
        for item in open_items:
            item.state, item.answered_snapshot = ItemState.AWAITING.value, snapshots.get(own_dataset(item, doing.ticket) or "", 0)
        _finish(doing, open_items)
    return ticket_of(doing.ticket)


def uphold(store: Store, log: Log, *, ticket: int, act: Act, items: Collection[int] = ()) -> Ticket:
    """The department's head says that its values are correct: the items turn round to the other side, or are contested (R-06).

    Refused TKT-DECIDED where a dispute or a door check has decided them.
    """
    with acting(store, log, ticket, "uphold", act) as doing:
        open_items = _open_items(doing, items)
        if decided := [item.id for item in open_items if item.decided]:
            raise Refused("TKT-DECIDED", where=str(ticket), what=", ".join(map(str, decided)))
        _turn_round(doing, open_items)
        _finish(doing, open_items)
    return ticket_of(doing.ticket)


def reroute(store: Store, log: Log, *, ticket: int, act: Act, to: str) -> Ticket:
    """Hand the whole ticket to another department (转办); its clock starts anew. After a few times only the bureau may."""
    with acting(store, log, ticket, "reroute", act) as doing:
        row = doing.ticket
        most = load_ticket_rules().most_reroutes
        if to == row.department_key:
            raise Refused("TKT-TERMS", where=str(ticket), what="已在该部门 it is with this department")
        ensure_department(doing.session, to, act.now)
        if row.reroutes >= most and doing.account.department is not None:
            raise Denied("TKT-PARTY", where=str(ticket), what=f"已转办 {most} 次，须由统筹局指定 rerouted {most} times, the bureau decides")
        row.department_key, row.accepted_by, row.reroutes = to, None, row.reroutes + 1
        doing.items = row.items_open
    return ticket_of(row)


def report(store: Store, lake: Lake, log: Log, *, who: str, element: str, origin: str, act: Act, keys: Path | None = None) -> Ticket:
    """Somebody says that a golden value is wrong: `who` is a resident (`R…`), a record (`dataset/record`), or a pseudonym as it stands in
    an extract of the reporter's department, where `keys` (the home's) can tell whom it means.

    A user must have been handed the element (L-25); for a resident a clerk files it (P-03). It goes to whoever holds the value. NotFound
    REC-ELEMENT, REC-RESIDENT, DEC-RECORD; Denied TKT-PARTY; Refused TKT-TERMS, TKT-RAISED where it stands on a ticket already.
    """
    known = element if element in load_elements() else ""
    with recorded_attempt(log, act.by, "report", element=known), store.session() as session, session.begin():
        serialise(session, WORK)
        account = load_account(session, act.by)
        _check_report(session, account, element, origin, act)
        golden = required_golden(session, lake)
        item = _held_by(session, golden, _meant(session, golden, who, account, keys), element)
        department = session.get_one(DatasetRow, item.dataset_key).department_key
        row = _reported(session, account, department, element, origin, act)
        item.ticket_id, row.items = row.id, 1
        session.add(item)
        session.flush()
        recount(session, [row.id], act.now)
        tell(session, row, "open", act.now, by=act.by, reason=act.reason, items=1)
        session.flush()
        with log_faults_translated():
            log.append_sealed(Event.TICKET_RAISED, _recorded(log, row, item, act))
        return ticket_of(row)


def own_dataset(item: TicketItemRow, ticket: TicketRow) -> str | None:
    """The data set of the department that the ticket is with: in the second round the other side's."""
    return item.dataset_key if ticket.round == 1 else item.against_dataset


def _open_items(doing: Acting, wanted: Collection[int]) -> list[TicketItemRow]:
    item = TicketItemRow
    open_ones = sa.select(item).where(item.ticket_id == doing.ticket.id, item.state == ItemState.OPEN).order_by(item.id)
    found = list(doing.session.scalars(open_ones.where(item.id.in_(wanted)) if wanted else open_ones))
    if not found or len(found) < len(set(wanted)):
        missing = sorted(set(wanted) - {one.id for one in found})
        raise Refused("TKT-ITEM", where=str(doing.ticket.id), what=", ".join(map(str, missing)))
    return found


def _finish(doing: Acting, items: Sequence[TicketItemRow]) -> None:
    doing.items = len(items)
    doing.session.flush()
    recount(doing.session, [doing.ticket.id], doing.act.now)


def _turn_round(doing: Acting, items: Sequence[TicketItemRow]) -> None:
    """To the bundles of those who hold the other value; what has nobody else, or came back, is contested."""
    session, row, act = doing.session, doing.ticket, doing.act
    others = _other_sides(session, row) if row.round == 1 else {}
    turned: dict[str, list[TicketItemRow]] = {}
    for item in items:
        other = others.get(item.against_dataset or "")
        if other is None:
            item.state = ItemState.CONTESTED.value
        else:
            turned.setdefault(other, []).append(item)
    for department, moved in sorted(turned.items()):
        target = bundle(session, department, moved[0].element, row.round + 1, act.now)
        for item in moved:
            item.ticket_id = target.id
        target.items += len(moved)
        session.flush()
        recount(session, [target.id], act.now)
        tell(session, target, "turn", act.now, items=len(moved))


def _other_sides(session: Session, row: TicketRow) -> dict[str, str]:
    """By the data set that stands against it: the department that is asked next; the golden value's, else the source of record's (R-06).

    `""` stands for a golden value that no data set holds.
    """
    against = session.scalars(sa.select(TicketItemRow.against_dataset).where(TicketItemRow.ticket_id == row.id).distinct()).all()
    datasets = {dataset.key: dataset for dataset in load_datasets(session)}
    element = row.element or ""
    of_record = [d.department for d in datasets.values() if any(c.element == element for c in d.columns) and is_of_record(d, element)]
    found: dict[str, str] = {}
    for key in against:
        holder = [datasets[key].department] if key in datasets else []
        other = next((department for department in [*holder, *of_record] if department != row.department_key), None)
        if other is not None:
            found[key or ""] = other
    return found


def _snapshots(session: Session) -> dict[str, int]:
    newest = sa.select(SnapshotRow.dataset_key, sa.func.max(SnapshotRow.version)).where(SnapshotRow.state == ACCEPTED)
    return dict(session.execute(newest.group_by(SnapshotRow.dataset_key)).tuples().all())


def _check_report(session: Session, account: Account, element: str, origin: str, act: Act) -> None:
    known = load_elements()
    if element not in known or known[element].describes != "person":
        raise NotFound("REC-ELEMENT", where=element if element.isidentifier() else "")
    if faults := reason_faults(act.reason, needed=True):
        raise Refused("TKT-TERMS", what="; ".join(faults))
    if not account.active or not _may_report(session, account, element, origin):
        raise Denied(
            "TKT-PARTY",
            what="反映人须曾获取该数据元，或代居民受理 who reports was handed the element, or files it for a resident (L-25, P-03)",
        )


def _may_report(session: Session, account: Account, element: str, origin: str) -> bool:
    if origin == RESIDENT:
        return bool(account.roles & {Role.BUREAU_OPERATOR, Role.STEWARD, Role.DEPARTMENT_REQUESTER, Role.GRID_WORKER})
    receipts = sa.select(ReceiptRow.columns).join(DataGrantRow, DataGrantRow.id == ReceiptRow.grant_id)
    handed = session.scalars(receipts.where(DataGrantRow.grantee_key == account.department)).all()
    return any(element in columns for columns in handed)


def _meant(session: Session, golden: GoldenFiles, who: str, account: Account, keys: Path | None) -> str:
    if keys is None or account.department is None or not is_pseudonym(who):
        return who
    epochs = epochs_of(session, account.department)
    resident = resident_behind(golden, who, [key_of(keys, account.department, epoch) for epoch in epochs])
    if resident is None:
        raise NotFound("REC-RESIDENT")
    return resident


def _held_by(session: Session, golden: GoldenFiles, who: str, element: str) -> TicketItemRow:
    """The record whose value is golden, or the record named itself, as an item."""
    side = find_side(golden, who)
    dataset, record = _golden_origin(golden, side.resident, element)
    if "/" in who:
        dataset, record = side.anchors[0].dataset, side.anchors[0].record
    if dataset is None or record is None:
        raise NotFound("TKT-NO-SOURCE", where=element)
    item = TicketItemRow
    standing = session.scalar(
        sa.select(item.ticket_id).filter_by(dataset_key=dataset, record=record, element=element).where(item.settled_version.is_(None))
    )
    if standing is not None:
        raise Refused("TKT-RAISED", where=str(standing))
    return TicketItemRow(
        kind=REPORTED,
        resident_id=side.resident,
        dataset_key=dataset,
        record=record,
        element=element,
        state=ItemState.OPEN.value,
        decided=False,
        opened_version=golden.version,
    )


def _golden_origin(golden: GoldenFiles, resident: str, element: str) -> tuple[str | None, str | None]:
    with duckdb.connect() as con:
        rows = con.execute(
            f"SELECT dataset, record FROM {relation(golden.folder, 'values')} WHERE resident_id = $1 AND element = $2", [resident, element]
        ).fetchall()
    return rows[0] if rows else (None, None)


def _reported(session: Session, account: Account, department: str, element: str, origin: str, act: Act) -> TicketRow:
    return new_ticket(
        session,
        act.now,
        kind=Kind.CORRECTION,
        origin=origin,
        department_key=department,
        element=element,
        description=act.reason,
        raised_by=account.name,
        raised_by_department=None if origin == RESIDENT else raising_department(session, account, act.now),
    )


def _recorded(log: Log, row: TicketRow, item: TicketItemRow, act: Act) -> dict[str, object]:
    """Residents and records as keyed hashes, for record keys may be numbers of persons."""
    return {
        "actor": act.by,
        "ticket": row.id,
        "kind": row.kind,
        "origin": row.origin,
        "department": row.department_key,
        "element": item.element,
        "subjects": [log.subject("resident", item.resident_id)],
        "anchors": [[log.subject("record", f"{item.dataset_key}/{item.record}")]],
        "why": act.reason,
    }
