"""Tables that are not about persons: enterprises, houses, vehicles, events … of all departments, from the shapes of `things.yaml`."""

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from district.addresses import SPELLINGS, draw_homes, spell
from district.areas import DISTRICT_CODE, STREETS, Areas
from district.enterprises import enterprise_count, enterprise_credit_codes, enterprise_names, registration_numbers
from district.names import pools
from district.person_sets import KEY, Column, Form
from district.plan import Plan
from district.texts import Numbers, Texts, blanked, dates, join, numbered, patched, pick, words
from district.yaml_files import read_yaml

FORMS = (
    Form(format="csv"),
    Form(format="csv", encoding="gb18030"),
    Form(format="xlsx"),
    Form(format="csv", encoding="utf-8-sig", delimiter=";"),
    Form(format="parquet"),
    Form(format="csv", delimiter="\t"),
    Form(format="json"),
    Form(format="xlsx", title_lines=1),
)
_YEARS = tuple(range(2025, 2010, -1))
_BLANK_SHARE, _MARKED_SHARE = 0.02, 0.01


@dataclass(frozen=True, kw_only=True)
class Thing:
    """One table: its columns with the maker of each, and how many rows."""

    key: str
    department: str
    title: str
    rows: int
    columns: tuple[Column, ...]
    makers: tuple[tuple[str, Mapping[str, Any]], ...]
    form: Form

    @property
    def file_name(self) -> str:
        return f"sources/{self.department}/{self.key}"


@dataclass(frozen=True, kw_only=True)
class Making:
    """What the makers of one table's columns share: its rows are about these enterprises and stand at these homes."""

    plan: Plan
    areas: Areas
    thing: Thing
    rng: np.random.Generator
    enterprises: Numbers
    grids: Numbers

    @property
    def rows(self) -> int:
        return len(self.enterprises)


def things(plan: Plan, departments: list[str], wanted: int) -> list[Thing]:
    """So many tables, dealt to the departments in turn; when all their subjects are used, again per town, then per year."""
    turns = _titles_in_turn([key for key in departments if key in _document()["departments"]])
    return [_thing(plan, number, *next(turns)) for number in range(wanted)]


def departments_with_things() -> tuple[str, ...]:
    return tuple(_document()["departments"])


