"""The forms in which a department writes what it holds: its code tables and words for codes, its date spelling, its empty cells."""

from collections.abc import Mapping
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from district.person_sets import KEY, Column
from district.texts import Numbers, Texts, blanked, matching, patched, respelt, words
from district.views import View
from rules.code_tables import load_code_tables
from rules.elements import load_elements

_SAID: Mapping[str, Mapping[str, str]] = {
    "sex": {"1": "男", "2": "女"},
    "marital_status": {"10": "未婚", "20": "已婚", "22": "再婚", "30": "丧偶", "40": "离婚"},
    "education": {"10": "研究生", "20": "大学本科", "30": "大专", "40": "中专", "60": "高中", "70": "初中", "80": "小学", "91": "文盲"},
    "relation_to_head": {"0": "户主", "1": "配偶", "2": "子", "3": "女", "51": "父亲", "52": "母亲", "98": "非亲属"},
}


def write_in_form(view: View) -> dict[str, Texts]:
    """Columns by header as they stand in the source. Cells that show an error stay as the error left them."""
    return {column.header: _in_form(view, column) for column in view.spec.columns}


def _in_form(view: View, column: Column) -> Texts:
    texts, taken = view.columns[column.name], view.taken[column.name]
    if column.element and (column.codes or column.say) and column.element in load_elements():
        texts = _untouched(texts, taken, _translated(texts, _translation(view, column)))
    if column.dates:
        texts = _untouched(texts, taken | _not_dates(texts), respelt(texts, column.dates))
    if column.missing and column.element != KEY:
        forgotten = ~taken & (view.rng.random(len(view)) < column.missing)
        texts = blanked(texts, np.flatnonzero(forgotten))
    if view.spec.marker and column.element not in (KEY, None):
        texts = pc.fill_null(texts, view.spec.marker)
    return texts


def _untouched(texts: Texts, taken: Numbers, formed: Texts) -> Texts:
    rows = np.flatnonzero(~taken)
    return patched(texts, rows, formed.take(pa.array(rows)))


def _translation(view: View, column: Column) -> Mapping[str, str]:
    """Canonical code → what this department writes."""
    assert column.element is not None
    if column.codes and view.wants("X-12" if column.element == "sex" else "X-14"):
        return own_codes(column.codes)
    if not column.say:
        return {}
    if column.element in _SAID:
        return _SAID[column.element]
    table = load_code_tables()[load_elements()[column.element].code_table or ""]
    return table.labels


@cache
def own_codes(table_key: str) -> Mapping[str, str]:
    """The table's own code for each canonical one; where it has only a wider meaning, that one's."""
    table = load_code_tables()[table_key]
    own: dict[str, str] = {}
    for code in sorted(table.labels):
        if (canonical := table.canonical(code)) is not None:
            own.setdefault(canonical, code)
    target = load_code_tables()[table.target] if table.target else table
    for narrow, wide in target.broader.items():
        if narrow not in own and wide in own:
            own[narrow] = own[wide]
    return own


def _translated(texts: Texts, translation: Mapping[str, str]) -> Texts:
    """Codes without a counterpart are left empty; with no translation at all the codes stand as they are."""
    if not translation:
        return texts
    encoded = texts.dictionary_encode()
    spelt = words([translation.get(code) for code in encoded.dictionary.to_pylist()])
    return spelt.take(encoded.indices)


def _not_dates(texts: Texts) -> Numbers:
    return ~matching(texts, "^[0-9]{4}-[0-9]{2}-[0-9]{2}")
