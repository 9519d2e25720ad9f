"""Which records are one resident: tables in, residents out (law.md §5.1, §5.2)."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from golden.engine import open_engine
from golden.resolution import resolve
from golden.sources import RecordSource
from rules.authority import load_survivorship
from rules.matching import load_matching
from tests.golden.tables import number, source

Linked = Callable[..., dict[str, int]]

ROAD = "广东省佛山市南海区桂城街道南海大道12号天湖郦都3栋1203室"
LANE = "广东省佛山市南海区桂城街道桂平路5号2栋201室"
LI = number("1990-05-06", 11)
OLD_LI = number("1990-05-06", 13)
WANG = number("1985-01-02", 24)
LI_FACTS = {"name": "李明", "birth_date": "1990-05-06", "sex": "1", "phone": "13800000001", "residence_address": ROAD}


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_engine(tmp_path / "spill") as con:
        yield con


@pytest.fixture
def linked(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> Linked:
    """Residents by `dataset/record`, among sources and some unrelated residents who make frequencies what they are."""

    def run(*sources: RecordSource) -> dict[str, int]:
        others = [
            {"record": f"o{n}", "id_number": number(f"19{60 + n % 40}-03-{n % 28 + 1:02d}", n * 2), "name": f"陈{chr(0x4E00 + n)}"}
            for n in range(1, 60)
        ]
        ordered = sorted([*sources, source(tmp_path, "others", others, department="police")], key=lambda s: s.dataset)
        resolve(con, ordered, matching=load_matching(), survivorship=load_survivorship(), previous=None)
        rows = con.execute(
            "SELECT dataset || '/' || record, res FROM resident_of JOIN records USING (rid) JOIN sources USING (src)"
        ).fetchall()
        assert len(rows) == con.execute("SELECT count(*) FROM records").fetchall()[0][0], "each record belongs to exactly one resident"
        return {key: res for key, res in rows if not key.startswith("others/")}

    return run


def police(folder: Path, *rows: Mapping[str, str | None]) -> RecordSource:
    return source(folder, "hukou", rows, department="police")


def social(folder: Path, *rows: Mapping[str, str | None], **given: Any) -> RecordSource:
    return source(folder, "social", rows, **given)


def test_one_number_and_one_name_are_one_resident(linked: Linked, tmp_path: Path) -> None:
    found = linked(
        police(tmp_path, {"id_number": LI, "name": "李明"}),
        social(tmp_path, {"id_number": LI, "name": "李明"}, {"id_number": LI, "name": "李　明"}),
    )
    assert len(set(found.values())) == 1


@pytest.mark.parametrize("spelling", ["李铭", "李日明", "李?", "李□", "黎明", "LI MING"])
def test_one_number_holds_together_spellings_of_one_name(linked: Linked, tmp_path: Path, spelling: str) -> None:
    found = linked(police(tmp_path, {"id_number": LI, "name": "李明"}), social(tmp_path, {"id_number": LI, "name": spelling}))
    assert found["hukou/1"] == found["social/1"]


def test_dots_and_blanks_in_a_name_do_not_matter(linked: Linked, tmp_path: Path) -> None:
    names = ["买买提·吐尔逊", "买买提.吐尔逊", "买买提吐尔逊", "买买提 • 吐尔逊"]
    found = linked(social(tmp_path, *({"id_number": LI, "name": name} for name in names)))
    assert len(set(found.values())) == 1


def test_a_former_name_explains_another_name_at_the_same_number(linked: Linked, tmp_path: Path) -> None:
    found = linked(
        police(tmp_path, {"id_number": LI, "name": "李明", "former_name": "李招弟"}), social(tmp_path, {"id_number": LI, "name": "李招弟"})
    )
    assert found["hukou/1"] == found["social/1"]


def test_a_number_that_two_people_carry_is_not_merged(linked: Linked, tmp_path: Path) -> None:
    found = linked(
        police(tmp_path, {"id_number": LI, "name": "李明", "sex": "1", "birth_date": "1990-05-06"}),
        social(tmp_path, {"id_number": LI, "name": "王秀英", "sex": "2", "birth_date": "1985-01-02"}),
    )
    assert found["hukou/1"] != found["social/1"]


def test_whoever_borrows_a_number_goes_to_the_records_of_the_own_person(
    linked: Linked, tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    found = linked(
        police(tmp_path, {**LI_FACTS, "id_number": LI}, {"id_number": WANG, "name": "王秀英", "birth_date": "1985-01-02", "sex": "2"}),
        social(tmp_path, {**LI_FACTS, "id_number": WANG}),
    )
    assert found["social/1"] == found["hukou/1"] != found["hukou/2"]
    assert con.execute(
        "SELECT DISTINCT value FROM golden_values WHERE element = 'id_number' AND dataset <> 'others' ORDER BY 1"
    ).fetchall() == sorted([(LI,), (WANG,)])


def test_a_child_entered_with_the_parents_number_is_not_the_parent(linked: Linked, tmp_path: Path) -> None:
    found = linked(
        police(tmp_path, {"id_number": LI, "name": "李明", "birth_date": "1990-05-06", "phone": "13800000001"}),
        social(tmp_path, {"id_number": LI, "name": "李小明", "birth_date": "2016-03-04", "phone": "13800000001"}),
    )
    assert found["hukou/1"] != found["social/1"]


def test_an_unnumbered_record_joins_on_name_birth_and_phone(linked: Linked, tmp_path: Path) -> None:
    found = linked(
        police(tmp_path, {**LI_FACTS, "id_number": LI}),
        social(tmp_path, {"name": "李明", "birth_date": "1990-05-06", "phone": "13800000001"}),
    )
    assert found["hukou/1"] == found["social/1"]


def test_name_and_address_alone_join_nobody(linked: Linked, tmp_path: Path) -> None:
    """X-24: father and son of one name in one flat."""
    found = linked(
        police(tmp_path, {"id_number": LI, "name": "李明", "residence_address": ROAD, "household_number": "4406000001"}),
        social(tmp_path, {"name": "李明", "residence_address": ROAD, "household_number": "4406000001"}),
        source(tmp_path, "grid", [{"name": "李明", "residence_address": ROAD, "birth_date": "2014-05-06"}], department="grid"),
    )
    assert len(set(found.values())) == 3


def test_a_mistyped_number_leads_to_the_right_one(linked: Linked, tmp_path: Path) -> None:
    wrong = LI[:9] + str((int(LI[9]) + 1) % 10) + LI[10:]
    found = linked(
        police(tmp_path, {"id_number": LI, "name": "李明"}, {"id_number": OLD_LI, "name": "李明"}),
        social(tmp_path, {"name": "李明", "id_number": None}, faults=[(1, "id_number", "ID-CHECK", wrong)]),
    )
    assert found["social/1"] == found["hukou/1"] != found["hukou/2"]


def test_a_number_that_a_spreadsheet_cut_counts_for_what_is_left(linked: Linked, tmp_path: Path) -> None:
    found = linked(
        police(tmp_path, {**LI_FACTS, "id_number": LI}),
        social(
            tmp_path, {"name": "李明", "id_number": None, "residence_address": ROAD}, faults=[(1, "id_number", "ID-LOST", LI[:15] + "000")]
        ),
    )
    assert found["hukou/1"] == found["social/1"]


def test_a_placeholder_number_joins_nobody(linked: Linked, tmp_path: Path) -> None:
    rows = [{"name": name, "id_number": None} for name in ("李明", "王秀英", "张伟")]
    faults = [(row, "id_number", "ID-PLACEHOLDER", "111111111111111111") for row in (1, 2, 3)]
    assert len(set(linked(social(tmp_path, *rows, faults=faults)).values())) == 3


def test_two_numbers_of_one_person_join_on_evidence(linked: Linked, tmp_path: Path) -> None:
    """X-07: the number was changed; an old file still has the superseded one."""
    found = linked(police(tmp_path, {**LI_FACTS, "id_number": LI}), social(tmp_path, {**LI_FACTS, "id_number": OLD_LI}))
    assert found["hukou/1"] == found["social/1"]


def test_two_current_numbers_are_two_people_whatever_else_agrees(linked: Linked, tmp_path: Path) -> None:
    found = linked(police(tmp_path, {**LI_FACTS, "id_number": LI}, {**LI_FACTS, "id_number": OLD_LI}))
    assert found["hukou/1"] != found["hukou/2"]


def test_two_numbers_without_evidence_stay_apart(linked: Linked, tmp_path: Path) -> None:
    """Namesakes born on one day."""
    found = linked(
        police(tmp_path, {**LI_FACTS, "id_number": LI}),
        social(
            tmp_path, {"name": "李明", "birth_date": "1990-05-06", "id_number": OLD_LI, "phone": "13900000009", "residence_address": LANE}
        ),
    )
    assert found["hukou/1"] != found["social/1"]


def test_twins_stay_two_also_where_a_record_has_no_number(linked: Linked, tmp_path: Path) -> None:
    twin = {"birth_date": "1990-05-06", "phone": "13800000001", "residence_address": ROAD, "household_number": "4406000001"}
    found = linked(
        police(
            tmp_path, {**twin, "id_number": LI, "name": "李小明", "sex": "1"}, {**twin, "id_number": OLD_LI, "name": "李小亮", "sex": "1"}
        ),
        social(tmp_path, {**twin, "name": "李小明"}, {**twin, "name": "李小亮"}),
        source(tmp_path, "school", [{**twin, "name": "李小明"}], department="education"),
    )
    assert found["hukou/1"] == found["social/1"] == found["school/1"]
    assert found["hukou/2"] == found["social/2"]
    assert found["hukou/1"] != found["hukou/2"]


def test_sex_and_birth_both_different_are_never_one(linked: Linked, tmp_path: Path) -> None:
    found = linked(
        police(tmp_path, {**LI_FACTS, "id_number": LI, "household_number": "1"}),
        social(tmp_path, {**LI_FACTS, "household_number": "1", "sex": "2", "birth_date": "1990-06-06"}),
    )
    assert found["hukou/1"] != found["social/1"]


def test_a_record_with_neither_name_nor_number_is_a_resident_of_its_own(linked: Linked, tmp_path: Path) -> None:
    found = linked(
        police(tmp_path, {**LI_FACTS, "id_number": LI}),
        social(tmp_path, {"name": None, "id_number": None}, {"name": None, "id_number": None}),
    )
    assert len(set(found.values())) == 3


def test_a_source_of_names_only_takes_part_and_joins_nobody(linked: Linked, tmp_path: Path) -> None:
    found = linked(police(tmp_path, {**LI_FACTS, "id_number": LI}), social(tmp_path, {"name": "李明"}, {"name": "李明"}))
    assert len(set(found.values())) == 3


def test_two_columns_of_one_element_are_both_looked_at(linked: Linked, tmp_path: Path) -> None:
    row = {"name": "李明", "birth_date": "1990-05-06", "phone_1": "13700000000", "phone_2": "13800000001"}
    columns = {"name": ("name",), "birth_date": ("birth_date",), "phone": ("phone_1", "phone_2")}
    found = linked(police(tmp_path, {**LI_FACTS, "id_number": LI}), social(tmp_path, row, columns=columns))
    assert found["hukou/1"] == found["social/1"]


def test_a_phone_of_an_agency_is_no_evidence(linked: Linked, tmp_path: Path) -> None:
    crowd = [{"record": f"c{n}", "name": f"赵{chr(0x4F00 + n)}", "phone": "13800000001"} for n in range(9)]
    found = linked(
        police(tmp_path, {**LI_FACTS, "id_number": LI}),
        social(tmp_path, {"name": "李明", "birth_date": "1990-05-06", "phone": "13800000001"}, *crowd),
    )
    assert found["hukou/1"] != found["social/1"]


@pytest.mark.parametrize("name", ["李%", "李_", "李\\", "李'明", "?", "？？"])
def test_signs_in_names_are_signs_and_nothing_else(linked: Linked, tmp_path: Path, name: str) -> None:
    found = linked(police(tmp_path, {**LI_FACTS, "id_number": LI}), social(tmp_path, {"name": name, "birth_date": "1990-05-06"}))
    assert found["hukou/1"] != found["social/1"]
