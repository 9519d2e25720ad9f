"""Killed at any moment: what was acknowledged is in the log, no half file is handed over, and the next door cleans up."""

import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from access.door import Door
from access.staging import STAGING
from audit.verify import verify
from tests.access.conftest import Platform

WORKER = """
import sys
from pathlib import Path
from access.door import Door
from audit.log import open_log
from catalog.home import Home
from catalog.store import open_store
from tests.access.conftest import Clock

root, url, grant, out = sys.argv[1:5]
home = Home(Path(root), url or None)
store = open_store(home.store_url)
log = open_log(home.audit_url, home.keys)
door = Door(store, home, log, Clock())
while True:
    answer = door.extract("lin", int(grant), Path(out), "csv")
    print(answer.seq, answer.digest, flush=True)
"""


def start_extracting(platform: Platform, grant_id: int, out: Path) -> subprocess.Popen[str]:
    root, url = str(platform.home.root), platform.home.database_url or ""
    arguments = [sys.executable, "-c", WORKER, root, url, str(grant_id), str(out)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_extract_loses_no_acknowledged_record_and_leaves_nothing_behind(platform: Platform, tmp_path: Path, seed: int) -> None:
    out = tmp_path / "handed over" / "out.csv"
    worker = start_extracting(platform, platform.grant().id, out)
    assert worker.stdout is not None
    first = worker.stdout.readline()
    time.sleep(Random(seed).uniform(0, 0.5))
    worker.kill()
    acknowledged = [first, *worker.stdout.readlines()]
    worker.wait()
    with Door(platform.store, platform.home, platform.log, platform.clock) as door:
        assert platform.log.open_intents() == []
        assert verify(platform.log).ok
        for line in acknowledged:
            seq, _, digest = line.strip().partition(" ")
            if digest:
                assert platform.log.entry(int(seq)).record.body["digest"] == digest
        assert sorted(path.name for path in out.parent.iterdir()) == ["out.csv", "out.csv.receipt.json"]
        assert len(list((platform.home.exports / STAGING).iterdir())) == 2, "this door's and the fixture's"
        door.extract("lin", 1, out, "csv")


def test_a_living_door_keeps_its_intents_and_files_when_another_opens(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import access.delivery
    from access.files import write

    def while_another_opens(*arguments: object) -> int:
        Door(platform.store, platform.home, platform.log, platform.clock).close()
        return write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(access.delivery, "write", while_another_opens)
    platform.door.extract("lin", platform.grant().id, tmp_path / "out.csv", "csv")
    assert platform.last().record.event.action == "result"


def test_a_dead_doors_intent_is_closed_as_aborted_once(platform: Platform) -> None:
    from audit.events import Event

    opened = platform.log.append(Event.EXTRACT_INTENT, {"holder": f"{os.uname().nodename}/gone", "actor": "lin"})
    elsewhere = platform.log.append(Event.EXTRACT_INTENT, {"holder": "another-machine/gone", "actor": "lin"})
    for _ in range(2):
        Door(platform.store, platform.home, platform.log, platform.clock).close()
    aborted = [entry.record.body["intent"] for entry in platform.log.entries() if entry.record.event is Event.EXTRACT_ABORTED]
    assert aborted == [opened.seq]
    assert [intent.seq for intent in platform.log.open_intents()] == [elsewhere.seq]


def test_an_answer_for_another_file_system_is_copied_beside_its_place_and_renamed(platform: Platform) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == platform.home.root.stat().st_dev:
        pytest.skip("this machine has no second file system to write to")
    out = other / f"tongchou-test-{os.getpid()}.csv"
    try:
        platform.door.extract("lin", platform.grant().id, out, "csv")
        assert out.exists()
        assert not list(other.glob(f".{out.name}*"))
    finally:
        out.unlink(missing_ok=True)
        out.with_name(out.name + ".receipt.json").unlink(missing_ok=True)
