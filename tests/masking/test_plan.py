"""The plan of a tier, and children at the moment of reading. law.md I-05, I-07, P-08."""

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.methods import KEEP, METHODS, SUPPRESS, Mask
from masking.plan import ColumnPlan, MaskedColumn, mask_column, minors, needs_age, plan, plan_warnings
from masking.pseudonyms import recipient_key
from rules.elements import KINDS, load_elements
from rules.levels import Level
from rules.tiers import Audience, Tier, load_tier_policy

POLICY = load_tier_policy()
TODAY = date(2026, 11, 23)


def column(name: str, level: Level | None = None, *, of_person: bool = True) -> MaskedColumn:
    element = load_elements()[name]
    return MaskedColumn(name=name, element=name, kind=element.kind, level=level or Level(element.level), of_person=of_person)


@pytest.mark.parametrize(
    ("element", "tier", "mask", "minor_mask"),
    [
        ("name", Tier.T2, "partial_name", "suppress"),
        ("id_number", Tier.T2, "partial_number(1+1)", "suppress"),
        ("phone", Tier.T2, "partial_phone", "suppress"),
        ("residence_address", Tier.T2, "address_to_community", "suppress"),
        ("grid_code", Tier.T2, "area_to_community", "suppress"),
        ("birth_date", Tier.T2, "year", "suppress"),
        ("sex", Tier.T2, "keep", "suppress"),
        ("marital_status", Tier.T2, "suppress", "suppress"),
        ("religion", Tier.T2, "suppress", "suppress"),
        ("name", Tier.T3, "keep", "partial_name"),
        ("residence_address", Tier.T3, "keep", "address_to_street"),
        ("religion", Tier.T3, "suppress", "suppress"),
        ("religion", Tier.T4, "keep", "keep"),
        ("id_number", Tier.T4, "keep", "keep"),
        ("id_number", Tier.T1, "suppress", "suppress"),
        ("sex", Tier.T0, "suppress", "suppress"),
    ],
)
def test_a_tier_lets_through(element: str, tier: Tier, mask: str, minor_mask: str) -> None:
    planned = plan([column(element)], tier, POLICY)[element]
    assert (str(planned.mask), str(planned.minor_mask)) == (mask, minor_mask)


def test_a_column_that_is_no_fact_of_the_person_is_not_a_childs() -> None:
    planned = plan([column("sex", of_person=False)], Tier.T2, POLICY)["sex"]
    assert planned.keeps_all
    assert not needs_age({"sex": planned})


@pytest.mark.parametrize("kind", sorted(KINDS | {"resident_id"}))
@pytest.mark.parametrize("level", list(Level))
@pytest.mark.parametrize("tier", list(Tier))
def test_every_kind_at_every_level_and_tier_has_a_method(kind: str, level: Level, tier: Tier) -> None:
    planned = plan([MaskedColumn(name="c", element=None, kind=kind, level=level, of_person=True)], tier, POLICY)["c"]
    if tier in (Tier.T0, Tier.T1):
        assert planned.mask == planned.minor_mask == SUPPRESS


TELLING = {"suppress": 0, "pseudonym": 1, "keep": 3}


def told(mask: Mask) -> int:
    return TELLING.get(mask.method, 2)


@pytest.mark.parametrize("tier", [Tier.T2, Tier.T3, Tier.T4])
def test_of_no_element_is_more_told_at_a_higher_level_or_of_a_child(tier: Tier) -> None:
    for element in load_elements():
        rising = [plan([column(element, level)], tier, POLICY)[element] for level in Level]
        assert [told(p.mask) for p in rising] == sorted((told(p.mask) for p in rising), reverse=True), element
        assert all(told(p.minor_mask) <= told(p.mask) for p in rising), element


@pytest.mark.parametrize(
    ("birth", "is_minor"),
    [
        ("2012-11-23", False),
        ("2012-11-24", True),
        ("2012", True),
        ("2011", False),
        ("2012-11", True),
        ("2012-10", False),
        (None, True),
        ("2026-11-22", True),
        ("1926-01-01", False),
    ],
)
def test_a_person_leaves_the_class_on_the_fourteenth_birthday(birth: str | None, is_minor: bool) -> None:
    assert minors(pa.array([birth], pa.string()), TODAY, POLICY).to_pylist() == [is_minor]


