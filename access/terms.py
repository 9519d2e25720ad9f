"""The terms of a grant as values: row scope, state, days. No database here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from rules.tiers import AnswerForm, Audience, Tier

AREA_PREFIX = re.compile(r"\d{6}|\d{9}|\d{12}|\d{15}")
"""District, street, community, grid."""


class Mode(StrEnum):
    """How data is shared (共享方式, law.md L-20, §7.1)."""

    LOOKUP = "lookup"
    VERIFY = "verify"
    TABLE = "table"
    FILE = "file"


MODE_TEXTS: Mapping[Mode, str] = {
    Mode.LOOKUP: "信息查询接口 look-up interface",
    Mode.VERIFY: "数据核验接口 verification interface",
    Mode.TABLE: "批量库表交换 table exchange",
    Mode.FILE: "文件下载交换 file",
}
FORMS: Mapping[Mode, frozenset[AnswerForm]] = {
    Mode.LOOKUP: frozenset({AnswerForm.EXTRACT}),
    Mode.VERIFY: frozenset({AnswerForm.VERIFICATION}),
    Mode.TABLE: frozenset({AnswerForm.EXTRACT}),
    Mode.FILE: frozenset({AnswerForm.EXTRACT, AnswerForm.STATISTICS}),
}
"""Which kinds of answer a mode can carry."""
BULK_MODES = frozenset({Mode.TABLE, Mode.FILE})
"""What an extract may be made for."""


class Quota(StrEnum):
    """What a grant can be limited to in number."""

    CALLS_PER_DAY = "calls_per_day"
    EXTRACTS = "extracts"
    ROWS_PER_EXTRACT = "rows_per_extract"


class Disputed(StrEnum):
    """What becomes of golden values that are in dispute (存疑): left out, kept and named in a column of their own, or kept."""

    LEAVE_OUT = "leave_out"
    MARK = "mark"
    KEEP = "keep"


DISPUTED_TEXTS: Mapping[Disputed, str] = {
    Disputed.LEAVE_OUT: "不提供 left out",
    Disputed.MARK: "提供并标明 kept, and named in the column `disputed`",
    Disputed.KEEP: "提供 kept",
}


class GrantState(StrEnum):
    """正常 → 暂停 → (恢复 | 终止), law.md L-27."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class Clients:
    """A list of the grantee's own clients that was uploaded: its digest and how many it lists (`access.clients`)."""

    digest: str
    size: int

    def as_json(self) -> dict[str, Any]:
        return {"digest": self.digest, "size": self.size}


@dataclass(frozen=True, kw_only=True)
class RowScope:
    """Which rows a grant reaches: those in one of `areas` (all where none is named) whose columns have one of the values in `equals`,
    of people on the list of `clients` (everybody where there is none)."""

    areas: tuple[str, ...] = ()
    equals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    clients: Clients | None = None

    def as_json(self) -> dict[str, Any]:
        scope = {"areas": list(self.areas), "equals": {column: list(values) for column, values in sorted(self.equals.items())}}
        return {**scope, "clients": self.clients.as_json()} if self.clients else scope

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "RowScope":
        equals = {column: tuple(values) for column, values in content.get("equals", {}).items()}
        clients = Clients(**content["clients"]) if content.get("clients") else None
        return cls(areas=tuple(content.get("areas", ())), equals=equals, clients=clients)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """The agreed terms. `grantee` is the requester department's key, `target` `golden` or a data set's key.

    `request` is the request that was agreed to, None where the bureau made the grant directly; `conditions` are published ones (L-11);
    `responsible` is the account that answers for the grantee's copy (L-04). `audience` says for whom the answer is opened; `named` are the
    accounts that alone may use a grant for named leaders; `masks` names a column's mask where it is not the usual one. `ends_at`: the
    minute at which an emergency is over, None for all others; `made_seq`: the record in the log that holds the terms as they were made.
    """

    id: int
    grantee: str
    target: str
    columns: tuple[str, ...]
    row_scope: RowScope
    tier: Tier
    purpose: str
    legal_basis: str
    case_number: str
    valid_from: date
    valid_to: date
    state: GrantState
    mode: Mode = Mode.FILE
    quotas: Mapping[Quota, int] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    responsible: str | None = None
    request: int | None = None
    audience: Audience = Audience.DEPARTMENT
    named: tuple[str, ...] = ()
    masks: Mapping[str, str] = field(default_factory=dict)
    disputed: Disputed = Disputed.KEEP
    ends_at: datetime | None = None
    made_seq: int | None = None


def malformed_areas(scope: RowScope) -> list[str]:
    """Areas of a scope that are no code of a district, street, community or grid."""
    return [area for area in scope.areas if not AREA_PREFIX.fullmatch(area)]
