"""Statistics: persons by groups, small ones hidden, and nothing that two answers to one recipient would tell together."""

from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap64

from access.differencing import Answered, answered, differs_by_few, keep_groups, one_group, read_groups
from access.populations import read_population
from access.statistics import ALL, Statistic, Table
from access.terms import RowScope
from catalog.schema import DatasetColumnRow
from masking.small_groups import hidden_groups, with_sums
from rules.errors import Denied, IntegrityBroken, Refused
from rules.tiers import Tier
from tests.access.conftest import Platform

SMALLEST = 5
STREETS = ("440605011", "440605012", "440605013")
GRANT: dict[str, Any] = {"tier": Tier.T0, "columns": ["sex", "birth_date", "grid_code"]}


@pytest.fixture
def populous(platform: Platform) -> Platform:
    """Two hundred residents over three streets; in the third street live three women."""
    rows = []
    for number in range(200):
        street, sex = STREETS[number % 2], "12"[number % 3 == 0]
        street, sex = (STREETS[2], "2") if number in (10, 20, 30) else (STREETS[2], "1") if number % 20 == 5 else (street, sex)
        rows.append(
            {"resident_id": f"R{number + 1:010d}", "sex": sex, "birth_date": f"{1940 + number % 60}-06-01", "grid_code": f"{street}001001"}
        )
    write_residents(platform, rows)
    return platform


def write_residents(platform: Platform, rows: list[dict[str, str]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), platform.lake.root / "golden" / "v000001" / "residents.parquet")


def residents(platform: Platform) -> list[dict[str, str]]:
    return pq.read_table(platform.lake.root / "golden" / "v000001" / "residents.parquet").to_pylist()


def counted(platform: Platform, *by: str, sums: bool = True, actor: str = "lin", **terms: Any) -> Statistic:
    value = platform.door.statistics(actor, platform.grant(**{**GRANT, **terms}).id, by, sums=sums).value
    assert isinstance(value, Statistic)
    return value


def told(statistic: Statistic) -> dict[tuple[str, ...], int | None]:
    return {group.values: group.persons for group in statistic.groups}


def test_persons_are_counted_by_street_and_sex_with_their_sums(populous: Platform) -> None:
    found = told(counted(populous, "grid_code:street", "sex"))
    naive = Counter((row["grid_code"][:9], row["sex"]) for row in residents(populous))
    for street, sex in product((*STREETS, ALL), ("1", "2", ALL)):
        expected = sum(n for (s, x), n in naive.items() if street in (s, ALL) and sex in (x, ALL))
        assert found[street, sex] in (expected, None)
    assert found[STREETS[2], "2"] is None, "three women"
    assert sum(persons is None for persons in found.values()) == 4
    assert found[ALL, ALL] == 200


def test_ages_are_those_of_the_day(populous: Platform) -> None:
    found = told(counted(populous, "birth_date:age_band"))
    naive = Counter(f"{(2026 - int(row['birth_date'][:4])) // 5 * 5}" for row in residents(populous))
    assert {values[0].split("–")[0]: persons for values, persons in found.items() if values[0] != ALL} == {
        band: n if n >= SMALLEST else None for band, n in naive.items()
    } or any(persons is None for persons in found.values())
    assert found[ALL,] == 200


def test_without_sums_no_sum_is_told(populous: Platform) -> None:
    found = told(counted(populous, "grid_code:street", "sex", sums=False))
    assert not any(ALL in values for values in found)


def test_a_person_with_two_rows_counts_once_and_then_nothing_is_summed(platform: Platform, tmp_path: Path) -> None:
    """In the data set of the police the first resident stands three times, twice in one group."""
    numbers = (1, 1, 1, 2, 3, 4, 5, 6)
    records = [f"h{row}" for row in range(len(numbers))]
    rows = {"_record": records, "record": records, "name": ["王"] * 8, "phone": ["1"] * 8, "secret": list("aabbbbbb")}
    place = platform.lake.path("standard", "hukou", 1)
    place.unlink()
    pq.write_table(pa.table({"_row": pa.array(range(8), pa.int64()), **rows}), place)
    crosswalk = {"dataset": ["hukou"] * 8, "record": records, "resident_id": [f"R{number:010d}" for number in numbers]}
    pq.write_table(pa.table(crosswalk), platform.lake.root / "golden" / "v000001" / "crosswalk.parquet")
    with platform.store.session() as session, session.begin():
        column = sa.update(DatasetColumnRow).where(DatasetColumnRow.name == "secret")
        session.execute(column.values(level="L1", logical_type="boolean"))
    value = counted(platform, "secret", target="hukou", columns=["secret"])
    assert (value.sums, told(value)) == (False, {("a",): None, ("b",): 6})


