"""The tier to propose (建议开放层级): the lowest that is sufficient; going up needs a reason. law.md I-07, L-14."""

from collections.abc import Collection, Mapping, Sequence

from masking.methods import SUPPRESS
from masking.plan import NO_CHOICE, MaskedColumn, plan
from rules.tiers import AnswerForm, Tier, TierPolicy


def lowest_tier(
    columns: Sequence[MaskedColumn], forms: Collection[AnswerForm], policy: TierPolicy, *, chosen: Mapping[str, str] = NO_CHOICE
) -> Tier:
    """The lowest tier with one of these kinds of answer that leaves out no column asked for, but those the asker would have left out.

    Where every tier leaves one out it is the highest: that is then weighed case by case.
    """
    fitting = [tier for tier in Tier if policy.tiers[tier].answer in forms]
    return next((tier for tier in fitting if _is_sufficient(columns, tier, policy, chosen)), fitting[-1])


def _is_sufficient(columns: Sequence[MaskedColumn], tier: Tier, policy: TierPolicy, chosen: Mapping[str, str]) -> bool:
    """Counts and answers of yes and no let no column out, and are enough for who asks for them."""
    if policy.tiers[tier].answer is not AnswerForm.EXTRACT:
        return True
    made = plan(columns, tier, policy, chosen=chosen)
    return all(made[column.name].mask != SUPPRESS or chosen.get(column.name) == SUPPRESS.method for column in columns)
