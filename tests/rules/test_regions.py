"""Every county code since 1980 is known, and a test register never holds one that was assigned (law.md D-05, D-06, §6.2)."""

import pytest

from rules.regions import county_codes, load_regions

COUNTIES_NOW_AND_BEFORE = ("440605", "440682", "440622", "330113", "440524")
WITHOUT_A_COUNTY_BELOW = ("441900", "442000", "460400", "620200", "710000", "810000", "820000", "830000")


@pytest.mark.parametrize("code", COUNTIES_NOW_AND_BEFORE + WITHOUT_A_COUNTY_BELOW)
def test_codes_that_numbers_begin_with_are_known(code: str) -> None:
    assert code in county_codes()


def test_a_prefecture_is_no_county() -> None:
    assert "420500" in load_regions().regions and "420500" not in county_codes()


def test_invented_codes_are_unknown() -> None:
    assert not {"440698", "000000", "999999"} & county_codes()


def test_the_register_is_large_and_its_codes_are_of_six_digits() -> None:
    assert len(county_codes()) > 6500
    assert all(len(code) == 6 and code.isascii() and code.isdigit() for code in county_codes())


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("440605", "广东省佛山市南海区"),
        ("441900", "广东省东莞市"),
        ("110101", "北京市东城区"),
        ("429004", "湖北省仙桃市"),
        ("990000", None),
    ],
)
def test_a_code_is_named_in_full(code: str, name: str | None) -> None:
    assert load_regions().full_name(code) == name


def test_a_test_register_adds_its_own_codes_and_leaves_the_register_as_it_was() -> None:
    register = load_regions().with_codes({"440698": "南海区（测试）"})
    assert "440698" in register.county_codes() and "440698" not in load_regions().county_codes()
    assert register.full_name("440698") == "广东省佛山市南海区（测试）"


def test_a_test_register_may_not_hold_a_code_that_was_ever_assigned() -> None:
    with pytest.raises(AssertionError, match="440622"):
        load_regions().with_codes({"440622": "南海县"})
