"""The element list is whole and consistent; these tests walk the registry, so a new element cannot forget anything."""

import pytest

from rules.code_tables import load_code_tables
from rules.elements import ambiguous_headers, elements_by_header, fold_header, load_categories, load_elements, person_elements
from rules.elements_page import PAGE, elements_page

CONTRACT_KEYS = (
    *("id_number", "name", "former_name", "sex", "birth_date", "ethnicity", "hukou_address", "residence_address", "grid_code", "phone"),
    *("guardian_phone", "marital_status", "education", "employer", "death_date", "updated_at", "household_number", "relation_to_head"),
    *("father_id_number", "mother_id_number"),
)
PERSON_CATEGORIES = ["population", "household", "housing", "employment", "social_insurance", "health", "education", "credit", "care"]
SAID_OF_TWO_THINGS = {fold_header(header) for header in ("地址", "详细地址", "单位名称")}
"""Headers that name a resident's datum in one table and an enterprise's or a thing's in another; only the rest of the table can tell."""

ELEMENTS = list(load_elements().values())


def test_the_nine_categories_hold_at_least_189_person_elements() -> None:
    assert [*load_categories()] == [*PERSON_CATEGORIES, "other"]
    assert len([e for e in ELEMENTS if e.category != "other"]) >= 189
    assert len(person_elements()) >= 189


@pytest.mark.parametrize("category", PERSON_CATEGORIES)
def test_each_category_is_worth_its_name(category: str) -> None:
    assert len([e for e in ELEMENTS if e.category == category]) >= 15


@pytest.mark.parametrize("key", CONTRACT_KEYS)
def test_the_keys_of_the_contract_exist(key: str) -> None:
    assert load_elements()[key].category in PERSON_CATEGORIES


def test_when_a_row_was_confirmed_is_no_fact_about_the_person() -> None:
    assert load_elements()["updated_at"].describes == "row"
    assert load_elements()["updated_at"] not in person_elements()


def test_titles_are_unique() -> None:
    assert len({e.title for e in ELEMENTS}) == len({e.title_en for e in ELEMENTS}) == len(ELEMENTS)


def test_no_header_leads_to_two_elements_but_the_listed_ones() -> None:
    assert set(ambiguous_headers()) == SAID_OF_TWO_THINGS


def test_every_element_has_chinese_and_abbreviated_headers() -> None:
    assert not [e.key for e in ELEMENTS if len(e.synonyms) < 3]


def test_every_coded_element_takes_its_codes_from_a_table_that_is_its_own_target() -> None:
    assert not [e.key for e in ELEMENTS if e.code_table and load_code_tables()[e.code_table].target]


def test_personal_data_is_never_below_the_second_level() -> None:
    public = {"postcode", "employer_credit_code", "employer_kind", "employer_industry", "school_code"}
    houses = {"house_use", "house_structure", "house_rooms", "house_built_year"}
    assert {e.key for e in person_elements() if e.level == "L1"} == public | houses


@pytest.mark.parametrize(
    "key", ["religion", "disability_kind", "low_income_kind", "correction_kind", "benefit_bank_account", "pension_monthly_cny", "photo"]
)
def test_sensitive_personal_information_is_of_the_highest_level(key: str) -> None:
    assert load_elements()[key].level == "L4"  # law.md G-08


@pytest.mark.parametrize("key", ["id_number", "ethnicity", "marital_status"])
def test_what_the_stricter_reading_protects_is_of_the_third_level(key: str) -> None:
    assert load_elements()[key].level == "L3"  # law.md G-07, G-08


def test_identity_elements_are_numbers_of_the_person_alone() -> None:
    identity = {e.key for e in ELEMENTS if e.identifies_person}
    assert {"id_number", "passport_number", "hmt_permit_number", "student_number", "disability_certificate_number"} <= identity
    assert not identity & {"father_id_number", "mother_id_number", "spouse_id_number", "head_id_number", "legal_representative_id_number"}
    assert {load_elements()[key].kind for key in identity} == {"id_number", "document_number"}


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("姓　名", "name"),
        ("XM", "name"),
        ("公民身份证号码", "id_number"),
        ("sfzh", "id_number"),
        ("身份证号(18位)", "id_number"),
        ("CSRQ", "birth_date"),
        ("户口所在地", "hukou_address"),
        ("家庭住址", "residence_address"),
        ("文化程度", "education"),
        ("监护人手机", "guardian_phone"),
        ("父亲身份证号码", "father_id_number"),
        ("与户主的关系", "relation_to_head"),
        ("统一社会信用代码", "credit_code"),
        ("车牌号码", "vehicle_plate"),
        ("最后修改时间", "updated_at"),
    ],
)
def test_headers_as_departments_write_them_are_known(header: str, key: str) -> None:
    assert elements_by_header()[fold_header(header)].key == key


def test_the_page_of_elements_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == elements_page(), "run: python -m rules.elements_page"
