"""The facts (事实) that explanations and alerts need, out of the store, the golden records, the calendar and the personnel list.

Read for auditors only and never given out: what comes of it are reasons and counts. Residents stand under the keyed hashes of the log.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.targets import GoldenFiles, newest_golden
from audit.log import Log
from catalog.schema import DataGrantRow, DatasetRow, DoorCheckRow, GridWorkerRow, RequestRow, TicketItemRow, TicketRow
from catalog.snapshots import CHINA
from golden.versions import columns_of, relation
from oversight.reading_room import ReadingRoom
from rules.clocks import WorkingDays
from rules.errors import Refused
from rules.names import surname_of, surnames

ROSTER = ("account", "name", "address", "resident", "left_on")
MOST_DAYS = 3_700


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Who an account belongs to, as the personnel list of the auditors says; what it does not say is None."""

    account: str
    name: str | None
    address: str | None
    resident: str | None
    left_on: date | None


def read_roster(path: Path) -> list[Holder]:
    """The personnel list (人员名册): a CSV file with the columns account, name, address, resident, left_on. Refused OVS-ROSTER."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        missing = [name for name in ROSTER if name not in (reader.fieldnames or ())]
        if missing:
            raise Refused("OVS-ROSTER", where=path.name, what=", ".join(missing))
        return [_holder(row, number, path.name) for number, row in enumerate(reader, start=2)]


def gather_facts(
    con: duckdb.DuckDBPyConnection,
    room: ReadingRoom,
    *,
    roster: Sequence[Holder],
    famous: Sequence[str],
    calendar: WorkingDays,
    first: date,
    last: date,
) -> None:
    """Fill the relations of facts; `make_facts` came before. Days off are those from `first` to `last`."""
    with room.store.session() as session:
        golden = newest_golden(session, room.lake)
        _gather_cases(con, session)
        matters, visits = _gather_matters(session)
        workers = session.execute(sa.select(GridWorkerRow.account, GridWorkerRow.grid_code)).tuples().all()
        departments = session.execute(sa.select(DatasetRow.key, DatasetRow.department_key)).tuples().all()
    if golden is not None:
        _gather_people(con, golden, room.log, famous)
        _fill(con, "datasets", "dataset VARCHAR, department VARCHAR", departments)
        _fill(con, "workers", "actor VARCHAR, grid_code VARCHAR", workers)
        _gather_clients(con, golden)
    _append(con, "matter", ((department, room.log.subject("resident", who), since, until) for department, who, since, until in matters))
    _append(con, "visit", ((worker, room.log.subject("resident", who), since, until) for worker, who, since, until in visits))
    _append(con, "holder", (_held(one, room.log) for one in roster))
    days = [first + timedelta(days=number) for number in range(min((last - first).days + 1, MOST_DAYS))]
    _append(con, "rest_day", ((day,) for day in days if not calendar.is_working(day)))


def _gather_cases(con: duckdb.DuckDBPyConnection, session: Session) -> None:
    grants = session.execute(sa.select(DataGrantRow.case_number, DataGrantRow.grantee_key).where(DataGrantRow.case_number != "")).tuples()
    requests = session.execute(sa.select(RequestRow.case_number, RequestRow.requester_key).where(RequestRow.case_number != "")).tuples()
    _append(con, "case_file", sorted({*grants, *requests}))


def _gather_matters(session: Session) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Whom tickets were about, with which department, from when to when; and whom door checks were about, of which worker."""
    ticket, item, check = TicketRow, TicketItemRow, DoorCheckRow
    query = sa.select(ticket.department_key, ticket.raised_by_department, item.resident_id, ticket.created_at, ticket.closed_on)
    matters = [
        (department, resident, _local(opened), None if closed is None else datetime.combine(closed + timedelta(days=1), time(0)))
        for handler, raiser, resident, opened, closed in session.execute(query.join(item, item.ticket_id == ticket.id))
        for department in {handler, raiser} - {None}
    ]
    checks = session.execute(sa.select(check.worker, check.resident_id, check.created_at, check.reviewed_at)).tuples()
    visits = [(worker, resident, _local(made), None if done is None else _local(done)) for worker, resident, made, done in checks]
    return matters, visits


def _gather_people(con: duckdb.DuckDBPyConnection, golden: GoldenFiles, log: Log, famous: Sequence[str]) -> None:
    """`person`, and `known(resident_id, subject, grid_code)` beside it."""
    columns = set(columns_of(golden.folder, "residents"))
    wanted = [name if name in columns else f"NULL::VARCHAR AS {name}" for name in ("name", "id_number", "residence_address", "grid_code")]
    rows = con.sql(f"SELECT resident_id, {', '.join(wanted)} FROM {relation(golden.folder, 'residents')}").to_arrow_table()
    hashes = [log.subject("resident", resident) for resident in rows["resident_id"].to_pylist()]  # keyed hashes have no columnar form
    names = rows["name"].combine_chunks()
    told = {"subject": pa.array(hashes), "surname": surnames(names), "famous": pc.is_in(names, value_set=pa.array(famous, pa.string()))}
    for name, column in told.items():
        rows = rows.append_column(name, column)
    con.register("told", rows)
    con.execute("CREATE OR REPLACE TEMP TABLE known AS SELECT resident_id, subject, grid_code FROM told")
    con.execute(
        """INSERT INTO person SELECT subject, nullif(surname, ''), residence_address,
          CASE WHEN id_number IS NOT NULL THEN row_number() OVER (ORDER BY id_number NULLS LAST, resident_id) END, famous FROM told"""
    )
    con.unregister("told")


def _gather_clients(con: duckdb.DuckDBPyConnection, golden: GoldenFiles) -> None:
    con.execute(
        f"""INSERT INTO client SELECT DISTINCT department, subject FROM {relation(golden.folder, "crosswalk")}
        JOIN datasets USING (dataset) JOIN known USING (resident_id)"""
    )
    con.execute("INSERT INTO ward SELECT DISTINCT actor, subject FROM workers JOIN known USING (grid_code)")


def _held(one: Holder, log: Log) -> tuple[Any, ...]:
    hashed = log.subject("resident", one.resident) if one.resident else None
    return one.account, surname_of(one.name) or None if one.name else None, one.address, hashed, one.left_on


def _holder(row: dict[str, str], number: int, name: str) -> Holder:
    try:
        left_on = date.fromisoformat(row["left_on"]) if row["left_on"] else None
    except ValueError as fault:
        raise Refused("OVS-ROSTER", where=f"{name}:{number}", what="left_on") from fault
    return Holder(
        account=row["account"], name=row["name"] or None, address=row["address"] or None, resident=row["resident"] or None, left_on=left_on
    )


def _local(at: datetime) -> datetime:
    return at.astimezone(CHINA).replace(tzinfo=None)


def _fill(con: duckdb.DuckDBPyConnection, name: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} ({columns})")
    _append(con, name, rows)


def _append(con: duckdb.DuckDBPyConnection, name: str, rows: Iterable[Sequence[Any]]) -> None:
    listed = [list(row) for row in rows]
    if listed:
        con.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(listed[0]))})", listed)
