"""回流 (law.md L-22): golden values go back to a department for the residents of its own data set or of an area, and to no other."""

import csv
from pathlib import Path

import pytest

from access.accounts import Role, create_account
from access.targets import load_target
from access.terms import Grant, RowScope
from rules.errors import NotFound, Refused
from rules.levels import Level
from rules.tiers import Tier
from tests.access.conftest import GRID, NOW, OTHER_GRID, Platform

COLUMNS = ["record", "name", "phone", "marital_status"]


def returned(platform: Platform, *areas: str, grantee: str = "police") -> Grant:
    scope = RowScope(areas=areas)
    return platform.grant(grantee=grantee, target="return:hukou", columns=COLUMNS, tier=Tier.T4, row_scope=scope)


def extracted(platform: Platform, terms: Grant, folder: Path) -> list[dict[str, str]]:
    create_account(
        platform.store, platform.log, by="operator", name="zhou", title="x", department="police", roles=[Role.DEPARTMENT_REQUESTER], now=NOW
    )
    answer = platform.door.extract("zhou", terms.id, folder / "out.csv", "csv")
    assert answer.residents == answer.rows
    with (folder / "out.csv").open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_department_gets_the_golden_values_of_its_own_residents_by_its_own_keys(platform: Platform, tmp_path: Path) -> None:
    """Of six residents the two whose records it holds; marital status it has never collected itself."""
    rows = extracted(platform, returned(platform), tmp_path)
    assert [(row["record"], row["name"], row["marital_status"]) for row in rows] == [("h1", "王小明", "20"), ("h2", "王丽", "10")]


@pytest.mark.parametrize(("area", "found"), [(GRID, ["h1", "h2"]), (OTHER_GRID, [])])
def test_it_can_be_only_those_of_an_area(platform: Platform, tmp_path: Path, area: str, found: list[str]) -> None:
    assert [row["record"] for row in extracted(platform, returned(platform, area), tmp_path)] == found


def test_no_other_department_gets_it(platform: Platform) -> None:
    with pytest.raises(Refused, match=r"DOOR-TERMS.*回流"):
        returned(platform, grantee="civil_affairs")


def test_the_record_key_has_the_level_of_the_columns_that_it_is_made_of(platform: Platform) -> None:
    """It may be an identity number."""
    with platform.store.session() as session:
        target = load_target(session, platform.lake, "return:hukou")
        keys = load_target(session, platform.lake, "hukou").columns["record"].facts
    assert target.columns["record"].facts.level == keys.level and target.columns["name"].facts.level >= Level.L2


def test_there_is_nothing_to_return_of_what_is_not_registered(platform: Platform) -> None:
    with platform.store.session() as session, pytest.raises(NotFound, match="CAT-DATASET"):
        load_target(session, platform.lake, "return:nothing")
