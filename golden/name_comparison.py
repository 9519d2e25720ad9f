"""How alike two names are, as a level of `matching.yaml`: judged once per pair of distinct names."""

import duckdb
import numpy as np
import pyarrow as pa
from rapidfuzz.distance import OSA
from rapidfuzz.process import cpdist

from golden.engine import keep

BATCH_PAIRS = 1_000_000


def compare_names(con: duckdb.DuckDBPyConnection, pairs: str, into: str) -> str:
    """(a, b) unequal name keys → `into`(a, b, level): wildcard, pinyin, shortened, one_edit, surname or else."""
    con.execute(f"CREATE OR REPLACE TABLE {into} (a VARCHAR, b VARCHAR, level VARCHAR)")
    con.execute("CREATE OR REPLACE TEMP TABLE spelt AS SELECT name_key, min(pinyin) AS pinyin FROM names GROUP BY name_key")
    rows = con.sql(f"""
        SELECT a, b, coalesce(p.pinyin = q.pinyin, false) AS same_sound FROM {pairs}
        LEFT JOIN spelt p ON p.name_key = a LEFT JOIN spelt q ON q.name_key = b ORDER BY a, b""").to_arrow_reader(BATCH_PAIRS)
    levelled = [
        pa.Table.from_batches([batch]).append_column("level", _levels(batch)).drop_columns("same_sound") for batch in rows if len(batch)
    ]
    if levelled:
        keep(con, into, pa.concat_tables(levelled))
    return into


def _levels(batch: pa.RecordBatch) -> pa.Array:
    a, b = batch.column("a").to_pylist(), batch.column("b").to_pylist()
    edits = cpdist(a, b, scorer=OSA.distance, dtype=np.int32)
    lengths = np.array([[len(x) for x in a], [len(y) for y in b]])
    long = lengths.min(axis=0) >= 2
    tests = {
        "wildcard": np.fromiter((("?" in x or "?" in y) and _fits(x, y) for x, y in zip(a, b, strict=True)), bool, len(a)),
        "pinyin": batch.column("same_sound").to_numpy(zero_copy_only=False),
        "shortened": (edits == 1) & long & (lengths[0] != lengths[1]),
        "one_edit": (edits == 1) & long,
        "surname": np.fromiter((x[:1] == y[:1] for x, y in zip(a, b, strict=True)), bool, len(a)),
    }
    return pa.array(np.select(list(tests.values()), list(tests), default="else"))


def _fits(a: str, b: str) -> bool:
    """Equal but for replaced characters; at least one character is held by both (D-37)."""
    same = [x == y for x, y in zip(a, b, strict=False) if "?" not in (x, y)]
    return len(a) == len(b) and bool(same) and all(same)
