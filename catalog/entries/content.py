"""What a catalogue entry says (law.md §2.1): its items, and its columns with their own share attribute, level and conditions (C-14)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from catalog.terms import CONTRACT, LEVELS, SHARES, Term, terms_of
from rules.citations import Citation, Kind

DATA_TYPES: Mapping[str, str] = {
    "C": "字符型",
    "N": "数值型",
    "Y": "货币型",
    "D": "日期型",
    "T": "日期时间型",
    "L": "逻辑型",
    "M": "备注型",
    "G": "通用型",
    "B": "双精度型",
    "I": "整型",
    "F": "浮点型",
}
"""C-08."""
SHARE_TITLES: Mapping[str, str] = {"unconditional": "无条件共享", "conditional": "有条件共享", "none": "不予共享"}
_OF_CONTRACT_ONLY = frozenset(
    {"share", "legalBasis", "verified", "sourceOfRecord", "category", "resourceCode", "departmentTitle", "secret", "publishedOn"}
)
"""Terms of a contract that an entry has elsewhere: computed, as a field of its own, or as a citation."""

ITEMS: Mapping[str, Term] = MappingProxyType({key: term for key, term in terms_of(CONTRACT).items() if key not in _OF_CONTRACT_ONLY})
"""The items of an entry by the key of their term."""


@dataclass(frozen=True, kw_only=True)
class EntryColumn:
    """A column (数据项, C-08, C-14). `name` is how requests, grants and resources know it; `data_type` a letter of `DATA_TYPES`.

    Where `share_conditions`, `share_mode`, `update_frequency` or `department` are empty, the entry's hold. `citation` is needed where
    `share` is none (L-10).
    """

    name: str
    title: str
    data_type: str
    element: str | None = None
    length: int | None = None
    key: bool = False
    level: str = "L3"
    share: str = "conditional"
    share_conditions: str = ""
    no_share_reason: str = ""
    citation: Citation | None = None
    department: str = ""
    share_mode: str = ""
    open: bool | None = None
    open_conditions: str = ""
    update_frequency: str = ""
    secret: bool = False


@dataclass(frozen=True, kw_only=True)
class EntryContent:
    """An entry's content. `items` has the keys of `ITEMS`; `category` are the digits of C-01; `department` the provider's key (C-04)."""

    title: str
    department: str
    category: str
    columns: tuple[EntryColumn, ...]
    items: Mapping[str, Any] = field(default_factory=dict)
    citation: Citation | None = None

    @property
    def share(self) -> str:
        """C-14: the most restrictive of the columns', a summary and not the truth."""
        return max((c.share for c in self.columns if c.share in SHARES), key=SHARES.index, default="conditional")

    @property
    def level(self) -> str:
        """G-03: the highest of the columns'."""
        return max((c.level for c in self.columns if c.level in LEVELS), default=LEVELS[0])

    @property
    def update_frequency(self) -> str:
        return str(self.items.get("updateFrequency", ""))

    def column(self, name: str) -> EntryColumn | None:
        return next((c for c in self.columns if c.name == name), None)


def as_record(content: EntryContent) -> dict[str, Any]:
    """The content as the store keeps it: only what is set, items and fields in a fixed order."""
    return {
        "title": content.title,
        "department": content.department,
        "category": content.category,
        "items": {key: content.items[key] for key in ITEMS if content.items.get(key) not in (None, "", [])},
        "citation": _citation_record(content.citation),
        "columns": [_column_record(column) for column in content.columns],
    }


def from_record(record: Mapping[str, Any]) -> EntryContent:
    return EntryContent(
        title=record["title"],
        department=record["department"],
        category=record["category"],
        items=record["items"],
        citation=_citation(record["citation"]),
        columns=tuple(EntryColumn(**{**column, "citation": _citation(column.get("citation"))}) for column in record["columns"]),
    )


def digest_of(content: EntryContent) -> str:
    """SHA-256 of what the entry says, for the log."""
    return record_digest(as_record(content))


def record_digest(record: Mapping[str, Any]) -> str:
    """SHA-256 of a record in the one form that is hashed."""
    return hashlib.sha256(json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


_PLAIN = EntryColumn(name="", title="", data_type="")


def _column_record(column: EntryColumn) -> dict[str, Any]:
    """Name, title and type, and whatever is not as the defaults have it."""
    told = {f.name: getattr(column, f.name) for f in fields(column) if getattr(column, f.name) != getattr(_PLAIN, f.name)}
    return (
        told | {"level": column.level, "share": column.share} | ({"citation": _citation_record(column.citation)} if column.citation else {})
    )


def _citation_record(citation: Citation | None) -> dict[str, str] | None:
    return None if citation is None else {f.name: str(getattr(citation, f.name)) for f in fields(citation)}


def _citation(record: Mapping[str, str] | None) -> Citation | None:
    if record is None:
        return None
    return Citation(kind=Kind(record["kind"]), title=record["title"], number=record["number"], article=record["article"])
