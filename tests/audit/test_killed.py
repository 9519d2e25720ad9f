"""kill −9 while records are written: every acknowledged record is there, no gap, and the log goes on."""

import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from audit.events import Event
from audit.log import Log
from audit.verify import verify

WORKER = """
import sys, threading
from pathlib import Path
from audit.events import Event
from audit.log import open_log

log = open_log(sys.argv[1], Path(sys.argv[2]))
out = threading.Lock()

def append(start):
    for number in range(start, start + 1_000_000):
        sealed = log.append(Event.LOG_READ, {"number": number})
        with out:
            print(sealed.seq, number, flush=True)

for start in range(3):
    threading.Thread(target=append, args=(start * 1_000_000,), daemon=True).start()
while True:
    log.seal()
"""


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_writer_loses_no_acknowledged_record(log: Log, log_url: str, tmp_path: Path, seed: int) -> None:
    arguments = [sys.executable, "-c", WORKER, log_url, str(tmp_path / "keys")]
    worker = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert worker.stdout is not None
    first = worker.stdout.readline()
    time.sleep(Random(seed).uniform(0, 0.4))
    worker.kill()
    lines = [first, *worker.stdout.readlines()]
    worker.wait()
    whole = [line.split() for line in lines if line.endswith("\n") and len(line.split()) == 2]
    acknowledged = {int(seq): int(number) for seq, number in whole}
    held = {entry.seq: entry.record.body["number"] for entry in log.entries()}
    assert sorted(held) == list(range(len(held)))
    assert acknowledged.items() <= held.items()
    assert verify(log).ok
    log.append(Event.LOG_READ, {"number": -1})
    assert log.seal().size == len(held) + 1
    assert verify(log).ok
