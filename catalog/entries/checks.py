"""What reviewers check by hand, as rules (law.md C-15, L-01, L-07 to L-10, L-22): every fault of an entry at once, in both languages."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from catalog.entries.content import DATA_TYPES, ITEMS, EntryColumn, EntryContent
from catalog.terms import FORMAT_TYPES, LEVELS, SHARES, UPDATE_FREQUENCIES
from rules.citations import KIND_TITLES, Citation
from rules.classification import load_classification
from rules.code_tables import load_code_tables
from rules.credit_codes import judge_credit_code
from rules.elements import Element, load_elements
from rules.errors import ErrorText, load_error_texts

SYSTEM_ENDINGS = ("系统", "平台", "数据库", "软件", "模块")
TITLE_LENGTH_MAX = 100
TEXT_CHARACTERS_MOST = 2_000
COLUMNS_MOST = 2_000
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
FILE_CLASSES = frozenset({"电子文件", "电子表格", "图形图像", "流媒体"})
MODES_OF_FORMAT: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(FILE_CLASSES, frozenset({"文件下载交换"})),
    "自描述格式": frozenset({"文件下载交换", "信息查询接口", "数据核验接口"}),
    "数据库": frozenset({"批量库表交换", "信息查询接口", "数据核验接口"}),
    "服务接口": frozenset({"信息查询接口", "数据核验接口"}),
}
"""C-15: files are shared as files, databases as tables or through interfaces."""

NEEDED = ("abstract", "formatClass", "formatType", "shareModeClass", "shareMode", "updateFrequency", "grade", "useConditions")
"""L-08 and C-06, C-07, C-09, C-11; name, columns, provider and share attributes are fields of their own."""

ID_NUMBER_CHARACTERS = 18


@dataclass(frozen=True, kw_only=True)
class EntryFault:
    """A fault of an entry: a code of `errors.yaml`, the place (`items.abstract`, `columns.phone.share`), and what was found there."""

    code: str
    place: str
    detail: str = ""

    @property
    def text(self) -> ErrorText:
        return load_error_texts()[self.code]

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.code} {self.place}: {self.text.zh} {self.text.en}{detail}"


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What an entry is checked against: other entries' folded titles in its department, all codes ever given, known departments."""

    titles: Mapping[str, str] = field(default_factory=dict)
    codes: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()


Check = Callable[[EntryContent, Surroundings], Iterator[EntryFault]]


def faults_of(content: EntryContent, around: Surroundings) -> list[EntryFault]:
    """Everything that keeps an entry from being submitted."""
    return [fault for check in CHECKS for fault in check(content, around)]


def unstorable(content: EntryContent) -> list[EntryFault]:
    """What is refused even of a draft: texts too long or with control characters, too many columns."""
    faults = [
        EntryFault(code="ENT-TEXT", place=place, detail=f"{len(text)} 字 characters")
        for place, text in _texts(content)
        if len(text) > TEXT_CHARACTERS_MOST or UNPRINTABLE.search(text)
    ]
    if len(content.columns) > COLUMNS_MOST:
        faults.append(EntryFault(code="ENT-TEXT", place="columns", detail=f"{len(content.columns)} > {COLUMNS_MOST}"))
    return faults


