"""The decision (判定): one pure function from a question to allowed or not, per column with its mask, each with reasons.

Deny by default, deny beats allow. A question is decided once, for all columns. Whoever asks about a grant that is not theirs learns no more
than whoever asks about one that does not exist.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from access.accounts import Account, Role
from access.targets import Target
from access.terms import AREA_PREFIX, BULK_MODES, Grant, GrantState, Mode, Quota, RowScope
from audit.events import Event
from audit.records import names_a_person
from masking.plan import Plan, plan
from rules.levels import Level
from rules.tiers import AnswerForm, Audience, Tier, TierPolicy

MAX_PURPOSE_CHARACTERS = 500
PLAINTEXT_TIERS = frozenset({Tier.T3, Tier.T4})
PROVEN_FROM = Level.L3
"""Plaintext from this level on needs a second proof."""


class Act(StrEnum):
    """What can be asked of the door; the value is the object in the log's vocabulary."""

    EXTRACT = "extract"
    STATISTICS = "statistics"
    TRACE = "trace"
    EXPORT_GOLDEN = "golden"
    EXPORT_CROSSWALK = "crosswalk"
    WHY = "why"
    REVIEW = "review"
    SIMULATE = "simulate"
    TICKET = "ticket"
    DOOR_CHECK = "door_check"
    IMPACT = "impact"
    RELIABILITY = "reliability"
    REPLAY = "replay"
    LOOK_UP = "look_up"
    VERIFY = "verify"
    KINSHIP = "kinship"
    CASE_LOOK_UP = "case_look_up"
    REVERSE = "reverse"
    LINK = "link"

    @property
    def intent(self) -> Event:
        return Event(f"access:{self.value}:intent")


class Reason(StrEnum):
    """Why a question was allowed or denied; the value is what records hold, `REASON_TEXTS` what people read."""

    OWN_GRANT = "own_grant"
    OWN_DATA = "own_data"
    BUREAU_PREPARES = "bureau_prepares"
    BUREAU_DUTY = "bureau_duty"
    OWN_CASE = "own_case"
    AUDIT = "audit"
    ACCOUNT_CLOSED = "account_closed"
    NO_ROLE = "no_role"
    NO_GRANT = "no_grant"
    NO_CASE = "no_case"
    NOT_ACTIVE = "not_active"
    NOT_YET_VALID = "not_yet_valid"
    NO_LONGER_VALID = "no_longer_valid"
    NO_EXTRACT_TIER = "no_extract_tier"
    NO_STATISTICS_TIER = "no_statistics_tier"
    NO_BULK_MODE = "no_bulk_mode"
    QUOTA_USED = "quota_used"
    WRONG_FORM = "wrong_form"
    WRONG_CASE = "wrong_case"
    ASKED_TOO_OFTEN = "asked_too_often"
    NOT_SERVED = "not_served"
    NO_SECOND_PROOF = "no_second_proof"
    NO_PURPOSE = "no_purpose"
    PERSON_IN_PURPOSE = "person_in_purpose"
    COLUMN_UNKNOWN = "column_unknown"
    COLUMN_NOT_SHARED = "column_not_shared"
    COLUMN_NOT_GRANTED = "column_not_granted"
    SCOPE_WITHOUT_AREA = "scope_without_area"
    FILTER_NOT_GRANTED = "filter_not_granted"
    FILTER_NOT_ALLOWED = "filter_not_allowed"
    FILTER_ON_MASK = "filter_on_mask"
    LEVEL_OVER_AUDIENCE = "level_over_audience"
    MASK_NOT_OFFERED = "mask_not_offered"


