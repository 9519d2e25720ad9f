"""The lake: files whole or not there, locks that die with their process, and what is swept away."""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.datasets import Dataset, load_dataset
from catalog.lake import Lake
from catalog.registration import register
from catalog.snapshots import add_raw, mark_standard, sweep
from catalog.store import Store
from rules.errors import PlatformFault
from tests.catalog.contracts import good_contract, write

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SCHEMA = pa.schema([("_row", pa.int64()), ("姓名", pa.string())])
ROWS = pa.record_batch({"_row": pa.array([2, 3]), "姓名": pa.array(["甲", "乙"])}, schema=SCHEMA)
WAIT_S = 30


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def put(lake: Lake, stage: str, version: int, dataset: str = "police_hukou") -> Path:
    path = lake.path(stage, dataset, version)
    with lake.writer(path, SCHEMA) as out:
        out.write_batch(ROWS)
    return path


def files(lake: Lake) -> list[str]:
    return sorted(str(p.relative_to(lake.root)) for p in lake.root.rglob("*") if p.is_file() and ".locks" not in p.parts)


def test_a_file_is_read_back_as_it_was_written(lake: Lake) -> None:
    path = put(lake, "raw", 1)
    assert str(path.relative_to(lake.root)) == "raw/police_hukou/v000001.parquet"
    assert pq.read_table(path).to_batches() == [ROWS]
    assert pq.read_metadata(path).row_group(0).column(0).compression == "ZSTD"


def test_a_query_writes_its_rows_and_counts_them(lake: Lake) -> None:
    path = lake.path("standard", "o'neill", 7)
    with duckdb.connect() as con:
        assert lake.write_query(con, "SELECT i::VARCHAR AS name FROM range(?) t(i)", path, [5]) == 5
    assert pq.read_table(path)["name"].to_pylist() == ["0", "1", "2", "3", "4"]


def test_nothing_appears_when_writing_fails(lake: Lake) -> None:
    with pytest.raises(ValueError, match="reading broke off"), lake.writer(lake.path("raw", "a", 1), SCHEMA) as out:
        out.write_batch(ROWS)
        raise ValueError("reading broke off")
    with duckdb.connect() as con, pytest.raises(duckdb.Error):
        lake.write_query(con, "SELECT no_such_column", lake.path("raw", "a", 2))
    assert files(lake) == []


def test_a_file_that_cannot_be_replaced_keeps_its_content_when_writing_fails(lake: Lake) -> None:
    path = put(lake, "raw", 1)
    with pytest.raises(RuntimeError), lake.aside(path) as tmp:
        tmp.write_bytes(b"half")
        raise RuntimeError
    assert pq.read_table(path).num_rows == 2


def test_a_folder_appears_whole(lake: Lake) -> None:
    with lake.aside(lake.root / "golden" / "v000001") as folder:
        folder.mkdir()
        (folder / "residents.parquet").write_bytes(b"x")
        assert not (lake.root / "golden" / "v000001").exists()
    assert files(lake) == ["golden/v000001/residents.parquet"]


def test_a_lock_excludes_others_and_is_free_afterwards(lake: Lake) -> None:
    with lake.lock("a"), pytest.raises(PlatformFault, match="LAKE-BUSY") as fault, lake.lock("a", wait_s=0.1):
        pass
    assert fault.value.retry
    with lake.lock("a", wait_s=0), lake.lock("b", wait_s=0):
        pass


def hold_and_hang(root: Path) -> None:
    with Lake(root).lock("a"):
        (root / "ready").touch()
        time.sleep(WAIT_S)


def write_and_hang(root: Path) -> None:
    with Lake(root).writer(Lake(root).path("raw", "a", 1), SCHEMA) as out:
        out.write_batch(ROWS)
        (root / "ready").touch()
        time.sleep(WAIT_S)


@contextmanager
def process_at_work(work: Callable[[Path], None], root: Path) -> Iterator[int]:
    """A process that is in the middle of `work`; killed at the end if it still lives."""
    root.mkdir(parents=True, exist_ok=True)
    process = multiprocessing.get_context("fork").Process(target=work, args=(root,))
    process.start()
    try:
        while not (root / "ready").exists():
            time.sleep(0.01)
        assert process.pid is not None
        yield process.pid
    finally:
        process.kill()
        process.join()
        (root / "ready").unlink()


def test_a_lock_does_not_outlive_a_killed_process(lake: Lake) -> None:
    with process_at_work(hold_and_hang, lake.root) as pid:
        with pytest.raises(PlatformFault, match="LAKE-BUSY"), lake.lock("a", wait_s=0):
            pass
        os.kill(pid, signal.SIGKILL)
        with lake.lock("a", wait_s=5):
            pass


def test_sweeping_leaves_the_temporary_file_of_a_living_writer_and_removes_a_dead_ones(lake: Lake) -> None:
    with process_at_work(write_and_hang, lake.root):
        assert lake.sweep(lambda _: {}) == []
        assert len(files(lake)) == 2  # the temporary file, and `ready`
    assert [path.suffix for path in lake.sweep(lambda _: {})] == [".tmp"]
    assert files(lake) == []
    assert list((lake.root / ".locks" / "writers").iterdir()) == []


def test_sweeping_removes_the_temporary_folder_of_a_dead_writer(lake: Lake) -> None:
    dead = lake.root / "golden" / "v000002.0123456789abcdef.tmp"
    (dead / "inner").mkdir(parents=True)
    (dead / "inner" / "residents.parquet").write_bytes(b"x")
    assert lake.sweep(lambda _: {}) == [dead]
    assert not dead.exists()


@pytest.fixture
def dataset(store: Store, tmp_path: Path) -> Dataset:
    register(store, [write(tmp_path, good_contract())], now=NOW)
    with store.session() as session:
        return load_dataset(session, "police_hukou")


def test_sweeping_removes_what_no_snapshot_names(store: Store, lake: Lake, dataset: Dataset) -> None:
    for version in (1, 2, 3):
        for stage in ("raw", "standard", "faults", "quarantine"):
            put(lake, stage, version)
    with store.session() as session, session.begin():
        first = add_raw(session, dataset, version=1, source_digest="d", rules_version="r", rows_raw=2, now=NOW)
        mark_standard(session, first, rows_standard=2, rows_quarantined=0, fault_cells=0)
        add_raw(session, dataset, version=2, source_digest="e", rules_version="r", rows_raw=2, now=NOW)
    sweep(store, lake)
    assert files(lake) == [
        "faults/police_hukou/v000001.parquet",
        "quarantine/police_hukou/v000001.parquet",
        "quarantine/police_hukou/v000002.parquet",
        "raw/police_hukou/v000001.parquet",
        "raw/police_hukou/v000002.parquet",
        "standard/police_hukou/v000001.parquet",
    ]


def test_sweeping_passes_over_a_data_set_that_is_being_worked_on(store: Store, lake: Lake, dataset: Dataset) -> None:
    put(lake, "raw", 1)
    with lake.lock(dataset.key):
        assert sweep(store, lake) == []
    assert len(sweep(store, lake)) == 1


def test_a_full_disk_is_named(lake: Lake) -> None:
    with pytest.raises(PlatformFault, match="LAKE-FULL"), lake.aside(lake.path("raw", "a", 1)) as tmp:
        tmp.write_bytes(b"half")
        Path("/dev/full").write_bytes(b"x" * 10_000)
    assert files(lake) == []
