"""Excel, Parquet and JSON as verbatim text."""
# ruff: noqa: DTZ001 (a cell of a spreadsheet has no time zone)

import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from connectors.excel import SheetReading, find_sheets
from connectors.json_records import JsonReading, json_header
from connectors.parquet import ParquetReading, parquet_header
from rules.errors import Refused

Write = Callable[[str, bytes], Path]
Rows = list[dict[str, str]]


def excel(path: Path, fill: Callable[[xlsxwriter.Workbook], None]) -> Path:
    book = xlsxwriter.Workbook(path)
    fill(book)
    book.close()
    return path


def read_sheet(path: Path, **fixed: object) -> tuple[Rows, list[tuple[int, str]]]:
    layout = find_sheets(path, **fixed)[0]  # type: ignore[arg-type]
    rows, aside = [], []
    for portion in SheetReading(layout=layout).portions():
        rows += portion.rows.to_pylist()
        aside += [(row.row, row.reason) for row in portion.aside]
    return rows, aside


def household(book: xlsxwriter.Workbook) -> None:
    sheet = book.add_worksheet("登记表")
    sheet.merge_range(0, 0, 0, 3, "狮山镇家庭成员登记表")
    sheet.write_row(1, 0, ["户号", "姓名", "身份证号", "出生日期"])
    sheet.merge_range(2, 0, 3, 0, "H001")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    for row, name, number in ((2, "张三", 440605199001011234), (3, "李四", 4.40605e17), (4, "王五", 12.5)):
        sheet.write(row, 1, name)
        sheet.write_number(row, 2, number)
        sheet.write_datetime(row, 3, datetime(1990, 1, 1), day)
    sheet.write(4, 0, "H002")
    sheet.write_row(5, 0, ["合计", 3])


def test_excel_fills_merged_cells_and_skips_titles_and_totals(tmp_path: Path) -> None:
    rows, aside = read_sheet(excel(tmp_path / "h.xlsx", household))
    assert [(row["_row"], row["户号"], row["姓名"]) for row in rows] == [(3, "H001", "张三"), (4, "H001", "李四"), (5, "H002", "王五")]
    assert aside == [(6, "ROW-TOTAL")]


def test_excel_numbers_are_text_without_an_exponent_and_with_fifteen_digits(tmp_path: Path) -> None:
    rows, _ = read_sheet(excel(tmp_path / "h.xlsx", household))
    assert [row["身份证号"] for row in rows] == ["440605199001011000", "440605000000000000", "12.5"]
    assert rows[0]["出生日期"] == "1990-01-01"


def test_a_header_over_two_rows_is_read_through_its_merged_cells(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 1, 0, "姓名")
        sheet.merge_range(0, 1, 0, 2, "联系方式")
        sheet.write_row(1, 1, ["手机", "固定电话"])
        sheet.write_row(2, 0, ["张三", "13800000000", "86000000"])

    rows, _ = read_sheet(excel(tmp_path / "h.xlsx", fill), expected=("姓名", "手机"))
    assert rows == [{"_row": 3, "姓名": "张三", "手机": "13800000000", "固定电话": "86000000"}]


