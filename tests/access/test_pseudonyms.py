"""Epochs, reversal and linkage: each a recorded step with its reason, none without. law.md I-03, I-04, I-11."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from access.accounts import Role, create_account
from access.epochs import FIRST, begin_epoch, epochs_of, key_of
from access.linkage import LinkageTicket, approve_linkage
from access.reversal import Reversal
from access.terms import Grant, GrantState, RowScope
from audit.events import Event
from masking.keyed_hashes import SHA256
from rules.errors import Denied, NotFound, Refused
from tests.access.conftest import GRID, NOW, OTHER_GRID, RESIDENTS, Platform, clients_of, read_parquet

LAW = "《中华人民共和国社会救助法》第十一条"
IDS = RESIDENTS["resident_id"]


@pytest.fixture
def platform(platform: Platform) -> Iterator[Platform]:
    people = [("song", None, Role.BUREAU_APPROVER), ("steward", None, Role.STEWARD)]
    for name, department, role in people:
        create_account(platform.store, platform.log, by="operator", name=name, title=name, department=department, roles=[role], now=NOW)
    yield platform


def handed(platform: Platform, grant: Grant, folder: Path, actor: str = "lin") -> list[dict[str, Any]]:
    """What an extract gives, in the order of the residents."""
    out = folder / f"{grant.id}-{len(platform.events())}.parquet"
    platform.door.extract(actor, grant.id, out, "parquet")
    return read_parquet(out)


def begin(platform: Platform, by: str = "operator", reason: str = "例行更换") -> int:
    return begin_epoch(platform.store, platform.log, by=by, recipient="civil_affairs", reason=reason, now=NOW).number


def reversed_(platform: Platform, grant: Grant, column: str, *asked: str, by: str = "operator", why: str = "举报核查") -> list[str | None]:
    value = platform.door.reverse(by, why, grant.id, column, asked).value
    assert isinstance(value, Reversal)
    assert [text for text, _ in value.found] == list(asked)
    return [found for _, found in value.found]


def test_a_new_epoch_makes_all_pseudonyms_new_and_is_recorded(platform: Platform, tmp_path: Path) -> None:
    made = platform.grant(columns=["resident_id"])
    before = {row["resident_id"] for row in handed(platform, made, tmp_path)}
    assert begin(platform) == 2
    body = platform.last().record.body
    assert platform.last().record.event is Event.EPOCH_BEGUN
    assert (body["recipient"], body["epoch"], body["digest"], body["why"]) == ("civil_affairs", 2, SHA256, "例行更换")
    after = {row["resident_id"] for row in handed(platform, made, tmp_path)}
    assert len(before) == len(after) == 6 and not before & after
    with platform.store.session() as session:
        assert [epoch.number for epoch in epochs_of(session, "civil_affairs")] == [2, 1]
        assert epochs_of(session, "health") == (FIRST,)


def test_the_database_holds_no_key(platform: Platform) -> None:
    platform.grant()
    begin(platform)
    secret = key_of(platform.home.keys, "civil_affairs", FIRST).secret
    stored = (platform.home.root / "store.db").read_bytes()
    assert secret not in stored and secret.hex().encode() not in stored
    assert (platform.home.keys / "pseudonym-master.key").read_bytes() not in stored


@pytest.mark.parametrize("by", ["lin", "auditor", "song"])
def test_only_its_keepers_begin_an_epoch(platform: Platform, by: str) -> None:
    platform.grant()
    with pytest.raises(Denied):
        begin(platform, by)


@pytest.mark.parametrize("reason", ["", "查13800138000"])
def test_an_epoch_needs_a_reason_that_names_nobody(platform: Platform, reason: str) -> None:
    platform.grant()
    with pytest.raises(Refused, match="DOOR-REASON"):
        begin(platform, reason=reason)


def test_a_pseudonym_is_reversed_also_of_an_earlier_epoch_and_of_an_ended_grant(platform: Platform, tmp_path: Path) -> None:
    from access.grants import change_state

    made = platform.grant(columns=["resident_id"])
    old = handed(platform, made, tmp_path)[0]["resident_id"]
    begin(platform)
    new = handed(platform, made, tmp_path)[0]["resident_id"]
    change_state(platform.store, platform.log, by="operator", grant_id=made.id, state=GrantState.ENDED, why="用毕")
    found = reversed_(platform, made, "resident_id", old, new, "0" * 24)
    assert found[0] in IDS and found[1] in IDS and found[2] is None


def test_an_encrypted_number_is_reversed_only_where_the_column_holds_it(platform: Platform, tmp_path: Path) -> None:
    """Any key decrypts it to something."""
    made = platform.grant(columns=["phone"], masks={"phone": "encrypted_number"})
    shown = [row["phone"] for row in handed(platform, made, tmp_path) if row["phone"]]
    begin(platform)
    known = set(reversed_(platform, made, "phone", *shown))
    assert known <= set(RESIDENTS["phone"]) and len(known) == len(shown) >= 3
    assert not set(shown) & set(RESIDENTS["phone"])
    assert reversed_(platform, made, "phone", "13111111111") == [None]


def test_a_reversal_is_two_records_that_name_no_one(platform: Platform, tmp_path: Path) -> None:
    made = platform.grant(columns=["resident_id"])
    shown = handed(platform, made, tmp_path)[0]["resident_id"]
    found = reversed_(platform, made, "resident_id", shown, by="steward")[0]
    assert platform.events()[-2:] == ["access:reverse:intent", "access:reverse:result"]
    intent, result = [entry.record.body for entry in platform.log.entries()][-2:]
    assert (intent["purpose"], intent["grant"], intent["asked"]) == ("举报核查", made.id, 1)
    assert result["subjects"] == [platform.log.subject("resident", str(found))]
    assert str(found) not in str(result) and shown not in str(intent)
    assert str(found) not in repr(platform.door.reverse("steward", "举报核查", made.id, "resident_id", [shown]).value)


@pytest.mark.parametrize("by", ["lin", "he", "auditor", "song", "nobody"])
def test_who_may_not_reverse_is_denied_and_recorded(platform: Platform, by: str) -> None:
    made = platform.grant(columns=["resident_id"])
    with pytest.raises(Denied):
        reversed_(platform, made, "resident_id", "0" * 24, by=by)
    assert platform.events()[-1] == "access:reverse:denied"


def test_a_reversal_needs_a_reason_a_grant_and_one_of_its_columns(platform: Platform) -> None:
    made = platform.grant(columns=["resident_id"])
    with pytest.raises(Denied):
        reversed_(platform, made, "resident_id", "0" * 24, why="")
    with pytest.raises(Denied):
        platform.door.reverse("operator", "核查", 99, "resident_id", ["0" * 24])
    for column, asked in (("phone", ["0" * 24]), ("resident_id", []), ("resident_id", ["0" * 24] * 101)):
        with pytest.raises(Refused, match="DOOR-REVERSE"):
            platform.door.reverse("operator", "核查", made.id, column, asked)


def two_grants(platform: Platform) -> tuple[Grant, Grant]:
    mine = platform.grant(columns=["resident_id", "sex"], row_scope=RowScope(areas=(GRID,)))
    return mine, platform.grant(columns=["resident_id"], grantee="health")


def approved(platform: Platform, grants: tuple[Grant, Grant], **changes: Any) -> LinkageTicket:
    terms = {"by": "song", "legal_basis": LAW, "case_number": "2026-17", "reason": "联合核查", "valid_to": date(2026, 12, 1), "now": NOW}
    return approve_linkage(platform.store, platform.log, grants=(grants[0].id, grants[1].id), **{**terms, **changes})


def test_two_recipients_share_no_pseudonym_and_a_linkage_ticket_pairs_them(platform: Platform, tmp_path: Path) -> None:
    mine, theirs = two_grants(platform)
    first = {row["resident_id"] for row in handed(platform, mine, tmp_path)}
    second = {row["resident_id"] for row in handed(platform, theirs, tmp_path, "he")}
    assert not first & second
    ticket = approved(platform, (mine, theirs))
    answer = platform.door.link("operator", ticket.id, tmp_path / "pairs.csv", "csv")
    with (tmp_path / "pairs.csv").open(encoding="utf-8-sig", newline="") as lines:
        pairs = [(row["pseudonym_a"], row["pseudonym_b"]) for row in csv.DictReader(lines)]
    assert {a for a, _ in pairs} == first and {b for _, b in pairs} < second
    assert pairs == sorted(pairs)
    assert (answer.rows, answer.residents) == (3, 3)
    for a, b in pairs:
        assert reversed_(platform, mine, "resident_id", a) == reversed_(platform, theirs, "resident_id", b)


def test_a_linkage_is_recorded_when_it_is_approved_and_when_it_is_made(platform: Platform, tmp_path: Path) -> None:
    ticket = approved(platform, two_grants(platform))
    assert platform.last().record.event is Event.LINKAGE_APPROVED
    assert (platform.last().record.body["grantees"], platform.last().record.body["why"]) == (["civil_affairs", "health"], "联合核查")
    platform.door.link("operator", ticket.id, tmp_path / "pairs.parquet", "parquet")
    assert platform.events()[-2:] == ["access:link:intent", "access:link:result"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"legal_basis": "市政府会议纪要"},
        {"legal_basis": "《数据共享管理办法》第三条"},
        {"case_number": ""},
        {"reason": ""},
        {"valid_to": date(2027, 6, 1)},
        {"valid_to": date(2026, 1, 1)},
    ],
)
def test_a_linkage_that_the_law_does_not_allow_is_refused(platform: Platform, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="DOOR-LINKAGE"):
        approved(platform, two_grants(platform), **wrong)


def test_grants_that_cannot_be_linked_are_refused(platform: Platform) -> None:
    mine, theirs = two_grants(platform)
    filtered = platform.grant(grantee="health", columns=["resident_id", "sex"], row_scope=RowScope(equals={"sex": ("1",)}))
    for pair in ((mine, mine), (mine, platform.grant(grantee="health", columns=["sex"])), (mine, filtered)):
        with pytest.raises(Refused, match="DOOR-LINKAGE"):
            approved(platform, pair)
    with pytest.raises(Denied):
        approved(platform, (mine, theirs), by="lin")


def test_who_approved_does_not_carry_out_and_a_suspended_grant_stops_it(platform: Platform, tmp_path: Path) -> None:
    from access.grants import change_state

    mine, theirs = two_grants(platform)
    own = approved(platform, (mine, theirs), by="operator")
    with pytest.raises(Denied, match="DOOR-DENIED"):
        platform.door.link("operator", own.id, tmp_path / "pairs.csv", "csv")
    assert platform.events()[-1] == "access:link:denied"
    ticket = approved(platform, (mine, theirs))
    with pytest.raises(Denied):
        platform.door.link("lin", ticket.id, tmp_path / "pairs.csv", "csv")
    change_state(platform.store, platform.log, by="operator", grant_id=theirs.id, state=GrantState.SUSPENDED, why="整改")
    with pytest.raises(Denied):
        platform.door.link("operator", ticket.id, tmp_path / "pairs.csv", "csv")
    with pytest.raises(NotFound, match="DOOR-NO-LINKAGE"):
        platform.door.link("operator", 99, tmp_path / "pairs.csv", "csv")
    assert not list(tmp_path.glob("pairs*"))


def test_areas_that_do_not_meet_give_no_pair(platform: Platform, tmp_path: Path) -> None:
    mine, _ = two_grants(platform)
    elsewhere = platform.grant(columns=["resident_id"], grantee="health", row_scope=RowScope(areas=(OTHER_GRID,)))
    answer = platform.door.link("operator", approved(platform, (mine, elsewhere)).id, tmp_path / "pairs.parquet", "parquet")
    assert answer.rows == 0


def test_only_who_stands_on_both_lists_of_clients_is_paired(platform: Platform, tmp_path: Path) -> None:
    numbers = [number or "" for number in RESIDENTS["id_number"]]
    scopes = [RowScope(clients=clients_of(platform, *some)) for some in (numbers[:2], numbers[1:3])]
    grants = [
        platform.grant(columns=["resident_id"], grantee=grantee, row_scope=scope)
        for grantee, scope in zip(("civil_affairs", "health"), scopes, strict=True)
    ]
    answer = platform.door.link("operator", approved(platform, (grants[0], grants[1])).id, tmp_path / "pairs.parquet", "parquet")
    assert (answer.rows, answer.residents) == (1, 1)
