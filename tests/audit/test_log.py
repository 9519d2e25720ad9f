"""The log at work: durable, dense, sealed; several writers and integrators at once; keys that are its own."""

import multiprocessing
import threading
from itertools import pairwise
from pathlib import Path

import pytest

from audit.errors import KeyProblem, LogBroken, LogUnavailable, ProofInvalid, RecordRefused
from audit.events import Event
from audit.keys import SIGNING_KEY, SUBJECT_KEY, VERIFIER_KEY, create_keys
from audit.log import MAX_RECORDS_A_COMMIT, Log, Sealed, open_log
from audit.merkle import check_consistency, root_from_inclusion
from audit.notes import read_checkpoint
from audit.verify import verify


def append(log: Log, count: int, start: int = 0) -> None:
    for number in range(start, start + count):
        log.append(Event.LOG_READ, {"actor": "auditor", "number": number})


def test_records_get_dense_indices_and_are_read_back_in_order(log: Log) -> None:
    sealed = [log.append(Event.LOG_READ, {"number": number}) for number in range(5)]
    assert [s.seq for s in sealed] == [0, 1, 2, 3, 4]
    assert [entry.record.body["number"] for entry in log.entries()] == [0, 1, 2, 3, 4]
    assert [entry.seq for entry in log.entries(2, 4)] == [2, 3]
    assert log.size() == 5


def test_a_refused_record_takes_no_index(log: Log) -> None:
    with pytest.raises(RecordRefused):
        log.append(Event.LOG_READ, {"number": 1.5})
    assert log.append(Event.LOG_READ, {}).seq == 0


def test_an_intent_stays_open_until_its_result_or_abortion(log: Log) -> None:
    first = log.append(Event.EXTRACT_INTENT, {"holder": "here/1"})
    second = log.append(Event.GOLDEN_INTENT, {"holder": "here/1"})
    third = log.append(Event.WHY_INTENT, {"holder": "here/2"})
    log.append(Event.EXTRACT_RESULT, {"intent": first.seq})
    log.append(Event.WHY_ABORTED, {"intent": third.seq})
    assert [(intent.seq, intent.event, intent.holder) for intent in log.open_intents()] == [(second.seq, Event.GOLDEN_INTENT, "here/1")]


def test_every_sealed_record_has_a_proof_under_a_signed_head(log: Log) -> None:
    sealed = [log.append(Event.LOG_READ, {"number": number}) for number in range(300)]
    log.seal()
    head = read_checkpoint(log.newest_note() or "", log.keys.verifier)
    for record in (sealed[0], sealed[255], sealed[256], sealed[299]):
        proof = log.prove(record.seq)
        assert proof.leaf_hash == record.leaf_hash
        assert root_from_inclusion(proof.seq, head.size, proof.leaf_hash, proof.path) == head.root


def test_a_record_not_sealed_yet_has_no_proof(log: Log) -> None:
    append(log, 1)
    with pytest.raises(ProofInvalid):
        log.prove(0)


def test_every_head_extends_the_one_before(log: Log) -> None:
    heads = []
    for step in (1, 3, 255, 300):
        append(log, step)
        heads.append(log.seal())
    for old, new in pairwise(heads):
        check_consistency(old.size, new.size, old.root, new.root, log.prove_consistency(old.size, new.size))


def test_sealing_nothing_new_signs_nothing_new(log: Log) -> None:
    assert log.seal().size == 0
    append(log, 2)
    assert log.seal() == log.seal()
    assert [head.size for head in log.witness.checkpoints()] == [0, 2]


def test_the_witness_holds_every_head_and_leaf(log: Log) -> None:
    append(log, 3)
    log.seal()
    append(log, 300)
    newest = log.seal()
    assert log.witness.head() == newest
    assert [head.size for head in log.witness.checkpoints()] == [3, 303]
    assert log.witness.leaves(0, 303) == [log.prove(seq).leaf_hash for seq in range(303)]


def test_a_delivery_to_the_witness_that_was_cut_off_is_completed(log: Log, tmp_path: Path) -> None:
    append(log, 3)
    log.seal()
    folder = tmp_path / "witness"
    (folder / "checkpoints.txt").write_bytes((folder / "checkpoints.txt").read_bytes() + b"half a no")
    (folder / "leaves.bin").write_bytes((folder / "leaves.bin").read_bytes() + b"half")
    append(log, 3)
    assert log.seal().size == 6
    assert [head.size for head in log.witness.checkpoints()] == [3, 6]
    assert verify(log).ok