def fold_title(title: str) -> str:
    """A title as it is compared: without punctuation and spaces, width and case folded (C-02)."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", title)).casefold()


def _texts(content: EntryContent) -> Iterator[tuple[str, str]]:
    """Every text of an entry with its place."""
    yield "title", content.title
    for key, value in content.items.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str):
                yield f"items.{key}", text
    for citation, place in ((content.citation, ""), *((c.citation, f"columns.{c.name}.") for c in content.columns)):
        for part in (citation.title, citation.number, citation.article) if citation else ():
            yield f"{place}citation", part
    for column in content.columns:
        for field_name, text in vars(column).items():
            if isinstance(text, str):
                yield f"columns.{column.name}.{field_name}", text


def _check_texts(content: EntryContent, _: Surroundings) -> Iterator[EntryFault]:
    yield from unstorable(content)


def _check_title(content: EntryContent, around: Surroundings) -> Iterator[EntryFault]:
    title = content.title.strip()
    if not title or len(title) > TITLE_LENGTH_MAX:
        yield EntryFault(code="ENT-TITLE", place="title", detail=f"{len(title)} 字 characters")
    if title.endswith(SYSTEM_ENDINGS) or (title and title == content.items.get("systemName")):
        yield EntryFault(code="ENT-TITLE-SYSTEM", place="title", detail=title)
    if (other := around.titles.get(fold_title(title))) is not None:
        yield EntryFault(code="ENT-TITLE-TWICE", place="title", detail=f"{title} = {other}")


def _check_category(content: EntryContent, _: Surroundings) -> Iterator[EntryFault]:
    if not load_classification().accepts(content.category):
        yield EntryFault(code="ENT-CATEGORY", place="category", detail=content.category[:20])


def _check_needed(content: EntryContent, _: Surroundings) -> Iterator[EntryFault]:
    for key in NEEDED:
        if content.items.get(key) in (None, ""):
            yield EntryFault(code="ENT-NEEDED", place=f"items.{key}", detail=f"{ITEMS[key].title} ({ITEMS[key].rule})")


def _check_values(content: EntryContent, _: Surroundings) -> Iterator[EntryFault]:
    """Each item holds what its term accepts; the numbers of the census are numbers (TX-30)."""
    for key, value in content.items.items():
        if key not in ITEMS:
            yield EntryFault(code="ENT-ITEM", place=f"items.{key}")
        elif value not in (None, "") and not ITEMS[key].accepts(value):
            yield EntryFault(code="ENT-VALUE", place=f"items.{key}", detail=f"{ITEMS[key].title}: {ITEMS[key].expected}")


def _check_provider(content: EntryContent, around: Surroundings) -> Iterator[EntryFault]:
    if content.department not in around.departments:
        yield EntryFault(code="ENT-PROVIDER", place="department", detail=content.department)
    code = content.items.get("creditCode")
    if code and judge_credit_code(str(code)).value is None:
        yield EntryFault(code="ENT-CREDIT-CODE", place="items.creditCode", detail=f"{len(str(code))} 位 characters")
    for key in content.items.get("knownTo") or ():
        if key not in around.departments:
            yield EntryFault(code="ENT-DEPARTMENT", place="items.knownTo", detail=key)


def _check_format(content: EntryContent, _: Surroundings) -> Iterator[EntryFault]:
    format_class, format_type, mode = (str(content.items.get(key) or "") for key in ("formatClass", "formatType", "shareMode"))
    known = FORMAT_TYPES.get(format_class, ())
    if known and format_type and format_type.lower() not in {name.lower() for name in known}:
        yield EntryFault(
            code="ENT-FORMAT-TYPE", place="items.formatType", detail=f"{format_class}: {format_type[:40]} ∉ {' | '.join(known)}"
        )
    modes = MODES_OF_FORMAT.get(format_class)
    if modes and mode and mode not in modes:
        yield EntryFault(code="ENT-SHARE-MODE", place="items.shareMode", detail=f"{format_class}: {mode} ∉ {' | '.join(sorted(modes))}")


def _check_share(content: EntryContent, _: Surroundings) -> Iterator[EntryFault]:
    """L-10 of the entry: conditional sharing lists its scope and use; what is not shared says why and by which law."""
    shares = {c.share for c in content.columns}
    if "conditional" in shares:
        for key in ("shareScope", "usePurpose"):
            if not content.items.get(key):
                yield EntryFault(code="ENT-CONDITIONS", place=f"items.{key}", detail=ITEMS[key].title)
    if content.citation is not None or shares == {"none"}:
        yield from _citation_faults(content.citation, str(content.items.get("noShareReason") or ""), "")


def _check_open(content: EntryContent, _: Surroundings) -> Iterator[EntryFault]:
    if content.items.get("open") and not content.items.get("openConditions"):
        yield EntryFault(code="ENT-OPEN", place="items.openConditions")


def _check_secrecy(content: EntryContent, _: Surroundings) -> Iterator[EntryFault]:
    """L-01: the declaration, and no column that is secret; L-07: both assessments before an entry leaves the draft."""
    if content.items.get("notSecret") is not True:
        yield EntryFault(code="ENT-DECLARATION", place="items.notSecret")
    for key in ("secrecyAssessment", "privacyAssessment"):
        if not content.items.get(key):
            yield EntryFault(code="ENT-ASSESSMENT", place=f"items.{key}", detail=ITEMS[key].title)
    for column in content.columns:
        if column.secret:
            yield EntryFault(code="ENT-SECRET", place=f"columns.{column.name}.secret", detail=column.title)


def _check_returned(content: EntryContent, _: Surroundings) -> Iterator[EntryFault]:
    if content.items.get("returned") and content.items.get("areaDistinguishable") is None:
        yield EntryFault(code="ENT-RETURNED", place="items.areaDistinguishable")


def _check_related(content: EntryContent, around: Surroundings) -> Iterator[EntryFault]:
    for code in content.items.get("relatedResources") or ():
        if code not in around.codes:
            yield EntryFault(code="ENT-RELATED", place="items.relatedResources", detail=str(code)[:40])


def _check_columns(content: EntryContent, around: Surroundings) -> Iterator[EntryFault]:
    if not content.columns:
        yield EntryFault(code="ENT-COLUMNS", place="columns")
    for what in ("name", "title"):
        repeated = Counter(getattr(c, what).strip().casefold() for c in content.columns)
        for value in sorted(value for value, times in repeated.items() if value and times > 1):
            yield EntryFault(code="ENT-COLUMN-TWICE", place=f"columns.{value}.{what}", detail=f"×{repeated[value]}")
    for column in content.columns:
        yield from _column_faults(column, content, around)


def _column_faults(column: EntryColumn, content: EntryContent, around: Surroundings) -> Iterator[EntryFault]:
    place = f"columns.{column.name or column.title}"
    if not column.name.strip() or not column.title.strip():
        yield EntryFault(code="ENT-COLUMN-NAME", place=place)
    if column.data_type not in DATA_TYPES:
        told = " | ".join(f"{letter} {title}" for letter, title in DATA_TYPES.items())
        yield EntryFault(code="ENT-COLUMN-TYPE", place=f"{place}.data_type", detail=f"{column.data_type[:10]} ∉ {told}")
    for value, known, where in ((column.share, SHARES, "share"), (column.level, LEVELS, "level")):
        if value not in known:
            yield EntryFault(code="ENT-COLUMN-VALUE", place=f"{place}.{where}", detail=f"{value[:20]} ∉ {' | '.join(known)}")
    if column.update_frequency and column.update_frequency not in UPDATE_FREQUENCIES:
        yield EntryFault(code="ENT-COLUMN-VALUE", place=f"{place}.update_frequency", detail=column.update_frequency[:20])
    if column.department and column.department not in around.departments:
        yield EntryFault(code="ENT-DEPARTMENT", place=f"{place}.department", detail=column.department)
    if column.open and not (column.open_conditions or content.items.get("openConditions")):
        yield EntryFault(code="ENT-OPEN", place=f"{place}.open_conditions")
    yield from _element_faults(column, place)
    yield from _column_share_faults(column, content, place)


def _column_share_faults(column: EntryColumn, content: EntryContent, place: str) -> Iterator[EntryFault]:
    if column.share == "conditional" and not (column.share_conditions or content.items.get("shareConditions")):
        yield EntryFault(code="ENT-CONDITIONS", place=f"{place}.share_conditions", detail=column.title)
    if column.share == "none":
        reason = column.no_share_reason or str(content.items.get("noShareReason") or "")
        if column.citation is not None or content.citation is None:
            yield from _citation_faults(column.citation, reason, f"{place}.")
        elif not reason:
            yield EntryFault(code="ENT-NO-SHARE-REASON", place=f"{place}.no_share_reason")


def _element_faults(column: EntryColumn, place: str) -> Iterator[EntryFault]:
    """The element exists, the column's length can hold it (C-15: code-length sanity)."""
    if column.element is None:
        return
    element = load_elements().get(column.element)
    if element is None:
        yield EntryFault(code="ENT-ELEMENT", place=f"{place}.element", detail=column.element[:40])
    elif column.length is not None and (needed := _characters_needed(element)) > column.length:
        yield EntryFault(code="ENT-COLUMN-LENGTH", place=f"{place}.length", detail=f"{column.length} < {needed}")


