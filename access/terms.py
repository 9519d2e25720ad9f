"""The terms of a grant as values: row scope, state, days. No database here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from rules.tiers import Tier

AREA_PREFIX = re.compile(r"\d{6}|\d{9}|\d{12}|\d{15}")
"""District, street, community, grid."""


class GrantState(StrEnum):
    """正常 → 暂停 → (恢复 | 终止), law.md L-27."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class RowScope:
    """Which rows a grant reaches: those in one of `areas` (all where none is named) whose columns have one of the values in `equals`."""

    areas: tuple[str, ...] = ()
    equals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"areas": list(self.areas), "equals": {column: list(values) for column, values in sorted(self.equals.items())}}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "RowScope":
        equals = {column: tuple(values) for column, values in content.get("equals", {}).items()}
        return cls(areas=tuple(content.get("areas", ())), equals=equals)


@dataclass(frozen=True, kw_only=True)
class Grant:
    """The agreed terms. `grantee` is the requester department's key, `target` `golden` or a data set's key."""

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
