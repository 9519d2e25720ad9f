"""The log's figures: appending on both databases beside the disk's own fdatasync rate, verification of 1 M records, proofs over 10 M.

`python -m bench.audit [--seconds 3] [--records 1000000] [--leaves 10000000] [--folder DIR]`: JSON to `bench/results/audit.json`.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from audit.events import Event
from audit.export import VERIFIER_FILE, export
from audit.keys import VERIFIER_KEY
from audit.log import Log, open_log
from audit.merkle import HASH_BYTES
from audit.notes import Checkpoint, sign
from audit.tiles import extend, range_root_from
from audit.verify import verify
from tests import postgres

T = TypeVar("T")
RESULT = Path(__file__).parent / "results" / "audit.json"
WRITERS = (1, 8, 32)
DURABLE = "-c max_connections=100 -c shared_buffers=64MB -c listen_addresses=''"
PROOFS = 2_000
BLOCK_BYTES = 4_096
LEAVES_A_STEP = 500_000
BODY = {
    "actor": "lin",
    "department": "civil_affairs",
    "grant": 17,
    "purpose": "低保资格核查",
    "holder": "host/0123456789abcdef",
    "origin": "api",
    "target": "golden",
    "target_version": 12,
    "policy_version": 3,
    "rules_version": "0123456789ab",
    "by": "id_number",
    "subject": "0123456789abcdef0123456789abcdef",
    "case_number": "NH-2026-000123",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--leaves", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, default=None)
    asked = parser.parse_args()
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        result: dict[str, Any] = {
            "command": f"python -m bench.audit --seconds {asked.seconds} --records {asked.records} --leaves {asked.leaves}"
        }
        result["load_average_before"] = [round(one, 1) for one in load]
        result["appending"] = appending(folder, asked.seconds)
        result["verification"] = verification(folder / "verified", asked.records)
        result["proofs"] = proofs(folder / "proven", asked.leaves)
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, ensure_ascii=False))


def appending(folder: Path, seconds: float) -> list[dict[str, Any]]:
    """Each figure with the fdatasync rate of the same disk just before it."""
    rows = []
    for writers in WRITERS:
        disk = fdatasyncs_a_second(folder, seconds)
        log = open_log(f"sqlite:///{folder / f'append-{writers}.db'}", folder / f"keys-{writers}" / "keys")
        rows.append({"database": "sqlite", "fdatasyncs_a_second": disk, **appended(log, writers, seconds)})
        log.close()
    server = Path(tempfile.mkdtemp(prefix="tongchou-bench-pg-"))
    server.chmod(0o755)
    postgres.start(server, DURABLE)
    try:
        for writers in WRITERS:
            disk = fdatasyncs_a_second(folder, seconds)
            with_database = postgres_log(server, folder, writers)
            rows.append({"database": "postgresql", "fdatasyncs_a_second": disk, **appended(with_database, writers, seconds)})
            with_database.close()
    finally:
        postgres.control(server, "stop", "-m", "fast")
        subprocess.run(["rm", "-rf", server], check=True)
    return rows


def postgres_log(server: Path, folder: Path, writers: int) -> Log:
    name = f"log{writers}"
    subprocess.run([server / "bin" / "psql", "-h", server, "-U", postgres.USER, "-qc", f"CREATE DATABASE {name}", "postgres"], check=True)
    return open_log(f"postgresql://{postgres.USER}@/{name}?host={server}", folder / f"keys-pg-{writers}" / "keys")


def fdatasyncs_a_second(folder: Path, seconds: float) -> int:
    """How often the disk makes one block after another durable."""
    count, end = 0, time.perf_counter() + seconds
    with (folder / "fdatasync").open("wb", buffering=0) as file:
        while time.perf_counter() < end:
            file.write(bytes(BLOCK_BYTES))
            os.fdatasync(file.fileno())
            count += 1
    return round(count / seconds)


def appended(log: Log, writers: int, seconds: float) -> dict[str, Any]:
    """Records of the length of a look-up's, from so many threads, each one record at a time."""
    end = time.perf_counter() + seconds
    taken: list[list[float]] = [[] for _ in range(writers)]

    def write(mine: list[float]) -> None:
        while (start := time.perf_counter()) < end:
            log.append(Event.LOOK_UP_INTENT, BODY)
            mine.append(time.perf_counter() - start)

    threads = [threading.Thread(target=write, args=(mine,)) for mine in taken]
    cpu, start = time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    all_taken = sorted(one for mine in taken for one in mine)
    return {
        "writers": writers,
        "records_a_second": round(len(all_taken) / took),
        "p50_ms": round(all_taken[len(all_taken) // 2] * 1_000, 3),
        "p99_ms": round(all_taken[len(all_taken) * 99 // 100] * 1_000, 3),
        "cpu_us_a_record": round((time.process_time() - cpu) / len(all_taken) * 1e6, 1),
    }


def verification(folder: Path, records: int) -> dict[str, Any]:
    """A log of a million records: in the database, and exported, by the verifier of one file."""
    log = open_log(f"sqlite:///{folder}.db", folder / "keys")
    fill_s, _ = timed(lambda: fill(log, records))
    seal_s, _ = timed(log.seal)
    verify_s, verdict = timed(lambda: verify(log))
    assert verdict.ok and verdict.size == records, verdict
    export_s, _ = timed(lambda: export(log, folder / "export"))
    command: list[str | Path] = [
        sys.executable,
        "-I",
        folder / "export" / VERIFIER_FILE,
        folder / "export",
        "--key",
        folder / "keys" / VERIFIER_KEY,
    ]
    offline_s, _ = timed(lambda: subprocess.run([*command, "--older", folder / "witness"], check=True, capture_output=True))
    size = Path(f"{folder}.db").stat().st_size
    log.close()
    seconds = {"appended_in_groups_s": fill_s, "sealed_s": seal_s, "verified_s": verify_s}
    seconds |= {"exported_s": export_s, "verified_offline_s": offline_s}
    return {"records": records, "database_mb": round(size / 1e6), **seconds}


def fill(log: Log, records: int) -> None:
    for start in range(0, records, 1_000):
        log.append_all([(Event.LOG_READ, {**BODY, "number": number}) for number in range(start, min(start + 1_000, records))])


def proofs(folder: Path, leaves: int) -> dict[str, Any]:
    """Inclusion proofs for random records of a tree of ten million, whose records themselves are not needed for that."""
    log = open_log(f"sqlite:///{folder}.db", folder / "keys")
    grow_tree(log, leaves)
    chance, taken = random.Random(1), []
    for _ in range(PROOFS):
        took, _ = timed(lambda: log.prove(chance.randrange(leaves)), digits=9)
        taken.append(took)
    log.close()
    taken.sort()
    middle, last = (round(taken[PROOFS * part // 100] * 1_000, 3) for part in (50, 99))
    return {"leaves": leaves, "proofs": PROOFS, "p50_ms": middle, "p99_ms": last}


def grow_tree(log: Log, leaves: int) -> None:
    """The tiles and the signed head over so many made-up leaves, written as the log writes them."""
    verifier, tiles = log.keys.verifier, dict[tuple[int, int], bytes]()
    with log.storage.transaction() as db:
        for start in range(0, leaves, LEAVES_A_STEP):
            new = [sha256(number.to_bytes(8, "big")).digest() for number in range(start, min(start + LEAVES_A_STEP, leaves))]
            changed = extend(lambda level, position: tiles.get((level, position), b""), start, new)  # noqa: B023 — called at once
            tiles |= {key: hashes for key, hashes in changed.items() if key[0] or len(hashes) < 256 * HASH_BYTES}
            db.run_many("INSERT OR REPLACE INTO tile VALUES (?, ?, ?)", [(*key, hashes) for key, hashes in changed.items()])

        def read(level: int, position: int) -> bytes:
            return bytes(db.rows("SELECT hashes FROM tile WHERE level = ? AND position = ?", (level, position))[0][0])

        head = Checkpoint(origin=verifier.name, size=leaves, root=range_root_from(read)(0, leaves))
        db.run("INSERT INTO checkpoint VALUES (?, ?)", (leaves, sign(head.text(), verifier, log.keys.signing)))


def timed(act: Callable[[], T], digits: int = 2) -> tuple[float, T]:
    start = time.perf_counter()
    done = act()
    return round(time.perf_counter() - start, digits), done


if __name__ == "__main__":
    main()
