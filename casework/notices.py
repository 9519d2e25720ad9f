"""Change notices (订阅变更, law.md R-08): who was handed a golden value is told when it has changed since, in counts, never in values.

Compared are the residents of the version that was handed over, within the row scope of the grant, with the newest version, by column; a
column that was masked away was not received. Nothing is told twice: only what differs from the last notice of a receipt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import duckdb
import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.targets import GOLDEN, RESIDENT_ID
from access.terms import GrantState, RowScope
from catalog.entries.returning import RECORD, RETURN
from catalog.lake import Lake
from catalog.schema import ChangeNoticeRow, DataGrantRow, GoldenVersionRow, ReceiptRow, RegradingNoticeRow
from catalog.store import Store, serialise
from golden.engine import identifier, open_engine, quoted
from golden.versions import columns_of, golden_folder, relation, touched_since
from masking.methods import SUPPRESS
from rules.errors import Denied, NotFound

WORK = "notices"
AREA_COLUMN = "grid_code"
LISTED_MOST = 200


@dataclass(frozen=True, kw_only=True)
class ChangeNotice:
    """What a department is told: of the residents that it was handed, how many differ now, and by column."""

    id: int
    receipt_id: int
    golden_version: int
    department_key: str
    residents: int
    columns: Mapping[str, int]
    seen_by: str | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class _Received:
    """The newest receipt of a grant that has not ended: the department holds these values until it disposes of them (L-26)."""

    receipt: int
    department: str
    version: int
    columns: tuple[str, ...]
    scope: RowScope
    of_dataset: str | None
    """回流: only the residents whom this data set held (L-22)."""


def tell_users(store: Store, lake: Lake, *, now: datetime) -> int:
    """Make the notices that are due by the newest golden version; how many. Safe to repeat."""
    with store.session() as session:
        newest = session.scalar(sa.select(sa.func.max(GoldenVersionRow.version)))
        received = [] if newest is None else [one for one in _received(session) if one.version < newest]
    if newest is None or not received:
        return 0
    with open_engine(lake.root / "golden" / "spill-notices") as con:
        found = [(one, _differences(con, lake, one, newest)) for one in received if golden_folder(lake, one.version).exists()]
    with store.session() as session, session.begin():
        serialise(session, WORK)
        fresh = [_row(one, newest, told, now) for one, told in found if told[0] and told != _told_last(session, one)]
        session.add_all(fresh)
        return len(fresh)


def list_notices(session: Session, department: str | None = None, *, unseen: bool = True) -> list[ChangeNotice]:
    """Notices, newest first."""
    row = ChangeNoticeRow
    query = sa.select(row).where(row.seen_at.is_(None) if unseen else sa.true())
    mine = query if department is None else query.where(row.department_key == department)
    return [_notice(found) for found in session.scalars(mine.order_by(row.id.desc()).limit(LISTED_MOST))]


def see(session: Session, notice: int, *, by: str, department: str | None, now: datetime) -> ChangeNotice:
    """A department has taken note. NotFound TKT-NOTICE; Denied TKT-PARTY for another department's."""
    return _notice(noted(session, ChangeNoticeRow, notice, by=by, department=department, now=now))


NoticeRow = TypeVar("NoticeRow", ChangeNoticeRow, RegradingNoticeRow)


def noted(session: Session, table: type[NoticeRow], notice: int, *, by: str, department: str | None, now: datetime) -> NoticeRow:
    """The notice of either kind, of which whoever was told (None: the bureau) has taken note."""
    row = session.get(table, notice)
    if row is None:
        raise NotFound("TKT-NOTICE", where=str(notice))
    if department != row.department_key:
        raise Denied("TKT-PARTY", where=str(notice), what=f"须由 {row.department_key or '统筹局 the bureau'} 签收")
    row.seen_by, row.seen_at = by, now
    session.flush()
    return row


