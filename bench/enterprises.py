"""Enterprises of a synthetic district (工商、质检、税务、人社): accuracy against the truth and time, to bench/results/enterprises.json.

`python -m bench.enterprises [--residents N ...] [--seed S]`: the enterprises of a district of so many residents, through contracts, ingest
and reconciliation.
"""

import argparse
import json
import resource
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq

from catalog.areas import address_book, load_areas
from catalog.datasets import load_datasets
from catalog.home import Home
from catalog.lake import Lake
from catalog.registration import register
from catalog.store import Store, open_store
from connectors.intake import ingest
from district.areas import lay_out, write_areas
from district.build import write_enterprises
from district.enterprise_sets import load_enterprise_sets
from district.plan import plan
from golden.enterprises import ENTERPRISE_ID, EnterpriseOutcome, enterprise_folder, reconcile_enterprises
from golden.measure import by_pattern, pairwise

RESULT = Path(__file__).parent / "results" / "enterprises.json"
NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    results = [measure(residents, asked.seed) for residents in asked.residents]
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def measure(residents: int, seed: int) -> dict:
    with TemporaryDirectory() as folder:
        district, home = Path(folder) / "district", Home(Path(folder) / "home")
        store, lake = prepare(district, home, residents, seed), Lake(home.lake_root)
        start = time.perf_counter()
        outcome = reconcile_enterprises(store, lake, full=True, now=NOW)
        seconds = time.perf_counter() - start
        result = {
            "residents": residents,
            "seed": seed,
            "records": outcome.records,
            "enterprises_found": outcome.enterprises,
            "seconds": round(seconds, 2),
            "peak_memory_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
            **judge(district, lake, outcome),
        }
        store.close()
    report(result)
    return result


def prepare(district: Path, home: Home, residents: int, seed: int) -> Store:
    size = plan(residents, seed)
    areas = lay_out(size)
    write_areas(areas, district / "areas")
    write_enterprises(size, areas, district, list(load_enterprise_sets().values()))
    home.create()
    store, lake = open_store(home.store_url), Lake(home.lake_root)
    with store.session() as session, session.begin():
        load_areas(session, district / "areas")
    register(store, [district / "contracts"], now=NOW)
    with store.session() as session:
        datasets, book = load_datasets(session), address_book(session)
    for dataset in datasets:
        outcome = ingest(store, lake, dataset, areas=book, now=NOW)
        print(f"{outcome.dataset:32} {outcome.state:10} {outcome.rows:>9,} rows {outcome.faults:>8,} faults {outcome.error or ''}")
    return store


def judge(district: Path, lake: Lake, outcome: EnterpriseOutcome) -> dict:
    folder, truth = enterprise_folder(lake, outcome.version), district / "truth"
    crosswalk, records = folder / "crosswalk.parquet", truth / "enterprise_records.parquet"
    called = {"found": ENTERPRISE_ID, "true": "enterprise"}
    patterns = by_pattern(crosswalk, records, truth / "enterprise_patterns.parquet", **called)
    return {
        "accuracy": {k: round(v, 5) for k, v in asdict(pairwise(crosswalk, records, **called)).items()},
        "by_pattern": [asdict(pattern) for pattern in patterns],
        "golden": golden_shares(folder, truth),
        "warnings": list(outcome.warnings),
    }


def golden_shares(folder: Path, truth: Path) -> dict[str, float]:
    """Of the enterprises that a record of the register of record leads to: the share whose golden value is the true one, by element."""
    records = pq.read_table(truth / "enterprise_records.parquet").to_pylist()
    true_of = {(r["dataset"], r["record"]): r["enterprise"] for r in records if r["dataset"] == "business_register"}
    found = {
        true_of[row["dataset"], row["record"]]: row[ENTERPRISE_ID]
        for row in pq.read_table(folder / "crosswalk.parquet").to_pylist()
        if (row["dataset"], row["record"]) in true_of
    }
    golden = {row[ENTERPRISE_ID]: row for row in pq.read_table(folder / "enterprises.parquet").to_pylist()}
    true = [row for row in pq.read_table(truth / "enterprises.parquet").to_pylist() if row["enterprise"] in found]
    elements = [column for column in true[0] if column in next(iter(golden.values()))]
    return {e: round(_share([golden[found[t["enterprise"]]][e] == t[e] for t in true if t[e] is not None]), 4) for e in elements}


def _share(right: list[bool]) -> float:
    return sum(right) / len(right) if right else 1.0


def report(result: dict) -> None:
    print(f"\n{result['records']:,} records → {result['enterprises_found']:,} enterprises in {result['seconds']} s")
    print("accuracy", result["accuracy"])
    for row in result["by_pattern"]:
        print(f"  {row['pattern']:24} {row['records']:>7,} records  precision {row['precision']:.4f}  recall {row['recall']:.4f}")
    print("golden", result["golden"])
    for warning in result["warnings"]:
        print("  note:", warning)


if __name__ == "__main__":
    main()
