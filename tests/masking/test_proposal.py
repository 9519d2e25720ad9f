"""The lowest sufficient tier, as a table. law.md I-07."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.plan import MaskedColumn, plan
from masking.proposal import lowest_tier
from rules.elements import load_elements
from rules.levels import Level
from rules.tiers import AnswerForm, Tier, load_tier_policy

POLICY = load_tier_policy()
NAMES = ["name", "sex", "id_number", "marital_status", "religion", "birth_date", "monthly_wage_cny"]
EXTRACT = frozenset({AnswerForm.EXTRACT})


def columns(names: list[str]) -> list[MaskedColumn]:
    known = load_elements()
    return [MaskedColumn(name=name, element=name, kind=known[name].kind, level=Level(known[name].level), of_person=True) for name in names]


@pytest.mark.parametrize(
    ("names", "forms", "expected"),
    [
        (["name", "sex"], EXTRACT, Tier.T2),
        (["id_number", "birth_date"], EXTRACT, Tier.T2),
        (["name", "marital_status"], EXTRACT, Tier.T3),
        (["religion"], EXTRACT, Tier.T4),
        (["religion"], {AnswerForm.VERIFICATION}, Tier.T1),
        (["religion"], {AnswerForm.STATISTICS, AnswerForm.EXTRACT}, Tier.T0),
    ],
)
def test_the_lowest_sufficient_tier_is(names: list[str], forms: frozenset[AnswerForm], expected: Tier) -> None:
    assert lowest_tier(columns(names), forms, POLICY) == expected


def test_a_column_that_the_asker_leaves_out_needs_no_higher_tier_and_one_with_noise_neither() -> None:
    assert lowest_tier(columns(["name", "religion"]), EXTRACT, POLICY, chosen={"religion": "suppress"}) is Tier.T2
    assert lowest_tier(columns(["name", "marital_status"]), EXTRACT, POLICY, chosen={"marital_status": "suppress"}) is Tier.T2


@given(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
def test_of_all_sufficient_tiers_none_is_lower(names: list[str]) -> None:
    found = lowest_tier(columns(names), EXTRACT, POLICY)
    for tier in (Tier.T2, Tier.T3, Tier.T4):
        comes_out = all(column.mask.method != "suppress" for column in plan(columns(names), tier, POLICY).values())
        assert comes_out == (tier >= found)
