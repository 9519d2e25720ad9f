"""What people do with tickets: who may, what is refused, where it goes next, on both databases."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from itertools import product

import pyarrow as pa
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from access.accounts import Role
from access.epochs import FIRST, key_of
from audit.events import Event
from casework import corrections, objections
from casework.clocks import Subject, clocks_of
from casework.moves import ENDED, MOVES, OWED, TOPICS, ItemState, Kind, State, state_by_items
from casework.tickets import Ticket, Wanted, list_events, list_tickets
from catalog.home import Home
from catalog.schema import DataGrantRow, ReceiptRow, TicketRow
from masking.methods import pseudonyms_of
from rules.errors import NotFound, Refused, TongchouError
from rules.lights import Light
from tests.beginnings import Begin
from tests.casework.conftest import NOW
from tests.casework.desk import AGREED, LI_BIRTH, MODE, REFUTED, Desk, furnish, opened


def with_one_item(home: Home) -> None:
    furnish(home)
    with opened(home) as desk:
        desk.version(LI_BIRTH)


@pytest.fixture
def desk(begin: Begin) -> Iterator[Desk]:
    """With one item of social security on ticket 1."""
    with opened(begin(with_one_item)) as desk:
        yield desk


def refused(desk: Desk, code: str, act: Callable[[], object]) -> None:
    """The act is refused with a code, nothing has changed, and the attempt stands in the log."""
    before = desk.told(), desk.items()
    with pytest.raises(TongchouError) as fault:
        act()
    assert fault.value.code == code
    assert (desk.told(), desk.items()) == before
    last = desk.office.last().record
    assert (last.event, last.body["why"]) == (Event.TICKET_REFUSED, code)


def test_correct_as_it_is_turns_the_ticket_round_to_the_other_side(desk: Desk) -> None:
    """R-06: on 正确无误 the competing department gets it, with a clock of its own."""
    desk.take(1, "hua")
    done = desk.uphold(1)
    assert (done.state, done.standing) == ("closed", False)
    assert desk.told() == [("hrss", "birth_date", 1, "closed", 1), ("police", "birth_date", 2, "raised", 1)]
    with desk.store.session() as session:
        assert [(c.owed_by, c.outcome) for n in (1, 2) for c in clocks_of(session, Subject.TICKET, n)] == [
            ("hrss", "done"),
            ("police", None),
        ]
        assert [event.move for event in list_events(session, 2)] == ["turn"]


def test_where_both_sides_say_that_theirs_is_correct_it_is_contested(desk: Desk) -> None:
    desk.take(1, "hua")
    desk.uphold(1)
    desk.take(2, "zhou")
    assert desk.uphold(2, by="wu").state == "contested"
    assert desk.items() == [("social/1", "birth_date", "deviates", "contested")]
    with desk.store.session() as session:
        assert [(c.clock, c.owed_by) for c in clocks_of(session, Subject.TICKET, 2)] == [("correction", "police"), ("dispute", None)]


def test_a_refuted_source_that_stands_by_its_value_sends_it_to_who_holds_the_other(desk: Desk) -> None:
    desk.version(LI_BIRTH, REFUTED)
    desk.take(2, "zhou")
    desk.uphold(2, by="wu")
    assert desk.told()[1:] == [("police", "name", 1, "closed", 2), ("hrss", "name", 2, "raised", 2)]


def test_a_value_that_no_data_set_holds_sends_it_to_the_source_of_record(desk: Desk) -> None:
    """R-06: then the source of record."""
    desk.hire("bo", "health", Role.DEPARTMENT_REQUESTER)
    desk.hire("yan", "health", Role.DEPARTMENT_HEAD)
    desk.version(replace(LI_BIRTH, at="clinic/c", rivals={"clinic/x": "1991-05-06"}))
    desk.take(2, "bo")
    desk.uphold(2, by="yan")
    assert desk.told()[2] == ("police", "birth_date", 2, "raised", 1)


def test_only_some_of_the_items_can_be_answered(desk: Desk) -> None:
    desk.next_day()
    desk.version(LI_BIRTH, replace(LI_BIRTH, element="phone", rivals={"social/1": "甲", "social/2": "乙", "social/3": "丙"}))
    done = desk.correct(2, items=[2, 3])
    assert (done.state, done.items_open, done.items_awaiting) == ("raised", 1, 2)
    refused(desk, "TKT-ITEM", lambda: desk.correct(2, items=[2]))


def test_the_head_who_answers_is_another_than_who_accepted(desk: Desk) -> None:
    """L-02: 经办 ≠ 负责人."""
    desk.hire("both", "hrss", Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD)
    desk.take(1, "both")
    refused(desk, "TKT-SECOND", lambda: desk.uphold(1, by="both"))
    refused(desk, "TKT-PARTY", lambda: desk.uphold(1, by="hua"))
    desk.uphold(1, by="song")


@pytest.mark.parametrize(
    ("code", "act"),
    [
        ("TKT-PARTY", lambda d: d.correct(1, by="zhou")),
        ("TKT-PARTY", lambda d: d.take(1, "auditor")),
        ("TKT-MOVE", lambda d: d.uphold(1, by="song")),
        ("TKT-NONE", lambda d: d.take(99, "hua")),
        ("TKT-STALE", lambda d: corrections.accept(d.store, d.log, ticket=1, act=d.act("hua", seen=1))),
        ("TKT-TERMS", lambda d: corrections.reroute(d.store, d.log, ticket=1, act=d.act("hua", "查 13800138000"), to="health")),
        ("TKT-TERMS", lambda d: corrections.reroute(d.store, d.log, ticket=1, act=d.act("hua", " "), to="health")),
        ("TKT-TERMS", lambda d: corrections.reroute(d.store, d.log, ticket=1, act=d.act("hua"), to="hrss")),
        ("DOOR-DEPARTMENT", lambda d: corrections.reroute(d.store, d.log, ticket=1, act=d.act("hua"), to="nowhere")),
        ("TKT-MOVE", lambda d: objections.reopen(d.store, d.log, ticket=1, act=d.act("operator"))),
        ("TKT-MOVE", lambda d: objections.answer(d.store, d.log, ticket=1, act=d.act("song"))),
    ],
)
def test_an_illegal_move_leaves_the_ticket_as_it_was_and_a_record_of_the_attempt(
    desk: Desk, code: str, act: Callable[[Desk], object]
) -> None:
    refused(desk, code, lambda: act(desk))


def test_two_people_edit_at_once_and_the_second_is_told(desk: Desk) -> None:
    seen = desk.ticket(1).version
    corrections.accept(desk.store, desk.log, ticket=1, act=desk.act("hua", seen=seen))
    refused(desk, "TKT-STALE", lambda: corrections.correct(desk.store, desk.log, ticket=1, act=desk.act("hua", seen=seen)))


def test_rerouting_starts_a_new_clock_and_after_two_times_only_the_bureau_may(desk: Desk) -> None:
    desk.hire("bo", "health", Role.DEPARTMENT_REQUESTER)
    desk.next_day(7)
    done = corrections.reroute(desk.store, desk.log, ticket=1, act=desk.act("hua"), to="health")
    assert (done.department_key, done.state, done.due_on) == ("health", "raised", date(2026, 12, 14))
    corrections.reroute(desk.store, desk.log, ticket=1, act=desk.act("bo"), to="hrss")
    refused(desk, "TKT-PARTY", lambda: corrections.reroute(desk.store, desk.log, ticket=1, act=desk.act("hua"), to="police"))
    corrections.reroute(desk.store, desk.log, ticket=1, act=desk.act("operator"), to="police")
    with desk.store.session() as session:
        assert [clock.outcome for clock in clocks_of(session, Subject.TICKET, 1)] == ["void", "void", "void", None]


def hand_out(desk: Desk, columns: list[str]) -> None:
    """As if the bureau had handed these columns to civil affairs."""
    with desk.store.session() as session, session.begin():
        days = {"valid_from": date(2026, 1, 1), "valid_to": date(2026, 12, 31), "granted_at": NOW}
        terms = {"purpose": "低保", "legal_basis": "法", "case_number": "", "row_scope": {}, "tier": "T3", **MODE, "state": "active"}
        given = DataGrantRow(grantee_key="civil_affairs", target="golden", columns=columns, **terms, **days)
        session.add(given)
        session.flush()
        facts = {"masks": {}, "rules_version": "r", "rows": 1, "residents": 1, "format": "csv", "digest": "d", "audit_seq": 1}
        facts |= {"actor": "lin", "target": "golden", "target_version": 1, "handed_over_at": NOW}
        session.add(ReceiptRow(grant_id=given.id, columns=columns, **facts))


def report(desk: Desk, by: str = "lin", who: str = "R0000000001", element: str = "birth_date", origin: str = corrections.USER) -> Ticket:
    act = desk.act(by, "本人出示的证件与此不同")
    return corrections.report(desk.store, desk.lake, desk.log, who=who, element=element, origin=origin, act=act)


def test_a_user_of_an_extract_reports_an_error_to_whoever_holds_the_value(desk: Desk) -> None:
    """L-25."""
    hand_out(desk, ["birth_date"])
    made = report(desk)
    assert (made.department_key, made.origin, made.raised_by_department) == ("police", "user", "civil_affairs")
    assert desk.items()[0] == ("hukou/a", "birth_date", "reported", "open")
    refused(desk, "TKT-RAISED", lambda: report(desk))
    desk.version(LI_BIRTH)
    assert desk.ticket(made.id).standing, "the same value still stands"
    desk.version(replace(LI_BIRTH, value="1990-05-07"))
    assert desk.ticket(made.id).state == "closed"


def test_a_user_names_a_resident_by_the_pseudonym_that_he_was_handed(desk: Desk) -> None:
    """I-04, L-25: who may not know the resident can still say that a value is wrong; another department's pseudonym means nobody."""
    hand_out(desk, ["birth_date"])

    def by(pseudonym: str) -> Ticket:
        facts = {"who": pseudonym, "element": "birth_date", "origin": corrections.USER, "act": desk.act("lin", "与本人所述不同")}
        return corrections.report(desk.store, desk.lake, desk.log, keys=desk.home.keys, **facts)  # type: ignore[arg-type]

    def pseudonym(department: str) -> str:
        secret = key_of(desk.home.keys, department, FIRST)
        return str(pseudonyms_of(pa.array(["R0000000001"]), secret)[0].as_py())

    refused(desk, "REC-RESIDENT", lambda: by(pseudonym("health")))
    assert by(pseudonym("civil_affairs")).origin == "user"
    assert desk.items()[0] == ("hukou/a", "birth_date", "reported", "open")


