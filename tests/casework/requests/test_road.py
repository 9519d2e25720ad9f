"""The road of a request from the draft to the archive, its clocks, and who may do what (law.md L-02, L-14…L-27; TX-03…TX-08)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from access.accounts import Role, create_account
from access.grants import change_state, list_grants, load_grant
from access.terms import GrantState, Mode, Quota
from casework.calendar import publish_limits
from casework.clocks import Outcome
from casework.requests.answering import Answer, RefusalReason
from casework.requests.moves import AnswerKind, State
from casework.requests.using import use_reports
from casework.requests.writing import proposed_tier
from casework.scorecards import Period, scorecard
from pipelines.road import Road
from rules.errors import Denied, Refused
from rules.tiers import Tier
from tests.casework.conftest import at
from tests.casework.requests.conftest import (
    AGREE,
    BUREAU,
    CERTIFICATE,
    CLERK,
    DAY,
    HEAD,
    LAW,
    PROVIDER,
    PROVIDER_HEAD,
    STRANGER,
    SUPPLEMENT,
    TERMS,
    USE,
    Desk,
    changed,
    republish,
)


def test_a_request_runs_its_whole_road_with_its_clocks(desk: Desk, tmp_path: Path) -> None:
    number = desk.draft()
    assert (desk.state(number), desk.clocks(number)) == (State.DRAFT, {})
    desk.do("submit", number)
    assert desk.state(number) is State.HEAD_REVIEW
    desk.do("approve", number)
    assert (desk.state(number), desk.clocks(number)) == (State.CONFORMITY, {"conformity_check": date(2026, 11, 25)})
    desk.do("check", number, now=at("2026-11-24"))
    assert (desk.state(number), desk.clocks(number)) == (State.PROVIDER_REVIEW, {"answer_conditional": date(2026, 12, 8)})
    desk.do("answer", number, now=at("2026-11-25"), answer=AGREE)
    desk.do("impact", number, now=at("2026-11-26"))
    desk.do("confirm", number, now=at("2026-11-26"))
    assert (desk.state(number), desk.clocks(number)) == (State.SUPPLYING, {"supply": date(2026, 12, 24)})
    grant = desk.dossier(number).grant
    desk.platform.door.extract(CLERK, grant, tmp_path / "out.csv", "csv")
    desk.do("supply", number, now=at("2026-11-30"))
    assert (desk.state(number), desk.clocks(number)) == (State.IN_USE, {})
    desk.do("end", number, now=at("2026-12-29"), why="核查已完成")
    desk.do("dispose", number, now=at("2026-12-30"), certificate=CERTIFICATE)
    desk.do("archive", number, now=at("2026-12-31"))
    dossier = desk.dossier(number)
    assert [step.move for step in dossier.steps] == [
        "draft", "submit", "approve", "check", "answer", "impact", "confirm", "supply", "end", "dispose", "archive",
    ]  # fmt: skip
    assert [(clock.clock, clock.outcome) for clock in dossier.clocks] == [
        ("conformity_check", Outcome.DONE),
        ("answer_conditional", Outcome.DONE),
        ("supply", Outcome.DONE),
    ]
    assert (dossier.request.decided_by, dossier.request.received_at, dossier.request.version) == (PROVIDER_HEAD, at("2026-11-24"), 10)
    assert [event for event in desk.platform.events() if event.startswith("casework")].count("casework:request:moved") == 9


def test_a_grant_freezes_the_agreed_terms_with_the_published_conditions(desk: Desk) -> None:
    number = desk.draft(changed(quotas={Quota.EXTRACTS: 2}, case_number="2026-17"))
    for name in ("submit", "approve", "check"):
        desk.do(name, number)
    desk.answered(AGREE, number)
    with desk.platform.store.session() as session:
        grant = load_grant(session, desk.dossier(number).grant)
    assert grant is not None and grant.state is GrantState.ACTIVE
    assert (grant.columns, grant.tier, grant.valid_to, grant.request) == (TERMS.columns, TERMS.tier, TERMS.valid_to, number)
    assert (grant.case_number, grant.quotas, grant.responsible) == ("2026-17", {Quota.EXTRACTS: 2}, CLERK)
    assert grant.conditions == ("经数源部门同意，仅用于申请时列明的用途。",)


def test_going_above_the_lowest_sufficient_tier_needs_a_reason(desk: Desk) -> None:
    """I-07: names and phones come out masked under T2."""
    number = desk.draft(changed(tier=Tier.T3))
    assert "I-07" in desk.refused("REQ-TERMS", lambda: desk.do("submit", number), number)
    reasoned = desk.draft(changed(tier=Tier.T3, tier_reason="须电话核实"))
    desk.do("submit", reasoned)
    assert desk.request(reasoned).terms.tier_reason == "须电话核实"


def test_a_draft_is_proposed_the_lowest_sufficient_tier(desk: Desk) -> None:
    p = desk.platform

    def proposed(target: str, columns: list[str], mode: Mode) -> Tier:
        return proposed_tier(p.store, p.lake, target, columns, mode)

    assert proposed("hukou", ["name", "phone"], Mode.FILE) is Tier.T2
    assert proposed("golden", ["name", "marital_status"], Mode.LOOKUP) is Tier.T3
    assert proposed("golden", ["religion"], Mode.TABLE) is Tier.T4
    assert proposed("golden", ["religion"], Mode.VERIFY) is Tier.T1


def test_the_masks_that_a_request_names_are_those_of_its_grant(desk: Desk) -> None:
    wrong = desk.draft(changed(masks={"phone": "keep"}))
    assert "phone" in desk.refused("REQ-TERMS", lambda: desk.do("submit", wrong), wrong)
    number = desk.draft(changed(masks={"phone": "pseudonym"}))
    for name in ("submit", "approve", "check"):
        desk.do(name, number)
    desk.answered(AGREE, number)
    with desk.platform.store.session() as session:
        grant = load_grant(session, desk.dossier(number).grant)
    assert grant is not None and grant.masks == {"phone": "pseudonym"}


def test_unconditional_data_is_asked_for_and_answered_within_one_working_day(desk: Desk) -> None:
    """TX-03: it is no reason to go without a request; received on Friday 2026-09-18 it is due on Sunday the 20th (L-36)."""
    republish(desk, {name: {"share": "unconditional"} for name in TERMS.columns})
    number = desk.at_provider(changed(valid_from=date(2026, 9, 1)), now=at("2026-09-18"))
    assert (desk.request(number).share, desk.clocks(number)) == ("unconditional", {"answer_unconditional": date(2026, 9, 20)})
    weak = Answer(kind=AnswerKind.REFUSE, reasons=(RefusalReason.OTHER,))
    assert "L-09" in desk.refused("REQ-REASON", lambda: desk.do("answer", number, answer=weak, why="不便提供"), number)


def test_one_column_of_two_makes_a_request_conditional(desk: Desk) -> None:
    """C-14: the most restrictive column decides."""
    republish(desk, {"record": {"share": "unconditional"}})
    assert desk.request(desk.at_provider()).share == "conditional"
    assert desk.request(desk.at_provider(changed(columns=("record",)))).share == "unconditional"


def test_local_limits_shorten_the_clocks(desk: Desk) -> None:
    p = desk.platform
    publish_limits(p.store, p.log, by="operator", days={"answer_conditional": 5}, reason="市办法", now=DAY)
    assert desk.clocks(desk.at_provider()) == {"answer_conditional": date(2026, 11, 30)}


def test_a_supplement_is_asked_once_and_the_clock_of_the_answer_starts_with_the_complete_request(desk: Desk) -> None:
    number = desk.answered(SUPPLEMENT)
    assert (desk.state(number), desk.clocks(number)) == (State.SUPPLEMENT, {})
    assert desk.dossier(number).steps[-1].facts["answer"]["missing"] == ["办事场景说明", "使用单位清单"]
    desk.do("edit", number, now=at("2026-11-30"), terms=changed(scene="低保审批系统，乡镇受理"))
    desk.do("submit", number, now=at("2026-11-30"))
    assert desk.state(number) is State.SUPPLEMENT_REVIEW
    desk.do("approve", number, now=at("2026-12-01"))
    request = desk.request(number)
    assert (request.state, desk.clocks(number)) == (State.PROVIDER_REVIEW, {"answer_conditional": date(2026, 12, 15)})
    assert (request.received_at, request.complete_at) == (DAY, at("2026-12-01")), "both times are kept (L-38)"
    assert [(c.clock, c.outcome) for c in desk.dossier(number).clocks][1:] == [
        ("answer_conditional", Outcome.VOID),
        ("answer_conditional", None),
    ]
    desk.refused("REQ-SUPPLEMENT", lambda: desk.do("answer", number, answer=SUPPLEMENT), number)
    desk.answered(AGREE, number)


def test_a_city_may_let_the_clock_run_on_through_a_supplement(desk: Desk) -> None:
    p = desk.platform
    publish_limits(p.store, p.log, by="operator", days={}, supplement="runs_on", reason="市办法", now=DAY)
    number = desk.answered(SUPPLEMENT)
    due = {"answer_conditional": date(2026, 12, 7)}
    assert desk.clocks(number) == due
    for name in ("submit", "approve"):
        desk.do(name, number, now=at("2026-12-01"))
    assert desk.clocks(number) == due


def test_an_extension_takes_the_bureaus_consent_and_happens_once(desk: Desk) -> None:
    number = desk.at_provider()
    desk.do("extend", number, why="数据分散在各所", days=10)
    assert desk.clocks(number) == {"answer_conditional": date(2026, 12, 7)}, "asking alone moves nothing"
    desk.do("consent", number, now=at("2026-11-24"))
    assert desk.clocks(number) == {"answer_conditional": date(2026, 12, 21)}
    told = desk.dossier(number).steps[-1].facts
    assert (told["due"], told["told"]) == ("2026-12-21", "civil_affairs")
    desk.refused("REQ-EXTENSION", lambda: desk.do("extend", number, why="再延", days=1), number)


def test_a_supplement_makes_no_second_extension_lawful(desk: Desk) -> None:
    """TX-06: ten working days at most, however often the clock of the answer starts."""
    number = desk.at_provider()
    desk.do("extend", number, why="数据分散在各所", days=10)
    desk.do("consent", number)
    desk.answered(SUPPLEMENT, number)
    for name in ("submit", "approve"):
        desk.do(name, number)
    desk.refused("REQ-EXTENSION", lambda: desk.do("extend", number, why="再延", days=1), number)


@pytest.mark.parametrize(("days", "day"), [(0, "2026-11-23"), (11, "2026-11-23"), (5, "2026-12-08")])
def test_no_extension_beyond_ten_working_days_or_when_it_is_late(desk: Desk, days: int, day: str) -> None:
    """TX-06."""
    number = desk.at_provider()
    desk.refused("REQ-EXTENSION", lambda: desk.do("extend", number, why="理由", days=days, now=at(day)), number)


def test_while_an_extension_waits_the_provider_may_answer_and_the_bureau_may_decline(desk: Desk) -> None:
    number = desk.at_provider()
    desk.do("extend", number, why="数据分散在各所", days=3)
    desk.do("decline", number, why="无正当理由")
    assert (desk.state(number), desk.clocks(number)) == (State.PROVIDER_REVIEW, {"answer_conditional": date(2026, 12, 7)})
    desk.do("extend", number, why="数据分散在各所", days=3)
    desk.do("answer", number, answer=AGREE)
    assert desk.state(number) is State.ANSWER_REVIEW


def test_a_lawful_refusal_ends_it_with_its_reason(desk: Desk) -> None:
    number = desk.answered(LAW, why="敏感个人信息，无特定目的")
    request = desk.request(number)
    assert (request.state, request.reason, desk.clocks(number)) == (State.REFUSED, "敏感个人信息，无特定目的", {})
    assert request.answer["citation"].startswith("法律《中华人民共和国个人信息保护法》")
    assert desk.dossier(number).grant is None


def reasons(*codes: RefusalReason, **more: Any) -> Answer:
    return Answer(kind=AnswerKind.REFUSE, reasons=codes, **more)


@pytest.mark.parametrize(
    ("answer", "why", "code", "rule"),
    [
        (reasons(), "不便提供", "REQ-REASON", "L-18"),
        (reasons(RefusalReason.OTHER), " ", "REQ-TEXT", "未填写"),
        (reasons(RefusalReason.OTHER), "涉及13800138000", "REQ-TEXT", "手机号"),
        (reasons(RefusalReason.LAW_FORBIDS), "涉密", "REQ-REASON", "L-10"),
        (reasons(RefusalReason.LAW_FORBIDS, citation="《公安部信息管理办法》第三条"), "部门规章", "REQ-REASON", "L-10"),
        (reasons(RefusalReason.LAW_FORBIDS, citation="《中华人民共和国个人信息保护法》"), "未写条款", "REQ-REASON", "L-10"),
        (reasons(RefusalReason.NOT_READY), "系统未建成", "REQ-REASON", "L-18"),
        (reasons(RefusalReason.NOT_HELD), "在卫健", "REQ-REASON", "§7.2"),
        (reasons(RefusalReason.INCOMPLETE), "材料不全", "REQ-INCOMPLETE", ""),
        (reasons(RefusalReason.OTHER, RefusalReason.INCOMPLETE), "材料不全", "REQ-INCOMPLETE", ""),
    ],
)
def test_reasons_that_the_law_does_not_know_refuse_nothing(desk: Desk, answer: Answer, why: str, code: str, rule: str) -> None:
    """TX-05, L-10, L-18, §7.2."""
    number = desk.at_provider()
    assert rule in desk.refused(code, lambda: desk.do("answer", number, answer=answer, why=why), number)


def test_data_held_elsewhere_goes_back_to_the_bureau_and_does_not_end(desk: Desk) -> None:
    number = desk.answered(reasons(RefusalReason.NOT_HELD, holder="health"), why="由卫健部门采集")
    assert (desk.state(number), desk.clocks(number)) == (State.CONFORMITY, {"conformity_check": date(2026, 11, 25)})
    assert desk.request(number).answer["holder"] == "health"
    desk.do("send_back", number, why="请改向卫健部门申请")
    assert desk.state(number) is State.DRAFT


def test_no_condition_is_added_to_an_answer(desk: Desk) -> None:
    """L-11: published ones may be repeated, others come into the catalogue first."""
    number = desk.at_provider()
    for answer, why in ((Answer(kind=AnswerKind.AGREE, conditions=("须派员驻点",)), ""), (AGREE, "但须每月报告")):
        desk.refused("REQ-CONDITION", partial(desk.do, "answer", number, answer=answer, why=why), number)
    desk.do("answer", number, answer=Answer(kind=AnswerKind.AGREE, conditions=("经数源部门同意，仅用于申请时列明的用途。",)))


def test_nobody_approves_his_own(desk: Desk) -> None:
    """TX-08: a head who is also the applicant, a head who prepared the answer, a clerk who asked for the extension."""
    p = desk.platform
    own = desk.draft(by=HEAD)
    desk.do("submit", own, by=HEAD)
    desk.refused("REQ-SECOND", lambda: desk.do("approve", own, by=HEAD), own)
    number = desk.at_provider()
    desk.do("answer", number, by=PROVIDER_HEAD, answer=AGREE)
    desk.do("impact", number, by=PROVIDER_HEAD)
    desk.refused("REQ-SECOND", lambda: desk.do("confirm", number, by=PROVIDER_HEAD), number)
    create_account(p.store, p.log, by="operator", name="both", title="x", department="civil_affairs",
                   roles=[Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD], now=DAY)  # fmt: skip
    twice = desk.draft(by="both")
    desk.do("submit", twice, by="both")
    desk.refused("REQ-SECOND", lambda: desk.do("approve", twice, by="both"), twice)
    desk.do("approve", twice, by=HEAD)


def test_who_edited_the_terms_of_another_may_not_approve_them(desk: Desk) -> None:
    number = desk.draft()
    desk.do("edit", number, by=HEAD, terms=changed(purpose="救助核查"))
    desk.do("submit", number)
    desk.refused("REQ-SECOND", lambda: desk.do("approve", number), number)


def test_a_stale_version_is_refused(desk: Desk) -> None:
    number = desk.draft()
    seen = desk.request(number).version
    desk.do("edit", number, seen=seen, terms=changed(purpose="救助核查"))
    stale = desk.refused("REQ-STALE", lambda: desk.do("edit", number, by=HEAD, seen=seen, terms=TERMS), number)
    assert stale == f"{seen} ≠ {seen + 1}"
    assert desk.request(number).terms.purpose == "救助核查"


def test_of_two_who_confirm_at_once_one_makes_the_grant(desk: Desk) -> None:
    p = desk.platform
    heads = [PROVIDER_HEAD, "vice"]
    create_account(p.store, p.log, by="operator", name="vice", title="x", department="police", roles=[Role.DEPARTMENT_HEAD], now=DAY)
    number = desk.at_provider()
    desk.do("answer", number, answer=AGREE)
    for head in heads:
        desk.do("impact", number, by=head)

    def confirm(head: str) -> str:
        try:
            return str(desk.do("confirm", number, by=head).state)
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(confirm, heads)) == ["REQ-MOVE", "supplying"]
    with p.store.session() as session:
        assert len(list_grants(session)) == 1


def test_agreeing_takes_a_look_at_the_impact_of_these_terms(desk: Desk) -> None:
    number = desk.at_provider()
    desk.do("impact", number, by=PROVIDER)
    desk.do("answer", number, answer=AGREE)
    desk.refused("REQ-IMPACT", lambda: desk.do("confirm", number), number)
    desk.do("impact", number, by=PROVIDER_HEAD)
    desk.do("confirm", number)


def test_a_look_does_not_count_for_terms_that_were_changed_since(desk: Desk) -> None:
    number = desk.at_provider()
    desk.do("impact", number)
    desk.answered(SUPPLEMENT, number)
    desk.do("edit", number, terms=changed(columns=("record", "name", "phone", "secret")))
    for name in ("submit", "approve"):
        desk.do(name, number)
    desk.do("answer", number, answer=AGREE)
    desk.refused("REQ-IMPACT", lambda: desk.do("confirm", number), number)


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


def test_a_request_is_withdrawn_and_its_clocks_stop(desk: Desk) -> None:
    number = desk.at_provider()
    desk.do("withdraw", number, why="已另行取得")
    assert (desk.state(number), desk.clocks(number)) == (State.WITHDRAWN, {})
    assert desk.dossier(number).clocks[-1].outcome is Outcome.VOID
    desk.do("archive", number)


def test_a_stranger_learns_nothing_of_a_request(desk: Desk) -> None:
    number = desk.at_provider()
    for name in ("approve", "confirm", "withdraw", "archive"):
        told = desk.refused("REQ-PARTY", partial(desk.do, name, number, by=STRANGER, why="x"), number)
        assert State.PROVIDER_REVIEW.value not in told
    desk.refused("REQ-PARTY", lambda: desk.do("check", number, by="auditor"), number)
    desk.refused("DOOR-DENIED", lambda: desk.do("impact", number, by=STRANGER), number)
    desk.refused("REQ-NONE", lambda: desk.do("approve", 99))


WRONG = (
    ({"warranted": False}, "warranty"),
    ({"scene": ""}, "使用场景"),
    ({"use_scope": " "}, "使用范围"),
    ({"legal_basis": ""}, "使用依据"),
    ({"purpose": "查990605198001011234"}, "证件号"),
    ({"columns": ()}, "no columns"),
    ({"columns": ("name", "name")}, "twice"),
    ({"columns": ("name", "gone")}, "gone"),
    ({"valid_to": date(2026, 11, 1)}, "beginning"),
    ({"valid_from": date(2026, 1, 1), "valid_to": date(2026, 11, 22)}, "past"),
    ({"valid_to": date(2036, 1, 1)}, "1830"),
    ({"quotas": {Quota.EXTRACTS: 0}}, "quota"),
    ({"responsible": "zhou"}, "L-04"),
)


@pytest.mark.parametrize(("change", "told"), WRONG)
def test_faulty_terms_are_not_submitted(desk: Desk, change: dict[str, Any], told: str) -> None:
    number = desk.draft(changed(**change))
    assert told in desk.refused("REQ-TERMS", lambda: desk.do("submit", number), number)


def test_all_faults_of_the_terms_are_told_at_once(desk: Desk) -> None:
    number = desk.draft(changed(warranted=False, scene="", legal_basis="", columns=("gone",)))
    assert desk.refused("REQ-TERMS", lambda: desk.do("submit", number), number).count(";") == 3


def test_what_is_not_shared_is_not_asked_for(desk: Desk) -> None:
    number = desk.draft()
    republish(desk, {"phone": {"share": "none"}})
    assert "phone" in desk.refused("REQ-TERMS", lambda: desk.do("submit", number), number)


def test_only_what_is_published_is_asked_for_checked_and_given(desk: Desk) -> None:
    """L-12: the data set of the enterprises is registered, its entry a draft; an entry withdrawn meanwhile stops a request on its road."""
    never = desk.draft(changed(target="enterprises", columns=("scale",)))
    desk.refused("REQ-UNPUBLISHED", lambda: desk.do("submit", never), never)
    waiting, answered = desk.draft(), desk.at_provider()
    desk.do("submit", waiting)
    desk.do("answer", answered, answer=AGREE)
    desk.do("impact", answered)
    republish(desk, open_=False)
    desk.refused("REQ-UNPUBLISHED", lambda: desk.do("approve", waiting), waiting)
    desk.refused("REQ-UNPUBLISHED", lambda: desk.do("confirm", answered), answered)


def test_conditions_are_the_published_ones_of_each_column(desk: Desk) -> None:
    republish(desk, {"phone": {"share_conditions": "仅限核对联系方式"}})
    number = desk.answered(AGREE)
    with desk.platform.store.session() as session:
        grant = load_grant(session, desk.dossier(number).grant)
    assert grant is not None and grant.conditions == ("经数源部门同意，仅用于申请时列明的用途。", "仅限核对联系方式")


def test_who_belongs_to_no_department_makes_no_request_and_none_of_a_target_that_is_not_there(desk: Desk) -> None:
    desk.refused("REQ-PARTY", lambda: desk.draft(by=BUREAU))
    desk.refused("CAT-DATASET", lambda: desk.draft(changed(target="nothing")))
    desk.refused("REQ-GRANT", lambda: desk.draft(changed(widens=77)))
    own = desk.draft(changed(responsible=PROVIDER), by=PROVIDER)
    assert "provides" in desk.refused("REQ-TERMS", lambda: desk.do("submit", own, by=PROVIDER), own)


def test_golden_records_are_the_bureaus_to_answer_by_two_people(desk: Desk) -> None:
    terms = changed(target="golden", columns=("resident_id", "name", "sex"))
    number = desk.at_provider(terms)
    assert desk.request(number).provider is None
    desk.refused("REQ-PARTY", lambda: desk.do("answer", number, answer=AGREE), number)
    desk.do("answer", number, by="operator", answer=AGREE)
    desk.do("impact", number, by=BUREAU)
    desk.refused("REQ-PARTY", lambda: desk.do("confirm", number, by="operator"), number)
    desk.do("confirm", number, by=BUREAU)
    assert desk.state(number) is State.SUPPLYING


def test_a_quota_of_extracts_is_kept_by_the_door(desk: Desk, tmp_path: Path) -> None:
    p = desk.platform
    number = desk.answered(AGREE, desk.at_provider(changed(quotas={Quota.EXTRACTS: 1})))
    grant = desk.dossier(number).grant
    p.door.extract(CLERK, grant, tmp_path / "out.csv", "csv")
    with pytest.raises(Denied, match="quota"):
        p.door.extract(CLERK, grant, tmp_path / "out.csv", "csv")
    small = desk.answered(AGREE, desk.at_provider(changed(quotas={Quota.ROWS_PER_EXTRACT: 2})))
    with pytest.raises(Refused, match="DOOR-QUOTA"):
        p.door.extract(CLERK, desk.dossier(small).grant, tmp_path / "small.csv", "csv")
    assert not (tmp_path / "small.csv").exists()


def test_returned_golden_values_may_be_requested_by_the_department_that_holds_the_data_set(desk: Desk) -> None:
    """L-22: 回流, without further conditions, thus answered within one working day; L-15."""
    terms = replace(TERMS, target="return:hukou", columns=("record", "name", "marital_status"))
    number = desk.draft(replace(terms, responsible=PROVIDER), by=PROVIDER)
    desk.do("submit", number, by=PROVIDER)
    assert desk.request(number).share == "unconditional"
    other = desk.draft(terms)
    told = desk.refused("REQ-TERMS", lambda: desk.do("submit", other), other)
    assert "回流" in told
