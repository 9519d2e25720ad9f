"""New records on a standing district: an incremental run against a full one by the same model, to bench/results/incremental.json.

`python -m bench.incremental [--residents N …] [--new 10000] [--work DIR]`: 122,700 residents are a million records. So many records, drawn
over all data sets, are kept back, the rest is reconciled; then they come in, and the incremental run's version is compared row by row with
that of a full run.
"""

import argparse
import json
import os
import resource
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.whole_district import MADE, alone, make
from catalog.home import Home

RESULTS = Path(__file__).parent / "results" / "incremental.json"
NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
FILES = ("crosswalk", "residents", "values", "rivals", "evidence", "identities", "history")
ALLOWED = 0.05


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, nargs="+", default=[122_700])
    parser.add_argument("--new", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path)
    asked = parser.parse_args()
    found = []
    with TemporaryDirectory() as folder:
        for residents in asked.residents:
            work = (asked.work or Path(folder)) / str(residents)
            if not (work / MADE).exists():
                alone(make, work, residents, asked.seed)
            found.append(alone(measure, work, asked.new))
            report(found[-1])
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def measure(work: Path, new: int) -> dict:
    from bench.reconcile import forget
    from catalog.lake import Lake
    from catalog.store import open_store
    from golden.reconcile import reconcile
    from golden.serving import publish
    from golden.versions import golden_folder

    home = Home(work / "incremental")
    shutil.rmtree(home.root, ignore_errors=True)
    shutil.copytree(work / "home", home.root, ignore=shutil.ignore_patterns("golden", "serving*.db"))
    home.create()  # a kept home may be of an older schema
    store, lake = open_store(home.store_url), Lake(home.lake_root)
    forget(store)  # of a kept home: its golden versions were not copied
    load, total = os.getloadavg()[0], keep_back(store, lake, new)
    runs: dict[str, dict] = {}

    def timed(name: str, full: bool) -> int:
        steps: dict[str, float] = {}
        at = [(time.perf_counter(), "start")]

        def told(step: str) -> None:
            since, last = at.pop()
            now = time.perf_counter()
            steps[last] = round(steps.get(last, 0.0) + now - since, 2)
            at.append((now, step))

        begun, used = time.perf_counter(), time.process_time()
        outcome = reconcile(store, lake, full=full, now=NOW, told=told)
        told("end")
        reconciled, worked = time.perf_counter(), time.process_time()
        publish(store, home, outcome.version, now=NOW)
        served = time.perf_counter()
        runs[name] = {
            "seconds": round(reconciled - begun, 2),
            "processor_seconds": round(worked - used, 2),
            "serving_seconds": round(served - reconciled, 2),
            "steps": steps,
            "records": outcome.records,
            "residents": outcome.residents,
            "new": outcome.new,
            "merged": outcome.merged,
            "split": outcome.split,
        }
        return outcome.version

    timed("first", True)
    bring_in(store, lake)
    versions = timed("incremental", False), timed("full", True)
    folders = [golden_folder(lake, version) for version in versions]
    assert (folders[0] / "parts.json").exists(), "the incremental run was a full one"
    share = runs["incremental"]["seconds"] / runs["full"]["seconds"]
    return {
        "records": total,
        "new_records": new,
        "share": round(share, 4),
        "share_of_processor_time": round(runs["incremental"]["processor_seconds"] / runs["full"]["processor_seconds"], 4),
        "share_with_serving": round(_all(runs["incremental"]) / _all(runs["full"]), 4),
        "rows_that_differ": differing(folders),
        "runs": runs,
        "load_average_before": round(load, 1),
        "peak_memory_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def _all(run: dict) -> float:
    return run["seconds"] + run["serving_seconds"]


def keep_back(store, lake, new: int) -> int:  # type: ignore[no-untyped-def]
    """The first snapshot of each data set lacks the records kept back; all of them wait in a folder. Returns how many there are in all."""
    import duckdb
    import sqlalchemy as sa

    from catalog.schema import SnapshotRow

    with store.session() as session:
        keys = list(session.scalars(sa.select(SnapshotRow.dataset_key).order_by(SnapshotRow.dataset_key)))
    with duckdb.connect() as con:
        paths = {key: lake.path("standard", key, 1) for key in keys}
        total = sum(con.execute(f"SELECT count(*) FROM '{path}'").fetchall()[0][0] for path in paths.values())
        con.execute("CREATE TABLE drawn (dataset VARCHAR, record VARCHAR, draw UBIGINT)")
        for key, path in paths.items():
            con.execute(f"INSERT INTO drawn SELECT '{key}', _record, hash('{key}', _record, 'kept back') FROM '{path}'")
        con.execute(f"CREATE TABLE back AS FROM drawn ORDER BY draw LIMIT {new}")
        for key, path in paths.items():
            path.rename(held(path))
            con.execute(f"""
                COPY (SELECT * FROM '{held(path)}'
                  WHERE _record NOT IN (SELECT record FROM back WHERE dataset = '{key}'))
                TO '{path}' (FORMAT parquet, COMPRESSION zstd)""")
    return int(total)


def held(path: Path) -> Path:
    """Where a snapshot's file waits: in the lake a file that no row names is swept away."""
    folder = path.parents[3] / "held"
    folder.mkdir(exist_ok=True)
    return folder / f"{path.parent.name}.parquet"


def bring_in(store, lake) -> None:  # type: ignore[no-untyped-def]
    import sqlalchemy as sa

    from catalog.schema import SnapshotRow

    columns = [column.name for column in SnapshotRow.__table__.columns]
    with store.session() as session, session.begin():
        for row in list(session.scalars(sa.select(SnapshotRow))):
            values = {name: getattr(row, name) for name in columns}
            held(lake.path("standard", row.dataset_key, 1)).rename(lake.path("standard", row.dataset_key, 2))
            for stage in ("faults", "quarantine", "raw"):
                if lake.path(stage, row.dataset_key, 1).exists():
                    shutil.copyfile(lake.path(stage, row.dataset_key, 1), lake.path(stage, row.dataset_key, 2))
            session.add(SnapshotRow(**{**values, "version": 2, "source_digest": f"2{row.source_digest}"}))


def differing(folders: list[Path]) -> dict[str, int]:
    import duckdb

    from golden.versions import relation

    with duckdb.connect() as con:
        found = {}
        for name in FILES:
            a, b = (f"SELECT * FROM {relation(folder, name)}" for folder in folders)
            rows = con.execute(f"SELECT count(*) FROM (({a} EXCEPT ALL {b}) UNION ALL ({b} EXCEPT ALL {a}))").fetchall()
            found[name] = rows[0][0]
    return found


def report(found: dict) -> None:
    runs = found["runs"]
    print(f"{found['records']:,} records, {found['new_records']:,} of them new: {runs['incremental']['seconds']} s against")
    print(
        f"  {runs['full']['seconds']} s, {found['share']:.1%} of it (asked: {ALLOWED:.0%}), {found['share_of_processor_time']:.1%} of the"
    )
    print(f"  processor time; with serving {found['share_with_serving']:.1%} of the seconds")
    for name, run in runs.items():
        print(f"  {name:12} {run['seconds']:8.1f} s + serving {run['serving_seconds']:6.1f} s {run['steps']}")
    print(f"  rows that differ from the full run's: {found['rows_that_differ']}", flush=True)


if __name__ == "__main__":
    main()