REASON_TEXTS: Mapping[Reason, str] = {
    Reason.OWN_GRANT: "本部门的授权 a grant of the own department",
    Reason.OWN_DATA: "提供部门审核申请 the provider weighs a request for its data",
    Reason.BUREAU_PREPARES: "统筹局按授权代为提取 the bureau prepares the extract under the grant",
    Reason.BUREAU_DUTY: "统筹局职责 a duty of the bureau",
    Reason.AUDIT: "审计 an audit",
    Reason.OWN_CASE: "本部门或本人承办的事项 a case of the own department, or one's own",
    Reason.NO_CASE: "没有由该账号承办的此事项 no such case of this account's",
    Reason.ACCOUNT_CLOSED: "账号已停用 the account is closed",
    Reason.NO_ROLE: "账号没有所需角色 the account lacks the role",
    Reason.NO_GRANT: "没有可用的授权 no grant that this account may use",
    Reason.NOT_ACTIVE: "授权已暂停或终止 the grant is suspended or ended",
    Reason.NOT_YET_VALID: "授权尚未生效 the grant is not valid yet",
    Reason.NO_LONGER_VALID: "授权已过期 the grant is no longer valid",
    Reason.NO_EXTRACT_TIER: "该开放层级不允许提取 the tier allows no extract",
    Reason.NO_STATISTICS_TIER: "该开放层级不是统计 the tier is not for statistics",
    Reason.NO_BULK_MODE: "授权的共享方式不是文件或库表 the grant's mode is neither file nor table",
    Reason.QUOTA_USED: "使用次数已达限额 the quota is used up",
    Reason.WRONG_FORM: "授权的共享方式或开放层级不适用于此类查询 the grant's mode or tier is not for such a question",
    Reason.WRONG_CASE: "所报办件号不是授权所属的办件 the case number stated is not the grant's",
    Reason.ASKED_TOO_OFTEN: "查询过于频繁 asked too often",
    Reason.NOT_SERVED: "所授权的数据未提供单条查询 what is granted is not served one by one",
    Reason.NO_SECOND_PROOF: "提供明文前须再次验证身份 plaintext needs a second proof of who asks",
    Reason.NO_PURPOSE: "未说明用途 no purpose is stated",
    Reason.PERSON_IN_PURPOSE: "用途中含有证件号或手机号 the purpose names a person's number",
    Reason.COLUMN_UNKNOWN: "数据项不存在 the column does not exist",
    Reason.COLUMN_NOT_SHARED: "数据项不予共享 the column is not shared",
    Reason.COLUMN_NOT_GRANTED: "数据项不在授权内 the column is not granted",
    Reason.SCOPE_WITHOUT_AREA: "目标数据没有所属区域，不能按区域限定 the target has no area to be scoped by",
    Reason.FILTER_NOT_GRANTED: "筛选的数据项不在授权内 the filter's column is not granted",
    Reason.FILTER_NOT_ALLOWED: "该数据项不允许筛选 this kind of column may not be filtered on",
    Reason.FILTER_ON_MASK: "不得按脱敏的数据项筛选 no filter on a masked column",
    Reason.LEVEL_OVER_AUDIENCE: "数据项的分级不得按此层级向此范围开放 the column's level is over what the audience may get under this tier",
    Reason.MASK_NOT_OFFERED: "此脱敏方法不适用于该数据项 this mask is not offered for the column",
}


@dataclass(frozen=True, kw_only=True)
class KeyScope:
    """What an API key reaches of what its account may do: these acts under these grants, `plaintext` as well only where it says so."""

    acts: frozenset[Act]
    grants: frozenset[int]
    plaintext: bool = False

    def covers(self, act: Act, grant: Grant | None) -> bool:
        return act in self.acts and grant is not None and grant.id in self.grants


