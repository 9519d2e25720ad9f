"""A good entry for the tests, and the ways to spoil it."""

from dataclasses import replace
from typing import Any

from catalog.entries.content import EntryColumn, EntryContent

ITEMS: dict[str, Any] = {
    "abstract": "婚姻登记的基本信息",
    "formatClass": "数据库",
    "formatType": "mysql",
    "shareModeClass": "共享平台方式",
    "shareMode": "批量库表交换",
    "shareConditions": "限办理社会救助",
    "shareScope": "区级各部门",
    "usePurpose": "核验婚姻状况",
    "useConditions": "不得提供给第三方",
    "updateFrequency": "每日",
    "grade": "一般数据",
    "secrecyAssessment": "南民密评〔2026〕3号",
    "privacyAssessment": "南民影评〔2026〕8号",
    "notSecret": True,
}
COLUMNS = (
    EntryColumn(name="certificate_no", title="登记证字号", data_type="C", key=True, level="L2", share="unconditional"),
    EntryColumn(name="man_id", title="男方身份证", data_type="C", element="id_number", length=18, level="L3"),
    EntryColumn(name="registered_on", title="登记日期", data_type="D", level="L2", share="unconditional"),
)


def good_entry(*, items: dict[str, Any] | None = None, **changes: Any) -> EntryContent:
    """An entry without a fault. `items` are laid over those of `ITEMS`; None takes one away."""
    laid = {key: value for key, value in {**ITEMS, **(items or {})}.items() if value is not None}
    whole: dict[str, Any] = {
        "title": "婚姻登记信息", "department": "civil_affairs", "category": "307005", "columns": COLUMNS, "items": laid,
    }  # fmt: skip
    return EntryContent(**(whole | changes))


def with_column(content: EntryContent, which: str, /, **changes: Any) -> EntryContent:
    return replace(content, columns=tuple(replace(c, **changes) if c.name == which else c for c in content.columns))


def without_column(content: EntryContent, name: str) -> EntryContent:
    return replace(content, columns=tuple(c for c in content.columns if c.name != name))
