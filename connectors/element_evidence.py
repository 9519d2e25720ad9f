"""Which data element a column carries: how near its header comes to the element's, and what its values are. Both must agree."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from connectors.header_likeness import VERBATIM, Context, header_likeness, likenesses, role_of
from connectors.profile import Profile
from connectors.text_shapes import TELLING
from rules.code_tables import load_code_tables
from rules.documents import ACCEPTED
from rules.elements import OTHER, Element, ambiguous_headers, elements_by_header, fold_header, load_elements

LEAST = 0.57
LEAST_FREE = 0.66
LEAST_LISTED = 0.45
"""A column whose best element scores less is left without one: a person decides. Free text needs the nearer header."""

CANDIDATES = 12
LEAST_LIKENESS = 0.4
BESIDE_VERBATIM = 0.75
OTHER_AMONG_PERSONS = 0.85
PERSON_AMONG_OTHERS = 0.55
"""In a table about persons an amount is rather the person's pension than any amount; in one about enterprises the other way round."""

TELLING_LIKENESS = 0.81
TELLING_SHARE = 0.6
MOST_STATES = 12

TEXT_FIT = 0.75
"""What values say of an element of free text: nothing against it."""

FREE_KINDS = frozenset(("text", "household_number"))
ROW_NUMBER = "record_number"


@dataclass(frozen=True, kw_only=True)
class Proposed:
    """An element for a column. `confidence` 0–1; `reasons` without any value; `code_system` where the codes are another table's."""

    element: Element
    confidence: float
    header_likeness: float
    reasons: tuple[str, ...]
    code_system: str | None = None


def candidates(profile: Profile, context: Context) -> list[Proposed]:
    """Elements that the column may carry, the best first. A header of the list is believed before similar ones."""
    near = sorted(_likenesses(profile.header, context), key=lambda found: -found[1])[:CANDIDATES]
    if near and near[0][1] == VERBATIM:
        near = [(element, likeness if likeness == VERBATIM else likeness * BESIDE_VERBATIM) for element, likeness in near]
    near = [found for found in near if found[1] >= LEAST_LIKENESS]
    scored = [_judged(profile, element, likeness, context) for element, likeness in [*near, *_by_values(profile, near, context)]]
    good = [proposed for proposed in scored if proposed.confidence >= _least(proposed)]
    return sorted(good, key=lambda p: (-p.confidence, -p.header_likeness, p.element.key))


def is_listed(header: str) -> bool:
    """Whether the element list holds the header word for word."""
    return fold_header(header) in elements_by_header() or fold_header(header) in ambiguous_headers()


def _least(proposed: Proposed) -> float:
    if proposed.header_likeness == VERBATIM:
        return LEAST_LISTED
    return LEAST_FREE if _is_free(proposed.element) else LEAST


def _is_free(element: Element) -> bool:
    return element.kind in FREE_KINDS or (element.kind == "document_number" and element.key not in ACCEPTED)


@lru_cache(maxsize=4096)
def _likenesses(header: str, context: Context) -> tuple[tuple[Element, float], ...]:
    return tuple(likenesses(header, context))


def _by_values(profile: Profile, near: Sequence[tuple[Element, float]], context: Context) -> Iterator[tuple[Element, float]]:
    """Elements that the header may not suggest but the values do: identity numbers under a header for any document, and the like."""
    elements, known = load_elements(), {element.key for element, _ in near}
    role, listed = role_of(profile.header), near and near[0][1] == VERBATIM
    for key in ("id_number", "phone"):
        if key not in known and profile.kinds[key] > TELLING_SHARE and role in ("", context.subject):
            yield elements[key], header_likeness(profile.header, elements[key], context)
    if role == "clerk" and profile.kinds["name"] > TELLING_SHARE and not listed:
        yield elements["collector_name"], TELLING_LIKENESS
    if context.about_persons or listed or not profile.values:
        return
    telling = next((key for key in TELLING if _telling_share(profile, elements[key]) > TELLING_SHARE), None)
    if telling is not None:
        yield elements[telling], TELLING_LIKENESS
    if re.search(r"(状态|进度)$", profile.header) and profile.distinct <= MOST_STATES:
        yield elements["record_state"], TELLING_LIKENESS
    if profile.shaped("measure_period") == 1.0 and re.search(r"(期|月|月份|年度|年份)$", profile.header):
        yield elements["measure_period"], TELLING_LIKENESS


def _telling_share(profile: Profile, element: Element) -> float:
    shaped = profile.shaped(element.key)
    return profile.kinds["credit_code"] if shaped is None else shaped


def _judged(profile: Profile, element: Element, likeness: float, context: Context) -> Proposed:
    fit, reasons, code_system = _fit(profile, element)
    if likeness == VERBATIM:
        confidence = 1.0 if fit is None else 0.55 + 0.45 * fit
        confidence *= _belonging(element, context) if fold_header(profile.header) in ambiguous_headers() else 1.0
    else:
        confidence = likeness * (0.8 if fit is None else 0.3 + 0.7 * fit) * _belonging(element, context)
        confidence *= 0.0 if element.key == ROW_NUMBER else 1.0
    confidence = min(1.0, confidence + _certainty_of_values(profile, element, likeness, context))
    how = "表头一致 header in the list" if likeness == VERBATIM else f"表头相似 header similarity {likeness:.2f}"
    return Proposed(
        element=element, confidence=round(confidence, 3), header_likeness=likeness, reasons=(how, *reasons), code_system=code_system
    )


def _belonging(element: Element, context: Context) -> float:
    """Whether an element is about what the table is about."""
    if element.describes == "row" or element.kind == "grid_code":
        return 1.0
    if context.about_persons:
        return OTHER_AMONG_PERSONS if element.category == OTHER else 1.0
    return 1.0 if element.category == OTHER else PERSON_AMONG_OTHERS


def _certainty_of_values(profile: Profile, element: Element, likeness: float, context: Context) -> float:
    """Values that can hardly be anything else make up for a header that says little."""
    if element.key == "id_number" and profile.kinds["id_number"] > 0.6 and role_of(profile.header) in ("", context.subject):
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


def _text(profile: Profile, element: Element) -> float:
    shaped = profile.shaped(element.key)
    if shaped is not None:
        return shaped
    strong = max(profile.kinds[kind] for kind in ("id_number", "phone", "address"))
    dates = profile.kinds["date"] if profile.kinds["digits"] < 0.5 else 0.0
    return TEXT_FIT * (1 - 0.6 * (strong > 0.8)) * (1 - 0.5 * (dates > 0.8))


def _moment(profile: Profile, element: Element) -> float:
    share = profile.fit(element)
    return share if profile.kinds["moment"] > 0.5 else share * 0.95


_KIND_FITS: Mapping[str, Callable[[Profile, Element], float]] = {
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
