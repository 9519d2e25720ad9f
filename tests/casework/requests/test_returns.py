"""回流 (law.md L-22): a department finds what goes back to it, requests it, is granted it and receives its own residents only."""

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from access.accounts import Role, create_account
from access.grants import load_grant
from access.targets import load_target
from access.terms import GrantState
from audit.events import Event
from casework.clocks import Subject, open_clocks
from casework.entries.acting import Notice
from casework.entries.moves import Act
from casework.entries.publishing import move
from casework.entries.returning import offer_returns
from casework.finding import asker_of, returned_to
from casework.requests.moves import State
from casework.requests.offers import offer_of
from casework.requests.request import Request
from catalog.datasets import load_dataset
from catalog.entries.returning import Assessments
from catalog.entries.shelf import Entry, acts_of, load_entry, record_act, write_content
from catalog.entries.states import State as EntryState
from catalog.search.finding import Question, find
from catalog.search.index import build_index
from catalog.search.overlap import duplicates
from rules.errors import Denied, Refused
from rules.levels import Level
from rules.tiers import Tier
from tests.casework.conftest import at
from tests.casework.requests.conftest import AGREE, BUREAU, CLERK, DAY, PROVIDER, PROVIDER_HEAD, TERMS, Desk

RETURNED = replace(
    TERMS,
    target="return:hukou",
    columns=("record", "name", "marital_status"),
    tier=Tier.T4,
    tier_reason="更新本部门登记",
    responsible=PROVIDER,
)
OPERATOR, REGISTRAR = "operator", "registrar"
ASSESSED = Assessments(secrecy="南数密评〔2026〕9号", privacy="南数影评〔2026〕9号", not_secret=True)


@pytest.fixture(autouse=True)
def registrar(desk: Desk) -> None:
    p = desk.platform
    create_account(p.store, p.log, by=OPERATOR, name=REGISTRAR, title="x", department=None, roles=[Role.BUREAU_REGISTRAR], now=DAY)


def offered(desk: Desk, by: str) -> list[tuple[str, str]]:
    with desk.platform.store.session() as session:
        found = returned_to(session, asker_of(session, by))
    assert all("marital_status" in one.columns and one.code for one in found)
    return [(one.target, one.department) for one in found]


def compiled(desk: Desk, *datasets: str, assessments: Assessments = ASSESSED) -> list[Entry]:
    p = desk.platform
    return offer_returns(p.store, p.lake, p.log, by=REGISTRAR, datasets=datasets, assessments=assessments, now=DAY)


def moved(desk: Desk, entry: Entry, act: Act, by: str, **more: Any) -> Entry:
    p = desk.platform
    with p.store.session() as session:
        revision = load_entry(session, entry.id).revision
    return move(p.store, p.log, by=by, entry=entry.id, act=act, revision=revision, now=DAY, **more)


def published(desk: Desk) -> Entry:
    (entry,) = compiled(desk, "hukou")
    return moved(desk, entry, Act.PUBLISH, BUREAU)


def entry_clocks(desk: Desk, entry: Entry) -> list[str]:
    with desk.platform.store.session() as session:
        return [clock.clock for clock in open_clocks(session, Subject.ENTRY, [entry.id])]


def requested(desk: Desk) -> Request:
    """The police's request for what goes back to them, with the bureau."""
    number = desk.draft(RETURNED, by=PROVIDER)
    desk.do("submit", number, by=PROVIDER)
    desk.do("approve", number, by=PROVIDER_HEAD)
    desk.do("check", number)
    return desk.request(number)


def test_it_is_an_entry_of_the_catalogue_with_a_code_and_states_that_two_people_of_the_bureau_move(desk: Desk) -> None:
    (entry,) = compiled(desk, "hukou")
    assert (entry.state, entry.department, entry.returns) == (EntryState.BUREAU_REVIEW, "data_bureau", "hukou")
    assert entry.code is not None and entry_clocks(desk, entry) == ["entry_publication"], "L-13: two working days"
    assert offered(desk, PROVIDER) == [], "only what is published can be asked for (L-12)"
    with pytest.raises(Denied, match="CAT-TWO-PERSONS"):
        moved(desk, entry, Act.PUBLISH, REGISTRAR)
    done = moved(desk, entry, Act.PUBLISH, BUREAU)
    assert (done.state, done.version, entry_clocks(desk, entry)) == (EntryState.PUBLISHED, 1, [])
    assert (done.content.items["returned"], done.content.items["areaDistinguishable"]) == (True, True)


