"""Residents are told who looked at their data, but not of what has to wait, nor that anything waits; others' affairs do not show."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.accounts import Role, create_account
from access.readers import Reader
from audit.events import Event
from oversight.reading_room import ReadingRoom
from oversight.search import Terms, search
from oversight.statements import DUTY, NOTICE, OTHERWISE, Statement, give_statement, release, told_from
from rules.errors import Denied, NotFound, Refused
from rules.oversight import Deferral, load_yardsticks
from tests.access.conftest import NOW, Platform
from tests.oversight.conftest import AUDITOR
from tests.oversight.test_search import WANG, identities

__all__ = ["identities"]

Enter = Callable[[], ReadingRoom]
CLERK = Reader(name="counter", purpose="受理号 2026-118")
SECRET = "《刑事诉讼法》第五十四条"
DEFERRAL = load_yardsticks().deferral


@pytest.fixture(autouse=True)
def people(platform: Platform) -> None:
    made = (
        ("counter", None, Role.BUREAU_REGISTRAR),
        ("chief", "civil_affairs", Role.DEPARTMENT_HEAD),
        ("zhao", "health", Role.DEPARTMENT_HEAD),
    )
    for name, department, role in made:
        create_account(platform.store, platform.log, by="operator", name=name, title=name, department=department, roles=[role], now=NOW)


def stated(enter: Enter, resident: str = WANG) -> Statement:
    return give_statement(enter(), CLERK, resident, DEFERRAL)


def extract(platform: Platform, folder: Path, **terms: str) -> int:
    """A bulk answer that held everybody, under a grant of its own; gives the grant's number."""
    number = platform.grant(**terms).id
    platform.door.extract("lin", number, folder / f"{number}.csv", "csv")
    return number


