"""Auditors find what happened, and who has seen a person, bulk answers included; nobody else does; each look is on record."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from access.readers import Reader
from access.terms import RowScope
from audit.keys import VERIFIER_KEY
from audit.offline.verify_log import check_proof, read_key
from oversight.reading_room import ReadingRoom
from oversight.search import Terms, search, seen
from rules.errors import Denied, NotFound, Refused
from tests.access.conftest import GRID, NOW, OTHER_GRID, Platform
from tests.access.test_door import a_door_check, a_ticket
from tests.oversight.conftest import AUDITOR

Enter = Callable[[], ReadingRoom]
WANG, OUYANG = "R0000000001", "R0000000002"


@pytest.fixture(autouse=True)
def identities(platform: Platform) -> None:
    """Whom the golden version knows: the first six, and a seventh who was merged into the first."""
    ids = [f"R{number:010d}" for number in range(1, 8)]
    table = {
        "resident_id": pa.array(ids, pa.string()),
        "status": ["active"] * 6 + ["merged"],
        "superseded_by": pa.array([None] * 6 + [WANG], pa.string()),
    }
    pq.write_table(pa.table(table), platform.lake.root / "golden" / "v000001" / "identities.parquet")


def extracts(platform: Platform, folder: Path) -> dict[str, int]:
    """Three bulk answers: all residents, one grid, the other grid. Their RESULT records."""
    scopes = {"all": RowScope(), "grid": RowScope(areas=(GRID,)), "other": RowScope(areas=(OTHER_GRID,))}
    return {
        name: platform.door.extract("lin", platform.grant(row_scope=scope).id, folder / f"{name}.csv", "csv").seq
        for name, scope in scopes.items()
    }


def test_who_has_seen_a_person_covers_extracts_that_held_the_person(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    seqs = extracts(platform, tmp_path)
    why = platform.door.why("operator", "核对金记录", WANG, "name").seq
    found = seen(enter(), AUDITOR, WANG)
    assert [access.seq for access in found.accesses] == [why, seqs["grid"], seqs["all"]]
    assert (found.direct, found.bulk, found.unreadable) == (1, 2, ())
    assert [access.bulk for access in found.accesses] == [False, True, True]
    assert found.accesses[1].actor == "lin" and found.accesses[1].purpose == "低保资格核查"
    assert [access.seq for access in seen(enter(), AUDITOR, "R0000000003").accesses] == [seqs["other"], seqs["all"]]


def test_a_person_is_found_by_every_id_and_number_of_theirs(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    extracts(platform, tmp_path)
    platform.door.why("operator", "核对金记录", WANG, "name")
    room = enter()
    by_id = [access.seq for access in seen(room, AUDITOR, WANG).accesses]
    assert by_id == [access.seq for access in seen(room, AUDITOR, "990605198001011234").accesses]
    assert by_id == [access.seq for access in seen(room, AUDITOR, "R0000000007").accesses]
    with pytest.raises(NotFound) as refused:
        seen(room, AUDITOR, "王小明")
    assert refused.value.code == "OVS-PERSON"


def test_pages_of_who_has_seen_a_person_follow_one_another(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    extracts(platform, tmp_path)
    room = enter()
    whole = [access.seq for access in seen(room, AUDITOR, WANG).accesses]
    first = seen(room, AUDITOR, WANG, limit=1)
    second = seen(room, AUDITOR, WANG, limit=1, before=first.before)
    assert [*(a.seq for a in first.accesses), *(a.seq for a in second.accesses)] == whole and second.before is None


def test_a_population_that_is_gone_is_told_not_passed_over(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    seqs = extracts(platform, tmp_path)
    for file in platform.home.populations.rglob("*.roaring"):
        file.unlink()
    found = seen(enter(), AUDITOR, WANG)
    assert set(found.unreadable) == set(seqs.values()) and found.accesses == ()


def test_search_by_each_term_finds_the_intent_with_its_result(platform: Platform, enter: Enter, tmp_path: Path) -> None:
    seq = extracts(platform, tmp_path)["all"]
    with pytest.raises(Denied):
        platform.door.extract("he", 1, tmp_path / "denied.csv", "csv")
    room = enter()

    def found(**terms: object) -> list[int]:
        return [access.seq for access in search(room, AUDITOR, Terms(**terms)).accesses]  # type: ignore[arg-type]

    assert found(grant=1, department="civil_affairs") == [seq, seq - 1]
    assert found(event="access:extract:result", grant=1) == [seq] == found(action="result", grant=1)
    assert found(actor="he", action="denied", purpose="低保资格核查") == found(actor="he") != []
    assert found(actor="nobody") == [] == found(action="result", until=NOW) == found(since=NOW + timedelta(seconds=1), actor="lin")


def test_who_looked_at_an_enterprise_is_found_by_its_id_and_is_no_look_at_a_person(platform: Platform, enter: Enter) -> None:
    with pytest.raises(NotFound, match="DOOR-NO-ENTERPRISES"):
        platform.door.why("operator", "核对企业", "E0000000001")
    found = search(enter(), AUDITOR, Terms(subject="e0000000001")).accesses
    assert [access.event for access in found] == ["access:why:aborted", "access:why:intent"]
    assert search(enter(), AUDITOR, Terms(subject="E0000000002")).accesses == ()
    assert "E0000000001" not in str([entry.record.body for entry in platform.log.entries()])


def test_the_proof_of_a_record_is_checked_by_the_verifier_that_needs_nothing_of_the_platform(
    platform: Platform, enter: Enter, tmp_path: Path
) -> None:
    extracts(platform, tmp_path)
    key = read_key(platform.home.keys / VERIFIER_KEY)
    for access in search(enter(), AUDITOR, Terms(actor="lin"), proven=True).accesses:
        assert access.proof is not None
        index, record = check_proof(access.proof, key)
        assert (index, json.loads(record)["event"]) == (access.seq, access.event)


def test_each_look_is_on_record_and_names_nobody(platform: Platform, enter: Enter) -> None:
    seen(enter(), AUDITOR, WANG)
    record = platform.last().record
    assert record.event == "audit:log:read" and record.body["actor"] == "auditor" and record.body["what"] == "seen"
    assert record.body["asked"]["subject"] in {platform.log.subject("resident", WANG), platform.log.subject("resident", "R0000000007")} | {
        platform.log.subject("id_number", "990605198001011234")
    }
    assert WANG not in json.dumps(record.body)
    looks = search(enter(), Reader(name="second", purpose="复查"), Terms(event="audit:log:read", actor="auditor")).accesses
    assert len(looks) == 1


@pytest.mark.parametrize("who", ["operator", "lin", "nobody"])
def test_nobody_but_an_auditor_reads(platform: Platform, enter: Enter, who: str) -> None:
    room, looks = enter(), (lambda r, by: search(r, by, Terms()), lambda r, by: seen(r, by, WANG))
    for look in looks:
        with pytest.raises(Denied):
            look(room, Reader(name=who, purpose="看看"))
        assert platform.last().record.event == "audit:log:refused"


def test_without_a_purpose_nothing_is_read(platform: Platform, enter: Enter) -> None:
    with pytest.raises(Refused) as refused:
        search(enter(), Reader(name="auditor", purpose=" "), Terms())
    assert refused.value.code == "OVS-PURPOSE" and platform.last().record.event == "audit:log:refused"


def test_tickets_and_forms_at_the_door_count_as_seen(platform: Platform, enter: Enter) -> None:
    ticket = platform.door.ticket_items("operator", "核对", a_ticket(platform), limit=10).seq
    form = platform.door.door_form("operator", "核对", a_door_check(platform)).seq
    assert [access.seq for access in seen(enter(), AUDITOR, WANG).accesses] == [form, ticket]
    assert seen(enter(), AUDITOR, OUYANG).accesses == ()
