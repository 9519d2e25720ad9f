"""A review is opened with frozen evidence, asked, answered by the superior, closed; grave ones by two; nobody reviews himself."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.accounts import Role, create_account, ensure_operator
from access.door import create_keys
from audit.events import Event
from audit.log import Log, open_log
from casework.attempts import Act
from catalog.home import Home
from catalog.schema import AuditReviewActRow
from catalog.store import Store, open_store
from golden.decisions import day_of
from oversight.inspecting import Means, Period
from oversight.reviews import acting
from oversight.reviews.evidence import Score, digest_of, faults_of_evidence, freeze
from oversight.reviews.moves import MOVES, OVERDUE, Origin, State, Superior
from oversight.reviews.opening import Draft, open_on_access, open_on_account, open_rows
from oversight.reviews.review import Review, Wanted, list_reviews, load_row, read_review, show_review
from rules.clocks import shipped_calendar
from rules.errors import Denied, NotFound, Refused, TongchouError
from rules.oversight import load_yardsticks
from rules.reviews import load_review_rules
from tests.access.conftest import NOW, Platform
from tests.beginnings import SQLITE, Begin, Beginnings
from tests.oversight.test_search import WANG, Enter, identities

__all__ = ["identities"]

MEANS = Means(yardsticks=load_yardsticks(), calendar=shipped_calendar())
WEEK = timedelta(days=9)
SCORE = Score(rules_version=1, reasons={}, people=1, unexplained=1, alerts=("unexplained",))
PEOPLE: Sequence[tuple[str, str | None, tuple[Role, ...]]] = (
    ("first", None, (Role.AUDITOR,)),
    ("other", None, (Role.AUDITOR,)),
    ("clerk", "tax", (Role.DEPARTMENT_REQUESTER,)),
    ("head", "tax", (Role.DEPARTMENT_HEAD,)),
    ("lone", "health", (Role.DEPARTMENT_REQUESTER,)),
    ("stranger", "police", (Role.DEPARTMENT_HEAD,)),
    ("chief", None, (Role.BUREAU_APPROVER,)),
)


@dataclass(frozen=True, kw_only=True)
class Bureau:
    """A store and a log with people in them."""

    store: Store
    log: Log

    def opened(self, accessor: str = "clerk", now: datetime = NOW) -> Review:
        """A review of an access of somebody's, whose records are in the log."""
        intent = self.log.append(Event.WHY_INTENT, {"holder": "test", "actor": accessor, "purpose": "看看"})
        body = {"intent": intent.seq, "rows": 1, "residents": 1, "digest": "0" * 64, "subjects": ["0" * 32]}
        seq = self.log.append_sealed(Event.WHY_RESULT, body).seq
        draft = Draft(origin=Origin.FLAGGED, accessor=accessor, access=seq, score=SCORE, evidence=freeze(self.log, [seq], SCORE, now))
        with self.store.session() as session, session.begin():
            row = open_rows(session, self.log, [draft], Act(by="other", now=now, reason="预警"))[0]
            return read_review(session, row, day_of(now))

    def moved(self, review: int, name: str, by: str, now: datetime = NOW, outcome: str = "", to: str = "first", **given: int) -> Review:
        act = Act(by=by, now=now, reason=f"{name}", **given)
        if name == "assign":
            return acting.assign(self.store, self.log, review=review, to=to, act=act)
        if name == "close":
            return acting.close(self.store, self.log, review=review, outcome=outcome or "in_order", act=act)
        moves = {"ask": acting.ask, "answer": acting.answer, "confirm": acting.confirm, "return": acting.give_back}
        return moves[name](self.store, self.log, review=review, act=act)

    def asked(self, accessor: str = "clerk") -> Review:
        review = self.opened(accessor)
        self.moved(review.id, "assign", "other")
        return self.moved(review.id, "ask", "first")

    def standing(self, review: int, now: datetime = NOW) -> tuple[Review, int]:
        """A review as it stands, and how many acts it has."""
        with self.store.session() as session:
            acts = session.scalar(sa.select(sa.func.count()).where(AuditReviewActRow.review_id == review))
            return read_review(session, load_row(session, review), day_of(now)), acts or 0

    def last(self) -> tuple[str, dict[str, object]]:
        record = next(iter(self.log.entries(self.log.size() - 1))).record
        return record.event.value, dict(record.body)


def staff(home: Home) -> None:
    create_keys(home)
    with at_work(home) as bureau:
        ensure_operator(bureau.store, NOW)
        for name, department, roles in PEOPLE:
            create_account(bureau.store, bureau.log, by="operator", name=name, title=name, department=department, roles=roles, now=NOW)


