"""The columns of the statutory workbook (目录模板, law.md §2.1): which item each holds, and how a cell says it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from catalog.entries.content import DATA_TYPES, ITEMS, SHARE_TITLES
from catalog.terms import CHOICE, DAY, FLAG, FORMAT_TYPES, LEVELS, NUMBER, SHARE_MODES, TEXT, TEXTS, UPDATE_FREQUENCIES, Term
from rules.citations import KIND_TITLES, Kind

YES, NO = "是", "否"
SEPARATORS = "、,，;；\n"
CELL_CHARACTERS_MOST = 2_000


@dataclass(frozen=True, kw_only=True)
class Field:
    """A column of the workbook. `key` is the item it holds, `labels` the value by what people choose from a list."""

    key: str
    title: str
    kind: str = TEXT
    rule: str = ""
    needed: bool = False
    labels: Mapping[str, Any] = field(default_factory=dict)

    def cell(self, value: Any) -> Any:
        """How a cell says a value; None for none."""
        if value in (None, "", []):
            return None
        if self.labels:
            return next((label for label, labelled in self.labels.items() if labelled == value), value)
        return _SAID[self.kind](value) if self.kind in _SAID else value

    def value(self, cell: Any) -> Any:
        """What a cell says; ValueError with what was expected. Empty cells are None."""
        text = plain_text(cell)
        if not text:
            return None
        if len(text) > CELL_CHARACTERS_MOST:
            raise ValueError(f"≤ {CELL_CHARACTERS_MOST} 字 characters")
        if self.labels:
            return self._chosen(text)
        return _READ.get(self.kind, _text)(text)

    def _chosen(self, text: str) -> Any:
        folded = text.replace(" ", "").casefold()
        for label, value in self.labels.items():
            if folded in {label.replace(" ", "").casefold(), str(value).casefold()}:
                return value
        shown = list(self.labels)[:12]
        raise ValueError(f"{text[:20]} ∉ {' | '.join(shown)}{' …' if len(self.labels) > len(shown) else ''}")


def plain_text(cell: Any) -> str:
    """A cell as text: whole numbers without a point, days as CCYY-MM-DD."""
    if isinstance(cell, bool):
        return YES if cell else NO
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    return "" if cell is None else str(cell).strip()


def _text(text: str) -> str:
    return text


def _flag(text: str) -> bool:
    known = {YES: True, NO: False, "1": True, "0": False, "true": True, "false": False}
    if text.casefold() not in known:
        raise ValueError(f"{YES} | {NO}")
    return known[text.casefold()]


def _number(text: str) -> int | float:
    """TX-30: numbers only, no units."""
    try:
        number = float(text)
    except ValueError:
        raise ValueError("只填数字，不带单位 a number without a unit") from None
    if not 0 <= number < 1e15:
        raise ValueError("不小于0 from 0")
    return int(number) if number.is_integer() else number


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("YYYY-MM-DD") from None


def _texts(text: str) -> list[str]:
    for separator in SEPARATORS:
        text = text.replace(separator, "\n")
    return [part.strip() for part in text.split("\n") if part.strip()]


_READ: Mapping[str, Callable[[str], Any]] = {FLAG: _flag, NUMBER: _number, DAY: _day, TEXTS: _texts}
_SAID: Mapping[str, Callable[[Any], Any]] = {
    FLAG: lambda value: YES if value is True else NO if value is False else value,
    TEXTS: lambda value: "、".join(map(str, value)) if isinstance(value, list) else value,
}
SHARE_LABELS = {title: key for key, title in SHARE_TITLES.items()} | {"1": "unconditional", "2": "conditional", "3": "none"}
KIND_LABELS = {KIND_TITLES[kind]: kind for kind in Kind if kind is not Kind.UNKNOWN}
TYPE_LABELS = {f"{letter} {title}": letter for letter, title in DATA_TYPES.items()} | {
    title: letter for letter, title in DATA_TYPES.items()
}


def _of_term(key: str, term: Term) -> Field:
    labels = {choice: choice for choice in term.choices} if term.kind == CHOICE else {}
    return Field(key=f"items.{key}", title=term.title, kind=term.kind, rule=term.rule, labels=labels)


_CITATION = (
    Field(key="citation.kind", title="不予共享依据类型", rule="L-10", labels=KIND_LABELS),
    Field(key="citation.title", title="不予共享依据名称", rule="L-10"),
    Field(key="citation.number", title="不予共享依据文号", rule="L-10"),
    Field(key="citation.article", title="不予共享依据条款", rule="L-10"),
)
ROW = Field(key="row", title="目录序号", needed=True, rule="数据项表按此对应 columns refer to it")
ENTRY_FIELDS: tuple[Field, ...] = (
    ROW,
    Field(key="code", title="信息资源代码", rule="C-03，新目录留空 empty for a new entry"),
    Field(key="revision", title="修订", kind=NUMBER, rule="勿改 do not change"),
    Field(key="title", title="信息资源名称", needed=True, rule="C-02"),
    Field(key="category", title="信息资源分类", rule="C-01，留空为本部门 empty: the department's own"),
    Field(key="department", title="信息资源提供方", needed=True, rule="C-04"),
    *(_of_term(key, term) for key, term in ITEMS.items()),
    *_CITATION,
)
COLUMN_FIELDS: tuple[Field, ...] = (
    ROW,
    Field(key="name", title="数据项标识", needed=True, rule="C-08"),
    Field(key="title", title="数据项名称", needed=True, rule="C-08"),
    Field(key="data_type", title="数据类型", needed=True, rule="C-08", labels=TYPE_LABELS),
    Field(key="length", title="数据长度", kind=NUMBER, rule="C-08"),
    Field(key="key", title="是否主键", kind=FLAG, rule="C-17"),
    Field(key="element", title="数据元", rule="docs/elements.md"),
    Field(key="level", title="数据分级", needed=True, rule="G-02", labels={level: level for level in LEVELS}),
    Field(key="share", title="共享类型", needed=True, rule="C-14", labels=SHARE_LABELS),
    Field(key="share_conditions", title="共享条件", rule="C-14"),
    Field(key="no_share_reason", title="不予共享的理由", rule="L-10"),
    *_CITATION,
    Field(key="department", title="责任部门", rule="C-14"),
    Field(key="share_mode", title="共享方式", rule="C-14", labels={mode: mode for mode in SHARE_MODES}),
    Field(key="open", title="是否向社会开放", kind=FLAG, rule="C-10"),
    Field(key="open_conditions", title="开放条件", rule="C-10"),
    Field(key="update_frequency", title="更新周期", rule="C-11", labels={frequency: frequency for frequency in UPDATE_FREQUENCIES}),
    Field(key="secret", title="是否涉密", kind=FLAG, rule="L-01"),
)
LINKED: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType({"items.formatType": FORMAT_TYPES})
"""Fields whose choices hang on another one's (C-15): the format types of a format class."""
