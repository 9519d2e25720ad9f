"""Reconciliation of a synthetic district: accuracy against the truth and time per step, to bench/results/reconcile.json.

`python -m bench.reconcile [--residents N] [--seed S] [--work DIR]`; with --work the district and its snapshots are kept and used again.
"""

import argparse
import json
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.whole_district import Steps
from catalog.areas import address_book, load_areas
from catalog.datasets import load_datasets
from catalog.home import Home
from catalog.lake import Lake
from catalog.registration import register
from catalog.store import Store, open_store
from district.build import build
from golden.measure import ElementAccuracy, by_pattern, golden_accuracy, kept_apart, pairwise
from golden.reconcile import ReconcileOutcome, reconcile
from golden.serving import publish
from golden.versions import golden_folder

RESULT = Path(__file__).parent / "results" / "reconcile.json"
NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        result = measure(asked.work or Path(folder), asked.residents, asked.seed)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    report(result)


def measure(work: Path, residents: int, seed: int) -> dict:
    district, home = work / "district", Home(work / "home")
    if not (home.root / "ready").exists():
        prepare(district, home, residents, seed)
    home.create()  # a kept home may be of an older schema
    lake = Lake(home.lake_root)
    shutil.rmtree(lake.root / "golden", ignore_errors=True)
    store = open_store(home.store_url)
    forget(store)
    steps = Steps()
    outcome = reconcile(store, lake, full=True, now=NOW, told=steps.begin)
    steps.begin("serving")
    publish(store, home, outcome.version, now=NOW)
    steps.end()
    return {
        "residents": residents,
        "seed": seed,
        "records": outcome.records,
        "residents_found": outcome.residents,
        "seconds": {name: step.wall_s for name, step in steps.taken.items()},
        "seconds_reconcile": round(sum(step.wall_s for name, step in steps.taken.items() if name != "serving"), 2),
        "processor_seconds": {name: step.cpu_s for name, step in steps.taken.items()},
        "peak_memory_gib": max(step.peak_gib for step in steps.taken.values()),
        **judge(district, lake, outcome),
    }


def prepare(district: Path, home: Home, residents: int, seed: int) -> None:
    from connectors.intake import ingest  # great_expectations takes seconds to load, and a kept district needs none

    build(district, residents=residents, seed=seed)
    home.create()
    store, lake = open_store(home.store_url), Lake(home.lake_root)
    with store.session() as session, session.begin():
        load_areas(session, district / "areas")
    register(store, [district / "contracts"], now=NOW)
    with store.session() as session:
        datasets, areas = [d for d in load_datasets(session) if d.about_persons], address_book(session)
    for dataset in datasets:
        outcome = ingest(store, lake, dataset, areas=areas, now=NOW)
        print(f"{outcome.dataset:32} {outcome.state:10} {outcome.rows:>9,} rows {outcome.faults:>8,} faults {outcome.error or ''}")
    store.close()
    (home.root / "ready").touch()


def forget(store: Store) -> None:
    """Golden versions of earlier runs of the benchmark."""
    from catalog.schema import GoldenInputRow, GoldenVersionRow, ServingVersionRow

    with store.session() as session, session.begin():
        for table in (ServingVersionRow, GoldenInputRow, GoldenVersionRow):
            session.query(table).delete()


def judge(district: Path, lake: Lake, outcome: ReconcileOutcome) -> dict:
    golden, truth = golden_folder(lake, outcome.version), district / "truth"
    crosswalk, records = golden / "crosswalk.parquet", truth / "records.parquet"
    elements = golden_accuracy(golden, records, truth / "residents.parquet")
    return {
        "accuracy": {k: round(v, 5) for k, v in asdict(pairwise(crosswalk, records)).items()},
        "by_pattern": [asdict(p) for p in by_pattern(crosswalk, records, truth / "patterns.parquet")],
        "kept_apart": {
            k.pattern: {"people": k.people, "apart": k.apart, "share": round(k.share, 5)}
            for k in kept_apart(crosswalk, records, truth / "patterns.parquet")
        },
        "golden": {e.element: _golden_figures(e) for e in elements},
        "warnings": list(outcome.warnings),
    }


def _golden_figures(e: ElementAccuracy) -> dict:
    """`ceiling`: the share of residents for whom some source holds the true value; no rule can do better."""
    return {"right": round(e.share, 4), "ceiling": round(e.ceiling, 4), "known": e.known, "empty": e.empty}


def report(result: dict) -> None:
    print(f"\n{result['records']:,} records of {result['residents']:,} residents → {result['residents_found']:,} residents")
    print("processor seconds", result["processor_seconds"], "together", round(sum(result["processor_seconds"].values()), 1))
    print("seconds", result["seconds"], "reconcile", result["seconds_reconcile"], "peak GiB", result["peak_memory_gib"])
    print("accuracy", result["accuracy"])
    for row in result["by_pattern"]:
        print(f"  {row['pattern']}  {row['records']:>8,} records  precision {row['precision']:.4f}  recall {row['recall']:.4f}")
    for pattern, row in result["kept_apart"].items():
        print(f"  {pattern}  {row['people']:>8,} people  kept apart from everybody else {row['share']:.4f}")
    for element, row in result["golden"].items():
        print(f"  {element:28} right {row['right']:.4f} ceiling {row['ceiling']:.4f} of {row['known']:>7,}, empty {row['empty']:,}")
    for warning in result["warnings"]:
        print("  note:", warning)


if __name__ == "__main__":
    main()
