"""Look-ups over HTTP at 5 M residents, each with its two durable records, on SQLite and PostgreSQL, to bench/results/look_up.json.

`python -m bench.look_up [--residents N] [--seconds S] [--work DIR]`: golden records are made up and published as a serving copy as always;
the server is `tongchou serve --only api` in a process of its own; the load comes from a third process over connections that stay open.
With `--work` the homes stay there, and a later run takes them as they are.

paced      so many questions a second are due, whatever the server does; a time counts from when its question was due
closed     so many connections, each of which asks again as soon as it has its answer

One question in ten is about nobody. Beside the figures stands the disk's own rate of fdatasync, for two of them are in every answer.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import uvloop

from access.accounts import Role, create_account, ensure_operator
from access.acts import Act
from access.api_keys import make_key
from access.desk import Due, Posed
from access.door import create_keys, open_door
from access.grants import grant
from access.inquiries import ByName, Inquiry, LookUp, person
from access.terms import Mode
from audit.log import open_log
from audit.verify import verify
from catalog.home import Home
from catalog.lake import Lake
from catalog.schema import GoldenVersionRow, ReconcileRunRow
from catalog.store import Store, open_store
from golden.serving import publish
from golden.versions import golden_folder
from rules.elements import person_elements
from rules.tiers import Tier
from tests import postgres

RESULTS = Path(__file__).parent / "results" / "look_up.json"
DURABLE = "-c max_connections=50 -c shared_buffers=1GB -c max_wal_size=4GB -c listen_addresses=''"
COLUMNS = [
    "resident_id",
    "name",
    "id_number",
    "sex",
    "birth_date",
    "phone",
    "residence_address",
    "grid_code",
    "marital_status",
    "education",
]
MADE_UP = {
    "resident_id": "'R' || lpad((i + 1)::VARCHAR, 10, '0')",
    "name": "['王','李','张','刘','陈','欧阳'][i % 6 + 1] || ['小明','丽','伟','建国','秀英','芳'][i // 6 % 6 + 1]",
    "id_number": "'990605' || strftime(born, '%Y%m%d') || lpad((i // 36500)::VARCHAR, 3, '0') || (i % 10)::VARCHAR",
    "sex": "(i % 2 + 1)::VARCHAR",
    "birth_date": "strftime(born, '%Y-%m-%d')",
    "ethnicity": "'01'",
    "phone": "'13' || lpad((i % 1000000000)::VARCHAR, 9, '0')",
    "residence_address": "'广东省佛山市南海区桂城街道南海大道' || (i % 900 + 1) || '号天湖郦都' || (i % 20 + 1) || '栋' || (i % 300)",
    "hukou_address": "'广东省佛山市南海区狮山镇博爱路' || (i % 700 + 1) || '号'",
    "grid_code": "'440605011' || lpad((i % 40)::VARCHAR, 3, '0') || lpad((i % 30)::VARCHAR, 3, '0')",
    "marital_status": "['10','20','30','40'][i % 4 + 1]",
    "education": "['20','60','70','80'][i // 4 % 4 + 1]",
    "employer": "'佛山市南海区第' || (i % 5000) || '有限公司'",
    "household_number": "lpad((i // 3)::VARCHAR, 9, '0')",
    "relation_to_head": "['01','12','21'][i % 3 + 1]",
}
EMPTY = {
    "values": ("resident_id", "element", "status"),
    "identities": ("resident_id", "status", "superseded_by"),
    "rivals": ("resident_id", "element", "value"),
}
"""Relations of a golden version without a row: nothing in dispute, nobody merged, no former number."""
FIRST_BIRTH = date(1926, 1, 1)
DAYS = 36_500
ONE_IN_NOBODY = 10
CONNECTIONS = 64
WARM_UP_S = 3.0
RATES = (1_000, 2_000, 2_500)
GROUPS = (1, 8, 32, 128)
SYNCS = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=5_000_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--load", nargs=6, metavar=("PORT", "KEY", "GRANT", "SEED", "HOW", "NUMBER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.load:
        print(json.dumps(load(asked, *asked.load)))
        return
    postgres.prepare()
    postgres.FAST = DURABLE
    try:
        with TemporaryDirectory() as folder:
            found = run(asked, asked.work or Path(folder))
    finally:
        postgres.stop()
    print(json.dumps(found, ensure_ascii=False, indent=1))
    RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def run(asked: argparse.Namespace, work: Path) -> dict[str, Any]:
    found: dict[str, Any] = {
        "residents": asked.residents,
        "processors": os.cpu_count(),
        "load_average_before": round(os.getloadavg()[0], 1),
    }
    for name in (asked.only,) if asked.only else ("sqlite", "postgresql"):
        folder = work / name
        home = Home(folder, None if name == "sqlite" else postgres.url("postgres"))
        found[name] = measure(home, asked)
    return found


def measure(home: Home, asked: argparse.Namespace) -> dict[str, Any]:
    begun = time.perf_counter()
    fresh = not home.root.exists()
    home.create()
    create_keys(home)
    store = open_store(home.store_url)
    if fresh:
        golden_records(store, home, asked.residents)
        publish(store, home, 1, now=datetime.now(UTC))
    found: dict[str, Any] = {"built_seconds": round(time.perf_counter() - begun, 1) if fresh else None}
    account, key, number = permit(store, home)
    found["fdatasync_a_second"] = fdatasync_rate(home.root)
    found["groups"] = in_process(store, home, account, number, asked.residents)
    found["over_http"] = over_http(home, key, number, asked)
    with closing(open_log(home.audit_url, home.keys)) as log:
        log.seal()
        found["log"] = {"records": log.size(), "whole": verify(log).ok, "open_intents": len(log.open_intents())}
    store.close()
    return found


def golden_records(store: Store, home: Home, residents: int) -> None:
    """A golden version of made-up residents: the usual columns stated, every other element empty."""
    folder = golden_folder(Lake(home.lake_root), 1)
    folder.mkdir(parents=True)
    names = ["resident_id", *(element.key for element in person_elements())]
    cells = ", ".join(f"{MADE_UP.get(name, 'NULL::VARCHAR')} AS {name}" for name in names)
    born = f"SELECT range AS i, DATE '{FIRST_BIRTH}' + (range % {DAYS})::INTEGER AS born FROM range({residents})"
    with duckdb.connect() as con:
        con.execute("SET threads=2; SET memory_limit='4GB'; SET preserve_insertion_order=true")
        con.execute(f"COPY (SELECT {cells} FROM ({born})) TO '{folder / 'residents.parquet'}' (FORMAT parquet)")
    for name, columns in EMPTY.items():
        pq.write_table(pa.table({column: pa.array([], pa.string()) for column in columns}), folder / f"{name}.parquet")
    now = datetime.now(UTC)
    with store.session() as session, session.begin():
        ran = ReconcileRunRow(full=True, state="done", message="", started_at=now)
        session.add(ran)
        session.flush()
        said = {"inputs_digest": "0" * 64, "rules_version": "0" * 12, "counts": {}, "created_at": now}
        session.add(GoldenVersionRow(version=1, run_id=ran.id, residents=residents, records=residents, **said))


def permit(store: Store, home: Home) -> tuple[str, str, int]:
    """A department's system: its account, its key, and the grant under which it asks."""
    now = datetime.now(UTC)
    with closing(open_log(home.audit_url, home.keys)) as log:
        ensure_operator(store, now)
        person_of = {"title": "核查系统", "department": "civil_affairs", "roles": [Role.DEPARTMENT_REQUESTER], "now": now}
        name = f"system-{now:%Y%m%d%H%M%S}"
        create_account(store, log, by="operator", name=name, **person_of)  # type: ignore[arg-type]
        terms = {"purpose": "低保资格核查", "legal_basis": "《社会救助暂行办法》第十一条", "valid_from": now.date(), "now": now}
        made = grant(
            store, Lake(home.lake_root), log, by="operator", grantee="civil_affairs", target="golden", columns=COLUMNS, tier=Tier.T2,
            valid_to=now.date() + timedelta(days=300), mode=Mode.LOOKUP, **terms,  # type: ignore[arg-type]
        )  # fmt: skip
        key = make_key(
            store, log, by="operator", account=name, title="核查系统", acts=[Act.LOOK_UP], grants=[made.id],
            expires_at=now + timedelta(days=30), now=now,
        )  # fmt: skip
    return name, key.secret, made.id