LOOKING_ASIDE = frozenset({Act.IMPACT, Act.REVERSE, Act.LINK})


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a grant must be for a kind of inquiry, and whether it has to be for a case (办件)."""

    mode: Mode
    tiers: frozenset[Tier]
    answer: AnswerForm
    needs_case: bool = False


INQUIRIES: Mapping[Act, Form] = {
    Act.LOOK_UP: Form(mode=Mode.LOOKUP, tiers=frozenset(Tier), answer=AnswerForm.EXTRACT),
    Act.VERIFY: Form(mode=Mode.VERIFY, tiers=frozenset(Tier), answer=AnswerForm.VERIFICATION),
    Act.KINSHIP: Form(mode=Mode.VERIFY, tiers=frozenset(Tier), answer=AnswerForm.VERIFICATION),
    Act.CASE_LOOK_UP: Form(mode=Mode.LOOKUP, tiers=frozenset({Tier.T3, Tier.T4}), answer=AnswerForm.EXTRACT, needs_case=True),
}
"""Questions about single residents (查询), by what kind of grant they may be asked under."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """With whom a case is: a ticket with a department, a door check with one grid worker."""

    department: str | None = None
    worker: str | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """Who asks for what, under which grant, on which day.

    `provider`: whose data a request is for that is weighed, None the bureau's; `extracts`: how many were handed over under the grant;
    `key`: what the key reaches that it is asked with, None: it is not asked with one; `now`: for what ends
    at a minute, which has ended where it is not told; `proven`: whoever asks has proved a second time who he is, or need not.
    Of an inquiry: `case_number` is the one that was stated, `asked` the columns whose values it asks about, `calls` how many the grant has
    answered today, `too_often` whether the limits on actor and subject (I-08) are reached.
    """

    act: Act
    account: Account
    purpose: str
    today: date
    policy: TierPolicy
    grant: Grant | None = None
    target: Target | None = None
    provider: str | None = None
    extracts: int = 0
    case: Case | None = None
    key: KeyScope | None = None
    case_number: str = ""
    asked: tuple[str, ...] = ()
    calls: int = 0
    too_often: bool = False
    now: datetime | None = None
    proven: bool = False

    @property
    def grant_in_use(self) -> Grant | None:
        """The grant that the answer would rest on: not terms that are only weighed, nor what was handed out once and is looked back at."""
        return None if self.act in LOOKING_ASIDE else self.grant


@dataclass(frozen=True, kw_only=True)
class Decision:
    """`reasons` hold for the whole answer, `column_reasons` for one column; `plan` gives the masks where it is allowed."""

    allowed: bool
    reasons: tuple[Reason, ...]
    column_reasons: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict)
    plan: Plan = field(default_factory=dict)

    def told(self) -> str:
        """The reasons for a person, with column names and no values."""
        columns = [f"{column}: {REASON_TEXTS[reason]}" for column, reasons in self.column_reasons.items() for reason in reasons]
        return "; ".join([*(REASON_TEXTS[reason] for reason in self.reasons), *columns])


Rule = Callable[[Question], Reason | None]


def decide(question: Question) -> Decision:
    """Allowed if a ground is found and nothing objects. The terms are looked at only once the asker may know of them."""
    grounds = _told_by(GROUNDS[question.act], question) if _within_key(question) else ()
    if not grounds:
        return Decision(allowed=False, reasons=(REFUSALS[question.act],))
    objections = _told_by(OBJECTIONS, question)
    columns = column_objections(question)
    if objections or columns:
        return Decision(allowed=False, reasons=objections, column_reasons=columns)
    return Decision(allowed=True, reasons=grounds, plan=_plan(question))


def column_objections(question: Question) -> Mapping[str, tuple[Reason, ...]]:
    """What stands against single columns: those granted, and those that the row scope filters on."""
    if question.grant is None or question.target is None or question.act is Act.REVERSE:
        return {}
    found = {column: _against_column(column, question.grant, question.target, question.policy) for column in question.grant.columns}
    found |= {column: (Reason.COLUMN_NOT_GRANTED,) for column in question.asked if column not in question.grant.columns}
    if not any(found.values()):
        found |= _against_filters(question.grant, question.target, question.policy)
    return {column: reasons for column, reasons in found.items() if reasons}


def _within_key(question: Question) -> bool:
    """Outside of what it was made for a key learns no more than somebody else's does."""
    return question.key is None or question.key.covers(question.act, question.grant)


def _own_grant(question: Question) -> Reason | None:
    may_extract = question.account.roles & {Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD}
    own = question.grant is not None and question.account.department == question.grant.grantee and _is_named(question)
    return Reason.OWN_GRANT if own and may_extract and question.account.active else None


