"""Nothing personal beside the data: after the whole road no resident stands in a log, an event, a check, a message or a server's output."""

import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from access.accounts import OPERATOR_NAME
from access.api_keys import make_key
from access.door import open_door
from access.grants import add_grant, load_grant
from access.grounds import KEY_ACTS
from access.terms import Grant, GrantState, Mode
from audit.log import open_log
from catalog.home import Home
from catalog.store import open_store
from rules.errors import TongchouError
from rules.tiers import Tier
from tests.kills import finish, start

BESIDE_THE_DATA = ("store.db", "audit.db", "dagster/**/*", "witness/**/*", "lake/**/*.lock")
"""Everything under the home that is not the data themselves: bookkeeping, the log, Dagster's events, checkpoints."""

SHORTEST_NAME = 3
"""Names of two characters also stand inside ordinary words (and in titles of elements); three and more do not."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a district of 1,000 residents after the whole road."""
    home = tmp_path_factory.mktemp("nothing_personal") / "home"
    finish(home, ("demo", "--residents", "1000"))
    return home


@pytest.fixture(scope="module")
def answers(home: Path) -> list[int]:
    """The statuses with which a running server answered: look-ups, verifications, faulty questions, all about residents that exist."""
    key, grants = let_in(home)
    with duckdb.connect() as con:
        rows = con.execute(
            f"SELECT id_number, name, phone FROM '{home}/district/truth/residents.parquet' WHERE phone IS NOT NULL LIMIT 8"
        ).fetchall()
    with server(home) as url, httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30) as client:
        return [client.post(path, json=content).status_code for row in rows for path, content in questions(grants, *row)]


def let_in(home: Path) -> tuple[str, dict[str, int]]:
    """A key of the demonstration's department, with a grant for each kind of question."""
    place, now = Home(home), datetime.now(UTC)
    log = open_log(place.audit_url, place.keys)
    with closing(open_store(place.store_url)) as store, closing(log):
        with store.session() as session, session.begin():
            demo = load_grant(session, 1)
            assert demo is not None
            kinds = {"look-up": (Tier.T3, Mode.LOOKUP), "verify": (Tier.T1, Mode.VERIFY), "count": (Tier.T0, Mode.FILE)}
            made = {kind: add_grant(session, log, terms(demo, *one), by=OPERATOR_NAME, now=now).id for kind, one in kinds.items()}
        with store.session() as session:
            account = str(session.connection().exec_driver_sql("SELECT name FROM user_account WHERE department_key IS NOT NULL").scalar())
        until = now + timedelta(days=1)
        key = make_key(
            store, log, by=OPERATOR_NAME, account=account, title="系统", acts=KEY_ACTS, grants=list(made.values()), expires_at=until,
            now=now, plaintext=True,
        )  # fmt: skip
        with open_door(place, store, lambda: now) as door:
            count(door, account, made["count"])
    return key.secret, made


def terms(demo: Grant, tier: Tier, mode: Mode) -> Grant:
    columns = ("sex",) if tier is Tier.T0 else ("name", "sex", "id_number", "phone")
    return replace(demo, tier=tier, mode=mode, columns=columns, state=GrantState.ACTIVE)


def count(door: Any, account: str, grant: int) -> None:
    """Statistics, where the demonstration's own extract does not stand against them."""
    try:
        door.statistics(account, grant, ["sex"])
    except TongchouError as fault:
        assert fault.code == "DOOR-DIFFERENCE"


def questions(grants: dict[str, int], number: str, name: str, phone: str) -> list[tuple[str, dict[str, Any]]]:
    look_up = {"grant": grants["look-up"], "by": "id_number", "value": number}
    about = {"grant": grants["verify"], "by": "id_number", "value": number}
    person = {"by": "id_number", "value": number, "name": name}
    return [
        ("/v1/look-up", look_up),
        ("/v1/verify", about | {"attributes": {"name": name, "phone": phone}}),
        ("/v1/verify", about | {"attributes": {"name": phone, "phone": name}}),
        ("/v1/kinship", {"grant": grants["verify"], "parent": person, "child": person}),
        ("/v1/look-up", look_up | {number: name}),
        ("/v1/look-up", look_up | {"by": name}),
        ("/v1/look-up", look_up | {"case_number": number}),
        (f"/v1/{number}", {}),
        (f"/v1/look-up?of={phone}", look_up | {"grant": 0}),
        ("/v1/session", {"account": number, "password": name}),
    ]


@contextmanager
def server(home: Path) -> Iterator[str]:
    """A running server of the interface; what it prints goes to `server.out` beside the home."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from cli.main import main; main()", "serve", "--only", "api", "--api-port", str(port)]
    with output(home).open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "TONGCHOU_HOME": str(home)})
        try:
            await_port(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def await_port(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError("the server did not start")


def output(home: Path) -> Path:
    return home.parent / "server.out"


def test_a_server_prints_no_resident_whatever_it_is_asked(home: Path, answers: list[int]) -> None:
    told = personal_values(home / "district" / "truth" / "residents.parquet")
    assert {200, 401, 404, 422} <= set(answers) and 500 not in answers
    text = output(home).read_text(encoding="utf-8")
    assert "interface" in text and not any_of(told, text)


@pytest.mark.usefixtures("answers")
def test_no_resident_stands_beside_the_data(home: Path) -> None:
    told = personal_values(home / "district" / "truth" / "residents.parquet")
    found = {str(path.relative_to(home)) for path in files(home) for text in texts(path) if any_of(told, text)}
    assert found == set()


def test_a_failing_command_prints_no_value(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told = personal_values(home / "district" / "truth" / "residents.parquet")
    extract = ("extract", "99", "--as", "nobody", "--out", f"{home}/exports/x.csv")
    for command in (("why", "R9999999999"), ("ingest", "no_such_dataset"), extract):
        child = start(home, command)
        child.join()
        assert child.exitcode in {3, 4}
    output = capfd.readouterr()
    assert not any_of(told, output.out + output.err)


def test_the_search_itself_finds_what_is_planted(home: Path, tmp_path: Path) -> None:
    told = personal_values(home / "district" / "truth" / "residents.parquet")
    with sqlite3.connect(tmp_path / "planted.db") as planted:
        planted.execute("CREATE TABLE message (text TEXT)")
        planted.execute("INSERT INTO message VALUES (?)", [f"row 7: {next(iter(told))}"])
    assert any(any_of(told, text) for text in texts(tmp_path / "planted.db"))


def personal_values(truth: Path) -> frozenset[str]:
    with duckdb.connect() as con:
        rows = con.execute(f"SELECT id_number, phone, name FROM '{truth}'").fetchall()
    return frozenset(value for row in rows for value in row if value and len(value) >= SHORTEST_NAME)


def files(home: Path) -> Iterator[Path]:
    for pattern in BESIDE_THE_DATA:
        yield from (path for path in home.glob(pattern) if path.is_file())


def texts(path: Path) -> Iterator[str]:
    """The cells of a database, or the text of any other file."""
    if path.read_bytes()[:15] == b"SQLite format 3":
        yield from cells(path)
    else:
        yield path.read_text(encoding="utf-8", errors="ignore")


def cells(path: Path) -> Iterator[str]:
    with sqlite3.connect(path) as db:
        db.text_factory = lambda data: data.decode("utf-8", errors="ignore")
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in db.execute(f'SELECT * FROM "{table}"'):
                yield from (
                    cell if isinstance(cell, str) else cell.decode("utf-8", errors="ignore")
                    for cell in row
                    if isinstance(cell, str | bytes)
                )


def any_of(told: frozenset[str], text: str) -> bool:
    return any(value in text for value in told)
