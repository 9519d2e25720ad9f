"""A CSV of 5 GB brought in, raw → standard → gate: how long each stage takes, and the most memory that all its processes hold together.

The file is made in a temporary folder and deleted at the end. Run alone: `python -m bench.connectors`; `--gigabytes 0.5` for a trial.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from bench.standardise import ELEMENTS, make_table
from catalog.areas import address_book, load_areas
from catalog.datasets import load_dataset
from catalog.home import Home
from catalog.lake import Lake
from catalog.registration import register
from catalog.store import open_store
from connectors.gate import judge_snapshot
from connectors.raw import bring_raw
from connectors.standard_rows import standardise_snapshot
from district.areas import lay_out, write_areas
from district.plan import plan
from district.regions import write_test_regions

RESULTS = Path(__file__).parent / "results" / "connectors.json"
GIGABYTES, LIMIT_GIB = 5.0, 2.0
BLOCK_ROWS = 400_000
SAMPLE_S = 0.1
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """`peak_gib`: resident memory of this process and its workers, sampled ten times a second."""

    seconds: float
    peak_gib: float


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One run over one file."""

    gigabytes: float
    rows: int
    columns: int
    stages: dict[str, Stage]
    total_s: float
    peak_gib: float
    unchanged_s: float
    state: str
    faulty_cells: int
    load_average_before: float
    cores: int


@dataclass(kw_only=True)
class Watch:
    """Samples the memory of this process and its children in a thread of its own."""

    peak: int = 0
    stages: dict[str, Stage] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        self.peak, done = 0, threading.Event()
        thread = threading.Thread(target=self._sample, args=(done,))
        thread.start()
        begun = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - begun
            done.set()
            thread.join()
            self.stages[name] = Stage(seconds=round(seconds, 1), peak_gib=round(self.peak / 2**30, 2))

    def _sample(self, done: threading.Event) -> None:
        while not done.wait(SAMPLE_S):
            self.peak = max(self.peak, sum(_resident(pid) for pid in (os.getpid(), *_children(os.getpid()))))


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--gigabytes", type=float, default=GIGABYTES)
    asked.add_argument("--results", type=Path, default=RESULTS)
    options = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), options.gigabytes)
    print(json.dumps(asdict(figures), indent=1))
    print(f"limit {LIMIT_GIB} GiB: {'kept' if figures.peak_gib < LIMIT_GIB else 'MISSED'}")
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(asdict(figures), indent=1) + "\n", encoding="utf-8")


def measure(folder: Path, gigabytes: float) -> Figures:
    areas, load = lay_out(plan(1_000_000, 1)), os.getloadavg()[0]
    rows = write_csv(folder / "people.csv", make_table(areas, BLOCK_ROWS), gigabytes)
    home, now = Home(folder / "home", None), datetime.now(UTC)
    write_areas(areas, folder / "areas")
    write_test_regions(folder / "areas")
    home.create()
    store, lake, watch = open_store(home.store_url), Lake(home.lake_root), Watch()
    (folder / "people.yaml").write_text(contract(), encoding="utf-8")
    register(store, [folder / "people.yaml"], now=now)
    with store.session() as session, session.begin():
        load_areas(session, folder / "areas")
        dataset, book = load_dataset(session, "people"), address_book(session)
    steps: Sequence[tuple[str, Callable[[], object]]] = (
        ("raw", lambda: bring_raw(store, lake, dataset, now=now)),
        ("standard", lambda: standardise_snapshot(store, lake, dataset, areas=book, now=now)),
        ("gate", lambda: judge_snapshot(store, lake, dataset, now=now)),
        ("unchanged", lambda: bring_raw(store, lake, dataset, now=now)),
    )
    for name, step in steps:
        with watch.stage(name):
            step()
    snapshot = judge_snapshot(store, lake, dataset, now=now)
    assert snapshot.rows_standard == rows, f"{snapshot.rows_standard} of {rows} rows"
    unchanged = watch.stages.pop("unchanged")
    return Figures(
        gigabytes=round((folder / "people.csv").stat().st_size / 10**9, 2),
        rows=rows,
        columns=len(ELEMENTS) + 1,
        stages=watch.stages,
        total_s=round(sum(stage.seconds for stage in watch.stages.values()), 1),
        peak_gib=max(stage.peak_gib for stage in watch.stages.values()),
        unchanged_s=unchanged.seconds,
        state=snapshot.state,
        faulty_cells=snapshot.fault_cells or 0,
        load_average_before=round(load, 1),
        cores=os.cpu_count() or 0,
    )


def write_csv(path: Path, table: pa.Table, gigabytes: float) -> int:
    """The same rows over and over under new keys, with a title above and a total below; returns the number of rows."""
    cells = [pc.if_else(pc.match_substring(c, ","), pc.binary_join_element_wise('"', c, '"', ""), c) for c in table.columns]
    lines = pc.binary_join_element_wise(*cells, ",").combine_chunks()
    rows = 0
    with path.open("wb") as file:
        file.write(("某区人口信息\n编号," + ",".join(ELEMENTS) + "\n").encode())
        while file.tell() < gigabytes * 10**9:
            keys = pc.binary_join_element_wise(
                "R", pc.utf8_lpad(pc.cast(pa.array(range(rows, rows + len(lines))), pa.string()), 10, "0"), ""
            )
            file.write("\n".join(pc.binary_join_element_wise(keys, lines, ",").to_pylist()).encode() + b"\n")
            rows += len(lines)
        file.write(f"合计,{rows}{',' * (len(ELEMENTS) - 1)}\n".encode())
    return rows


def contract() -> str:
    key = {"name": "record_no", "physicalName": "编号", "logicalType": "string", "primaryKey": True, "primaryKeyPosition": 1}
    properties = [key, *({"name": e, "logicalType": "string", "customProperties": [{"property": "element", "value": e}]} for e in ELEMENTS)]
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "people",
        "name": "人口信息",
        "version": "1.0.0",
        "status": "active",
        "domain": "police",
        "servers": [{"server": "source", "type": "local", "path": "people.csv", "format": "csv"}],
        "schema": [{"name": "people", "logicalType": "object", "properties": properties}],
        "customProperties": [{"property": "share", "value": "unconditional"}, {"property": "updateFrequency", "value": "每月"}],
    }
    return yaml.safe_dump(document, allow_unicode=True)


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def _children(pid: int) -> list[int]:
    try:
        found = [task.read_text(encoding="ascii").split() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for children in found for child in children]


if __name__ == "__main__":
    main()
