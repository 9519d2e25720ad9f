"""What a request states (law.md L-14), and all that is wrong with it at once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from access.terms import FORMS, Disputed, Grant, GrantState, Mode, Quota, RowScope
from audit.records import names_a_person
from catalog.schema import RequestRow
from rules.tiers import Audience, Tier, TierPolicy

MAX_CHARACTERS = 500
LONGEST_DAYS = 1_830
"""Five years: who needs the data longer asks again (L-26)."""


@dataclass(frozen=True, kw_only=True)
class RequestTerms:
    """What is asked for. `scene` 使用场景, `use_scope` 使用范围, `legal_basis` 使用依据.

    `responsible`: the account that answers for the copy (L-04); `warranted`: the request is true, lawful and necessary; `widens`: the grant
    that it would widen (L-23); `tier_reason`: why a tier above the lowest sufficient one is necessary (I-07); `masks`: the mask of a column
    where it is not to be the usual one; `audience`: for whom it is to be opened, `named` the accounts of named leaders.
    """

    target: str
    columns: tuple[str, ...]
    tier: Tier
    mode: Mode
    purpose: str
    scene: str
    use_scope: str
    legal_basis: str
    valid_from: date
    valid_to: date
    row_scope: RowScope = field(default_factory=RowScope)
    case_number: str = ""
    quotas: Mapping[Quota, int] = field(default_factory=dict)
    responsible: str = ""
    warranted: bool = False
    widens: int | None = None
    tier_reason: str = ""
    masks: Mapping[str, str] = field(default_factory=dict)
    disputed: Disputed = Disputed.MARK
    audience: Audience = Audience.DEPARTMENT
    named: tuple[str, ...] = ()

    def as_grant(self, requester: str, *, conditions: tuple[str, ...] = (), request: int | None = None) -> Grant:
        """The grant that agreeing to these terms would make."""
        return Grant(
            id=0,
            grantee=requester,
            target=self.target,
            columns=self.columns,
            row_scope=self.row_scope,
            tier=self.tier,
            purpose=self.purpose,
            legal_basis=self.legal_basis,
            case_number=self.case_number,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            state=GrantState.ACTIVE,
            mode=self.mode,
            quotas=dict(self.quotas),
            conditions=conditions,
            responsible=self.responsible,
            request=request,
            masks=dict(self.masks),
            disputed=self.disputed,
            audience=self.audience,
            named=self.named,
        )


def faults_of_terms(terms: RequestTerms, policy: TierPolicy, today: date) -> list[str]:
    """What is wrong with a request by itself, whatever the catalogue says of its target."""
    texts = {
        "使用依据 legal basis": terms.legal_basis,
        "使用场景 scene of use": terms.scene,
        "使用范围 scope of use": terms.use_scope,
        "用途 purpose": terms.purpose,
    }
    missing = [f"未说明{name} is missing (L-14)" for name, text in texts.items() if not text.strip()]
    everything = {**texts, "办件号 case": terms.case_number}
    too_long = [f"{name} 超过 {MAX_CHARACTERS} 字 is too long" for name, text in everything.items() if len(text) > MAX_CHARACTERS]
    persons = [f"{name} 含有证件号或手机号 names a person's number" for name, text in everything.items() if names_a_person(text)]
    checks = {
        "未承诺真实、合法、必要 the warranty of truth, lawfulness and necessity is missing (L-14)": not terms.warranted,
        "未列数据项 no columns": not terms.columns,
        "数据项重复 a column stands twice": len(set(terms.columns)) < len(terms.columns),
        "止期早于起期 the end lies before the beginning": terms.valid_to < terms.valid_from,
        "止期已过 the end is past": terms.valid_to < today,
        f"使用时限超过 {LONGEST_DAYS} 天 longer than {LONGEST_DAYS} days": (terms.valid_to - terms.valid_from).days > LONGEST_DAYS,
        f"共享方式与开放层级不符 mode {terms.mode} and tier {terms.tier} do not fit": policy.tiers[terms.tier].answer
        not in FORMS[terms.mode],
        "限额应为正整数 a quota is a whole number from 1": any(number < 1 for number in terms.quotas.values()),
    }
    return [*missing, *too_long, *persons, *(fault for fault, wrong in checks.items() if wrong)]


def terms_of(row: RequestRow) -> RequestTerms:
    return RequestTerms(
        target=row.target,
        columns=tuple(row.columns),
        tier=Tier(row.tier),
        mode=Mode(row.mode),
        purpose=row.purpose,
        scene=row.scene,
        use_scope=row.use_scope,
        legal_basis=row.legal_basis,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        row_scope=RowScope.from_json(row.row_scope),
        case_number=row.case_number,
        quotas={Quota(quota): number for quota, number in row.quotas.items()},
        responsible=row.responsible,
        warranted=row.warranted,
        widens=row.widens_grant_id,
        tier_reason=row.tier_reason,
        masks=dict(row.masks),
        disputed=Disputed(row.disputed),
        audience=Audience(row.audience),
        named=tuple(row.named),
    )


def as_columns(terms: RequestTerms) -> dict[str, Any]:
    """The terms as the columns of a request's row."""
    return {
        "target": terms.target,
        "columns": list(terms.columns),
        "tier": terms.tier.value,
        "mode": terms.mode.value,
        "purpose": terms.purpose,
        "scene": terms.scene,
        "use_scope": terms.use_scope,
        "legal_basis": terms.legal_basis,
        "valid_from": terms.valid_from,
        "valid_to": terms.valid_to,
        "row_scope": terms.row_scope.as_json(),
        "case_number": terms.case_number,
        "quotas": {quota.value: number for quota, number in terms.quotas.items()},
        "responsible": terms.responsible,
        "warranted": terms.warranted,
        "widens_grant_id": terms.widens,
        "tier_reason": terms.tier_reason,
        "masks": dict(terms.masks),
        "disputed": terms.disputed.value,
        "audience": terms.audience.value,
        "named": list(terms.named),
    }
