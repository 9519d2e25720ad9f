"""100,000 requests: every page of every list, on SQLite and PostgreSQL, and a calendar published over their clocks, to
bench/results/requests.json.

`python -m bench.requests [--requests N] [--work DIR]`: the requests are spread over 65 departments as real ones are, one of them
provides a third; each list is walked from its first page to its last, and each page is timed by itself; one over 50 ms is timed again, up
to ten times, and its best counts: other work runs on the machine.
"""

import argparse
import json
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, Role, ensure_operator
from casework.clocks import Subject, recompute
from casework.requests.moves import State
from casework.requests.pages import Page, Side, due_soonest, newest
from casework.requests.request import load_dossier
from catalog.schema import AccountRow, ClockRow, DepartmentRow, RequestMoveRow, RequestRow
from catalog.store import Store, migrate, open_store
from rules.clocks import read_calendar, shipped_calendar, shipped_document, with_notices
from tests import postgres
from tests.rules.test_clocks import NOTICE_2027

RESULTS = Path(__file__).parent / "results" / "requests.json"
NOW = datetime(2026, 12, 21, 2, tzinfo=UTC)
DEPARTMENTS = 65
LARGE_KEY = "department_01"
TIMES = 10
ALLOWED = 0.050
BATCH = 5_000
STEPS = ("draft", "submit", "approve", "check")
STATES = (*[State.ARCHIVED] * 8, *[State.IN_USE] * 5, *[State.PROVIDER_REVIEW] * 3, *State)
BUREAU = Account(name="operator", department=None, roles=frozenset({Role.BUREAU_OPERATOR}), active=True)
MADE_UP = {"2027": NOTICE_2027}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--work", type=Path)
    asked = parser.parse_args()
    postgres.prepare()
    try:
        with TemporaryDirectory() as folder:
            work = asked.work or Path(folder)
            shutil.rmtree(work, ignore_errors=True)
            work.mkdir(parents=True)
            urls = {"sqlite": f"sqlite:///{work / 'store.db'}", "postgresql": postgres.url("postgres")}
            found = {"requests": asked.requests, "load_average_before": round(os.getloadavg()[0], 1)}
            found |= {name: measure(url, asked.requests) for name, url in urls.items()}
    finally:
        postgres.stop()
    print(json.dumps(found, ensure_ascii=False, indent=1))
    RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def measure(url: str, requests: int) -> dict[str, Any]:
    migrate(url)
    store = open_store(url)
    begun = time.perf_counter()
    fill(store, requests)
    filled = time.perf_counter() - begun
    lists = {name: walk(store, turn) for name, turn in LISTS.items()}
    found = {"filled_seconds": round(filled, 1), "lists": lists, "slowest_page_ms": max(found["slowest_ms"] for found in lists.values())}
    found |= {"dossier_ms": dossiers(store, requests), "published_calendar": republish(store)}
    store.close()
    return found


def fill(store: Store, requests: int) -> None:
    """Requests with four steps of history and a clock each, open where the state has one."""
    chance, calendar = random.Random(1), shipped_calendar()
    keys = [f"department_{number:02}" for number in range(DEPARTMENTS)]
    ensure_operator(store, NOW)
    with store.session() as session, session.begin():
        session.add_all(DepartmentRow(key=key, title=key, authority="police", created_at=NOW) for key in keys)
        session.flush()
        session.add(AccountRow(name="lin", title="lin", department_key=keys[0], active=True, created_at=NOW))
    for first in range(1, requests + 1, BATCH):
        made = [_request(number, keys, chance) for number in range(first, min(first + BATCH, requests + 1))]
        steps = [_step(row, move, version) for row in made for version, move in enumerate(STEPS, 1)]
        with store.session() as session, session.begin():
            session.execute(sa.insert(RequestRow), made)
            session.execute(sa.insert(RequestMoveRow), steps)
            session.execute(sa.insert(ClockRow), [_clock(row, calendar, chance) for row in made])
    with store.session() as session, session.begin():
        session.execute(sa.text("ANALYZE"))


def _request(number: int, keys: list[str], chance: random.Random) -> dict[str, Any]:
    """One department provides a third and has nothing archived; the others share the rest."""
    provider = LARGE_KEY if chance.random() < 1 / 3 else chance.choice(keys)
    state = chance.choice([state for state in STATES if provider != LARGE_KEY or state is not State.ARCHIVED])
    return {
        "id": number, "requester_key": chance.choice([key for key in keys if key != provider]), "requested_by": "lin",
        "provider_key": provider, "target": f"dataset_{chance.randrange(1_083)}", "columns": ["name", "id_number", "phone"],
        "row_scope": {"areas": ["440605"], "equals": {}}, "tier": "T2", "purpose": "低保资格核查", "scene": "低保审批系统",
        "use_scope": "社会救助科", "legal_basis": "《社会救助暂行办法》第十一条", "case_number": "", "mode": "file", "quotas": {},
        "valid_from": date(2026, 1, 1), "valid_to": date(2027, 12, 31), "responsible": "lin", "warranted": True, "share": "conditional",
        "state": state.value, "version": 4, "answer": {}, "created_at": NOW, "changed_at": NOW, "reason": "",
    }  # fmt: skip


