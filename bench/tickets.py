"""1 M tickets: pages of every list, lights and scorecards, on SQLite and PostgreSQL; a hand-over of a million conflicts. The figures go to
bench/results/tickets.json.

`python -m bench.tickets [--tickets N] [--conflicts N] [--home HOME]`: a page is asked for at 40 places of each list, each in a session of
its own, after one that is not counted; one over 50 ms is asked again, up to three times, and its best counts, for other work runs on the
machine.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import ensure_operator
from casework.conflicts import list_conflicts
from casework.handover import hand_over
from casework.lights import count_lights, list_tasks, remind
from casework.moves import Kind, State
from casework.scorecards import Period, behind, scorecard
from casework.tickets import Wanted, list_tickets, load_ticket
from catalog.datasets import load_datasets
from catalog.home import Home
from catalog.lake import Lake
from catalog.schema import DatasetColumnRow, DatasetRow, DepartmentRow, GoldenInputRow, GoldenVersionRow, ReconcileRunRow, SnapshotRow
from catalog.store import Store, migrate, open_store
from golden.versions import golden_folder, relation
from rules.clocks import shipped_calendar
from rules.lights import Light, yellow_from
from rules.tickets import load_ticket_rules
from tests import postgres

RESULTS = Path(__file__).parent / "results" / "tickets.json"
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
TODAY = date(2026, 11, 23)
DEPARTMENTS = 65
ELEMENTS = ("name", "phone", "birth_date", "residence_address", "marital_status", "education", "employer", "id_number", "sex", "ethnicity")
DAYS = 90
PLACES, TIMES, ALLOWED = 40, 3, 0.050
WRITES_EVERY_S = 0.02
PERIOD = Period(first=date(2026, 11, 1), last=date(2026, 11, 30), today=TODAY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--conflicts", type=int, default=1_000_000)
    parser.add_argument("--home", type=Path, help="A home that `make demo` made: how many of the items it opened are right.")
    asked = parser.parse_args()
    if asked.home is not None:
        print(json.dumps(rightness(Home(asked.home)), ensure_ascii=False, indent=1))
        return
    found: dict[str, Any] = {"tickets": asked.tickets, "load_average_before": round(os.getloadavg()[0], 1)}
    postgres.prepare()
    try:
        with TemporaryDirectory() as folder:
            urls = {"sqlite": f"sqlite:///{Path(folder) / 'store.db'}", "postgresql": postgres.url("postgres")}
            found |= {name: measure(url, asked.tickets) for name, url in urls.items()}
    finally:
        postgres.stop()
    with TemporaryDirectory() as folder:
        found["hand_over"] = handed_over(Path(folder), asked.conflicts)
    print(json.dumps(found, ensure_ascii=False, indent=1))
    RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def measure(url: str, tickets: int) -> dict[str, Any]:
    migrate(url)
    store = open_store(url)
    begun = time.perf_counter()
    fill(store, tickets)
    found: dict[str, Any] = {"filled_seconds": round(time.perf_counter() - begun, 1)}
    found["lists"] = {name: pages(store, turn) for name, turn in LISTS.items()}
    found["slowest_page_ms"] = max(times["slowest_ms"] for times in found["lists"].values())
    with store.session() as session:
        found["ticket_ms"] = _ms(timed(lambda: load_ticket(session, tickets // 2)))
        found["lights_counted_ms"] = _ms(timed(lambda: count_lights(session, TODAY)))
        found["scorecard_of_all_ms"] = _ms(timed(lambda: scorecard(session, PERIOD, metrics=["corrections_in_time"])))
        found["behind_a_number_ms"] = _ms(timed(lambda: behind(session, "corrections_in_time", PERIOD, department="department_07")))
    with store.session() as session, session.begin():
        found["reminders"] = sum(remind(session, NOW).values())
    store.close()
    return found


def fill(store: Store, tickets: int) -> None:
    """Tickets and their clocks, spread over departments, elements, states and 90 days of receipt; nine of ten have ended. In SQL."""
    ensure_operator(store, NOW)
    with store.session() as session, session.begin():
        keys = [f"department_{number:02}" for number in range(DEPARTMENTS)]
        session.add_all(DepartmentRow(key=key, title=key, authority="police", created_at=NOW) for key in keys)
        session.flush()
        session.execute(sa.text("CREATE TEMPORARY TABLE term (n INTEGER, received_on DATE, yellow_on DATE, due_on DATE)"))
        session.execute(sa.text("INSERT INTO term VALUES (:n, :received_on, :yellow_on, :due_on)"), terms())
        elements = " ".join(f"WHEN {n} THEN '{element}'" for n, element in enumerate(ELEMENTS))
        numbers = f"WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {tickets})"
        at = "'2026-11-01 00:00:00'" if store.is_sqlite else "TIMESTAMPTZ '2026-11-01 00:00:00Z'"
        text = {
            "elements": elements,
            "numbers": numbers,
            "at": at,
            "departments": DEPARTMENTS,
            "days": DAYS,
        }
        session.execute(sa.text(TICKETS.format(**text)))
        session.execute(sa.text(CLOCKS.format(**text)))
    with store.session() as session, session.begin():
        session.execute(sa.text("ANALYZE"))


def terms() -> list[dict[str, Any]]:
    calendar, rules = shipped_calendar(), load_ticket_rules().lights
    days = [TODAY - timedelta(days=n) for n in range(DAYS)]
    return [
        {"n": n, "received_on": day, "yellow_on": yellow_from(day, 10, calendar, rules), "due_on": calendar.after(day, 10).day}
        for n, day in enumerate(days)
    ]


PADDED = "CASE WHEN n.n * 7 % {departments} < 10 THEN 'department_0' ELSE 'department_' END || (n.n * 7 % {departments})"
STANDING = "(n.n % 10 = 0)"
TICKETS = f"""
    INSERT INTO ticket (id, kind, topic, origin, department_key, element, about, description, round, state, standing, verdict, received_on,
      limit_days, yellow_on, due_on, provisional, closed_on, items, items_open, items_awaiting, items_contested, items_at_door, reroutes,
      reopened, version, created_at)
    {{numbers}}
    SELECT n.n, CASE WHEN n.n % 50 = 0 THEN 'use' ELSE 'correction' END, '', 'reconciliation', {PADDED},
      CASE n.n / 100 % 10 {{elements}} END, '', '', 1,
      CASE WHEN {STANDING} THEN CASE n.n / 10 % 4 WHEN 0 THEN 'raised' WHEN 1 THEN 'checking' WHEN 2 THEN 'awaiting' ELSE 'contested' END
        ELSE 'closed' END,
      {STANDING}, '', t.received_on, 10, t.yellow_on, t.due_on, false, CASE WHEN {STANDING} THEN NULL ELSE t.yellow_on END,
      20, CASE WHEN {STANDING} THEN 20 ELSE 0 END, 0, 0, 0, 0, 0, 1, {{at}}
    FROM number n JOIN term t ON t.n = n.n * 13 % {{days}}"""
CLOCKS = f"""
    INSERT INTO clock (subject, subject_id, clock, owed_by, started_at, started_on, days, extended_days, due_on, provisional,
      calendar_version, stopped_at, stopped_on, outcome)
    {{numbers}}
    SELECT 'ticket', n.n, 'correction', {PADDED}, {{at}}, t.received_on, 10, 0, t.due_on, false, 1,
      CASE WHEN {STANDING} THEN NULL ELSE {{at}} END, CASE WHEN {STANDING} THEN NULL ELSE t.yellow_on END,
      CASE WHEN {STANDING} THEN NULL ELSE 'done' END
    FROM number n JOIN term t ON t.n = n.n * 13 % {{days}}"""

Turn = Callable[[Session, str | None], object]


def _of(**wanted: Any) -> Turn:
    return lambda session, after: list_tickets(session, Wanted(**wanted), TODAY, after=after)


def _tasks(**wanted: Any) -> Turn:
    return lambda session, after: list_tasks(session, TODAY, after=after, **wanted)


LISTS: Mapping[str, Turn] = {
    "all that stand": _of(),
    "all that have ended": _of(ended=True),
    "of a department": _of(department="department_07"),
    "of a department, ended": _of(department="department_07", ended=True),
    "of a department and an element": _of(department="department_07", element="phone"),
    "of an element": _of(element="phone"),
    "of a department, one state": _of(department="department_07", state=State.CONTESTED),
    "one state": _of(state=State.AWAITING),
    "a state that none has": _of(state=State.DISPUTED),
    "objections": _of(kind=Kind.USE),
    "a kind that none has": _of(kind=Kind.OTHER),
    "red": _of(light=Light.RED),
    "yellow": _of(light=Light.YELLOW),
    "green": _of(light=Light.GREEN),
    "red of a department": _of(department="department_07", light=Light.RED),
    "green of a department and an element": _of(department="department_07", element="phone", light=Light.GREEN),
    "objections of a department": _of(department="department_07", kind=Kind.USE),
    "an element in one state": _of(element="phone", state=State.CONTESTED),
    "raised by a department that raised none": _of(raised_by_department="department_07"),
    "running tasks": _tasks(),
    "running tasks of a department": _tasks(department="department_07"),
    "red tasks": _tasks(light=Light.RED),
    "yellow tasks": _tasks(light=Light.YELLOW),
    "green tasks of a department": _tasks(department="department_07", light=Light.GREEN),
    "what the bureau owes": _tasks(department="data_bureau"),
}


def pages(store: Store, turn: Turn) -> dict[str, float]:
    """The first page, and pages at places spread over the due dates."""
    first, last = TODAY - timedelta(days=DAYS), TODAY + timedelta(days=20)
    step = (last - first) / PLACES
    places = [None, *(f"{(first + step * n).isoformat()}/{n * 1_000}" for n in range(PLACES))]
    _page(store, turn, None)
    taken = sorted(min(_again(store, turn, place)) for place in places)
    return {"median_ms": _ms(taken[len(taken) // 2]), "p95_ms": _ms(taken[int(len(taken) * 0.95)]), "slowest_ms": _ms(taken[-1])}


def _again(store: Store, turn: Turn, after: str | None) -> list[float]:
    taken = [_page(store, turn, after)]
    while taken[-1] > ALLOWED and len(taken) < TIMES:
        taken.append(_page(store, turn, after))
    return taken


def _page(store: Store, turn: Turn, after: str | None) -> float:
    with store.session() as session:
        return timed(lambda: turn(session, after))


def handed_over(folder: Path, conflicts: int) -> dict[str, Any]:
    """A golden version with so many rivals over 20 data sets and 10 elements; handed over, then the same version's successor."""
    home = Home(folder / "home")
    home.create()
    store, lake = open_store(home.store_url), Lake(home.lake_root)
    register(store)
    write_golden(lake, 1, conflicts)
    write_golden(lake, 2, conflicts)
    found: dict[str, Any] = {"conflicts": conflicts}
    for version in (1, 2):
        commit(store, version)
        begun = time.perf_counter()
        with another_writer(store) as waits_s:
            done = hand_over(store, lake, now=NOW)
        assert done is not None
        found[f"longest_wait_of_another_s_{version}"] = round(max(waits_s), 2)
        found[f"seconds_of_version_{version}"] = round(time.perf_counter() - begun, 1)
        found[f"items_opened_by_version_{version}"] = done.items_opened
        found[f"tickets_opened_by_version_{version}"] = done.tickets_opened
    found["peak_gib"] = round(getrusage(RUSAGE_SELF).ru_maxrss / 2**20, 2)
    found["store_gib"] = round(home.store_path.stat().st_size / 2**30, 2)
    store.close()
    return found


