"""Lists of requests: who sees what, and pages that neither skip nor repeat (L-23 K-04; TX-32)."""

from typing import Any

import pytest

from access.accounts import Account, Role, load_account
from casework.requests.moves import State
from casework.requests.pages import Page, Side, due_soonest, may_see, newest
from rules.errors import Denied, Refused
from tests.casework.conftest import at
from tests.casework.requests.conftest import BUREAU, CLERK, HEAD, PROVIDER, STRANGER, Desk, changed


def viewer(desk: Desk, name: str) -> Account:
    with desk.platform.store.session() as session:
        return load_account(session, name)


def page(desk: Desk, name: str, **wanted: Any) -> Page:
    with desk.platform.store.session() as session:
        return newest(session, viewer(desk, name), **wanted)


def numbers(found: Page) -> list[int]:
    return [row.request.id for row in found.rows]


def test_pages_go_on_where_the_last_one_ended_whatever_came_between(desk: Desk) -> None:
    made = [desk.draft() for _ in range(7)]
    first = page(desk, BUREAU, limit=3)
    desk.draft()
    second = page(desk, BUREAU, limit=3, after=first.after)
    last = page(desk, BUREAU, limit=3, after=second.after)
    assert numbers(first) + numbers(second) + numbers(last) == made[::-1]
    assert (first.after, last.after) == (str(made[4]), None)


def test_a_department_sees_what_it_makes_and_what_it_answers(desk: Desk) -> None:
    mine, golden = desk.draft(), desk.draft(changed(target="golden", columns=("name",)))
    assert numbers(page(desk, CLERK)) == numbers(page(desk, HEAD)) == [golden, mine]
    assert numbers(page(desk, PROVIDER)) == [mine]
    assert numbers(page(desk, CLERK, side=Side.PROVIDER)) == []
    assert numbers(page(desk, STRANGER)) == []
    assert numbers(page(desk, "auditor")) == numbers(page(desk, "operator")) == [golden, mine]
    with pytest.raises(Denied, match="REQ-PARTY"):
        page(desk, STRANGER, department="civil_affairs")
    request = desk.request(mine)
    seen = [name for name in (CLERK, HEAD, PROVIDER, STRANGER, BUREAU, "auditor") if may_see(viewer(desk, name), request)]
    assert seen == [CLERK, HEAD, PROVIDER, BUREAU, "auditor"]


def test_who_has_no_part_in_requests_sees_none(desk: Desk) -> None:
    nobody = Account(name="grid", department="civil_affairs", roles=frozenset({Role.GRID_WORKER}), active=True)
    for account in (nobody, Account(name="lin", department="civil_affairs", roles=frozenset({Role.DEPARTMENT_REQUESTER}), active=False)):
        with pytest.raises(Denied), desk.platform.store.session() as session:
            newest(session, account)
        assert not may_see(account, desk.request(desk.draft()))


def test_a_state_and_a_side_narrow_the_list(desk: Desk) -> None:
    drafts, waiting = [desk.draft(), desk.draft()], desk.at_provider()
    assert numbers(page(desk, BUREAU, state=State.DRAFT)) == drafts[::-1]
    assert numbers(page(desk, BUREAU, state=State.PROVIDER_REVIEW, department="police", side=Side.PROVIDER)) == [waiting]


def test_what_is_due_first_comes_first_and_is_told_by_whom(desk: Desk) -> None:
    late, soon = desk.at_provider(now=at("2026-12-01")), desk.at_provider()
    checked = desk.draft()
    for name in ("submit", "approve"):
        desk.do(name, checked)
    desk.draft()
    with desk.platform.store.session() as session:
        found = due_soonest(session, viewer(desk, BUREAU), limit=2)
        rest = due_soonest(session, viewer(desk, BUREAU), limit=2, after=found.after)
        assert (numbers(found), numbers(rest), rest.after) == ([checked, soon], [late], None)
        assert numbers(due_soonest(session, viewer(desk, PROVIDER))) == [soon, late]
        assert numbers(due_soonest(session, viewer(desk, BUREAU), bureau=True)) == [checked]
        assert [clock.owed_by for clock in found.rows[1].clocks] == ["police"]


@pytest.mark.parametrize("mark", ["x", "2026-13-01/1", "1/x", "/", "9" * 5000])
def test_a_mark_that_no_page_gave_is_refused(desk: Desk, mark: str) -> None:
    with pytest.raises(Refused, match="REQ-PAGE"):
        page(desk, BUREAU, after=mark)
