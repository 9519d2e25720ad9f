"""Departments that take over each other's values, errors and all: agreement between them proves nothing."""

import numpy as np
import pyarrow as pa

from district.texts import Numbers, patched
from district.views import View


def copy_over(view: View) -> None:
    for copying in view.spec.copies:
        source = view.scene.views[copying.source]
        row_there = source.row_of[view.who]
        rows = np.flatnonzero((row_there >= 0) & (view.rng.random(len(view)) < copying.share))
        for element in copying.elements:
            _copy_element(view, source, element, rows, row_there)


def _copy_element(view: View, source: View, element: str, rows: Numbers, row_there: Numbers) -> None:
    mine, theirs = view.spec.column_of(element), source.spec.column_of(element)
    assert mine is not None and theirs is not None, f"{view.spec.key} cannot copy {element} from {source.spec.key}"
    there = row_there[rows]
    filled = pa.compute.is_valid(source.columns[theirs.name]).to_numpy(zero_copy_only=False)[there]
    rows, there = rows[filled], there[filled]
    view.columns[mine.name] = patched(view.columns[mine.name], rows, source.columns[theirs.name].take(pa.array(there)))
    view.taken[mine.name][rows] = source.taken[theirs.name][there]
    view.copied[mine.name][rows] = True
    _copy_marks(view, source, mine.name, theirs.name, rows, there)


def _copy_marks(view: View, source: View, mine: str, theirs: str, rows: Numbers, there: Numbers) -> None:
    for mark in source.marks:
        if mark.column == theirs:
            marked = np.zeros(len(source), bool)
            marked[mark.rows] = True
            view.mark(mark.pattern, mine, rows[marked[there]])