def test_what_is_sensitive_and_was_never_collected_by_the_department_takes_a_purpose(desk: Desk) -> None:
    """PIPL 28; all else goes back without conditions (L-22)."""
    entry = published(desk)
    with desk.platform.store.session() as session:
        own = {column.element for column in load_dataset(session, "hukou").columns}
        offer = offer_of(session, desk.platform.lake, "return:hukou")
    for column in entry.content.columns:
        sensitive = column.level == "L4" and column.element not in own and column.name != "record"
        assert column.share == ("conditional" if sensitive else "unconditional"), column.name
        assert bool(offer.conditions_of([column.name])) is sensitive
    assert entry.content.share == "conditional", "some are"


def test_each_data_set_has_one_at_most_and_none_without_assessments(desk: Desk) -> None:
    """L-01, L-07; what is refused leaves nothing but the record of the attempt."""
    with pytest.raises(Refused, match=r"ENT-DECLARATION.*ENT-ASSESSMENT"):
        compiled(desk, assessments=Assessments(secrecy="", privacy="", not_secret=False))
    first = compiled(desk)
    assert [entry.returns for entry in first] and compiled(desk) == []
    for name in ("hukou", "nothing"):
        with pytest.raises(Refused, match="CAT-RETURNS"):
            compiled(desk, name)
        assert desk.platform.last().record.event is Event.ENTRY_REFUSED
    with pytest.raises(Denied, match="CAT-RIGHT"):
        offer_returns(desk.platform.store, desk.platform.lake, desk.platform.log, by=PROVIDER, datasets=(), assessments=ASSESSED, now=DAY)


def test_only_the_department_that_holds_the_data_set_and_the_bureau_find_it(desk: Desk) -> None:
    entry = published(desk)
    assert offered(desk, PROVIDER) == offered(desk, BUREAU) == [("return:hukou", "police")]
    assert offered(desk, CLERK) == []
    with desk.platform.store.session() as session:
        index = build_index(session)
        hits = {who: find(index, asker_of(session, who), Question(text="婚姻状况 回流")).hits for who in (PROVIDER, BUREAU, CLERK)}
        held = [one for one in duplicates(index, asker_of(session, BUREAU)) if "data_bureau" in one.departments]
    assert [[hit.entry for hit in found] for found in hits.values()][:2] == [[entry.id], [entry.id]]
    assert entry.id not in [hit.entry for hit in hits[CLERK]]
    assert held == [], "nobody collected it"


def test_it_is_not_requested_before_it_is_published(desk: Desk) -> None:
    number = desk.draft(RETURNED, by=PROVIDER)
    desk.refused("REQ-UNPUBLISHED", lambda: desk.do("submit", number, by=PROVIDER), number)


def test_it_is_not_cancelled_while_a_grant_rests_on_it(desk: Desk) -> None:
    """L-28, TX-27; whose grants a withdrawal touches is told."""
    entry = published(desk)
    grant = desk.platform.grant(grantee="police", target="return:hukou", columns=["record", "marital_status"], tier=Tier.T4)
    notice = Notice(negotiation="与公安局协商", filing="备2026-7")
    moved(desk, entry, Act.WITHDRAW, BUREAU, note="停止回流", notice=notice)
    with desk.platform.store.session() as session:
        assert [g["grant"] for g in acts_of(session, entry.id)[-1].facts["grants"]] == [grant.id]
    with pytest.raises(Refused, match="CAT-IN-USE"):
        moved(desk, entry, Act.CANCEL, REGISTRAR)


def test_of_the_entry_and_the_golden_values_the_stricter_holds(desk: Desk) -> None:
    entry = published(desk)
    p = desk.platform
    with p.store.session() as session, session.begin():
        known = load_entry(session, entry.id)
        columns = tuple(replace(c, level="L4") if c.name == "marital_status" else c for c in known.content.columns)
        written = write_content(session, known, replace(known.content, columns=columns), by=None, now=DAY, reason="")
        record_act(session, known, "edit", to=EntryState.BUREAU_REVIEW, by=None, now=DAY, **written)
    moved(desk, entry, Act.PUBLISH, BUREAU)
    with p.store.session() as session:
        target = load_target(session, p.lake, "return:hukou")
    assert target.columns["marital_status"].facts.level is Level.L4 and target.columns["name"].facts.level < Level.L4


def test_it_is_requested_granted_and_received_for_its_own_residents_only(desk: Desk, tmp_path: Path) -> None:
    """Without conditions, thus answered within one working day (L-15); of six residents the two whose records the police hold."""
    published(desk)
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
    published(desk)
    other = desk.draft(replace(RETURNED, responsible=CLERK))
    assert "回流" in desk.refused("REQ-TERMS", lambda: desk.do("submit", other), other)
