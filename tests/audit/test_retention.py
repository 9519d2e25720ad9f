"""Three years and not a day less; what is destroyed then leaves its hashes and a record."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.errors import LogBroken, RecordDestroyed, RetentionRefused
from audit.events import Event
from audit.export import export
from audit.log import Log, open_log
from audit.retention import destroy, latest_destruction
from audit.verify import verify
from tests.audit.test_offline import found, given_out, offline

START = datetime(2026, 1, 1, tzinfo=UTC)
LATER = datetime(2029, 6, 1, tzinfo=UTC)


@pytest.fixture
def old(log_url: str, tmp_path: Path) -> Log:
    """A thousand records, one an hour from New Year's Day 2026."""
    clock = iter([START + timedelta(hours=number) for number in range(1_000)] + [LATER] * 1_000)
    log = open_log(log_url, tmp_path / "keys", clock=lambda: next(clock))
    log.append_all([(Event.LOG_READ, {"number": number}) for number in range(1_000)])
    log.seal()
    return log


def test_it_is_refused_before_three_years_are_over(old: Log) -> None:
    for before, now in ((datetime(2026, 2, 1, tzinfo=UTC), datetime(2029, 1, 31, tzinfo=UTC)), (LATER, LATER)):
        with pytest.raises(RetentionRefused, match="3 years"):
            destroy(old, before, now, {})
    assert sum(1 for _ in old.entries()) == 1_000


def test_three_years_before_a_leap_day_is_the_28th() -> None:
    assert latest_destruction(datetime(2028, 2, 29, tzinfo=UTC)) == datetime(2025, 2, 28, tzinfo=UTC)


def test_what_is_destroyed_leaves_its_hashes_and_a_record(old: Log, tmp_path: Path) -> None:
    proof_before = old.prove(10)
    done = destroy(old, START + timedelta(hours=600), LATER, {"actor": "auditor"})
    assert (done.first, done.end, done.told_by) == (0, 512, 1_000)
    assert [entry.seq for entry in old.entries()] == list(range(512, 1_001))
    told = old.entry(1_000).record
    assert (told.event, told.body["end"], told.body["actor"]) == (Event.LOG_DESTROYED, 512, "auditor")
    with pytest.raises(RecordDestroyed):
        old.entry(10)
    assert verify(old).ok
    assert old.prove(10).leaf_hash == proof_before.leaf_hash
    old.append(Event.LOG_READ, {})
    old.seal()
    assert verify(old).ok
    verdict = offline(given_out(old, tmp_path / "out"), "--older", tmp_path / "witness")
    assert (verdict["ok"], verdict["first"], verdict["end"]) == (True, 512, 1_002)


def test_twice_goes_on_where_the_first_ended(old: Log) -> None:
    destroy(old, START + timedelta(hours=600), LATER, {})
    again = destroy(old, START + timedelta(hours=800), LATER, {})
    assert (again.first, again.end) == (512, 768)
    assert destroy(old, START + timedelta(hours=800), LATER, {}).told_by is None
    assert verify(old).ok


def test_what_was_destroyed_without_a_record_is_found(old: Log, tmp_path: Path) -> None:
    with old.storage.transaction() as db:
        db.run("DELETE FROM entry WHERE seq < 256")
        db.run("UPDATE kept SET first = 256, told_by = 300")
    assert (verify(old).ok, verify(old).first_bad) == (False, 0)
    assert found(offline(given_out(old, tmp_path / "out"))) == (False, 0)


@pytest.mark.parametrize("sql", ["DELETE FROM entry WHERE seq < 513", "UPDATE kept SET first = 768", "UPDATE kept SET first = 256"])
def test_what_else_goes_beside_a_destruction_is_found(old: Log, sql: str) -> None:
    destroy(old, START + timedelta(hours=600), LATER, {})
    with old.storage.transaction() as db:
        db.run(sql)
    assert not verify(old).ok


def test_the_hashes_of_what_was_destroyed_can_not_be_changed(old: Log) -> None:
    destroy(old, START + timedelta(hours=600), LATER, {})
    with old.storage.transaction() as db:
        hashes = bytes(db.rows("SELECT hashes FROM tile WHERE level = 0 AND position = 1")[0][0])
        db.run("UPDATE tile SET hashes = ? WHERE level = 0 AND position = 1", (bytes(32) + hashes[32:],))
    verdict = verify(old)
    assert (verdict.ok, verdict.first_bad) == (False, 256)


@pytest.mark.parametrize(("event", "at"), [(Event.EXTRACT_INTENT, START), (Event.LOG_READ, LATER)])
def test_an_access_under_way_or_a_clock_that_ran_ahead_keeps_what_follows(log_url: str, tmp_path: Path, event: Event, at: datetime) -> None:
    times = iter([START] * 300 + [at] + [START] * 1_000)
    log = open_log(log_url, tmp_path / "keys", clock=lambda: next(times, LATER))
    log.append_all([(Event.LOG_READ, {}) for _ in range(300)])
    log.append(event, {"holder": "here"})
    log.append_all([(Event.LOG_READ, {}) for _ in range(1_000)])
    log.seal()
    assert destroy(log, START + timedelta(hours=1), LATER, {}).end == 256
    log.close()


def test_a_broken_log_is_kept_as_it_is(old: Log) -> None:
    with old.storage.transaction() as db:
        db.run("DELETE FROM entry WHERE seq = 700")
    with pytest.raises(LogBroken):
        destroy(old, START + timedelta(hours=600), LATER, {})


def test_an_export_holds_nothing_of_what_was_destroyed(old: Log, tmp_path: Path) -> None:
    destroy(old, START + timedelta(hours=600), LATER, {})
    assert export(old, tmp_path / "out", since=START, before=START + timedelta(hours=700)).first == 512
    assert not (tmp_path / "out/tile/entries/000").exists()
