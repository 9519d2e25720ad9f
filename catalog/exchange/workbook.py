"""The statutory workbook (目录模板): entries on one sheet, their columns on another, enumerations linked; written and read."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import python_calamine as calamine
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from catalog.entries.content import EntryColumn, EntryContent
from catalog.entries.shelf import Entry
from catalog.exchange.fields import COLUMN_FIELDS, ENTRY_FIELDS, LINKED, NO, ROW, YES, Field, plain_text
from catalog.exchange.imported import FAULTS_MOST, Imported, ImportedEntry, ImportFault, Place
from catalog.terms import FLAG, FORMAT_TYPES
from rules.citations import Citation, Kind
from rules.classification import load_classification
from rules.departments import load_departments, resolve_department
from rules.errors import Refused

ENTRIES, COLUMNS, LISTS, GUIDE = "目录", "数据项", "字典", "填写说明"
SHEETS: Mapping[str, tuple[Field, ...]] = {ENTRIES: ENTRY_FIELDS, COLUMNS: COLUMN_FIELDS}
ROWS_MOST = 50_000
BYTES_MOST = 50 * 1024 * 1024
EMPTY_ROWS = 1_000
"""So many rows below the last one still offer the lists."""
SHOWN_CHARACTERS = 30
MADE_ON = datetime(2026, 1, 1)  # noqa: DTZ001 (a workbook knows no zones; one date for all, so that equal entries give equal bytes)
GUIDE_LINES = (
    "“目录”表每行一个目录；“数据项”表每行一个数据项，用“目录序号”对应。 One entry a row; its columns on the next sheet, by 目录序号.",
    "信息资源代码和修订由平台填写：改已有目录时勿动，新目录留空。 Code and revision are the platform's: leave them as they are.",
    "标 * 的必填；下拉项只能从列表选择；统计数只填数字，不明填 0。 Starred columns are needed; counts are numbers only.",
    "不予共享只认法律、行政法规、国务院决定，并写明条款（条例第14、15条，L-10）。 Only these three kinds of text count.",
    "涉密数据不得填入本表（条例第2、3条，L-01）。 Secret data may not stand here.",
)


def write_workbook(path: Path, entries: Sequence[Entry]) -> None:
    """Write entries as they stand; with none it is the empty template. The same entries give the same bytes."""
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": False}) as book:
        book.set_properties({"title": "政务数据目录", "created": MADE_ON})
        _write_sheet(book, ENTRIES, [_entry_row(number, entry) for number, entry in enumerate(entries, start=1)])
        rows = [_column_row(number, column) for number, entry in enumerate(entries, start=1) for column in entry.content.columns]
        _write_sheet(book, COLUMNS, rows)
        _write_lists(book)
        guide = book.add_worksheet(GUIDE)
        guide.set_column(0, 0, 120)
        guide.write_column(0, 0, GUIDE_LINES)


def read_workbook(path: Path, departments: Mapping[str, str]) -> Imported:
    """Everything in a workbook, with every fault at its sheet, row and column. `departments` are the titles of those known by key.

    Refused XLS-READ for what is no workbook, XLS-LARGE for what is too large.
    """
    book = _open(path)
    faults: list[ImportFault] = []
    entries, columns = (list(_rows(book, name, fields, departments, faults)) for name, fields in SHEETS.items())
    by_row: defaultdict[str, list[_Row]] = defaultdict(list)
    known = {str(row.values[ROW.key]) for row in entries if row.values.get(ROW.key) is not None}
    for row in columns:
        number = row.values.get(ROW.key)
        if number is not None and str(number) not in known:
            faults.append(row.place(ROW.key).fault("XLS-ROW", str(number)[:SHOWN_CHARACTERS]))
        by_row[str(number)].append(row)
    faults += _repeated(entries)
    imported = [_imported(row, by_row[str(row.values.get(ROW.key))]) for row in entries if not row.faulty]
    return Imported(entries=imported, faults=sorted(faults, key=_in_order)[:FAULTS_MOST])


@dataclass(kw_only=True)
class _Row:
    """A row of a sheet: values by the key of their field, and where each stands. `faulty` where one of its cells cannot be read."""

    sheet: str
    number: int
    letters: Mapping[str, str]
    values: dict[str, Any] = field(default_factory=dict)
    faulty: bool = False

    def place(self, key: str) -> Place:
        letters = self.letters.get(key)
        return Place(name=f"{self.sheet}!{letters or ''}{self.number}", row=self.number, column=letters)


def _open(path: Path) -> calamine.CalamineWorkbook:
    if path.stat().st_size > BYTES_MOST:
        raise Refused("XLS-LARGE", where=path.name, what=f"> {BYTES_MOST // 1024 // 1024} MB")
    try:
        return calamine.CalamineWorkbook.from_path(str(path))
    except calamine.CalamineError as fault:
        raise Refused("XLS-READ", where=path.name, what=type(fault).__name__) from fault


def _rows(
    book: calamine.CalamineWorkbook, name: str, fields: Sequence[Field], departments: Mapping[str, str], faults: list[ImportFault]
) -> Iterator[_Row]:
    if name not in book.sheet_names:
        faults.append(Place(name=name).fault("XLS-SHEET"))
        return
    sheet = book.get_sheet_by_name(name)
    if sheet.height > ROWS_MOST:
        raise Refused("XLS-LARGE", where=name, what=f"{sheet.height:,} > {ROWS_MOST:,} 行 rows")
    top, left = sheet.start or (0, 0)
    lines = [[""] * left + list(line) for line in sheet.to_python(skip_empty_area=True)] if sheet.height else []
    columns = _columns(name, top, lines[0] if lines else [], fields, faults)
    letters = {of.key: xl_col_to_name(at) for at, of in columns.items()}
    for number, line in enumerate(lines[1:], start=top + 2):
        if any(plain_text(cell) for cell in line):
            yield _read_row(_Row(sheet=name, number=number, letters=letters), line, columns, departments, faults)


def _columns(name: str, top: int, header: Sequence[Any], fields: Sequence[Field], faults: list[ImportFault]) -> dict[int, Field]:
    """Which field stands in which column, by the header; those that are missing or not known are faults."""
    by_title = {_folded(of.title): of for of in fields}
    found: dict[int, Field] = {}
    for at, cell in enumerate(header):
        title = _folded(plain_text(cell))
        place = Place(name=f"{name}!{xl_col_to_name(at)}{top + 1}", row=top + 1, column=xl_col_to_name(at))
        if title and title not in by_title:
            faults.append(place.fault("XLS-HEADER-UNKNOWN", plain_text(cell)[:SHOWN_CHARACTERS]))
        elif title and by_title[title] in found.values():
            faults.append(place.fault("XLS-HEADER-TWICE", by_title[title].title))
        elif title:
            found[at] = by_title[title]
    place = Place(name=f"{name}!{top + 1}", row=top + 1)
    faults += [place.fault("XLS-HEADER", of.title) for of in fields if of.needed and of not in found.values()]
    return found


def _read_row(
    row: _Row, line: Sequence[Any], columns: Mapping[int, Field], departments: Mapping[str, str], faults: list[ImportFault]
) -> _Row:
    for at, of in columns.items():
        try:
            value = of.value(line[at]) if at < len(line) else None
        except ValueError as fault:
            row.faulty = True
            faults.append(row.place(of.key).fault("XLS-VALUE", f"{of.title}: {fault}"))
            continue
        if value is None and of.needed:
            row.faulty = True
            faults.append(row.place(of.key).fault("XLS-NEEDED", of.title))
        elif value is not None:
            row.values[of.key] = _department(value, departments) if of.key == "department" else value
    return row


def _department(title: str, departments: Mapping[str, str]) -> str:
    """A department by its title, key or one of its names; what is none of these stays, and the check names it."""
    by_title = {_folded(known): key for key, known in departments.items()}
    known = resolve_department(title)
    exact = load_departments().get(known)
    names = {_folded(name) for name in (exact.key, exact.title, *exact.aliases)} if exact else set()
    return by_title.get(_folded(title)) or (known if _folded(title) in names else title)


def _repeated(rows: Sequence[_Row]) -> Iterator[ImportFault]:
    """Rows of one number, or of one code: nobody can tell which is meant."""
    for key in (ROW.key, "code"):
        seen: set[str] = set()
        for row in rows:
            value = row.values.get(key)
            if value is not None and str(value) in seen:
                yield row.place(key).fault("XLS-TWICE", str(value)[:SHOWN_CHARACTERS])
            seen.add(str(value))


def _imported(row: _Row, columns: Sequence[_Row]) -> ImportedEntry:
    values = row.values
    department = values.get("department", "")
    places = {_part(key): row.place(key) for key in row.letters}
    for column in columns:
        name = column.values.get("name", "")
        places |= {f"columns.{name}.{_part(key)}": column.place(key) for key in column.letters}
        places[f"columns.{name}"] = column.place("name")
        places[f"columns.{str(name).casefold()}.name"] = column.place("name")
        places[f"columns.{str(column.values.get('title', '')).casefold()}.title"] = column.place("title")
    content = EntryContent(
        title=values.get("title", ""),
        department=department,
        category=str(values.get("category") or load_classification().category_of(department)),
        items={key.removeprefix("items."): value for key, value in values.items() if key.startswith("items.")},
        citation=_citation(values),
        columns=tuple(_entry_column(column.values) for column in columns if not column.faulty),
    )
    return ImportedEntry(content=content, at=row.place(ROW.key), code=values.get("code"), revision=values.get("revision"), places=places)


def _part(key: str) -> str:
    return "citation" if key.startswith("citation.") else key


def _entry_column(values: Mapping[str, Any]) -> EntryColumn:
    own = {key: value for key, value in values.items() if key != ROW.key and not key.startswith("citation.")}
    return EntryColumn(**{"secret": False, **own, "citation": _citation(values)})


def _citation(values: Mapping[str, Any]) -> Citation | None:
    parts = {key.removeprefix("citation."): value for key, value in values.items() if key.startswith("citation.")}
    if not parts:
        return None
    return Citation(
        kind=parts.get("kind", Kind.UNKNOWN), title=parts.get("title", ""), number=parts.get("number", ""), article=parts.get("article", "")
    )


def _in_order(fault: ImportFault) -> tuple[str, int, int, str]:
    return fault.place.partition("!")[0], fault.row or 0, len(fault.column or ""), fault.column or ""


def _folded(title: str) -> str:
    return re.sub(r"[\s*＊]+", "", title).casefold()


def _entry_row(number: int, entry: Entry) -> list[Any]:
    content = entry.content
    known = {"row": number, "code": entry.code, "revision": entry.revision, "title": content.title, "category": content.category}
    values = {**known, "department": entry.department_title, **{f"items.{key}": value for key, value in content.items.items()}}
    return [of.cell((values | _citation_values(content.citation)).get(of.key)) for of in ENTRY_FIELDS]


def _column_row(number: int, column: EntryColumn) -> list[Any]:
    values = {"row": number, **vars(column)} | _citation_values(column.citation)
    values["key"], values["secret"] = column.key or None, column.secret or None
    return [of.cell(values.get(of.key)) for of in COLUMN_FIELDS]


def _citation_values(citation: Citation | None) -> dict[str, Any]:
    return {f"citation.{key}": value for key, value in vars(citation).items()} if citation else {}


def _write_sheet(book: xlsxwriter.Workbook, name: str, rows: Sequence[Sequence[Any]]) -> None:
    fields = SHEETS[name]
    head = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "text_wrap": True})
    needed = book.add_format({"bold": True, "bg_color": "#FCE4D6", "border": 1, "text_wrap": True})
    text = book.add_format({"num_format": "@"})
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 4 if name == ENTRIES else 3)
    for at, of in enumerate(fields):
        sheet.write_string(0, at, f"{of.title}{'*' if of.needed else ''}", needed if of.needed else head)
        if of.rule:
            sheet.write_comment(0, at, of.rule)
        sheet.set_column(at, at, max(10, min(24, 2 * len(of.title) + 2)), text)
        _offer(sheet, at, of, fields, len(rows) + EMPTY_ROWS)
    for number, row in enumerate(rows, start=1):
        for at, cell in enumerate(row):
            if cell is not None:
                sheet.write(number, at, cell)


def _offer(sheet: Any, at: int, of: Field, fields: Sequence[Field], last: int) -> None:
    """The list to choose from: linked to another column's choice where the field hangs on it."""
    if of.key in LINKED:
        other = next(n for n, known in enumerate(fields) if known.key == "items.formatClass")
        source = f'=INDIRECT("格式_"&${xl_col_to_name(other)}2)'
    elif of.labels or of.kind == FLAG or of.key == "department":
        source = f"=字典_{_list_name(of)}"
    else:
        return
    sheet.data_validation(
        1, at, last, at, {"validate": "list", "source": source, "error_title": of.title, "error_message": "请从列表中选择"}
    )


