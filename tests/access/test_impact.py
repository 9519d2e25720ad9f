"""What agreeing would let out, against a naive count over the same residents, and through the door only (law.md I-05, L-24)."""

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from access.accounts import Role, create_account
from access.impact import Impact
from access.terms import Mode, RowScope
from catalog.schema import DatasetColumnRow
from rules.errors import Denied
from rules.levels import Level
from rules.tiers import Tier
from tests.access.conftest import GRID, NOW, RESIDENTS, Platform, read_parquet


def weighed(platform: Platform, actor: str = "operator", provider: str | None = None, **terms: Any) -> Impact:
    value = platform.door.impact(actor, platform.grant(**terms), provider).value
    assert isinstance(value, Impact)
    return value


@pytest.mark.parametrize("tier", [Tier.T2, Tier.T3, Tier.T4])
@pytest.mark.parametrize("columns", [("sex",), ("sex", "birth_date"), ("sex", "grid_code", "marital_status"), ("name", "sex")])
def test_groups_are_those_of_the_masked_rows(platform: Platform, tmp_path: Path, tier: Tier, columns: tuple[str, ...]) -> None:
    """The naive reference groups what an extract under the same terms really hands over."""
    made = platform.grant(columns=list(columns), tier=tier)
    platform.door.extract("lin", made.id, tmp_path / "out", "parquet")
    rows = read_parquet(tmp_path / "out")
    found = platform.door.impact("operator", made, None).value
    assert isinstance(found, Impact)
    sizes = Counter(tuple(row[name] for name in found.groups.columns) for row in rows)
    assert set(found.groups.columns) <= set(columns) - {"name"}
    assert (found.rows, found.residents) == (len(rows), 6)
    assert found.groups.smallest == min(sizes.values())
    assert found.groups.rows_in_small == sum(n for n in sizes.values() if n < 5)


def test_a_group_is_counted_in_persons_not_in_rows(platform: Platform) -> None:
    """The first resident's two records are alike in what would come out: two rows, one person."""
    folder = platform.lake.root / "golden" / "v000001"
    crosswalk = {"dataset": ["hukou"] * 3, "record": ["h1", "h2", "h9"], "resident_id": ["R0000000001", "R0000000001", "R0000000005"]}
    pq.write_table(pa.table(crosswalk), folder / "crosswalk.parquet")
    found = weighed(platform, target="hukou", columns=["record", "name"], tier=Tier.T2)
    assert found.rows == 3
    assert found.groups.columns == ("record",)
    with platform.store.session() as session, session.begin():
        session.execute(sa.update(DatasetColumnRow).where(DatasetColumnRow.name == "secret").values(level="L1"))
    alike = {"_row": [2, 3, 4], "_record": ["h1", "h2", "h9"], "record": ["h1", "h2", "h9"]}
    rows = pa.table({**alike, "name": ["王"] * 3, "phone": ["1"] * 3, "secret": ["甲", "甲", "乙"]})
    place = platform.lake.path("standard", "hukou", 1)
    place.unlink()
    pq.write_table(rows, place)
    groups = weighed(platform, target="hukou", columns=["secret"], tier=Tier.T2).groups
    assert (groups.columns, groups.smallest, groups.rows_in_small) == (("secret",), 1, 3)


def test_it_tells_residents_in_scope_columns_by_level_and_what_names_a_person(platform: Platform) -> None:
    found = weighed(platform, columns=["name", "id_number", "sex", "religion"], tier=Tier.T3, row_scope=RowScope(areas=(GRID,)))
    assert found.residents == RESIDENTS["grid_code"].count(GRID)
    assert {name for names in found.by_level.values() for name in names} == {"name", "id_number", "sex", "religion"}
    assert "religion" in found.by_level[Level.L4]
    assert found.identifying == ("name", "id_number")
    assert {column.name: column.mask for column in found.columns}["sex"] == "keep"


def test_a_filter_narrows_the_count_as_it_narrows_the_extract(platform: Platform) -> None:
    found = weighed(platform, columns=["sex"], tier=Tier.T4, row_scope=RowScope(equals={"sex": ("1",)}))
    assert (found.rows, found.residents) == (3, 3)


def test_a_tier_that_suppresses_everything_forms_no_groups(platform: Platform) -> None:
    found = weighed(platform, columns=["name", "sex"], tier=Tier.T1, mode=Mode.VERIFY)
    assert (found.groups.smallest, found.groups.columns, found.identifying, found.residents) == (None, (), (), 6)


def test_earlier_releases_to_the_same_requester_are_told_with_what_would_come_together(platform: Platform, tmp_path: Path) -> None:
    earlier = platform.grant(columns=["resident_id", "name"], row_scope=RowScope(areas=(GRID,)))
    never = platform.grant(columns=["religion"])
    platform.door.extract("lin", earlier.id, tmp_path / "out", "parquet")
    platform.door.extract("operator", platform.grant(grantee="health").id, tmp_path / "theirs", "parquet")
    found = weighed(platform, columns=["name", "religion"])
    (overlap,) = found.overlaps
    assert (overlap.grant, overlap.receipts, overlap.target) == (earlier.id, 1, "golden")
    assert (overlap.both, overlap.added, overlap.level) == (("name",), ("religion",), Level.L4)
    assert overlap.residents == RESIDENTS["grid_code"].count(GRID)
    assert never.id not in {one.grant for one in found.overlaps}, "nothing was handed over under it"


def test_overlap_reaches_over_targets_by_element_and_resident(platform: Platform, tmp_path: Path) -> None:
    """The data set of the police holds two of the six residents, and one person whom nobody knows."""
    earlier = platform.grant(target="hukou", columns=["record", "name"])
    platform.door.extract("lin", earlier.id, tmp_path / "out", "parquet")
    (overlap,) = weighed(platform, columns=["name", "phone"]).overlaps
    assert (overlap.target, overlap.both, overlap.added, overlap.residents) == ("hukou", ("name",), ("phone",), 2)


def test_the_provider_weighs_its_own_data_and_nobody_elses(platform: Platform) -> None:
    create_account(
        platform.store, platform.log, by="operator", name="wu", title="x", department="police", roles=[Role.DEPARTMENT_HEAD], now=NOW
    )
    terms: dict[str, Any] = {"target": "hukou", "columns": ["record", "name"]}
    assert weighed(platform, "wu", "police", **terms).residents == 3
    for actor, provider in (("wu", "health"), ("wu", None), ("lin", "police"), ("auditor", "police")):
        with pytest.raises(Denied, match="DOOR-DENIED"):
            weighed(platform, actor, provider, **terms)
        assert platform.last().record.event.value == "access:impact:denied"


def test_what_is_weighed_is_recorded_and_leaves_no_file(platform: Platform) -> None:
    weighed(platform, columns=["name"])
    body = platform.last().record.body
    assert (platform.last().record.event.value, body["residents"], body["rows"]) == ("access:impact:result", 6, 0)
    assert list(platform.home.exports.rglob("*.parquet")) == []
