"""The authority table says whose value counts (law.md §5.3)."""

import pytest

from rules.authority import SurvivorshipRule, load_survivorship
from rules.departments import load_departments
from rules.elements import load_elements

RULES = load_survivorship()


def test_every_element_has_a_rule() -> None:
    assert [*RULES.rules] == [*load_elements()]


@pytest.mark.parametrize("rule", RULES.rules.values(), ids=lambda rule: rule.element)
def test_every_rule_names_departments_that_exist_and_somebody_to_ask(rule: SurvivorshipRule) -> None:
    order = rule.of_record + rule.fallbacks
    assert order and set(order) <= set(load_departments())


@pytest.mark.parametrize("rule", RULES.rules.values(), ids=lambda rule: rule.element)
def test_the_department_of_record_is_the_elements_own(rule: SurvivorshipRule) -> None:
    assert load_elements()[rule.element].source_of_record == (rule.of_record + rule.fallbacks)[0]


@pytest.mark.parametrize("key", ["name", "former_name", "id_number", "sex", "ethnicity", "birth_date", "hukou_address"])
def test_of_identity_only_the_police_keep_the_record(key: str) -> None:
    rule = RULES.of(key)
    assert (rule.of_record, rule.fallbacks, rule.method) == (("police",), (), "record")


def test_only_birth_date_and_sex_are_refuted_by_the_number_alone() -> None:
    assert {rule.element for rule in RULES.rules.values() if rule.refuted_by_id_number} == {"birth_date", "sex"}


def test_a_value_of_record_is_refuted_at_98_percent_by_two_sources_everywhere() -> None:
    others = {(rule.refute_at, rule.refute_sources) for rule in RULES.rules.values() if rule.element != "id_number"}
    assert others == {(0.98, 2)}


def test_only_a_verified_observation_refutes_the_number_of_record() -> None:
    assert RULES.of("id_number").refute_sources is None  # D-10


def test_freshness_decides_only_what_changes_unnoticed() -> None:
    fresh = {rule.element for rule in RULES.rules.values() if rule.method == "freshness"}
    assert fresh <= {e.key for e in load_elements().values() if e.volatility == "volatile"}
    assert {"residence_address", "phone", "employer"} <= fresh


def test_the_grid_leads_for_the_present_address_and_never_for_name_number_or_marriage() -> None:
    assert RULES.of("residence_address").rank("grid") == 0
    assert RULES.of("residence_address").role("police") == "fallback"
    assert all(RULES.of(key).role("grid") != "of_record" for key in ("name", "id_number", "marital_status"))


def test_marriage_is_decided_by_events_of_civil_affairs_then_grid_and_police() -> None:
    rule = RULES.of("marital_status")
    assert (rule.method, rule.of_record, rule.fallbacks) == ("event", ("civil_affairs",), ("grid", "police"))


def test_nobodys_phone_number_stands_by_itself() -> None:
    assert RULES.of("phone").of_record == ()
    assert RULES.of("phone").role("grid") == "fallback"
    assert RULES.of("phone").rank("tax") == len(RULES.of("phone").fallbacks)


def test_a_role_nearer_to_the_record_is_trusted_more_and_a_verified_observation_most() -> None:
    prior = RULES.prior_reliability
    assert prior["other"] < prior["fallback"] < prior["of_record"] < prior["verified"] < 1


def test_every_default_that_no_law_names_waits_for_the_citys_confirmation() -> None:
    assert all(rule.confirm or rule.legal for rule in RULES.rules.values())
