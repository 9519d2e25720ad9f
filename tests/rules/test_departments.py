"""A department is found under each of the names that stand in contracts."""

import pytest

from rules.departments import load_departments, resolve_department


def test_a_district_has_at_least_65_units() -> None:
    assert len(load_departments()) >= 65


def test_titles_are_unique() -> None:
    titles = [department.title for department in load_departments().values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("key", load_departments())
def test_a_unit_is_found_by_its_key_its_title_and_its_full_title(key: str) -> None:
    title = load_departments()[key].title
    assert resolve_department(key) == resolve_department(title) == resolve_department(f"佛山市南海区{title}") == key
    assert resolve_department("d0815", title) == key


@pytest.mark.parametrize(
    ("domain", "key"),
    [
        ("gongan", "police"),
        ("gongan_huji", "police"),
        ("nanhai_minzheng", "civil_affairs"),
        ("public_security", "police"),
        ("health-insurance", "medical_insurance"),
        ("公安", "police"),
        ("宜昌市公安局", "police"),
        ("南海区人社局", "hrss"),
        ("佛山市南海区公安局出入境管理大队", "immigration"),
        ("区住房公积金管理中心", "provident_fund"),
        ("不动产登记中心", "natural_resources"),
        ("区残联", "disabled_federation"),
        ("桂城街道办事处", "street_town"),
        ("some_new_office", "some_new_office"),
        ("某某办公室", "某某办公室"),
    ],
)
def test_names_lead_to_the_key_and_unknown_ones_stay_as_they_are(domain: str, key: str) -> None:
    assert resolve_department(domain) == key


def test_the_domain_goes_before_the_title() -> None:
    assert resolve_department("health", "公安局") == "health"
