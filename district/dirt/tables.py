"""X-20: what goes wrong with whole tables: rows uploaded twice under other keys, text in the wrong encoding, words for nothing."""

import numpy as np
import pyarrow as pa

from district.person_sets import KEY
from district.texts import pick, words
from district.views import View

MARKERS = ("\\N", "NULL", "——", "无", "-", "—", "不详", "/")


def listed_twice(view: View, share: float) -> None:
    """The rows themselves were added when the view was made; here they are noted."""
    _, first = np.unique(view.who, return_index=True)
    again = np.ones(len(view), bool)
    again[first] = False
    key = next(column.name for column in view.spec.columns if column.element == KEY)
    view.mark("X-20", key, np.flatnonzero(again))


def garbled(view: View, share: float) -> None:
    """UTF-8 read as GB18030 on its way through somebody's spreadsheet."""
    for column in (c.name for c in view.spec.columns if c.element in ("name", "residence_address", "employer")):
        rows = view.free_rows(column, share / 10)
        texts = view.columns[column].take(pa.array(rows)).to_pylist()
        view.rewrite("X-20", column, rows, words([text.encode().decode("gb18030", errors="replace") for text in texts]))


def empty_words(view: View, share: float) -> None:
    """A word that says nothing, in cells that are empty anyway."""
    for column in view.spec.columns:
        if column.element in (KEY, None, "updated_at"):
            continue
        empty = ~pa.compute.is_valid(view.columns[column.name]).to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(empty & (view.rng.random(len(view)) < min(0.6, share * 20)))
        view.rewrite("X-20", column.name, rows, pick(words(MARKERS), view.rng.integers(len(MARKERS), size=len(rows))))
