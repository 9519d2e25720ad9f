"""What the door shows of a case: the values in question on a ticket, and the form of a check at the door. Read by the door only.

A department sees its own records' values, and what stands against them unless the other side's column is not shared. A grid worker sees who
it is about, where, and what is to be asked; of the identity number only what the mask of the lowest extract tier leaves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.schema import DatasetColumnRow, DatasetRow, DoorCheckRow, TicketItemRow, TicketRow
from golden.engine import identifier, keep
from golden.versions import columns_of, relation
from rules.errors import NotFound

SHARE_NONE = "none"
MOST_SHOWN = 200
SETTLED = "settled"
IDENTITY = ("name", "id_number", "residence_address")


@dataclass(frozen=True, kw_only=True)
class ItemView:
    """An item as the department that the ticket is with sees it: its own record and value, and the value that stands against it."""

    item: int
    kind: str
    state: str
    element: str
    dataset: str
    record: str = field(repr=False)
    value: str | None = field(repr=False)
    other_value: str | None = field(repr=False)
    other_department: str | None
    withheld: bool
    """The other side does not share its column."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """An element to ask at the door: the golden value as it is prefilled, and the other values that somebody holds."""

    element: str
    prefilled: str | None = field(repr=False)
    others: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Form:
    """The prefilled form of a check at the door (入户核查表). `id_number` is what the observation carries; it is shown masked."""

    check: int
    golden_version: int
    name: str | None = field(repr=False)
    id_number: str | None = field(repr=False)
    residence_address: str | None = field(repr=False)
    asked: tuple[Asked, ...]


def ticket_department(session: Session, ticket: int) -> str | None:
    """With whom a ticket is; None where there is none."""
    return session.scalar(sa.select(TicketRow.department_key).where(TicketRow.id == ticket))


def door_check_worker(session: Session, check: int) -> str | None:
    """Whose a door check is; None where there is none."""
    return session.scalar(sa.select(DoorCheckRow.worker).where(DoorCheckRow.id == check))


def door_check_residents(session: Session, check: int) -> set[str]:
    """Whom a door check is about."""
    return set(session.scalars(sa.select(DoorCheckRow.resident_id).where(DoorCheckRow.id == check)))


def item_residents(session: Session, items: Sequence[int]) -> set[str]:
    """Whom items are about."""
    return set(session.scalars(sa.select(TicketItemRow.resident_id).where(TicketItemRow.id.in_(items))))


def read_items(session: Session, folder: Path, ticket: int, after: int, limit: int) -> tuple[ItemView, ...]:
    """Items of a ticket from one on, with their values in a golden version. NotFound TKT-NONE."""
    row = session.get(TicketRow, ticket)
    if row is None:
        raise NotFound("TKT-NONE", where=str(ticket))
    item = TicketItemRow
    standing = sa.select(item).where(item.ticket_id == ticket, item.state != SETTLED, item.id > after).order_by(item.id)
    items = list(session.scalars(standing.limit(min(limit, MOST_SHOWN))))
    own = {one.id: _side(one, row.round == 1) for one in items}
    other = {one.id: _side(one, row.round != 1) for one in items}
    with duckdb.connect() as con:
        values, others = _said(con, folder, items, own), _said(con, folder, items, other)
    departments = dict(session.execute(sa.select(DatasetRow.key, DatasetRow.department_key)).tuples().all())
    unshared = _unshared(session, {one.element for one in items})
    return tuple(
        ItemView(
            item=one.id,
            kind=one.kind,
            state=one.state,
            element=one.element,
            dataset=own[one.id][0] or "",
            record=own[one.id][1] or "",
            value=values.get(one.id),
            other_value=None if (withheld := (other[one.id][0], one.element) in unshared) else others.get(one.id),
            other_department=departments.get(other[one.id][0] or ""),
            withheld=withheld,
        )
        for one in items
    )


def read_form(session: Session, folder: Path, version: int, check: int) -> Form:
    """The form of a door check, prefilled from a golden version. NotFound DCK-NONE, REC-RESIDENT."""
    row = session.get(DoorCheckRow, check)
    if row is None:
        raise NotFound("DCK-NONE", where=str(check))
    known = columns_of(folder, "residents")
    wanted = [name for name in dict.fromkeys([*IDENTITY, *row.elements]) if name in known]
    with duckdb.connect() as con:
        found = con.execute(
            f"SELECT {', '.join(map(identifier, wanted))} FROM {relation(folder, 'residents')} WHERE resident_id = $1", [row.resident_id]
        ).fetchall()
        rivals = con.execute(
            f"SELECT DISTINCT element, value FROM {relation(folder, 'rivals')} WHERE resident_id = $1 ORDER BY ALL", [row.resident_id]
        ).fetchall()
    if not found:
        raise NotFound("REC-RESIDENT", where=row.resident_id)
    golden = dict(zip(wanted, found[0], strict=True))
    asked = [
        Asked(element=element, prefilled=golden.get(element), others=tuple(value for key, value in rivals if key == element))
        for element in row.elements
    ]
    return Form(check=check, golden_version=version, asked=tuple(asked), **{name: golden.get(name) for name in IDENTITY})


def _side(item: TicketItemRow, deviating: bool) -> tuple[str | None, str | None]:
    return (item.dataset_key, item.record) if deviating else (item.against_dataset, item.against_record)


def _said(
    con: duckdb.DuckDBPyConnection, folder: Path, items: Sequence[TicketItemRow], sides: dict[int, tuple[str | None, str | None]]
) -> dict[int, str]:
    """What a side of each item says: its own value where it is a rival, else the golden one."""
    columns = {
        "item": pa.array([one.id for one in items], pa.int64()),
        "dataset": pa.array([sides[one.id][0] for one in items], pa.string()),
        "record": pa.array([sides[one.id][1] for one in items], pa.string()),
        "resident_id": pa.array([one.resident_id for one in items], pa.string()),
        "element": pa.array([one.element for one in items], pa.string()),
    }
    keep(con, "sides", pa.table(columns))
    rows = con.execute(f"""
        SELECT item, coalesce(min(r.value), min(v.value)) FROM sides s
        LEFT JOIN {relation(folder, "rivals")} r ON r.dataset = s.dataset AND r.record = s.record AND r.element = s.element
        LEFT JOIN {relation(folder, "values")} v ON v.resident_id = s.resident_id AND v.element = s.element
        GROUP BY item""").fetchall()
    return dict(rows)


def _unshared(session: Session, elements: set[str]) -> set[tuple[str | None, str]]:
    """Data sets and elements that nobody else gets (不予共享)."""
    column = DatasetColumnRow
    found = sa.select(column.dataset_key, column.element).where(column.share == SHARE_NONE, column.element.in_(elements))
    return {(dataset, element or "") for dataset, element in session.execute(found)}