def _is_named(question: Question) -> bool:
    """A grant for named leaders is for those accounts alone, and for their clerks not even there."""
    grant = question.grant
    return grant is None or grant.audience is not Audience.LEADERS or question.account.name in grant.named


def _bureau_prepares(question: Question) -> Reason | None:
    bureau = question.account.active and Role.BUREAU_OPERATOR in question.account.roles
    return Reason.BUREAU_PREPARES if bureau and question.grant is not None else None


def _bureau_export(question: Question) -> Reason | None:
    return Reason.BUREAU_DUTY if Role.BUREAU_OPERATOR in question.account.roles else None


def _bureau_explains(question: Question) -> Reason | None:
    return Reason.BUREAU_DUTY if question.account.roles & {Role.BUREAU_OPERATOR, Role.STEWARD} else None


def _bureau_reverses(question: Question) -> Reason | None:
    """Who looks behind a pseudonym answers for residents: a steward, or the bureau's operator; a grant says whose it is."""
    return _bureau_explains(question) if question.grant is not None else None


def _bureau_links(question: Question) -> Reason | None:
    return _bureau_export(question) if question.grant is not None else None


def _audits(question: Question) -> Reason | None:
    """An auditor sees what an answer gave: whether it comes out the same, and the rows where the case needs them (A-02)."""
    auditor = question.account.active and Role.AUDITOR in question.account.roles
    return Reason.AUDIT if auditor else None


def _own_data(question: Question) -> Reason | None:
    mine = question.provider is not None and question.account.department == question.provider
    people = question.account.roles & {Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD}
    return Reason.OWN_DATA if mine and people else None


def _bureau_weighs(question: Question) -> Reason | None:
    return Reason.BUREAU_DUTY if question.account.roles & {Role.BUREAU_OPERATOR, Role.BUREAU_APPROVER} else None


def _own_ticket(question: Question) -> Reason | None:
    """Who has to check values may see them: those in question, of the own department's records (L-25)."""
    account, case = question.account, question.case
    handles = account.roles & {Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD}
    mine = case is not None and case.department is not None and account.department == case.department
    return Reason.OWN_CASE if mine and handles and account.active else None


def _own_visit(question: Question) -> Reason | None:
    account, case = question.account, question.case
    mine = case is not None and case.worker is not None and account.name == case.worker
    return Reason.OWN_CASE if mine and Role.GRID_WORKER in account.roles and account.active else None


def _account_closed(question: Question) -> Reason | None:
    return None if question.account.active else Reason.ACCOUNT_CLOSED


def _purpose_missing(question: Question) -> Reason | None:
    stated = question.purpose.strip() and len(question.purpose) <= MAX_PURPOSE_CHARACTERS
    return None if stated else Reason.NO_PURPOSE


def _purpose_names_person(question: Question) -> Reason | None:
    return Reason.PERSON_IN_PURPOSE if names_a_person(question.purpose) else None


def _not_active(question: Question) -> Reason | None:
    grant = question.grant_in_use
    return Reason.NOT_ACTIVE if grant and grant.state is not GrantState.ACTIVE else None


def _not_yet_valid(question: Question) -> Reason | None:
    grant = question.grant_in_use
    return Reason.NOT_YET_VALID if grant and question.today < grant.valid_from else None


def _no_longer_valid(question: Question) -> Reason | None:
    grant = question.grant_in_use
    return Reason.NO_LONGER_VALID if grant and (question.today > grant.valid_to or _ended(grant, question.now)) else None


def _ended(grant: Grant, now: datetime | None) -> bool:
    return grant.ends_at is not None and (now is None or now >= grant.ends_at)


def _second_proof_missing(question: Question) -> Reason | None:
    """Plaintext of level L3 and above under a tier for plaintext leaves only to one who has just proved again who he is (A-04)."""
    grant, target = question.grant_in_use, question.target
    if question.proven or grant is None or target is None or grant.tier not in PLAINTEXT_TIERS:
        return None
    telling = [name for name, made in plan_of(grant, target, question.policy).items() if made.mask.keeps]
    return Reason.NO_SECOND_PROOF if any(target.columns[name].facts.level >= PROVEN_FROM for name in telling) else None


