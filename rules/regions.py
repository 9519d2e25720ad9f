"""The register of division codes (行政区划代码, GB/T 2260) that were ever valid since 1980, from `regions.csv` (law.md D-05, D-06).

The first six digits of an identity number name the county where the hukou was when the number was assigned. It may be abolished since, and
may have been founded after the person's birth; so the only question that may be asked is whether the code was *ever* a county's, and a
"no" is a note, never a reason to reject a number.

Columns: code; level (province · prefecture · county); name; from_year and to_year, both inclusive, empty where it was so already in 1980 or
still is. A code has a line for each name that it has had. At level `county` stand also the codes that numbers carry without a county below
them: 东莞 441900, 中山 442000, 儋州 460400, 嘉峪关 620200, and 710000, 810000, 820000, 830000. The years come from published tables, which
have holes (440682 南海市 begins there in 1995, in truth in 1992), one more reason not to compare them with a birth year.
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

COUNTY = "county"
LEVELS = ("province", "prefecture", COUNTY)


@dataclass(frozen=True, kw_only=True)
class Region:
    """One name of one code; the years are inclusive, None where open."""

    code: str
    level: str
    name: str
    from_year: int | None
    to_year: int | None


@dataclass(frozen=True, kw_only=True)
class RegionRegister:
    """Every code with its names, the oldest first and what it is called today last."""

    regions: Mapping[str, tuple[Region, ...]]

    def county_codes(self) -> frozenset[str]:
        """The codes with which an identity number may begin."""
        return frozenset(code for code, names in self.regions.items() if names[-1].level == COUNTY)

    def name(self, code: str) -> str | None:
        """The newest name of the code itself (南海区), None for a code never assigned."""
        names = self.regions.get(code)
        return names[-1].name if names else None

    def full_name(self, code: str) -> str | None:
        """With province and prefecture before it (广东省佛山市南海区); a code under neither is named alone."""
        if self.name(code) is None:
            return None
        return "".join(dict.fromkeys(name for c in (f"{code[:2]}0000", f"{code[:4]}00", code) if (name := self._place_name(c))))

    def with_codes(self, codes: Mapping[str, str]) -> "RegionRegister":
        """A register that also knows a test register's county codes (code → name), so that no synthetic number can be a real person's.

        Only codes that were never assigned are taken (law.md §6.2).
        """
        assigned = sorted(set(codes) & set(self.regions))
        assert not assigned, f"a test register may not hold codes that were assigned: {assigned}"
        tests = {c: (Region(code=c, level=COUNTY, name=name, from_year=None, to_year=None),) for c, name in codes.items()}
        return RegionRegister(regions={**self.regions, **tests})

    def _place_name(self, code: str) -> str | None:
        """市辖区 and 县 at the place of a prefecture are headings of the table, no place."""
        name = self.name(code)
        return None if name in ("市辖区", "县", "省直辖县级行政单位", "自治区直辖县级行政单位") else name


@cache
def load_regions() -> RegionRegister:
    names: dict[str, tuple[Region, ...]] = {}
    with (Path(__file__).parent / "regions.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            region = _region(row)
            names[region.code] = (*names.get(region.code, ()), region)
    return RegionRegister(regions={code: tuple(sorted(same, key=lambda region: region.to_year is None)) for code, same in names.items()})


@cache
def county_codes() -> frozenset[str]:
    """The codes that were ever a county's, in the register that ships."""
    return load_regions().county_codes()


def _region(row: Mapping[str, str]) -> Region:
    region = Region(
        code=row["code"], level=row["level"], name=row["name"], from_year=_year(row["from_year"]), to_year=_year(row["to_year"])
    )
    assert re.fullmatch("[1-8][0-9]{5}", region.code), f"regions.csv: {region.code} is no code"
    assert region.level in LEVELS, f"regions.csv: {region.code} has unknown level {region.level}"
    return region


def _year(text: str) -> int | None:
    return int(text) if text else None
