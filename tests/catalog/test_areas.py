"""The area register: loaded as a whole, or not at all."""

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from catalog.areas import AreaCounts, address_book, county_codes, load_areas
from catalog.schema import AreaRow
from catalog.store import Store
from rules.errors import Refused

AREAS = """code,name,level,parent
440605001001001,灯湖社区第1网格,grid,440605001001
440605,南海区,district,
440605001,桂城街道,street,440605
440605001001,灯湖社区,community,440605001
"""
RANGES = """grid_code,street_code,road,parity,from_no,to_no,estate
440605001001001,440605001,南海大道,even,2,98,
440605001001001,440605001,南海大道,odd,1,99,天湖郦都
"""
SQUARE = {"type": "Polygon", "coordinates": [[[113.1, 23.0], [113.2, 23.0], [113.2, 23.1], [113.1, 23.0]]]}


def register_in(folder: Path, *, areas: str = AREAS, ranges: str = RANGES, grid: str = "440605001001001") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "areas.csv").write_text("\ufeff" + areas, encoding="utf-8")
    (folder / "address_ranges.csv").write_text(ranges, encoding="utf-8")
    features = [{"type": "Feature", "properties": {"code": grid}, "geometry": SQUARE}]
    (folder / "grids.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return folder


def load(store: Store, folder: Path) -> AreaCounts:
    with store.session() as session, session.begin():
        return load_areas(session, folder)


def test_a_register_is_loaded_and_loaded_again(store: Store, tmp_path: Path) -> None:
    folder = register_in(tmp_path / "areas")
    assert load(store, folder) == load(store, folder) == AreaCounts(areas=4, grids=1, ranges=2, polygons=1)
    with store.session() as session:
        grid = session.get_one(AreaRow, "440605001001001")
    assert (grid.name, grid.level, grid.parent_code, json.loads(grid.polygon or "")) == ("灯湖社区第1网格", "grid", "440605001001", SQUARE)


def test_the_address_book_knows_the_grids_of_the_register(store: Store, tmp_path: Path) -> None:
    with store.session() as session:
        assert address_book(session) is None
    load(store, register_in(tmp_path / "areas"))
    with store.session() as session:
        book = address_book(session)
    assert book is not None and book.grids == ("440605001001001",)


def test_a_test_register_adds_county_codes_that_were_never_assigned(store: Store, tmp_path: Path) -> None:
    folder = register_in(tmp_path / "areas")
    (folder / "test_regions.csv").write_text("code,name\n440696,南海县（测试）\n", encoding="utf-8")
    load(store, folder)
    with store.session() as session:
        assert {"440605", "440696"} <= county_codes(session)


def test_a_test_register_takes_no_code_of_a_real_county(store: Store, tmp_path: Path) -> None:
    folder = register_in(tmp_path / "areas")
    (folder / "test_regions.csv").write_text("code,name\n440605,南海区\n", encoding="utf-8")
    with pytest.raises(Refused, match="CAT-AREAS"):
        load(store, folder)


FAULTY = {
    "a level unheard of": ({"areas": AREAS.replace("street", "town")}, "areas.csv 第4行 line 4: level"),
    "a district within a district": ({"areas": AREAS.replace("district,", "district,440600")}, "areas.csv 第3行 line 3: parent"),
    "a parent of the wrong level": ({"areas": AREAS.replace("grid,440605001001", "grid,440605001")}, "440605001001001 的上级不对"),
    "a code twice": ({"areas": AREAS + "440605001,另一街道,street,440605\n"}, "440605001 重复"),
    "a missing column": ({"areas": "code,name,level\n"}, "areas.csv: 缺少列 missing columns parent"),
    "numbers that run backwards": ({"ranges": RANGES.replace("2,98", "98,2")}, "address_ranges.csv 第2行 line 2: road"),
    "a number that is none": ({"ranges": RANGES.replace("2,98", "二,98")}, "address_ranges.csv 第2行 line 2: from_no"),
    "a parity unheard of": ({"ranges": RANGES.replace("even", "both")}, "address_ranges.csv 第2行 line 2: parity"),
    "a grid that is not in the register": ({"ranges": RANGES.replace("440605001001001,", "440605001001002,", 1)}, "440605001001002 不在"),
    "a polygon of no area": ({"grid": "440605001001009"}, "grids.geojson: 440605001001009"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_register_is_refused_and_the_former_one_stands(name: str, store: Store, tmp_path: Path) -> None:
    files, message = FAULTY[name]
    load(store, register_in(tmp_path / "good"))
    with pytest.raises(Refused, match="CAT-AREAS") as fault:
        load(store, register_in(tmp_path / "bad", **files))
    assert message in str(fault.value)
    with store.session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AreaRow)) == 4


def test_all_faulty_rows_are_named_up_to_a_limit(store: Store, tmp_path: Path) -> None:
    ranges = RANGES + "440605001001001,440605001,,odd,1,9,\n" * 30
    with pytest.raises(Refused, match=r"line 4: .*line 23: .*\(\+10\)"):
        load(store, register_in(tmp_path / "bad", ranges=ranges))


def test_a_folder_without_a_register_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"areas\.csv: 无法读取.*address_ranges\.csv: 无法读取"):
        load(store, tmp_path)
