"""Who has seen a resident, and searches, over a log of 10 M records with bulk answers in them; to bench/results/auditors.json.

`python -m bench.auditors [--records N] [--bulk N] [--folder F]`: look-ups as the door records them (INTENT and RESULT), every so often a
bulk answer with its population on file, written straight into the log's table and sealed by the log itself; then indexed and asked. A
question is timed as an auditor asks it: admitted, found, read from the log, and its own record sealed on disk.
"""

import argparse
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from access.accounts import Role, create_account, ensure_operator
from access.door import create_keys
from access.populations import Population
from access.readers import Reader
from audit.log import Log, open_log
from audit.records import decode
from catalog.home import Home
from catalog.store import open_store
from oversight.reading_room import ReadingRoom
from oversight.search import Terms, search, seen

RESULTS = Path(__file__).parent / "results" / "auditors.json"
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = BEGUN + timedelta(days=30)
RESIDENTS, ACTORS, DEPARTMENTS, GRANTS = 613_500, 3_000, 65, 400
ROWS_A_COMMIT = 100_000
QUESTIONS = 200
AUDITOR = Reader(name="auditor", purpose="基准测试 benchmark")
DIGEST = "0" * 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--bulk", type=int, default=2_000)
    parser.add_argument("--folder", type=Path, help="Where the log is made; needs about 1 GB per million records.")
    asked = parser.parse_args()
    with TemporaryDirectory(dir=asked.folder) as folder:
        found = measure(Home(Path(folder) / "home"), asked.records, asked.bulk)
    print(json.dumps(found, ensure_ascii=False, indent=1))
    RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def measure(home: Home, records: int, bulk: int) -> dict[str, Any]:
    home.create()
    create_keys(home)
    store, log = open_store(home.store_url), open_log(home.audit_url, home.keys, clock=lambda: NOW)
    ensure_operator(store, NOW)
    create_account(store, log, by="operator", name="auditor", title="审计员", department=None, roles=[Role.AUDITOR], now=NOW)
    found: dict[str, Any] = {"records": records, "bulk_answers": bulk, "load_average_before": round(os.getloadavg()[0], 1)}
    found["written_seconds"] = timed(lambda: fill(home, log, records, bulk))
    found["sealed_seconds"] = timed(lambda: log.seal())
    begun = time.perf_counter()
    with ReadingRoom(store, home, log, lambda: NOW) as room:
        found["indexed_seconds"] = round(time.perf_counter() - begun, 1)
        found["log_gb"] = round(home.audit_path.stat().st_size / 1e9, 2)
        found["index_gb"] = round(home.finding_path.stat().st_size / 1e9, 2)
        found |= ask(room)
    return found


def ask(room: ReadingRoom) -> dict[str, Any]:
    chance = Random(2)
    residents = [f"R{chance.randrange(RESIDENTS):010}" for _ in range(QUESTIONS)]
    answers = [seen(room, AUDITOR, resident) for resident in residents[:5]]
    questions: dict[str, Callable[[int], object]] = {
        "seen": lambda n: seen(room, AUDITOR, residents[n]),
        "seen_in_a_month": lambda n: seen(room, AUDITOR, residents[n], since=MONTH, until=MONTH + timedelta(days=30)),
        "by_actor": lambda n: search(room, AUDITOR, Terms(actor=f"a{n}")),
        "by_actor_and_subject": lambda n: search(room, AUDITOR, Terms(actor=f"a{n}", subject=residents[n])),
        "by_department_denied": lambda n: search(room, AUDITOR, Terms(department=f"d{n % DEPARTMENTS}", action="denied")),
        "by_grant_and_day": lambda n: search(
            room, AUDITOR, Terms(grant=n, since=BEGUN + timedelta(days=n % 90), until=BEGUN + timedelta(days=n % 90 + 1))
        ),
    }
    told = {
        "direct_of_the_first_five": [answer.direct for answer in answers],
        "bulk_of_the_first_five": [answer.bulk for answer in answers],
    }
    return told | {name: milliseconds(question) for name, question in questions.items()}


