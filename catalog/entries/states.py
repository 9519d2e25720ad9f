"""The states of entries and of resources (law.md §7.3-1, §7.3-2). Who may move them stands in `casework.entries.moves`."""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """草稿 → 部门审核 → 主管部门审核 → 已发布 → 变更中 → 已发布(v+1) / 下线备案 → 已注销."""

    DRAFT = "draft"
    DEPARTMENT_REVIEW = "department_review"
    BUREAU_REVIEW = "bureau_review"
    PUBLISHED = "published"
    CHANGING = "changing"
    WITHDRAWAL = "withdrawal"
    CANCELLED = "cancelled"


STATE_TITLES: Mapping[str, str] = {
    State.DRAFT: "草稿 draft",
    State.DEPARTMENT_REVIEW: "部门审核 department review",
    State.BUREAU_REVIEW: "主管部门审核 bureau review",
    State.PUBLISHED: "已发布 published",
    State.CHANGING: "变更中 changing",
    State.WITHDRAWAL: "下线备案 withdrawal filed",
    State.CANCELLED: "已注销 cancelled",
}


class ResourceState(StrEnum):
    """登记 → 质检 → 挂接 → 运行 → 异常/停更 → 变更备案 → 下线."""

    REGISTERED = "registered"
    CHECKED = "checked"
    ATTACHED = "attached"
    RUNNING = "running"
    ABNORMAL = "abnormal"
    CHANGE_FILED = "change_filed"
    WITHDRAWN = "withdrawn"


RESOURCE_TITLES: Mapping[str, str] = {
    ResourceState.REGISTERED: "登记 registered",
    ResourceState.CHECKED: "质检 checked",
    ResourceState.ATTACHED: "挂接 attached",
    ResourceState.RUNNING: "运行 running",
    ResourceState.ABNORMAL: "异常 abnormal",
    ResourceState.CHANGE_FILED: "变更备案 change filed",
    ResourceState.WITHDRAWN: "下线 withdrawn",
}
