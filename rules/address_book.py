"""The address book of a district: which street a road lies in, and which grid a house number belongs to (D-27, D-44)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rules.address_parts import FIRST_MARK, FLOOR, MOST_MARKS, ROOM, Parts, marks, read, spell
from rules.cells import Matrix
from rules.characters import garbled, recoded
from rules.place_names import Places, national_places, places_of_district

MOST_RECIPES = 400_000
"""Templates remembered before the memory is emptied; about 1 kB each."""

NO_SLOT, FLOOR_SLOT, ROOM_SLOT = -1, 1, 2
_SLOT = re.compile(f"([{chr(FIRST_MARK)}-{chr(FIRST_MARK + MOST_MARKS - 1)}][{FLOOR}{ROOM}]?)")
_HAN = re.compile("[\u3400-\u9fff]")
_STEP = 1 << 20
"""House numbers are below this, so that road and number make one sort key."""


@dataclass(frozen=True, kw_only=True)
class AreaRow:
    """One row of areas.csv."""

    code: str
    name: str
    level: str
    parent: str


@dataclass(frozen=True, kw_only=True)
class RangeRow:
    """One row of address_ranges.csv: the odd, even or all numbers from–to of a road in a street, perhaps of one estate."""

    grid_code: str
    street_code: str
    road: str
    parity: Literal["odd", "even", "all"]
    from_no: int
    to_no: int
    estate: str = ""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the addresses of one template are spelt, and where their grid is found.

    The spelling is `literals` with a run of digits between each two, named by `slots`: its position among the text's runs, plus
    FLOOR_SLOT or ROOM_SLOT times MOST_MARKS. No literals: not an address. `kept`: the text is spelt so already. `road` and `estate` are
    keys of the range tables (-1: none); `number` is the position of the house number (-1: none) or, from -2 down, one written in Chinese.
    """

    literals: tuple[str, ...]
    slots: tuple[int, ...]
    kept: bool
    fault: str | None
    estate: int
    road: int
    number: int


NOT_AN_ADDRESS = Recipe(literals=(), slots=(), kept=False, fault="ADDRESS-MALFORMED", estate=-1, road=-1, number=-1)


class _Ranges:
    """Ranges sorted by (key, first number), once for odd and once for even numbers."""

    def __init__(self, rows: Iterable[tuple[int, RangeRow]], grids: Mapping[str, int]) -> None:
        both = list(rows)
        self._sides = [self._side([r for r in both if r[1].parity in (parity, "all")], grids) for parity in ("even", "odd")]

    def _side(self, rows: list[tuple[int, RangeRow]], grids: Mapping[str, int]) -> tuple[Matrix, Matrix, Matrix]:
        table = np.array(sorted((key * _STEP + r.from_no, key * _STEP + r.to_no, grids[r.grid_code]) for key, r in rows), np.int64).reshape(
            -1, 3
        )
        return table[:, 0], table[:, 1], table[:, 2]

    def find(self, keys: Matrix, numbers: Matrix) -> Matrix:
        """Position of the grid for each key and number; -1 where there is none."""
        found = np.full(len(keys), -1, np.int64)
        for parity, (first, last, grid) in enumerate(self._sides):
            rows = np.flatnonzero((keys >= 0) & (numbers >= 0) & (numbers % 2 == parity))
            if len(first) == 0 or len(rows) == 0:
                continue
            wanted = keys[rows] * _STEP + numbers[rows]
            at = np.searchsorted(first, wanted, side="right") - 1
            hit = (at >= 0) & (wanted <= last[np.maximum(at, 0)])
            found[rows[hit]] = grid[at[hit]]
        return found


