"""Explanation first, then the ranking, on a synthetic log of a million records with planted misuse; to bench/results/misuse.json.

`python -m bench.misuse [--looks N] [--seeds N …]`: `district.trail` makes half a year of looks with 15 kinds of misuse; they are written as
the door records them (INTENT and RESULT), read back from the log, explained, and ranked. Asked: the top 1 % of accounts holds 90 % of those
that misuse. For each rule its lift: how much more often an access that it points at is planted than one drawn at random.
"""

import argparse
import json
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from audit.log import open_log
from audit.records import decode
from district.trail import BEGUN, CLASSES, DAYS, NO_CASE, NOT_FOUND, Trail, make_trail
from oversight.alerts import raise_alerts
from oversight.explaining import explain, make_facts
from oversight.looks import gather_looks
from oversight.ranking import Ranked, rank
from rules.clocks import shipped_calendar
from rules.oversight import Yardsticks, load_yardsticks

RESULTS = Path(__file__).parent / "results" / "misuse.json"
ACTORS, RESIDENTS, DEPARTMENTS, EACH = 5_000, 200_000, 40, 2
COLUMNS = {"other": "name", "health_and_transactions": "disability_level", "tracks_and_property": "wage"}
CHINA_OFFSET = np.timedelta64(8, "h")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", type=int, default=500_000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12])
    asked = parser.parse_args()
    found: dict[str, Any] = {"load_average_before": round(os.getloadavg()[0], 1), "accounts": ACTORS, "misusing": EACH * 15}
    for seed in asked.seeds:
        trail = make_trail(seed, actors=ACTORS, looks=asked.looks, residents=RESIDENTS, departments=DEPARTMENTS, each=EACH)
        with TemporaryDirectory() as folder:
            found[f"seed_{seed}"] = measure(Path(folder), trail)
    print(json.dumps(found, ensure_ascii=False, indent=1))
    RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def measure(folder: Path, trail: Trail) -> dict[str, Any]:
    log = open_log(f"sqlite:///{folder / 'audit.db'}", folder / "keys")
    write_trail(folder / "audit.db", trail)
    begun = time.perf_counter()
    with duckdb.connect() as con:
        gather_looks(con, log, load_yardsticks(), 0, log.size())
        gathered = time.perf_counter()
        ranked = look_into(con, trail, load_yardsticks())
        told = {
            "records": log.size(),
            "read_seconds": round(gathered - begun, 1),
            "ranked_seconds": round(time.perf_counter() - gathered, 1),
        }
        found = told | recall_of(ranked, trail) | {"rules": lifts(con, trail), **explained_shares(con, trail)}
    log.close()
    return found


def look_into(con: duckdb.DuckDBPyConnection, trail: Trail, yardsticks: Yardsticks) -> list[Ranked]:
    """All accounts, those that surprise most first."""
    make_facts(con)
    tell_facts(con, trail)
    explain(con)
    raise_alerts(con, yardsticks)
    return rank(con, yardsticks, len(trail.department))


