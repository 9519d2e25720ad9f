"""Codes mean what their own table says, and become the element's code (law.md D-19…D-30, X-12, X-14)."""

import pytest

from rules.code_tables import CodeTable, find_code_table, load_code_tables
from rules.elements import load_elements

TABLES = load_code_tables()


def canonical(table: str, raw: str) -> str | None:
    code = TABLES[table].code_of(raw)
    return TABLES[table].canonical(code) if code else None


@pytest.mark.parametrize(
    ("table", "size"),
    [("GB/T 2261.1-2003", 4), ("GB/T 2261.2-2003", 8), ("GB/T 3304-1991", 58), ("GB/T 4658-1984", 36), ("GB/T 4754-2017", 20)],
)
def test_a_national_table_is_whole(table: str, size: int) -> None:
    assert len(TABLES[table].labels) == size


def test_education_has_the_forty_values_of_the_standard_and_one_of_our_own() -> None:
    assert len(TABLES["GB/T 4658-2006"].labels) == 41
    assert TABLES["GB/T 4658-2006"].labels["91"] == "文盲或半文盲"


def test_ethnic_groups_are_numbered_without_a_gap() -> None:
    assert sorted(TABLES["GB/T 3304-1991"].labels) == [*(f"{i:02}" for i in range(1, 57)), "97", "98"]


def test_illiterate_of_the_old_table_does_not_become_other() -> None:
    assert canonical("GB/T 4658-1984", "90") == canonical("GB/T 4658-2006", "文盲") == "91"  # TX-22
    assert canonical("GB/T 4658-2006", "90") == "90"


@pytest.mark.parametrize(
    ("table", "raw", "code"),
    [
        ("GB/T 2261.1-2003", "男", "1"),
        ("GB/T 2261.1-2003", "f", "2"),
        ("GB/T 2261.1-2003", "０", None),
        ("sex-0-male", "0", "1"),
        ("sex-0-male", "女", "2"),
        ("sex-0-female", "0", "2"),
        ("GB/T 2261.2-2003", "离异", "40"),
        ("GB/T 2261.2-2003", "24", "30"),
        ("GB/T 2261.2-2003", "39", "40"),
        ("GB/T 2261.2-2003", "19", "20"),
        ("GB/T 2261.2-2003", "90", None),
        ("marital-letters", "R", "22"),
        ("marital-1-digit", "4", "40"),
        ("marital-1-digit-divorced-first", "4", "30"),
        ("GB/T 3304-1991", "汉 族", "01"),
        ("GB/T 3304-1991", "汉", "01"),
        ("GB/T 3304-1991", "1", "01"),
        ("GB/T 3304-1991", "HA", "01"),
        ("GB/T 3304-1991", "56", "56"),
        ("ethnicity-58", "56", "97"),
        ("ethnicity-58", "58", "98"),
        ("ethnicity-58", "1", "01"),
        ("ethnicity-58", "畲族", "22"),
        ("GB/T 4658-2006", "大专", "30"),
        ("GB/T 4658-2006", "大专毕业", "31"),
        ("GB/T 4658-1984", "21", "21"),
        ("GB/T 4658-1984", "29", "23"),
        ("GB/T 4658-1984", "62", "44"),
        ("GB/T 4761-2008", "户主", "0"),
        ("GB/T 4761-2008", "02", "0"),
        ("GB/T 4761-2008", "1", "1"),
        ("GB/T 4761-2008", "妻", "12"),
        ("GB/T 4761-2008", "30", "3"),
        ("CV02.01.101", "01", "111"),
        ("CV02.01.101", "06", "516"),
        ("GA/T 517-2004", "永久居留证", "553"),
        ("GB/T 2659.1-2022", "156", "CHN"),
        ("GB/T 2659.1-2022", "中国", "CHN"),
        ("yes-no", "否", "0"),
        ("insurance-kind", "新农合", "390"),
    ],
)
def test_codes_and_labels_become_the_elements_code(table: str, raw: str, code: str | None) -> None:
    assert canonical(table, raw) == code


def test_the_same_code_means_two_things_in_two_tables() -> None:
    assert canonical("marital-1-digit", "3") != canonical("marital-1-digit-divorced-first", "3")


def test_an_unknown_code_is_no_code() -> None:
    assert TABLES["GB/T 2261.1-2003"].code_of("3") is None


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.key)
def test_every_code_of_every_table_is_mapped_unknown_or_canonical(table: CodeTable) -> None:
    target = TABLES[table.target] if table.target else table
    for code in table.labels:
        found = table.canonical(code)
        assert code in table.unknown if found is None else found in target.labels


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.key)
def test_a_label_leads_back_to_its_code(table: CodeTable) -> None:
    assert all(table.code_of(label) == table.code_of(code) == code for code, label in table.labels.items())


@pytest.mark.parametrize("table", [t for t in TABLES.values() if t.target], ids=lambda table: table.key)
def test_an_older_table_agrees_with_its_target_where_both_know_the_label(table: CodeTable) -> None:
    target = TABLES[table.target or ""]
    for code, label in table.labels.items():
        theirs, ours = target.code_of(label), table.canonical(code)
        assert theirs is None or ours is None or target.agrees(ours, theirs), f"{code} {label}: {ours}, but {theirs} by its label"


def test_a_wider_statement_contradicts_no_narrower_one() -> None:
    marital = TABLES["GB/T 2261.2-2003"]
    assert marital.agrees("20", "21") and marital.agrees("21", "20") and marital.agrees("30", "30")
    assert not marital.agrees("21", "22") and not marital.agrees("20", "40")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("GB/T 4658-1984", "GB/T 4658-1984"),
        ("gbt4658—1984", "GB/T 4658-1984"),
        ("GB 4658-84", "GB/T 4658-1984"),
        ("GB/T 4658", "GB/T 4658-2006"),
        ("GB/T 2659-2000", "GB/T 2659.1-2022"),
        ("sex_0_male", "sex-0-male"),
    ],
)
def test_a_table_is_found_however_its_name_is_written(name: str, key: str) -> None:
    table = find_code_table(name)
    assert table and table.key == key


def test_a_table_that_nobody_knows_is_not_found() -> None:
    assert find_code_table("GB/T 99999-1999") is None


def test_every_table_serves_an_element_or_a_table_that_does() -> None:
    of_elements = {element.code_table for element in load_elements().values()}
    unused = {table.key for table in TABLES.values() if (table.target or table.key) not in of_elements}
    assert unused == {"name-kind"}
