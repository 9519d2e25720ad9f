"""How long a million rows of ten elements take to standardise on two cores: a mostly distinct, partly dirty table, in two processes."""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from district.addresses import SPELLINGS, draw_homes, draw_villages, spell
from district.areas import STREETS, Areas, lay_out
from district.numbers import phones, with_check
from district.plan import plan
from district.regions import load_regions, places_of
from rules.addresses import AddressBook, AreaRow, RangeRow
from rules.elements import load_elements
from rules.regions import county_codes
from rules.standardise import standardise

RESULTS = Path(__file__).parent / "results" / "standardise.json"
ELEMENTS = ("id_number", "name", "birth_date", "sex", "ethnicity", "phone", "hukou_address", "residence_address", "education", "updated_at")
BATCH, LIMIT_S, PROCESSES = 100_000, 20, 2
TODAY = date(2026, 10, 31)
DIRTY = 0.03
"""Share of numbers, phones and names in another than the common spelling."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One run: `wall_s` from raw Parquet to standard columns, both processes, started before; `cpu_s` their processor time.

    `cpu_s_by_element` is one process alone.
    On a machine that does other work the wall time says little; see the load average and the processor times.
    """

    rows: int
    elements: int
    processes: int
    wall_s: float
    cpu_s: float
    cpu_s_by_element: dict[str, float]
    distinct_share: dict[str, float]
    faulty_cells: int
    load_average_before: float
    cores: int


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=1_000_000)
    asked.add_argument("--results", type=Path, default=RESULTS)
    options = asked.parse_args()
    figures = measure(options.rows)
    print(json.dumps(asdict(figures), indent=1))
    print(f"limit {LIMIT_S} s: {'kept' if figures.wall_s < LIMIT_S else 'MISSED'}")
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(asdict(figures), indent=1) + "\n", encoding="utf-8")