def _tier_without_extract(question: Question) -> Reason | None:
    grant, form = question.grant_in_use, BULK_ANSWERS.get(question.act, AnswerForm.EXTRACT)
    if grant is None or question.act in INQUIRIES or question.policy.tiers[grant.tier].answer is form:
        return None
    return Reason.NO_STATISTICS_TIER if question.act is Act.STATISTICS else Reason.NO_EXTRACT_TIER


def _mode_without_extract(question: Question) -> Reason | None:
    grant = question.grant_in_use
    return None if grant is None or question.act in INQUIRIES or grant.mode in BULK_MODES else Reason.NO_BULK_MODE


def _form_of_inquiry(question: Question) -> Reason | None:
    form, grant = INQUIRIES.get(question.act), question.grant_in_use
    if form is None or grant is None:
        return None
    fits = grant.mode is form.mode and grant.tier in form.tiers and question.policy.tiers[grant.tier].answer is form.answer
    return None if fits else Reason.WRONG_FORM


def _wrong_case(question: Question) -> Reason | None:
    """Where the grant is for a case, each inquiry names it (A-06); a look-up of a case needs a grant that is for one."""
    form, grant = INQUIRIES.get(question.act), question.grant_in_use
    if form is None or grant is None:
        return None
    named = question.case_number == grant.case_number if grant.case_number else not form.needs_case
    return None if named else Reason.WRONG_CASE


def _calls_used(question: Question) -> Reason | None:
    grant = question.grant_in_use
    most = grant.quotas.get(Quota.CALLS_PER_DAY) if grant and question.act in INQUIRIES else None
    return Reason.QUOTA_USED if most is not None and question.calls >= most else None


def _too_often(question: Question) -> Reason | None:
    return Reason.ASKED_TOO_OFTEN if question.too_often else None


def _quota_used(question: Question) -> Reason | None:
    grant = question.grant_in_use
    most = grant.quotas.get(Quota.EXTRACTS) if grant else None
    return Reason.QUOTA_USED if most is not None and question.extracts >= most else None


def _scope_without_area(question: Question) -> Reason | None:
    scoped = question.grant is not None and question.grant.row_scope.areas
    return Reason.SCOPE_WITHOUT_AREA if scoped and question.target and question.target.area_column is None else None