def test_the_sheet_with_the_contracts_columns_is_taken_and_hidden_ones_are_not(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        book.add_worksheet("说明").write_row(0, 0, ["填表说明", "请如实填写", "谢谢"])
        hidden = book.add_worksheet("旧")
        hidden.write_row(0, 0, ["编号", "姓名"])
        hidden.write_row(1, 0, ["9", "旧"])
        hidden.hide()
        for name, number in (("桂城", "1"), ("狮山", "2")):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["编号", "姓名"])
            sheet.write_row(1, 0, [number, "张三"])

    layouts = find_sheets(excel(tmp_path / "h.xlsx", fill), expected=("编号", "姓名"))
    assert [layout.sheet for layout in layouts] == ["桂城", "狮山"]


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "SRC-EMPTY"), (b"PK\x03\x04 no workbook", "SRC-UNREADABLE"), (b"a,b\n1,2\n", "SRC-UNREADABLE")]
)
def test_a_damaged_workbook_is_refused(write: Write, content: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        find_sheets(write("h.xlsx", content))
    assert refused.value.code == code


def test_a_workbook_cut_off_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = excel(tmp_path / "h.xlsx", household)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(Refused) as refused:
        find_sheets(path)
    assert refused.value.code == "SRC-UNREADABLE"


def test_parquet_of_any_types_is_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "编号": pa.array([440605199001011234, 2], pa.int64()),
            "比例": pa.array([0.1 + 0.2, 3.0]),
            "日": pa.array([date(2024, 1, 2), None]),
            "时": pa.array([datetime(2024, 1, 2, 3, 4, 5), datetime(2024, 1, 2)]),
            "金额": pa.array([Decimal("1.10"), Decimal("2.00")]),
            "类": pa.array(["甲", "乙"]).dictionary_encode(),
            "表": pa.array([[1, 2], []]),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    path = tmp_path / "t.parquet"
    rows = [row for portion in ParquetReading(path=path, header=parquet_header(path)).portions() for row in portion.rows.to_pylist()]
    assert rows[0] == {
        "_row": 1, "编号": "440605199001011234", "比例": "0.3", "日": "2024-01-02", "时": "2024-01-02 03:04:05",
        "金额": "1.10", "类": "甲", "表": "[1, 2]",
    }  # fmt: skip
    assert rows[1]["比例"] == "3" and rows[1]["日"] is None and rows[1]["时"] == "2024-01-02"


@pytest.mark.parametrize("cut", [0, 20])
def test_a_damaged_parquet_file_is_refused(write: Write, tmp_path: Path, cut: int) -> None:
    pq.write_table(pa.table({"a": ["1"]}), tmp_path / "t.parquet")
    path = write("u.parquet", (tmp_path / "t.parquet").read_bytes()[:cut])
    with pytest.raises(Refused) as refused:
        parquet_header(path)
    assert refused.value.code == ("SRC-EMPTY" if cut == 0 else "SRC-UNREADABLE")


def read_json(path: Path) -> tuple[Rows, list[tuple[int, str]]]:
    rows, aside = [], []
    for portion in JsonReading(path=path, header=json_header(path)).portions():
        rows += portion.rows.to_pylist()
        aside += [(row.row, row.reason) for row in portion.aside]
    return rows, aside


OBJECTS = '[{"编号": 440605199001011234, "值": 1.10, "空": null, "真": true}, {"编号": 2, "新": {"a": [1]}}]'


@pytest.mark.parametrize(
    "text",
    [
        OBJECTS,
        '{"code": 0, "RECORDS": ' + OBJECTS + "}",
        "\n".join(json.dumps(o, ensure_ascii=False) for o in json.loads(OBJECTS)).replace("1.1,", "1.10,"),
    ],
    ids=["array", "wrapped", "lines"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_json_numbers_keep_their_digits(write: Write, text: str, encoding: str) -> None:
    rows, aside = read_json(write("t.json", text.encode(encoding)))
    assert rows == [
        {"_row": 1, "编号": "440605199001011234", "值": "1.10", "空": None, "真": "TRUE", "新": None},
        {"_row": 2, "编号": "2", "值": None, "空": None, "真": None, "新": '{"a": ["1"]}'},
    ]
    assert aside == []


def test_a_line_that_is_no_object_goes_aside(write: Write) -> None:
    rows, aside = read_json(write("t.jsonl", b'{"a": 1}\nnot json\n[1]\n{"a": 2}\n'))
    assert [row["_row"] for row in rows] == [1, 4] and aside == [(2, "ROW-JSON"), (3, "ROW-JSON")]


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a": ', '{"a": 1}\n{"a": ', '{"data": [{"a": 1}'])
def test_json_cut_off_in_the_middle_is_refused(write: Write, text: str) -> None:
    with pytest.raises(Refused) as refused:
        read_json(write("t.json", text.encode()))
    assert refused.value.code == "SRC-CUT-OFF"