def _received(session: Session) -> list[_Received]:
    newest = sa.select(sa.func.max(ReceiptRow.id)).where(_of_golden()).group_by(ReceiptRow.grant_id)
    rows = session.execute(
        sa.select(ReceiptRow, DataGrantRow)
        .join(DataGrantRow, DataGrantRow.id == ReceiptRow.grant_id)
        .where(ReceiptRow.id.in_(newest), DataGrantRow.state != GrantState.ENDED)
        .order_by(ReceiptRow.id)
    )
    return [
        _Received(
            receipt=receipt.id,
            department=grant.grantee_key,
            version=receipt.target_version,
            of_dataset=receipt.target.removeprefix(RETURN) if receipt.target.startswith(RETURN) else None,
            columns=tuple(name for name in receipt.columns if name not in (RESIDENT_ID, RECORD) and _shown(receipt.masks.get(name))),
            scope=RowScope.from_json(grant.row_scope),
        )
        for receipt, grant in rows
    ]


def _of_golden() -> sa.ColumnElement[bool]:
    return sa.or_(ReceiptRow.target == GOLDEN, ReceiptRow.target.startswith(RETURN, autoescape=True))


def _shown(masks: Mapping[str, str] | None) -> bool:
    return masks is None or masks["mask"] != str(SUPPRESS)


def _differences(con: duckdb.DuckDBPyConnection, lake: Lake, one: _Received, newest: int) -> tuple[int, dict[str, int]]:
    """Residents that differ in any column that was handed over, and by column in how many."""
    before, after = golden_folder(lake, one.version), golden_folder(lake, newest)
    known, kept = set(columns_of(before, "residents")), set(columns_of(after, "residents"))
    columns = [column for column in one.columns if column in known]
    differ = {column: _differs(column, column in kept) for column in columns}
    counted = [f"count(*) FILTER (WHERE {sql})" for sql in differ.values()]
    any_differs = " OR ".join([*differ.values(), "n.resident_id IS NULL"])
    rows = con.execute(f"""
        SELECT {", ".join([f"count(*) FILTER (WHERE {any_differs})", *counted])}
        FROM {relation(before, "residents")} o LEFT JOIN {relation(after, "residents")} n USING (resident_id)
        WHERE {_in_scope(one.scope, known)} AND {_returned(one, before)} AND {_reached(before, after)}""").fetchall()
    total, *numbers = rows[0]
    return total, {column: number for column, number in zip(columns, numbers, strict=True) if number}


def _differs(column: str, kept: bool) -> str:
    """SQL; a resident who is gone differs as a whole, not by column."""
    now = f"n.{identifier(column)}" if kept else "NULL"
    return f"(n.resident_id IS NOT NULL AND o.{identifier(column)} IS DISTINCT FROM {now})"


def _reached(before: Path, after: Path) -> str:
    """SQL: only who can differ at all, where the newer version stands on the older."""
    touched = touched_since(after, before)
    return "true" if touched is None else f"o.resident_id IN ({touched})"


def _returned(one: _Received, before: Path) -> str:
    """SQL: whom the data set held to which golden values went back."""
    if one.of_dataset is None:
        return "true"
    return f"o.resident_id IN (SELECT resident_id FROM {relation(before, 'crosswalk')} WHERE dataset = '{quoted(one.of_dataset)}')"


def _in_scope(scope: RowScope, known: set[str]) -> str:
    """SQL: the rows that the grant reached in the version that was handed over."""
    areas = [f"starts_with(o.{AREA_COLUMN}, '{quoted(area)}')" for area in scope.areas] if AREA_COLUMN in known else []
    filters = [f"o.{identifier(column)} IN ({_texts(values)})" for column, values in sorted(scope.equals.items()) if column in known]
    return " AND ".join([f"({' OR '.join(areas)})" if areas else "true", *filters])


def _texts(values: Sequence[str]) -> str:
    return ", ".join(f"'{quoted(value)}'" for value in values)


def _told_last(session: Session, one: _Received) -> tuple[int, dict[str, int]] | None:
    row = session.scalar(sa.select(ChangeNoticeRow).filter_by(receipt_id=one.receipt).order_by(ChangeNoticeRow.id.desc()).limit(1))
    return None if row is None else (row.residents, dict(row.columns))


def _row(one: _Received, newest: int, told: tuple[int, dict[str, int]], now: datetime) -> ChangeNoticeRow:
    residents, columns = told
    return ChangeNoticeRow(
        receipt_id=one.receipt, golden_version=newest, department_key=one.department, residents=residents, columns=columns, created_at=now
    )


def _notice(row: ChangeNoticeRow) -> ChangeNotice:
    return ChangeNotice(**{field.name: getattr(row, field.name) for field in fields(ChangeNotice)})
