"""回流 (law.md L-22): a department finds what goes back to it, requests it, is granted it and receives its own residents only."""

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

from access.grants import load_grant
from access.terms import GrantState
from casework.finding import asker_of, returned_to
from casework.requests.moves import State
from casework.requests.request import Request
from rules.tiers import Tier
from tests.casework.conftest import at
from tests.casework.requests.conftest import AGREE, BUREAU, CLERK, PROVIDER, PROVIDER_HEAD, TERMS, Desk

RETURNED = replace(
    TERMS,
    target="return:hukou",
    columns=("record", "name", "marital_status"),
    tier=Tier.T4,
    tier_reason="更新本部门登记",
    responsible=PROVIDER,
)
OPERATOR = "operator"


def offered(desk: Desk, by: str) -> list[tuple[str, str]]:
    with desk.platform.store.session() as session:
        found = returned_to(session, desk.platform.lake, asker_of(session, by))
    assert all("marital_status" in one.columns and one.entry for one in found), "under the entry of its data set"
    return [(one.target, one.department) for one in found]


def requested(desk: Desk) -> Request:
    """The police's request for what goes back to them, with the bureau."""
    number = desk.draft(RETURNED, by=PROVIDER)
    desk.do("submit", number, by=PROVIDER)
    desk.do("approve", number, by=PROVIDER_HEAD)
    desk.do("check", number)
    return desk.request(number)


def test_only_the_department_that_holds_the_data_set_and_the_bureau_find_it(desk: Desk) -> None:
    assert offered(desk, PROVIDER) == offered(desk, BUREAU) == [("return:hukou", "police")]
    assert offered(desk, CLERK) == []


def test_it_is_requested_granted_and_received_for_its_own_residents_only(desk: Desk, tmp_path: Path) -> None:
    """Without conditions, thus answered within one working day (L-15); of six residents the two whose records the police hold."""
    request = requested(desk)
    assert (request.provider, request.share, desk.clocks(request.id)) == (
        None,
        "unconditional",
        {"answer_unconditional": date(2026, 11, 24)},
    )
    desk.do("answer", request.id, by=OPERATOR, answer=AGREE)
    desk.do("impact", request.id, by=BUREAU)
    desk.do("confirm", request.id, by=BUREAU)
    number = desk.dossier(request.id).grant
    with desk.platform.store.session() as session:
        grant = load_grant(session, number)
    assert grant is not None and (grant.state, grant.conditions, grant.grantee) == (GrantState.ACTIVE, (), "police")
    desk.platform.door.extract(PROVIDER, number, tmp_path / "out.csv", "csv")
    with (tmp_path / "out.csv").open(encoding="utf-8-sig", newline="") as lines:
        rows = [(row["record"], row["marital_status"]) for row in csv.DictReader(lines)]
    assert sorted(rows) == [("h1", "20"), ("h2", "10")]
    desk.do("supply", request.id, by=OPERATOR, now=at("2026-11-24"))
    assert desk.state(request.id) is State.IN_USE


def test_another_department_is_told_that_it_is_not_for_it(desk: Desk) -> None:
    other = desk.draft(replace(RETURNED, responsible=CLERK))
    assert "回流" in desk.refused("REQ-TERMS", lambda: desk.do("submit", other), other)
