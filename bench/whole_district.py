"""The whole of a district, from accepted snapshots to serving copy: seconds and memory per step, to bench/results/whole_district.json.

`python -m bench.whole_district [--residents N …] [--seed S] [--work DIR]`: 61,350, 613,500 and 5,000,000 residents are 0.5, 5 and 40.8
million records. With --work the homes are kept and used again. Making a home is measured apart; it is not part of the figure.
"""

import argparse
import json
import os
import resource
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from catalog.home import Home

RESULTS = Path(__file__).parent / "results" / "whole_district.json"
NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
RESIDENTS = (61_350, 613_500, 5_000_000)
LIMIT_S, LIMIT_GIB = 25 * 60, 16.0
MADE = "made.json"
Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Making:
    """What the generator took; its memory is that of its parent process and, apart, of the largest of its workers."""

    wall_s: float
    parent_gib: float | None
    worker_gib: float | None


@dataclass(frozen=True, kw_only=True)
class Step:
    """`peak_gib` is the largest resident memory of the process within the step, with what earlier steps left."""

    wall_s: float
    cpu_s: float
    peak_gib: float


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One size. `million_s` and `million_gib` are per million records."""

    residents: int
    records: int
    datasets: int
    residents_found: int
    wall_s: float
    cpu_s: float
    peak_gib: float
    million_s: float
    million_gib: float
    steps: dict[str, Step]
    warnings: tuple[str, ...]
    load_average_before: float
    cores: int
    made: Making


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--residents", type=int, nargs="+", default=RESIDENTS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--results", type=Path, default=RESULTS)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        for residents in asked.residents:
            figures = figures_of((asked.work or Path(folder)) / str(residents), residents, asked.seed)
            report(figures)
            keep(figures, asked.results)


def figures_of(work: Path, residents: int, seed: int) -> Figures:
    """Make the home where it is not there yet, then measure; each in a process of its own, so that neither sees the other's memory."""
    if not (work / MADE).exists():
        alone(make, work, residents, seed)
    return alone(measure, work, residents)


def alone(task: Callable[..., Answer], *arguments: Any) -> Answer:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(task, *arguments).result()


def make(work: Path, residents: int, seed: int) -> None:
    from bench.accepted import write_accepted

    shutil.rmtree(work, ignore_errors=True)
    begun = time.perf_counter()
    write_accepted(work / "district", Home(work / "home"), residents=residents, seed=seed, now=NOW)
    peaks = [resource.getrusage(who).ru_maxrss / 2**20 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    made = Making(wall_s=round(time.perf_counter() - begun, 1), parent_gib=round(peaks[0], 2), worker_gib=round(peaks[1], 2))
    (work / MADE).write_text(json.dumps(asdict(made)), encoding="utf-8")


def measure(work: Path, residents: int) -> Figures:
    """Reconcile all anew and publish; earlier golden versions are forgotten first."""
    from bench.reconcile import forget
    from catalog.lake import Lake
    from catalog.store import open_store
    from golden.reconcile import reconcile
    from golden.serving import publish

    home = Home(work / "home")
    home.create()  # a kept home may be of an older schema
    store, lake = open_store(home.store_url), Lake(home.lake_root)
    for left in (lake.root / "golden", home.serving_dir):
        shutil.rmtree(left, ignore_errors=True)
    home.serving_dir.mkdir()
    forget(store)
    load, steps = os.getloadavg()[0], Steps()
    steps.begin("start")
    outcome = reconcile(store, lake, full=True, now=NOW, told=steps.begin)
    steps.begin("serving")
    publish(store, home, outcome.version, now=NOW)
    steps.end()
    wall, peak = sum(step.wall_s for step in steps.taken.values()), max(step.peak_gib for step in steps.taken.values())
    return Figures(
        residents=residents,
        records=outcome.records,
        datasets=sum(1 for _ in (lake.root / "standard").iterdir()),
        residents_found=outcome.residents,
        wall_s=round(wall, 1),
        cpu_s=round(sum(step.cpu_s for step in steps.taken.values()), 1),
        peak_gib=peak,
        million_s=round(wall / outcome.records * 10**6, 2),
        million_gib=round(peak / outcome.records * 10**6, 3),
        steps=steps.taken,
        warnings=outcome.warnings,
        load_average_before=round(load, 1),
        cores=os.cpu_count() or 1,
        made=Making(**json.loads((work / MADE).read_text(encoding="utf-8"))),
    )


class Steps:
    """Seconds and largest memory per step. The kernel keeps the largest resident size of a process and forgets it when asked to."""

    def __init__(self) -> None:
        self.taken: dict[str, Step] = {}
        self._name, self._since, self._worked = "", 0.0, 0.0

    def begin(self, name: str) -> None:
        self.end()
        self._name, self._since, self._worked = name, time.perf_counter(), time.process_time()

    def end(self) -> None:
        if self._name:
            wall, cpu = time.perf_counter() - self._since, time.process_time() - self._worked
            self.taken[self._name] = Step(wall_s=round(wall, 2), cpu_s=round(cpu, 2), peak_gib=round(largest_resident_gib(), 2))
            print(f"  {self._name:16} {wall:8.1f} s {cpu:8.1f} s of processors {self.taken[self._name].peak_gib:6.2f} GiB", flush=True)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        self._name = ""


def largest_resident_gib() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 2**20


def report(figures: Figures) -> None:
    print(f"{figures.residents:,} residents, {figures.records:,} records of {figures.datasets} data sets → {figures.residents_found:,}")
    print(f"  {figures.wall_s} s, {figures.cpu_s} s of processors, {figures.peak_gib} GiB", end=" ")
    print(f"({figures.million_s} s and {figures.million_gib} GiB per million records; load before {figures.load_average_before})")
    kept = figures.wall_s <= LIMIT_S and figures.peak_gib <= LIMIT_GIB
    print(
        f"  limits of {LIMIT_S} s and {LIMIT_GIB} GiB: {'kept' if kept else 'MISSED'}; made in {figures.made.wall_s} s, apart", flush=True
    )


def keep(figures: Figures, results: Path) -> None:
    """In the place of what stood there for this size."""
    sizes = json.loads(results.read_text(encoding="utf-8")) if results.exists() else []
    sizes = [size for size in sizes if size["residents"] != figures.residents] + [asdict(figures)]
    results.parent.mkdir(parents=True, exist_ok=True)
    ordered = sorted(sizes, key=lambda size: size["residents"])
    results.write_text(json.dumps(ordered, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
