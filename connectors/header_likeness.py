"""How near a header comes to an element's: whose fact it is, what kind of field, and what the table around it is about."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from rapidfuzz import fuzz, process

from rules.elements import Element, fold_header, load_elements

VERBATIM = 1.0
HEAD_WORD = 0.80
HEAD_ALONE = 0.77
DATE_SHARE = 0.1
BARE, RETAILED = 0.97, 0.95
OTHER_ROLE = 0.3
CONTEXT_BONUS = 0.04
LEAST_FOR_BONUS = 0.5
LEAST_IN_COMMON = 40
NAME = "姓名"

_CLERKS = (
    *("经办", "录入人", "录入员", "采集人", "采集员", "登记人", "填表", "填报", "操作员", "操作人", "网格员", "核查人", "审核人"),
    *("受理人", "办理人", "检查人", "执法人", "上报人", "统计负责", "制表", "巡查人", "处置人"),
)  # fmt: skip

ROLES: Mapping[str, tuple[str, ...]] = {
    "clerk": _CLERKS,
    "vehicle_owner": ("车主", "机动车所有人", "车辆所有人"),
    "father": ("父亲", "父", "爸爸"),
    "mother": ("母亲", "母", "妈妈", "产妇"),
    "spouse": ("配偶", "爱人", "丈夫", "妻子", "男方", "女方", "对方"),
    "guardian": ("监护人", "家长", "法定监护"),
    "head": ("户主",),
    "legal": ("法定代表", "法人", "负责人", "企业"),
    "trader": ("经营者",),
    "owner": ("所有人", "权利人", "产权人", "业主"),
    "landlord": ("房东", "出租人"),
    "contact": ("紧急", "联络人", "亲属"),
    "doctor": ("医生", "医师", "责任医", "护士"),
    "agent": ("代理", "代办", "受托", "委托"),
}
"""Whose fact it is: a header that names one of these is no element of the resident's own, and the other way round."""

SUBJECTS = frozenset(("trader", "owner", "landlord", "head", "guardian", "mother"))
"""Roles that are the table's own persons where it names nobody else."""

_SUBJECT = re.compile(
    r"^(本人|个人|居民|人员|公民|学生|儿童|幼儿|患者|病人|参保人员|参保人|老年人|老人|残疾人|死者|逝者|受访人|申请人|申领人|救助人|救助对象|服务对象|对象|职工|员工|"
    r"缴存人|持证人|承租人|租户|住户|被保险人|退役军人|志愿者|新生儿|受种者|求职者|就业人员|失业人员|流动人口|登记人口|签约人|保障对象|被登记人|当事人|成员|领取人|"
    r"受助人|考生|纳税人|驾驶人|乘客|入境人员|会员|孕妇|孕产妇|群众|户内)+"
)
_TAIL = re.compile(r"(代码|编码|名称|信息|情况|值|\d+)$")
_ALTERNATIVES = re.compile(r"[或/／、]")
_TAILS: Sequence[tuple[re.Pattern[str], str]] = (
    (re.compile(r"(年月日|时间|日期|时刻|日)$"), "日期"),
    (re.compile(r"(标准|额度|数额|款额|金额|价款|费用|额)元?$"), "金额"),
    (re.compile(r"(类型|类别|种类|分类)$"), "类型"),
    (re.compile(r"(号码|编号|编码|号)$"), "号"),
    (re.compile(r"(详址|详细地址|地址|所在地|地)$"), "地址"),
    (re.compile(r"(状况|状态|情况)$"), "状态"),
)
_GENERIC = frozenset(
    {"日期", "时间", "号码", "编号", "代码", "名称", "登记", "地址", "状态", "金额", "电话", "姓名", "人员", "信息", "公民", "份号", "身份"}
    | {"证号", "证件", "件号", "类型", "类别", "情况", "居民", "本人", "年月", "月日"}
)
_GENERIC_HEADS = frozenset({"名称", "内容", "类别", "类型", "编号", "代码", "编码", "日期", "时间", "情况", "信息"})
"""What is left of these without the word before says nothing."""

_DATE_TAIL = re.compile(r"(日期|时间|年月日|日)$")
_SAME_WORDS = ((re.compile(r"证书|许可证|执照|证照"), "证照"),)


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the table around a column says. `words`: pairs of characters of its title and its other headers; `subject`: the role of the
    table's own persons where it is not the resident without more words; `starts`: what its columns are about, as 设施 in 设施状态."""

    words: frozenset[str] = frozenset()
    subject: str = ""
    about_persons: bool = False
    starts: frozenset[str] = frozenset()


def context_of(headers: Sequence[str], title: str, persons: Sequence[str]) -> Context:
    """The context of the columns of one table; `persons` are the headers over names or identity numbers of persons."""
    words = frozenset(pair for text in (title, *headers) for pair in _pairs(fold_header(text))) - _GENERIC
    roles = [role_of(header) for header in persons]
    own = next((role for role in roles if role in SUBJECTS), "") if "" not in roles else ""
    starts = Counter(fold_header(header)[:2] for header in headers)
    subject_words = frozenset(start for start, times in starts.items() if times > 1 or (start and start in fold_header(title)))
    return Context(
        words=words,
        subject=own,
        about_persons="" in roles or own != "",
        starts=frozenset(start for start in subject_words - _GENERIC if not role_of(start)),
    )