def measure(rows: int) -> Figures:
    areas = lay_out(plan(rows, 1))
    table, book, load = make_table(areas, rows), make_book(areas), os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "raw.parquet"
        pq.write_table(table, path, row_group_size=BATCH)
        groups = range(-(-rows // BATCH))
        with ProcessPoolExecutor(PROCESSES, initializer=_start, initargs=(book, path)) as pool:
            list(pool.map(_ready, groups))
            begun = time.perf_counter()
            done = list(pool.map(_standardise_group, groups))
            wall = time.perf_counter() - begun
    by_element = _by_element(book, path, table)
    return Figures(
        rows=rows,
        elements=len(ELEMENTS),
        processes=PROCESSES,
        wall_s=round(wall, 2),
        cpu_s=round(sum(seconds for _, seconds in done), 2),
        cpu_s_by_element={name: round(seconds, 2) for name, seconds in by_element.items()},
        distinct_share={name: round(pc.count_distinct(table.column(name)).as_py() / rows, 3) for name in ELEMENTS},
        faulty_cells=sum(faulty for faulty, _ in done),
        load_average_before=round(load, 1),
        cores=os.cpu_count() or 0,
    )


_RAW: list[tuple[AddressBook, Path]] = []


def _start(book: AddressBook, path: Path) -> None:
    _RAW[:] = [(book, path)]


def _ready(_: int) -> None:
    """Rule files are read before the clock starts, as in a worker that has done a data set already."""
    for name in ELEMENTS:
        _standardised(name, pa.array(["1"]))


def _standardise_group(group: int) -> tuple[int, float]:
    """The number of faulty cells and the processor time; what a worker of the intake would write stays where it was made."""
    begun = time.process_time()
    batch = pq.ParquetFile(_RAW[0][1]).read_row_group(group).combine_chunks()
    faulty = sum(len(batch) - _standardised(name, batch.column(name)) for name in ELEMENTS)
    return faulty, time.process_time() - begun


def _by_element(book: AddressBook, path: Path, table: pa.Table) -> dict[str, float]:
    """One process alone, element by element, in batches."""
    _start(book, path)
    return {name: sum(_cpu_seconds(name, part) for part in _parts(table.column(name))) for name in ELEMENTS}


def _parts(column: pa.ChunkedArray) -> Iterator[pa.ChunkedArray]:
    return (column.slice(at, BATCH) for at in range(0, len(column), BATCH))


def _standardised(name: str, column: pa.Array | pa.ChunkedArray) -> int:
    regions = county_codes() | {str(region.code) for region in load_regions()}
    return standardise(load_elements()[name], column, areas=_RAW[0][0], today=TODAY, regions=regions).fault.null_count


def _cpu_seconds(name: str, column: pa.Array | pa.ChunkedArray) -> float:
    begun = time.process_time()
    _standardised(name, column)
    return time.process_time() - begun


def make_book(areas: Areas) -> AddressBook:
    """The address book of the district, as the catalogue builds it from the area register."""
    codes, communities = areas.community_code.to_pylist(), areas.community_name.to_pylist()
    grids, streets = areas.grid_code.to_pylist(), [code for code, _, _ in STREETS]
    rows = [AreaRow(code="440605", name="南海区", level="district", parent="")]
    rows += [AreaRow(code=code, name=name, level="street", parent="440605") for code, name, _ in STREETS]
    of_street = zip(codes, communities, areas.community_street, strict=True)
    rows += [AreaRow(code=c, name=n, level="community", parent=streets[s]) for c, n, s in of_street]
    rows += [AreaRow(code=g, name=g, level="grid", parent=codes[c]) for g, c in zip(grids, areas.grid_community, strict=True)]
    return AddressBook(rows, _ranges(areas, grids, streets))


def _ranges(areas: Areas, grids: list[str], streets: list[str]) -> list[RangeRow]:
    in_street = areas.street_of_grid(areas.range_grid)
    columns = (areas.range_road.to_pylist(), areas.range_parity, areas.range_from, areas.range_to, areas.range_estate.to_pylist())
    return [
        RangeRow(
            grid_code=grids[grid],
            street_code=streets[street],
            road=road,
            parity=("all", "odd", "even")[parity],
            from_no=int(first),
            to_no=int(last),
            estate=estate or "",
        )
        for grid, street, road, parity, first, last, estate in zip(areas.range_grid, in_street, *columns, strict=True)
    ]


def make_table(areas: Areas, rows: int) -> pa.Table:
    """Ten columns as a department sends them: its own spellings, most values different from each other, some cells dirty."""
    rng = np.random.default_rng(1)
    birth = rng.integers(-12_000, 20_000, rows)
    codes = np.array([region.code for region in load_regions()])
    numbers = with_check(rng.choice(codes, rows), birth, rng.integers(1, 991, rows))
    days = pa.array(birth.astype("datetime64[D]"))
    seen = pa.array(np.datetime64("2020-01-01T00:00:00") + rng.integers(0, 200_000_000, rows))
    return pa.table(
        {
            "id_number": _spoilt(rng, numbers, lambda text: f"{text[:6]} {text[6:14]} {text[14:].lower()}"),
            "name": _spoilt(rng, _names(rng, rows), lambda text: f"{text}（租客）"),
            "birth_date": pc.strftime(days, "%Y%m%d"),
            "sex": _picked(rng, rows, ["男", "女"]),
            "ethnicity": _picked(rng, rows, ["汉族", "壮族", "01", "满族"]),
            "phone": _spoilt(rng, phones(np.arange(rows)), lambda text: f"+86 {text[:3]}-{text[3:7]}-{text[7:]}"),
            "hukou_address": _addresses(rng, areas, rows, "community_from_district", abroad=0.4),
            "residence_address": _addresses(rng, areas, rows, "from_town", abroad=0.0),
            "education": _picked(rng, rows, ["大学本科", "初中", "20", "高中"]),
            "updated_at": pc.strftime(seen, "%Y-%m-%d %H:%M:%S"),
        }
    )


def _picked(rng: np.random.Generator, rows: int, texts: list[str]) -> pa.Array:
    return pa.array(texts).take(pa.array(rng.integers(len(texts), size=rows)))


def _names(rng: np.random.Generator, rows: int) -> pa.Array:
    surnames = pa.array(list("陈李黄梁张王刘何林吴杨罗周谢邓冯叶潘区麦关霍冼邝简劳庞欧曾苏彭蔡卢"))
    given = pa.array(list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰建国春梅志文嘉欣梓轩浩然子涵宇家豪俊晓"))
    picks = [surnames.take(pa.array(rng.integers(len(surnames), size=rows)))]
    picks += [given.take(pa.array(rng.integers(len(given), size=rows))) for _ in range(2)]
    return pc.binary_join_element_wise(*picks, "")


def _spoilt(rng: np.random.Generator, texts: pa.Array, spoil: Callable[[str], str]) -> pa.Array:
    mask = pa.array(rng.random(len(texts)) < DIRTY)
    return pc.replace_with_mask(texts, mask, pa.array([spoil(text) for text in texts.filter(mask).to_pylist()], pa.string()))


def _addresses(rng: np.random.Generator, areas: Areas, rows: int, spelling: str, *, abroad: float) -> pa.Array:
    outside = round(rows * abroad)
    homes = draw_homes(rng, areas, rng.integers(areas.grids, size=rows - outside))
    villages = draw_villages(rng, rng.choice(places_of("migrant"), outside))
    return spell(areas, homes.followed_by(villages), SPELLINGS[spelling]).take(pa.array(rng.permutation(rows)))


if __name__ == "__main__":
    main()
