"""Rows of a table that are no records: totals, repeated headers, notes below, blank lines (law.md X-20)."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from connectors.portions import ROW, AsideRow, Portion

TOTAL_COLUMNS = 4
"""A total's word stands in one of the first columns."""

_TOTAL = re.compile(
    r"(本页|本表|全区|全部|街道|社区)?(合\s*计|总\s*计|小\s*计|共\s*计|累\s*计)(\s*[（(].{0,10}[)）])?\s*([：:]\s*)?[\d,，.]*\s*[人户条元个名件]?"
)
_NOTE = re.compile(
    r"(注|备注|说明|填表|制表|审核|负责人|经办|联系人|联系电话|填报|日期|数据来源|统计时间|打印|单位)\w{0,8}\s*[：:].*|第\s*\d+\s*页.*|[（(]?以下空白[)）]?|-+\s*(完|END)\s*-+",
    re.I,
)


@dataclass(frozen=True, kw_only=True)
class _Found:
    reason: str
    rows: np.ndarray


def set_furniture_aside(batch: pa.RecordBatch) -> Portion:
    """Take out what is no record: totals, repeated headers and notes go aside with their reason, blank rows vanish."""
    header = batch.schema.names[1:]
    columns = [batch.column(i + 1) for i in range(len(header))]
    keep = ~_blank(columns, batch.num_rows)
    found = (_totals(columns), _repeated_header(columns, header), _notes(columns))
    aside: list[AsideRow] = []
    for kind in found:
        hits = kind.rows[keep[kind.rows]]
        keep[hits] = False
        aside += [AsideRow(row=batch.column(0)[int(i)].as_py(), reason=kind.reason, text=row_text(batch, int(i))) for i in hits]
    rows = batch if keep.all() else batch.filter(pa.array(keep))
    return Portion(rows=rows, aside=tuple(sorted(aside, key=lambda a: a.row)))


def row_text(batch: pa.RecordBatch, index: int) -> str:
    """A row as JSON, header → cell, for the quarantine."""
    cells = batch.slice(index, 1).to_pylist()[0]
    cells.pop(ROW)
    return json.dumps(cells, ensure_ascii=False)


def is_footer_line(text: str) -> bool:
    """Whether a line below the table that is not as wide as the table is a total or a note."""
    first = next((cell.strip() for cell in re.split(r"[,\t;|]", text) if cell.strip()), "").strip('"')
    return bool(_TOTAL.fullmatch(first) or _NOTE.fullmatch(first) or _NOTE.fullmatch(text.strip().strip(",;\t|")))


def _blank(columns: Sequence[pa.Array], length: int) -> np.ndarray:
    """Rows without any cell; only rows that are empty in the columns so far are looked at further."""
    rows = np.arange(length)
    for column in columns:
        if not len(rows):
            break
        part = column if len(rows) == length else column.take(pa.array(rows))
        empty = pc.fill_null(pc.equal(pc.binary_length(pc.utf8_trim_whitespace(part)), 0), True)
        rows = rows[np.asarray(empty.to_numpy(zero_copy_only=False), bool)]
    blank = np.zeros(length, bool)
    blank[rows] = True
    return blank


def _totals(columns: Sequence[pa.Array]) -> _Found:
    """A total's word alone in its cell, with most of the other cells empty or numbers."""
    hits: list[int] = []
    for column in columns[:TOTAL_COLUMNS]:
        candidates = np.flatnonzero(_mask(pc.match_substring(column, "计")))
        if len(candidates):
            texts = column.take(pa.array(candidates)).to_pylist()
            hits += [
                int(i) for i, text in zip(candidates, texts, strict=True) if _TOTAL.fullmatch(text.strip()) and _sparse(columns, int(i))
            ]
    return _Found(reason="ROW-TOTAL", rows=np.array(sorted(set(hits)), int))


def _sparse(columns: Sequence[pa.Array], row: int) -> bool:
    cells = [(column[row].as_py() or "").strip() for column in columns]
    words = sum(1 for cell in cells if cell and not re.fullmatch(r"[\d.,，%/-]+", cell))
    return words * 2 <= max(2, len(cells))


def _repeated_header(columns: Sequence[pa.Array], header: Sequence[str]) -> _Found:
    """The header standing among the rows again, as when several sheets were pasted together."""
    rows = np.flatnonzero(_mask(pc.equal(pc.utf8_trim_whitespace(columns[0]), header[0]))) if columns else np.array([], int)
    for column, name in zip(columns[1:], header[1:], strict=True):
        if not len(rows):
            break
        part = pc.utf8_trim_whitespace(column.take(pa.array(rows)))
        same = pc.or_kleene(pc.equal(part, re.sub(r"_\d+$", "", name)), pc.equal(part, name))
        rows = rows[np.asarray(pc.fill_null(pc.or_kleene(same, pc.equal(part, "")), True).to_numpy(zero_copy_only=False), bool)]
    return _Found(reason="ROW-HEADER", rows=rows)


def _notes(columns: Sequence[pa.Array]) -> _Found:
    """`填表人：…` and the like: a note in the first cell and nothing else in the row."""
    if len(columns) < 2:
        return _Found(reason="ROW-NOTE", rows=np.array([], int))
    candidates = np.flatnonzero(_mask(pc.match_substring_regex(columns[0], "[：:]|页|空白|(?i)end|完")))
    texts = columns[0].take(pa.array(candidates)).to_pylist() if len(candidates) else []
    hits = [int(i) for i, text in zip(candidates, texts, strict=True) if _NOTE.fullmatch(text.strip()) and _alone(columns, int(i))]
    return _Found(reason="ROW-NOTE", rows=np.array(hits, int))


def _alone(columns: Sequence[pa.Array], row: int) -> bool:
    return not any((column[row].as_py() or "").strip() for column in columns[1:])


def _mask(values: pa.Array) -> np.ndarray:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), bool)