def test_who_was_not_handed_the_element_reports_nothing_but_a_clerk_may_for_a_resident(desk: Desk) -> None:
    """P-03: the individual may have it corrected."""
    hand_out(desk, ["phone"])
    refused(desk, "TKT-PARTY", lambda: report(desk))
    refused(desk, "REC-ELEMENT", lambda: report(desk, element="nothing"))
    refused(desk, "REC-RESIDENT", lambda: report(desk, who="R9999999999", origin=corrections.RESIDENT))
    made = report(desk, origin=corrections.RESIDENT)
    assert (made.origin, made.raised_by, made.raised_by_department) == ("resident", "lin", None)
    withdrawn = objections.withdraw(desk.store, desk.log, ticket=made.id, act=desk.act("lin"))
    assert (withdrawn.state, withdrawn.standing) == ("withdrawn", False)


def test_the_records_of_the_log_name_no_record_and_no_resident(desk: Desk) -> None:
    report(desk, origin=corrections.RESIDENT)
    raised = desk.office.last().record
    assert raised.event is Event.TICKET_RAISED
    assert not any(name in str(raised.body) for name in ("hukou/a", "R0000000001"))


def raise_objection(desk: Desk, kind: Kind = Kind.USE, topic: str = "quality", about: str = "social", by: str = "lin") -> Ticket:
    act = desk.act(by, "近一月更新迟于承诺")
    return objections.object_to(desk.store, desk.log, kind=kind, topic=topic, about=about, act=act)


