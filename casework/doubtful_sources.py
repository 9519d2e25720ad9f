"""Tickets about sources that cannot be right (来源存疑): what reconciliation left out of a data set goes to the department that sends it.

One standing ticket per data set and element, an objection to data in use (数据质量), closed when a newer snapshot is in doubt no more.
What a department has answered is raised again only by a newer snapshot, for a doubt depends on the snapshot alone.
"""

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from casework.bundles import RECONCILIATION, keep_clocks, new_ticket, set_state, tell
from casework.moves import Kind, State
from catalog.schema import DatasetRow, GoldenInputRow, GoldenVersionRow, SnapshotRow, TicketRow
from golden.source_checks import Doubt, read_doubts

TOPIC = "quality"

Place = tuple[str, str]
"""A data set and an element; the element is empty where the whole data set is in doubt."""


def follow_doubts(session: Session, version: int, now: datetime) -> None:
    """Open and close tickets as the doubts of a golden version say. Safe to repeat."""
    doubts = _doubts(session, version)
    standing = {(row.about, row.element or ""): row for row in session.scalars(_tickets().where(TicketRow.standing))}
    for place in sorted(standing.keys() - doubts.keys()):
        _close(session, standing[place], now)
    departments = dict(session.execute(sa.select(DatasetRow.key, DatasetRow.department_key)).tuples().all())
    for place in sorted(doubts.keys() - standing.keys()):
        if place[0] in departments and not _answered(session, place, version):
            _open(session, departments[place[0]], doubts[place], now)


def _doubts(session: Session, version: int) -> Mapping[Place, list[Doubt]]:
    counts = session.scalar(sa.select(GoldenVersionRow.counts).where(GoldenVersionRow.version == version)) or {}
    found: dict[Place, list[Doubt]] = {}
    for doubt in read_doubts(counts.get("doubts", {}).get("found", ())):
        found.setdefault((doubt.dataset, doubt.element), []).append(doubt)
    return found


def _tickets() -> sa.Select[TicketRow]:
    return sa.select(TicketRow).where(TicketRow.kind == Kind.USE, TicketRow.origin == RECONCILIATION)


def _answered(session: Session, place: Place, version: int) -> bool:
    """Whether it was raised about the snapshot that this version was made of, or a newer one."""
    dataset, element = place
    last = session.scalar(
        sa.select(sa.func.max(TicketRow.created_at)).where(
            TicketRow.kind == Kind.USE,
            TicketRow.origin == RECONCILIATION,
            TicketRow.about == dataset,
            TicketRow.element == (element or None),
        )
    )
    used = sa.and_(SnapshotRow.dataset_key == GoldenInputRow.dataset_key, SnapshotRow.version == GoldenInputRow.snapshot_version)
    received = session.scalar(
        sa.select(SnapshotRow.received_at)
        .join(GoldenInputRow, used)
        .where(GoldenInputRow.golden_version == version, GoldenInputRow.dataset_key == dataset)
    )
    return last is not None and (received is None or received <= last)


def _open(session: Session, department: str, doubts: list[Doubt], now: datetime) -> None:
    row = new_ticket(
        session,
        now,
        kind=Kind.USE,
        topic=TOPIC,
        origin=RECONCILIATION,
        department_key=department,
        element=doubts[0].element or None,
        about=doubts[0].dataset,
        description="; ".join(doubt.told() for doubt in doubts),
    )
    keep_clocks(session, [row], now)
    tell(session, row, "open", now)


def _close(session: Session, row: TicketRow, now: datetime) -> None:
    row.version += 1
    set_state(row, State.CLOSED, now)
    keep_clocks(session, [row], now)
    tell(session, row, "settle", now)