def _write_lists(book: xlsxwriter.Workbook) -> None:
    """Every enumeration as a column of the sheet of lists, under a name that the validations use."""
    lists: dict[str, Sequence[str]] = {}
    for of in (*ENTRY_FIELDS, *COLUMN_FIELDS):
        if of.labels:
            lists[f"字典_{_list_name(of)}"] = list(dict.fromkeys(_shown(of)))
        elif of.kind == FLAG:
            lists[f"字典_{_list_name(of)}"] = (YES, NO)
    lists["字典_部门"] = [department.title for department in load_departments().values()]
    lists |= {f"格式_{name}": types for name, types in FORMAT_TYPES.items()}
    sheet = book.add_worksheet(LISTS)
    for at, (name, values) in enumerate(lists.items()):
        sheet.write_string(0, at, name)
        sheet.write_column(1, at, values)
        letters = xl_col_to_name(at)
        book.define_name(name, f"='{LISTS}'!${letters}$2:${letters}${len(values) + 1}")
    sheet.hide()


def _shown(of: Field) -> Iterator[str]:
    """One label for each value: the one that is also written."""
    return (str(of.cell(value)) for value in of.labels.values())


def _list_name(of: Field) -> str:
    if of.key == "department":
        return "部门"
    return "是否" if of.kind == FLAG and not of.labels else re.sub(r"\W", "", of.title)
