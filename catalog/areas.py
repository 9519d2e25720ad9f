"""The area register (区域登记): district → street → community → grid, and which addresses belong to which grid."""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog import schema
from rules.address_book import AreaRow, RangeRow
from rules.addresses import AddressBook
from rules.errors import Refused
from rules.regions import load_regions

LEVELS = ("district", "street", "community", "grid")
PARITIES: Mapping[str, Literal["odd", "even", "all"]] = {"odd": "odd", "even": "even", "all": "all"}
AREAS, RANGES, POLYGONS, TEST_REGIONS = "areas.csv", "address_ranges.csv", "grids.geojson", "test_regions.csv"
FAULTS_SHOWN = 20
Row = TypeVar("Row")
_AREA_FIELDS = ("code", "name", "level", "parent")
_RANGE_FIELDS = ("grid_code", "street_code", "road", "parity", "from_no", "to_no")


@dataclass(frozen=True, kw_only=True)
class AreaCounts:
    """How much a loaded register holds."""

    areas: int
    grids: int
    ranges: int
    polygons: int


@dataclass(frozen=True, kw_only=True)
class AreaRegister:
    """The register as its files hold it. `polygons` are GeoJSON geometries by area code; `test_regions` names by county code."""

    areas: tuple[AreaRow, ...]
    ranges: tuple[RangeRow, ...]
    polygons: Mapping[str, str]
    test_regions: Mapping[str, str]


def load_areas(session: Session, folder: Path) -> AreaCounts:
    """Put the register of a folder in the place of the former one: areas.csv, address_ranges.csv and, where there are any, grids.geojson
    and test_regions.csv (county codes for synthetic numbers; only such as were never assigned).

    Refused CAT-AREAS names every faulty row (the first 20) of all files; then the former register stands.
    """
    register = read_register(Path(folder))
    session.execute(sa.delete(schema.AddressRangeRow))
    session.execute(sa.delete(schema.AreaRow))
    session.execute(sa.delete(schema.TestRegionRow))
    session.add_all(schema.TestRegionRow(code=code, name=name) for code, name in sorted(register.test_regions.items()))
    if rows := [_area_values(area, register.polygons) for area in register.areas]:
        session.execute(sa.insert(schema.AreaRow), rows)
    if rows := [_range_values(found) for found in register.ranges]:
        session.execute(sa.insert(schema.AddressRangeRow), rows)
    grids = sum(area.level == "grid" for area in register.areas)
    return AreaCounts(areas=len(register.areas), grids=grids, ranges=len(register.ranges), polygons=len(register.polygons))


def read_register(folder: Path) -> AreaRegister:
    """The register of a folder, checked as a whole; Refused CAT-AREAS."""
    faults: list[str] = []
    areas = _read_rows(folder / AREAS, _AREA_FIELDS, _area, faults)
    ranges = _read_rows(folder / RANGES, _RANGE_FIELDS, _range, faults)
    polygons = _read_polygons(folder / POLYGONS, faults)
    tests = _read_rows(folder / TEST_REGIONS, ("code", "name"), _test_region, faults) if (folder / TEST_REGIONS).exists() else []
    if not faults:
        faults += _contradictions(areas, ranges, polygons)
    if faults:
        more = f" … (+{len(faults) - FAULTS_SHOWN})" if len(faults) > FAULTS_SHOWN else ""
        raise Refused("CAT-AREAS", where=str(folder), what="; ".join(faults[:FAULTS_SHOWN]) + more)
    by_level = tuple(sorted(areas, key=lambda a: (LEVELS.index(a.level), a.code)))
    return AreaRegister(areas=by_level, ranges=tuple(ranges), polygons=polygons, test_regions=dict(tests))


def address_book(session: Session) -> AddressBook | None:
    """The address book made of the register; None while there is no register."""
    areas = session.scalars(sa.select(schema.AreaRow).order_by(schema.AreaRow.code)).all()
    if not areas:
        return None
    ranges = session.scalars(sa.select(schema.AddressRangeRow).order_by(schema.AddressRangeRow.id)).all()
    return AddressBook(
        [AreaRow(code=a.code, name=a.name, level=a.level, parent=a.parent_code or "") for a in areas],
        [RangeRow(**{name: getattr(r, name) for name in (*_RANGE_FIELDS, "estate")}) for r in ranges],
    )


def county_codes(session: Session) -> frozenset[str]:
    """The codes with which an identity number may begin: those that ship, and the test register's."""
    tests = {row.code: row.name for row in session.scalars(sa.select(schema.TestRegionRow))}
    return load_regions().with_codes(tests).county_codes()