@contextmanager
def another_writer(store: Store) -> Iterator[list[float]]:
    """Somebody who writes a row all the time: how long he waited for each, in seconds."""
    waits_s, over = [0.0], Event()

    def write() -> None:
        while not over.wait(WRITES_EVERY_S):
            begun = time.perf_counter()
            with store.session() as session, session.begin():
                session.merge(DepartmentRow(key="another_writer", title=str(begun), created_at=NOW))
            waits_s.append(time.perf_counter() - begun)

    thread = Thread(target=write)
    thread.start()
    try:
        yield waits_s
    finally:
        over.set()
        thread.join()


def register(store: Store) -> None:
    kinds = {"share": "conditional", "update_frequency": "每月", "verified": False, "about_persons": True, "source_of_record": []}
    facts = {"server": {"type": "local", "base": "."}, "items": {}, "contract_version": 1, "registered_at": NOW, "changed_at": NOW}
    column = {"level": "L2", "share": "conditional", "logical_type": "string", "required": False, "items": {}}
    counts = {"rows_raw": 1, "rows_standard": 1, "contract_version": 1, "rules_version": "r", "source_digest": "d", "received_at": NOW}
    with store.session() as session, session.begin():
        for number in range(20):
            key = f"set_{number:02}"
            session.add(DepartmentRow(key=f"department_{number:02}", title=key, authority="tax", created_at=NOW))
            session.flush()
            session.add(DatasetRow(key=key, title=key, department_key=f"department_{number:02}", **kinds, **facts))
            session.flush()
            session.add(SnapshotRow(dataset_key=key, version=1, state="accepted", **counts))
            for place, name in enumerate(ELEMENTS):
                names = {"name": name, "physical_name": name, "title": name, "element": name}
                session.add(DatasetColumnRow(dataset_key=key, position=place, **names, **column))


