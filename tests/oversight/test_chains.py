"""An access is followed back to what allowed it; what the log does not tell of is a gap."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from access.grants import change_state
from access.terms import GrantState
from audit.events import Event
from catalog.schema import DataGrantRow
from oversight.chains import chain
from rules.errors import NotFound
from tests.access.conftest import Platform
from tests.access.test_door import a_ticket
from tests.oversight.conftest import AUDITOR
from tests.oversight.test_search import Enter


def test_an_extract_is_followed_back_to_its_request_and_grant(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    drafted = platform.log.append_sealed(Event.REQUEST_DRAFTED, {"actor": "lin", "request": 7}).seq
    moved = platform.log.append_sealed(Event.REQUEST_MOVED, {"actor": "he", "request": 7, "move": "agree"}).seq
    other = platform.log.append_sealed(Event.REQUEST_MOVED, {"actor": "he", "request": 8, "move": "agree"}).seq
    granted = platform.grant()
    # As a request's agreement would record it: the same grant with the request that it came of.
    made = platform.log.append_sealed(Event.GRANT_MADE, {"actor": "operator", "grant": granted.id, "request": 7}).seq
    given = platform.door.extract("lin", granted.id, tmp_path / "given.csv", "csv").seq
    found = chain(enter(), AUDITOR, given)
    seqs = [step.seq for step in found.steps]
    assert [seq for seq in seqs if seq in (drafted, moved, made, other)] == [drafted, moved, made]
    assert seqs[-2:] == [given - 1, given]
    assert [step.seq for step in chain(enter(), AUDITOR, given - 1).steps] == seqs


def test_changes_of_the_grant_are_steps(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    granted = platform.grant()
    for state in (GrantState.SUSPENDED, GrantState.ACTIVE):
        change_state(platform.store, platform.log, by="operator", grant_id=granted.id, state=state, why="核对")
    given = platform.door.extract("lin", granted.id, tmp_path / "given.csv", "csv").seq
    found = chain(enter(), AUDITOR, given)
    assert [step.event for step in found.steps] == [
        "grants:grant:made",
        "grants:grant:suspended",
        "grants:grant:resumed",
        "access:extract:intent",
        "access:extract:result",
    ]
    assert found.gaps == () and [step.seq for step in found.steps] == sorted(step.seq for step in found.steps)


def test_a_grant_that_nobody_recorded_is_a_gap(platform: Platform, enter: Enter) -> None:
    granted = platform.grant()
    with platform.store.session() as session, session.begin():
        row = session.get_one(DataGrantRow, granted.id)
        copied = {column.key: getattr(row, column.key) for column in sa.inspect(DataGrantRow).columns if column.key not in ("id", "change")}
        forged = DataGrantRow(**copied)
        session.add(forged)
        session.flush()
        number = forged.id
    seq = platform.log.append_sealed(Event.EXTRACT_INTENT, {"actor": "lin", "grant": number, "holder": "h"}).seq
    (gap,) = chain(enter(), AUDITOR, seq).gaps
    assert f"grant {number}" in gap


def test_a_tickets_values_rest_on_the_ticket(platform: Platform, enter: Enter) -> None:
    ticket = a_ticket(platform)
    raised = platform.log.append_sealed(Event.TICKET_RAISED, {"actor": "operator", "ticket": ticket}).seq
    seen = platform.door.ticket_items("operator", "核对", ticket, limit=10).seq
    assert [step.seq for step in chain(enter(), AUDITOR, seen).steps] == [raised, seen - 1, seen]


def test_there_is_no_chain_of_what_is_not_there(platform: Platform, enter: Enter) -> None:
    with pytest.raises(NotFound):
        chain(enter(), AUDITOR, 10_000)
