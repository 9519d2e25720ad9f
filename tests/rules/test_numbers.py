"""Numbers, money, yes and no, grid codes, household numbers and text."""

import pytest

from rules.addresses import AddressBook, AreaRow
from tests.rules.columns import element_of_kind, row


@pytest.mark.parametrize(
    ("text", "value", "fault"),
    [
        ("12", "12", None),
        ("1,234.50", "1234.5", None),
        ("１２．０", "12", None),
        ("0", "0", None),
        ("-3", "-3", None),
        ("85.5平方米", "85.5", "NUMBER-UNIT"),
        ("1.2E+3", "1200", None),
        ("1e99", None, "NUMBER-MALFORMED"),
        ("十二", None, "NUMBER-MALFORMED"),
        ("1.2.3", None, "NUMBER-MALFORMED"),
    ],
)
def test_numbers_are_plain_decimals(text: str, value: str | None, fault: str | None) -> None:
    assert row(element_of_kind("number"), text) == (value, fault)


@pytest.mark.parametrize(
    ("text", "value", "fault"),
    [
        ("3500", "3500.00", None),
        ("￥3,500.5", "3500.50", None),
        ("人民币3500元整", "3500.00", None),
        ("1.2万元", "12000.00", "NUMBER-UNIT"),
        ("0", "0.00", None),
        ("面议", None, "NUMBER-MALFORMED"),
    ],
)
def test_money_is_in_yuan_with_two_decimals(text: str, value: str | None, fault: str | None) -> None:
    assert row(element_of_kind("money"), text) == (value, fault)


@pytest.mark.parametrize(
    ("text", "value"), [("是", "1"), ("Y", "1"), ("√", "1"), ("1", "1"), ("否", "0"), ("0", "0"), ("无", "0"), ("N", "0")]
)
def test_yes_is_1_and_no_is_0(text: str, value: str) -> None:
    assert row(element_of_kind("boolean"), text) == (value, None)


def test_neither_yes_nor_no_is_void() -> None:
    assert row(element_of_kind("boolean"), "也许") == (None, "BOOLEAN-MALFORMED")


def test_grid_codes_are_looked_up_in_the_register() -> None:
    book = AddressBook([AreaRow(code="440605011001001", name="第1网格", level="grid", parent="440605011001")])
    assert row("grid_code", "440605011001001", areas=book) == ("440605011001001", None)
    assert row("grid_code", "440605011001002", areas=book) == ("440605011001002", "GRID-UNKNOWN")
    assert row("grid_code", "440605011001001") == ("440605011001001", None)
    assert row("grid_code", "4.40605E+14") == (None, "TEXT-LOST")
    assert row("grid_code", "第一网格") == (None, "GRID-MALFORMED")


def test_household_numbers_lose_their_separators() -> None:
    assert row("household_number", "hk-0012 34") == ("HK001234", None)
    assert row("household_number", "4.4E+12") == (None, "TEXT-LOST")


def test_text_is_kept_without_control_characters() -> None:
    assert row("employer", " 某某\x00纺织\n厂 ") == ("某某 纺织 厂", None)
    assert row("employer", "某某\ufffd厂") == ("某某\ufffd厂", "TEXT-GARBLED")
    assert row("employer", "南海纺织".encode().decode("gb18030")) == ("南海纺织", "TEXT-RECODED")
    assert row("employer", "（南海）纺织厂") == ("（南海）纺织厂", None)