class AddressBook:
    """Built from the rows of the area register; made once, it remembers how each template of an address is read."""

    def __init__(self, areas: Iterable[AreaRow] = (), ranges: Iterable[RangeRow] = ()) -> None:
        self._areas, self._range_rows = tuple(areas), tuple(ranges)
        self.grids = tuple(sorted({a.code for a in self._areas if a.level == "grid"} | {r.grid_code for r in self._range_rows}))
        self.grid_codes = frozenset(self.grids)
        self._street_codes = {a.name: a.code for a in self._areas if a.level == "street"}
        self._street_names = {code: name for name, code in self._street_codes.items()}
        self._community_streets = {a.name: a.parent for a in self._areas if a.level == "community"}
        self.places = self._places()
        self._index_ranges()
        self._recipes: dict[str, Recipe] = {}

    def __reduce__(self) -> tuple[type["AddressBook"], tuple[tuple[AreaRow, ...], tuple[RangeRow, ...]]]:
        return type(self), (self._areas, self._range_rows)

    def recipe(self, template: str) -> Recipe:
        """How addresses of this template (each run of digits a `0`) are read."""
        if template not in self._recipes:
            if len(self._recipes) >= MOST_RECIPES:
                self._recipes.clear()
            self._recipes[template] = self._make_recipe(template)
        return self._recipes[template]

    def road_in(self, text: str) -> str:
        """The longest road of the register at the beginning or the end of a text; empty when there is none."""
        for length in range(min(len(text), self._longest_road), 1, -1):
            if text[:length] in self._roads:
                return text[:length]
            if text[-length:] in self._roads:
                return text[-length:]
        return ""

    def find_grids(self, estates: Matrix, roads: Matrix, numbers: Matrix) -> Matrix:
        """Positions in `grids`: by estate, road and number first, then by road and number; -1 where the register has none."""
        found = self._of_estates.find(estates, numbers)
        for table in (self._of_roads, self._of_any):
            found = np.where(found < 0, table.find(roads, numbers), found)
        return found

    def _places(self) -> Places:
        district = next((a for a in self._areas if a.level == "district"), None)
        if district is None:
            return national_places()
        return places_of_district(district.code, district.name, self._street_codes, self._community_streets)

    def _index_ranges(self) -> None:
        grids = {code: i for i, code in enumerate(self.grids)}
        self._road_keys = {key: i for i, key in enumerate(dict.fromkeys((r.street_code, r.road) for r in self._range_rows))}
        self._estate_keys = {
            key: i for i, key in enumerate(dict.fromkeys((r.street_code, r.road, r.estate) for r in self._range_rows if r.estate))
        }
        self._of_estates = _Ranges(((self._estate_keys[r.street_code, r.road, r.estate], r) for r in self._range_rows if r.estate), grids)
        self._of_roads = _Ranges(((self._road_keys[r.street_code, r.road], r) for r in self._range_rows if not r.estate), grids)
        self._of_any = _Ranges(((self._road_keys[r.street_code, r.road], r) for r in self._range_rows), grids)
        self._roads: dict[str, set[str]] = {}
        self._estates: dict[str, set[tuple[str, str, int]]] = {}
        for row in self._range_rows:
            self._roads.setdefault(row.road, set()).add(row.street_code)
            if row.estate and row.from_no == row.to_no:
                self._estates.setdefault(row.estate, set()).add((row.street_code, row.road, row.from_no))
        self._longest_road = max(map(len, self._roads), default=0)

    def _make_recipe(self, template: str) -> Recipe:
        if restored := recoded(template):
            return replace(self._make_recipe(restored), kept=False, fault="ADDRESS-RECODED")
        if garbled(template):
            return replace(NOT_AN_ADDRESS, fault="ADDRESS-GARBLED")
        marked = marks(template)
        parts = self._completed(read(marked, self.places, self))
        spelling = spell(parts)
        if not _HAN.search(spelling) or template.count("0") >= MOST_MARKS:
            return NOT_AN_ADDRESS
        literals, slots = ((), ()) if parts.fault == "ADDRESS-RELATIVE" else _pieces(spelling)
        street = self._street_codes.get(parts.street, "")
        return Recipe(
            literals=literals,
            slots=slots,
            kept=spelling == marked and bool(literals),
            fault=parts.fault or (None if parts.number or parts.estate or parts.building or parts.room else "ADDRESS-COARSE"),
            estate=self._estate_keys.get((street, parts.road, parts.estate), -1),
            road=self._road_keys.get((street, parts.road), -1),
            number=_number_of(parts.number),
        )

    def _completed(self, parts: Parts) -> Parts:
        """Upper levels that a road, community or estate of the register implies; nothing for addresses outside the district."""
        home = self.places.home
        if home is None or parts.district not in ("", home[2]) or parts.city not in ("", home[1]) or parts.province not in ("", home[0]):
            return parts
        parts = self._with_road_of_estate(parts)
        street = parts.street or self._street_names.get(self._implied_street(parts), "")
        if (
            street in self._street_codes
            and parts.road in self._roads
            and self._street_codes[street] in self._roads[parts.road]
            and parts.number
        ):
            parts = parts._replace(community="")
        if not (parts.district or street in self._street_codes):
            return parts
        return parts._replace(province=home[0], city=home[1], district=home[2], street=street)

    def _implied_street(self, parts: Parts) -> str:
        of_road = self._roads.get(parts.road, set())
        return next(iter(of_road)) if len(of_road) == 1 else self._community_streets.get(parts.community, "")

    def _with_road_of_estate(self, parts: Parts) -> Parts:
        if parts.road or parts.number or parts.estate not in self._estates:
            return parts
        street = self._street_codes.get(parts.street) or self._community_streets.get(parts.community)
        found = [entry for entry in self._estates[parts.estate] if street in (None, entry[0])]
        if len(found) != 1:
            return parts
        code, road, number = found[0]
        return parts._replace(street=self._street_names.get(code, parts.street), road=road, number=str(number))


def _pieces(spelling: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The literal texts of a spelling and the slots between them."""
    pieces = _SLOT.split(spelling)
    return tuple(pieces[::2]), tuple(_slot(piece) for piece in pieces[1::2])


def _slot(piece: str) -> int:
    kind = 0 if len(piece) == 1 else FLOOR_SLOT if piece[1] == FLOOR else ROOM_SLOT
    return ord(piece[0]) - FIRST_MARK + kind * MOST_MARKS


def _number_of(number: str) -> int:
    """The house number's slot, or -2 and down for one written in Chinese; what stands below it (12号之3) has no grid of its own."""
    first = number.partition("-")[0].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    if not first:
        return -1
    return ord(first[0]) - FIRST_MARK if ord(first[0]) >= FIRST_MARK else -2 - int("".join(c for c in first[:6] if c in "0123456789") or 0)
