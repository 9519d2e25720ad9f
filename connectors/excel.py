"""Excel workbooks through calamine: merged cells filled, titles above the header skipped, numbers as text without an exponent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import python_calamine as calamine

from connectors.cell_text import cell_text
from connectors.furniture import set_furniture_aside
from connectors.headers import HEADER_SEARCH_ROWS, find_header, header_likeness, match_headers, title_above, unique_headers
from connectors.portions import Portion, text_batch
from rules.errors import Refused

PORTION_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class SheetLayout:
    """Where the table stands in a workbook. `header_row` counts from 1, as Excel shows it; `cells` is the sheet, parsed once."""

    sheet: str
    header_row: int
    header: tuple[str, ...]
    title: str
    cells: calamine.CalamineSheet = field(repr=False, compare=False)


@dataclass(kw_only=True)
class SheetReading:
    """One pass over one sheet of a workbook."""

    layout: SheetLayout

    def portions(self) -> Iterator[Portion]:
        rows = _filled_rows(self.layout.cells)
        width = len(self.layout.header)
        numbers: list[int] = []
        cells: list[list[str | None]] = []
        for number, row in enumerate(rows, start=1):
            if number <= self.layout.header_row:
                continue
            numbers.append(number)
            cells.append([_shown(row[i]) if i < len(row) else "" for i in range(width)])
            if len(cells) == PORTION_ROWS:
                yield set_furniture_aside(text_batch(self.layout.header, numbers, cells))
                numbers, cells = [], []
        yield set_furniture_aside(text_batch(self.layout.header, numbers, cells))


def find_sheets(path: Path, *, expected: Sequence[str] = (), sheet: str | None = None, header_row: int | None = None) -> list[SheetLayout]:
    """The sheets that hold the table: those with all of the contract's headers, or else the one that comes nearest."""
    workbook = _open(path)
    layouts = [
        found for name in _sheet_names(workbook, sheet, path) if (found := _layout(_sheet(workbook, name, path), expected, header_row))
    ]
    if not layouts:
        raise Refused("SRC-EMPTY", where=path.name)
    whole = [layout for layout in layouts if expected and not match_headers(expected, layout.header).missing]
    return whole or [max(layouts, key=lambda layout: _nearness(layout, expected))]


def _layout(sheet: calamine.CalamineSheet, expected: Sequence[str], header_row: int | None) -> SheetLayout | None:
    rows: list[list[str | None]] = []
    for row in _filled_rows(sheet):
        rows.append([_shown(cell) for cell in row])
        if len(rows) >= max(HEADER_SEARCH_ROWS, header_row or 0):
            break
    index = header_row - 1 if header_row else find_header(rows, expected)
    if index is None or index >= len(rows) or not any(rows[index]):
        return None
    width = max(i + 1 for row in rows[index:] for i, cell in enumerate(row) if cell)
    return SheetLayout(
        cells=sheet, sheet=sheet.name, header_row=index + 1, header=unique_headers(rows[index], width), title=title_above(rows[:index])
    )


def _nearness(layout: SheetLayout, expected: Sequence[str]) -> tuple[int, float]:
    return len(match_headers(expected, layout.header).found), header_likeness(layout.header)


def _sheet_names(workbook: calamine.CalamineWorkbook, sheet: str | None, path: Path) -> list[str]:
    if sheet is not None:
        if sheet not in workbook.sheet_names:
            raise Refused("SRC-UNREADABLE", where=path.name, what=f"没有工作表 no sheet: {sheet}")
        return [sheet]
    shown = [s.name for s in workbook.sheets_metadata if s.visible == calamine.SheetVisibleEnum.Visible]
    return shown or list(workbook.sheet_names)


def _sheet(workbook: calamine.CalamineWorkbook, name: str, path: Path) -> calamine.CalamineSheet:
    try:
        return workbook.get_sheet_by_name(name)
    except calamine.CalamineError as fault:
        raise Refused("SRC-UNREADABLE", where=f"{path.name}#{name}", what=type(fault).__name__) from fault


def _filled_rows(sheet: calamine.CalamineSheet) -> Iterator[list[Any]]:
    """All rows from Excel's row 1, with the value of a merged range in each of its cells below the first row of it."""
    merged = _MergedCells(sheet)
    _, left = sheet.start or (0, 0)
    for number, row in enumerate(sheet.iter_rows() if sheet.height else ()):
        yield merged.filled(number, [""] * left + row)


class _MergedCells:
    """Ranges that span several rows: the household's number beside all its members. A title merged across one row stays one cell."""

    def __init__(self, sheet: calamine.CalamineSheet) -> None:
        ranges = sheet.merged_cell_ranges or []
        self._open_at: dict[int, list[tuple[int, int, int]]] = {}
        for (top, left), (bottom, right) in ranges:
            if bottom > top:
                self._open_at.setdefault(top, []).append((bottom, left, right))
        self._current: list[tuple[int, int, int, Any]] = []

    def filled(self, number: int, row: list[Any]) -> list[Any]:
        if not self._open_at and not self._current:
            return row
        self._current = [merged for merged in self._current if merged[0] >= number]
        for _, left, right, value in self._current:
            row += [""] * (right + 1 - len(row))
            row[left : right + 1] = [value] * (right + 1 - left)
        for bottom, left, right in self._open_at.pop(number, []):
            self._current.append((bottom, left, right, row[left] if left < len(row) else ""))
        return row


def _shown(cell: Any) -> str | None:
    return cell_text(cell) or ""


def _open(path: Path) -> calamine.CalamineWorkbook:
    try:
        return calamine.CalamineWorkbook.from_path(path)
    except calamine.PasswordError as fault:
        raise Refused("SRC-PASSWORD", where=path.name) from fault
    except (calamine.CalamineError, OSError, ValueError) as fault:
        if path.stat().st_size == 0:
            raise Refused("SRC-EMPTY", where=path.name) from fault
        raise Refused("SRC-UNREADABLE", where=path.name, what=type(fault).__name__) from fault