def commit(store: Store, version: int) -> None:
    with store.session() as session, session.begin():
        run = ReconcileRunRow(full=True, state="done", message="", started_at=NOW)
        session.add(run)
        session.flush()
        facts = {"inputs_digest": "0" * 64, "rules_version": "0" * 12, "counts": {}, "created_at": NOW, "residents": 1, "records": 1}
        session.add(GoldenVersionRow(version=version, run_id=run.id, **facts))
        session.flush()
        session.add_all(GoldenInputRow(golden_version=version, dataset_key=f"set_{number:02}", snapshot_version=1) for number in range(20))


def write_golden(lake: Lake, version: int, conflicts: int) -> None:
    """Residents with ten golden values each, of which two data sets hold another."""
    folder = golden_folder(lake, version)
    folder.mkdir(parents=True)
    elements = ", ".join(f"'{element}'" for element in ELEMENTS)
    who = "'R' || lpad(r::VARCHAR, 10, '0') AS resident_id"
    residents = conflicts // (2 * len(ELEMENTS))
    each = f"FROM range({residents}) t(r), (SELECT unnest([{elements}]) AS element)"
    queries = {
        "values": f"SELECT {who}, element, 'v' AS value, 'set_00' AS dataset, 'a' || r AS record, '2026-01-01' AS observed_on, "
        f".999 AS confidence, 'ok' AS status, 'v' AS value_of_record {each}",
        "rivals": f"SELECT {who}, element, 'w' AS value, printf('set_%02d', (r + s) % 19 + 1) AS dataset, s || '-' || r AS record, "
        f"'2025-01-01' AS observed_on {each}, range(2) u(s)",
        "crosswalk": f"SELECT 'set_00' AS dataset, 'a' || r AS record, {who} FROM range({residents}) t(r)",
    }
    with duckdb.connect() as con:
        for name, sql in queries.items():
            con.execute(f"COPY ({sql}) TO '{folder / name}.parquet' (FORMAT parquet)")


