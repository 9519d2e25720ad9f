"""What follows a grant: supply, suspension, use reports, end, disposal, archive (law.md L-19, L-26, L-27, L-28, L-30; TX-07)."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from access.grants import change_state, load_grant
from access.terms import GrantState
from casework.requests.moves import State
from casework.requests.using import use_reports
from casework.scorecards import Period, scorecard
from pipelines.road import Road
from rules.errors import Denied, Refused
from tests.casework.conftest import at
from tests.casework.requests.conftest import (
    AGREE,
    BUREAU,
    CERTIFICATE,
    CLERK,
    DAY,
    HEAD,
    PROVIDER,
    PROVIDER_HEAD,
    USE,
    Desk,
)


def test_a_file_counts_as_supplied_when_an_extract_was_handed_over(desk: Desk, tmp_path: Path) -> None:
    number = desk.answered(AGREE)
    desk.refused("REQ-SUPPLY", lambda: desk.do("supply", number), number)
    grant = desk.dossier(number).grant
    desk.platform.door.extract(CLERK, grant, tmp_path / "out.csv", "csv")
    desk.do("supply", number, by="operator")
    assert desk.state(number) is State.IN_USE


def test_misuse_suspends_the_grant_at_once_until_it_is_set_right_or_ended(desk: Desk, tmp_path: Path) -> None:
    """L-27: 正常 → 暂停 → (恢复 / 终止); the grant goes with the request."""
    p, number = desk.platform, desk.in_use(tmp_path)
    grant = desk.dossier(number).grant
    desk.refused("REQ-DAY", lambda: desk.do("suspend", number, why="超范围使用", rectify_by=DAY.date()), number)
    desk.do("suspend", number, why="超范围使用", rectify_by=date(2026, 12, 10))
    with pytest.raises(Denied):
        p.door.extract(CLERK, grant, tmp_path / "out.csv", "csv")
    with pytest.raises(Refused, match="DOOR-REQUESTED"):
        change_state(p.store, p.log, by="operator", grant_id=grant, state=GrantState.ACTIVE, why="x")
    desk.do("resume", number, why="已整改")
    p.door.extract(CLERK, grant, tmp_path / "out.csv", "csv")
    desk.do("suspend", number, by=BUREAU, why="再次违规", rectify_by=date(2026, 12, 10))
    desk.do("end", number, by=PROVIDER, why="未按期整改")
    with pytest.raises(Denied):
        p.door.extract(CLERK, grant, tmp_path / "out.csv", "csv")


def test_a_provider_does_not_end_what_is_in_use_by_itself(desk: Desk, tmp_path: Path) -> None:
    """L-28: without good reason and the bureau it may not."""
    number = desk.in_use(tmp_path)
    desk.refused("REQ-PARTY", lambda: desk.do("end", number, by=PROVIDER_HEAD, why="不想提供"), number)
    desk.do("end", number, by=BUREAU, why="已备案")


def test_the_use_is_recorded_until_the_copy_is_gone_and_others_inspect_it(desk: Desk, tmp_path: Path) -> None:
    """L-30: 使用场景、使用过程、应用成效、存储情况; by the requester only, each of them."""
    number = desk.in_use(tmp_path)
    empty = replace(USE, effect=" ")
    desk.refused("REQ-TEXT", lambda: desk.do("report_use", number, report=empty), number)
    desk.refused("REQ-PARTY", lambda: desk.do("report_use", number, by=PROVIDER, report=USE), number)
    desk.do("report_use", number, report=USE)
    desk.do("end", number, why="已完成")
    desk.do("report_use", number, by=HEAD, report=replace(USE, effect="核减 15 户"))
    desk.do("dispose", number, now=at("2027-07-02"), certificate=CERTIFICATE)
    desk.refused("REQ-MOVE", lambda: desk.do("report_use", number, report=USE), number)
    with desk.platform.store.session() as session:
        assert [(one.by, one.report.effect) for one in use_reports(session, number)] == [(CLERK, USE.effect), (HEAD, "核减 15 户")]


def test_a_use_without_a_report_counts_against_the_requester(desk: Desk, tmp_path: Path) -> None:
    """F-03 成效填报率: due a month after the supply, held for a year; who ended before the period is not asked."""

    def rate(first: date, last: date) -> list[tuple[str, int, int]]:
        with desk.platform.store.session() as session:
            scores = scorecard(session, Period(first=first, last=last, today=last), metrics=["use_reports"])
        return [(score.department, score.numerator, score.denominator) for score in scores]

    number = desk.in_use(tmp_path)
    december, january, february = (
        (date(2026, 12, 1), date(2026, 12, 22)),
        (date(2027, 1, 1), date(2027, 1, 31)),
        (date(2027, 2, 1), date(2027, 2, 28)),
    )
    assert (rate(*december), rate(*january)) == ([], [("civil_affairs", 0, 1)]), "supplied on 2026-11-23"
    desk.do("report_use", number, report=USE, now=at("2027-02-01"))
    assert (rate(*january), rate(*february)) == ([("civil_affairs", 0, 1)], [("civil_affairs", 1, 1)])
    assert rate(date(2028, 2, 1), date(2028, 3, 1)) == [("civil_affairs", 0, 1)], "it is more than a year old"
    desk.do("end", number, why="已完成", now=at("2027-02-10"))
    assert (rate(*february), rate(date(2027, 3, 1), date(2027, 3, 31))) == ([("civil_affairs", 1, 1)], [])


def test_what_is_over_is_ended_and_its_disposal_still_owed(desk: Desk, tmp_path: Path) -> None:
    number, other = desk.in_use(tmp_path), desk.at_provider()
    assert desk.do("expire", 0, now=at("2027-06-30")) == []
    assert desk.do("expire", 0, now=at("2027-07-01")) == [number]
    assert (desk.state(number), desk.state(other)) == (State.ENDED, State.PROVIDER_REVIEW)
    desk.do("dispose", number, now=at("2027-07-02"), certificate=CERTIFICATE)
    with desk.platform.store.session() as session:
        grant = load_grant(session, desk.dossier(number).grant)
    assert grant is not None and grant.state is GrantState.ENDED


def test_the_daily_run_ends_what_is_over_by_itself(desk: Desk, tmp_path: Path) -> None:
    """L-14, L-26: nobody has to remember; the platform's own account stands in the history."""
    p, number = desk.platform, desk.in_use(tmp_path)
    for day, state in (("2027-06-30", State.IN_USE), ("2027-07-01", State.ENDED)):
        p.clock.now = at(day)
        Road(home=p.home, store=p.store, lake=p.lake, clock=p.clock).hand_over()
        assert desk.state(number) is state
    assert (desk.dossier(number).steps[-1].actor, p.last().record.body["actor"]) == ("platform", "platform")


@pytest.mark.parametrize(
    ("change", "code"),
    [({"how": " "}, "REQ-TEXT"), ({"who": "13800138000"}, "REQ-TEXT"), ({"on": date(2026, 12, 31)}, "REQ-DAY")],
)
def test_a_certificate_of_disposal_is_whole_and_not_of_a_day_to_come(desk: Desk, tmp_path: Path, change: dict[str, Any], code: str) -> None:
    from dataclasses import replace

    number = desk.in_use(tmp_path)
    desk.do("end", number, why="目的已实现")
    wrong = replace(CERTIFICATE, **change)
    desk.refused(code, lambda: desk.do("dispose", number, now=at("2026-12-30"), certificate=wrong), number)


def test_the_provider_archives_what_was_disposed_of_not_the_requester(desk: Desk, tmp_path: Path) -> None:
    number = desk.in_use(tmp_path)
    desk.do("end", number, why="目的已实现")
    desk.do("dispose", number, now=at("2026-12-30"), certificate=CERTIFICATE)
    desk.refused("REQ-PARTY", lambda: desk.do("archive", number, by=CLERK), number)
    desk.do("archive", number, by=PROVIDER)
