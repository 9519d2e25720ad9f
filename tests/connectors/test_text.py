"""Delimited text as departments really send it."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import connectors.text as text_module
from connectors.text import TextReading
from connectors.text_layout import find_layout
from rules.errors import Refused

Write = Callable[[str, bytes], Path]

TABLE = """佛山市南海区人口登记表
填表日期：2024-01-01
序号,姓名,身份证号,备注
1,张三,440605199001011234,"多
行"
2,李"四,x,

3,王五,y,z
"""


def read(path: Path, **fixed: object) -> tuple[list[dict[str, str]], list[tuple[int, str]], TextReading]:
    reading = TextReading(path=path, layout=find_layout(path, **fixed))  # type: ignore[arg-type]
    rows, aside = [], []
    for portion in reading.portions():
        rows += portion.rows.to_pylist()
        aside += [(row.row, row.reason) for row in portion.aside]
    return rows, aside, reading


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_encoding_delimiter_and_header_row_are_found_by_looking(write: Write, encoding: str, delimiter: str, line_end: str) -> None:
    path = write("t.csv", TABLE.replace(",", delimiter).replace("\n", line_end).encode(encoding))
    rows, aside, reading = read(path)
    assert reading.layout.header == ("序号", "姓名", "身份证号", "备注")
    assert reading.layout.header_row == 3
    assert [(row["_row"], row["姓名"]) for row in rows] == [(4, "张三"), (6, '李"四'), (8, "王五")]
    assert rows[0]["备注"] == "多\n行"
    assert aside == []


@pytest.mark.parametrize("block_bytes", [16, 50, 1000])
def test_row_numbers_stay_true_across_blocks(write: Write, monkeypatch: pytest.MonkeyPatch, block_bytes: int) -> None:
    monkeypatch.setattr(text_module, "BLOCK_BYTES", block_bytes)
    rows, _, _ = read(write("t.csv", TABLE.encode("gb18030")))
    assert [row["_row"] for row in rows] == [4, 6, 8]


def test_what_the_contract_fixes_is_not_looked_for(write: Write) -> None:
    path = write("t.csv", b"a;b,c\n1;2,3\n4;5,6\n")
    assert read(path, delimiter=",")[2].layout.header == ("a;b", "c")
    assert read(path, delimiter=";", header_row=2)[2].layout.header == ("1", "2,3")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"3,short", "ROW-SHORT"),
        (b"3,one,two,three,four", "ROW-LONG"),
        (b'3,"never closed,x,y', "ROW-QUOTE"),
        (b"3,\xff\xfe\xff,x,y", "ROW-BYTES"),
        (b"3,zero\0,x,y", "ROW-BYTES"),
        ("合计,2,,".encode(), "ROW-TOTAL"),
        ("合 计：2人".encode(), "ROW-NOTE"),
        ("小计,,,".encode(), "ROW-TOTAL"),
        ("序号,姓名,身份证号,备注".encode(), "ROW-HEADER"),
        ("填表人：某某,,,".encode(), "ROW-NOTE"),
    ],
)
def test_a_row_that_is_no_record_goes_aside_with_its_number_and_reason(write: Write, line: bytes, reason: str) -> None:
    lines = [f"{i},赵六,x,y".encode() for i in range(40)]
    content = b"\n".join(["序号,姓名,身份证号,备注".encode(), *lines[:20], line, *lines[20:]]) + b"\n"
    rows, aside, _ = read(write("t.csv", content))
    assert aside == [(22, reason)]
    assert [row["_row"] for row in rows] == [*range(2, 22), *range(23, 43)]


def test_a_name_that_holds_the_word_for_total_is_no_total(write: Write) -> None:
    rows, aside, _ = read(write("t.csv", "编号,名称,地址\n1,合计会计师事务所,桂城街道\n2,总计,桂城街道南海大道\n".encode()))
    assert len(rows) == 2 and not aside


def test_empty_cells_beyond_the_header_are_dropped(write: Write) -> None:
    rows, aside, _ = read(write("t.csv", b"a,b\n1,2,,\n3,4\n5,6,\n"))
    assert [(row["_row"], row["b"]) for row in rows] == [(2, "2"), (3, "4"), (4, "6")] and not aside


@pytest.mark.parametrize(
    "tail",
    [b"7,8", b'7,"8', "7,张".encode()[:-1], b"7,\0\0\0\0", b"\0" * 40, b'7,8,"a\nb\nc'],
    ids=["short last line", "open quote", "half a character", "zeros", "only zeros", "open quote over lines"],
)
def test_a_file_cut_off_in_the_middle_is_refused(write: Write, tail: bytes) -> None:
    path = write("t.csv", "a,b,c\n1,2,三\n4,5,六\n".encode() + tail)
    with pytest.raises(Refused) as refused:
        read(path)
    assert refused.value.code == "SRC-CUT-OFF"


def test_a_last_line_without_an_end_is_read_and_marked(write: Write) -> None:
    rows, _, reading = read(write("t.csv", b"a,b\n1,2\n3,4"))
    assert len(rows) == 2 and reading.ends_open


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b"\xef\xbb\xbf", b"\0\0\0\0"])
def test_an_empty_file_is_refused(write: Write, content: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read(write("t.csv", content))
    assert refused.value.code == "SRC-EMPTY"


def test_the_encoding_is_decided_where_the_first_chinese_stands(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_module, "BLOCK_BYTES", 1 << 12)
    content = b"a,b\n" + b"1,x\n" * 100_000 + "2,桂城\n".encode("gb18030") * 10
    rows, aside, _ = read(write("t.csv", content))
    assert rows[-1]["b"] == "桂城" and not aside


def test_characters_of_gb18030_2022_are_where_the_standard_has_them(write: Write) -> None:
    rows, _, _ = read(write("t.csv", "编号,姓名\n1,".encode("gb18030") + b"\xfe\x59\xfe\x9f\xa6\xd9\n"))
    assert rows[0]["姓名"] == "\u9fb4\u4dae\ufe10"


CELL = st.text(alphabet='ab,;"\n\t 张三', max_size=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=12), block_bytes=st.integers(8, 200))
def test_what_a_writer_of_csv_wrote_is_read_as_pythons_reader_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: list[list[str]], block_bytes: int
) -> None:
    monkeypatch.setattr(text_module, "BLOCK_BYTES", block_bytes)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([["编号", "姓名", "备注"], *table])
    path = tmp_path / "t.csv"
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    rows, aside, _ = read(path, delimiter=",", header_row=1)
    expected = [row for row in csv.reader(io.StringIO(out.getvalue())) if any(cell.strip() for cell in row)][1:]
    assert [[row["编号"], row["姓名"], row["备注"]] for row in rows] == expected and not aside
