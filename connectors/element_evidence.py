"""Which data element a column carries: how near its header comes to the element's, and what its values are. Both must agree."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from rapidfuzz import fuzz

from connectors.profile import Profile
from rules.code_tables import load_code_tables
from rules.documents import ACCEPTED
from rules.elements import Element, elements_by_header, fold_header, load_elements

LEAST = 0.55
"""A column whose best element scores less is left without one: a person decides."""

VERBATIM = 1.0
HEAD_WORD = 0.80
CANDIDATES = 12
LEAST_LIKENESS = 0.4
BESIDE_VERBATIM = 0.75
TEXT_FIT = 0.75
"""What values say of an element of free text: nothing against it."""

ROLES: Mapping[str, tuple[str, ...]] = {
    "father": ("父亲", "父", "爸爸"),
    "mother": ("母亲", "母", "妈妈", "产妇"),
    "spouse": ("配偶", "爱人", "丈夫", "妻子", "男方", "女方"),
    "guardian": ("监护人", "家长", "法定监护"),
    "head": ("户主",),
    "legal": ("法定代表", "法人", "经营者", "负责人", "企业"),
    "owner": ("车主", "所有人", "权利人", "房东", "产权人", "业主"),
    "clerk": ("经办", "录入", "采集人", "采集员", "登记人", "填表", "填报", "操作", "网格员", "核查人", "审核", "受理人", "办理人"),
    "contact": ("紧急", "联络人", "亲属"),
    "doctor": ("医生", "医师", "责任医", "护士"),
    "agent": ("代理", "代办", "受托", "委托"),
}
"""Whose fact it is: a header that names one of these is no element of the resident's own, and the other way round."""

_SUBJECT = re.compile(
    r"^(本人|个人|居民|人员|公民|学生|儿童|幼儿|患者|病人|参保人员|参保人|老年人|老人|残疾人|死者|逝者|受访人|申请人|申领人|救助人|救助对象|服务对象|对象|职工|员工|"
    r"缴存人|持证人|承租人|租户|住户|被保险人|退役军人|志愿者|新生儿|受种者|求职者|就业人员|失业人员|流动人口|登记人口|签约人|保障对象|被登记人|当事人|成员|领取人|受助人|考生|纳税人|"
    r"驾驶人|乘客|入境人员|会员|孕妇|孕产妇|群众|户籍|现)+"
)
_TAIL = re.compile(r"(代码|编码|名称|信息|情况|值|（.*）|\(.*\)|\d+)$")


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """An element for a column. `confidence` 0–1; `reasons` without any value; `code_system` where the codes are another table's."""

    element: Element
    confidence: float
    header_likeness: float
    reasons: tuple[str, ...]
    code_system: str | None = None


def candidates(profile: Profile) -> list[Proposed]:
    """Elements that the column may carry, the best first, none below LEAST. A header of the list is believed before similar ones."""
    near = sorted(_likenesses(profile.header), key=lambda found: -found[1])[:CANDIDATES]
    if near[0][1] == VERBATIM:
        near = [(element, likeness if likeness == VERBATIM else likeness * BESIDE_VERBATIM) for element, likeness in near]
    near = [found for found in near if found[1] >= LEAST_LIKENESS]
    scored = [_judged(profile, element, likeness) for element, likeness in near]
    scored += [_judged(profile, element, likeness) for element, likeness in _by_values(profile, near)]
    good = [proposed for proposed in scored if proposed.confidence >= LEAST]
    return sorted(good, key=lambda p: (-p.confidence, -p.header_likeness, p.element.key))


def header_likeness(header: str, element: Element) -> float:
    """1 when the element list holds the header; else how near the nearest of its headers is, whoever's fact it is considered."""
    return max(_likeness(header, other) for other in element.headers)


@lru_cache(maxsize=4096)
def _likenesses(header: str) -> tuple[tuple[Element, float], ...]:
    return tuple((element, header_likeness(header, element)) for element in load_elements().values())


def _likeness(header: str, other: str) -> float:
    mine, theirs = fold_header(header), fold_header(other)
    if mine == theirs:
        return VERBATIM
    if not mine or not theirs or (mine.isascii() != theirs.isascii()):
        return 0.0
    if mine.isascii():
        return fuzz.ratio(mine, theirs) / 100 * 0.8 if min(len(mine), len(theirs)) > 3 else 0.0
    if _role(mine) != _role(theirs):
        return 0.3 * fuzz.ratio(mine, theirs) / 100
    return max(_plain_likeness(mine, theirs), 0.97 * _plain_likeness(_bare(mine), _bare(theirs)))


def _plain_likeness(mine: str, theirs: str) -> float:
    if mine == theirs:
        return VERBATIM
    ratio = fuzz.ratio(mine, theirs) / 100
    if len(theirs) >= 2 and mine.endswith(theirs):  # the head of a Chinese compound is its end: 救助申请日期 is a date of application
        return max(ratio, HEAD_WORD * (0.6 + 0.4 * len(theirs) / len(mine)))
    return ratio if mine[-1] == theirs[-1] else ratio * 0.9


