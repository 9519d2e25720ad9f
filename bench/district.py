"""How long a district of a million residents takes: 12 departments' person data sets, wall time and peak memory of a process of its own."""

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "district.json"
LIMIT_S, LIMIT_GIB = 240, 4.0


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One run. `cpu_s` tells what the machine would need with nothing else to do."""

    residents: int
    departments: int
    datasets: int
    rows: int
    bytes_written: int
    wall_s: float
    cpu_s: float
    peak_gib: float
    load_average_before: float
    cores: int


def main() -> None:
    asked = _arguments()
    folder = Path(tempfile.mkdtemp(prefix="district-", dir=asked.folder))
    try:
        figures = measure(folder, asked.residents, asked.departments)
    finally:
        shutil.rmtree(folder)
    print(json.dumps(asdict(figures), indent=1))
    kept = figures.wall_s < LIMIT_S and figures.peak_gib < LIMIT_GIB
    print(f"limits of {LIMIT_S} s and {LIMIT_GIB} GiB: {'kept' if kept else 'MISSED'}")
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    asked.results.write_text(json.dumps(asdict(figures), indent=1) + "\n", encoding="utf-8")


def measure(folder: Path, residents: int, departments: int) -> Figures:
    from district.build import build

    load, begun, cpu = os.getloadavg()[0], time.perf_counter(), time.process_time()
    manifest = build(folder, residents=residents, seed=1, departments=departments, persons_only=True, report=_show)
    return Figures(
        residents=residents,
        departments=manifest.departments,
        datasets=len(manifest.datasets),
        rows=manifest.rows,
        bytes_written=sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
        wall_s=round(time.perf_counter() - begun, 1),
        cpu_s=round(time.process_time() - cpu, 1),
        peak_gib=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
        load_average_before=round(load, 1),
        cores=os.cpu_count() or 1,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, default=1_000_000)
    parser.add_argument("--departments", type=int, default=12)
    parser.add_argument("--folder", type=Path, default=None, help="where to write the district; the system's temporary folder by default")
    parser.add_argument("--results", type=Path, default=RESULTS)
    return parser.parse_args()


def _show(what: str, done: int, of: int) -> None:
    sys.stderr.write(f"\r{what} {done:,}/{of:,}" + ("\n" if done == of else ""))
    sys.stderr.flush()


if __name__ == "__main__":
    main()
