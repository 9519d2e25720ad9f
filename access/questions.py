"""A question (提问) to the door, and the decision (判定) on it with its reasons, as records and people are told them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from access.accounts import Account
from access.acts import LOOKING_ASIDE, Act
from access.targets import Target
from access.terms import Grant
from masking.plan import Plan
from rules.tiers import TierPolicy


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
