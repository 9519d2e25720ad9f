"""Names of enterprises (企业名称): stored as given, compared without the place before them and the legal form behind them.

A branch office (分公司) is an enterprise of its own, with a code of its own: the part of its name that says so is kept apart.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache

import pyarrow as pa

from rules.cells import as_text
from rules.regions import RegionRegister, load_regions

HEAD_OFFICE = "本部"
"""Stands for the branch where a name is not a branch's."""

_NOISE = re.compile(r"[\s()\[\]【】〔〕·・,，.。、\-—_'\"“”]+")
_TRADER_MARK = re.compile(r"[(（]\s*个体工商户\s*[)）]")
_LEGAL_FORM = re.compile(r"(?:有限责任公司|有限公司)")
_BRANCH = re.compile(
    r"(?<=公司)(?P<part>.{0,12}?(?:分公司|分厂|分店|营业部|门市部|经营部|办事处|分部|代表处))$|(?P<short>第?[一二三四五六七八九十]*分[公店厂]司?)$"
)
_SHORTEST = 2
"""What is left of a name when the place is dropped must still be a name."""


def enterprise_name_key(names: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The folded name: without place, legal form, brackets and blanks; of a branch with its part behind it."""
    return _distinct(names, fold_enterprise_name)


def branch_part(names: pa.Array | pa.ChunkedArray) -> pa.Array:
    """What makes the name a branch's (桂城分公司), HEAD_OFFICE where it is not."""
    return _distinct(names, branch_of)


def fold_enterprise_name(name: str) -> str:
    plain = _plain(name)
    return _LEGAL_FORM.sub("", _without_place(plain)) or plain


def branch_of(name: str) -> str:
    found = _BRANCH.search(_plain(name))
    return HEAD_OFFICE if found is None else found["part"] or found["short"]


def _distinct(names: pa.Array | pa.ChunkedArray, rule: Callable[[str], str]) -> pa.Array:
    coded = as_text(names).dictionary_encode()
    return pa.array([rule(name) or None for name in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)


def _plain(name: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", _TRADER_MARK.sub("", name))).upper()


def _without_place(plain: str) -> str:
    """Province, prefecture, county before the name, in full or without 省 市 区 县; a county's short name only behind its prefecture's."""
    province = _longest(plain, _provinces())
    rest = plain[len(province) :]
    city = _longest(rest, frozenset(_cities()))
    rest = rest[len(city) :]
    county = _longest(rest, _cities()[city] if city else _counties())
    left = rest[len(county) :]
    return left if len(left) >= _SHORTEST else plain


def _longest(text: str, places: frozenset[str]) -> str:
    """The longest of the places that the text begins with."""
    return next((text[:n] for n in range(min(len(text), 12), 1, -1) if text[:n] in places), "")


@cache
def _provinces() -> frozenset[str]:
    return frozenset(spelt for code, name in _places() if code.endswith("0000") for spelt in _spellings(name))


@cache
def _counties() -> frozenset[str]:
    return frozenset(name for code, name in _places() if not code.endswith("00"))


@cache
def _cities() -> dict[str, frozenset[str]]:
    """Each spelling of a prefecture, or of a province that is a city, with those of its counties."""
    by_prefix: dict[str, set[str]] = {}
    for code, name in _places():
        if not code.endswith("00"):
            by_prefix.setdefault(code[:4], set()).update(_spellings(name))
    cities: dict[str, frozenset[str]] = {}
    for code, name in _places():
        if code.endswith("00") and not code.endswith("0000"):
            for spelt in _spellings(name):
                cities[spelt] = cities.get(spelt, frozenset()) | frozenset(by_prefix.get(code[:4], ()))
    return cities


def _places() -> Iterator[tuple[str, str]]:
    """Every code with every name that it ever had."""
    register: RegionRegister = load_regions()
    return ((code, region.name) for code, names in register.regions.items() for region in names)


def _spellings(name: str) -> tuple[str, ...]:
    short = re.sub(r"(?:省|市|自治区|特别行政区|区|县)$", "", name)
    return (name, short) if len(short) >= _SHORTEST else (name,)
