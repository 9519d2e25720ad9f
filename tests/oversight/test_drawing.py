"""Lots that nobody chooses: a month is drawn once, out of what no rule points at, and whoever doubts it makes the lots anew."""

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from access.accounts import Role, create_account
from audit.events import Event
from casework.attempts import Act
from catalog.schema import AuditDrawRow
from oversight.inspecting import Means
from oversight.reviews.drawing import Draw, check_draw, choose, draw, in_order_of_lots, lot_of
from oversight.reviews.moves import Origin
from oversight.reviews.review import Wanted, list_reviews, show_review
from rules.clocks import shipped_calendar
from rules.errors import Denied, NotFound, TongchouError
from rules.oversight import load_yardsticks
from rules.reviews import load_review_rules
from tests.access.conftest import NOW, Platform
from tests.access.test_door import a_ticket
from tests.oversight.test_search import WANG, Enter, identities

__all__ = ["identities"]

MEANS = Means(yardsticks=load_yardsticks(), calendar=shipped_calendar())
DECEMBER = datetime(2026, 12, 2, 2, tzinfo=UTC)
MONTH = "2026-11"


def act(by: str = "auditor", now: datetime = DECEMBER) -> Act:
    return Act(by=by, now=now, reason="十一月抽查")


@pytest.fixture
def looked(platform: Platform) -> tuple[set[int], set[int]]:
    """Looks that a ticket explains, and looks that nothing explains, of November; one of December."""
    roles = [Role.DEPARTMENT_HEAD]
    create_account(platform.store, platform.log, by="operator", name="wu", title="吴", department="police", roles=roles, now=NOW)
    ticket = a_ticket(platform)
    explained = {platform.door.ticket_items("wu", "核对", ticket, limit=10).seq for _ in range(7)}
    flagged = {platform.door.why("operator", "好奇", WANG, "name").seq for _ in range(3)}
    platform.clock.now = DECEMBER
    platform.door.ticket_items("wu", "核对", ticket, limit=10)
    return explained, flagged


def drawn(platform: Platform, enter: Enter) -> Draw:
    return draw(enter(), MEANS, month=MONTH, act=act())


def test_a_draw_opens_reviews_of_what_no_rule_points_at(platform: Platform, enter: Enter, looked: tuple[set[int], set[int]]) -> None:
    explained, flagged = looked
    made = drawn(platform, enter)
    assert (made.accesses, made.flagged, len(made.drawn)) == (10, 3, 5)
    assert set(made.drawn) < explained and set(made.passed_over) <= flagged
    page = list_reviews(platform.store, platform.log, by="second", now=DECEMBER, wanted=Wanted(origin=Origin.DRAWN, draw=MONTH))
    assert {one.access for one in page.reviews} == set(made.drawn) and {one.rules for one in page.reviews} == {()}
    shown = show_review(platform.store, platform.log, review=page.reviews[0].id, by="second", now=DECEMBER)
    assert shown.faults == () and shown.score is not None and set(shown.score.reasons) == {"matter", "client"}
    told = [entry.record.body for entry in platform.log.entries() if entry.record.event is Event.AUDIT_DRAW_MADE]
    assert [body["drawn"] for body in told] == [list(made.drawn)] and told[0]["seed"] == made.seed


def test_a_draw_is_checked_from_the_log_and_a_changed_one_found(platform: Platform, enter: Enter, looked: object) -> None:
    made = drawn(platform, enter)
    assert check_draw(enter(), MEANS, month=MONTH, act=act("second")) == (made, [])
    others = [seq for seq in in_order_of_lots(range(200), made.seed) if seq not in made.drawn]
    changed: list[dict[str, Any]] = [
        {"drawn": [others[0], *made.drawn[1:]]},
        {"seed": "0" * 64},
        {"checkpoint": made.checkpoint + 1},
        {"accesses": 11},
    ]
    for wrong in changed:
        right = {name: getattr(made, name) for name in wrong}
        with platform.store.session() as session, session.begin():
            session.execute(sa.update(AuditDrawRow).values(wrong))
        assert check_draw(enter(), MEANS, month=MONTH, act=act("second"))[1] != [], wrong
        with platform.store.session() as session, session.begin():
            session.execute(sa.update(AuditDrawRow).values({**right, "drawn": list(made.drawn)}))
    with pytest.raises(NotFound, match="RVW-NO-DRAW"):
        check_draw(enter(), MEANS, month="2026-10", act=act())


def test_a_month_is_drawn_once_after_its_end_by_an_auditor(platform: Platform, enter: Enter, looked: object) -> None:
    for month, who, now, code in (
        (MONTH, "auditor", NOW, "RVW-MONTH"),
        ("November", "auditor", DECEMBER, "RVW-TERMS"),
        (MONTH, "lin", DECEMBER, "DOOR-DENIED"),
    ):
        with pytest.raises(TongchouError, match=code):
            draw(enter(), MEANS, month=month, act=act(who, now))
    drawn(platform, enter)
    with pytest.raises(TongchouError, match="RVW-MONTH"):
        drawn(platform, enter)
    assert platform.last().record.event is Event.AUDIT_REVIEW_REFUSED
    with pytest.raises(Denied):
        check_draw(enter(), MEANS, month=MONTH, act=act("operator"))


def test_the_seed_hangs_on_the_log_alone(platform: Platform, enter: Enter, looked: object) -> None:
    """Whatever an auditor does before he draws, the head that first held the month stays the same."""
    first = drawn(platform, enter)
    with platform.store.session() as session, session.begin():
        session.execute(sa.delete(AuditDrawRow))
    enter()
    platform.log.append_sealed(Event.LOG_VERIFIED, {"actor": "auditor", "size": 1})
    again = drawn(platform, enter)
    assert (again.seed, again.checkpoint, again.drawn) == (first.seed, first.checkpoint, first.drawn)


@given(
    seqs=st.sets(st.integers(0, 500)),
    flagged=st.sets(st.integers(0, 500)),
    seed=st.text("0123456789abcdef", min_size=8),
    count=st.integers(0, 9),
)
def test_the_lowest_lots_are_drawn(seqs: set[int], flagged: set[int], seed: str, count: int) -> None:
    chosen, passed = choose(seqs, flagged, seed, count)
    left = seqs - flagged
    assert len(chosen) == min(count, len(left)) and set(chosen) <= left
    assert all(lot_of(one, seed) < lot_of(other, seed) for one in chosen for other in left - set(chosen))
    if len(chosen) == count and chosen:
        last = max(lot_of(one, seed) for one in chosen)
        assert set(passed) == {seq for seq in seqs & flagged if lot_of(seq, seed) < last}


@given(st.integers(0, 1_000_000))
def test_a_share_is_drawn_within_its_bounds(accesses: int) -> None:
    rules = load_review_rules()
    number = rules.drawn(accesses)
    assert number <= accesses and number <= rules.at_most and number >= min(accesses, rules.at_least)
    if rules.at_least < accesses * rules.share < rules.at_most:
        assert 0 <= number - accesses * rules.share < 1