def recall_of(ranked: list[Ranked], trail: Trail) -> dict[str, Any]:
    top = [int(one.actor[1:]) for one in ranked[: len(trail.department) // 100]]
    places = {int(one.actor[1:]): place for place, one in enumerate(ranked, start=1)}
    caught, all_of = Counter(trail.truth[actor] for actor in top if actor in trail.truth), Counter(trail.truth.values())
    missed = {
        kind: [places.get(actor) for actor, its in trail.truth.items() if its == kind] for kind in all_of if caught[kind] < all_of[kind]
    }
    total = sum(caught.values())
    return {
        "in_the_top_1_percent": round(total / len(trail.truth), 3),
        "precision_of_the_top_1_percent": round(total / len(top), 3),
        "places_where_one_was_missed": missed,
    }


def lifts(con: duckdb.DuckDBPyConnection, trail: Trail) -> dict[str, Any]:
    """By rule: accesses that it points at, how many of them are planted, and how often that is what a random sample holds."""
    con.register("planted_rows", pa.table({"seq": result_seqs(len(trail.looks.kind)), "planted": trail.looks.kind >= 0}))
    rows = con.execute(
        """SELECT rule, count(*), count(*) FILTER (planted), avg(planted::INT) / (SELECT avg(planted::INT) FROM planted_rows)
        FROM alert JOIN planted_rows USING (seq) GROUP BY rule ORDER BY 4 DESC"""
    ).fetchall()
    return {rule: {"accesses": accesses, "planted": planted, "lift": round(lift, 1)} for rule, accesses, planted, lift in rows}


def explained_shares(con: duckdb.DuckDBPyConnection, trail: Trail) -> dict[str, float]:
    rows = con.execute(
        """SELECT planted, avg((seq IN (SELECT seq FROM explained))::INT) FROM planted_rows GROUP BY planted ORDER BY planted"""
    ).fetchall()
    return {f"explained_of_{'planted' if planted else 'honest'}": round(share, 3) for planted, share in rows}


def write_trail(path: Path, trail: Trail) -> None:
    """Two records a look, straight into the table of an empty log; one is decoded to see that they are canonical."""
    rows = list(records(trail))
    decode(rows[0][1])
    decode(rows[1][1])
    con = sqlite3.connect(path, isolation_level=None)
    con.execute("PRAGMA synchronous=OFF")
    con.execute("BEGIN IMMEDIATE")
    con.executemany("INSERT INTO entry VALUES (?, ?)", rows)
    con.execute("UPDATE head SET next_seq = ?", (len(rows),))
    con.execute("COMMIT")
    con.close()


def records(trail: Trail) -> Iterator[tuple[int, bytes]]:
    looks, department = trail.looks, trail.department
    times = np.datetime_as_string(BEGUN + looks.at.astype("timedelta64[us]") - CHINA_OFFSET, unit="us")
    columns = zip(looks.actor.tolist(), times.tolist(), looks.subject.tolist(), looks.case.tolist(), looks.origin.tolist(), strict=True)
    for number, ((actor, at, subject, case, origin), klass) in enumerate(zip(columns, looks.klass.tolist(), strict=True)):
        seq, hashed = 2 * number, subject_hash(subject if subject != NOT_FOUND else -2 - number)
        with_case = "" if case == NO_CASE else f'"case_number":"C{case}",'
        who = f'"actor":"a{actor}",{with_case}"department":"d{department[actor]}","grant":1,"holder":"h","origin":"o{origin}"'
        yield seq, f'{{"at":"{at}+00:00","body":{{{who},"subject":"{hashed}"}},"event":"access:look_up:intent","v":1}}'.encode()
        found = "not_found" if subject == NOT_FOUND else "found"
        subjects = "" if subject == NOT_FOUND else f'"{hashed}"'
        told = f'"columns":["{COLUMNS[CLASSES[klass]]}"],"intent":{seq},"outcome":"{found}","subjects":[{subjects}]'
        yield seq + 1, f'{{"at":"{at}+00:00","body":{{{told}}},"event":"access:look_up:result","v":1}}'.encode()


def result_seqs(count: int) -> np.ndarray:
    return np.arange(count) * 2 + 1


def subject_hash(number: int) -> str:
    return blake2b(f"{number}".encode(), digest_size=16).hexdigest()


def tell_facts(con: duckdb.DuckDBPyConnection, trail: Trail) -> None:
    """What the store, the golden records and the personnel list would say."""
    hashes = np.array([subject_hash(number) for number in range(len(trail.surname))])
    actors = np.arange(len(trail.department))
    local = trail.holder >= 0
    held = np.where(local, trail.holder, 0)
    client = {
        "department": np.concatenate([np.full(len(some), f"d{d}") for d, some in trail.client.items()]),
        "subject": hashes[np.concatenate(list(trail.client.values()))],
    }
    person = {"subject": hashes, "surname": texts("s", trail.surname), "place": texts("p", trail.place), "rank": trail.rank}
    holder = {
        "actor": texts("a", actors),
        "surname": pa.array(texts("s", trail.surname[held]), mask=~local),
        "place": pa.array(texts("p", trail.place[held]), mask=~local),
        "subject": pa.array(hashes[held], mask=~local),
        "left_on": pa.array([trail.left_on.get(actor) for actor in actors.tolist()], pa.date32()),
    }
    case_file = {"case_number": texts("C", np.arange(len(trail.case_department))), "department": texts("d", trail.case_department)}
    days = [(BEGUN + np.timedelta64(day, "D")).astype("datetime64[D]").item() for day in range(DAYS)]
    rest = {"day": pa.array([day for day in days if not shipped_calendar().is_working(day)], pa.date32())}
    told = {"client": client, "person": {**person, "famous": trail.famous}, "holder": holder, "case_file": case_file, "rest_day": rest}
    for name, rows in told.items():
        con.register("told", pa.table(rows))
        con.execute(f"INSERT INTO {name} SELECT * FROM told")
        con.unregister("told")


def texts(letter: str, numbers: np.ndarray) -> np.ndarray:
    return np.char.add(letter, numbers.astype(str))


if __name__ == "__main__":
    main()
