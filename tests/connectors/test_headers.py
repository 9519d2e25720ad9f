"""Which row is the header, and which of its names are the contract's."""

import pytest

from connectors.headers import find_header, match_headers, refuse_missing, unique_headers
from rules.errors import Refused


def test_spelling_width_case_spaces_and_marks_do_not_matter() -> None:
    found = match_headers(["身份证号", "姓名", "ID NO", "手机"], ["\ufeff身份证号 ", "姓　名", "id_no", "＊手机"]).found
    assert found == {"身份证号": "\ufeff身份证号 ", "姓名": "姓　名", "ID NO": "id_no", "手机": "＊手机"}


def test_an_exact_name_comes_before_one_that_is_only_similar() -> None:
    assert match_headers(["a_b"], ["AB", "a_b"]).found == {"a_b": "a_b"}


def test_empty_and_repeated_headers_get_names() -> None:
    assert unique_headers(["备注", "", "备注", None, "备注"], 6) == ("备注", "列2", "备注_2", "列4", "备注_3", "列6")


def test_a_renamed_column_is_named_with_the_header_that_took_its_place() -> None:
    with pytest.raises(Refused) as refused:
        refuse_missing(["编号", "姓名", "身份证号"], ["编号", "姓名", "身份证件号码"], where="t.csv")
    assert refused.value.code == "SRC-COLUMNS"
    assert "身份证号" in str(refused.value) and "身份证件号码" in str(refused.value)


def test_every_missing_header_is_named_at_once() -> None:
    with pytest.raises(Refused, match=r"姓名.*身份证号.*手机"):
        refuse_missing(["编号", "姓名", "身份证号", "手机"], ["编号"], where="t.csv")


def test_mojibake_is_called_by_its_name() -> None:
    header = [name.encode().decode("gb18030", "ignore") for name in ("姓名", "身份证号")]
    with pytest.raises(Refused, match="乱码"):
        refuse_missing(["姓名", "身份证号"], header, where="t.csv")


@pytest.mark.parametrize(
    ("rows", "expected", "found"),
    [
        ([["南海区人口表", "", ""], ["编号", "姓名", "出生日期"], ["1", "张三", "1990-01-01"]], (), 1),
        ([["编号", "姓名"], ["1", "张三"], ["2", "李四"]], (), 0),
        ([["单位：某局", "日期：2024"], ["甲", "乙"], ["编号", "姓名"], ["1", "张三"]], ("编号", "姓名"), 2),
        ([["", ""], ["编号", "姓名"], ["编号", "姓名"]], ("编号", "姓名"), 1),
    ],
)
def test_the_header_is_found_below_titles(rows: list[list[str]], expected: tuple[str, ...], found: int) -> None:
    assert find_header(rows, expected) == found