BULK_ANSWERS: Mapping[Act, AnswerForm] = {Act.STATISTICS: AnswerForm.STATISTICS}
"""What a tier must allow for an act; extracts for all others."""
GROUNDS: Mapping[Act, tuple[Rule, ...]] = {
    Act.EXTRACT: (_own_grant, _bureau_prepares),
    Act.STATISTICS: (_own_grant, _bureau_prepares),
    Act.EXPORT_GOLDEN: (_bureau_export,),
    Act.EXPORT_CROSSWALK: (_bureau_export,),
    Act.WHY: (_bureau_explains,),
    Act.REVIEW: (_bureau_explains,),
    Act.SIMULATE: (_bureau_explains,),
    Act.TRACE: (_bureau_export,),
    Act.TICKET: (_own_ticket, _bureau_explains),
    Act.DOOR_CHECK: (_own_visit, _bureau_explains),
    Act.IMPACT: (_own_data, _bureau_weighs),
    Act.RELIABILITY: (_bureau_explains,),
    Act.REPLAY: (_audits,),
    Act.LOOK_UP: (_own_grant,),
    Act.VERIFY: (_own_grant,),
    Act.KINSHIP: (_own_grant,),
    Act.CASE_LOOK_UP: (_own_grant,),
    Act.REVERSE: (_bureau_reverses,),
    Act.LINK: (_bureau_links,),
}
REFUSALS: Mapping[Act, Reason] = {
    Act.EXTRACT: Reason.NO_GRANT,
    Act.STATISTICS: Reason.NO_GRANT,
    Act.EXPORT_GOLDEN: Reason.NO_ROLE,
    Act.EXPORT_CROSSWALK: Reason.NO_ROLE,
    Act.WHY: Reason.NO_ROLE,
    Act.REVIEW: Reason.NO_ROLE,
    Act.SIMULATE: Reason.NO_ROLE,
    Act.TRACE: Reason.NO_ROLE,
    Act.TICKET: Reason.NO_CASE,
    Act.DOOR_CHECK: Reason.NO_CASE,
    Act.IMPACT: Reason.NO_ROLE,
    Act.RELIABILITY: Reason.NO_ROLE,
    Act.REPLAY: Reason.NO_ROLE,
    Act.LOOK_UP: Reason.NO_GRANT,
    Act.VERIFY: Reason.NO_GRANT,
    Act.KINSHIP: Reason.NO_GRANT,
    Act.CASE_LOOK_UP: Reason.NO_GRANT,
    Act.REVERSE: Reason.NO_ROLE,
    Act.LINK: Reason.NO_ROLE,
}
KEY_ACTS = frozenset(act for act, refusal in REFUSALS.items() if refusal is Reason.NO_GRANT)
"""What a key can be made for: what rests on a grant."""
OBJECTIONS: tuple[Rule, ...] = (
    _account_closed,
    _purpose_missing,
    _purpose_names_person,
    _not_active,
    _not_yet_valid,
    _no_longer_valid,
    _tier_without_extract,
    _mode_without_extract,
    _form_of_inquiry,
    _wrong_case,
    _quota_used,
    _calls_used,
    _too_often,
    _scope_without_area,
    _second_proof_missing,
)


def plan_of(grant: Grant, target: Target, policy: TierPolicy) -> Plan:
    """The masks that the terms of a grant give, by the levels that the target's columns have now."""
    columns = [target.columns[name].facts for name in grant.columns if name in target.columns]
    return plan(columns, grant.tier, policy, audience=grant.audience, chosen=grant.masks)


def malformed_areas(scope: RowScope) -> list[str]:
    """Areas of a scope that are no code of a district, street, community or grid."""
    return [area for area in scope.areas if not AREA_PREFIX.fullmatch(area)]


def _told_by(rules: tuple[Rule, ...], question: Question) -> tuple[Reason, ...]:
    return tuple(reason for rule in rules if (reason := rule(question)))


def _against_column(name: str, grant: Grant, target: Target, policy: TierPolicy) -> tuple[Reason, ...]:
    column = target.columns.get(name)
    if column is None:
        return (Reason.COLUMN_UNKNOWN,)
    facts, choice = column.facts, grant.masks.get(name)
    checks = {
        Reason.COLUMN_NOT_SHARED: not column.shared,
        Reason.LEVEL_OVER_AUDIENCE: not policy.within(grant.audience, grant.tier, facts.level),
        Reason.MASK_NOT_OFFERED: choice is not None and choice not in policy.alternatives_for(facts.kind, facts.element),
    }
    return tuple(reason for reason, wrong in checks.items() if wrong)


def _against_filters(grant: Grant, target: Target, policy: TierPolicy) -> Mapping[str, tuple[Reason, ...]]:
    return {column: _against_filter(column, grant, target, policy) for column in grant.row_scope.equals}


def _against_filter(name: str, grant: Grant, target: Target, policy: TierPolicy) -> tuple[Reason, ...]:
    if name not in grant.columns:
        return (Reason.FILTER_NOT_GRANTED,)
    facts = target.columns[name].facts
    if facts.kind not in policy.filter_kinds:
        return (Reason.FILTER_NOT_ALLOWED,)
    made = plan([facts], grant.tier, policy, audience=grant.audience, chosen=grant.masks)
    return () if made[name].mask.keeps else (Reason.FILTER_ON_MASK,)


def _plan(question: Question) -> Plan:
    if question.grant is None or question.target is None:
        return {}
    return plan_of(question.grant, question.target, question.policy)
