"""Chinese labels beside codes, for people who read an export (`--labels`)."""

from collections.abc import Iterator, Sequence

import pyarrow as pa

from masking.methods import over_distinct
from rules.labels import labels_of

LABEL_SUFFIX = "_label"


def labelled_columns(columns: Sequence[str]) -> list[str]:
    """The columns with a label column after each coded one."""
    return [name for column in columns for name in ((column, column + LABEL_SUFFIX) if labels_of(column) else (column,))]


def with_labels(batches: Iterator[pa.RecordBatch], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The same batches with the labels of every code; a code that its table does not hold has none."""
    names = labelled_columns(columns)
    for batch in batches:
        arrays = [batch[name] if name in columns else _label(batch[name.removesuffix(LABEL_SUFFIX)], name) for name in names]
        yield pa.RecordBatch.from_arrays(arrays, names=names)


def _label(codes: pa.Array, name: str) -> pa.Array:
    labels = labels_of(name.removesuffix(LABEL_SUFFIX))
    return over_distinct(codes, lambda code: labels.get(code))
