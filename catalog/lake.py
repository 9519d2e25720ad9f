"""The lake: immutable, versioned Parquet files, each whole or not there.

A file is written under a temporary name, synced to disk and renamed; only then may a snapshot row name it (the row is the commit). What a
killed process leaves behind — temporary files, files no row names — is removed by `sweep`, which never touches what a living process holds.
"""

import errno
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from catalog.locks import hold, is_held
from rules.errors import PlatformFault

STAGES = ("raw", "standard", "faults", "quarantine")
TMP = ".tmp"
ROW_GROUP_ROWS = 122_880
COMPRESSION = "zstd"


class Lake:
    """The folder of all snapshots' files. Stages stand beside each other: `<stage>/<dataset>/v000001.parquet`."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def path(self, stage: str, dataset: str, version: int) -> Path:
        """Where the file of a stage (`raw`, `standard`, `faults`, `quarantine`) of a snapshot stands or will stand."""
        assert stage in STAGES, stage
        return self.root / stage / dataset / f"v{version:06d}.parquet"

    @contextmanager
    def writer(self, path: Path, schema: pa.Schema) -> Iterator[pq.ParquetWriter]:
        """A Parquet writer for Arrow batches; the file appears at `path` when the block ends well, and not at all otherwise."""
        with self.aside(path) as tmp, pq.ParquetWriter(tmp, schema, compression=COMPRESSION) as out:
            yield out

    def write_query(self, con: duckdb.DuckDBPyConnection, sql: str, path: Path, params: Sequence[Any] | None = None) -> int:
        """Write the result of a DuckDB query as the file `path`; returns its number of rows."""
        with self.aside(path) as tmp:
            copy = f"COPY ({sql}) TO '{_quoted(tmp)}' (FORMAT parquet, COMPRESSION {COMPRESSION}, ROW_GROUP_SIZE {ROW_GROUP_ROWS})"
            rows: int = con.execute(copy, params).fetchall()[0][0]
        return rows

    @contextmanager
    def aside(self, path: Path) -> Iterator[Path]:
        """A temporary name beside `path`, for a file or a folder; synced and renamed to `path` when the block ends well."""
        path.parent.mkdir(parents=True, exist_ok=True)
        token = secrets.token_hex(8)
        tmp = path.with_name(f"{path.name}.{token}{TMP}")
        with hold(self._writer_lock(token)), _full_disk_named(path):
            try:
                yield tmp
                _commit(tmp, path)
            finally:
                _remove(tmp)
                self._writer_lock(token).unlink(missing_ok=True)

    def lock(self, name: str, *, wait_s: float | None = None) -> AbstractContextManager[None]:
        """Exclude other processes (and threads) from `name`, a data set or `golden`. Released by the kernel if this process dies.

        Waits for ever, or `wait_s` seconds, then raises PlatformFault LAKE-BUSY.
        """
        return hold(self._lock_path(name), wait_s=wait_s)

    def sweep(self, versions: Callable[[str], Mapping[int, frozenset[str]]]) -> list[Path]:
        """Remove what killed processes left behind; returns what was removed.

        `versions(dataset)` gives the stages that the store names for each of its snapshots (`catalog.snapshots.stages_by_version`). A data
        set that another process works on is passed over: its newest file may wait for its row.
        """
        removed = [tmp for tmp in self._temporaries() if self._drop_temporary(tmp)]
        for dataset in self._datasets():
            try:
                with self.lock(dataset, wait_s=0):
                    removed += self._drop_unnamed(dataset, versions(dataset))
            except PlatformFault as fault:
                if fault.code != "LAKE-BUSY":
                    raise
        return sorted(removed)

    def _temporaries(self) -> list[Path]:
        return [found for found in self.root.rglob(f"*{TMP}") if found.parent.suffix != TMP]

    def _datasets(self) -> list[str]:
        folders = (folder for stage in STAGES if (self.root / stage).is_dir() for folder in (self.root / stage).iterdir())
        return sorted({folder.name for folder in folders})

    def _drop_temporary(self, tmp: Path) -> bool:
        lock = self._writer_lock(tmp.name.removesuffix(TMP).rsplit(".", 1)[-1])
        if is_held(lock):
            return False
        _remove(tmp)
        lock.unlink(missing_ok=True)
        return True

    def _drop_unnamed(self, dataset: str, named: Mapping[int, frozenset[str]]) -> list[Path]:
        files = [(stage, file) for stage in STAGES for file in (self.root / stage / dataset).glob("v*.parquet")]
        unnamed = [file for stage, file in files if stage not in named.get(int(file.stem[1:]), frozenset())]
        for file in unnamed:
            file.unlink()
        return unnamed

    def _lock_path(self, name: str) -> Path:
        return self.root / ".locks" / f"{name}.lock"

    def _writer_lock(self, token: str) -> Path:
        return self.root / ".locks" / "writers" / f"{token}.lock"


def sync(path: Path) -> None:
    """Bring a file or a folder's entries to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _commit(tmp: Path, path: Path) -> None:
    if tmp.is_dir():
        for found in sorted(tmp.rglob("*"), reverse=True):
            sync(found)
    sync(tmp)
    tmp.replace(path)
    for folder in (path.parent, path.parent.parent, path.parent.parent.parent):
        sync(folder)


def _remove(path: Path) -> None:
    if path.is_dir():
        for found in sorted(path.rglob("*"), reverse=True):
            found.rmdir() if found.is_dir() else found.unlink()
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


@contextmanager
def _full_disk_named(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as fault:
        if getattr(fault, "errno", None) == errno.ENOSPC or "No space left" in str(fault):
            raise PlatformFault("LAKE-FULL", where=path.name) from fault
        raise


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
