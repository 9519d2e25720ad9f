"""What the values of a column are, judged by the same rules that will standardise them: shares of a sample, never the values."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import pyarrow as pa

from connectors.text_shapes import SHAPES
from rules.code_tables import CodeTable, load_code_tables
from rules.elements import Element, load_elements
from rules.faults import load_faults
from rules.missing import missing_words
from rules.names import surname_of
from rules.standardise import standardise

MOST_VALUES = 500
MOST_CODES = 200
"""A column with more distinct values than this is no column of codes."""

_MISFITS = frozenset(("ID-DOCUMENT", "DOCUMENT-SHAPE", "NAME-NOTE"))
"""Notes that say: the value stands, but it is of another kind than the column."""

_HAN_NAME = re.compile(
    r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff?□〓\ue000-\uf8ff][\u3400-\u9fff·•．.\s\u3000?□〓\ue000-\uf8ff\U00020000-\U0003ffff]{1,14}"
)
_LATIN_NAME = re.compile(r"[A-Za-z][A-Za-z'.-]+([ ,·]+[A-Za-z'.-]+){1,4}")
_ADDRESS = re.compile(
    r".*(省|市|区|县|镇|街道|乡|社区|村).*(路|街|道|巷|村|组|队|号|栋|幢|座|室|房|苑|园|楼).*|.*(路|大道|街|巷|里).*\d+号.*"
)
_COMMON_SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏傅方邹熊白孟秦邱侯江尹薛闫阎雷龙"
    "史陶贺毛段郝顾龚邵覃武钱戴严莫孔向常汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岑麦区欧关霍招冼老劳陀简甘祝凌丘骆黎古植容盘宁纪舒屈项翁蓝包左"
)
"""Enough to tell a column of persons' names from one of words: nine residents in ten bear one of them."""

_MOMENT = re.compile(r".*\d{1,2}[:：时]\d{1,2}.*|\d{14}")
_DIGITS = re.compile(r"[0-9０-９]+")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A sample of a column. `values`: distinct, trimmed, not missing (at most MOST_VALUES); `rows`, `filled` of the sample."""

    header: str
    rows: int
    filled: int
    distinct: int
    values: tuple[str, ...]

    @property
    def unique(self) -> bool:
        """Filled in every row, and nothing twice."""
        return self.rows > 0 and self.distinct == self.filled == self.rows

    @cached_property
    def kinds(self) -> Mapping[str, float]:
        """Share of the values that are of each kind which can be told by looking."""
        elements = load_elements()
        by_rule = {kind: self.fit(elements[key]) for kind, key in _REPRESENTATIVES.items()}
        return {
            **by_rule,
            "name": _share(self.values, _is_name),
            "address": _share(self.values, lambda v: bool(_ADDRESS.fullmatch(v))),
            "moment": _share(self.values, lambda v: bool(_MOMENT.fullmatch(v))),
            "digits": _share(self.values, lambda v: bool(_DIGITS.fullmatch(v))),
        }

    def fit(self, element: Element, code_system: str | None = None) -> float:
        """Share of the values that the element's own rule accepts."""
        if not self.values:
            return 0.0
        rule = element.key if element.kind in ("document_number", "code") else element.kind
        if (rule, code_system) not in self._fits:
            self._fits[rule, code_system] = self._accepted(element, code_system)
        return self._fits[rule, code_system]

    def _accepted(self, element: Element, code_system: str | None) -> float:
        faults = standardise(element, pa.array(self.values, pa.string()), code_system=code_system).fault.to_pylist()
        known = load_faults()
        return sum(1 for code in faults if code is None or (known[code].severity == "note" and code not in _MISFITS)) / len(faults)

    def shaped(self, element: str) -> float | None:
        """Share of the values that have the shape of an element of free text; None when it has none of its own."""
        shape = SHAPES.get(element)
        return _share(self.values, lambda v: bool(shape.fullmatch(v))) if shape else None

    @cached_property
    def code_tables(self) -> Mapping[str, float]:
        """Share of the values that each code table holds, of tables that hold more than half; labels say more than digits."""
        if not self.values or self.distinct > MOST_CODES:
            return {}
        shares = {key: _share(self.values, partial(_held_by, table)) for key, table in load_code_tables().items()}
        return {key: share for key, share in shares.items() if share > 0.5}

    @cached_property
    def _fits(self) -> dict[tuple[str, str | None], float]:
        return {}

    @property
    def has_labels(self) -> bool:
        """Whether the values are words rather than code digits."""
        return _share(self.values, lambda v: bool(re.search(r"[\u4e00-\u9fff]", v))) > 0.8


def profile(header: str, cells: Sequence[str | None]) -> Profile:
    """The profile of a sampled column."""
    words = missing_words(zero_is_value=True) | {""}
    trimmed = [(cell or "").strip().lstrip("'`").strip() for cell in cells]
    values = [cell for cell in trimmed if cell not in words]
    distinct = dict.fromkeys(values)
    return Profile(header=header, rows=len(cells), filled=len(values), distinct=len(distinct), values=tuple(distinct)[:MOST_VALUES])


_REPRESENTATIVES: Mapping[str, str] = {
    "id_number": "id_number",
    "credit_code": "credit_code",
    "phone": "phone",
    "date": "birth_date",
    "number": "quantity",
    "grid_code": "grid_code",
}


def _is_name(value: str) -> bool:
    if _LATIN_NAME.fullmatch(value):
        return True
    plain = re.sub(r"\s+|[（(].*[)）]|\d+$", "", value)
    if not _HAN_NAME.fullmatch(plain):
        return False
    dotted = bool(re.search(r"[·•]", plain))
    return dotted or (len(plain) <= 4 and (surname_of(plain) in _COMMON_SURNAMES or len(surname_of(plain)) == 2))


def _held_by(table: CodeTable, value: str) -> bool:
    return table.code_of(value) is not None


def _share(values: Sequence[str], holds: Callable[[str], bool]) -> float:
    return sum(1 for value in values if holds(value)) / len(values) if values else 0.0
