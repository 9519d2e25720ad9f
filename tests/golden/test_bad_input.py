"""Bad input: the run ends, warns by name, and nobody outside is harmed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from catalog.home import Home
from catalog.store import open_store
from golden.reconcile import ReconcileOutcome
from golden.versions import golden_folder
from tests.golden.bureau import Bureau, Columns
from tests.golden.tables import number

PEOPLE = 400
ELEMENTS = ("id_number", "name", "sex", "birth_date", "phone", "residence_address")


def people() -> Columns:
    """Residents as a careful department holds them."""
    rng = np.random.default_rng(3)
    births: list[str | None] = [str(day) for day in np.datetime64("1940-01-01") + rng.integers(0, 26_000, PEOPLE)]
    orders = 11 + rng.integers(0, 900, PEOPLE)
    surnames, given = "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"
    names: list[str | None] = [surnames[rng.integers(20)] + given[rng.integers(20)] + given[rng.integers(20)] for _ in range(PEOPLE)]
    orders_of_sex: list[str | None] = ["1" if order % 2 else "2" for order in orders]
    return {
        "record": [f"r{n}" for n in range(PEOPLE)],
        "id_number": [number(birth or "", int(order)) for birth, order in zip(births, orders, strict=True)],
        "name": names,
        "sex": orders_of_sex,
        "birth_date": births,
        "phone": [f"154{n:08d}" for n in rng.permutation(PEOPLE)],
        "residence_address": [f"广东省佛山市南海区桂城街道南海大道{n}号" for n in rng.permutation(PEOPLE)],
    }


@pytest.fixture
def bureaus(tmp_path: Path) -> Iterator[Callable[[], Bureau]]:
    """Bureaus that hold the same two good sources, one with numbers and one mostly without."""
    opened: list[Bureau] = []

    def make() -> Bureau:
        home = Home(tmp_path / f"home{len(opened)}")
        home.create()
        bureau = Bureau(open_store(home.store_url), home)
        opened.append(bureau)
        good = people()
        bureau.accept_columns("hukou", "police", good)
        bureau.accept_columns(
            "social", "hrss", {**good, "id_number": [n if place % 3 == 0 else None for place, n in enumerate(good["id_number"])]}
        )
        return bureau

    yield make
    for bureau in opened:
        bureau.store.close()


def unharmed(bureaus: Callable[[], Bureau], bad: Columns, department: str = "health") -> ReconcileOutcome:
    """Reconcile with and without the bad source: of the good ones the same records are one person, with the same golden values."""
    without, beside = bureaus(), bureaus()
    beside.accept_columns("bad", department, bad)
    without.reconcile()
    outcome = beside.reconcile()
    assert _people(beside) == _people(without)
    return outcome


def _people(bureau: Bureau) -> list[tuple[object, ...]]:
    """For each resident of a good source: its records there and its golden values."""
    crosswalk, golden = bureau.residents(1), golden_of(bureau)
    records: dict[str, list[str]] = {}
    for record, resident in crosswalk.items():
        if not record.startswith("bad/"):
            records.setdefault(resident, []).append(record)
    return sorted((tuple(sorted(held)), *(golden[resident][e] for e in ELEMENTS)) for resident, held in records.items())


def golden_of(bureau: Bureau) -> dict[str, dict[str, str | None]]:
    rows = pq.read_table(golden_folder(bureau.lake, 1) / "residents.parquet").to_pylist()
    return {row["resident_id"]: row for row in rows}


def warned_of(outcome: ReconcileOutcome, *names: str) -> bool:
    """Whether one warning holds all these names, Chinese beside English."""
    told = [warning for warning in outcome.warnings if all(name in warning for name in names)]
    return any(any("\u4e00" <= c <= "\u9fff" for c in warning) and any(c.isascii() and c.isalpha() for c in warning) for warning in told)


def test_the_good_sources_alone_are_not_doubted(bureaus: Callable[[], Bureau]) -> None:
    outcome = bureaus().reconcile()
    assert [warning for warning in outcome.warnings if "存疑" in warning] == []
    assert outcome.residents == PEOPLE


def test_a_source_with_no_key_at_all_links_nobody(bureaus: Callable[[], Bureau]) -> None:
    outcome = unharmed(bureaus, {"record": people()["record"], "name": people()["name"], "sex": people()["sex"]})
    assert warned_of(outcome, "bad", "无法与其他来源关联")
    assert outcome.residents == 2 * PEOPLE


def beside(many: int, columns: Columns) -> Columns:
    """The rows and, a seventh of them all, others of whom each is somebody: so that the source as a whole looks like one of persons."""
    others = many // 6
    births = np.datetime64("1950-01-01") + np.arange(others) % 20_000
    plain: Columns = {
        "record": [f"o{n}" for n in range(others)],
        "name": [f"{'赵钱孙李周吴郑王'[n % 8]}{chr(0x4E00 + n % 5_000)}{chr(0x6000 + n // 5_000)}" for n in range(others)],
        "birth_date": [str(day) for day in births],
        "phone": [f"164{n:08d}" for n in range(others)],
    }
    return {name: [*values, *plain.get(name, [None] * others)] for name, values in columns.items()}


def test_a_block_of_200_000_is_capped_and_named(bureaus: Callable[[], Bureau]) -> None:
    many, good = 200_000, people()
    same: Columns = {
        "record": [f"b{n}" for n in range(many)],
        "name": [good["name"][0]] * many,
        "birth_date": [good["birth_date"][0]] * many,
        "phone": [f"163{n:08d}" for n in range(many)],
    }
    outcome = unharmed(bureaus, beside(many, same))
    assert warned_of(outcome, "[name + birth]", f"{many + 1}") or warned_of(outcome, "[name + birth]", f"{many + 2}")


def test_50_000_records_chained_by_shared_phones_do_not_become_one_person(bureaus: Callable[[], Bureau]) -> None:
    """Each shares a phone and a home with the next, and is born on the same day or a day apart."""
    many = 50_000
    chain: Columns = {
        "record": [f"b{n}" for n in range(many)],
        "name": ["陈志强"] * many,
        "birth_date": [_day(n // 2) for n in range(many)],
        "phone": [f"163{n:08d}" for n in range(many)],
        "guardian_phone": [f"163{n + 1:08d}" for n in range(many)],
        "residence_address": [f"广东省佛山市南海区大沥镇文德巷{n}号" for n in range(many)],
        "hukou_address": [f"广东省佛山市南海区大沥镇文德巷{n + 1}号" for n in range(many)],
    }
    outcome = unharmed(bureaus, beside(many, chain))
    assert warned_of(outcome, "large components", f"{many}")
    assert outcome.residents > PEOPLE + many // 6 + many // 20


def _day(n: int) -> str:
    """Days of which each differs from the next in the year, the month or the day only."""
    year, rest = divmod(n, 12 * 28)
    month, day = divmod(rest, 28)
    month, day = (11 - month if year % 2 else month), (27 - day if (n // 28) % 2 else day)
    return f"{1920 + year}-{1 + month:02d}-{1 + day:02d}"


def test_birth_dates_that_are_all_equal_tell_nobody_apart(bureaus: Callable[[], Bureau]) -> None:
    good = people()
    bad: Columns = {**good, "id_number": [None] * PEOPLE, "birth_date": ["1990-01-01"] * PEOPLE}
    outcome = unharmed(bureaus, bad)
    assert warned_of(outcome, "bad.birth_date", "取值几乎全部相同")


def test_sex_and_birth_swapped_refute_nobody(bureaus: Callable[[], Bureau]) -> None:
    good = people()
    outcome = unharmed(bureaus, {**good, "sex": good["birth_date"], "birth_date": good["sex"]})
    assert warned_of(outcome, "bad.sex", "映射错误") and warned_of(outcome, "bad.birth_date", "映射错误")
    assert outcome.residents == PEOPLE, "what is mapped rightly still links"


def test_a_swap_as_ingest_leaves_it_is_named_as_well(bureaus: Callable[[], Bureau]) -> None:
    """Standardising empties the cells and keeps their faults."""
    good = people()
    bad: Columns = {**good, "sex": [None] * PEOPLE, "birth_date": [None] * PEOPLE}
    with_faults = bureaus()
    with_faults.accept_columns("bad", "health", bad)
    with_faults.find_faults("bad", {"sex": "CODE-UNKNOWN", "birth_date": "DATE-MALFORMED"})
    outcome = with_faults.reconcile()
    assert warned_of(outcome, "bad.sex", "无法识别") and warned_of(outcome, "bad.birth_date", "无法识别")
    assert outcome.residents == PEOPLE


def test_another_date_in_the_place_of_the_birth_is_known_by_the_numbers_beside_it(bureaus: Callable[[], Bureau]) -> None:
    good = people()
    outcome = unharmed(bureaus, {**good, "birth_date": [f"2019-{1 + n % 12:02d}-{1 + n % 28:02d}" for n in range(PEOPLE)]})
    assert warned_of(outcome, "bad.birth_date", "身份号码")


def test_a_code_of_sex_that_means_the_other_one_is_known_by_the_numbers_beside_it(bureaus: Callable[[], Bureau]) -> None:
    good = people()
    outcome = unharmed(bureaus, {**good, "sex": ["2" if sex == "1" else "1" for sex in good["sex"]]}, department="police")
    assert warned_of(outcome, "bad.sex", "身份号码")


def test_a_doubt_stands_as_long_as_the_snapshot_that_it_is_about(bureaus: Callable[[], Bureau]) -> None:
    good, bureau = people(), bureaus()
    bureau.accept_columns("bad", "health", {**good, "sex": good["birth_date"]})
    first = bureau.reconcile()
    bureau.accept_columns("social", "hrss", {**good, "phone": good["phone"][::-1]})
    assert warned_of(bureau.reconcile(), "bad.sex")
    bureau.accept_columns("bad", "health", good)
    assert not warned_of(bureau.reconcile(), "bad.sex")
    assert warned_of(first, "bad.sex")
