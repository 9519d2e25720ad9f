"""Kills a door at work at a random moment: nothing that it answered is without its record. 30 kills in the tests, 1,000 in the soak.

A worker answers look-ups from a line and extracts from two threads while an integrator seals, and tells each answer to its client by a
pipe. It is killed (SIGKILL); what the client received is held against the log, the log is verified as it was left, the next door cleans up.
"""

import os
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from access.accounts import Role, create_account, ensure_operator
from access.desk import Posed, Settled
from access.door import Door, create_keys
from access.grants import grant
from access.inquiries import ByName, Inquiry, LookUp, Told, person
from access.line import Line
from access.recording import Answer
from access.staging import STAGING
from access.terms import Mode
from audit.integrator import Integrator
from audit.log import Log, open_log
from audit.verify import verify
from catalog.home import Home
from catalog.lake import Lake
from catalog.store import open_store
from golden.serving import publish
from rules.errors import PlatformFault
from tests.access.conftest import NOW, RESIDENTS, TERMS, Clock, make_golden

PRELOADED = ["tests.killed_door", "tests.warmed"]
LONGEST_S = 0.3
SEAL_EVERY_S = 0.02
EXTRACT, LOOK_UP = 1, 2
"""The numbers of the two grants that a small home is made with."""


@dataclass(frozen=True, kw_only=True)
class Kill:
    """One kill: what the client had received, how many records the log held, and everything that was wrong."""

    seed: int
    after_s: float
    answers: int
    records: int
    open_intents: int
    unsealed: int
    faults: tuple[str, ...]


def make_home(root: Path) -> Home:
    """Six residents, one account, a grant to extract and one to look up."""
    home = Home(root)
    home.create()
    create_keys(home)
    store, log, lake = open_store(home.store_url), open_log(home.audit_url, home.keys, clock=Clock()), Lake(home.lake_root)
    ensure_operator(store, NOW)
    role = [Role.DEPARTMENT_REQUESTER]
    create_account(store, log, by="operator", name="lin", title="林", department="civil_affairs", roles=role, now=NOW)
    make_golden(store, lake)
    publish(store, home, 1, now=NOW)
    made = [grant(store, lake, log, **TERMS).id, grant(store, lake, log, **{**TERMS, "mode": Mode.LOOKUP}).id]
    assert made == [EXTRACT, LOOK_UP]
    log.close()
    store.close()
    return home


def kill_once(home: Home, seed: int) -> Kill:
    """Start a worker on the home, kill it at a moment that the seed gives, and look at what is left."""
    after_s = random.Random(seed).random() * LONGEST_S
    received = killed_at_work(home, after_s)
    log = open_log(home.audit_url, home.keys, clock=Clock())
    try:
        unsealed = log.size() - (head.size if (head := log.witness.head()) else 0)
        intents = len(log.open_intents())
        faults = [*unrecorded(log, received), *as_left(log), *after_repair(home, log)]
        return Kill(
            seed=seed,
            after_s=round(after_s, 3),
            answers=len(received),
            records=log.size(),
            open_intents=intents,
            unsealed=unsealed,
            faults=tuple(faults),
        )
    finally:
        log.close()


def killed_at_work(home: Home, after_s: float) -> list[tuple[int, str]]:
    """(index, digest) of each answer that reached the client. The time runs from the first answer."""
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    reading, writing = context.Pipe(duplex=False)
    worker = context.Process(target=answer_for_ever, args=(home, writing))
    worker.start()
    writing.close()
    received = [reading.recv()]
    time.sleep(after_s)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    try:
        while True:
            received.append(reading.recv())
    except (EOFError, OSError):  # the last one may be cut off: it was not received
        return received


def answer_for_ever(home: Home, client: "Connection[object, object]") -> None:
    store, log = open_store(home.store_url), open_log(home.audit_url, home.keys, clock=Clock())
    door, integrator, telling = Door(store, home, log, Clock()), Integrator(log, SEAL_EVERY_S), threading.Lock()

    def tell(answer: Answer) -> None:
        with telling:
            client.send((answer.seq, answer.digest))

    def deliver(settled: Sequence[Settled]) -> None:
        for one in settled:
            if isinstance(one.result, Answer):
                assert isinstance(one.result.value, Told)
                tell(one.result)

    def extract(out: Path) -> None:
        while True:
            tell(door.extract("lin", EXTRACT, out, "csv"))

    line = Line(door.desk(), integrator, deliver)
    for number in range(2):
        threading.Thread(target=extract, args=(home.exports / "out" / f"{number}.csv",), daemon=True).start()
    numbers = [number for number in RESIDENTS["id_number"] if number]
    while True:
        for identity in numbers:
            matter = LookUp(person=person("id_number", identity))
            with suppress(PlatformFault):  # too many wait, on a slow machine: the client asks again
                line.put(Posed(inquiry=Inquiry(asker=ByName(account="lin"), grant=LOOK_UP, matter=matter), ticket=0))
        time.sleep(0.002)


def unrecorded(log: Log, received: list[tuple[int, str]]) -> list[str]:
    """Each answer that was received has its RESULT, whose INTENT came before."""
    faults = []
    for seq, digest in received:
        record = log.entry(seq).record
        if record.event.action != "result" or record.body["digest"] != digest:
            faults.append(f"the answer {seq} is not the one on record")
        elif log.entry(record.body["intent"]).record.event is not record.event.sibling("intent"):
            faults.append(f"the answer {seq} has no intent")
    return faults


def as_left(log: Log) -> list[str]:
    """No gap, and the signed head is a beginning of the log."""
    verdict = verify(log)
    return [] if verdict.ok else [f"as it was left: {verdict.reason} at {verdict.first_bad}"]


def after_repair(home: Home, log: Log) -> list[str]:
    """The next door closes what was open, removes what was staged, and the log goes on."""
    store = open_store(home.store_url)
    with Door(store, home, log, Clock()) as door:
        faults = [f"intent {intent.seq} stays open" for intent in log.open_intents()]
        faults += ["staged files are left"] if sum(1 for _ in (home.exports / STAGING).iterdir()) != 1 else []
        door.look_up("lin", LOOK_UP, "resident_id", "R0000000001")
    store.close()
    verdict = verify(log)
    if not verdict.ok or verdict.size != verdict.sealed:
        faults.append(f"after the repair: {verdict.reason or 'not all is sealed'}")
    with sqlite3.connect(home.audit_path) as db:
        lowest, highest, count = db.execute("SELECT min(seq), max(seq), count(*) FROM entry").fetchone()
    return faults if (lowest, highest) == (0, count - 1) else [*faults, "there is a gap"]
