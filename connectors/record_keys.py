"""The key of each record as it stands in the source, and the rows whose key is missing or stands there before."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rules.missing import missing_words

SEPARATOR = "|"
SCAN_ROWS = 100_000
MISSING, REPEATED, DUPLICATE = "ROW-KEY-MISSING", "ROW-KEY-REPEATED", "ROW-DUPLICATE"


@dataclass(frozen=True, kw_only=True)
class KeyFaults:
    """Positions in the raw file (from 0, ascending) that cannot stay, each with its reason."""

    positions: np.ndarray
    reasons: np.ndarray

    def within(self, start: int, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Those of a stretch of the file, counted from its beginning."""
        first, last = np.searchsorted(self.positions, (start, start + length))
        return self.positions[first:last] - start, self.reasons[first:last]

    def count(self, *reasons: str) -> int:
        return int(np.isin(self.reasons, reasons).sum())


def record_keys(batch: pa.RecordBatch, key_columns: Sequence[str]) -> pa.StringArray:
    """The parts of the key, trimmed and joined by `|`; null where a part is missing. Without a key the row number stands for it."""
    if not key_columns:
        return pc.cast(batch.column("_row"), pa.string())
    parts = [pc.utf8_trim_whitespace(batch.column(name)) for name in key_columns]
    missing = [pc.fill_null(pc.is_in(part, value_set=_no_key()), True) for part in parts]
    whole = pc.binary_join_element_wise(*parts, SEPARATOR) if len(parts) > 1 else parts[0]
    absent = missing[0]
    for more in missing[1:]:
        absent = pc.or_(absent, more)
    return pc.if_else(absent, pa.scalar(None, pa.string()), whole)


def _no_key() -> pa.Array:
    """What stands in a key column when there is no key; `0` is a key like any other."""
    return pa.array(["", *sorted(missing_words(zero_is_value=True))])


def find_key_faults(raw: Path, key_columns: Sequence[str]) -> KeyFaults:
    """Two passes in bounded memory: 16 bytes per key, then only the rows whose key hash is not alone."""
    if not key_columns:
        return KeyFaults(positions=np.array([], int), reasons=np.array([], str))
    hashes, missing = _hashes(raw, key_columns)
    hashes[missing] = np.arange(len(missing), dtype=np.uint64)  # rows without a key share nothing
    shared = np.setdiff1d(_not_alone(hashes), missing, assume_unique=True)
    faults = dict.fromkeys(missing.tolist(), MISSING)
    if len(shared):
        faults |= _later_ones(raw, key_columns, shared)
    positions = np.array(sorted(faults), int)
    return KeyFaults(positions=positions, reasons=np.array([faults[int(p)] for p in positions], dtype="U16"))


def _hashes(raw: Path, key_columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """A hash of each row's key, and the positions of rows that have none."""
    file = pq.ParquetFile(raw)
    hashes, missing, start = np.empty(file.metadata.num_rows, np.uint64), [np.array([], int)], 0
    for batch in file.iter_batches(SCAN_ROWS, columns=list(key_columns)):
        keys = record_keys(batch, key_columns)
        missing.append(np.flatnonzero(keys.is_null().to_numpy(zero_copy_only=False)) + start)
        texts = pc.fill_null(keys, "").to_numpy(zero_copy_only=False).astype(object)
        hashes[start : start + batch.num_rows] = pd.util.hash_array(texts, categorize=False)
        start += batch.num_rows
    return hashes, np.concatenate(missing)


def _not_alone(hashes: np.ndarray) -> np.ndarray:
    """Positions whose hash stands there more than once."""
    ordered = np.sort(hashes)
    shared = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    return np.flatnonzero(np.isin(hashes, shared)) if len(shared) else np.array([], int)


def _later_ones(raw: Path, key_columns: Sequence[str], shared: np.ndarray) -> dict[int, str]:
    """Of the rows that share a key, all but the first, and whether they say the same as it."""
    first: dict[str, bytes] = {}
    faults: dict[int, str] = {}
    for positions, batch in _rows_at(raw, shared):
        contents = _contents(batch)
        for position, key, content in zip(positions.tolist(), record_keys(batch, key_columns).to_pylist(), contents, strict=True):
            if key not in first:
                first[key] = content
            else:
                faults[position] = DUPLICATE if first[key] == content else REPEATED
    return faults


def _rows_at(raw: Path, positions: np.ndarray) -> Iterator[tuple[np.ndarray, pa.RecordBatch]]:
    start = 0
    for batch in pq.ParquetFile(raw).iter_batches(SCAN_ROWS):
        here = positions[np.searchsorted(positions, start) : np.searchsorted(positions, start + batch.num_rows)]
        if len(here):
            yield here, batch.take(pa.array(here - start))
        start += batch.num_rows


def _contents(batch: pa.RecordBatch) -> list[bytes]:
    """A digest of each row's cells, without its number and file."""
    cells = [pc.fill_null(batch.column(name), "\0") for name in batch.schema.names if not name.startswith("_")]
    texts = pc.binary_join_element_wise(*cells, "\x1f").to_pylist()
    return [hashlib.blake2b(text.encode(), digest_size=16).digest() for text in texts]
