"""Place names at the head of an address: province, city, district, street, community, by list and by the words they end in."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from rules.regions import load_regions

_HAN = "\u4e00-\u9fff"
_CITY = re.compile(rf"[{_HAN}]{{2,8}}?(?:市(?!场|政|民|府|委|桥)|自治州|地区|盟(?=[{_HAN}]+旗))")
_CITY_ALONE = re.compile(rf"[{_HAN}]{{2,3}}市(?!场|政|民|府|委|桥)(?=[{_HAN}]{{1,8}}?(?:区|县|市))")
_DISTRICT = re.compile(
    rf"[{_HAN}]{{1,6}}?(?:(?<![小社园片景街])区(?!域)|自治县|县(?!城|前|道|府)|自治旗)|[{_HAN}]{{2,4}}?市(?!场|政|民|府|委|桥)|[{_HAN}]{{2,6}}?旗(?=[{_HAN}]+[镇乡木])"
)
_STREET = re.compile(
    rf"[{_HAN}]{{1,10}}?(?:街道办事处|街道办|街道|镇(?!政府|[东西南北中]?路|[东西南北中]街)|(?:民族)?乡(?!政府|[东西南北中]?路)|苏木)"
)
_COMMUNITY = re.compile(
    rf"(?P<name>[{_HAN}]{{1,8}}?)(?P<kind>社区居民委员会|社区居委会|社区|居民委员会|居委会|村民委员会|村委会|行政村|村(?![东西南北中一二三四五六七八九十]{{0,2}}(?:路|大道|街|巷)))"
)
_TO_THE_STREET = re.compile(rf"[{_HAN}]{{2,30}}?(?:街道|[{_HAN}]{{2}}镇|[{_HAN}]{{2}}乡)(?!办|政府|[东西南北中]?[路街])(?=[{_HAN}])")
MOST_HEADS = 50_000
LONGEST_NAME = 15
_COMMUNITY_KINDS = {"行政村": "村", "村委会": "村", "村民委员会": "村", "村": "村"}
_GRID = re.compile(r"^(?:第?[\U000f0000-\U000f0010一二三四五六七八九十0-9]+网格)")
_NOT_A_STEM = re.compile(r"[东西南北中一二三四五六七八九十]{0,2}(?:路|大道|街(?!道)|巷|社区|村|广场|花园|新城)")
_CITY_ENDINGS = ("市", "州", "区", "盟")
_STREET_ENDINGS = ("街道办事处", "街道办", "街道", "镇", "乡")


class Area(NamedTuple):
    """Where an address lies, as far as its head says; `renamed` when an abolished name stood there."""

    province: str = ""
    city: str = ""
    district: str = ""
    street: str = ""
    community: str = ""
    renamed: bool = False


@dataclass(frozen=True, kw_only=True)
class Places:
    """The names an address may begin with: the lists of `addresses.yaml`, and the district's own from the area register."""

    provinces: Mapping[str, str]
    cities: Mapping[str, tuple[str, str]]
    districts: Mapping[str, tuple[str, str, str]]
    municipalities: frozenset[str]
    relative: tuple[str, ...]
    remarks: frozenset[str]
    home: tuple[str, str, str] | None = None
    streets: Mapping[str, str] = field(default_factory=dict)
    communities: Mapping[str, str] = field(default_factory=dict)
    _heads: dict[str, tuple[Area, str]] = field(default_factory=dict, repr=False, compare=False)

    def split(self, text: str) -> tuple[Area, str]:
        """The area at the head of a text, and what follows. A higher level that the named one implies is filled in."""
        head = _TO_THE_STREET.match(text)
        if head is None:
            return self._split(text)
        area, left = self._heads.get(head[0]) or self._remember(head[0])
        if left or area.community:
            return self._split(text)
        community, rest = self._community(text[head.end() :].lstrip())
        return area._replace(community=community), _GRID.sub("", rest).lstrip()

    def _remember(self, head: str) -> tuple[Area, str]:
        """Thousands of addresses begin with the same few towns."""
        if len(self._heads) > MOST_HEADS:
            self._heads.clear()
        self._heads[head] = found = self._split(head)
        return found

    def _split(self, text: str) -> tuple[Area, str]:
        province, rest = self._province(text)
        city, rest, old_city = self._city(rest, province)
        home, rest, old_district = self._district(rest, province, city)
        province, city, district = (a or b for a, b in zip(home, (province, city, ""), strict=True))
        street, rest, old_street = self._street(rest, district)
        community, rest = self._community(rest)
        renamed = old_city or old_district or old_street
        return Area(province, city, district, street, community, renamed), _GRID.sub("", rest).lstrip()

    def relative_in(self, text: str) -> bool:
        """Whether a text speaks of a place beside the one it names."""
        return any(word in text for word in self.relative)

    def split_end(self, area: Area, text: str) -> tuple[Area, str]:
        """Place names at the end of a text, smallest first, as in an address written the other way round."""
        rest, found = text, area
        for names, key in ((self.streets, "street"), (self.districts, "district"), (self.cities, "city"), (self.provinces, "province")):
            if name := next(_known_heads(rest, names), None):
                rest, found = rest[len(name) :], _with(found, key, names[name])
        return (found, "") if not rest else (area, text)

    def _province(self, text: str) -> tuple[str, str]:
        for name in _known_heads(text, self.provinces):
            full = self.provinces[name]
            if full == name or self._goes_on(text[len(name) :]):
                return full, text[len(name) :].lstrip()
        return "", text

    def _goes_on(self, rest: str) -> bool:
        """After a short form such as 广东 a city or district must follow, else it is the name of a road."""
        rest = rest.lstrip()
        return any(_known_heads(rest, self.cities)) or any(_known_heads(rest, self.districts)) or bool(_CITY_ALONE.match(rest))

    def _city(self, text: str, province: str) -> tuple[str, str, bool]:
        if province in self.municipalities:
            return "", re.sub(rf"^(?:{province}|市辖[区县]|县)\s*", "", text), False
        for name in _known_heads(text, self.cities):
            if name[-1] in "市州" or self._district_follows(text[len(name) :]):
                return self.cities[name][1], text[len(name) :].lstrip(), name[-1] in "市州" and name != self.cities[name][1]
        if any(name[-1] in "市县区" for name in _known_heads(text, self.districts)):
            return "", text, False
        found = (_CITY if province else _CITY_ALONE).match(text)
        return (found[0], text[found.end() :].lstrip(), False) if found else ("", text, False)

    def _district_follows(self, rest: str) -> bool:
        return any(_known_heads(rest.lstrip(), self.districts))

    def _district(self, text: str, province: str, city: str) -> tuple[tuple[str, str, str], str, bool]:
        text = re.sub(r"^市辖[区县]\s*", "", text)
        province = province or (self.cities[city][0] if city in self.cities else "")
        for name in _known_heads(text, self.districts):
            home = self.districts[name]
            if self._may_be(home, province, city) and self._whole(name, text):
                return home, text[len(name) :].lstrip(), name[-1] in "市县区" and name != home[2]
        found = _DISTRICT.match(text) if city or province else None
        if found:
            return (province, city, found[0]), text[found.end() :].lstrip(), False
        return (province, city, ""), text, False

    def _may_be(self, home: tuple[str, str, str], province: str, city: str) -> bool:
        return province in ("", home[0]) and city in ("", home[1])

    def _whole(self, name: str, text: str) -> bool:
        """A stem such as 南海 stands for the district only before one of its streets; 南海大道 is a road."""
        if name[-1] in "区县市":
            return True
        rest = text[len(name) :].lstrip()
        return any(not _NOT_A_STEM.match(rest[len(street) :]) for street in _known_heads(rest, self.streets))

    def _street(self, text: str, district: str) -> tuple[str, str, bool]:
        if not district or self.home is None or district == self.home[2]:
            for name in _known_heads(text, self.streets):
                if name.endswith(_STREET_ENDINGS) or not _NOT_A_STEM.match(text[len(name) :]):
                    rest = re.sub(r"^(?:街道办事处|街道办|办事处|街道|镇)", "", text[len(name) :]).lstrip()
                    return self.streets[name], rest, name.endswith(_STREET_ENDINGS) and name[:2] != self.streets[name][:2]
        found = _STREET.match(text) if district or text[:1] else None
        if not found:
            return "", text, False
        name = re.sub(r"街道办(?:事处)?$", "街道", found[0])
        return self.streets.get(name, name), re.sub(r"^办事处", "", text[found.end() :]).lstrip(), False

    def _community(self, text: str) -> tuple[str, str]:
        if known := next(_known_heads(text, self.communities), None):
            return known, re.sub(r"^(?:居民委员会|居委会|村?民委员会|村?委会)", "", text[len(known) :]).lstrip()
        found = _COMMUNITY.match(text)
        if not found:
            return "", text
        return found["name"] + _COMMUNITY_KINDS.get(found["kind"], "社区"), text[found.end() :].lstrip()