def likenesses(header: str, context: Context) -> list[tuple[Element, float]]:
    """The elements with any likeness to a header. What has hardly a character in common with it is passed over at once."""
    mine = _header(header, context.subject != "" and role_of(header) == context.subject)
    texts = [mine.folded, mine.bare, mine.retailed, fold_header(header)[2:], *(fold_header(part) for part in _parts(header)[1:])]
    known = _all_headers()
    alike = process.cdist(texts, known.folded, score_cutoff=LEAST_IN_COMMON).max(axis=0) > 0
    alike |= process.cdist(texts, known.retailed, score_cutoff=LEAST_IN_COMMON).max(axis=0) > 0
    elements = dict.fromkeys(known.elements[i] for i in np.flatnonzero(alike))
    return [(element, header_likeness(header, element, context)) for element in elements]


def header_likeness(header: str, element: Element, context: Context) -> float:
    """1 when the element list holds the header; else how near the nearest of its headers is, whoever's fact it is considered."""
    likeness = max(_likeness(part, other, context.subject) for part in _parts(header) for other in _headers_of(element))
    start, rest = fold_header(header)[:2], fold_header(header)[2:]
    if start in context.starts and len(rest) > 1 and rest not in _GENERIC_HEADS and role_of(rest) == role_of(header):
        likeness = max(likeness, BARE * max(_likeness(rest, other, context.subject) for other in _headers_of(element)))
    if not LEAST_FOR_BONUS <= likeness < VERBATIM:
        return likeness
    shared = (_pairs_of(element) & context.words) - _pairs(fold_header(header))
    return min(likeness + CONTEXT_BONUS * min(len(shared), 3), 0.99)


def role_of(header: str) -> str:
    """Whose fact a header states, other than the resident's own; empty for that."""
    return next((role for role, words in ROLES.items() if any(word in header for word in words)), "")


@dataclass(frozen=True, kw_only=True)
class _Header:
    """A header taken apart once: an element has many, and every column is held against all of them."""

    folded: str
    role: str
    bare: str
    retailed: str


@lru_cache(maxsize=65536)
def _header(text: str, of_subject: bool = False) -> _Header:
    folded = fold_header(text)
    bare = _bare(folded, of_subject)
    return _Header(folded=folded, role=role_of(folded), bare=bare, retailed=_retailed(bare))


@lru_cache(maxsize=2048)
def _headers_of(element: Element) -> tuple[_Header, ...]:
    return tuple(_header(text) for text in element.headers)


@dataclass(frozen=True, kw_only=True)
class _AllHeaders:
    """Every header of every element, side by side."""

    elements: tuple[Element, ...]
    folded: tuple[str, ...]
    retailed: tuple[str, ...]


@cache
def _all_headers() -> _AllHeaders:
    rows = [(element, header) for element in load_elements().values() for header in _headers_of(element)]
    return _AllHeaders(
        elements=tuple(element for element, _ in rows),
        folded=tuple(header.folded for _, header in rows),
        retailed=tuple(header.retailed for _, header in rows),
    )


def _likeness(text: str, theirs: _Header, subject: str) -> float:
    mine = _header(text, subject != "" and role_of(text) == subject)
    if mine.folded == theirs.folded:
        return VERBATIM
    if not mine.folded or not theirs.folded or mine.folded.isascii() != theirs.folded.isascii():
        return 0.0
    if mine.folded.isascii():
        return fuzz.ratio(mine.folded, theirs.folded) / 100 * 0.8 if min(len(mine.folded), len(theirs.folded)) > 3 else 0.0
    if (mine.role if mine.role != subject else "") != theirs.role:
        return OTHER_ROLE * fuzz.ratio(mine.folded, theirs.folded) / 100
    return max(
        _nearness(mine.folded, theirs.folded),
        BARE * _nearness(mine.bare, theirs.bare),
        RETAILED * _nearness(mine.retailed, theirs.retailed),
    )


def _nearness(mine: str, theirs: str) -> float:
    if mine == theirs:
        return VERBATIM
    ratio = fuzz.ratio(mine, theirs) / 100
    if _DATE_TAIL.search(mine) and _DATE_TAIL.search(theirs):  # that both are dates says little
        ratio = min(ratio, DATE_SHARE + (1 - DATE_SHARE) * fuzz.ratio(_DATE_TAIL.sub("", mine), _DATE_TAIL.sub("", theirs)) / 100)
    if len(theirs) >= 2 and mine.endswith(theirs):  # the head of a Chinese compound is its end: 救助申请日期 is a date of application
        return max(ratio, HEAD_WORD * (0.6 + 0.4 * len(theirs) / len(mine)))
    if len(mine) >= 2 and theirs.endswith(mine):
        return max(ratio, HEAD_ALONE)
    return ratio if mine[-1:] == theirs[-1:] else ratio * 0.9


def _bare(header: str, of_subject: bool) -> str:
    """Without the person before and the kind of field behind; a header that is nothing but a person asks for the name."""
    plain = header
    if of_subject:
        plain = re.sub("|".join(word for words in ROLES.values() for word in words), "", plain)
    stripped = _SUBJECT.sub("", plain)
    if stripped in ("", "名称", "名", "全名") and (of_subject or stripped != header):
        return NAME
    return _TAIL.sub("", stripped) or header


def _retailed(header: str) -> str:
    """With one word for what is said in several ways, most of all at the end of a header."""
    for pattern, word in _SAME_WORDS:
        header = pattern.sub(word, header)
    for pattern, tail in _TAILS:
        if pattern.search(header):
            return pattern.sub(tail, header)
    return header


def _parts(header: str) -> tuple[str, ...]:
    """`中文姓名或英文名` is either."""
    return (header, *(part for part in _ALTERNATIVES.split(header) if part and part != header))


@lru_cache(maxsize=2048)
def _pairs_of(element: Element) -> frozenset[str]:
    return frozenset(pair for header in element.headers for pair in _pairs(fold_header(header)))


@lru_cache(maxsize=65536)
def _pairs(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 2] for i in range(len(text) - 1) if not text[i : i + 2].isascii())
