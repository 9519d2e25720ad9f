"""The road of a request from the draft to the archive, its clocks, and who may do what (law.md L-02, L-14…L-27; TX-03…TX-08)."""

from datetime import date
from functools import partial
from pathlib import Path

from access.grants import load_grant
from access.terms import GrantState, Mode, Quota
from casework.calendar import publish_limits
from casework.clocks import Outcome
from casework.requests.answering import Answer, RefusalReason
from casework.requests.moves import AnswerKind, State
from casework.requests.writing import proposed_tier
from rules.tiers import Tier
from tests.casework.conftest import at
from tests.casework.requests.conftest import (
    AGREE,
    CERTIFICATE,
    CLERK,
    DAY,
    PROVIDER_HEAD,
    STRANGER,
    TERMS,
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
