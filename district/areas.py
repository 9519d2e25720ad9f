"""The area register: district → street → community → grid, with the address ranges that say which grid a house number belongs to.

Towns are those of Nanhai with their codes; communities, roads and estates are made by combination. A grid holds about 250 households and
four ranges: an estate on its own number, houses on a road of the community, one side of a main road, and a village lane.
"""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from district.plan import Plan
from district.texts import Numbers, Texts, words

DISTRICT_CODE, DISTRICT_NAME, DISTRICT_PREFIX = "440605", "南海区", "广东省佛山市南海区"
STREETS = (
    ("440605011", "桂城街道", 5),
    ("440605121", "九江镇", 2),
    ("440605122", "西樵镇", 2),
    ("440605123", "丹灶镇", 2),
    ("440605124", "狮山镇", 6),
    ("440605125", "大沥镇", 5),
    ("440605126", "里水镇", 4),
)
HOUSEHOLDS_PER_GRID = 250
PERSONS_PER_HOUSEHOLD = 2.4
GRIDS_PER_COMMUNITY = 9
NUMBERS_PER_RANGE = 40
FLOORS_OF_A_TOWER, DOORS_OF_A_FLOOR = 18, 6
_WEST, _SOUTH, _WIDTH, _HEIGHT = 112.85, 22.90, 0.36, 0.34

_FIRST = "文海朝永新东富锦桂平华康翠金兴联和盛佳安南宝顺惠德景福民丰育荣百龙凤云星祥瑞仁义礼江北松柏青石沙湖桥万广同利"
_SECOND = "华阳安兴昌宁德明春江景丽秀泰和乐福翔源宏达康盛远胜辉腾山水云苑林园光风"
_ROAD_KINDS = ("路", "大道", "街", "路", "一路", "二路", "西路", "北路")
_ESTATE_FIRST = [
    "天湖",
    "金色",
    "翠堤",
    "怡景",
    "丽雅",
    "保利",
    "万科",
    "中海",
    "桂丹",
    "御景",
    "滨江",
    "玫瑰",
    "阳光",
    "锦绣",
    "龙光",
    "凯旋",
    "香榭",
    "碧云",
    "名汇",
    "盈翠",
    "雅居",
    "翰林",
    "星河",
    "云山",
    "花语",
]
_ESTATE_LAST = [
    "郦都",
    "花园",
    "家园",
    "豪庭",
    "雅苑",
    "名苑",
    "华庭",
    "公馆",
    "半岛",
    "新城",
    "嘉园",
    "尚居",
    "华府",
    "明珠",
    "水岸",
    "名庭",
    "雅轩",
    "广场",
]


@dataclass(frozen=True, kw_only=True)
class Areas:
    """All grids and ranges as columns. A range is `parity` (0 all, 1 odd, 2 even) numbers of a road inside a street, perhaps one estate."""

    community_code: Texts
    community_name: Texts
    community_street: Numbers
    grid_code: Texts
    grid_community: Numbers
    range_grid: Numbers
    range_road: Texts
    range_parity: Numbers
    range_from: Numbers
    range_to: Numbers
    range_estate: Texts

    @property
    def grids(self) -> int:
        return len(self.grid_code)

    def street_of_grid(self, grids: Numbers) -> Numbers:
        return self.community_street[self.grid_community[grids]]