def test_the_record_names_the_residents_and_the_groups_and_the_asker_learns_no_total(populous: Platform) -> None:
    counted(populous, "sex")
    record = populous.last().record
    assert record.event.value == "access:statistics:result"
    assert len(read_population(populous.home.populations, record.body["population"])) == 200
    kept = read_groups(populous.home.populations, record.body["groups"])
    assert (kept.shape, len(kept.persons)) == ((2,), 200)


FAULTY = {
    "nothing": (),
    "not granted": ("phone",),
    "unknown": ("nothing_such",),
    "no such grouping": ("grid_code:house",),
    "twice": ("sex", "sex"),
    "too many": ("sex", "grid_code", "birth_date", "sex", "sex"),
}


@pytest.mark.parametrize("by", FAULTY.values(), ids=FAULTY)
def test_a_faulty_grouping_is_refused_and_recorded(populous: Platform, by: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="DOOR-GROUPING"):
        counted(populous, *by)
    assert populous.last().record.event.value == "access:statistics:aborted"


def test_columns_that_name_or_tell_too_much_form_no_groups(populous: Platform) -> None:
    granted = populous.grant(tier=Tier.T0, columns=["sex", "resident_id"])
    with pytest.raises(Refused, match="DOOR-GROUPING"):
        populous.door.statistics("lin", granted.id, ["resident_id"])


def test_only_a_grant_for_statistics_gives_any_and_gives_nothing_else(populous: Platform, tmp_path: Path) -> None:
    with pytest.raises(Denied, match="not for statistics"):
        counted(populous, "sex", tier=Tier.T2)
    with pytest.raises(Denied, match="no extract"):
        populous.door.extract("lin", populous.grant(**GRANT).id, tmp_path / "out", "csv")


def test_the_same_question_again_is_answered_and_one_that_differs_by_a_person_is_not(populous: Platform) -> None:
    first = counted(populous, "grid_code:street")
    assert told(counted(populous, "grid_code:street")) == told(first)
    write_residents(populous, residents(populous)[:-1])
    with pytest.raises(Denied, match="DOOR-DIFFERENCE"):
        counted(populous, "grid_code:street")
    assert populous.last().record.body["why"] == "DOOR-DIFFERENCE"
    assert counted(populous, "grid_code:street", grantee="health", actor="he").groups, "another recipient holds nothing to subtract from"


def test_two_areas_that_differ_by_few_are_not_both_answered(populous: Platform) -> None:
    """The second scope leaves out one community in which four people live."""
    moved = residents(populous)
    for row in moved[:4]:
        row["grid_code"] = f"{STREETS[0]}002001"
    write_residents(populous, moved)
    assert counted(populous, "sex").groups
    rest = RowScope(areas=(f"{STREETS[0]}001", STREETS[1], STREETS[2]))
    with pytest.raises(Denied, match="DOOR-DIFFERENCE"):
        counted(populous, "sex", row_scope=rest)


def test_an_extract_counts_as_an_earlier_answer(populous: Platform, tmp_path: Path) -> None:
    populous.door.extract("lin", populous.grant(columns=["sex"]).id, tmp_path / "out", "csv")
    write_residents(populous, residents(populous)[:-2])
    with pytest.raises(Denied, match="DOOR-DIFFERENCE"):
        counted(populous, "sex")


