"""How alike two names are, as a level of `matching.yaml`: judged once per pair of distinct names."""

import duckdb
import numpy as np
import pyarrow as pa

from golden.engine import keep

BATCH_PAIRS = 250_000
LEVELS = ("wildcard", "pinyin", "shortened", "one_edit", "surname", "else")


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
    a, b = (_characters(batch.column(name)) for name in ("a", "b"))
    width = max(a.shape[1], b.shape[1])
    a, b = (np.pad(side, ((0, 0), (0, width - side.shape[1]))) for side in (a, b))
    lengths = np.array([(a > 0).sum(axis=1), (b > 0).sum(axis=1)])
    long, edit = lengths.min(axis=0) >= 2, _one_edit(a, b, lengths)
    tests = (
        _fits(a, b, lengths),
        batch.column("same_sound").to_numpy(zero_copy_only=False).astype(bool),
        edit & long & (lengths[0] != lengths[1]),
        edit & long,
        a[:, 0] == b[:, 0],
    )
    found = np.select(tests, np.arange(len(tests)), default=len(tests)).astype(np.int8)
    return pa.DictionaryArray.from_arrays(found, pa.array(LEVELS)).cast(pa.string())


def _characters(names: pa.Array) -> np.ndarray:
    """(names, longest): the characters of each by code, 0 after the last."""
    texts = np.array(names.to_pylist(), dtype=np.str_)
    return texts.view(np.uint32).reshape(len(texts), -1)


def _one_edit(a: np.ndarray, b: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """One character replaced, too many or too few, or two neighbours exchanged: an optimal string alignment distance of 1."""
    differ = a != b
    return _same_length(a, b, differ, lengths) | _one_more(a, b, differ, lengths) | _one_more(b, a, differ, lengths[::-1])


def _same_length(a: np.ndarray, b: np.ndarray, differ: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    number, each = differ.sum(axis=1), np.arange(len(a))
    first = differ.argmax(axis=1)
    second = np.minimum(first + 1, a.shape[1] - 1)
    exchanged = (number == 2) & (a[each, first] == b[each, second]) & (a[each, second] == b[each, first])
    return (lengths[0] == lengths[1]) & ((number == 1) | exchanged)


def _one_more(longer: np.ndarray, shorter: np.ndarray, differ: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """From the first difference on the longer one is the shorter one, a place later."""
    after = np.arange(longer.shape[1] - 1) >= differ.argmax(axis=1)[:, None]
    return (lengths[0] == lengths[1] + 1) & ((longer[:, 1:] == shorter[:, :-1]) | ~after).all(axis=1)


def _fits(a: np.ndarray, b: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Equal but for replaced characters; at least one character is held by both (D-37)."""
    wild = (a == ord("?")) | (b == ord("?"))
    return (lengths[0] == lengths[1]) & wild.any(axis=1) & ((a == b) | wild).all(axis=1) & ((a == b) & ~wild & (a > 0)).any(axis=1)
