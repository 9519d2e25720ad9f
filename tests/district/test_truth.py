"""What the truth says holds together, and is the same every time."""

from pathlib import Path

import duckdb
import pytest

from district.build import Manifest, build
from district.plan import PATTERNS
from rules.elements import load_elements
from rules.identity_numbers import check_character, kind_of
from rules.regions import load_regions
from tests.district.sources import contracts, rows


def _ask(district: Path, question: str) -> list[tuple]:
    connection = duckdb.connect()
    for table in ("residents", "records", "patterns"):
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{district}/truth/{table}.parquet'")
    return connection.execute(question).fetchall()


def test_the_same_residents_and_seed_give_the_same_truth_and_sources(district: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    build(again, residents=2_000, seed=7)
    for file in [*(district / "truth").iterdir(), *(district / "areas").iterdir(), *(district / "sources").rglob("*.csv")]:
        assert (again / file.relative_to(district)).read_bytes() == file.read_bytes(), file.name


def test_another_seed_gives_another_district(district: Path, tmp_path: Path) -> None:
    build(tmp_path, residents=2_000, seed=8, departments=1, persons_only=True)
    assert (tmp_path / "truth/residents.parquet").read_bytes() != (district / "truth/residents.parquet").read_bytes()


def test_there_are_as_many_residents_as_asked_for(district: Path) -> None:
    assert _ask(district, "SELECT count(*), count(DISTINCT resident) FROM residents") == [(2_000, 2_000)]


def test_every_column_of_the_truth_is_an_element(district: Path) -> None:
    names = {row[0] for row in _ask(district, "DESCRIBE residents")} - {"resident"}
    assert names <= set(load_elements())


def test_every_record_has_one_resident_who_exists(district: Path, manifest: Manifest) -> None:
    persons = sum(dataset.rows for dataset in manifest.datasets if dataset.about_persons)
    known = "SELECT count(*), count(DISTINCT dataset || '#' || record) FROM records JOIN residents USING (resident)"
    assert _ask(district, known) == [(persons, persons)]


def test_identity_numbers_are_valid_and_agree_with_birth_and_sex(district: Path) -> None:
    rows = _ask(district, "SELECT id_number, birth_date, sex FROM residents WHERE id_number IS NOT NULL")
    for number, birth, sex in rows:
        assert len(number) == 18 and check_character(number[:17]) == number[17]
        assert number[6:14] == birth.replace("-", "")
        assert int(number[14:17]) % 2 == (sex == "1")


def test_no_identity_number_can_be_a_living_persons(district: Path) -> None:
    for (number,) in _ask(district, "SELECT id_number FROM residents WHERE id_number IS NOT NULL"):
        if kind_of(number) == "citizen":
            assert number[:6] not in load_regions().regions
        else:
            assert number[14] == "9"


def test_only_people_whom_the_patterns_name_share_an_identity_number(district: Path) -> None:
    shared = "SELECT count(*) FROM (SELECT id_number FROM residents GROUP BY 1 HAVING count(*) > 1 AND id_number IS NOT NULL)"
    assert _ask(district, shared)[0][0] == 2
    untold = """SELECT count(*) FROM records JOIN residents r USING (resident)
        WHERE dataset = 'police_hukou' AND r.id_number IN (SELECT id_number FROM residents GROUP BY 1 HAVING count(*) > 1)
        AND NOT EXISTS (SELECT 1 FROM patterns p WHERE p.dataset = records.dataset AND p.record = records.record AND p.pattern = 'X-06')"""
    assert _ask(district, untold) == [(0,)]


def test_parents_are_residents_of_the_right_age(district: Path) -> None:
    young = """SELECT count(*), min(date_diff('year', CAST(p.birth_date AS DATE), CAST(c.birth_date AS DATE)))
        FROM residents c JOIN residents p ON c.mother_id_number = p.id_number"""
    found, youngest = _ask(district, young)[0]
    assert found > 300 and youngest >= 17


def test_twins_namesakes_and_neighbours_of_one_name_are_there(district: Path) -> None:
    twins = """SELECT count(*) FROM residents a JOIN residents b USING (mother_id_number, birth_date) WHERE a.resident < b.resident"""
    namesakes = "SELECT count(*) FROM residents a JOIN residents b USING (name, birth_date, sex) WHERE a.resident < b.resident"
    assert _ask(district, twins)[0][0] >= 1
    assert _ask(district, namesakes)[0][0] >= 2


def test_grid_codes_of_the_truth_stand_in_the_area_register(district: Path) -> None:
    register = f"read_csv('{district}/areas/areas.csv', all_varchar = true)"
    unknown = f"SELECT count(*) FROM residents WHERE grid_code NOT IN (SELECT code FROM {register} WHERE level = 'grid')"
    assert _ask(district, unknown) == [(0,)]


def test_every_pattern_occurs(district: Path) -> None:
    assert {row[0] for row in _ask(district, "SELECT DISTINCT pattern FROM patterns")} == set(PATTERNS)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_that_is_switched_off_stays_away(pattern: str, tmp_path: Path) -> None:
    build(tmp_path, residents=300, seed=3, departments=8, persons_only=True, patterns=set(PATTERNS) - {pattern})
    assert _ask(tmp_path, f"SELECT count(*) FROM patterns WHERE pattern = '{pattern}'") == [(0,)]


def test_without_patterns_every_cell_of_the_register_is_true_or_was(tmp_path: Path) -> None:
    build(tmp_path, residents=300, seed=3, departments=1, persons_only=True, patterns=())
    assert _ask(tmp_path, "SELECT count(*) FROM patterns") == [(0,)]
    wrong = f"""SELECT count(*) FROM read_csv('{tmp_path}/sources/police/police_hukou.csv', all_varchar = true) s
        JOIN records ON records.record = s.人员编号 AND dataset = 'police_hukou' JOIN residents r USING (resident)
        WHERE s.姓名 <> r.name OR s.公民身份号码 <> r.id_number OR s.性别 <> r.sex OR s.户籍地址 <> r.hukou_address"""
    assert _ask(tmp_path, wrong) == [(0,)]


def test_the_majority_and_the_newest_are_sometimes_both_wrong(district: Path) -> None:
    """Four departments that copied one stale phone, all stamped with the upload's day, against the one that asked."""
    headers = {
        "hrss_social_insurance": ("参保登记号", "联系手机"),
        "provident_fund_accounts": ("账户序号", "手机号码"),
        "grid_survey": ("采集编号", "联系电话"),
    }
    told: dict[str, dict[str, str]] = {}
    by_key = {contract["id"]: contract for contract in contracts(district)}
    for dataset, (key_header, phone_header) in headers.items():
        resident_of = dict(_ask(district, f"SELECT record, resident FROM records WHERE dataset = '{dataset}'"))
        for row in rows(district, by_key[dataset]):
            if (resident := resident_of.get(row[key_header] or "")) is not None:
                told.setdefault(resident, {})[dataset] = row[phone_header] or ""
    truth = dict(_ask(district, "SELECT resident, phone FROM residents"))
    misled = [r for r, values in told.items() if len(values) == 3 and _majority(list(values.values())) not in (truth[r], None)]
    assert len(misled) >= 3


def _majority(values: list[str]) -> str | None:
    return next((value for value in values if values.count(value) >= 2), None)