@pytest.mark.parametrize(
    ("kind", "topic", "about", "department"),
    [
        (Kind.CATALOGUE, "", "social", "hrss"),
        (Kind.USE, "quality", "hukou", "police"),
        (Kind.USE, "response", "grant/1", "data_bureau"),
        (Kind.REQUEST, "duration", "grant/1", "data_bureau"),
        (Kind.OTHER, "score", "score/corrections_in_time/hrss/2026-11", "data_bureau"),
    ],
)
def test_an_objection_goes_to_whoever_can_answer_it(desk: Desk, kind: Kind, topic: str, about: str, department: str) -> None:
    """§7.2: the four kinds."""
    hand_out(desk, ["phone"])
    made = raise_objection(desk, kind, topic, about)
    assert (made.department_key, made.state, made.due_on) == (department, "raised", date(2026, 12, 7))


def test_an_objection_with_faults_is_refused_with_all_of_them(desk: Desk) -> None:
    with pytest.raises(Refused) as fault:
        act = desk.act("lin", "")
        objections.object_to(desk.store, desk.log, kind=Kind.USE, topic="colour", about="nothing", act=act)
    assert fault.value.what.count(";") == 2
    refused(desk, "TKT-PARTY", lambda: raise_objection(desk, by="auditor"))


def test_an_objection_is_answered_reopened_answered_and_rated(desk: Desk) -> None:
    number = raise_objection(desk).id
    desk.take(number, "hua")
    act = desk.act
    assert objections.dismiss(desk.store, desk.log, ticket=number, act=act("song")).verdict == "dismissed"
    refused(desk, "TKT-PARTY", lambda: objections.reopen(desk.store, desk.log, ticket=number, act=act("hua")))
    reopened = objections.reopen(desk.store, desk.log, ticket=number, act=act("lin"))
    assert (reopened.state, reopened.reopened, reopened.verdict, reopened.accepted_by) == ("raised", 1, "", None)
    desk.take(number, "hua")
    assert objections.answer(desk.store, desk.log, ticket=number, act=act("song")).state == "answered"
    refused(desk, "TKT-TERMS", lambda: objections.rate(desk.store, desk.log, ticket=number, act=act("lin"), rating=6, solved=True))
    rated = objections.rate(desk.store, desk.log, ticket=number, act=act("he"), rating=4, solved=True)
    assert (rated.state, rated.rating, rated.solved) == ("closed", 4, True)
    refused(desk, "TKT-TERMS", lambda: objections.rate(desk.store, desk.log, ticket=number, act=act("lin"), rating=5, solved=True))