@contextmanager
def at_work(home: Home) -> Iterator[Bureau]:
    store, log = open_store(home.store_url), open_log(home.audit_url, home.keys, clock=lambda: NOW)
    yield Bureau(store=store, log=log)
    log.close()
    store.close()


@pytest.fixture
def bureau(begin: Begin) -> Iterator[Bureau]:
    with at_work(begin(staff)) as bureau:
        yield bureau


def test_an_access_that_a_rule_points_at_is_opened_with_evidence_that_verifies(platform: Platform, enter: Enter) -> None:
    seq = platform.door.why("operator", "好奇", WANG, "name").seq
    opened = open_on_access(enter(), MEANS, access=seq, act=Act(by="auditor", now=NOW, reason="预警核查"))
    assert (opened.origin, opened.access, opened.accessor, opened.rules) == (Origin.FLAGGED, seq, "operator", ("unexplained",))
    record = platform.log.entry(opened.record).record
    assert record.event is Event.AUDIT_REVIEW_OPENED and record.body["evidence"] == opened.evidence_digest
    shown = show_review(platform.store, platform.log, review=opened.id, by="second", now=NOW)
    assert shown.faults == () and [one.seq for one in shown.accesses] == [seq - 1, seq]
    assert shown.score is not None and (shown.score.people, shown.score.unexplained, shown.score.alerts) == (1, 1, ("unexplained",))
    assert WANG not in str(shown) and "王小明" not in str(shown)
    assert platform.last().record.event is Event.AUDIT_REVIEW_READ
    with pytest.raises(Refused, match="RVW-OPEN"):
        open_on_access(enter(), MEANS, access=seq, act=Act(by="second", now=NOW, reason="再查"))


def test_an_account_is_opened_with_the_accesses_that_rules_point_at(platform: Platform, enter: Enter) -> None:
    seqs = [platform.door.why("operator", "好奇", WANG, "name").seq for _ in range(4)]
    period, act = Period(first=date(2026, 11, 1), last=date(2026, 11, 30)), Act(by="auditor", now=NOW, reason="排序靠前")
    opened = open_on_account(enter(), MEANS, accessor="operator", period=period, act=act)
    assert (opened.access, opened.first, opened.rules) == (None, period.first, ("repeated", "unexplained"))
    shown = show_review(platform.store, platform.log, review=opened.id, by="auditor", now=NOW)
    assert {one.seq for one in shown.accesses} == {*seqs, *(seq - 1 for seq in seqs)} and shown.faults == ()
    for accessor, code in (("operator", "RVW-OPEN"), ("lin", "RVW-NOTHING"), ("auditor", "RVW-OWN")):
        with pytest.raises(TongchouError, match=code):
            open_on_account(enter(), MEANS, accessor=accessor, period=period, act=act)


def test_only_auditors_open_and_only_answers_about_people(platform: Platform, enter: Enter) -> None:
    seq = platform.door.why("operator", "好奇", WANG, "name").seq
    with pytest.raises(Denied):
        open_on_access(enter(), MEANS, access=seq, act=Act(by="lin", now=NOW, reason="看看"))
    for wrong in (seq - 1, 10_000):
        with pytest.raises(NotFound):
            open_on_access(enter(), MEANS, access=wrong, act=Act(by="auditor", now=NOW, reason="核查"))
    assert platform.last().record.event is Event.AUDIT_REVIEW_REFUSED


def test_evidence_tells_what_was_changed(bureau: Bureau) -> None:
    review = bureau.opened()
    with bureau.store.session() as session:
        row = load_row(session, review.id)
        text, digest, record = row.evidence, row.evidence_digest, row.record

    def faults(text: str = text, digest: str = digest, number: int = review.id, record: int = record) -> list[str]:
        return faults_of_evidence(bureau.log, text, digest=digest, review=number, record=record)

    assert faults() == []
    assert faults(text.replace("看看", "办案")) == ["证据被改动 the evidence was changed"]
    forged = text.replace("看看", "办案")
    assert any("opening" in fault or "与立案记录不符" in fault for fault in faults(forged, digest_of(forged)))
    assert any("something else" in fault for fault in faults(forged, digest_of(forged)))
    assert faults(number=review.id + 1) != [] and faults(record=record - 1) != []


def test_evidence_tells_that_the_log_was_changed(bureau: Bureau) -> None:
    review = bureau.opened()
    assert review.access is not None
    with bureau.log.storage.transaction() as db:
        db.run("UPDATE entry SET record = (SELECT record FROM entry WHERE seq = ?) WHERE seq = ?", (review.access - 1, review.access))
    shown = show_review(bureau.store, bureau.log, review=review.id, by="first", now=NOW)
    assert [fault.split(":")[0] for fault in shown.faults] == [f"记录 record {review.access}"]


