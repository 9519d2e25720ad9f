"""Codes as they arrive: X-12 sex written in another way, X-14 codes of other tables and labels, X-21 marital status as people tell it."""

from collections.abc import Mapping

import pyarrow as pa

from district.texts import Numbers, Texts, patched, words
from district.views import View

_SEX: Mapping[str, tuple[str, ...]] = {"1": ("男性", "M", "男 "), "2": ("女性", "F", "女 ")}
_OTHER_VERSIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "marital_status": {"10": ("未婚", "单身"), "20": ("19", "已婚"), "22": ("再婚",), "30": ("24", "丧偶"), "40": ("39", "离异")},
    "education": {
        "10": ("研究生",),
        "20": ("本科", "大学"),
        "30": ("大专",),
        "40": ("中专", "职高"),
        "60": ("高中",),
        "70": ("初中",),
        "80": ("小学",),
        "91": ("文盲",),
    },
    "ethnicity": {"01": ("汉", "汉 族", "HA"), "08": ("壮",), "13": ("瑶 族",), "06": ("苗",)},
    "relation_to_head": {"0": ("户主", "02"), "1": ("配偶",), "2": ("儿子",), "3": ("女儿",), "51": ("父亲",), "52": ("母亲",)},
}
_TOLD: Mapping[str, str] = {"10": "20", "20": "10", "22": "20", "30": "20", "40": "20"}


def foreign_codes(view: View, share: float) -> None:
    _respell(view, "X-12", "sex", _SEX, share)


def own_version(view: View, share: float) -> None:
    for element, spellings in _OTHER_VERSIONS.items():
        _respell(view, "X-14", element, spellings, share)


def _respell(view: View, pattern: str, element: str, spellings: Mapping[str, tuple[str, ...]], share: float) -> None:
    if (column := view.spec.column_of(element)) is None:
        return
    rows = view.free_rows(column.name, share)
    texts = view.columns[column.name].take(pa.array(rows)).to_pylist()
    draw = view.rng.integers(12, size=len(rows))
    told = [_one_of(spellings.get(text, ()), n) for text, n in zip(texts, draw, strict=True)]
    view.rewrite(pattern, column.name, rows, words(told))


def _one_of(spellings: tuple[str, ...], draw: int) -> str | None:
    return spellings[draw % len(spellings)] if spellings else None


def status_told(view: View, share: float) -> None:
    """What people say of their marriage at a counter; the form of the department's own table stays."""
    if (column := view.spec.column_of("marital_status")) is None:
        return
    rows = view.free_rows(column.name, share)
    texts = view.columns[column.name].take(pa.array(rows)).to_pylist()
    view.columns[column.name] = _replaced(view, column.name, rows, [_TOLD.get(text, text) for text in texts])
    view.mark("X-21", column.name, rows)


def _replaced(view: View, column: str, rows: Numbers, texts: list[str]) -> Texts:
    return patched(view.columns[column], rows, words(texts))
