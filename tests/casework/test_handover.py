"""What reconciliation opens, settles and brings back, on both databases."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from casework import handover, objections
from catalog.schema import ClockRow, TicketEventRow
from golden.source_checks import Doubt
from tests.beginnings import Begin
from tests.casework.desk import AGREED, LI_BIRTH, REFUTED, Desk, Golden, furnish, opened


@pytest.fixture
def desk(begin: Begin) -> Iterator[Desk]:
    with opened(begin(furnish)) as desk:
        yield desk


def test_a_value_that_lost_goes_to_the_department_that_holds_it(desk: Desk) -> None:
    """R-06, D-40."""
    done = desk.version(LI_BIRTH)
    assert (done.items_opened, done.tickets_opened) == (1, 1)
    assert desk.told() == [("hrss", "birth_date", 1, "raised", 1)]
    assert desk.items() == [("social/1", "birth_date", "deviates", "open")]


def test_a_refuted_value_of_record_goes_to_its_source_at_once_and_who_copied_it_is_not_asked(desk: Desk) -> None:
    """R-06; `clinic` says what the police said, `migrants` something else."""
    desk.version(REFUTED)
    assert desk.items() == [("hukou/a", "name", "refuted", "open"), ("migrants/m", "name", "deviates", "open")]
    assert desk.told() == [("police", "name", 1, "raised", 2)]


@pytest.mark.parametrize(
    "golden",
    [
        replace(LI_BIRTH, confidence=0.97),
        replace(LI_BIRTH, rivals={"social/1": "1990"}),
        replace(LI_BIRTH, value="1990", rivals={"social/1": "1990-05-06"}),
        replace(LI_BIRTH, element="name", value="买买提·静", rivals={"social/1": "买买提.靜", "clinic/x": "买买提 静"}),
    ],
    ids=["not probable enough", "less exact", "more exact", "other spellings of one name"],
)
def test_what_contradicts_nothing_or_is_not_probable_enough_opens_nothing(desk: Desk, golden: Golden) -> None:
    assert desk.version(golden).items_opened == 0


def test_two_people_with_one_number_are_asked_about_where_it_is_not_of_record(desk: Desk) -> None:
    """X-06, TX-17, D-40: the borrowed number first, not the register's."""
    shared = {"element": "id_number", "value": "N", "rivals": {}, "status": "disputed"}
    desk.version(Golden(who="R0000000001", at="hukou/a", **shared), Golden(who="R0000000002", at="social/2", **shared))  # type: ignore[arg-type]
    assert desk.items() == [("social/2", "id_number", "shared_number", "open")]


def test_items_are_bundled_by_department_element_and_day(desk: Desk) -> None:
    many = [
        Golden(who=f"R{n:010d}", element=element, value="甲", at=f"hukou/{n}", rivals={f"social/{n}": "乙", f"clinic/{n}": "丙"})
        for n in range(30)
        for element in ("name", "phone")
    ]
    assert desk.version(*many).items_opened == 120
    expected = [(department, element, 1, "raised", 30) for department in ("health", "hrss") for element in ("name", "phone")]
    assert desk.told() == expected


def test_reconciling_again_opens_nothing_twice(desk: Desk) -> None:
    desk.version(LI_BIRTH)
    assert desk.hand_over().unchanged
    desk.next_day()
    again = desk.version(LI_BIRTH)
    assert (again.unchanged, again.items_opened, again.items_settled, again.tickets_opened) == (False, 0, 0, 0)
    assert desk.told() == [("hrss", "birth_date", 1, "raised", 1)]


def test_the_ticket_closes_when_the_corrected_record_arrives(desk: Desk) -> None:
    """R-06: it waits for the corrected record and closes automatically."""
    desk.version(LI_BIRTH)
    answered = desk.correct(1)
    assert (answered.state, answered.items_open, answered.items_awaiting) == ("awaiting", 0, 1)
    desk.next_day()
    done = desk.version(AGREED, snapshots={"social": 2})
    assert (done.items_settled, done.tickets_closed) == (1, 1)
    assert (desk.ticket(1).state, desk.tickets()) == ("closed", [])


