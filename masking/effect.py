"""The effect level (去标识化效果分级) of a release: how near its rows are to naming somebody; receipts carry it. law.md I-02, I-03."""

from collections.abc import Sequence
from enum import IntEnum

from masking.plan import MaskedColumn, Plan
from rules.tiers import AnswerForm, TierPolicy

RESIDENT_ID = "resident_id"
"""A kind that is no fact of a person, yet says which one a row is about."""


class EffectLevel(IntEnum):
    """GB/T 42460-2023, from the most to the least telling."""

    DIRECT = 1
    """Somebody can be told directly (能直接识别主体)."""
    NO_DIRECT_IDENTIFIERS = 2
    """Direct identifiers are gone (消除直接标识符)."""
    ACCEPTABLE_RISK = 3
    """The risk of telling somebody is acceptable by the size of the smallest group (重标识风险可接受)."""
    AGGREGATED = 4
    """Groups only, or nothing of a person at all (聚合数据)."""


def effect_level(
    columns: Sequence[MaskedColumn],
    made: Plan,
    policy: TierPolicy,
    *,
    form: AnswerForm = AnswerForm.EXTRACT,
    smallest_group: int | None = None,
) -> EffectLevel:
    """The level of what is released. `smallest_group`: rows alike in all that comes out, as counted; None: nobody counted.

    Level 3 is still personal information (I-03): it lowers no duty.
    """
    persons = [column for column in columns if column.of_person or column.kind == RESIDENT_ID]
    if form is AnswerForm.STATISTICS or not persons:
        return EffectLevel.AGGREGATED
    if any(_tells(column, made, policy) for column in persons):
        return EffectLevel.DIRECT
    acceptable = smallest_group is not None and smallest_group >= policy.acceptable_group
    return EffectLevel.ACCEPTABLE_RISK if acceptable else EffectLevel.NO_DIRECT_IDENTIFIERS


def _tells(column: MaskedColumn, made: Plan, policy: TierPolicy) -> bool:
    """A direct identifier that comes through unchanged for anybody."""
    direct = column.kind in policy.direct_kinds or column.element in policy.direct_elements
    return direct and (made[column.name].mask.keeps or made[column.name].minor_mask.keeps)
