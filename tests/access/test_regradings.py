"""Re-gradings reach golden elements and open grants, and people are told once. law.md G-01, L-24; issue 5 point 1."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.grants import change_state
from access.targets import load_target
from access.terms import GrantState
from audit.events import Event
from casework.regradings import list_regradings, see_regrading, tell_regraded
from catalog.entries.attaching import resource_of
from catalog.entries.content import EntryContent
from catalog.entries.shelf import load_entry, mark_published, record_act, write_content
from catalog.entries.states import State
from catalog.registration import register
from catalog.schema import DatasetColumnRow
from rules.errors import Denied, NotFound
from rules.levels import Level
from rules.tiers import Tier
from tests.access.conftest import NOW, Platform, contract, in_order, read_parquet

COLUMNS = ["name", "sex"]


def regrade(platform: Platform, folder: Path, key: str, column: str, level: str) -> None:
    """A department registers its contract again, with another level of one column."""
    content = contract(key, "police", ["record", "name:name", "phone:phone", "secret"])
    found = next(one for one in content["schema"][0]["properties"] if one["name"] == column)
    found["customProperties"] = [one for one in found["customProperties"] if one["property"] != "level"]
    found["customProperties"].append({"property": "level", "value": level})
    path = folder / f"{key}-{level}.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    report = register(platform.store, [path], now=NOW)
    assert not report.refused, report.refused


def publish_entry(platform: Platform, dataset: str, columns: Mapping[str, Mapping[str, Any]], state: State = State.PUBLISHED) -> None:
    """The entry behind a data set is published with other words about some of its columns; `state`: what becomes of it then."""
    write(platform, dataset, columns)
    with platform.store.session() as session, session.begin():
        entry = load_entry(session, entry_of(platform, dataset))
        number = mark_published(session, entry, entry.version + 1)
        record_act(session, entry, "publish", to=state, by=None, now=NOW, published_number=number, version=entry.version + 1)


def write(platform: Platform, dataset: str, columns: Mapping[str, Mapping[str, Any]]) -> None:
    """A draft of a change."""
    with platform.store.session() as session, session.begin():
        entry = load_entry(session, entry_of(platform, dataset))
        changed: EntryContent = replace(
            entry.content, columns=tuple(replace(column, **columns.get(column.name, {})) for column in entry.content.columns)
        )
        changes = write_content(session, entry, changed, by=None, now=NOW, reason="改级")
        record_act(session, entry, "edit", to=State.CHANGING, by=None, now=NOW, **changes)


def entry_of(platform: Platform, dataset: str) -> int:
    with platform.store.session() as session:
        resource = resource_of(session, dataset)
    assert resource is not None
    return resource.entry


def told(platform: Platform) -> int:
    return tell_regraded(platform.store, platform.lake, platform.log, now=NOW)


def level_of(platform: Platform, target: str, column: str) -> Level:
    with platform.store.session() as session:
        return load_target(session, platform.lake, target).columns[column].facts.level


def test_a_sources_regrading_reaches_the_golden_element_and_the_next_extract(platform: Platform, tmp_path: Path) -> None:
    made = platform.grant(columns=COLUMNS)
    before = platform.door.extract("lin", made.id, tmp_path / "a.parquet", "parquet")
    regrade(platform, tmp_path, "hukou", "name", "L4")
    assert level_of(platform, "golden", "name") is Level.L4
    after = platform.door.extract("lin", made.id, tmp_path / "b.parquet", "parquet")
    assert before.path and after.path
    assert in_order(platform, made, read_parquet(before.path))[0]["name"] == "王**"
    assert {row["name"] for row in read_parquet(after.path)} == {None}


def test_a_data_set_that_contributes_nothing_raises_no_golden_level(platform: Platform, tmp_path: Path) -> None:
    content = contract("strict", "police", ["record", "sex:sex"])
    content["schema"][0]["properties"][1]["customProperties"].append({"property": "level", "value": "L4"})
    (tmp_path / "strict.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    assert not register(platform.store, [tmp_path / "strict.yaml"], now=NOW).refused
    with platform.store.session() as session:
        assert session.get(DatasetColumnRow, ("strict", 1)) is not None
    assert level_of(platform, "golden", "sex") is Level.L2


def test_a_column_is_never_graded_below_its_class(platform: Platform, tmp_path: Path) -> None:
    """G-07, G-08: the department's grading may be stricter, not laxer."""
    regrade(platform, tmp_path, "hukou", "phone", "L1")
    assert level_of(platform, "hukou", "phone") is Level.L3


