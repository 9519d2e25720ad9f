"""A published month stays as it was, is contested by its number, and is published anew only with a reason (law.md F-03, F-04, L-32)."""

from collections.abc import Iterator
from datetime import date

import pytest
import sqlalchemy as sa

from casework import objections
from casework.clocks import Outcome, Subject, start, stop
from casework.moves import Kind
from casework.published_scores import (
    Publication,
    contests,
    is_whole,
    list_publications,
    load_publication,
    publish_scores,
    published_behind,
    published_scores,
)
from casework.scorecards import Period, Score, behind, scorecard
from catalog.home import Home
from catalog.schema import ScorecardCaseRow
from rules.errors import NotFound, TongchouError
from tests.beginnings import Begin
from tests.casework.conftest import NOW, at
from tests.casework.desk import Desk, furnish, opened

FIRST, LAST = date(2026, 12, 1), date(2026, 12, 31)
AFTER = at("2027-01-04")


def with_two_due(home: Home) -> None:
    furnish(home)
    with opened(home) as desk, desk.store.session() as session, session.begin():
        start(session, Subject.TICKET, [1, 2], "correction", owed_by="hrss", now=NOW)
        stop(session, Subject.TICKET, [1], outcome=Outcome.DONE, now=at("2026-12-01"))


@pytest.fixture
def desk(begin: Begin) -> Iterator[Desk]:
    """Two tickets of the social insurance office were due in December: one was done in time, of the other nothing is known yet."""
    with opened(begin(with_two_due)) as desk:
        desk.now = AFTER
        yield desk


def publish(desk: Desk, *, by: str = "approver", reason: str = "", last: date = LAST) -> Publication:
    return publish_scores(desk.store, desk.log, first=FIRST, last=last, act=desk.act(by, reason))


def numbers(scores: list[Score], metric: str = "corrections_in_time") -> list[tuple[str, int, int]]:
    return [(score.department, score.numerator, score.denominator) for score in scores if score.metric == metric]


def test_what_was_published_does_not_change_when_data_change_later(desk: Desk) -> None:
    done = publish(desk)
    with desk.store.session() as session:
        live = scorecard(session, Period(first=FIRST, last=LAST, today=date(2027, 1, 4)))
        kept = published_scores(session, done.number)
        lists = published_behind(session, done.number, "corrections_in_time", department="hrss")
    assert (kept, numbers(kept)) == (live, [("hrss", 1, 2)]), "published is what stood that day"
    with desk.store.session() as session, session.begin():
        stop(session, Subject.TICKET, [2], outcome=Outcome.VOID, now=AFTER)
    with desk.store.session() as session:
        assert numbers(scorecard(session, Period(first=FIRST, last=LAST, today=date(2027, 1, 5)))) == [("hrss", 1, 1)]
        assert published_scores(session, done.number) == kept
        assert published_behind(session, done.number, "corrections_in_time", department="hrss") == lists
        assert [(case.case, case.met) for case in lists] == [("ticket/2", False), ("ticket/1", True)]
        assert is_whole(session, load_publication(session, done.number))
    recorded = desk.office.last().record
    assert (recorded.event.value, recorded.body["digest"]) == ("casework:scorecard:published", done.digest)


def test_every_published_number_is_counted_over_its_kept_list(desk: Desk) -> None:
    done = publish(desk)
    with desk.store.session() as session:
        for score in published_scores(session, done.number):
            cases = published_behind(session, done.number, score.metric, department=score.department)
            first = published_behind(session, done.number, score.metric, department=score.department, limit=1)
            rest = published_behind(session, done.number, score.metric, department=score.department, after=first[0].place)
            assert [*first, *rest] == cases
            plain = [case for case in cases if not case.extended]
            assert (score.numerator, score.denominator) == (sum(case.met for case in plain), len(plain)), score
            assert cases == behind(
                session, score.metric, Period(first=FIRST, last=LAST, today=date(2027, 1, 4)), department=score.department
            )


def test_a_changed_list_is_found_by_the_digest(desk: Desk) -> None:
    done = publish(desk)
    with desk.store.session() as session, session.begin():
        session.execute(sa.update(ScorecardCaseRow).where(ScorecardCaseRow.case == "ticket/2").values(met=True))
    with desk.store.session() as session:
        assert not is_whole(session, load_publication(session, done.number))


def test_a_published_number_is_contested_and_corrected_by_another_publication(desk: Desk) -> None:
    """F-04: the contest goes to the bureau; both scorecards stand."""
    first = publish(desk)
    about = f"score/{first.number}/corrections_in_time/hrss"
    contest = objections.object_to(desk.store, desk.log, kind=Kind.OTHER, topic="score", about=about, act=desk.act("song"))
    assert contest.department_key == "data_bureau"
    with desk.store.session() as session, session.begin():
        assert contests(session, first.number) == {"corrections_in_time/hrss": [contest.id]}
        stop(session, Subject.TICKET, [2], outcome=Outcome.VOID, now=AFTER)
    second = publish(desk, reason="工单 2 号系误派，不计")
    with desk.store.session() as session:
        assert (second.anew, [one.number for one in list_publications(session)]) == (first.number, [second.number, first.number])
        assert [numbers(published_scores(session, n)) for n in (first.number, second.number)] == [[("hrss", 1, 2)], [("hrss", 1, 1)]]


@pytest.mark.parametrize(
    "about", ["score/1/corrections_in_time/police", "score/1/nothing/hrss", "score/9/corrections_in_time/hrss", "score/1"]
)
def test_a_number_that_was_not_published_is_not_contested(desk: Desk, about: str) -> None:
    publish(desk)
    with pytest.raises(TongchouError) as fault:
        objections.object_to(desk.store, desk.log, kind=Kind.OTHER, topic="score", about=about, act=desk.act("song"))
    assert fault.value.code == "TKT-TERMS"


@pytest.mark.parametrize(
    ("by", "last", "reason", "code"),
    [
        ("operator", LAST, "", "SCO-PARTY"),
        ("song", LAST, "", "SCO-PARTY"),
        ("approver", date(2027, 1, 4), "", "SCO-PERIOD"),
        ("approver", date(2026, 11, 30), "", "SCO-PERIOD"),
        ("approver", LAST, "", "SCO-REASON"),
        ("approver", LAST, "见 11010519491231002X", "SCO-REASON"),
    ],
)
def test_what_is_refused_publishes_nothing_and_leaves_a_record_of_the_attempt(
    desk: Desk, by: str, last: date, reason: str, code: str
) -> None:
    if code == "SCO-REASON":
        publish(desk)
    with desk.store.session() as session:
        before = list_publications(session)
    with pytest.raises(TongchouError) as fault:
        publish(desk, by=by, last=last, reason=reason)
    assert (fault.value.code, desk.office.last().record.body["why"]) == (code, code)
    with desk.store.session() as session:
        assert list_publications(session) == before
        with pytest.raises(NotFound):
            load_publication(session, 99)
