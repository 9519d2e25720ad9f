"""Codes of any table and version become those of the element (law.md D-19…D-25, X-12, X-14)."""

import pytest

from rules.errors import Refused
from tests.rules.columns import row


@pytest.mark.parametrize(
    ("element", "text", "code"),
    [
        ("sex", "男", "1"),
        ("sex", "女 ", "2"),
        ("sex", "１", "1"),
        ("sex", "M", "1"),
        ("ethnicity", "汉", "01"),
        ("ethnicity", "汉 族", "01"),
        ("ethnicity", "1", "01"),
        ("ethnicity", "1.0", "01"),
        ("marital_status", "24", "30"),
        ("marital_status", "已婚", "20"),
        ("education", "大学本科", "20"),
        ("education", "90", "90"),
        ("relation_to_head", "0", "0"),
        ("relation_to_head", "户主", "0"),
    ],
)
def test_codes_and_labels_lead_to_the_elements_code(element: str, text: str, code: str) -> None:
    assert row(element, text) == (code, None)


@pytest.mark.parametrize(("element", "text"), [("sex", "0"), ("sex", "9"), ("sex", "未知"), ("marital_status", "90"), ("education", "——")])
def test_not_stated_is_no_value_and_no_fault(element: str, text: str) -> None:
    assert row(element, text) == (None, None)


@pytest.mark.parametrize(("element", "text"), [("sex", "3"), ("ethnicity", "火星族"), ("marital_status", "11"), ("education", "博导")])
def test_what_the_table_does_not_hold_is_void(element: str, text: str) -> None:
    assert row(element, text) == (None, "CODE-UNKNOWN")


def test_90_means_illiterate_in_the_table_of_1984_and_other_in_that_of_2006() -> None:
    of_1984, _ = row("education", "90", code_system="GB/T 4658-1984")
    assert of_1984 not in (None, "90")
    assert row("education", "文盲或半文盲")[0] == of_1984


@pytest.mark.parametrize(("text", "code"), [("0", "1"), ("1", "2"), ("男", "1"), ("女", "2")])
def test_a_source_may_count_sex_from_zero(text: str, code: str) -> None:
    assert row("sex", text, code_system="sex-0-male") == (code, None)


def test_a_table_that_the_platform_does_not_hold_is_refused() -> None:
    with pytest.raises(Refused, match="STD-CODE-SYSTEM"):
        row("sex", "1", code_system="no such table")
