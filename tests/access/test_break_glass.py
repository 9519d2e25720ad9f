"""Break-glass: for one hour, for oneself, told to the owner at once; the review that is owed blocks the next."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from access.accounts import Role, create_account, load_account
from access.break_glass import EMERGENCY_LASTS, Emergency, break_glass, emergencies_told, review_emergency
from access.terms import Mode
from audit.events import Event
from rules.errors import Denied, NotFound, Refused
from tests.access.conftest import NOW, Platform

REASON = "走失老人身份核实，须立即联系家属"


def broken(platform: Platform, **changes: Any) -> Emergency:
    terms = {"by": "lin", "target": "hukou", "columns": ["record", "phone"], "reason": REASON, "now": NOW, "mode": Mode.FILE}
    return break_glass(platform.store, platform.lake, platform.log, **{**terms, **changes})


def reviewed(platform: Platform, **changes: Any) -> Emergency:
    terms = {"by": "gong", "emergency": 1, "justified": True, "finding": "属实", "now": NOW}
    return review_emergency(platform.store, platform.log, **{**terms, **changes})


@pytest.fixture
def people(platform: Platform) -> Platform:
    more = [
        ("bai", "civil_affairs", Role.DEPARTMENT_REQUESTER),
        ("gong", "police", Role.DEPARTMENT_HEAD),
        ("jing", "police", Role.DEPARTMENT_REQUESTER),
        ("shen", None, Role.BUREAU_APPROVER),
        ("zhang", "civil_affairs", Role.DEPARTMENT_HEAD),
    ]
    for name, department, role in more:
        create_account(platform.store, platform.log, by="operator", name=name, title=name, department=department, roles=[role], now=NOW)
    return platform


def told(platform: Platform, name: str) -> list[int]:
    with platform.store.session() as session:
        return [one.id for one in emergencies_told(session, load_account(session, name))]


def test_the_data_is_there_at_once_in_plaintext_and_gone_after_an_hour(people: Platform, tmp_path: Path) -> None:
    emergency = broken(people)
    people.clock.now = NOW + EMERGENCY_LASTS - timedelta(seconds=1)
    people.door.extract("lin", emergency.grant, tmp_path / "now.csv", "csv")
    assert "13800138001" in (tmp_path / "now.csv").read_text(encoding="utf-8-sig")
    people.clock.now = NOW + EMERGENCY_LASTS
    with pytest.raises(Denied, match="no longer valid"):
        people.door.extract("lin", emergency.grant, tmp_path / "late.csv", "csv")


def test_an_extract_that_is_under_way_when_the_hour_ends_stops(people: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    emergency = broken(people)
    from access import delivery, files

    write = files.write

    def slow(*arguments: Any) -> int:
        rows = write(*arguments)
        people.clock.now = NOW + EMERGENCY_LASTS
        return rows

    monkeypatch.setattr(delivery, "write", slow)
    with pytest.raises(Denied, match="DOOR-STOPPED"):
        people.door.extract("lin", emergency.grant, tmp_path / "late.csv", "csv")
    assert not (tmp_path / "late.csv").exists()


def test_it_serves_nobody_else_of_the_department(people: Platform, tmp_path: Path) -> None:
    emergency = broken(people)
    for name in ("bai", "zhang", "he"):
        with pytest.raises(Denied, match="DOOR-DENIED"):
            people.door.extract(name, emergency.grant, tmp_path / "x.csv", "csv")


def test_the_owner_is_told_at_once_and_only_who_it_concerns(people: Platform) -> None:
    emergency = broken(people)
    opened = people.last().record
    assert (opened.event, opened.body["told"], opened.body["why"]) == (Event.EMERGENCY_OPENED, "police", REASON)
    assert [told(people, name) for name in ("gong", "shen", "zhang", "he")] == [[emergency.id], [emergency.id], [emergency.id], []]


def test_while_the_review_is_owed_nobody_of_the_department_breaks_the_glass_again(people: Platform) -> None:
    broken(people)
    for name in ("lin", "bai", "zhang"):
        with pytest.raises(Denied, match="GLASS-OWED"):
            broken(people, by=name, now=NOW + timedelta(days=30))
        assert people.last().record.body == {"actor": name, "why": "GLASS-OWED"}
    assert reviewed(people).justified is True
    assert people.last().record.event is Event.EMERGENCY_REVIEWED
    assert broken(people, by="bai").id == 2


@pytest.mark.parametrize("by", ["lin", "bai", "zhang", "jing", "he", "operator", "auditor"])
def test_the_review_is_the_owner_s_head_s_or_the_bureau_s_and_never_of_the_same_department(people: Platform, by: str) -> None:
    broken(people)
    for number in (1, 99):
        with pytest.raises(Denied, match="DOOR-DENIED"):
            reviewed(people, by=by, emergency=number)
    with pytest.raises(Denied, match="GLASS-OWED"):
        broken(people)


def test_a_department_does_not_review_its_own_emergency_over_its_own_data(people: Platform) -> None:
    broken(people, by="jing")
    with pytest.raises(Denied, match="DOOR-DENIED"):
        reviewed(people, by="gong")
    assert reviewed(people, by="shen", justified=False).justified is False


def test_a_review_has_a_finding_and_is_done_once(people: Platform) -> None:
    broken(people)
    with pytest.raises(Refused, match="GLASS-TERMS"):
        reviewed(people, finding=" ")
    reviewed(people)
    with pytest.raises(Refused, match="GLASS-STATE"):
        reviewed(people)
    with pytest.raises(NotFound, match="GLASS-NONE"):
        reviewed(people, by="shen", emergency=99)


@pytest.mark.parametrize("wrong", [{"reason": "急"}, {"reason": "请查13800138000的主人在哪里"}, {"columns": []}, {"columns": ["gone"]}])
def test_faulty_terms_break_no_glass(people: Platform, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="GLASS-TERMS"):
        broken(people, **wrong)
    assert people.last().record.body == {"actor": "lin", "why": "GLASS-TERMS"}
    assert broken(people).id == 1


@pytest.mark.parametrize("by", ["operator", "auditor", "shen"])
def test_the_bureau_s_people_break_no_glass(people: Platform, by: str) -> None:
    with pytest.raises(Denied, match="DOOR-DENIED"):
        broken(people, by=by)