def milliseconds(question: Callable[[int], object]) -> dict[str, float]:
    took = sorted(timed_ms(lambda n=n: question(n)) for n in range(QUESTIONS))  # type: ignore[misc]
    return {"p50": took[len(took) // 2], "p95": took[int(len(took) * 0.95)], "max": took[-1]}


def timed_ms(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return round((time.perf_counter() - begun) * 1e3, 1)


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return round(time.perf_counter() - begun, 1)


def fill(home: Home, log: Log, records: int, bulk: int) -> None:
    """Straight into the table, as `Log.append` would write them; a sample is decoded to see that they are canonical."""
    con = sqlite3.connect(home.audit_path, isolation_level=None)
    con.execute("PRAGMA synchronous=OFF")
    first = log.size()
    rows = entries(home, log, first, records, bulk)
    while True:
        batch = [row for _, row in zip(range(ROWS_A_COMMIT), rows, strict=False)]
        if not batch:
            break
        decode(batch[0][1])
        con.execute("BEGIN IMMEDIATE")
        con.executemany("INSERT INTO entry VALUES (?, ?)", batch)
        con.execute("UPDATE head SET next_seq = ?", (batch[-1][0] + 1,))
        con.execute("COMMIT")
    con.close()


def entries(home: Home, log: Log, first: int, records: int, bulk: int) -> Iterator[tuple[int, bytes]]:
    chance = np.random.default_rng(1)
    hashes = [log.subject("resident", f"R{number:010}") for number in range(RESIDENTS)]
    pairs = records // 2
    actors, subjects = chance.zipf(1.3, pairs) % ACTORS, chance.integers(0, RESIDENTS, pairs)
    gap, every = timedelta(days=180) / pairs, max(1, pairs // bulk)
    for pair in range(pairs):
        seq, at = first + 2 * pair, (BEGUN + gap * pair).isoformat(timespec="microseconds")
        actor = int(actors[pair])
        if pair % every == every - 1:
            yield from bulk_answer(home, seq, at, actor, chance)
        else:
            yield from look_up(seq, at, actor, hashes[subjects[pair]], denied=pair % 97 == 0)


def look_up(seq: int, at: str, actor: int, subject: str, *, denied: bool) -> Iterator[tuple[int, bytes]]:
    who = f'"actor":"a{actor}","areas":[],"by":"resident_id","case_number":"C{seq % 900_000}","department":"d{actor % DEPARTMENTS}"'
    what = f'"grant":{actor % GRANTS},"holder":"h","means":"session","means_number":{actor},"policy_version":1,"purpose":"办理业务"'
    terms = f'"rules_version":"0","subject":"{subject}","target":"golden","target_version":1,"tier":"T3"'
    yield seq, f'{{"at":"{at}","body":{{{who},{what},{terms}}},"event":"access:look_up:intent","v":1}}'.encode()
    if denied:
        end = f'{{"at":"{at}","body":{{"intent":{seq},"why":"DOOR-FAULT"}},"event":"access:look_up:aborted","v":1}}'
    else:
        told = f'"digest":"{DIGEST}","intent":{seq},"outcome":"found","residents":1,"rows":1,"subjects":["{subject}"]'
        end = f'{{"at":"{at}","body":{{"columns":["name","phone"],{told}}},"event":"access:look_up:result","v":1}}'
    yield seq + 1, end.encode()


def bulk_answer(home: Home, seq: int, at: str, actor: int, chance: np.random.Generator) -> Iterator[tuple[int, bytes]]:
    """In turn: everybody but a few, those of an area, and a tenth from everywhere."""
    start, size = int(chance.integers(0, RESIDENTS - 60_000)), int(chance.integers(20_000, 60_000))
    kinds = (
        lambda: np.delete(np.arange(RESIDENTS), chance.integers(0, RESIDENTS, 500)),
        lambda: np.arange(start, start + size),
        lambda: np.flatnonzero(chance.random(RESIDENTS) < 0.1),
    )
    numbers = kinds[seq // 2 % 3]()
    population = Population()
    population.add(pa.array([f"R{number:010}" for number in numbers.tolist()], pa.string()))
    digest, residents = population.keep(home.populations), len(numbers)
    who = f'"actor":"a{actor}","department":"d{actor % DEPARTMENTS}","format":"csv","grant":{actor % GRANTS},"holder":"h"'
    yield (
        seq,
        f'{{"at":"{at}","body":{{{who},"purpose":"低保核查","target":"golden","target_version":1}},"event":"access:extract:intent","v":1}}'.encode(),
    )
    told = f'"digest":"{DIGEST}","format":"csv","intent":{seq},"population":"{digest}","residents":{residents},"rows":{residents}'
    yield seq + 1, f'{{"at":"{at}","body":{{{told}}},"event":"access:extract:result","v":1}}'.encode()


if __name__ == "__main__":
    main()