@given(st.dates(date(1930, 1, 1), date(2026, 11, 23)), st.dates(date(2026, 1, 1), date(2030, 12, 31)))
def test_whole_dates_agree_with_the_naive_age(birth: date, today: date) -> None:
    had_birthday = (today.month, today.day) >= (birth.month, birth.day)
    age = today.year - birth.year - (0 if had_birthday else 1)
    assert minors(pa.array([birth.isoformat()]), today, POLICY).to_pylist() == [age < 14]


def test_a_column_is_masked_row_by_row_as_the_person_is_a_child_or_not() -> None:
    planned = ColumnPlan(mask=KEEP, minor_mask=SUPPRESS)
    key = recipient_key(bytes(32), "tax", "1")
    assert mask_column(pa.array(["a", "b", None]), planned, pa.array([False, True, False]), key).to_pylist() == ["a", None, None]


def test_a_telling_number_mask_is_warned_of() -> None:
    columns = [column("id_number"), column("birth_date")]
    assert plan_warnings(columns, plan(columns, Tier.T2, POLICY)) == []
    warnings = plan_warnings(columns, plan(columns, Tier.T2, POLICY, chosen={"id_number": "partial_number:six_four"}))
    assert len(warnings) == 2
    assert "32" in warnings[1]


@pytest.mark.parametrize(
    ("element", "tier", "chosen", "mask", "minor_mask"),
    [
        ("id_number", Tier.T2, "partial_number:province", "partial_number(2+1)", "suppress"),
        ("id_number", Tier.T2, "encrypted_number", "encrypted_number", "suppress"),
        ("id_number", Tier.T2, "suppress", "suppress", "suppress"),
        ("id_number", Tier.T3, "encrypted_number", "keep", "partial_number(1+1)"),
        ("marriage_date", Tier.T2, "year_band", "year_band", "suppress"),
        ("fund_account", Tier.T3, "pseudonym", "pseudonym", "pseudonym"),
        ("fund_account", Tier.T2, "pseudonym", "suppress", "suppress"),
    ],
)
def test_a_chosen_mask_holds_where_the_tier_masks(element: str, tier: Tier, chosen: str, mask: str, minor_mask: str) -> None:
    planned = plan([column(element)], tier, POLICY, chosen={element: chosen})[element]
    assert (str(planned.mask), str(planned.minor_mask)) == (mask, minor_mask)


@pytest.mark.parametrize("tier", [Tier.T2, Tier.T3, Tier.T4])
@pytest.mark.parametrize("chosen", ["suppress", "pseudonym", "encrypted_number"])
def test_of_a_child_no_more_is_told_by_a_chosen_mask(tier: Tier, chosen: str) -> None:
    for level in Level:
        planned = plan([column("id_number", level)], tier, POLICY, chosen={"id_number": chosen})["id_number"]
        assert told(planned.minor_mask) <= told(planned.mask)


def test_an_audience_that_may_not_see_the_level_of_children_gets_nothing_of_them() -> None:
    planned = plan([column("name")], Tier.T3, POLICY, audience=Audience.RELATED)["name"]
    assert (str(planned.mask), str(planned.minor_mask)) == ("keep", "suppress")


def test_the_wider_the_audience_the_lower_the_levels() -> None:
    for tier in Tier:
        most = [POLICY.audiences[audience].highest.get(tier, "") for audience in Audience]
        assert most == sorted(most, reverse=True), tier


def test_every_alternative_is_a_method_with_a_known_setting() -> None:
    elements, kinds = set(load_elements()), KINDS | {"resident_id"}
    for key, choices in POLICY.alternatives.items():
        assert key in elements | kinds
        for choice in choices:
            kept = plan([column("id_number")], Tier.T2, POLICY, chosen={"id_number": choice})["id_number"].mask
            assert kept.method in METHODS and kept.method != "keep"