def rightness(home: Home) -> dict[str, Any]:
    """Of the conflicts of the newest golden version: in how many the record that is asked about differs from the district's truth."""
    store, lake, truth = open_store(home.store_url), Lake(home.lake_root), home.root / "district" / "truth"
    with store.session() as session:
        folder = golden_folder(lake, session.scalars(sa.select(sa.func.max(GoldenVersionRow.version))).one())
        datasets = load_datasets(session)
    with duckdb.connect() as con:
        list_conflicts(con, folder, datasets, load_ticket_rules())
        known = [row[0] for row in con.execute(f"DESCRIBE FROM '{truth}/residents.parquet'").fetchall() if row[0] != "resident"]
        columns = ", ".join(f'"{name}"::VARCHAR AS "{name}"' for name in known)
        con.execute(f"""
            CREATE TEMP TABLE judged AS
            SELECT c.element, r.value IS DISTINCT FROM t.value AS wrong
            FROM conflicts c JOIN {relation(folder, "rivals")} r USING (dataset, record, element)
            JOIN '{truth}/records.parquet' p USING (dataset, record)
            JOIN (UNPIVOT (SELECT resident, {columns} FROM '{truth}/residents.parquet')
              ON COLUMNS(* EXCLUDE resident) INTO NAME element VALUE value) t ON t.resident = p.resident AND t.element = c.element""")
        counted = "count(*), round(avg(wrong::INT), 4)"
        rows = con.execute(f"SELECT element, {counted} FROM judged GROUP BY element ORDER BY 2 DESC").fetchall()
        total, share = con.execute(f"SELECT {counted} FROM judged").fetchall()[0]
    return {"items": total, "wrong_at_the_source": share, "by_element": {element: [items, wrong] for element, items, wrong in rows}}


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _ms(seconds: float) -> float:
    return round(seconds * 1_000, 1)


if __name__ == "__main__":
    main()
