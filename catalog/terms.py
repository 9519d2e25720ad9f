"""The customProperties (自定义项) that a contract may carry: English key, Chinese name, where it stands, what it may hold, its default.

docs/contracts.md lists the same keys, and a test compares the two. Rule numbers are those of law.md §1–2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

TEXT, VERBATIM, CHOICE, FLAG, NUMBER, DAY, TEXTS = "text", "verbatim", "choice", "flag", "number", "day", "texts"
CONTRACT, COLUMN, SERVER = "contract", "column", "server"

SHARES = ("unconditional", "conditional", "none")
UPDATE_FREQUENCIES = ("实时", "每日", "每周", "每月", "每季度", "每半年", "每年")
LEVELS = ("L1", "L2", "L3", "L4")
FORMAT_TYPES: Mapping[str, tuple[str, ...]] = {
    "电子文件": ("ofd", "wps", "xml", "txt", "doc", "docx", "html", "pdf", "ppt"),
    "电子表格": ("et", "xls", "xlsx", "csv"),
    "数据库": ("Dm", "KingbaseES", "access", "dbf", "oracle", "sql server", "db2", "mysql", "postgresql", "sqlite", "parquet"),
    "图形图像": ("jpg", "gif", "bmp"),
    "流媒体": ("swf", "rm", "mpg"),
    "自描述格式": ("json", "jsonl"),
    "服务接口": ("http", "webservice"),
}
SHARE_MODES = ("信息查询接口", "数据核验接口", "批量库表交换", "文件下载交换", "其它")

DEFAULT_SHARE = "conditional"
DEFAULT_UPDATE_FREQUENCY = "每年"
DEFAULT_LEVEL = "L3"
"""For a column without an element: the platform does not know what is in it, so it is guarded like an identity number (G-07)."""
DEFAULT_SHARE_CONDITIONS = "经数源部门同意，仅用于申请时列明的用途。"


@dataclass(frozen=True, kw_only=True)
class Term:
    """One customProperty. `default` is filled in, with a warning where `warns`, when it is missing."""

    key: str
    title: str
    place: str
    kind: str
    rule: str
    choices: tuple[str, ...] = ()
    default: str | bool | int | None = None
    warns: bool = False

    def accepts(self, value: object) -> bool:
        """Whether a value is one the term may hold."""
        return _ACCEPTS[self.kind](value) and (not self.choices or value in self.choices)

    @property
    def expected(self) -> str:
        """What it may hold, for a message."""
        return " | ".join(self.choices) if self.choices else _EXPECTED[self.kind]


def terms_of(place: str) -> Mapping[str, Term]:
    """The terms that may stand at a place (`contract`, `column`, `server`), by key."""
    return _BY_PLACE[place]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_day(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)


_ACCEPTS: Mapping[str, Any] = {
    TEXT: lambda value: isinstance(value, str) and bool(value.strip()),
    VERBATIM: lambda value: isinstance(value, str) and bool(value),
    CHOICE: lambda value: isinstance(value, str),
    FLAG: lambda value: isinstance(value, bool),
    NUMBER: _is_number,
    DAY: _is_day,
    TEXTS: _is_texts,
}
_EXPECTED: Mapping[str, str] = {
    TEXT: "文字 text",
    VERBATIM: "字符 characters",
    CHOICE: "选项 choice",
    FLAG: "true | false",
    NUMBER: "不小于0的数字 a number from 0",
    DAY: "日期 a date, YYYY-MM-DD",
    TEXTS: "文字列表 a list of texts",
}


def _contract(key: str, title: str, kind: str, rule: str, **more: Any) -> Term:
    return Term(key=key, title=title, place=CONTRACT, kind=kind, rule=rule, **more)


def _column(key: str, title: str, kind: str, rule: str, **more: Any) -> Term:
    return Term(key=key, title=title, place=COLUMN, kind=kind, rule=rule, **more)


def _server(key: str, title: str, kind: str = TEXT, **more: Any) -> Term:
    return Term(key=key, title=title, place=SERVER, kind=kind, rule="", **more)


_TERMS: tuple[Term, ...] = (
    _contract("share", "共享属性", CHOICE, "C-09, L-09", choices=SHARES, default=DEFAULT_SHARE, warns=True),
    _contract("shareConditions", "共享条件", TEXT, "C-09, L-10"),
    _contract("legalBasis", "不予共享的法律依据", TEXT, "L-10"),
    _contract("updateFrequency", "更新周期", CHOICE, "C-11", choices=UPDATE_FREQUENCIES, default=DEFAULT_UPDATE_FREQUENCY, warns=True),
    _contract("verified", "入户核实或当面确认", FLAG, "§5.3", default=False),
    _contract("sourceOfRecord", "本数据集为数源的数据元", TEXTS, "L-03"),
    _contract("category", "信息资源分类", TEXT, "C-01"),
    _contract("resourceCode", "信息资源代码", TEXT, "C-03"),
    _contract("departmentTitle", "信息资源提供方", TEXT, "C-04"),
    _contract("office", "提供方内部部门", TEXT, "C-04"),
    _contract("creditCode", "信息资源提供方代码", TEXT, "C-05"),
    _contract("abstract", "信息资源摘要", TEXT, "C-06"),
    _contract("formatClass", "信息资源格式分类", CHOICE, "C-07", choices=tuple(FORMAT_TYPES)),
    _contract("formatType", "信息资源格式类型", TEXT, "C-07"),
    _contract("shareMode", "共享方式", CHOICE, "C-09, §7.1", choices=SHARE_MODES),
    _contract("shareModeClass", "共享方式分类", CHOICE, "C-09", choices=("共享平台方式", "其他方式"), default="共享平台方式"),
    _contract("open", "是否向社会开放", FLAG, "C-10", default=False),
    _contract("openConditions", "开放条件", TEXT, "C-10"),
    _contract("publishedOn", "发布日期", DAY, "C-12"),
    _contract("relatedResources", "关联资源代码", TEXTS, "C-13"),
    _contract("shareScope", "共享范围", TEXT, "L-10"),
    _contract("usePurpose", "使用用途", TEXT, "L-10"),
    _contract("noShareReason", "不予共享的理由", TEXT, "L-10"),
    _contract("knownTo", "可知悉部门", TEXTS, "L-06"),
    _contract("useConditions", "使用条件", TEXT, "L-08"),
    _contract("grade", "数据分类分级", CHOICE, "L-08, G-01", choices=("一般数据", "重要数据", "核心数据"), default="一般数据"),
    _contract("secrecyAssessment", "保密风险评估", TEXT, "L-07"),
    _contract("privacyAssessment", "个人信息保护影响评估", TEXT, "L-07"),
    _contract("secret", "涉密性", FLAG, "L-01", default=False),
    _contract("notSecret", "不属于国家秘密、工作秘密的声明", FLAG, "L-01"),
    _contract("returned", "是否回流", FLAG, "L-22", default=False),
    _contract("areaDistinguishable", "能否区分地区", FLAG, "L-22"),
    _contract("systemName", "信息系统名称", TEXT, "C-13"),
    _contract("network", "系统部署网络", TEXT, "C-13"),
    _contract("verticalSystem", "是否垂直管理系统", FLAG, "C-13"),
    _contract("catalogueLevel", "资源所属目录等级", TEXT, "C-13"),
    _contract("matter", "业务事项名称", TEXT, "C-13"),
    _contract("scope", "口径范围", TEXT, "C-13"),
    _contract("usePermission", "使用权限", TEXT, "C-13"),
    _contract("dataQuality", "数据质量", TEXT, "C-13"),
    _contract("leadDepartment", "牵头部门", TEXT, "C-13"),
    _contract("contactName", "共享咨询联系人", TEXT, "C-13"),
    _contract("contactPhone", "共享咨询电话", TEXT, "C-13"),
    _contract("storageGb", "数据存储总量/G", NUMBER, "C-13", default=0),
    _contract("recordCount", "结构化信息记录总数/条", NUMBER, "C-13", default=0),
    _contract("sharedStorageGb", "已共享的数据存储量/G", NUMBER, "C-13", default=0),
    _contract("sharedRecordCount", "已共享结构化记录数/条", NUMBER, "C-13", default=0),
    _contract("openStorageGb", "已开放的数据存储量/G", NUMBER, "C-13", default=0),
    _contract("openRecordCount", "已开放结构化记录数/条", NUMBER, "C-13", default=0),
    _column("element", "数据元", TEXT, "C-08"),
    _column("level", "数据分级", CHOICE, "L-08, G-02", choices=LEVELS),
    _column("share", "共享属性", CHOICE, "C-14, L-09", choices=SHARES),
    _column("shareConditions", "共享条件", TEXT, "C-14, L-10"),
    _column("legalBasis", "不予共享的法律依据", TEXT, "C-14, L-10"),
    _column("noShareReason", "不予共享的理由", TEXT, "C-14, L-10"),
    _column("dataLength", "数据长度", NUMBER, "C-08"),
    _column("codeSystem", "代码表", TEXT, "C-08"),
    _column("department", "责任部门", TEXT, "C-14"),
    _column("shareMode", "共享方式", CHOICE, "C-14", choices=SHARE_MODES),
    _column("open", "是否向社会开放", FLAG, "C-14"),
    _column("openConditions", "开放条件", TEXT, "C-14"),
    _column("updateFrequency", "更新周期", CHOICE, "C-14", choices=UPDATE_FREQUENCIES),
    _column("secret", "是否涉密", FLAG, "C-14, L-01"),
    _server("url", "数据库地址"),
    _server("table", "表名"),
    _server("query", "查询语句"),
    _server("user", "数据库用户"),
    _server("password", "数据库口令"),
    _server("encoding", "字符编码"),
    _server("delimiter", "分隔符", VERBATIM),
    _server("headerRow", "表头所在行", NUMBER),
    _server("sheet", "工作表"),
)

_BY_PLACE: Mapping[str, Mapping[str, Term]] = {
    place: {term.key: term for term in _TERMS if term.place == place} for place in (CONTRACT, COLUMN, SERVER)
}