def test_the_question_goes_to_the_head_and_the_answer_is_due_in_five_working_days(bureau: Bureau) -> None:
    review = bureau.asked()
    assert (review.state, review.answers, review.due_on) == (State.ASKED, Superior.HEAD, date(2026, 11, 30))
    with pytest.raises(Denied, match="RVW-PARTY"):
        bureau.moved(review.id, "answer", "stranger")
    waiting = list_reviews(bureau.store, bureau.log, by="head", now=NOW, wanted=Wanted())
    assert [one.id for one in waiting.reviews] == [review.id] and waiting.reviews[0].rules == ()
    shown = show_review(bureau.store, bureau.log, review=review.id, by="head", now=NOW)
    assert shown.score is None and [act.move for act in shown.acts] == ["ask"] and shown.review.rules == ()
    answered = bureau.moved(review.id, "answer", "head")
    assert (answered.state, answered.due_on) == (State.ANSWERED, None)
    event, body = bureau.last()
    assert event == "oversight:review:moved" and body["text"] != "answer" and body["account"] == "clerk"
    assert list_reviews(bureau.store, bureau.log, by="head", now=NOW, wanted=Wanted()).reviews == ()


@pytest.mark.parametrize("accessor", ["head", "lone", "chief", "operator"])
def test_of_a_head_and_where_there_is_none_the_bureau_answers(bureau: Bureau, accessor: str) -> None:
    create_account(
        bureau.store, bureau.log, by="operator", name="guard", title="安", department=None, roles=[Role.SECURITY_ADMINISTRATOR], now=NOW
    )
    review = bureau.asked(accessor)
    assert review.answers == Superior.BUREAU
    with pytest.raises(Denied):
        bureau.moved(review.id, "answer", accessor)
    assert bureau.moved(review.id, "answer", "guard" if accessor == "chief" else "chief").state == State.ANSWERED


def test_nobody_works_on_a_review_of_himself_nor_sees_it(bureau: Bureau) -> None:
    review = bureau.opened("first")
    with pytest.raises(Denied, match="RVW-OWN"):
        bureau.moved(review.id, "assign", "first", to="other")
    with pytest.raises(Refused, match="RVW-TERMS"):
        bureau.moved(review.id, "assign", "other", to="first")
    with pytest.raises(Denied, match="RVW-PARTY"):
        show_review(bureau.store, bureau.log, review=review.id, by="first", now=NOW)
    assert bureau.last()[0] == "oversight:review:refused"
    assert list_reviews(bureau.store, bureau.log, by="first", now=NOW, wanted=Wanted()).reviews == ()
    assert len(list_reviews(bureau.store, bureau.log, by="other", now=NOW, wanted=Wanted()).reviews) == 1


def test_a_grave_outcome_stands_when_a_second_auditor_has_confirmed_it(bureau: Bureau) -> None:
    review = bureau.asked()
    bureau.moved(review.id, "answer", "head")
    proposed = bureau.moved(review.id, "close", "first", outcome="misuse")
    assert (proposed.state, proposed.outcome, proposed.closed_at) == (State.PROPOSED, "misuse", None)
    with pytest.raises(Denied, match="RVW-SECOND"):
        bureau.moved(review.id, "confirm", "first")
    back = bureau.moved(review.id, "return", "other")
    assert (back.state, back.outcome, back.closed_by) == (State.ASSIGNED, None, None)
    bureau.moved(review.id, "ask", "first")
    bureau.moved(review.id, "answer", "head")
    bureau.moved(review.id, "close", "first", outcome="crime")
    closed = bureau.moved(review.id, "confirm", "other")
    assert (closed.state, closed.outcome, closed.closed_by, closed.confirmed_by) == (State.CLOSED, "crime", "first", "other")


def test_never_answered_is_found_only_after_the_day(bureau: Bureau) -> None:
    review = bureau.asked()
    with pytest.raises(Refused, match="RVW-MOVE"):
        bureau.moved(review.id, "close", "first", outcome="unanswered", now=datetime(2026, 11, 30, 9, tzinfo=NOW.tzinfo))
    assert bureau.moved(review.id, "close", "first", outcome="unanswered", now=NOW + WEEK).state == State.CLOSED


def test_of_two_who_act_at_once_the_second_is_told(bureau: Bureau) -> None:
    review = bureau.opened()
    bureau.moved(review.id, "assign", "other", seen=1)
    with pytest.raises(Refused, match="RVW-STALE"):
        bureau.moved(review.id, "assign", "other", seen=1)
    assert bureau.standing(review.id)[0].version == 2 and bureau.last()[1]["why"] == "RVW-STALE"
    with pytest.raises(Refused, match="RVW-TERMS"):
        acting.ask(bureau.store, bureau.log, review=review.id, act=Act(by="first", now=NOW, reason="110105194912310021 是谁"))


