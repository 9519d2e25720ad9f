"""Addresses of one block: kept as parts, spelt in the platform's canonical way or in a department's."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from district.areas import DISTRICT_PREFIX, DOORS_OF_A_FLOOR, FLOORS_OF_A_TOWER, STREETS, Areas
from district.regions import load_regions
from district.texts import Numbers, Texts, join, numbered, pick, words

BUILDINGS_OF_AN_ESTATE = 9
_TOWNS = ["石桥", "大塘", "新圩", "龙岗", "双河", "长坪", "三江", "白马", "青云", "永乐", "高田", "沙河", "金竹", "平岭", "和安"]
_VILLAGES = ["大塘", "上坪", "下坪", "黄泥", "石头", "新屋", "老屋", "枫树", "杨柳", "竹山", "水口", "田心", "塘尾", "坳背", "井头", "桥头"]


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """How a department writes an address: what stands before the town, whether the community, which words follow the numbers."""

    prefix: str = DISTRICT_PREFIX
    community: bool = False
    building: str = "栋"
    room: str = "室"


CANONICAL = Spelling()
SPELLINGS = {
    "canonical": CANONICAL,
    "from_city": Spelling(prefix="佛山市南海区"),
    "from_district": Spelling(prefix="南海区", building="幢", room="房"),
    "from_town": Spelling(prefix="", building="座"),
    "with_community": Spelling(community=True),
    "community_from_district": Spelling(prefix="南海区", community=True, building="座", room="房"),
    "towers": Spelling(prefix="佛山市南海区", building="号楼", room="房"),
    "former_city": Spelling(prefix="广东省南海市"),
    "former_county": Spelling(prefix="广东省南海县"),
}


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """One address a row. `place` is an address range, or −1 − region for a home village elsewhere; 0 means no building or room."""

    place: Numbers
    number: Numbers
    building: Numbers
    room: Numbers

    def __len__(self) -> int:
        return len(self.place)

    def followed_by(self, other: "Addresses") -> "Addresses":
        columns = ("place", "number", "building", "room")
        return Addresses(**{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in columns})

    def taken(self, rows: Numbers) -> "Addresses":
        return Addresses(place=self.place[rows], number=self.number[rows], building=self.building[rows], room=self.room[rows])


def draw_homes(rng: np.random.Generator, areas: Areas, grids: Numbers) -> Addresses:
    """A home in each of these grids: six in ten in the estate, the others in houses on the road, the main road or the lane."""
    kind = rng.choice(4, len(grids), p=(0.62, 0.18, 0.08, 0.12))
    place = grids + kind * areas.grids
    first, last, parity = areas.range_from[place], areas.range_to[place], areas.range_parity[place]
    number = rng.integers(first, last + 1)
    number = np.where((parity > 0) & (number % 2 != parity % 2), np.maximum(number - 1, first + (first % 2 != parity % 2)), number)
    tower = kind == 0
    door = rng.integers(1, DOORS_OF_A_FLOOR + 1, len(grids))
    flat = rng.integers(1, FLOORS_OF_A_TOWER + 1, len(grids)) * 100 + door
    walk_up = rng.integers(1, 7, len(grids)) * 100 + door
    return Addresses(
        place=place,
        number=np.where(tower, first, number),
        building=np.where(tower, rng.integers(1, BUILDINGS_OF_AN_ESTATE + 1, len(grids)), 0),
        room=np.where(tower, flat, np.where(rng.random(len(grids)) < 0.45, walk_up, 0)),
    )


def draw_villages(rng: np.random.Generator, regions: Numbers) -> Addresses:
    """A home village under each of these regions of the register; town and village stand in the building and the room."""
    count = len(regions)
    return Addresses(
        place=-1 - regions,
        number=rng.integers(1, 200, count),
        building=rng.integers(0, len(_TOWNS), count),
        room=rng.integers(0, len(_VILLAGES), count),
    )


def grids_of(areas: Areas, addresses: Addresses) -> Numbers:
    """Position of the grid in the register; −1 outside the district."""
    return np.where(addresses.place < 0, -1, areas.range_grid[np.maximum(addresses.place, 0)])


def spell(areas: Areas, addresses: Addresses, spelling: Spelling) -> Texts:
    outside = addresses.place < 0
    inside = np.flatnonzero(~outside)
    texts = pa.concat_arrays(
        [_spell_inside(areas, addresses.taken(inside), spelling), _spell_outside(addresses.taken(np.flatnonzero(outside)))]
    )
    order = np.empty(len(addresses), np.int64)
    order[np.concatenate([inside, np.flatnonzero(outside)])] = np.arange(len(addresses))
    return texts.take(pa.array(order))


def _spell_inside(areas: Areas, addresses: Addresses, spelling: Spelling) -> Texts:
    grids = areas.range_grid[addresses.place]
    town = pick(words([spelling.prefix + name for _, name, _ in STREETS]), areas.street_of_grid(grids))
    community = pick(areas.community_name, areas.grid_community[grids]) if spelling.community else ""
    estate = pc.fill_null(pick(areas.range_estate, addresses.place), "")
    return join(
        town,
        community,
        pick(areas.range_road, addresses.place),
        numbered(addresses.number),
        "号",
        estate,
        _with_word(addresses.building, spelling.building),
        _with_word(addresses.room, spelling.room),
    )


def _with_word(values: Numbers, word: str) -> Texts:
    """ "3栋"; nothing for 0."""
    return pick(words(["", *(f"{n}{word}" for n in range(1, values.max(initial=0) + 1))]), values)


def _spell_outside(addresses: Addresses) -> Texts:
    regions = words([f"{r.province}{r.city}{r.name.removesuffix('（测试）')}" for r in load_regions()])
    return join(
        pick(regions, -1 - addresses.place),
        pick(words([f"{town}镇" for town in _TOWNS]), addresses.building),
        pick(words([f"{village}村" for village in _VILLAGES]), addresses.room),
        numbered(addresses.number),
        "号",
    )