def _known_heads(text: str, names: Mapping[str, object]) -> Iterator[str]:
    """The names that a text begins with, the longest first."""
    return (text[:n] for n in range(min(len(text), LONGEST_NAME), 1, -1) if text[:n] in names)


def _with(area: Area, key: str, value: Any) -> Area:
    if key == "district":
        return area._replace(province=value[0], city=value[1], district=value[2])
    if key == "city":
        return area._replace(province=value[0], city=value[1])
    return area._replace(**{key: value})


@cache
def national_places() -> Places:
    """Provinces, cities and counties of the register of divisions; a county by its name alone only when no other has it."""
    rows = _rows()
    provinces = [r[-1].name for r in load_regions().regions.values() if r[-1].level == "province"]
    short = {name[:-1]: name for name in provinces if name.endswith("省")}
    return Places(
        provinces={name: name for name in provinces} | short | rows["province_short"],
        cities=_cities(),
        districts=_counties() | {old: _home(code) for old, code in rows["districts_former"].items()},
        municipalities=frozenset(rows["municipalities"]),
        relative=tuple(rows["relative"]),
        remarks=frozenset(rows["remarks"]),
    )


def places_of_district(code: str, name: str, streets: Iterable[str], communities: Mapping[str, str]) -> Places:
    """National names and those of one district: its streets by full name, stem and abolished name; communities with their street."""
    base, names = national_places(), list(streets)
    home = (*_home(code)[:2], name)
    known = {n: n for n in names} | {_stem(n): n for n in names if len(_stem(n)) > 1}
    former = {old: new for old, new in _rows()["streets_former"].get(code[:6], {}).items() if new in names}
    stems = {_stem(old): new for old, new in former.items() if len(_stem(old)) > 1}
    return replace(
        base,
        home=home,
        districts={**base.districts, name: home, name[:-1]: home} if len(name) == 3 else {**base.districts, name: home},
        streets={**stems, **former, **known},
        communities=communities,
        _heads={},
    )


