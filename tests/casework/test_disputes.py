"""Disputes as a chain of levels (law.md L-29, Art. 28), and what their findings do to the ticket, on both databases."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from audit.events import Event
from casework import disputes, objections
from casework.disputes import Dispute, Finding, Level
from casework.moves import Kind
from catalog.home import Home
from rules.errors import NotFound, TongchouError
from tests.beginnings import Begin
from tests.casework.desk import AGREED, LI_BIRTH, Desk, furnish, opened

Do = Callable[..., Dispute]


def disputed(home: Home) -> None:
    furnish(home)
    with opened(home) as desk:
        desk.version(LI_BIRTH)
        desk.take(1, "hua")
        desk.uphold(1)
        desk.take(2, "zhou")
        desk.uphold(2, by="wu")
        dispute(desk)


@pytest.fixture
def desk(begin: Begin) -> Iterator[Desk]:
    """Ticket 2, with the police, is contested with social security, and disputed."""
    with opened(begin(disputed)) as desk:
        yield desk


def dispute(desk: Desk, ticket: int = 2, by: str = "song", document: str = "人社函〔2026〕8号", across: bool = False) -> Dispute:
    return disputes.open_dispute(desk.store, desk.log, ticket=ticket, act=desk.act(by), document=document, across=across)


def do(desk: Desk, move: Do, by: str, document: str = "纪要〔2026〕1号", **finding: Finding) -> Dispute:
    return move(desk.store, desk.log, dispute=1, act=desk.act(by, "依据户籍档案原件"), document=document, **finding)


def refused(desk: Desk, code: str, act: Callable[[], object], event: Event = Event.DISPUTE_REFUSED) -> None:
    before = desk.told(), desk.items()
    with pytest.raises(TongchouError) as fault:
        act()
    last = desk.office.last().record
    assert (fault.value.code, last.event, last.body["why"]) == (code, event, code)
    assert (desk.told(), desk.items()) == before


def test_the_chain_goes_level_by_level_and_keeps_every_document(desk: Desk) -> None:
    do(desk, disputes.coordinate, "hua", "请示〔2026〕1号")
    do(desk, disputes.refer, "operator", "报告〔2026〕2号")
    done = do(desk, disputes.decide, "operator", "府复〔2026〕3号", finding=Finding.OTHER)
    assert [(step.move, step.level, step.document) for step in done.steps] == [
        ("open", Level.NEGOTIATION, "人社函〔2026〕8号"),
        ("coordinate", Level.COORDINATION, "请示〔2026〕1号"),
        ("refer", Level.GOVERNMENT, "报告〔2026〕2号"),
        ("decide", Level.CLOSED, "府复〔2026〕3号"),
    ]
    with desk.store.session() as session:
        assert disputes.disputes_of(session, 2) == [disputes.load_dispute(session, 1)] == [done]


def test_the_side_that_was_wrong_gets_it_and_can_no_longer_call_it_correct(desk: Desk) -> None:
    do(desk, disputes.agree, "wu", finding=Finding.OTHER)
    assert desk.told()[1:] == [("police", "birth_date", 2, "closed", 1), ("hrss", "birth_date", 1, "raised", 1)]
    desk.take(3, "hua")
    refused(desk, "TKT-DECIDED", lambda: desk.uphold(3), Event.TICKET_REFUSED)
    desk.correct(3)
    desk.version(AGREED, snapshots={"social": 2})
    assert desk.ticket(3).state == "closed"


def test_where_the_deviating_value_is_right_the_other_side_corrects(desk: Desk) -> None:
    do(desk, disputes.coordinate, "wu")
    do(desk, disputes.settle, "operator", finding=Finding.DEVIATING)
    assert desk.told()[1:] == [("police", "birth_date", 2, "checking", 1)]
    refused(desk, "TKT-DECIDED", lambda: desk.uphold(2, by="wu"), Event.TICKET_REFUSED)
    assert desk.correct(2, by="zhou").state == "awaiting"


@pytest.mark.parametrize(
    ("code", "act"),
    [
        ("DSP-MOVE", lambda d: do(d, disputes.settle, "operator", finding=Finding.OTHER)),
        ("DSP-MOVE", lambda d: do(d, disputes.decide, "operator", finding=Finding.OTHER)),
        ("DSP-PARTY", lambda d: do(d, disputes.agree, "operator", finding=Finding.OTHER)),
        ("DSP-PARTY", lambda d: do(d, disputes.agree, "lin", finding=Finding.OTHER)),
        ("DSP-PARTY", lambda d: do(d, disputes.refer, "wu")),
        ("DSP-TERMS", lambda d: do(d, disputes.agree, "wu", finding=Finding.JUSTIFIED)),
        ("DSP-TERMS", lambda d: do(d, disputes.coordinate, "wu", " ")),
        ("DSP-TERMS", lambda d: do(d, disputes.coordinate, "wu", "13800138000")),
    ],
)
def test_a_level_cannot_be_passed_over_nor_decided_by_a_stranger(desk: Desk, code: str, act: Callable[[Desk], Any]) -> None:
    refused(desk, code, lambda: act(desk))


def test_a_dispute_needs_something_that_is_contested(desk: Desk) -> None:
    refused(desk, "TKT-MOVE", lambda: dispute(desk), Event.TICKET_REFUSED)
    refused(desk, "TKT-MOVE", lambda: dispute(desk, ticket=1, by="hua"), Event.TICKET_REFUSED)
    with desk.store.session() as session, pytest.raises(NotFound):
        disputes.load_dispute(session, 9)


def test_across_levels_the_superior_bureau_coordinates_and_an_objection_is_decided_too(desk: Desk) -> None:
    raised = objections.object_to(desk.store, desk.log, kind=Kind.USE, topic="quality", about="social", act=desk.act("lin", "更新迟于承诺"))
    desk.take(raised.id, "hua")
    objections.dismiss(desk.store, desk.log, ticket=raised.id, act=desk.act("song"))
    second = dispute(desk, ticket=raised.id, by="lin", across=True)
    assert (second.coordinator, desk.ticket(raised.id).state) == ("superior", "disputed")
    act = desk.act("lin", "双方已会商")
    disputes.agree(desk.store, desk.log, dispute=2, act=act, document="纪要〔2026〕4号", finding=Finding.JUSTIFIED)
    decided = desk.ticket(raised.id)
    assert (decided.state, decided.verdict, decided.standing) == ("answered", "justified", False)


def test_every_level_is_left_by_some_move_and_every_finding_has_its_text() -> None:
    assert {move.level for move in disputes.MOVES.values()} == set(Level) - {Level.CLOSED}
    assert set(disputes.FINDING_TEXTS) == set(Finding) == disputes.FINDINGS[True] | disputes.FINDINGS[False]
    assert set(disputes.LEVEL_TEXTS) == set(Level)
