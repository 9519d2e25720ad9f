"""Legal bases (法律依据) as citations: which kind of text, its title, document number and article; law.md L-10.

Only a law, an administrative regulation or a decision of the State Council can say that data is not shared. What a person writes as plain
text is read into a citation; its kind is then known by the title, and "unknown" is no kind that counts.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from rules.regions import load_regions


class Kind(StrEnum):
    """Kinds of texts, highest first."""

    LAW = "law"
    REGULATION = "regulation"
    DECISION = "decision"
    LOCAL_REGULATION = "local_regulation"
    DEPARTMENT_RULE = "department_rule"
    LOCAL_RULE = "local_rule"
    NOTICE = "notice"
    UNKNOWN = "unknown"


KIND_TITLES = {
    Kind.LAW: "法律",
    Kind.REGULATION: "行政法规",
    Kind.DECISION: "国务院决定",
    Kind.LOCAL_REGULATION: "地方性法规",
    Kind.DEPARTMENT_RULE: "部门规章",
    Kind.LOCAL_RULE: "地方政府规章",
    Kind.NOTICE: "规范性文件",
    Kind.UNKNOWN: "未注明",
}
QUALIFYING = frozenset({Kind.LAW, Kind.REGULATION, Kind.DECISION})
"""L-10: a rule of a ministry, a local rule or a notice is not enough."""

ARTICLE = re.compile(
    r"第[〇零一二三四五六七八九十百千0-9]+条(第[〇零一二三四五六七八九十0-9]+款)?(第[（(]?[〇零一二三四五六七八九十0-9]+[)）]?项)?"
)
NUMBER = re.compile(r"[（(\[]?([^\s（()）,，;；《》]{1,12}[〔\[][0-9]{4}[〕\]]第?[0-9]+号|(?:国务院|主席|省政府|部)令第?[0-9]+号)[)）\]]?")
TITLE = re.compile(r"《([^《》]{2,60})》")
_ENDINGS: tuple[tuple[str, Kind], ...] = (
    ("通知", Kind.NOTICE),
    ("意见", Kind.NOTICE),
    ("指南", Kind.NOTICE),
    ("方案", Kind.NOTICE),
    ("纪要", Kind.NOTICE),
    ("办法", Kind.DEPARTMENT_RULE),
    ("规定", Kind.DEPARTMENT_RULE),
    ("细则", Kind.DEPARTMENT_RULE),
    ("规则", Kind.DEPARTMENT_RULE),
    ("条例", Kind.REGULATION),
    ("法典", Kind.LAW),
    ("法", Kind.LAW),
)
_LOCAL = {Kind.REGULATION: Kind.LOCAL_REGULATION, Kind.DEPARTMENT_RULE: Kind.LOCAL_RULE}


@dataclass(frozen=True, kw_only=True)
class Citation:
    """A legal basis. `number` (文号) may be empty, as laws need none; `article` (条款) may not, where the citation is to count."""

    kind: Kind
    title: str
    number: str = ""
    article: str = ""

    @property
    def qualifies(self) -> bool:
        """Whether it may be the reason for not sharing (L-10): of a kind that counts, and the title does not say otherwise."""
        told = kind_of(self.title)
        return self.kind in QUALIFYING and (told in QUALIFYING or told is Kind.UNKNOWN)

    @property
    def complete(self) -> bool:
        """Whether title and article are both named: the *exact* basis."""
        return bool(self.title.strip()) and bool(self.article.strip())

    def __str__(self) -> str:
        return f"{KIND_TITLES[self.kind]}《{self.title}》{self.number}{self.article}"


def kind_of(title: str) -> Kind:
    """The kind that a text's own title tells. 国务院关于…的决定 is a decision; a place before 条例 or 办法 makes it a local one."""
    if title.startswith("国务院") and title.endswith("决定"):
        return Kind.DECISION
    told = next((kind for ending, kind in _ENDINGS if title.endswith(ending)), Kind.UNKNOWN)
    if told is Kind.DEPARTMENT_RULE and title.startswith("国务院"):
        return Kind.REGULATION
    return _LOCAL.get(told, told) if title.startswith(_places()) else told


def read_citation(text: str) -> Citation:
    """A citation as people write one: 《中华人民共和国个人信息保护法》第二十八条. What has no title in 《》 is of unknown kind."""
    named, article, number = TITLE.search(text), ARTICLE.search(text), NUMBER.search(text)
    title = named[1] if named else text.strip()[:60]
    return Citation(
        kind=kind_of(title) if named else Kind.UNKNOWN,
        title=title,
        number=number[1] if number else "",
        article=article[0] if article else "",
    )


@cache
def _places() -> tuple[str, ...]:
    """Names of provinces, cities and counties; provinces also without their last word (广东, 上海)."""
    names = {region.name for named in load_regions().regions.values() for region in named}
    provinces = {region.name for named in load_regions().regions.values() for region in named if region.level == "province"}
    return tuple(
        sorted(
            {name for name in names if len(name) > 2}
            | {re.sub("(省|市|(壮族|回族|维吾尔)?自治区|特别行政区)$", "", name) for name in provinces}
        )
    )
