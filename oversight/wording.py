"""How records are told to people: acts, ends, outcomes, departments in Chinese, the log's own word beside each."""

from collections.abc import Mapping

from access.acts import Act
from access.questions import REASON_TEXTS, Reason
from rules.departments import BUREAU_DEPARTMENT, department_title

ACT_TEXTS: Mapping[Act, str] = {
    Act.EXTRACT: "提取",
    Act.STATISTICS: "统计",
    Act.TRACE: "泄露溯源",
    Act.EXPORT_GOLDEN: "金记录导出",
    Act.EXPORT_CROSSWALK: "对照表导出",
    Act.WHY: "金记录解释",
    Act.REVIEW: "疑似同人核对",
    Act.SIMULATE: "规则模拟",
    Act.TICKET: "校核工单查看",
    Act.DOOR_CHECK: "上门核实表",
    Act.IMPACT: "申请影响评估",
    Act.RELIABILITY: "来源可靠度",
    Act.REPLAY: "答复重现",
    Act.LOOK_UP: "信息查询",
    Act.VERIFY: "数据核验",
    Act.KINSHIP: "亲属关系核验",
    Act.CASE_LOOK_UP: "办案查询",
    Act.REVERSE: "假名还原",
    Act.LINK: "假名关联",
}
AREA_TEXTS: Mapping[str, str] = {
    "access": "访问",
    "accounts": "账号",
    "audit": "日志",
    "casework": "办理",
    "catalog": "目录",
    "golden": "金记录",
    "grants": "授权",
    "keys": "密钥",
    "oversight": "审计核查",
    "rules": "规则",
    "stewardship": "人工确认",
}
END_TEXTS: Mapping[str, str] = {
    "result": "已答复",
    "denied": "拒绝",
    "refused": "拒绝",
    "aborted": "中止",
    "withheld": "未交出",
    "found": "查到",
    "not_found": "查无此人",
    "several": "一号多人",
    "out_of_scope": "不在授权范围",
    "yes": "一致",
    "no": "不一致",
    "not_known": "无法判断",
}
"""How an access ended, or what came of it."""


def act_told(kind: str) -> str:
    """`信息查询 look_up`, of the object of an access's event."""
    return f"{ACT_TEXTS[Act(kind)]} {kind}" if kind in ACT_TEXTS else kind


def event_told(area: str, kind: str) -> str:
    """`访问 access:extract`; of an access its act."""
    return act_told(kind) if area == "access" else f"{AREA_TEXTS.get(area, '')} {area}:{kind}".strip()


def end_told(end: str) -> str:
    """`查到 found`; a word that is not known stands alone."""
    return f"{END_TEXTS[end]} {end}" if end in END_TEXTS else end


def why_told(code: str) -> str:
    """A reason of the decision as people read it; a code is told as it stands, for it can be looked up."""
    return REASON_TEXTS[Reason(code)] if code in REASON_TEXTS else code


def department_told(key: str | None) -> str:
    """`民政局 civil_affairs`; none is the bureau's own people."""
    return f"{department_title(key or BUREAU_DEPARTMENT)} {key or 'bureau'}"