def test_pages_of_reviews_hold_each_once(bureau: Bureau) -> None:
    numbers = [bureau.opened().id for _ in range(5)]
    bureau.moved(numbers[1], "assign", "other")
    found: list[int] = []
    before = None
    while True:
        page = list_reviews(bureau.store, bureau.log, by="first", now=NOW, wanted=Wanted(), before=before, limit=2)
        found += [one.id for one in page.reviews]
        if (before := page.before) is None:
            break
    assert found == numbers[::-1]
    mine = list_reviews(bureau.store, bureau.log, by="first", now=NOW, wanted=Wanted(assigned_to="first", state=State.ASSIGNED))
    assert [one.id for one in mine.reviews] == [numbers[1]]
    assert list_reviews(bureau.store, bureau.log, by="clerk", now=NOW, wanted=Wanted()).reviews == ()


@dataclass(frozen=True, kw_only=True)
class Naive:
    """The rules of a review of an access of `clerk`, written out one by one, without the table."""

    state: str = "opened"
    holder: str = ""
    finder: str = ""
    late: bool = False

    def after(self, name: str, by: str, outcome: str) -> "Naive | None":
        """What it is after a move; None: refused."""
        auditor, mine = by in ("first", "other"), by in ("first", "other") and by == self.holder
        working = self.state in ("assigned", "asked", "answered")
        if name == "assign" and auditor and (self.state == "opened" or working):
            return replace(self, holder="first", state="assigned" if self.state == "opened" else self.state)
        if name == "ask" and mine and self.state in ("assigned", "answered"):
            return replace(self, state="asked", late=False)
        if name == "answer" and by == "head" and self.state == "asked":
            return replace(self, state="answered")
        if name == "close" and mine and self._may_end(outcome):
            return replace(self, state="proposed" if outcome in ("misuse", "crime") else "closed", finder=by)
        if name == "confirm" and auditor and self.state == "proposed" and by != self.finder:
            return replace(self, state="closed")
        if name == "return" and auditor and self.state == "proposed" and by != self.finder:
            return replace(self, state="assigned", finder="")
        return None

    def _may_end(self, outcome: str) -> bool:
        if self.state == "assigned":
            return outcome == "in_order"
        if self.state == "answered":
            return outcome in ("in_order", "improper", "misuse", "crime")
        return self.state == "asked" and self.late and outcome in ("improper", "unanswered", "misuse", "crime")


STEPS = st.tuples(
    st.sampled_from(sorted(MOVES)),
    st.sampled_from(["first", "other", "clerk", "head", "chief"]),
    st.sampled_from(sorted(load_review_rules().outcomes)),
)
USUAL = [("assign", "other", ""), ("ask", "first", ""), ("answer", "head", ""), ("close", "first", "misuse"), ("confirm", "other", "")]
"""Begun with some of the usual way, so that each state is reached."""


@pytest.fixture(scope="module")
def office(beginnings: Beginnings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    with at_work(beginnings.copy(staff, SQLITE, tmp_path_factory.mktemp("reviewing") / "home")) as bureau:
        yield bureau


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(usual=st.integers(0, len(USUAL)), steps=st.lists(STEPS, max_size=5), late=st.booleans())
def test_the_moves_are_those_of_a_naive_reading(office: Bureau, usual: int, steps: list[tuple[str, str, str]], late: bool) -> None:
    review, expected = office.opened().id, Naive()
    for number, (name, by, outcome) in enumerate([*USUAL[:usual], *steps]):
        now = NOW + WEEK if late and number >= usual else NOW
        expected = replace(expected, late=expected.state == "asked" and now != NOW and (expected.late or number >= usual))
        before, foreseen = office.standing(review), expected.after(name, by, outcome or "in_order")
        try:
            done = office.moved(review, name, by, now=now, outcome=outcome)
        except TongchouError as refused:
            assert foreseen is None, (name, by, outcome, expected, refused.code)
            assert office.standing(review) == before, "what is refused changes nothing"
            event, body = office.last()
            assert (event, body["why"], body["move"]) == ("oversight:review:refused", refused.code, name)
        else:
            assert foreseen is not None, (name, by, outcome, expected)
            assert (done.state, done.assigned_to or "", done.closed_by or "") == (foreseen.state, foreseen.holder, foreseen.finder)
            assert done.version == before[0].version + 1 and office.last()[0] == "oversight:review:moved"
            expected = foreseen


def test_each_outcome_says_where_it_may_follow() -> None:
    stages = {*(state.value for state in State), OVERDUE}
    outcomes = load_review_rules().outcomes.values()
    assert all(one.after and one.after <= stages and one.zh and one.en for one in outcomes)
    assert {one.key for one in outcomes if one.grave} == {"misuse", "crime"}
