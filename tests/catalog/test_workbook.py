"""The statutory workbook: what is written is read back word for word; what is wrong is told at its row and column."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.entries.content import ITEMS, EntryColumn, EntryContent
from catalog.entries.shelf import Entry
from catalog.entries.states import State
from catalog.exchange.fields import COLUMN_FIELDS, ENTRY_FIELDS
from catalog.exchange.imported import FAULTS_MOST
from catalog.exchange.workbook import COLUMNS, ENTRIES, LISTS, read_workbook, write_workbook
from catalog.terms import CHOICE, FLAG, FORMAT_TYPES, NUMBER, TEXTS
from rules.citations import QUALIFYING, Citation, Kind
from rules.errors import Refused
from tests.catalog.entries import good_entry, with_column

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DEPARTMENTS = {"civil_affairs": "民政局", "police": "公安局", "station_7": "第七派出所"}
PIPL = Citation(kind=Kind.LAW, title="中华人民共和国个人信息保护法", number="主席令第91号", article="第二十八条")


def entry(content: EntryContent, number: int = 1, code: str | None = None) -> Entry:
    return Entry(
        id=number,
        code=code,
        department=content.department,
        department_title=DEPARTMENTS[content.department],
        state=State.DRAFT,
        revision=4,
        version=0,
        content=content,
        published=None,
        succeeds=None,
        returns=None,
        received_at=None,
        published_at=None,
        changed_at=NOW,
    )


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    items = {"returned": True, "areaDistinguishable": False, "recordCount": 30000, "storageGb": 1.5, "knownTo": ["police", "health"]}
    whole = with_column(good_entry(items=items, citation=PIPL), "man_id", share="none", no_share_reason="敏感", citation=PIPL, open=False)
    other = good_entry(department="station_7", title="=HYPERLINK(0)", columns=())
    write_workbook(tmp_path / "a.xlsx", [entry(whole, 7, "307005/000001"), entry(other, 8)])
    read = read_workbook(tmp_path / "a.xlsx", DEPARTMENTS)
    assert read.faults == []
    assert [(e.content, e.code, e.revision) for e in read.entries] == [(whole, "307005/000001", 4), (other, None, 4)]
    assert read.entries[0].place("columns.man_id.share").name == f"{COLUMNS}!I3"


def test_equal_entries_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write_workbook(tmp_path / name, [entry(good_entry())])
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()


def test_enumerations_are_linked(tmp_path: Path) -> None:
    """C-15, TX-30: the types offered hang on the class chosen."""
    write_workbook(tmp_path / "a.xlsx", [])
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    offered = {str(v.sqref).split(":")[0]: v.formula1 for v in book[ENTRIES].data_validations.dataValidation}
    titles = {cell.value.rstrip("*"): cell.column_letter for cell in book[ENTRIES][1]}
    class_at, type_at = titles["信息资源格式分类"], titles["信息资源格式类型"]
    assert offered[f"{type_at}2"] == f'INDIRECT("格式_"&${class_at}2)'
    named = {name: book.defined_names[name].attr_text for name in book.defined_names}
    for name, types in FORMAT_TYPES.items():
        first, last = named[f"格式_{name}"].split("!")[1].replace("$", "").split(":")
        assert [cell.value for (cell,) in book[LISTS][f"{first}:{last}"]] == list(types)
    assert offered[f"{class_at}2"].lstrip("=") in named and book[LISTS].sheet_state == "hidden"


def test_each_item_of_an_entry_and_a_column_has_a_place_in_the_workbook() -> None:
    assert {f"items.{key}" for key in ITEMS} <= {of.key for of in ENTRY_FIELDS}
    assert {f.name for f in fields(EntryColumn)} - {"citation"} <= {of.key for of in COLUMN_FIELDS}
    for sheet in (ENTRY_FIELDS, COLUMN_FIELDS):
        assert len({of.title for of in sheet}) == len(sheet)


def sheet_of(path: Path, entries: list[list[Any]], columns: list[list[Any]], *, heads: tuple[list[str], list[str]] | None = None) -> Path:
    """A workbook as someone else fills it."""
    heads = heads or ([of.title for of in ENTRY_FIELDS], [of.title for of in COLUMN_FIELDS])
    with xlsxwriter.Workbook(str(path)) as book:
        for name, head, rows in ((ENTRIES, heads[0], entries), (COLUMNS, heads[1], columns)):
            sheet = book.add_worksheet(name)
            for number, row in enumerate([head, *rows]):
                sheet.write_row(number, 0, row)
    return path


ENTRY_ROW: dict[str, Any] = {"row": 1, "title": "婚姻登记信息", "department": "民政局"}
COLUMN_ROW: dict[str, Any] = {"row": 1, "name": "id", "title": "编号", "data_type": "字符型", "level": "L2", "share": "有条件共享"}


def entry_row(**values: Any) -> list[Any]:
    return [(ENTRY_ROW | {k.replace("__", "."): v for k, v in values.items()}).get(of.key, "") for of in ENTRY_FIELDS]


def column_row(**values: Any) -> list[Any]:
    return [(COLUMN_ROW | {k.replace("__", "."): v for k, v in values.items()}).get(of.key, "") for of in COLUMN_FIELDS]


FAULTS: list[tuple[str, str, list[list[Any]], list[list[Any]]]] = [
    ("XLS-NEEDED", f"{ENTRIES}!D2", [entry_row(title="")], []),
    ("XLS-VALUE", f"{ENTRIES}!C2", [entry_row(revision="第四版")], []),
    ("XLS-VALUE", f"{COLUMNS}!D2", [entry_row()], [column_row(data_type="varchar2")]),
    ("XLS-VALUE", f"{COLUMNS}!E2", [entry_row()], [column_row(length="18位")]),
    ("XLS-VALUE", f"{COLUMNS}!F2", [entry_row()], [column_row(key="可能")]),
    ("XLS-ROW", f"{COLUMNS}!A2", [entry_row()], [column_row(row=9)]),
    ("XLS-TWICE", f"{ENTRIES}!A3", [entry_row(), entry_row(title="别的")], []),
    ("XLS-TWICE", f"{ENTRIES}!B3", [entry_row(code="307005/000001"), entry_row(row=2, code="307005/000001")], []),
]


@pytest.mark.parametrize(("code", "place", "entries", "columns"), FAULTS)
def test_a_fault_stands_at_its_row_and_column(tmp_path: Path, code: str, place: str, entries: list[Any], columns: list[Any]) -> None:
    read = read_workbook(sheet_of(tmp_path / "a.xlsx", entries, columns), DEPARTMENTS)
    assert [(fault.code, fault.place) for fault in read.faults] == [(code, place)]
    letters, row = place.split("!")[1][0], int(place[-1])
    assert (read.faults[0].column, read.faults[0].row) == (letters, row)


def test_faults_of_the_header_are_told(tmp_path: Path) -> None:
    heads = (["目录序号", "信息资源名称", "颜色", "信息资源名称"], [of.title for of in COLUMN_FIELDS])
    read = read_workbook(sheet_of(tmp_path / "a.xlsx", [], [], heads=heads), DEPARTMENTS)
    assert [(f.code, f.place, f.detail) for f in read.faults] == [
        ("XLS-HEADER", f"{ENTRIES}!1", "信息资源提供方"),
        ("XLS-HEADER-UNKNOWN", f"{ENTRIES}!C1", "颜色"),
        ("XLS-HEADER-TWICE", f"{ENTRIES}!D1", "信息资源名称"),
    ]


def test_a_workbook_without_the_sheets_says_so(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        book.add_worksheet("Sheet1")
    assert [fault.code for fault in read_workbook(tmp_path / "a.xlsx", {}).faults] == ["XLS-SHEET", "XLS-SHEET"]


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes("不是工作簿".encode())
    with pytest.raises(Refused, match="XLS-READ"):
        read_workbook(tmp_path / "a.xlsx", {})


def test_a_thousand_faults_are_a_thousand_lines(tmp_path: Path) -> None:
    rows = [column_row(name=f"c{n}", data_type=f"类型{n}") for n in range(1_000)]
    read = read_workbook(sheet_of(tmp_path / "a.xlsx", [entry_row()], rows), DEPARTMENTS)
    assert [fault.place for fault in read.faults] == [f"{COLUMNS}!D{n}" for n in range(2, 1_002)]
    many = [column_row(data_type="?", level="?", share="?") for _ in range(2_000)]
    assert len(read_workbook(sheet_of(tmp_path / "b.xlsx", [entry_row()], many), DEPARTMENTS).faults) == FAULTS_MOST


def test_departments_are_known_by_title_key_and_other_names(tmp_path: Path) -> None:
    rows = [entry_row(row=n, department=name) for n, name in enumerate(["民政局", "police", "卫健局", "第七派出所", "某某公司"])]
    read = read_workbook(sheet_of(tmp_path / "a.xlsx", rows, []), DEPARTMENTS)
    assert [e.content.department for e in read.entries] == ["civil_affairs", "police", "health", "station_7", "某某公司"]
    assert read.entries[0].content.category == "307005"


def values_of(key: str) -> st.SearchStrategy[Any]:
    term = ITEMS[key]
    if term.kind == FLAG:
        return st.booleans()
    if term.kind == NUMBER:
        return st.integers(0, 10**12)
    if term.kind == TEXTS:
        return st.lists(texts.filter(lambda text: not set(text) & set("、,，;；")), min_size=1, max_size=3)
    return st.sampled_from(term.choices) if term.kind == CHOICE else texts


texts = (
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Co"]), min_size=1, max_size=12)
    .map(str.strip)
    .filter(lambda text: bool(text) and not text.replace(".", "").replace("_x", "").isdigit())
)
citations = st.builds(Citation, kind=st.sampled_from(sorted(QUALIFYING)), title=texts, number=st.just("") | texts, article=texts)
table_columns = st.builds(
    EntryColumn,
    name=st.just(""),
    title=texts,
    data_type=st.sampled_from("CNYDTLMGBIF"),
    length=st.none() | st.integers(1, 4000),
    key=st.booleans(),
    level=st.sampled_from(["L1", "L4"]),
    share=st.sampled_from(["unconditional", "conditional", "none"]),
    citation=st.none() | citations,
    open=st.none() | st.booleans(),
)
contents = st.builds(
    good_entry,
    title=texts,
    items=st.dictionaries(st.sampled_from(sorted(ITEMS)), st.none(), max_size=8).flatmap(
        lambda keys: st.fixed_dictionaries({key: values_of(key) for key in keys})
    ),
    citation=st.none() | citations,
    columns=st.lists(table_columns, max_size=3).map(lambda found: tuple(replace(c, name=f"c{n}") for n, c in enumerate(found))),
)


@settings(max_examples=40)
@given(contents)
def test_any_entry_goes_out_and_in_unchanged(content: EntryContent) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        write_workbook(path, [entry(content)])
        read = read_workbook(path, DEPARTMENTS)
    assert read.faults == [] and [e.content for e in read.entries] == [content]