def number_of(resident: int) -> str:
    """The made-up identity number of a resident; beyond the last there is nobody."""
    born = FIRST_BIRTH + timedelta(days=resident % DAYS)
    return f"990605{born:%Y%m%d}{resident // DAYS:03}{resident % 10}"


def some_number(chance: random.Random, residents: int) -> str:
    beyond = residents if chance.randrange(ONE_IN_NOBODY) == 0 else 0
    return number_of(chance.randrange(residents) + beyond)


def fdatasync_rate(folder: Path) -> int:
    """How often a second this disk makes a page durable, one after the other."""
    path = folder / "sync.tmp"
    with path.open("wb") as file:
        begun = time.perf_counter()
        for _ in range(SYNCS):
            file.write(b"0" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
        seconds = time.perf_counter() - begun
    path.unlink()
    return round(SYNCS / seconds)


def in_process(store: Store, home: Home, account: str, number: int, residents: int) -> list[dict[str, Any]]:
    """Groups of several sizes without HTTP: what a question costs, and how much of that is its two records."""
    chance = random.Random(1)
    due: Sequence[Due] = []
    with open_door(home, store, lambda: datetime.now(UTC)) as door, closing(door.desk()) as desk:
        log = desk._log
        timed = Timed(log.append_all)
        log.append_all = timed  # type: ignore[assignment, method-assign]
        found = []
        for size in GROUPS:
            turns = max(40, 1_500 // size)
            asked = [[_posed(account, number, some_number(chance, residents)) for _ in range(size)] for _ in range(turns)]
            timed.seconds, begun, processor = 0.0, time.perf_counter(), time.process_time()
            for group in asked:
                _, due = desk.turn(due, group)
            _, due = desk.turn(due, [])
            seconds, count = time.perf_counter() - begun, size * turns
            used = (time.process_time() - processor) / count
            share = round(timed.seconds / seconds, 2)
            found.append({"group": size, "a_second": round(count / seconds), "processor_us": round(used * 1e6), "share_of_records": share})
    return found


def _posed(account: str, number: int, value: str) -> Posed:
    return Posed(inquiry=Inquiry(asker=ByName(account=account), grant=number, matter=LookUp(person=person("id_number", value))))


@dataclass
class Timed:
    """Adds up how long something takes."""

    call: Callable[..., Any]
    seconds: float = 0.0

    def __call__(self, *arguments: Any) -> Any:
        begun = time.perf_counter()
        try:
            return self.call(*arguments)
        finally:
            self.seconds += time.perf_counter() - begun


def over_http(home: Home, key: str, number: int, asked: argparse.Namespace) -> dict[str, Any]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {**os.environ, "TONGCHOU_HOME": str(home.root), "TONGCHOU_DATABASE_URL": home.database_url or ""}
    command = [sys.executable, "-m", "cli.main", "serve", "--only", "api", "--api-port", str(port)]
    server = subprocess.Popen(command, env=told, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        _loaded(asked, port, key, number, "closed", CONNECTIONS, WARM_UP_S)
        found: dict[str, Any] = {}
        for rate in RATES:
            found[f"paced_{rate}"] = _watched(server.pid, lambda: _loaded(asked, port, key, number, "paced", rate, asked.seconds))  # noqa: B023
        found["closed_64"] = _watched(server.pid, lambda: _loaded(asked, port, key, number, "closed", CONNECTIONS, asked.seconds))
        found["alone"] = _watched(server.pid, lambda: _loaded(asked, port, key, number, "closed", 1, asked.seconds / 2))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    return found


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("the server did not start")


def _watched(pid: int, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of some load with the processor time that the server took for it, in processors."""
    before, begun = _processor(pid), time.perf_counter()
    found = work()
    return {**found, "server_processors": round((_processor(pid) - before) / (time.perf_counter() - begun), 2)}


def _processor(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _loaded(asked: argparse.Namespace, port: int, key: str, number: int, how: str, many: int, seconds: float) -> dict[str, Any]:
    options = ["--residents", str(asked.residents), "--seconds", str(seconds)]
    load = ["--load", str(port), key, str(number), str(random.Random(how).randrange(10**6)), how, str(many)]
    done = subprocess.run([sys.executable, "-m", "bench.look_up", *options, *load], check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


@dataclass
class Load:
    """Questions over connections that stay open; how long each took, by whether somebody was found."""

    head: bytes
    tail: bytes
    chance: random.Random
    residents: int
    times: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    faults: int = 0

    def question(self) -> bytes:
        return self.head + some_number(self.chance, self.residents).encode() + self.tail


class Connection(asyncio.Protocol):
    """One connection with at most one question under way."""

    def __init__(self, load: Load, idle: Callable[["Connection"], None]) -> None:
        self._load, self._idle, self._data, self._due = load, idle, b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def ask(self, due: float) -> None:
        self._due = due
        self._transport.write(self._load.question())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, ended, body = self._data.partition(b"\r\n\r\n")
        if not ended or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        taken = time.perf_counter() - self._due
        if head.startswith(b"HTTP/1.1 200"):
            self._load.times[b'"found":true' in body].append(taken)
        else:
            self._load.faults += 1
        self._data = b""
        self._idle(self)


def load(asked: argparse.Namespace, port: str, key: str, number: str, seed: str, how: str, many: str) -> dict[str, Any]:
    tail = b'"}'
    start = f'{{"grant":{number},"by":"id_number","value":"'.encode()
    length = len(start) + 18 + len(tail)
    head = f"POST /v1/look-up HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n\r\n".encode()
    work = Load(head=head + start, tail=tail, chance=random.Random(seed), residents=asked.residents)
    seconds = uvloop.run(KINDS[how](work, int(port), int(many), asked.seconds))
    return _summary(work, seconds)


async def closed(work: Load, port: int, connections: int, seconds: float) -> float:
    end = time.perf_counter() + seconds
    ended = asyncio.Event()
    going = connections

    def again(connection: Connection) -> None:
        nonlocal going
        if time.perf_counter() < end:
            connection.ask(time.perf_counter())
            return
        going -= 1
        if not going:
            ended.set()

    begun = time.perf_counter()
    for connection in await _connected(work, port, connections, again):
        connection.ask(time.perf_counter())
    await ended.wait()
    return time.perf_counter() - begun


async def paced(work: Load, port: int, rate: int, seconds: float) -> float:
    idle = list[Connection]()
    everybody = await _connected(work, port, MOST_CONNECTIONS, idle.append)
    idle.extend(everybody)
    begun, asked, total = time.perf_counter(), 0, int(rate * seconds)
    while asked < total:
        due = min(total, int((time.perf_counter() - begun) * rate))
        while asked < due and idle:
            idle.pop().ask(begun + asked / rate)
            asked += 1
        await asyncio.sleep(0.0005)
    while len(idle) < len(everybody):
        await asyncio.sleep(0.001)
    return time.perf_counter() - begun


async def _connected(work: Load, port: int, many: int, idle: Callable[[Connection], None]) -> Sequence[Connection]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(lambda: Connection(work, idle), "127.0.0.1", port))[1] for _ in range(many)]


MOST_CONNECTIONS = 256
KINDS: Mapping[str, Any] = {"closed": closed, "paced": paced}


def _summary(work: Load, seconds: float) -> dict[str, Any]:
    everything = sorted([*work.times[True], *work.times[False]])
    found = {"answers": len(everything), "faults": work.faults, "a_second": round(len(everything) / seconds)}
    return {**found, **_times(everything), "found": _times(sorted(work.times[True])), "not_found": _times(sorted(work.times[False]))}


def _times(taken: Sequence[float]) -> dict[str, float]:
    at = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}
    return {name: round(taken[min(len(taken) - 1, int(len(taken) * share))] * 1000, 2) for name, share in at.items()} if taken else {}


if __name__ == "__main__":
    main()