def test_grantee_and_bureau_are_told_once_and_the_log_holds_it(platform: Platform, tmp_path: Path) -> None:
    made, other = platform.grant(columns=COLUMNS), platform.grant(columns=["sex"])
    assert told(platform) == 0
    regrade(platform, tmp_path, "hukou", "name", "L4")
    assert (told(platform), told(platform)) == (1, 0)
    with platform.store.session() as session:
        mine, bureaus = list_regradings(session, "civil_affairs"), list_regradings(session)
    assert [(one.grant, one.department) for one in (*mine, *bureaus)] == [(made.id, "civil_affairs"), (made.id, None)]
    assert other.id not in {one.grant for one in bureaus}
    assert mine[0].columns["name"]["before"]["level"] == "L2"
    assert mine[0].columns["name"]["now"] == {"level": "L4", "mask": "suppress", "minor_mask": "suppress"}
    record = platform.last().record
    assert record.event is Event.GRANT_REGRADED
    assert (record.body["grant"], [one["column"] for one in record.body["columns"]]) == (made.id, ["name"])


def test_an_ended_grant_is_touched_by_nothing(platform: Platform, tmp_path: Path) -> None:
    made = platform.grant(columns=COLUMNS)
    change_state(platform.store, platform.log, by="operator", grant_id=made.id, state=GrantState.ENDED, why="用毕")
    regrade(platform, tmp_path, "hukou", "name", "L4")
    assert told(platform) == 0


def test_what_was_graded_back_is_told_too(platform: Platform, tmp_path: Path) -> None:
    platform.grant(columns=COLUMNS, tier=Tier.T3)
    for level in ("L4", "L2"):
        regrade(platform, tmp_path, "hukou", "name", level)
        assert told(platform) == 1
    with platform.store.session() as session:
        assert len(list_regradings(session)) == 2


def test_who_was_told_takes_note_and_nobody_else(platform: Platform, tmp_path: Path) -> None:
    platform.grant(columns=COLUMNS)
    regrade(platform, tmp_path, "hukou", "name", "L4")
    told(platform)
    with platform.store.session() as session, session.begin():
        notice = list_regradings(session, "civil_affairs")[0]
        with pytest.raises(Denied, match="TKT-PARTY"):
            see_regrading(session, notice.id, by="operator", department=None, now=NOW)
        assert see_regrading(session, notice.id, by="lin", department="civil_affairs", now=NOW).seen_by == "lin"
        assert list_regradings(session, "civil_affairs") == []
        assert len(list_regradings(session, "civil_affairs", unseen=False)) == 1
        with pytest.raises(NotFound, match="TKT-NOTICE"):
            see_regrading(session, 99, by="lin", department="civil_affairs", now=NOW)


def test_a_published_entrys_level_reaches_the_golden_element_and_the_next_extract(platform: Platform, tmp_path: Path) -> None:
    """Issue 5 point 1: at once, with a grant that was made before; and grantee and bureau are told."""
    made = platform.grant(columns=COLUMNS)
    assert told(platform) == 0
    publish_entry(platform, "hukou", {"name": {"level": "L4"}})
    assert (level_of(platform, "golden", "name"), level_of(platform, "hukou", "name")) == (Level.L4, Level.L4)
    after = platform.door.extract("lin", made.id, tmp_path / "b.parquet", "parquet")
    assert after.path and {row["name"] for row in read_parquet(after.path)} == {None}
    assert told(platform) == 1


def test_a_draft_of_an_entry_grades_nothing_and_a_cancelled_entry_still_does(platform: Platform) -> None:
    write(platform, "hukou", {"name": {"level": "L4"}})
    assert level_of(platform, "golden", "name") is Level.L2
    publish_entry(platform, "hukou", {"name": {"level": "L4"}}, State.CANCELLED)
    assert level_of(platform, "golden", "name") is Level.L4


def test_what_a_published_entry_does_not_share_is_not_shared(platform: Platform) -> None:
    made = platform.grant(target="hukou", columns=["record", "name"])
    publish_entry(platform, "hukou", {"name": {"share": "none"}})
    with pytest.raises(Denied, match="不予共享"):
        platform.door.extract("lin", made.id, platform.home.root / "exports" / "x.csv", "csv")


LEVELS = st.sampled_from(sorted(Level))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contract_level=LEVELS, entry_level=LEVELS, column=st.sampled_from(["name", "phone"]))
def test_the_level_used_is_the_highest_of_all_that_are_stated(
    platform: Platform, contract_level: Level, entry_level: Level, column: str
) -> None:
    """The naive rule: the maximum of contract, published entry, and the class of the field (G-01, G-07)."""
    with platform.store.session() as session, session.begin():
        row = session.query(DatasetColumnRow).filter_by(dataset_key="hukou", name=column).one()
        row.level = contract_level.value
    publish_entry(platform, "hukou", {column: {"level": entry_level.value}})
    floor = {"name": "L2", "phone": "L3"}[column]
    expected = max(contract_level, entry_level, floor)
    assert level_of(platform, "golden", column) == level_of(platform, "hukou", column) == expected