def test_threads_that_append_at_once_lose_nothing(log: Log) -> None:
    threads = [threading.Thread(target=append, args=(log, 40, start * 40)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry.record.body["number"] for entry in log.entries()) == list(range(320))
    log.seal()
    assert verify(log).ok


def _append_and_seal(url: str, keys: Path, start: int) -> None:
    log = open_log(url, keys)
    for number in range(start, start + 30):
        log.append(Event.LOG_READ, {"number": number})
        if number % 3 == 0:
            log.seal()


def test_processes_that_append_and_seal_at_once_neither_fork_nor_lose(log: Log, log_url: str, tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_append_and_seal, args=(log_url, tmp_path / "keys", start * 30)) for start in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert sorted(entry.record.body["number"] for entry in log.entries()) == list(range(90))
    log.seal()
    assert verify(log).ok
    sizes = [head.size for head in log.witness.checkpoints()]
    assert sizes == sorted(set(sizes))


def test_a_log_whose_database_takes_nothing_says_so_and_goes_on_once_it_does(log: Log) -> None:
    append(log, 1)
    with log.storage.transaction() as db:
        db.run("ALTER TABLE entry RENAME TO away")
    with pytest.raises(LogUnavailable):
        append(log, 1)
    with log.storage.transaction() as db:
        db.run("ALTER TABLE away RENAME TO entry")
    append(log, 1, 1)
    assert log.size() == 2
    log.seal()
    assert verify(log).ok


def test_keys_are_private_and_the_witness_needs_none_of_them(log: Log, tmp_path: Path) -> None:
    modes = {name: (tmp_path / "keys" / name).stat().st_mode & 0o777 for name in (SIGNING_KEY, SUBJECT_KEY)}
    assert modes == {SIGNING_KEY: 0o600, SUBJECT_KEY: 0o600}


def test_a_key_open_to_others_is_refused(log: Log, log_url: str, tmp_path: Path) -> None:
    (tmp_path / "keys" / SIGNING_KEY).chmod(0o644)
    with pytest.raises(KeyProblem, match="0600"):
        open_log(log_url, tmp_path / "keys")


@pytest.mark.parametrize("name", [SIGNING_KEY, VERIFIER_KEY, SUBJECT_KEY])
def test_a_log_whose_key_is_lost_gets_no_new_one(name: str, log: Log, log_url: str, tmp_path: Path) -> None:
    (tmp_path / "keys" / name).unlink()
    with pytest.raises(KeyProblem, match="missing"):
        open_log(log_url, tmp_path / "keys")


def test_keys_of_another_log_are_refused(log: Log, log_url: str, tmp_path: Path) -> None:
    create_keys(tmp_path / "other")
    with pytest.raises(KeyProblem, match="replaced"):
        open_log(log_url, tmp_path / "other")


def test_subjects_are_equal_for_equal_persons_and_tell_nothing_else(log: Log, tmp_path: Path) -> None:
    assert log.subject("resident", "R0000000001") == log.subject("resident", "R0000000001")
    assert log.subject("resident", "R0000000001") != log.subject("id_number", "R0000000001")
    create_keys(tmp_path / "other")
    assert "R0000000001" not in log.subject("resident", "R0000000001")


def test_a_tree_that_was_changed_gets_no_new_signature(log: Log) -> None:
    append(log, 3)
    log.seal()
    append(log, 1)
    with log.storage.transaction() as db:
        db.run("UPDATE tile SET hashes = ? WHERE level = 0", (bytes(96),))
    with pytest.raises(LogBroken):
        log.seal()


def test_nothing_is_signed_over_a_missing_record(log: Log) -> None:
    append(log, 5)
    with log.storage.transaction() as db:
        db.run("DELETE FROM entry WHERE seq = 2")
    with pytest.raises(LogBroken, match="missing") as fault:
        log.seal()
    assert fault.value.first_bad == 2


def test_many_records_are_written_in_a_row_in_one_commit(log: Log) -> None:
    sealed = log.append_all([(Event.LOG_READ, {"number": number}) for number in range(3)])
    assert [one.seq for one in sealed if isinstance(one, Sealed)] == [0, 1, 2]
    log.check_held([one for one in sealed if isinstance(one, Sealed)])
    log.seal()
    assert verify(log).ok


def test_a_record_that_is_refused_takes_no_index_and_stops_no_other(log: Log) -> None:
    written, refused, after = log.append_all([(Event.LOG_READ, {"n": 1}), (Event.LOG_READ, {"n": 1.5}), (Event.LOG_READ, {"n": 2})])
    assert isinstance(refused, RecordRefused)
    assert isinstance(written, Sealed) and isinstance(after, Sealed)
    assert (written.seq, after.seq, log.size()) == (0, 1, 2)


def test_nothing_written_takes_no_commit(log: Log) -> None:
    assert log.append_all([]) == []
    assert log.size() == 0


def test_intents_and_results_of_many_open_and_close(log: Log) -> None:
    first, second = (one.seq for one in log.append_all([(Event.WHY_INTENT, {"holder": "here/1"})] * 2) if isinstance(one, Sealed))
    log.append_all([(Event.WHY_RESULT, {"intent": first}), (Event.WHY_INTENT, {"holder": "here/1"})])
    assert [intent.seq for intent in log.open_intents()] == [second, 3]


def test_more_records_than_a_commit_takes_are_written_all_the_same(log: Log) -> None:
    log.append_all([(Event.LOG_READ, {"number": number}) for number in range(MAX_RECORDS_A_COMMIT + 1)])
    assert log.size() == MAX_RECORDS_A_COMMIT + 1


def test_threads_that_append_many_at_once_get_rows_of_indices_of_their_own(log: Log) -> None:
    rows: list[list[int]] = []

    def write(thread: int) -> None:
        for part in range(10):
            sealed = log.append_all([(Event.LOG_READ, {"thread": thread, "part": part})] * 7)
            rows.append([one.seq for one in sealed if isinstance(one, Sealed)])

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(row == list(range(row[0], row[0] + 7)) for row in rows)
    assert sorted(seq for row in rows for seq in row) == list(range(420))


def test_a_record_that_was_changed_is_not_held(log: Log) -> None:
    sealed = log.append(Event.LOG_READ, {"number": 1})
    with pytest.raises(LogBroken):
        log.check_held([Sealed(seq=sealed.seq, leaf_hash=b"0" * 32)])
    with pytest.raises(LogBroken):
        log.check_held([sealed, Sealed(seq=sealed.seq + 1, leaf_hash=sealed.leaf_hash)])
