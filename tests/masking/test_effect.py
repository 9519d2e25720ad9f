"""The effect level of a release, as a table. law.md I-02."""

import pytest

from masking.effect import EffectLevel, effect_level
from masking.plan import MaskedColumn, plan
from rules.elements import load_elements
from rules.levels import Level
from rules.tiers import AnswerForm, Tier, load_tier_policy

POLICY = load_tier_policy()


def columns(*names: str, of_person: bool = True) -> list[MaskedColumn]:
    known = load_elements()
    return [
        MaskedColumn(name=name, element=name, kind=known[name].kind, level=Level(known[name].level), of_person=of_person) for name in names
    ]


@pytest.mark.parametrize(
    ("names", "tier", "smallest", "expected"),
    [
        (["name", "sex"], Tier.T2, None, 2),
        (["name", "sex"], Tier.T2, 4, 2),
        (["name", "sex"], Tier.T2, 5, 3),
        (["name", "sex"], Tier.T3, 5, 1),
        (["phone"], Tier.T3, None, 1),
        (["residence_address", "birth_date"], Tier.T3, None, 2),
        (["photo"], Tier.T4, 1_000, 1),
        (["photo"], Tier.T3, 1_000, 3),
    ],
)
def test_a_release_has_the_level(names: list[str], tier: Tier, smallest: int | None, expected: int) -> None:
    asked = columns(*names)
    assert effect_level(asked, plan(asked, tier, POLICY), POLICY, smallest_group=smallest) == expected


@pytest.mark.parametrize(("tier", "expected"), [(Tier.T2, 2), (Tier.T3, 1)])
def test_a_resident_id_tells_a_person_though_it_is_no_fact_of_one(tier: Tier, expected: int) -> None:
    asked = [MaskedColumn(name="resident_id", element=None, kind="resident_id", level=Level.L2, of_person=False)]
    assert effect_level(asked, plan(asked, tier, POLICY), POLICY) == expected


def test_counts_are_aggregated_and_so_is_what_is_about_no_person() -> None:
    asked = columns("name")
    assert effect_level(asked, plan(asked, Tier.T0, POLICY), POLICY, form=AnswerForm.STATISTICS) is EffectLevel.AGGREGATED
    owners = columns("name", of_person=False)
    assert effect_level(owners, plan(owners, Tier.T4, POLICY), POLICY) is EffectLevel.AGGREGATED