def test_the_table_of_moves_is_whole() -> None:
    reached = {State.RAISED, *(move.to for move in MOVES.values() if move.to)}
    by_items = {State.RAISED, State.CHECKING, State.AWAITING, State.AT_DOOR, State.CONTESTED, State.DISPUTED, State.CLOSED}
    assert reached | by_items == set(State)
    assert set(OWED) == set(State) - ENDED, "whatever stands is owed by somebody"
    assert all(move.states and move.by and move.kinds and move.rule for move in MOVES.values())
    assert set(TOPICS) == set(Kind)


@given(st.dictionaries(st.sampled_from(ItemState), st.integers(0, 3)), st.booleans(), st.booleans())
def test_the_state_of_a_correction_follows_from_its_items(items: dict[ItemState, int], accepted: bool, disputed: bool) -> None:
    """The naive reference: whoever owes something, in the order of who acts first."""
    waiting = [state for state in (ItemState.OPEN, ItemState.AWAITING, ItemState.AT_DOOR, ItemState.CONTESTED) if items.get(state, 0) > 0]
    names = {ItemState.AWAITING: "awaiting", ItemState.AT_DOOR: "at_door", ItemState.CONTESTED: "disputed" if disputed else "contested"}
    names[ItemState.OPEN] = "checking" if accepted else "raised"
    assert state_by_items(items, accepted=accepted, disputed=disputed) == (names[waiting[0]] if waiting else "closed")


def with_many_tickets(home: Home) -> None:
    furnish(home)
    with opened(home) as desk:
        desk.version(AGREED)
        with desk.store.session() as session, session.begin():
            session.add_all(ticket_row(number) for number in range(1, 121))


@pytest.fixture
def many(begin: Begin) -> Iterator[Desk]:
    """120 tickets with all lights, states and two departments."""
    with opened(begin(with_many_tickets)) as desk:
        yield desk


def ticket_row(number: int) -> TicketRow:
    counts = dict.fromkeys(("items", "items_open", "items_awaiting", "items_contested", "items_at_door", "reroutes", "reopened"), 0)
    due, standing = date(2026, 11, 10 + number % 20), number % 5 > 0
    texts = {"topic": "", "about": "", "description": "", "verdict": "", "kind": "correction", "origin": "reconciliation"}
    return TicketRow(
        id=number, department_key=("police", "hrss")[number % 2], element=("name", "phone")[number // 2 % 2], round=1,
        state="raised" if standing else "closed", standing=standing, received_on=date(2026, 11, 1), limit_days=10,
        yellow_on=date(2026, 11, 8 + number % 20), due_on=due, provisional=False, version=1, created_at=NOW, **texts, **counts,
    )  # fmt: skip


def test_pages_by_key_give_each_ticket_once_in_the_order_of_its_due_date(many: Desk) -> None:
    """The naive reference filters and sorts all tickets; pages of 7 must give the same."""
    today = date(2026, 11, 23)
    with many.store.session() as session:
        rows = session.scalars(sa.select(TicketRow)).all()
        for department, element, light in product([None, "police"], [None, "phone"], [None, *Light]):
            found = all_pages(session, Wanted(department=department, element=element, light=light), today)
            fits = [
                row
                for row in rows
                if row.standing and department in (None, row.department_key) and element in (None, row.element)
                and light in (None, "red" if today > row.due_on else "yellow" if today >= row.yellow_on else "green")
            ]  # fmt: skip
            assert [ticket.id for ticket in found] == [row.id for row in sorted(fits, key=lambda row: (row.due_on, row.id))]
            assert light is None or {ticket.light(today) for ticket in found} <= {light}


def all_pages(session: Session, wanted: Wanted, today: date) -> list[Ticket]:
    found: list[Ticket] = []
    after = None
    while True:
        page = list_tickets(session, wanted, today, after=after, limit=7)
        found += page.tickets
        if (after := page.next) is None:
            return found


def test_an_unknown_ticket_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.ticket(99)
