"""The plan of an answer: which method each column gets under a tier, for grown-ups and for children under 14 (law.md I-07, P-08)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from masking.methods import SUPPRESS, Basis, Mask, RecipientKey, apply
from rules.levels import Level
from rules.tiers import DEFAULT, Audience, Tier, TierPolicy, Treatment, named_mask

NO_CHOICE: Mapping[str, str] = {}
TELLING_TAIL = 4
"""From here on the last characters of an identity number hold sequence and check digit (I-05)."""


@dataclass(frozen=True, kw_only=True)
class MaskedColumn:
    """What the plan has to know of a column. `of_person`: its values are facts of a person, thus a child's where the person is a child."""

    name: str
    element: str | None
    kind: str
    level: Level
    of_person: bool


@dataclass(frozen=True, kw_only=True)
class ColumnPlan:
    """The mask of a column, and the one for the rows of children."""

    mask: Mask
    minor_mask: Mask

    @property
    def keeps_all(self) -> bool:
        """Every row's value comes through unchanged."""
        return self.mask.keeps and self.minor_mask.keeps


Plan = Mapping[str, ColumnPlan]


def plan(
    columns: Sequence[MaskedColumn],
    tier: Tier,
    policy: TierPolicy,
    *,
    audience: Audience = Audience.DEPARTMENT,
    chosen: Mapping[str, str] = NO_CHOICE,
) -> Plan:
    """Column → masks. A child's values have at least the level that the policy gives to minors. `chosen`: a column's mask as granted."""
    return {column.name: _column_plan(column, tier, policy, audience, chosen.get(column.name)) for column in columns}


def plan_warnings(columns: Sequence[MaskedColumn], made: Plan) -> list[str]:
    """What an approver should know before this plan is used, in Chinese and English (I-05, TX-11)."""
    telling = [c.name for c in columns if made[c.name].mask.method == "partial_number" and made[c.name].mask.last >= TELLING_TAIL]
    shows_age = any(c.element in {"birth_date", "age"} and made[c.name].mask.method != "suppress" for c in columns)
    warnings = [f"{name}: 保留末四位会泄露出生日期 the last four characters give the birth date away" for name in telling]
    if telling and shows_age:
        warnings.append("与年龄或出生年同时提供，可能的出生日期仅约 32 个 together with the age only about 32 birth dates fit")
    return warnings


def needs_age(made: Plan) -> bool:
    """Whether any column treats children otherwise than grown-ups."""
    return any(column.mask != column.minor_mask for column in made.values())


def minors(birth_dates: pa.Array, today: date, policy: TierPolicy) -> pa.Array:
    """Which rows are of children, by canonical birth dates (a year or a month alone counts as its last day)."""
    last_day = pc.if_else(
        pc.equal(pc.utf8_length(birth_dates), 4), "-12-31", pc.if_else(pc.equal(pc.utf8_length(birth_dates), 7), "-31", "")
    )
    born = pc.binary_join_element_wise(birth_dates, last_day, "")
    return pc.fill_null(pc.greater(born, years_before(today, policy.minors.under_years)), policy.minors.unknown_age_is_minor)


def mask_column(
    values: pa.Array,
    column: ColumnPlan,
    is_minor: pa.Array | None,
    key: RecipientKey,
    *,
    today: date = date.min,
    name: str = "",
    subjects: pa.Array | None = None,
) -> pa.Array:
    """One column masked by its plan; `is_minor` may be left out where no column needs it. `subjects`: each row's resident, if known."""
    basis = Basis(key=key, today=today, column=name, subjects=subjects)
    masked = apply(column.mask, values, basis)
    if column.mask == column.minor_mask:
        return masked
    assert is_minor is not None, "this plan treats children otherwise"
    return pc.if_else(is_minor, apply(column.minor_mask, values, basis), masked)


def _column_plan(column: MaskedColumn, tier: Tier, policy: TierPolicy, audience: Audience, chosen: str | None) -> ColumnPlan:
    """Where the tier shows grown-ups the value as it is, a chosen mask holds for nobody, and children keep the usual one."""
    choice = chosen if policy.tiers[tier].by_level[column.level] is Treatment.MASK else None
    minor_level = max(column.level, policy.minors.level) if column.of_person else column.level
    minor = _mask(column, tier, minor_level, policy, choice) if policy.within(audience, tier, minor_level) else SUPPRESS
    return ColumnPlan(mask=_mask(column, tier, column.level, policy, choice), minor_mask=minor)


def _mask(column: MaskedColumn, tier: Tier, level: Level, policy: TierPolicy, choice: str | None) -> Mask:
    masked = policy.tiers[tier].by_level[level] is Treatment.MASK
    return _named(choice if choice and masked else policy.method(tier, level, column.kind, column.element), policy)


def _named(choice: str, policy: TierPolicy) -> Mask:
    """The mask of a method, with the setting that is named with it, or the usual one."""
    method, setting = named_mask(choice)
    if method != "partial_number":
        return Mask(method=method)
    number = policy.partial_numbers[setting or DEFAULT]
    return Mask(method=method, first=number.first, last=number.last)


def years_before(today: date, years: int) -> str:
    try:
        return today.replace(year=today.year - years).isoformat()
    except ValueError:  # 29 February
        return today.replace(year=today.year - years, day=28).isoformat()