def _titles_in_turn(departments: list[str]) -> Iterator[tuple[str, str, str]]:
    """Department, shape and title: every department's first table, then every second …, then repetitions."""
    subjects = [(department, *line.split(" ", 1)) for department in departments for line in _document()["departments"][department]]
    place = [sum(1 for other in subjects[:n] if other[0] == subject[0]) for n, subject in enumerate(subjects)]
    ordered = [subjects[n] for n in sorted(range(len(subjects)), key=lambda n: (place[n], n))]
    yield from ordered
    for repetition in count():
        town = STREETS[repetition % len(STREETS)][1]
        year = _YEARS[repetition // len(STREETS) % len(_YEARS)]
        yield from ((department, shape, f"{title}（{town}{year}年）") for department, shape, title in ordered)


def _thing(plan: Plan, number: int, department: str, shape: str, title: str) -> Thing:
    row = _document()["shapes"][shape]
    seed = zlib.crc32(f"{department} {title}".encode())
    columns = tuple(_column(entry, seed) for entry in row["columns"])
    makers = tuple((entry[3], dict(entry[4]) if len(entry) > 4 else {}) for entry in row["columns"])
    most = enterprise_count(plan) if columns[0].element == "credit_code" else row["rows"]
    return Thing(
        key=f"{department}_{shape}_{number + 1:04d}",
        department=department,
        title=title,
        rows=min(most, row["rows"] // 2 + seed % row["rows"]),
        columns=columns,
        makers=makers,
        form=FORMS[seed % len(FORMS)],
    )


def _column(entry: list[Any], seed: int) -> Column:
    name, headers, element = entry[:3]
    choices = headers.split("|")
    primary = len(entry) > 4 and bool(entry[4].get("primary"))
    return Column(name=name, header=choices[seed % len(choices)], element=element, primary=primary)


def make(plan: Plan, areas: Areas, thing: Thing) -> dict[str, Texts]:
    """The table's columns by header."""
    rng = plan.rng("thing", thing.key)
    subjects = rng.permutation(enterprise_count(plan))[: thing.rows]
    making = Making(
        plan=plan,
        areas=areas,
        thing=thing,
        rng=rng,
        enterprises=np.resize(subjects, thing.rows),
        grids=rng.integers(areas.grids, size=thing.rows),
    )
    made = [MAKERS[maker](making, options) for maker, options in thing.makers]
    spoilt = [_with_gaps(making, c, texts, o) for c, texts, (_, o) in zip(thing.columns, made, thing.makers, strict=True)]
    return {column.header: texts for column, texts in zip(thing.columns, spoilt, strict=True)}


def _with_gaps(making: Making, column: Column, texts: Texts, options: Mapping[str, Any]) -> Texts:
    """Some cells are empty, some hold a word for nothing (X-20); keys never are."""
    if column.element == KEY or column.primary:
        return texts
    draw = making.rng.random(making.rows)
    texts = blanked(texts, np.flatnonzero(draw < max(_BLANK_SHARE, 1 - options.get("share", 1.0))))
    if "X-20" not in making.plan.patterns:
        return texts
    rows = np.flatnonzero(draw > 1 - _MARKED_SHARE)
    return patched(texts, rows, pick(words(["无", "——", "NULL", "-"]), making.rng.integers(4, size=len(rows))))


@cache
def _document() -> Mapping[str, Any]:
    return read_yaml(Path(__file__).parent / "things.yaml")


Maker = Callable[[Making, Mapping[str, Any]], Texts]


def _choice(making: Making, options: Mapping[str, Any]) -> Texts:
    return pick(words(options["of"]), making.rng.integers(len(options["of"]), size=making.rows))


def _serial(making: Making, options: Mapping[str, Any]) -> Texts:
    return join(options["prefix"], numbered(20_000_000 + making.rng.permutation(making.rows * 3)[: making.rows], 8))


def _enterprise_name(making: Making, options: Mapping[str, Any]) -> Texts:
    """Every department spells a few of them its own way: with less of the place before it."""
    names = enterprise_names(making.plan).take(pa.array(making.enterprises))
    place = ("佛山", "南海", "佛山市", "广东佛山南海")[len(making.thing.key) % 4]
    rows = np.flatnonzero(making.rng.random(making.rows) < 0.1)
    return patched(names, rows, pc.replace_substring(names.take(pa.array(rows)), "佛山市南海区", place))


def _credit_code(making: Making, options: Mapping[str, Any]) -> Texts:
    return enterprise_credit_codes(making.plan).take(pa.array(making.enterprises))


def _registration_number(making: Making, options: Mapping[str, Any]) -> Texts:
    return registration_numbers(making.enterprises)


def _person(making: Making, options: Mapping[str, Any]) -> Texts:
    surnames, given = list(pools()["surnames"]), pools()["given"][2]["male"].replace(" ", "")
    first = pick(words(surnames), making.rng.integers(len(surnames), size=making.rows))
    return join(first, pick(words(list(given)), making.rng.integers(len(given), size=making.rows)))


def _address(making: Making, options: Mapping[str, Any]) -> Texts:
    spelling = sorted(SPELLINGS)[zlib.crc32(making.thing.department.encode()) % len(SPELLINGS)]
    return spell(making.areas, draw_homes(making.rng, making.areas, making.grids), SPELLINGS[spelling])


def _money(making: Making, options: Mapping[str, Any]) -> Texts:
    fen = (making.rng.random(making.rows) ** 3 * options["most"] * 100).astype(int)
    return join(numbered(fen // 100), ".", numbered(fen % 100, 2))


def _number(making: Making, options: Mapping[str, Any]) -> Texts:
    value = 1 + (making.rng.random(making.rows) * options["most"] * 10).astype(int)
    return numbered(1 + value // 10) if options.get("whole") else join(numbered(value // 10), ".", numbered(value % 10))


def _days(making: Making, years: float) -> Numbers:
    return making.plan.day - 3 - (making.rng.random(making.rows) * years * 365).astype(int)


def _day(making: Making, options: Mapping[str, Any]) -> Texts:
    return dates(_days(making, 9), ("%Y-%m-%d", "%Y%m%d", "%Y/%m/%d")[len(making.thing.key) % 3])


def _later_day(making: Making, options: Mapping[str, Any]) -> Texts:
    return dates(making.plan.day + 30 + (making.rng.random(making.rows) * 1500).astype(int))


def _moment(making: Making, options: Mapping[str, Any]) -> Texts:
    minutes = making.rng.integers(480, 1080, making.rows)
    return join(dates(_days(making, 1.5)), " ", numbered(minutes // 60, 2), ":", numbered(minutes % 60, 2), ":00")


def _month(making: Making, options: Mapping[str, Any]) -> Texts:
    return dates(_days(making, 3), "%Y-%m")


def _town(making: Making, options: Mapping[str, Any]) -> Texts:
    return pick(words([name for _, name, _ in STREETS]), making.areas.street_of_grid(making.grids))


def _community(making: Making, options: Mapping[str, Any]) -> Texts:
    return pick(making.areas.community_name, making.areas.grid_community[making.grids])


def _grid(making: Making, options: Mapping[str, Any]) -> Texts:
    return pick(making.areas.grid_code, making.grids)


def _coordinate(west: float, width: float) -> Maker:
    def make_coordinates(making: Making, options: Mapping[str, Any]) -> Texts:
        millionths = ((west + width * making.rng.random(making.rows)) * 1e6).astype(int)
        return join(numbered(millionths // 10**6), ".", numbered(millionths % 10**6, 6))

    return make_coordinates


def _plate(making: Making, options: Mapping[str, Any]) -> Texts:
    """粤Y is Foshan's; a letter O, which plates never bear, keeps them from being anybody's."""
    number = making.rng.permutation(making.rows * 7)[: making.rows]
    return join("粤YO", numbered(number % 10_000, 4))


def _vin(making: Making, options: Mapping[str, Any]) -> Texts:
    return join("LTESTO", numbered(making.rng.integers(10**9, 10**10, making.rows)), "0")


def _landline(making: Making, options: Mapping[str, Any]) -> Texts:
    return join("0757-8000", numbered(making.rng.integers(0, 10_000, making.rows), 4))


def _building(making: Making, options: Mapping[str, Any]) -> Texts:
    first = _town(making, options)
    last = words([f"{a}{b}" for a in ("文华", "星光", "恒安", "南苑", "金辉", "东平") for b in ("大厦", "广场", "中心", "站", "工程")])
    return join(first, pick(last, making.rng.integers(len(last), size=making.rows)))


def _title(making: Making, options: Mapping[str, Any]) -> Texts:
    kinds = words([f"{making.thing.title.split('（')[0]}{suffix}" for suffix in ("一类", "二类", "三类", "专项")])
    return pick(kinds, making.rng.integers(len(kinds), size=making.rows))


def _area_code(making: Making, options: Mapping[str, Any]) -> Texts:
    return pick(words([DISTRICT_CODE, *(code for code, _, _ in STREETS)]), making.rng.integers(len(STREETS) + 1, size=making.rows))


MAKERS: Mapping[str, Maker] = {
    "choice": _choice,
    "serial": _serial,
    "enterprise_name": _enterprise_name,
    "credit_code": _credit_code,
    "registration_number": _registration_number,
    "person": _person,
    "address": _address,
    "money": _money,
    "number": _number,
    "day": _day,
    "later_day": _later_day,
    "moment": _moment,
    "month": _month,
    "town": _town,
    "community": _community,
    "grid": _grid,
    "longitude": _coordinate(112.85, 0.36),
    "latitude": _coordinate(22.90, 0.34),
    "plate": _plate,
    "vin": _vin,
    "landline": _landline,
    "building": _building,
    "title": _title,
    "area_code": _area_code,
}