def lay_out(plan: Plan) -> Areas:
    """The register of a district of this size."""
    rng = plan.rng("areas")
    grids = max(28, round(plan.residents / PERSONS_PER_HOUSEHOLD / HOUSEHOLDS_PER_GRID))
    communities = max(len(STREETS) * 2, -(-grids // GRIDS_PER_COMMUNITY))
    street = _streets_of(communities)
    grid_community = np.sort(np.arange(grids) % communities)
    return Areas(
        community_code=_community_codes(street),
        community_name=_community_names(rng, street),
        community_street=street,
        grid_code=_grid_codes(street, grid_community),
        grid_community=grid_community,
        **_ranges(rng, grid_community, street),
    )


def _streets_of(communities: int) -> Numbers:
    weights = np.array([weight for _, _, weight in STREETS], float)
    last = np.round(np.cumsum(weights / weights.sum()) * communities).astype(int)
    return np.searchsorted(last, np.arange(communities), side="right")


def _place_within(groups: Numbers) -> Numbers:
    """Position of each row inside its group; groups stand together."""
    first = np.searchsorted(groups, groups)
    return np.arange(len(groups)) - first


def _community_codes(street: Numbers) -> Texts:
    """D-27: 001–199 residents' committees, 200–399 village committees; every third is a village."""
    place = _place_within(street)
    number = np.where(place % 3 == 2, 200 + place // 3, 1 + place - place // 3)
    return words([f"{STREETS[s][0]}{n:03d}" for s, n in zip(street, number, strict=True)])


def _community_names(rng: np.random.Generator, street: Numbers) -> Texts:
    names = _combinations(rng, len(street))
    kinds = np.where(_place_within(street) % 3 == 2, "村", "社区")
    return words([f"{name}{kind}" for name, kind in zip(names, kinds, strict=True)])


def _grid_codes(street: Numbers, grid_community: Numbers) -> Texts:
    codes = _community_codes(street).to_pylist()
    place = _place_within(grid_community)
    return words([f"{codes[c]}{n + 1:03d}" for c, n in zip(grid_community, place, strict=True)])


def _combinations(rng: np.random.Generator, count: int) -> list[str]:
    """Two-character names, all different as long as there are enough, then numbered on."""
    pairs = [a + b for a in _FIRST for b in _SECOND if a != b]
    order = rng.permutation(len(pairs))
    return [pairs[order[i % len(pairs)]] + "新" * (i // len(pairs)) for i in range(count)]


def _ranges(rng: np.random.Generator, grid_community: Numbers, street: Numbers) -> dict[str, Numbers | Texts]:
    """Four ranges a grid. Numbers of a road run on from grid to grid of its community; the main road's two sides are different grids'."""
    grids, place = len(grid_community), _place_within(grid_community)
    roads = _combinations(rng, 3 * len(street))
    kinds = rng.choice(_ROAD_KINDS, len(street))
    main = words([roads[c] + "大道" for c in range(len(street))])
    side = words([roads[len(street) + c] + kind for c, kind in enumerate(kinds)])
    lane = words([roads[2 * len(street) + c] + "巷" for c in range(len(street))])
    communities = pa.array(grid_community)
    estate = place * NUMBERS_PER_RANGE + 1
    pair = place // 2 * NUMBERS_PER_RANGE
    one = np.ones(grids, np.int64)
    return {
        "range_grid": np.concatenate([np.arange(grids)] * 4),
        "range_road": pa.concat_arrays([side.take(communities), side.take(communities), main.take(communities), lane.take(communities)]),
        "range_parity": np.concatenate([0 * one, 0 * one, np.where(place % 2 == 0, 1, 2), 0 * one]),
        "range_from": np.concatenate([estate, estate + 1, pair + 1, estate]),
        "range_to": np.concatenate([estate, estate + NUMBERS_PER_RANGE - 1, pair + NUMBERS_PER_RANGE, estate + NUMBERS_PER_RANGE - 1]),
        "range_estate": pa.concat_arrays([_estates(rng, grids), pa.nulls(3 * grids, pa.string())]),
    }


def _estates(rng: np.random.Generator, grids: int) -> Texts:
    first, last = rng.integers(len(_ESTATE_FIRST), size=grids), rng.integers(len(_ESTATE_LAST), size=grids)
    return words([_ESTATE_FIRST[a] + _ESTATE_LAST[b] for a, b in zip(first, last, strict=True)])


def write_areas(areas: Areas, folder: Path) -> None:
    """areas.csv, address_ranges.csv and grids.geojson, as the catalogue reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_csv(folder / "areas.csv", ("code", "name", "level", "parent"), _area_rows(areas))
    _write_csv(
        folder / "address_ranges.csv",
        ("grid_code", "street_code", "road", "parity", "from_no", "to_no", "estate"),
        _range_rows(areas),
    )
    (folder / "grids.geojson").write_text(json.dumps(_polygons(areas), ensure_ascii=False), encoding="utf-8")


def _write_csv(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def _area_rows(areas: Areas) -> list[tuple[object, ...]]:
    communities = areas.community_code.to_pylist()
    names = areas.community_name.to_pylist()
    grids = areas.grid_code.to_pylist()
    place = _place_within(areas.grid_community)
    return [
        (DISTRICT_CODE, DISTRICT_NAME, "district", ""),
        *((code, name, "street", DISTRICT_CODE) for code, name, _ in STREETS),
        *((c, n, "community", STREETS[s][0]) for c, n, s in zip(communities, names, areas.community_street, strict=True)),
        *((g, f"{names[c]}第{n + 1}网格", "grid", communities[c]) for g, c, n in zip(grids, areas.grid_community, place, strict=True)),
    ]


def _range_rows(areas: Areas) -> list[tuple[object, ...]]:
    grids = areas.grid_code.to_pylist()
    streets = areas.street_of_grid(areas.range_grid)
    columns = (areas.range_road.to_pylist(), areas.range_parity, areas.range_from, areas.range_to, areas.range_estate.to_pylist())
    return [
        (grids[grid], STREETS[street][0], road, ("all", "odd", "even")[parity], first, last, estate or "")
        for grid, street, road, parity, first, last, estate in zip(areas.range_grid, streets, *columns, strict=True)
    ]


def _polygons(areas: Areas) -> dict[str, object]:
    """Each grid a rectangle; streets side by side from west to east, their grids in rows."""
    codes = areas.grid_code.to_pylist()
    streets = areas.street_of_grid(np.arange(areas.grids))
    place = _place_within(streets)
    return {
        "type": "FeatureCollection",
        "features": [_feature(code, int(s), int(n)) for code, s, n in zip(codes, streets, place, strict=True)],
    }


def _feature(code: str, street: int, place: int) -> dict[str, object]:
    columns, row_height = 8, _HEIGHT / 250
    width = _WIDTH / len(STREETS) / columns
    west = _WEST + street * _WIDTH / len(STREETS) + place % columns * width
    south = _SOUTH + place // columns * row_height
    corners = ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))
    ring = [[round(west + x * width, 6), round(south + y * row_height, 6)] for x, y in corners]
    return {"type": "Feature", "properties": {"code": code}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