def test_a_line_says_when_who_what_for_and_which_way_and_no_more(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    extract(platform, tmp_path, case_number="民救2026-7")
    platform.door.why("operator", "核对金记录", WANG, "name")
    by_bureau, by_department = stated(enter).lines
    assert (by_department.at, by_department.purpose, by_department.legal_basis) == (
        "2026-11-23 10:00",
        "低保资格核查",
        "《社会救助暂行办法》第十一条",
    )
    assert "bulk" in by_department.way or "file" in by_department.way
    assert "the data bureau" in by_bureau.institution and by_bureau.purpose.startswith("依法履行职责")
    told = json.dumps(asdict(stated(enter)), ensure_ascii=False)
    assert not any(secret in told for secret in ('"lin"', "operator", "核对金记录", "民救2026-7", str(tmp_path), WANG, "王小明"))


def test_what_has_to_wait_leaves_no_trace_in_the_statement(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    for number in range(3):
        extract(platform, tmp_path, purpose=f"核查 {number}")
    before = json.dumps(asdict(stated(enter)), ensure_ascii=False)
    extract(platform, tmp_path, legal_basis=SECRET)
    extract(platform, tmp_path, legal_basis="《税收征收管理法》第六条")
    after = json.dumps(asdict(stated(enter)), ensure_ascii=False)
    assert after == before and NOTICE in after


def test_it_is_told_when_its_time_has_passed(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    extract(platform, tmp_path, legal_basis="《税收征收管理法》第六条")
    platform.clock.now = NOW + timedelta(days=180) - timedelta(seconds=1)
    assert stated(enter).lines == ()
    platform.clock.now = NOW + timedelta(days=180)
    assert [line.legal_basis for line in stated(enter).lines] == ["《税收征收管理法》第六条"]


def test_the_head_of_the_department_ends_the_secrecy(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    secret = extract(platform, tmp_path, legal_basis=SECRET)
    for stranger in ("lin", "zhao", "operator", "auditor", "nobody"):
        with pytest.raises(Denied):
            release(enter(), by=stranger, grant=secret, why="案件已结")
        assert platform.last().record.event == Event.STATEMENT_REFUSED
    with pytest.raises(Refused, match="OVS-RELEASE"):
        release(enter(), by="chief", grant=secret, why=" ")
    with pytest.raises(NotFound):
        release(enter(), by="chief", grant=99, why="案件已结")
    assert stated(enter).lines == ()
    release(enter(), by="chief", grant=secret, why="案件已结")
    assert platform.last().record.body == {"actor": "chief", "grant": secret, "why": "案件已结"}
    assert [line.legal_basis for line in stated(enter).lines] == [SECRET]


@pytest.mark.parametrize("act", sorted(DEFERRAL.other_persons))
def test_another_persons_affairs_do_not_show(platform: Platform, enter: Enter, act: str) -> None:
    """The records of such an act, as the door writes them: of what was asked nothing but institution and time is told."""
    number = platform.grant(purpose="核查举报线索").id
    facts = {"actor": "lin", "department": "civil_affairs", "grant": number, "subjects": [platform.log.subject("resident", WANG)]}
    intent = platform.log.append(Event(f"access:{act}:intent"), {"holder": "1", "origin": "x", **facts})
    platform.log.append_sealed(Event(f"access:{act}:result"), {"intent": intent.seq, "rows": 1, "residents": 1, "digest": "0" * 64})
    (line,) = stated(enter).lines
    assert (line.purpose, line.legal_basis, line.way) == (DUTY, "", OTHERWISE)


def test_what_nobody_handed_over_was_seen_by_nobody(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    extract(platform, tmp_path)
    result = platform.last().seq
    platform.log.append_sealed(Event.EXTRACT_WITHHELD, {"result": result, "why": "suspended"})
    assert stated(enter).lines == ()


def test_files_whose_people_can_no_longer_be_read_are_told_as_such(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    extract(platform, tmp_path)
    extract(platform, tmp_path, legal_basis=SECRET)
    for file in platform.home.populations.rglob("*.roaring"):
        file.unlink()
    found = stated(enter)
    assert (found.lines, found.unclear) == ((), 1)


@pytest.mark.parametrize("who", ["auditor", "operator", "lin", "nobody"])
def test_nobody_but_a_registrar_gives_statements(platform: Platform, enter: Enter, who: str) -> None:
    with pytest.raises(Denied):
        give_statement(enter(), Reader(name=who, purpose="受理号 1"), WANG, DEFERRAL)
    assert platform.last().record.event == Event.LOG_REFUSED


def test_a_statement_needs_the_application_and_the_person(platform: Platform, enter: Enter) -> None:
    with pytest.raises(Refused, match="OVS-PURPOSE"):
        give_statement(enter(), Reader(name="counter", purpose=""), WANG, DEFERRAL)
    for text in (platform.log.subject("resident", WANG), "王小明"):
        with pytest.raises(NotFound, match="OVS-PERSON"):
            give_statement(enter(), CLERK, text, DEFERRAL)


def test_each_statement_is_on_record_with_what_waits_for_auditors_only(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    extract(platform, tmp_path)
    extract(platform, tmp_path, legal_basis=SECRET)
    stated(enter)
    record = platform.last().record
    assert record.event == Event.STATEMENT_GIVEN and record.body["found"] == {"lines": 1, "told": 1, "unclear": 0, "waiting": 1}
    assert WANG not in json.dumps(record.body)
    assert [found.seq for found in search(enter(), AUDITOR, Terms(subject=WANG, event=Event.STATEMENT_GIVEN)).accesses] == [
        platform.log.size() - 2
    ]


AT = datetime(2026, 1, 1, tzinfo=UTC)
CITED = st.dictionaries(st.sampled_from("甲乙丙丁"), st.integers(0, 40), max_size=4)


@given(
    cited=CITED,
    longest=st.integers(0, 30),
    bases=st.lists(st.text("甲乙丙丁戊", max_size=3), max_size=3),
    released=st.none() | st.integers(-3, 50),
    asked=st.integers(0, 60),
)
def test_when_a_resident_is_told_is_as_a_clerk_would_count_it(
    cited: dict[str, int], longest: int, bases: list[str], released: int | None, asked: int
) -> None:
    """Day by day: told once the longest time or every cited law's time is over, or it was released."""
    deferral = Deferral(longest_days=longest, days_by_cited=cited, other_persons=frozenset())
    told = told_from(deferral, AT, bases, None if released is None else AT + timedelta(days=released))
    over = asked >= longest or all(asked >= days for law, days in cited.items() if any(law in basis for basis in bases))
    assert (AT + timedelta(days=asked) >= told) == (over or (released is not None and asked >= released))
