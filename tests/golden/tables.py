"""Sources of a few hand-made records, standing as standard Parquet files, for the tests of reconciliation."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from golden.sources import RecordSource

RECEIVED = date(2026, 10, 1)
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def number(birth: str, order: int, region: str = "440699") -> str:
    """A number with a right check digit; 440699 is no county."""
    body = f"{region}{birth.replace('-', '')}{order:03d}"
    return body + "10X98765432"[sum(int(d) * w for d, w in zip(body, WEIGHTS, strict=True)) % 11]


def source(
    folder: Path,
    dataset: str,
    rows: Iterable[Mapping[str, str | None]],
    *,
    department: str = "hrss",
    faults: Sequence[tuple[int, str, str, str]] = (),
    columns: Mapping[str, tuple[str, ...]] | None = None,
    **given: Any,
) -> RecordSource:
    """A source whose columns are called after their elements; `record` in a row is its key (else 1, 2 …).

    faults: (row, column, fault, raw).
    """
    rows = list(rows)
    names = sorted({name for row in rows for name in row} - {"record"})
    keys = [row.get("record") or str(place) for place, row in enumerate(rows, start=1)]
    table = {"_row": pa.array(range(1, len(rows) + 1), pa.int64()), "_record": pa.array(keys, pa.string())}
    pq.write_table(
        pa.table(table | {name: pa.array([row.get(name) for row in rows], pa.string()) for name in names}), folder / f"{dataset}.parquet"
    )
    listed = {
        "_row": pa.array([row for row, *_ in faults], pa.int64()),
        "_record": pa.array([keys[row - 1] for row, *_ in faults], pa.string()),
        "column": pa.array([column for _, column, _, _ in faults], pa.string()),
        "fault": pa.array([fault for _, _, fault, _ in faults], pa.string()),
        "raw": pa.array([raw for *_, raw in faults], pa.string()),
    }
    pq.write_table(pa.table(listed), folder / f"{dataset}.faults.parquet")
    defaults: dict[str, Any] = {"verified": False, "source_of_record": frozenset(), "received_on": RECEIVED, "version": 1}
    return RecordSource(
        dataset=dataset,
        title=dataset,
        department=department,
        contract_version=1,
        standard=folder / f"{dataset}.parquet",
        faults=folder / f"{dataset}.faults.parquet",
        columns=columns or {name: (name,) for name in names},
        **{**defaults, **given},
    )