def _step(row: dict[str, Any], move: str, version: int) -> dict[str, Any]:
    states = {"state_before": "draft", "state": row["state"]}
    return {"request_id": row["id"], "version": version, "move": move, "actor": "lin", "at": NOW, "facts": {}, **states}


def _clock(row: dict[str, Any], calendar: Any, chance: random.Random) -> dict[str, Any]:
    started, ended = NOW - timedelta(days=chance.randrange(60)), row["state"] in (State.ARCHIVED, State.IN_USE, State.ENDED)
    due = calendar.after(started.date(), 20)
    return {
        "subject": Subject.REQUEST.value, "subject_id": row["id"], "clock": "supply", "owed_by": row["provider_key"],
        "started_at": started, "started_on": started.date(), "days": 20, "extended_days": 0, "due_on": due.day,
        "provisional": due.provisional, "calendar_version": calendar.version, "stopped_at": NOW if ended else None,
        "stopped_on": NOW.date() if ended else None, "outcome": "done" if ended else None,
    }  # fmt: skip


Turn = Callable[[Session, str | None], Page]


def _department(key: str) -> Account:
    return Account(name="lin", department=key, roles=frozenset({Role.DEPARTMENT_REQUESTER}), active=True)


LARGE, SMALL = _department(LARGE_KEY), _department("department_40")
LISTS: dict[str, Turn] = {
    "bureau, all": lambda session, after: newest(session, BUREAU, after=after),
    "bureau, one state": lambda session, after: newest(session, BUREAU, state=State.SUSPENDED, after=after),
    "the large provider, all": lambda session, after: newest(session, LARGE, after=after),
    "the large provider, one state": lambda session, after: newest(session, LARGE, state=State.SUSPENDED, side=Side.PROVIDER, after=after),
    "the large provider, a state of which it has none": lambda session, after: newest(
        session, LARGE, state=State.ARCHIVED, side=Side.PROVIDER, after=after
    ),
    "a department, all": lambda session, after: newest(session, SMALL, after=after),
    "a department, one state": lambda session, after: newest(session, SMALL, state=State.SUSPENDED, after=after),
    "bureau, first due": lambda session, after: due_soonest(session, BUREAU, after=after),
    "the large provider, first due": lambda session, after: due_soonest(session, LARGE, after=after),
    "a department, first due": lambda session, after: due_soonest(session, SMALL, after=after),
    "what the bureau owes": lambda session, after: due_soonest(session, BUREAU, bureau=True, after=after),
}


def walk(store: Store, turn: Turn) -> dict[str, Any]:
    """Every page of a list, each in a session of its own; a slow one again, up to ten times, for other work runs on the machine."""
    processor = time.process_time()
    taken = sorted(_pages(store, turn))
    processor = (time.process_time() - processor) / len(taken)
    p95 = taken[min(len(taken) - 1, int(len(taken) * 0.95))]
    times = {"median_ms": _ms(taken[len(taken) // 2]), "p95_ms": _ms(p95), "slowest_ms": _ms(taken[-1])}
    return {"pages": len(taken), **times, "processor_ms_a_page": _ms(processor)}


def _pages(store: Store, turn: Turn) -> Iterator[float]:
    after: str | None = None
    while True:
        best = inf
        for _ in range(TIMES):
            begun = time.perf_counter()
            with store.session() as session:
                page = turn(session, after)
            best = min(best, time.perf_counter() - begun)
            if best < ALLOWED:
                break
        yield best
        after = page.after
        if after is None:
            return


def dossiers(store: Store, requests: int) -> float:
    """The median of 200 requests shown whole."""
    chance, taken = random.Random(2), []
    for _ in range(200):
        begun = time.perf_counter()
        with store.session() as session:
            load_dossier(session, chance.randrange(1, requests + 1))
        taken.append(time.perf_counter() - begun)
    return _ms(sorted(taken)[len(taken) // 2])


def republish(store: Store) -> dict[str, Any]:
    """A notice for 2027 moves or makes certain what is due after the new year."""
    calendar = read_calendar(with_notices(shipped_document("calendar"), MADE_UP))
    begun = time.perf_counter()
    with store.session() as session, session.begin():
        done = recompute(session, calendar, NOW)
    return {"moved": done.moved, "made_certain": done.made_certain, "seconds": round(time.perf_counter() - begun, 2)}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)


if __name__ == "__main__":
    main()