@cache
def _rows() -> Mapping[str, Any]:
    rows: Mapping[str, Any] = yaml.safe_load((Path(__file__).parent / "addresses.yaml").read_text(encoding="utf-8"))
    return rows


def _stem(name: str) -> str:
    return re.sub(r"(?:街道|镇|乡)$", "", name)


def _home(code: str) -> tuple[str, str, str]:
    """Province, city and name of a county's code; no city where there is none between."""
    register = load_regions()
    city = register.name(f"{code[:4]}00") or ""
    return register.name(f"{code[:2]}0000") or "", city if city[-1:] in _CITY_ENDINGS and len(city) > 2 else "", register.name(code) or ""


def _cities() -> dict[str, tuple[str, str]]:
    """Cities by their name of today, older names, and without 市; what is a name of today is nobody's older name."""
    found: dict[str, tuple[str, str]] = {}
    older: dict[str, tuple[str, str]] = {}
    for code, names in load_regions().regions.items():
        if names[-1].level == "prefecture" and names[-1].to_year is None and (home := _home(code))[1]:
            found[names[-1].name] = home[:2]
            older |= {name.name: home[:2] for name in names if len(name.name) > 2}
    full = older | found
    return {name[:-1]: home for name, home in full.items() if name.endswith("市") and len(name) > 2} | full


def _counties() -> dict[str, tuple[str, str, str]]:
    codes: dict[str, list[str]] = {}
    for code, names in load_regions().regions.items():
        if names[-1].level == "county" and names[-1].to_year is None and len(names[-1].name) > 2 and names[-1].name != "市辖区":
            codes.setdefault(names[-1].name, []).append(code)
    return {name: _home(same[0]) for name, same in codes.items() if len(same) == 1 and _home(same[0])[0] != name}