def test_what_was_called_corrected_comes_back_when_newer_data_say_the_same(desk: Desk) -> None:
    desk.version(LI_BIRTH)
    desk.correct(1)
    desk.version(LI_BIRTH)
    assert desk.ticket(1).state == "awaiting", "no newer data came"
    desk.version(LI_BIRTH, snapshots={"social": 2})
    assert desk.ticket(1).state == "raised"


def test_a_conflict_that_comes_again_later_is_a_new_item_on_a_new_ticket(desk: Desk) -> None:
    for golden in (LI_BIRTH, AGREED, LI_BIRTH):
        desk.version(golden)
        desk.next_day()
    assert desk.told() == [("hrss", "birth_date", 1, "closed", 1), ("hrss", "birth_date", 1, "raised", 1)]
    assert [state for *_, state in desk.items()] == ["settled", "open"]


def test_an_item_follows_its_record_to_another_resident(desk: Desk) -> None:
    desk.version(LI_BIRTH)
    desk.version(replace(LI_BIRTH, who="R0000000009"))
    assert desk.items() == [("social/1", "birth_date", "deviates", "open")]


def test_ten_working_days_by_the_calendar_in_force(desk: Desk) -> None:
    """L-25, L-36: received 2026-11-23, due 2026-12-07; yellow from the eighth working day on (F-01)."""
    desk.version(LI_BIRTH)
    (ticket,) = desk.tickets()
    assert (str(ticket.received_on), str(ticket.yellow_on), str(ticket.due_on)) == ("2026-11-23", "2026-12-03", "2026-12-07")


DIED = Golden(who="R0000000001", element="death_date", value="2025-03-01", rivals={})
PAID = Golden(who="R0000000001", element="pension_state", value="1", at="social/1", rivals={})


def test_who_is_still_paid_after_a_death_is_asked_about_and_not_ended(desk: Desk) -> None:
    """X-17: a ticket, no automatic death; it closes when the payment has ended in the data."""
    desk.version(DIED, PAID)
    assert desk.items() == [("social/1", "pension_state", "outlives", "open")]
    assert desk.told() == [("hrss", "pension_state", 1, "raised", 1)]
    desk.correct(1)
    desk.next_day()
    desk.version(DIED, replace(PAID, value="3"), snapshots={"social": 2})
    assert desk.ticket(1).state == "closed"


@pytest.mark.parametrize(
    "golden",
    [
        [PAID],
        [replace(DIED, confidence=0.9), PAID],
        [replace(DIED, status="disputed"), PAID],
        [replace(DIED, who="R0000000002"), PAID],
        [DIED, replace(PAID, value="3")],
    ],
    ids=["alive", "not probable enough", "disputed", "another", "ended"],
)
def test_no_death_no_question(desk: Desk, golden: list[Golden]) -> None:
    assert desk.version(*golden).items_opened == 0


WRONG_COLUMN = Doubt(dataset="social", element="birth_date", why="misfit", share=0.9, cells=1000)


def test_a_source_that_cannot_be_right_gets_one_ticket_until_newer_data_are_better(desk: Desk) -> None:
    for _ in range(2):
        desk.version(AGREED, doubts=[WRONG_COLUMN])
        desk.next_day()
    (ticket,) = desk.tickets()
    assert (ticket.department_key, ticket.kind, ticket.about, ticket.element, ticket.state) == (
        "hrss",
        "use",
        "social",
        "birth_date",
        "raised",
    )
    assert "来源存疑 doubtful source social.birth_date" in ticket.description
    desk.version(AGREED, snapshots={"social": 2})
    assert desk.ticket(ticket.id).state == "closed"