def test_a_coarser_table_does_not_uncover_what_a_finer_one_hides(populous: Platform) -> None:
    """Hidden by community and sex; by street and sex one of the two could be computed."""
    moved = residents(populous)
    for place, row in enumerate(moved):
        row["grid_code"] = f"{STREETS[place % 2]}00{1 + place // 2 % 2}001"
        row["sex"] = "2" if place in (0, 4, 8) or (place % 4 in (1, 3) and place % 8 < 4) else "1"
    write_residents(populous, moved)
    fine = counted(populous, "grid_code:community", "sex")
    assert fine.hidden >= 4
    with pytest.raises(Denied, match="DOOR-DIFFERENCE"):
        counted(populous, "grid_code:street", "sex")


def test_kept_groups_come_back_as_they_were_and_are_not_believed_once_touched(populous: Platform) -> None:
    counted(populous, "grid_code:street", "sex")
    digest = populous.last().record.body["groups"]
    kept = read_groups(populous.home.populations, digest)
    assert keep_groups(populous.home.populations, kept) == digest
    (file,) = populous.home.populations.rglob("*.groups")
    file.write_bytes(b"")
    with pytest.raises(IntegrityBroken):
        read_groups(populous.home.populations, digest)


@st.composite
def two_tables(draw: st.DrawFn) -> tuple[Answered, Answered]:
    """Two tables over some of sixteen persons, of one or two dimensions."""
    made = []
    for _ in range(2):
        shape = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)))
        people = np.array(sorted(draw(st.sets(st.integers(1, 16), max_size=16))), dtype=np.int64)
        cells = np.array(
            draw(st.lists(st.integers(0, int(np.prod(shape)) - 1), min_size=len(people), max_size=len(people))), dtype=np.int64
        )
        table = Table(
            categories=tuple(("x",) * size for size in shape),
            persons=people,
            cells=cells,
            unknown=np.zeros(int(np.prod(shape)), dtype=np.int64),
        )
        made.append(answered(table, hidden_groups(with_sums(table.counts), 3)))
    return made[0], made[1]


def groups_of(one: Answered) -> dict[tuple[int, ...], frozenset[int]]:
    """All groups and sums with their people, naively."""
    found: dict[tuple[int, ...], set[int]] = {}
    for person, cell in zip(one.persons.tolist(), one.cells.tolist(), strict=True):
        place = [int(at) for at in np.unravel_index(cell, one.shape)]
        for some in product((False, True), repeat=len(place)):
            key = tuple(size if summed else at for at, size, summed in zip(place, one.shape, some, strict=True))
            found.setdefault(key, set()).add(person)
    return {place: frozenset(people) for place, people in found.items()}


def naively_narrows(shown: Answered, other: Answered, smallest: int) -> bool:
    """Tries every union of the other table's groups."""
    theirs = groups_of(other)
    cells = {place: people for place, people in theirs.items() if all(at < size for at, size in zip(place, other.shape, strict=True))}
    shown_theirs = [people for place, people in theirs.items() if not other.hidden[place]]
    unions = [(taken, frozenset().union(*(cells[name] for name in taken))) for taken in subsets(list(cells))]
    for place, people in groups_of(shown).items():
        if shown.hidden[place]:
            continue
        if 0 < min(len(people ^ union) for _, union in unions) < smallest:
            return True
        if people not in shown_theirs and any(union == people and any(other.hidden[name] for name in taken) for taken, union in unions):
            return True
    return False


def subsets(names: list[Any]) -> list[list[Any]]:
    return [[name for name, is_in in zip(names, chosen, strict=True) if is_in] for chosen in product((False, True), repeat=len(names))]


@settings(max_examples=120, deadline=None)
@given(two_tables())
def test_differences_are_found_as_by_trying_every_union(tables: tuple[Answered, Answered]) -> None:
    one, other = tables
    assert differs_by_few(one, other, 3) == (naively_narrows(one, other, 3) or naively_narrows(other, one, 3))


def test_an_extract_is_one_group(tmp_path: Path) -> None:
    one = one_group(BitMap64(range(100)))
    assert not differs_by_few(one, one, SMALLEST)
    assert differs_by_few(one, one_group(BitMap64(range(99))), SMALLEST)
    assert not differs_by_few(one, one_group(BitMap64(range(50))), SMALLEST)