def _read_rows(path: Path, fields: Sequence[str], read: Callable[[Mapping[str, str]], Row], faults: list[str]) -> list[Row]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, restval="")
            missing = [name for name in fields if name not in (reader.fieldnames or ())]
            if missing:
                faults.append(f"{path.name}: 缺少列 missing columns {', '.join(missing)}")
                return []
            return [row for row in (_read_row(path.name, reader.line_num, raw, read, faults) for raw in reader) if row is not None]
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        faults.append(f"{path.name}: 无法读取 cannot be read ({type(fault).__name__})")
        return []


def _read_row(file: str, line: int, raw: Mapping[str, str], read: Callable[[Mapping[str, str]], Row], faults: list[str]) -> Row | None:
    try:
        return read({name: (value or "").strip() for name, value in raw.items() if name is not None})
    except ValueError as fault:
        faults.append(f"{file} 第{line}行 line {line}: {fault}")
        return None


def _area(row: Mapping[str, str]) -> AreaRow:
    if not row["code"] or not row["name"]:
        raise ValueError("code, name")
    if row["level"] not in LEVELS:
        raise ValueError(f"level = {' | '.join(LEVELS)}")
    if bool(row["parent"]) == (row["level"] == "district"):
        raise ValueError("parent")
    return AreaRow(code=row["code"], name=row["name"], level=row["level"], parent=row["parent"])


def _range(row: Mapping[str, str]) -> RangeRow:
    first, last = _number(row["from_no"]), _number(row["to_no"])
    if first > last or not row["road"]:
        raise ValueError("road, from_no ≤ to_no")
    if row["parity"] not in PARITIES:
        raise ValueError(f"parity = {' | '.join(PARITIES)}")
    return RangeRow(
        grid_code=row["grid_code"],
        street_code=row["street_code"],
        road=row["road"],
        parity=PARITIES[row["parity"]],
        from_no=first,
        to_no=last,
        estate=row.get("estate", ""),
    )


def _test_region(row: Mapping[str, str]) -> tuple[str, str]:
    if not re.fullmatch("[1-9][0-9]{5}", row["code"]) or load_regions().name(row["code"]) is not None:
        raise ValueError("code: 6 位且从未分配 6 digits, never assigned")
    return row["code"], row["name"]


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ValueError("from_no, to_no")
    return int(text)


def _read_polygons(path: Path, faults: list[str]) -> dict[str, str]:
    if not path.exists():
        return {}
    try:
        features = json.loads(path.read_text(encoding="utf-8"))["features"]
        return {str(f["properties"]["code"]): json.dumps(f["geometry"], separators=(",", ":")) for f in features}
    except (OSError, ValueError, KeyError, TypeError) as fault:
        faults.append(f"{path.name}: 不是含 code 的 GeoJSON not GeoJSON with codes ({type(fault).__name__})")
        return {}


def _contradictions(areas: Sequence[AreaRow], ranges: Sequence[RangeRow], polygons: Mapping[str, str]) -> list[str]:
    """What is wrong between rows: codes twice, parents and grids that do not exist or are of the wrong level."""
    levels = {area.code: area.level for area in areas}
    repeated = sorted(code for code, times in Counter(a.code for a in areas).items() if times > 1)
    orphans = [a.code for a in areas if a.parent and levels.get(a.parent) != LEVELS[LEVELS.index(a.level) - 1]]
    lost = sorted({r.grid_code for r in ranges if levels.get(r.grid_code) != "grid"})
    lost += sorted({r.street_code for r in ranges if levels.get(r.street_code) != "street"})
    strange = sorted(set(polygons) - set(levels))
    return [
        *(f"{AREAS}: {code} 重复 twice" for code in repeated),
        *(f"{AREAS}: {code} 的上级不对 has no parent of the level above" for code in orphans),
        *(f"{RANGES}: {code} 不在登记册 is not in the register" for code in lost),
        *(f"{POLYGONS}: {code} 不在登记册 is not in the register" for code in strange),
    ]


def _area_values(area: AreaRow, polygons: Mapping[str, str]) -> dict[str, Any]:
    return {
        "code": area.code,
        "name": area.name,
        "level": area.level,
        "parent_code": area.parent or None,
        "polygon": polygons.get(area.code),
    }


def _range_values(found: RangeRow) -> dict[str, Any]:
    return {name: getattr(found, name) for name in (*_RANGE_FIELDS, "estate")}
