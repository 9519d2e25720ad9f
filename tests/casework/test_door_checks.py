"""Checks at the door: who is sent, what is refused, and how an answer becomes an observation that decides, on both databases."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from access.accounts import Role
from access.casefiles import Form
from access.door import Door
from audit.events import Event
from casework import door_checks
from casework.door_checks import DoorCheck, Result, State, Visit
from casework.observations import DATASET
from catalog.datasets import load_dataset
from catalog.home import Home
from catalog.schema import GoldenVersionRow
from connectors.intake import ingest
from rules.errors import Denied, TongchouError
from tests.beginnings import Begin
from tests.casework.desk import AGREED, LI_BIRTH, Desk, Golden, furnish, opened

GRID = "440605011001001"
LIVES = Golden(who="R0000000001", element="grid_code", value=GRID, rivals={})
NAMED = Golden(who="R0000000001", element="name", value="李明", rivals={})
PURPOSE = "入户核查 door check"


def contested(home: Home) -> None:
    furnish(home)
    with opened(home) as desk:
        contest(desk)


@pytest.fixture
def desk(begin: Begin) -> Iterator[Desk]:
    """Ticket 2, with the police, is contested: both sides say that theirs is correct. A worker is appointed."""
    with opened(begin(contested)) as desk:
        yield desk


def contest(desk: Desk) -> None:
    for name in ("gao", "other"):
        desk.hire(name, "grid", Role.GRID_WORKER)
    desk.hire("chief", "grid", Role.DEPARTMENT_HEAD)
    desk.version(LI_BIRTH, LIVES, NAMED)
    door_checks.appoint(desk.store, desk.log, grid=GRID, worker="gao", assessor="chief", act=desk.act("operator"))
    desk.take(1, "hua")
    desk.uphold(1)
    desk.take(2, "zhou")
    desk.uphold(2, by="wu")


def dispatch(desk: Desk, ticket: int = 2, by: str = "operator") -> DoorCheck:
    door_checks.dispatch(desk.store, desk.lake, desk.log, ticket=ticket, act=desk.act(by))
    with desk.store.session() as session:
        return door_checks.list_checks(session)[-1]


def form_of(desk: Desk, check: int = 1, by: str = "gao") -> Form:
    with Door(desk.store, desk.home, desk.log, lambda: desk.now) as door:
        form = door.door_form(by, PURPOSE, check).value
    assert isinstance(form, Form)
    return form


def visit(desk: Desk, by: str = "gao", result: Result = Result.UPDATED, contact: str = "home", **values: str) -> DoorCheck:
    told = Visit(result=result, contact=contact, values=values)
    return door_checks.visit(desk.store, desk.home, desk.log, form=form_of(desk, by="operator"), visit=told, act=desk.act(by))


def review(desk: Desk, by: str = "chief", accept: bool = True) -> DoorCheck:
    return door_checks.review(desk.store, desk.home, desk.log, check=1, accept=accept, act=desk.act(by))


def refused(desk: Desk, code: str, act: Callable[[], object], event: Event = Event.DOOR_CHECK_REFUSED) -> None:
    with pytest.raises(TongchouError) as fault:
        act()
    last = desk.office.last().record
    assert (fault.value.code, last.event, last.body["why"]) == (code, event, code)


def test_contested_items_go_to_the_worker_of_the_residents_grid(desk: Desk) -> None:
    check = dispatch(desk)
    assert (check.worker, check.assessor, check.elements, check.state) == ("gao", "chief", ("birth_date",), State.DISPATCHED)
    assert (desk.ticket(2).state, check.due_on) == ("at_door", date(2026, 11, 30))


def test_the_form_is_prefilled_with_what_is_in_question_and_nothing_else(desk: Desk) -> None:
    dispatch(desk)
    form = form_of(desk)
    assert [(asked.element, asked.prefilled, asked.others) for asked in form.asked] == [("birth_date", "1990-05-06", ("1991-05-06",))]
    assert (form.name, form.id_number) == ("李明", None)
    with pytest.raises(Denied):
        form_of(desk, by="other")


def test_an_answer_comes_in_by_the_normal_road_as_a_verified_data_set_and_decides(desk: Desk) -> None:
    dispatch(desk)
    visit(desk, birth_date="1990-05-06")
    assert not list((desk.home.root / "door_checks" / "answers").glob("*")), "not before it was reviewed"
    review(desk)
    with desk.store.session() as session:
        dataset = load_dataset(session, DATASET)
    assert (dataset.verified, dataset.department) == (True, "grid")
    outcome = ingest(desk.store, desk.lake, dataset, areas=None, now=desk.now)
    assert (outcome.state, outcome.rows, outcome.faults) == ("accepted", 1, 0)
    desk.next_day()
    desk.version(replace(LI_BIRTH, at=f"{DATASET}/1"), LIVES, NAMED)
    assert desk.items() == [("social/1", "birth_date", "deviates", "open")]
    assert (desk.ticket(2).state, desk.told()[-1]) == ("closed", ("hrss", "birth_date", 1, "raised", 1)), "who holds the record corrects it"
    desk.take(3, "hua")
    refused(desk, "TKT-DECIDED", lambda: desk.uphold(3), Event.TICKET_REFUSED)


def test_the_ticket_closes_where_the_observation_ends_the_conflict(desk: Desk) -> None:
    dispatch(desk)
    visit(desk, birth_date="1991-05-06")
    review(desk)
    desk.version(replace(AGREED, value="1991-05-06", at=f"{DATASET}/1"), LIVES, NAMED)
    assert desk.ticket(2).state == "closed"


def test_the_values_stand_in_the_answers_file_and_neither_in_the_store_nor_in_the_log(desk: Desk) -> None:
    dispatch(desk)
    visit(desk, birth_date="1990-05-07")
    review(desk)
    (file,) = (desk.home.root / "door_checks" / "answers").glob("*.json")
    said = json.loads(file.read_text(encoding="utf-8"))
    assert (said["check_no"], said["name"], said["birth_date"], said["residence_state"]) == ("1", "李明", "1990-05-07", "1")
    assert file.stat().st_mode & 0o077 == 0
    assert not any("1990-05-07" in str(entry.record.body) for entry in desk.log.entries())


@pytest.mark.parametrize("result", [Result.UNKNOWN, Result.REFUSED, Result.MOVED])
def test_where_nobody_could_be_asked_the_items_are_contested_again(desk: Desk, result: Result) -> None:
    dispatch(desk)
    visit(desk, result=result)
    review(desk)
    assert desk.ticket(2).state == "contested"
    answers = list((desk.home.root / "door_checks" / "answers").glob("*.json"))
    assert [json.loads(file.read_text())["residence_state"] for file in answers] == (["2"] if result is Result.MOVED else [])


def test_what_is_sent_back_is_asked_again(desk: Desk) -> None:
    dispatch(desk)
    visit(desk, result=Result.LIVING)
    assert review(desk, accept=False).state is State.DISPATCHED
    visit(desk, result=Result.UPDATED, birth_date="1990-05-06")
    assert review(desk).state is State.ACCEPTED


@pytest.mark.parametrize(
    ("code", "act"),
    [
        ("DCK-PARTY", lambda d: visit(d, by="other", result=Result.LIVING)),
        ("DCK-PARTY", lambda d: visit(d, by="operator", result=Result.LIVING)),
        ("DCK-TERMS", lambda d: visit(d, result=Result.UPDATED)),
        ("DCK-TERMS", lambda d: visit(d, result=Result.LIVING, birth_date="1990-05-06")),
        ("DCK-TERMS", lambda d: visit(d, phone="13800138000")),
        ("DCK-TERMS", lambda d: visit(d, result=Result.LIVING, contact="letter")),
        ("DEC-VALUE", lambda d: visit(d, birth_date="昨天")),
        ("DCK-MOVE", lambda d: review(d)),
        ("DCK-NO-WORKER", lambda d: door_checks.reassign(d.store, d.log, check=1, worker="other", act=d.act("operator"))),
    ],
)
def test_an_illegal_act_changes_nothing_and_leaves_a_record(desk: Desk, code: str, act: Callable[[Desk], Any]) -> None:
    before = dispatch(desk)
    refused(desk, code, lambda: act(desk))
    with desk.store.session() as session:
        assert door_checks.list_checks(session) == [before]


def test_nobody_reviews_his_own_work_and_a_worker_has_one_assessor(desk: Desk) -> None:
    """Single assessor (单一考核主体)."""
    dispatch(desk)
    visit(desk, result=Result.LIVING)
    refused(desk, "DCK-PARTY", lambda: review(desk, by="gao"))
    refused(desk, "DCK-PARTY", lambda: review(desk, by="operator"))
    appoint: Callable[..., None] = door_checks.appoint
    facts: list[tuple[str, dict[str, str]]] = [
        ("DCK-TERMS", {"grid": "1", "worker": "gao", "assessor": "operator"}),
        ("DCK-TERMS", {"grid": GRID, "worker": "gao", "assessor": "gao"}),
        ("DCK-TERMS", {"grid": GRID, "worker": "zhou", "assessor": "chief"}),
    ]
    for code, terms in facts:
        refused(desk, code, lambda terms=terms: appoint(desk.store, desk.log, **terms, act=desk.act("operator")))  # type: ignore[misc]
    refused(desk, "DCK-PARTY", lambda: appoint(desk.store, desk.log, grid=GRID, worker="gao", assessor="chief", act=desk.act("zhou")))


def test_no_check_is_sent_where_no_worker_is_known_or_the_element_cannot_be_asked(desk: Desk) -> None:
    two = Golden(who="R0000000002", element="phone", value="甲", at="hukou/b", rivals={"social/2": "乙"})
    desk.version(
        LI_BIRTH, LIVES, NAMED, two, Golden(who="R0000000001", element="grid_code", value="x", rivals={"social/1": "y"}, at="hukou/a")
    )
    tickets = {ticket.element: ticket.id for ticket in desk.tickets(department="hrss")}
    refused(desk, "DCK-NO-WORKER", lambda: dispatch(desk, tickets["phone"]), Event.TICKET_REFUSED)
    refused(desk, "DCK-ELEMENT", lambda: dispatch(desk, tickets["grid_code"]), Event.TICKET_REFUSED)


def test_a_workers_work_counts_by_result_and_the_residents_rating(desk: Desk) -> None:
    """F-03: grid workers by result and rating, by one assessor."""
    dispatch(desk)
    visit(desk, result=Result.LIVING)
    review(desk)
    refused(desk, "DCK-PARTY", lambda: door_checks.rate(desk.store, desk.log, check=1, rating=5, act=desk.act("gao")))
    refused(desk, "DCK-TERMS", lambda: door_checks.rate(desk.store, desk.log, check=1, rating=9, act=desk.act("chief")))
    door_checks.rate(desk.store, desk.log, check=1, rating=4, act=desk.act("chief"))
    with desk.store.session() as session:
        (score,) = door_checks.worker_scores(session, date(2026, 11, 1), date(2026, 11, 30))
        assert session.scalar(sa.select(sa.func.count()).select_from(GoldenVersionRow)) == 1
    assert (score.worker, score.assessor, score.done, score.in_time, score.observed) == ("gao", "chief", 1, 1, 1)
    assert (dict(score.results), score.rating) == ({"living": 1}, 4.0)
