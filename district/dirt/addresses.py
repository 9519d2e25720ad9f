"""X-15: addresses told loosely: former names, other words for building and room, Chinese numerals, a community in between, neighbours."""

from collections.abc import Callable

import pyarrow as pa

from district.dirt.numbers import rewritten
from district.texts import Numbers, pick
from district.views import View

_NUMERALS = str.maketrans("0123456789", "〇一二三四五六七八九")
_SPELLINGS = ("former_city", "former_county", "with_community", "towers", "from_town", "from_district")


def told_loosely(view: View, share: float) -> None:
    """Half in another spelling of the same address, half in words that have to be understood."""
    for column in (c for c in view.spec.columns if c.spelling):
        rows = view.free_rows(column.name, share / 2, ~view.copied[column.name])
        _respell(view, column.name, column.timeline, rows)
        rows = view.free_rows(column.name, share / 2)
        texts = view.columns[column.name].take(pa.array(rows)).to_pylist()
        view.rewrite("X-15", column.name, rows, rewritten(view.rng, texts, _WAYS))


def _respell(view: View, column: str, timeline: str, rows: Numbers) -> None:
    codes = view.residents.timelines[timeline].codes(view.who[rows], view.observed[rows])
    way = view.rng.integers(len(_SPELLINGS), size=len(rows))
    for number, spelling in enumerate(_SPELLINGS):
        mine = way == number
        view.rewrite("X-15", column, rows[mine], pick(view.scene.addresses(spelling), codes[mine]))


def _numerals(text: str) -> str:
    """House, building and room in Chinese digits: 十二号 as 一二号, as clerks do."""
    return text.translate(_NUMERALS)


def _order_changed(text: str) -> str:
    """Estate and flat first, the road behind it in brackets."""
    place = text.find("号")
    town = max(text.find("街道") + 2, text.find("镇") + 1)
    if place < 0 or town <= 1 or place + 1 >= len(text):
        return text
    return f"{text[:town]}{text[place + 1 :]}（{text[town : place + 1]}）"


_WAYS: tuple[Callable[[str], str], ...] = (
    _numerals,
    _order_changed,
    lambda text: text.replace("栋", "-").replace("室", "") if "栋" in text else text + "楼下",
    lambda text: f"{text}隔壁",
    lambda text: f"{text}（房东家）",
    lambda text: text.split("号")[0] + "号公司宿舍",
    lambda text: text.replace("号", "號").replace("栋", "幢"),
    lambda text: "　".join((text[:6], text[6:])),
    lambda text: text.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
)
