"""A leaked file names its recipient and its copy, through the door; a copy in which nothing can be marked says so."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from access.tracing import Trace
from rules.errors import Denied, NotFound
from rules.tiers import Tier
from tests.access.conftest import Platform

COMMUNITIES = [first + second for first in "东南西北中上下新旧大" for second in "山水田园林岭岗坑涌沙石塘湖海江河桥井台亭"]
COLUMNS = ["resident_id", "name", "residence_address", "sex"]


@pytest.fixture
def populous(platform: Platform) -> Platform:
    """Four thousand residents in two hundred communities."""
    rows = {
        "resident_id": [f"R{number:010d}" for number in range(1, 4_001)],
        "name": ["王小明"] * 4_000,
        "sex": ["12"[number % 2] for number in range(4_000)],
        "birth_date": ["1980-01-01"] * 4_000,
        "residence_address": [f"广东省佛山市南海区桂城街道{COMMUNITIES[number % 200]}社区南海大道{number}号" for number in range(4_000)],
        "grid_code": ["440605011001001"] * 4_000,
    }
    pq.write_table(pa.table(rows), platform.lake.root / "golden" / "v000001" / "residents.parquet")
    return platform


def copies(platform: Platform, tmp_path: Path, **terms: Any) -> dict[str, Path]:
    """An extract for each of two departments, and a second one for the first."""
    made = {}
    for name, actor, grantee in (("lin", "lin", "civil_affairs"), ("he", "he", "health"), ("lin again", "lin", "civil_affairs")):
        granted = platform.grant(**{"columns": COLUMNS, "grantee": grantee, **terms})
        platform.door.extract(actor, granted.id, tmp_path / f"{name}.csv", "csv")
        made[name] = tmp_path / f"{name}.csv"
    return made


def leak(copy: Path, columns: list[str], *, rows: int = 1_000) -> Path:
    """Some rows of a copy in another order, and only some columns, under other names."""
    with copy.open(encoding="utf-8-sig", newline="") as file:
        found = random.Random(3).sample(list(csv.DictReader(file)), rows)
    leaked = copy.with_name("leaked.csv")
    with leaked.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([[f"列{number}" for number, _ in enumerate(columns)], *([row[name] for name in columns] for row in found)])
    return leaked


def traced(platform: Platform, file: Path) -> Trace:
    value = platform.door.trace("operator", "泄露文件溯源", file).value
    assert isinstance(value, Trace)
    return value


def test_pseudonyms_name_the_recipient(populous: Platform, tmp_path: Path) -> None:
    for name, recipient in (("lin", "civil_affairs"), ("he", "health")):
        (found,) = traced(populous, leak(copies(populous, tmp_path)[name], ["sex", "resident_id"], rows=20)).found
        assert (found.recipient, found.mark, found.agreeing, found.receipt) == (recipient, "pseudonym", 20, None)
        assert found.chance < 1e-6


def test_addresses_name_the_very_copy(populous: Platform, tmp_path: Path) -> None:
    made = copies(populous, tmp_path)
    for name, path in made.items():
        receipt = json.loads(path.with_name(f"{name}.csv.receipt.json").read_text(encoding="utf-8"))
        (found,) = traced(populous, leak(path, ["residence_address"])).found
        assert (found.fingerprint, found.receipt) == (receipt["fingerprint"], receipt["number"])
        assert found.recipient == receipt["grant"]["grantee"]


def test_a_trace_is_recorded_with_the_file_and_whom_it_named(populous: Platform, tmp_path: Path) -> None:
    leaked = leak(copies(populous, tmp_path)["he"], ["residence_address"])
    traced(populous, leaked)
    body = populous.last().record.body
    assert [one["recipient"] for one in body["found"]] == ["health"]
    intent = list(populous.log.entries())[-2].record
    assert (intent.event.value, len(intent.body["file_digest"])) == ("access:trace:intent", 64)


def test_a_file_of_nobodys_names_nobody(populous: Platform, tmp_path: Path) -> None:
    copies(populous, tmp_path)
    other = tmp_path / "other.csv"
    other.write_text("住址\n" + "".join(f"广东省佛山市南海区桂城街道{COMMUNITIES[n]}社区\n" for n in range(200)), encoding="utf-8")
    assert traced(populous, other).found == ()


def test_marks_survive_a_workbook(populous: Platform, tmp_path: Path) -> None:
    copies(populous, tmp_path)
    populous.door.extract("he", populous.grant(columns=COLUMNS, grantee="health").id, tmp_path / "out.xlsx", "xlsx")
    assert {one.recipient for one in traced(populous, tmp_path / "out.xlsx").found} == {"health"}


@pytest.mark.parametrize(
    ("terms", "markable"), [({"columns": ["name", "sex"]}, False), ({"tier": Tier.T4}, False), ({"tier": Tier.T3}, True)]
)
def test_a_copy_without_markable_columns_says_so_and_is_not_changed(
    populous: Platform, tmp_path: Path, terms: dict[str, Any], markable: bool
) -> None:
    granted = populous.grant(**{"columns": COLUMNS, **terms})
    populous.door.extract("lin", granted.id, tmp_path / "out.csv", "csv")
    receipt = json.loads((tmp_path / "out.csv.receipt.json").read_text(encoding="utf-8"))
    assert (receipt["fingerprint"] != "not markable") == markable


def test_only_the_bureau_traces_and_only_what_is_there(populous: Platform, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="DOOR-LEAKED"):
        traced(populous, tmp_path / "nothing.csv")
    with pytest.raises(Denied):
        populous.door.trace("lin", "溯源", copies(populous, tmp_path)["lin"])
