"""The server as a process of its own: it answers and ends when told to; killed at any moment, what a client received is in the log."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from access.acts import Act
from access.api_keys import make_key
from access.door import Door
from access.terms import Mode
from audit.events import Event
from audit.verify import verify
from tests.access.conftest import RESIDENTS, Platform, platform, serve_golden  # noqa: F401 (a fixture)

ROOT = Path(__file__).parents[2]
START_S = 120
CLIENTS = 4


@contextmanager
def server(bureau: Platform) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {**os.environ, "TONGCHOU_HOME": str(bureau.home.root), "TONGCHOU_DATABASE_URL": bureau.home.database_url or ""}
    command = [sys.executable, "-m", "cli.main", "serve", "--only", "api", "--api-port", str(port)]
    process = subprocess.Popen(command, env=told, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        _wait_for(port, process)
        yield process, port
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server did not start")


def permit(bureau: Platform) -> tuple[int, str]:
    """A grant and a key for it, good on the real day."""
    serve_golden(bureau)
    granted = bureau.grant(mode=Mode.LOOKUP, columns=["name", "sex"], valid_to=date(2099, 12, 31))
    now = datetime.now(UTC)
    terms = {"acts": [Act.LOOK_UP], "grants": [granted.id], "expires_at": now + timedelta(days=1), "now": now}
    key = make_key(bureau.store, bureau.log, by="operator", account="lin", title="核查系统", **terms)  # type: ignore[arg-type]
    return granted.id, key.secret


def ask(connection: http.client.HTTPConnection, grant: int, key: str, number: str) -> tuple[int, bytes]:
    body = json.dumps({"grant": grant, "by": "id_number", "value": number})
    connection.request("POST", "/v1/look-up", body, {"Authorization": f"Bearer {key}"})
    response = connection.getresponse()
    return response.status, response.read()


def test_a_server_answers_and_ends_when_it_is_told_to(platform: Platform) -> None:  # noqa: F811
    grant, key = permit(platform)
    number = str(RESIDENTS["id_number"][0])
    with server(platform) as (process, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        status, body = ask(connection, grant, key, number)
        assert (status, json.loads(body)["answer"]["values"]["name"]) == (200, "王**")
        assert ask(connection, grant, key, "1")[0] == 422
        connection.close()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
        assert number.encode() not in errors
    assert platform.log.seal().size == platform.log.size()
    assert verify(platform.log).ok
    assert not platform.log.open_intents()


@pytest.mark.parametrize("seed", range(3))
def test_what_a_client_received_from_a_killed_server_is_in_the_log(platform: Platform, seed: int) -> None:  # noqa: F811
    grant, key = permit(platform)
    numbers = [str(number) for number in RESIDENTS["id_number"] if number]
    received: list[bytes] = []

    def client(port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            for place in range(100_000):
                _, body = ask(connection, grant, key, numbers[place % len(numbers)])
                received.append(body)
        except (OSError, http.client.HTTPException):
            return

    with server(platform) as (process, port):
        clients = [threading.Thread(target=client, args=(port,)) for _ in range(CLIENTS)]
        for one in clients:
            one.start()
        end = time.monotonic() + START_S
        while not received and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(Random(seed).uniform(0, 0.4))
        process.kill()
        for one in clients:
            one.join()
    assert received
    for body in received:
        told = json.loads(body)
        record = platform.log.entry(told["record"]).record
        assert (record.event, record.body["digest"]) == (Event.LOOK_UP_RESULT, told["digest"])
    Door(platform.store, platform.home, platform.log, platform.clock).close()
    assert not platform.log.open_intents(), "the next door closes what the killed one left open"
    assert verify(platform.log).ok