def _characters_needed(element: Element) -> int:
    """How many characters a value of the element has at least; 0 where that is open."""
    if element.kind == "id_number":
        return ID_NUMBER_CHARACTERS
    if element.code_table is None:
        return 0
    return max((len(code) for code in load_code_tables()[element.code_table].labels), default=0)


def _citation_faults(citation: Citation | None, reason: str, place: str) -> Iterator[EntryFault]:
    """L-10: reason, and a law, administrative regulation or decision of the State Council with its article."""
    if not reason:
        yield EntryFault(code="ENT-NO-SHARE-REASON", place=f"{place}no_share_reason")
    if citation is None:
        yield EntryFault(code="ENT-LEGAL-BASIS", place=f"{place}citation")
        return
    if not citation.qualifies:
        yield EntryFault(code="ENT-LEGAL-KIND", place=f"{place}citation", detail=f"{KIND_TITLES[citation.kind]}《{citation.title[:60]}》")
    if not citation.complete:
        yield EntryFault(code="ENT-LEGAL-ARTICLE", place=f"{place}citation", detail=citation.title[:60])


CHECKS: tuple[Check, ...] = (
    _check_texts,
    _check_title,
    _check_category,
    _check_needed,
    _check_values,
    _check_provider,
    _check_format,
    _check_share,
    _check_open,
    _check_secrecy,
    _check_returned,
    _check_related,
    _check_columns,
)
