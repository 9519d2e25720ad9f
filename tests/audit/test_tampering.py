"""Every way to falsify the log is found, with the first index that cannot be trusted."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.errors import LogError
from audit.events import Event
from audit.keys import create_keys, load_keys
from audit.log import Log, open_log
from audit.merkle import leaf_hash, tree_root
from audit.notes import Checkpoint, sign
from audit.records import Record, encode
from audit.storage import Transaction
from audit.tiles import extend
from audit.verify import verify, verify_stored

RECORDS = 300
SHIFT = 1_000_000
AT = datetime(2026, 11, 23, tzinfo=UTC)


def fill(log: Log, count: int = RECORDS, seal_each: int = 100) -> None:
    for number in range(count):
        log.append(Event.LOG_READ, {"number": number})
        if (number + 1) % seal_each == 0:
            log.seal()


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of 300 records in three heads, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    log = open_log(f"sqlite:///{folder / 'audit.db'}", folder / "keys")
    fill(log)
    assert verify(log).ok
    log.close()
    return folder


@pytest.fixture
def filled(template: Path, tmp_path: Path) -> Iterator[Log]:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    log = open_log(f"sqlite:///{tmp_path / 'audit.db'}", tmp_path / "keys")
    yield log
    log.close()


def another_record(log: Log, number: int) -> bytes:
    return encode(Record(event=Event.LOG_READ, at=AT, body={"forged": number}))


def change_byte(log: Log, db: Transaction, index: int) -> None:
    data = bytes(db.rows("SELECT record FROM entry WHERE seq = ?", (index,))[0][0])
    db.run("UPDATE entry SET record = ? WHERE seq = ?", (data[:-3] + bytes([data[-3] ^ 1]) + data[-2:], index))


def put_text_in_place_of_bytes(log: Log, db: Transaction, index: int) -> None:
    data = bytes(db.rows("SELECT record FROM entry WHERE seq = ?", (index,))[0][0])
    db.run("UPDATE entry SET record = ? WHERE seq = ?", (data.decode().replace("number", "humber"), index))


def remove(log: Log, db: Transaction, index: int) -> None:
    db.run("DELETE FROM entry WHERE seq = ?", (index,))


def remove_and_close_the_gap(log: Log, db: Transaction, index: int) -> None:
    remove(log, db, index)
    db.run("UPDATE entry SET seq = seq + ? WHERE seq > ?", (SHIFT, index))
    db.run("UPDATE entry SET seq = seq - ? WHERE seq >= ?", (SHIFT + 1, SHIFT))
    db.run("UPDATE head SET next_seq = next_seq - 1")


def insert(log: Log, db: Transaction, index: int) -> None:
    db.run("UPDATE entry SET seq = seq + ? WHERE seq >= ?", (SHIFT, index))
    db.run("UPDATE entry SET seq = seq - ? WHERE seq >= ?", (SHIFT - 1, SHIFT))
    db.run("INSERT INTO entry VALUES (?, ?)", (index, another_record(log, index)))
    db.run("UPDATE head SET next_seq = next_seq + 1")


def swap_with_the_next(log: Log, db: Transaction, index: int) -> None:
    db.run("UPDATE entry SET seq = ? WHERE seq = ?", (SHIFT, index))
    db.run("UPDATE entry SET seq = ? WHERE seq = ?", (index, index + 1))
    db.run("UPDATE entry SET seq = ? WHERE seq = ?", (index + 1, SHIFT))


def cut_off_the_end(log: Log, db: Transaction, index: int) -> None:
    db.run("DELETE FROM entry WHERE seq >= ?", (index,))


def cut_off_the_end_and_lower_the_counter(log: Log, db: Transaction, index: int) -> None:
    cut_off_the_end(log, db, index)
    db.run("UPDATE head SET next_seq = ?", (index,))


TAMPERINGS: list[Callable[[Log, Transaction, int], None]] = [
    change_byte,
    put_text_in_place_of_bytes,
    remove,
    remove_and_close_the_gap,
    insert,
    swap_with_the_next,
    cut_off_the_end,
    cut_off_the_end_and_lower_the_counter,
]


@pytest.mark.parametrize("index", [0, 1, 99, 100, 255, 256, 298])
@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_the_first_falsified_record_is_named(filled: Log, tamper: Callable[[Log, Transaction, int], None], index: int) -> None:
    with filled.storage.transaction() as db:
        tamper(filled, db, index)
    verdict = verify(filled)
    assert (verdict.ok, verdict.first_bad) == (False, index), verdict.reason


@pytest.mark.parametrize("index", [0, 150, 299])
@pytest.mark.parametrize("tamper", TAMPERINGS[:5])
def test_without_a_witness_the_stored_tree_finds_it(filled: Log, tamper: Callable[[Log, Transaction, int], None], index: int) -> None:
    if tamper is swap_with_the_next:
        index = min(index, 298)
    with filled.storage.transaction() as db:
        tamper(filled, db, index)
    assert verify_stored(filled.storage, filled.keys.verifier).first_bad == index


def test_records_removed_from_the_end_before_they_were_sealed_are_missed(log: Log) -> None:
    fill(log, 105)
    with log.storage.transaction() as db:
        cut_off_the_end(log, db, 103)
    assert verify(log).first_bad == 103


def test_a_record_added_past_the_end_is_found(log: Log) -> None:
    fill(log, 100)
    with log.storage.transaction() as db:
        db.run("INSERT INTO entry VALUES (?, ?)", (100, another_record(log, 1)))
    assert verify(log).first_bad == 100


@pytest.mark.parametrize(
    ("sql", "first_bad"),
    [
        ("UPDATE tile SET hashes = zeroblob(32) WHERE level = 1", 0),
        ("DELETE FROM checkpoint WHERE size = 300", 200),
        ("UPDATE checkpoint SET note = replace(note, '300', '299') WHERE size = 300", 200),
        ("UPDATE tree SET size = 200", 200),
        ("DELETE FROM tile", 0),
    ],
)
def test_a_changed_tree_or_head_is_found(filled: Log, sql: str, first_bad: int) -> None:
    with filled.storage.transaction() as db:
        db.run(sql)
    verdict = verify(filled)
    assert (verdict.ok, verdict.first_bad) == (False, first_bad), verdict.reason


def rewrite(log: Log, start: int, count: int = RECORDS) -> None:
    """What an administrator can do who holds database *and* signing key: a whole new log, tree and heads, properly signed."""
    with log.storage.transaction() as db:
        for index in range(start, count):
            db.run("UPDATE entry SET record = ? WHERE seq = ?", (another_record(log, index), index))
        leaves = [leaf_hash(bytes(record)) for (record,) in db.rows("SELECT record FROM entry ORDER BY seq")]
        db.run("DELETE FROM tile")
        for (level, position), hashes in extend(lambda level, position: b"", 0, leaves).items():
            db.run("INSERT INTO tile VALUES (?, ?, ?)", (level, position, hashes))
        for (size,) in db.rows("SELECT size FROM checkpoint"):
            head = Checkpoint(origin=log.keys.verifier.name, size=size, root=tree_root(leaves[:size]))
            db.run("UPDATE checkpoint SET note = ? WHERE size = ?", (sign(head.text(), log.keys.verifier, log.keys.signing), size))


@pytest.mark.parametrize("start", [0, 1, 150, 299])
def test_a_log_rewritten_with_its_own_key_is_found_by_the_witness(filled: Log, start: int) -> None:
    rewrite(filled, start)
    assert verify_stored(filled.storage, filled.keys.verifier).ok, "without a witness nobody can tell"
    assert verify(filled).first_bad == start


def test_a_witness_that_kept_only_the_heads_names_the_last_good_one(filled: Log, tmp_path: Path) -> None:
    rewrite(filled, 150)
    (tmp_path / "witness" / "leaves.bin").unlink()
    verdict = verify(filled)
    assert (verdict.ok, verdict.first_bad) == (False, 100), verdict.reason


def test_an_older_log_that_was_restored_is_found_and_not_gone_on_with(log: Log, log_url: str, tmp_path: Path) -> None:
    fill(log, 200)
    with log.storage.transaction() as db:
        cut_off_the_end_and_lower_the_counter(log, db, 100)
        db.run("DELETE FROM checkpoint WHERE size > 100")
        db.run("DELETE FROM tile")
        leaves = [leaf_hash(bytes(record)) for (record,) in db.rows("SELECT record FROM entry ORDER BY seq")]
        for (level, position), hashes in extend(lambda level, position: b"", 0, leaves).items():
            db.run("INSERT INTO tile VALUES (?, ?, ?)", (level, position, hashes))
        db.run("UPDATE tree SET size = 100")
    assert verify_stored(log.storage, log.keys.verifier).ok
    verdict = verify(log)
    assert (verdict.ok, verdict.first_bad) == (False, 100)
    assert "200" in verdict.reason
    with pytest.raises(Exception, match="older log"):
        log.seal()


def test_a_replaced_key_verifies_nothing(log: Log, tmp_path: Path) -> None:
    fill(log, 100)
    create_keys(tmp_path / "other")
    verdict = verify_stored(log.storage, load_keys(tmp_path / "other").verifier)
    assert (verdict.ok, verdict.first_bad) == (False, 0)


def test_an_empty_log_is_in_order(log: Log) -> None:
    assert verify(log).ok
    log.seal()
    assert verify(log).ok


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    count=st.integers(1, 40), seal_each=st.integers(1, 41), at=st.integers(0, 10**6), tamper=st.sampled_from([change_byte, remove, insert])
)
def test_any_small_log_names_its_first_falsified_record(
    tmp_path_factory: pytest.TempPathFactory, count: int, seal_each: int, at: int, tamper: Callable[[Log, Transaction, int], None]
) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = open_log(f"sqlite:///{folder / 'audit.db'}", folder / "keys")
    fill(log, count, seal_each)
    sealed = count - count % seal_each
    index = at % count
    with log.storage.transaction() as db:
        tamper(log, db, index)
    verdict = verify(log)
    log.close()
    if index < sealed or tamper is remove:
        assert (verdict.ok, verdict.first_bad) == (False, index), verdict.reason


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_tampering_is_found_on_each_database(log: Log, tamper: Callable[[Log, Transaction, int], None]) -> None:
    fill(log, 12, seal_each=5)
    with log.storage.transaction() as db:
        tamper(log, db, 6)
    assert verify(log).first_bad == 6


@pytest.mark.parametrize("seed", range(40))
def test_a_byte_turned_anywhere_in_the_database_file_is_found_or_changes_no_record(filled: Log, tmp_path: Path, seed: int) -> None:
    before = [(entry.seq, entry.record) for entry in filled.entries()]
    filled.close()
    path, chance = tmp_path / "audit.db", Random(seed)
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    try:
        log = open_log(f"sqlite:///{path}", tmp_path / "keys")
        verdict = verify(log)
    except LogError:
        return
    if verdict.ok:
        assert [(entry.seq, entry.record) for entry in log.entries()] == before
    log.close()