def _bare(header: str) -> str:
    """Without the subject before and the kind of field behind, which say nothing of what it is."""
    bare = _TAIL.sub("", _SUBJECT.sub("", header))
    return bare or header


def _role(header: str) -> str:
    return next((role for role, words in ROLES.items() if any(word in header for word in words)), "")


def _by_values(profile: Profile, near: Sequence[tuple[Element, float]]) -> Iterator[tuple[Element, float]]:
    """Elements that the header may not suggest but the values do: identity numbers under a header for any document, and the like."""
    known = {element.key for element, likeness in near if likeness > 0}
    for kind, key in (("id_number", "id_number"), ("phone", "phone")):
        element = load_elements()[key]
        if key not in known and profile.kinds[kind] > 0.6 and not _role(profile.header):
            yield element, header_likeness(profile.header, element)


def _judged(profile: Profile, element: Element, likeness: float) -> Proposed:
    fit, reasons, code_system = _fit(profile, element)
    if likeness == VERBATIM:
        confidence = 1.0 if fit is None else 0.55 + 0.45 * fit
    else:
        confidence = likeness * (0.8 if fit is None else 0.3 + 0.7 * fit)
    confidence = min(1.0, confidence + _certainty_of_values(profile, element, likeness))
    how = "表头一致 header in the list" if likeness == VERBATIM else f"表头相似 header similarity {likeness:.2f}"
    return Proposed(
        element=element,
        confidence=round(confidence, 3),
        header_likeness=likeness,
        reasons=(how, *reasons),
        code_system=code_system,
    )


def _certainty_of_values(profile: Profile, element: Element, likeness: float) -> float:
    """Values that can hardly be anything else make up for a header that says little."""
    if element.key == "id_number" and profile.kinds["id_number"] > 0.6 and not _role(profile.header):
        return 0.35
    if element.kind == "phone" and profile.kinds["phone"] > 0.8 and likeness > 0.4:
        return 0.15
    if element.kind == "code" and profile.has_labels and profile.code_tables.get(element.code_table or "", 0) > 0.9 and likeness > 0.4:
        return 0.15
    if element.kind in ("address", "name") and profile.kinds[element.kind] > 0.8 and likeness > 0.5:
        return 0.08
    return 0.0


def _fit(profile: Profile, element: Element) -> tuple[float | None, tuple[str, ...], str | None]:
    """How well the values are of the element's kind (None: there are none), with the reason, and the code table they are of."""
    if not profile.values:
        return None, ("没有值 no values",), None
    if element.kind == "code":
        return _code_fit(profile, element)
    fit = _KIND_FITS.get(element.kind, _own_rule)(profile, element)
    return fit, (f"{_KIND_WORDS.get(element.kind, '值的形式 shape of the values')} {fit:.0%}",), None


def _code_fit(profile: Profile, element: Element) -> tuple[float, tuple[str, ...], str | None]:
    tables = profile.code_tables
    own = tables.get(element.code_table or "", 0.0)
    others = {key: share for key, share in tables.items() if load_code_tables()[key].target == element.code_table and share > own}
    if others:
        best = max(others, key=lambda key: (others[key], key))
        return others[best], (f"代码表 code table {best} {others[best]:.0%}",), best
    return own, (f"代码表 code table {element.code_table} {own:.0%}",), None


def _own_rule(profile: Profile, element: Element) -> float:
    return profile.fit(element)


def _document(profile: Profile, element: Element) -> float:
    """Identity numbers are a kind of their own: a column of them under 证件号码 is `id_number`."""
    if element.key not in ACCEPTED:  # certificates and accounts of many forms: any number would do
        return _text(profile, element)
    share = profile.fit(element)
    return share * 0.4 if element.key == "document_number" and profile.kinds["id_number"] > 0.5 else share


def _text(profile: Profile, _element: Element) -> float:
    strong = max(profile.kinds[kind] for kind in ("id_number", "phone", "address"))
    dates = profile.kinds["date"] if profile.kinds["digits"] < 0.5 else 0.0
    return TEXT_FIT * (1 - 0.6 * (strong > 0.8)) * (1 - 0.5 * (dates > 0.8))


def _moment(profile: Profile, element: Element) -> float:
    share = profile.fit(element)
    return share if profile.kinds["moment"] > 0.5 else share * 0.95


_KIND_FITS = {
    "document_number": _document,
    "text": _text,
    "household_number": _text,
    "name": lambda profile, element: profile.kinds["name"],
    "address": lambda profile, element: profile.kinds["address"],
    "timestamp": _moment,
}
_KIND_WORDS = {
    "id_number": "校验位成立 check digits hold",
    "credit_code": "校验位成立 check characters hold",
    "document_number": "证件号码格式 document numbers",
    "name": "姓氏与字数 surnames and length",
    "phone": "电话号码 phone numbers",
    "address": "地址 addresses",
    "date": "日期 dates",
    "timestamp": "时间 times",
    "number": "数字 numbers",
    "money": "金额 amounts",
    "grid_code": "网格编码 grid codes",
}


def is_listed(header: str) -> bool:
    """Whether the element list holds the header word for word."""
    return fold_header(header) in elements_by_header()


@cache
def element_count() -> int:
    return len(load_elements())
