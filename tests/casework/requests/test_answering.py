"""The provider's answer: supplement, extension, refusal, impact, two persons (law.md L-02, L-11, L-17, L-18; TX-05, TX-06, TX-08)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from typing import Any

import pytest

from access.accounts import Role, create_account
from access.grants import list_grants
from casework.calendar import publish_limits
from casework.clocks import Outcome
from casework.requests.answering import Answer, RefusalReason
from casework.requests.moves import AnswerKind, State
from rules.errors import Refused
from tests.casework.conftest import at
from tests.casework.requests.conftest import (
    AGREE,
    DAY,
    HEAD,
    LAW,
    PROVIDER,
    PROVIDER_HEAD,
    SUPPLEMENT,
    TERMS,
    Desk,
    changed,
)


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