def test_a_doubt_that_was_answered_is_raised_again_only_by_a_newer_snapshot(desk: Desk) -> None:
    desk.version(AGREED, doubts=[WRONG_COLUMN])
    desk.take(1, "hua")
    objections.dismiss(desk.store, desk.log, ticket=1, act=desk.act("song", "该列确为出生日期"))
    desk.next_day()
    desk.version(AGREED, doubts=[WRONG_COLUMN])
    assert desk.tickets() == []
    desk.next_day()
    desk.version(AGREED, doubts=[WRONG_COLUMN], snapshots={"social": 2})
    assert [ticket.state for ticket in desk.tickets()] == ["raised"]


def crowd(first: int, last: int, element: str, **changes: object) -> list[Golden]:
    """Residents whose element two departments hold otherwise."""
    made = [
        Golden(who=f"R{n:010d}", element=element, value="甲", at=f"hukou/{n}", rivals={f"social/{n}": "乙", f"clinic/{n}": "丙"})
        for n in range(first, last)
    ]
    return [replace(one, **changes) for one in made]  # type: ignore[arg-type]


class Killed(Exception):
    """Stands for the end of the process: the transaction that was open is lost."""


def kill_at(engine: sa.Engine, number: int) -> Callable[[], None]:
    """Before its n-th statement the run ends; returns what lets the next run be."""
    seen = iter(range(1, 1_000_000))

    def count(*_: object) -> None:
        if next(seen) == number:
            raise Killed

    sa.event.listen(engine, "before_cursor_execute", count)
    return lambda: sa.event.remove(engine, "before_cursor_execute", count)


@pytest.mark.parametrize("statement", [None, 3, 7, 11, 16, 22, 28, 35, 42, 50, 58])
def test_a_killed_hand_over_is_made_good_by_the_next(desk: Desk, monkeypatch: pytest.MonkeyPatch, statement: int | None) -> None:
    """In steps of seven items: ten conflicts are gone, ten that were called corrected are back, ten are new; wherever it was killed."""
    monkeypatch.setattr(handover, "ROWS_AT_ONCE", 7)
    monkeypatch.setattr(handover, "PAUSE_S", 0)
    desk.version(*crowd(0, 20, "name"))
    desk.correct(2)
    desk.next_day()
    newer = [*crowd(0, 10, "name", rivals={}), *crowd(10, 30, "name")]
    desk.reconciled(*newer, snapshots={"social": 2})
    if statement is not None:
        spare = kill_at(desk.store.engine, statement)
        with pytest.raises(Killed):
            desk.hand_over()
        spare()
    done = desk.hand_over()
    assert (done.items_opened, done.items_settled, done.tickets_opened, done.tickets_closed) == (20, 20, 2, 0)
    assert desk.told() == [
        ("health", "name", 1, "raised", 20), ("hrss", "name", 1, "raised", 20),
        ("health", "name", 1, "raised", 10), ("hrss", "name", 1, "raised", 10),
    ]  # fmt: skip
    assert Counter(state for *_, state in desk.items()) == {"open": 40, "settled": 20}
    assert [(t.items_open, t.items_awaiting) for t in (desk.ticket(n) for n in (1, 2, 3, 4))] == [(10, 0)] * 4
    with desk.store.session() as session:
        events = session.execute(sa.select(TicketEventRow.ticket_id, TicketEventRow.move, TicketEventRow.items)).tuples().all()
        clocks = session.scalars(sa.select(ClockRow.subject_id).where(ClockRow.stopped_on.is_(None)).order_by(ClockRow.subject_id)).all()
    told = Counter({(ticket, move): 0 for ticket, move, _ in events})
    for ticket, move, items in events:
        told[ticket, move] += items
    assert told == {(1, "open"): 20, (2, "open"): 20, (2, "correct"): 20, (1, "settle"): 10, (2, "settle"): 10, (2, "return"): 10,
                    (3, "open"): 10, (4, "open"): 10}  # fmt: skip
    assert len(events) == len(told), "the steps of one moment are one entry"
    assert clocks == [1, 2, 3, 4], "each ticket has one running clock"
