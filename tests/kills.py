"""Kills a command at a random moment and shows that the next run finishes the work: used by the tests (30 kills) and the soak (many).

A trial starts from a prepared home, runs one command in a child process, kills it (SIGKILL) after a random part of the time the command
needs, runs the command again to its end, and compares what then stands with what an undisturbed run left.
"""

import json
import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import duckdb

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "ingest": ("ingest",),
    "reconcile": ("reconcile",),
    "golden": ("export", "golden", "--out", "{home}/exports/out.parquet"),
    "extract": ("extract", "1", "--as", "asker", "--out", "{home}/exports/out.csv"),
}
"""What is killed. `ingest` starts from a registered home, the others from one further along the road."""

PRELOADED = ["cli.main", "cli.road", "cli.answers", "pipelines.run", "connectors.expectations", "golden.reconcile", "great_expectations"]
GIVE_UP_S = 300.0


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """Homes before each command, what each undisturbed run left, and how long it took."""

    before: Mapping[str, Path]
    left: Mapping[str, Mapping[str, str]]
    seconds: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One kill: what was killed, when, whether it was still running, and everything that was wrong afterwards."""

    seed: int
    command: str
    after_s: float
    hit: bool
    faults: tuple[str, ...]


def prepare(folder: Path, *, residents: int, datasets: tuple[str, ...]) -> Prepared:
    """Run the road once over some data sets of a district, keeping a copy of the home before each command."""
    from district.build import build

    build(folder / "district", residents=residents, seed=5, persons_only=True)
    home = folder / "home"
    contracts = tuple(f"{folder}/district/contracts/{dataset}.yaml" for dataset in datasets)
    for command in (("init",), ("areas", f"{folder}/district/areas"), ("register", *contracts)):
        finish(home, command)
    before, left, seconds = {}, {}, {}
    for name, command in COMMANDS.items():
        if name == "extract":
            _grant(home)
        before[name] = folder / f"before-{name}"
        shutil.copytree(home, before[name], symlinks=True)
        start = time.perf_counter()
        finish(home, command)
        seconds[name] = time.perf_counter() - start
        left[name] = what_stands(home)
    return Prepared(before=before, left=left, seconds=seconds)


def try_once(prepared: Prepared, folder: Path, seed: int) -> Trial:
    """One seeded kill and what came of it."""
    chance = random.Random(seed)
    name = chance.choice(sorted(COMMANDS))
    after_s = chance.random() * prepared.seconds[name]
    home = folder / f"trial-{seed}"
    shutil.copytree(prepared.before[name], home, symlinks=True)
    try:
        hit = kill_during(home, COMMANDS[name], after_s)
        finish(home, COMMANDS[name])
        stands = what_stands(home)
        faults = [
            f"{thing}: {stands.get(thing)} ≠ {should}" for thing, should in prepared.left[name].items() if stands.get(thing) != should
        ]
        faults += [f"{thing} should not be there" for thing in stands if thing not in prepared.left[name]]
    finally:
        shutil.rmtree(home)
    return Trial(seed=seed, command=name, after_s=round(after_s, 3), hit=hit, faults=tuple(faults))


def start(home: Path, command: tuple[str, ...]) -> multiprocessing.process.BaseProcess:
    """The command in a child whose modules are loaded already, so that a kill meets the work and not the imports."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    child = context.Process(target=_run, args=(str(home), command))
    child.start()
    return child


def kill_during(home: Path, command: tuple[str, ...], after_s: float) -> bool:
    """True if the command was still at work when it was killed."""
    child = start(home, command)
    child.join(after_s)
    hit = child.is_alive()
    if hit and child.pid is not None:
        os.kill(child.pid, signal.SIGKILL)
    child.join()
    return hit


def finish(home: Path, command: tuple[str, ...]) -> None:
    child = start(home, command)
    child.join(GIVE_UP_S)
    assert child.exitcode == 0, f"{command[0]} ended with {child.exitcode}"


def _run(home: str, command: tuple[str, ...]) -> None:
    os.environ["TONGCHOU_HOME"] = home
    os.environ.pop("TONGCHOU_DATABASE_URL", None)
    from cli.main import run

    raise SystemExit(run([part.format(home=home) for part in command]))


def _grant(home: Path) -> None:
    finish(home, ("grant", "account", "asker", "--title", "民政局", "--department", "civil_affairs", "--role", "department_requester"))
    terms = ("--columns", "resident_id,name,sex,birth_date", "--purpose", "复核", "--basis", "办法 第一条", "--to-day", "2099-12-31")
    finish(home, ("grant", "add", "--to", "civil_affairs", *terms))


def what_stands(home: Path) -> Mapping[str, str]:
    """What must be the same whether or not a run was killed: snapshots, golden records, answers, the verdict on the log; no leftovers."""
    found = _snapshots(home) | _files(home)
    found["log"] = _verdict(home)
    return found


def _snapshots(home: Path) -> dict[str, str]:
    with sqlite3.connect(home / "store.db") as store:
        rows = store.execute("SELECT dataset_key, version, state, rows_standard, rows_quarantined FROM snapshot ORDER BY 1, 2").fetchall()
        golden = store.execute("SELECT version, residents, records FROM golden_version ORDER BY 1").fetchall()
        serving = store.execute("SELECT count(*) FROM serving_version").fetchall()
    return {"snapshots": json.dumps(rows), "golden versions": json.dumps(golden), "serving versions": json.dumps(serving)}


def _files(home: Path) -> dict[str, str]:
    """The content of every Parquet file of the lake and of every answer; temporary files show up as faults."""
    found = {}
    for path in sorted([*home.glob("lake/**/*"), *home.glob("out.*"), *home.glob("exports/**/*")]):
        if path.is_file() and not path.name.endswith(".lock"):
            found[str(path.relative_to(home))] = _content(path)
    return found


def _content(path: Path) -> str:
    if path.name.endswith(".receipt.json"):
        return "receipt"
    if path.name == "state.duckdb":  # its bytes depend on how it was filled; of which version it is does not
        with duckdb.connect(path, read_only=True) as con:
            return repr(con.execute("FROM tag").fetchall())
    if path.suffix != ".parquet":
        return sha256(path.read_bytes()).hexdigest()[:16]
    if path.parent.suffix == ".tmp":
        return "left behind"
    with duckdb.connect() as con:
        rows = con.execute(f"SELECT count(*), bit_xor(hash(COLUMNS(*)::VARCHAR)) FROM '{path}'").fetchall()
    return sha256(repr(rows).encode()).hexdigest()[:16]


def _verdict(home: Path) -> str:
    """Whole, and no intent left open."""
    from audit.log import open_log
    from audit.verify import verify
    from catalog.home import Home

    place = Home(home)
    log = open_log(place.audit_url, place.keys)
    log.seal()
    verdict = verify(log)
    intents = len(log.open_intents())
    log.close()
    return f"{'whole' if verdict.ok else verdict.reason}, {intents} open intents"
