"""Checkpoints outside the database: second folders, and the auditors' own witness, which signs only what extends what it saw."""

import base64
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit.cosigner import LOG_KEY, PUBLIC_KEY, Cosigner, OtherSize, create_cosigner, request_text, server
from audit.courier import deliver
from audit.errors import KeyProblem, LogBroken, LogUnavailable, ProofInvalid
from audit.events import Event
from audit.export import cosign_export
from audit.integrator import Integrator
from audit.log import Log, open_log
from audit.notes import open_note
from audit.targets import Target, write_targets
from audit.verify import verify
from tests.audit.test_integrator import until
from tests.audit.test_offline import found, given_out, offline
from tests.audit.test_tampering import fill, filled, rewrite, template

__all__ = ["filled", "template"]
AT = 1_795_000_000


def witness_of(log: Log, tmp_path: Path) -> Cosigner:
    create_cosigner(tmp_path / "auditors", "witness.audit.example", log.keys.verifier)
    return Cosigner(tmp_path / "auditors", lambda: AT)


@pytest.fixture
def cosigner(log: Log, tmp_path: Path) -> Cosigner:
    return witness_of(log, tmp_path)


@contextmanager
def answering(cosigner: Cosigner) -> Iterator[Target]:
    """The witness behind HTTP."""
    with server(cosigner, "127.0.0.1", 0) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield Target(place=f"http://127.0.0.1:{running.server_port}", witness_key=str(cosigner.verifier))
        running.shutdown()


def grow(log: Log, count: int) -> None:
    log.append_all([(Event.LOG_READ, {"number": number}) for number in range(count)])
    log.seal()


def request(log: Log, old: int) -> str:
    size = log.seal().size
    return request_text(old, log.prove_consistency(old, size) if 0 < old < size else [], log.newest_note() or "")


def test_a_witness_signs_what_extends_what_it_saw(log: Log, cosigner: Cosigner) -> None:
    for old, new in ((0, 3), (3, 10), (10, 10), (10, 700)):
        grow(log, new - old)
        line = cosigner.add_checkpoint(request(log, old))
        assert open_note((log.newest_note() or "") + line, cosigner.verifier)
        assert cosigner.seen().size == new


def test_its_signature_is_of_c2sp(log: Log, cosigner: Cosigner) -> None:
    """By hand: key id, eight bytes of time, and the signature of the text under two lines of head."""
    grow(log, 1)
    name, encoded = cosigner.add_checkpoint(request(log, 0)).removeprefix("— ").split()
    data = base64.b64decode(encoded)
    text = (log.newest_note() or "").split("\n\n")[0] + "\n"
    assert name == "witness.audit.example"
    assert data[4:12] == AT.to_bytes(8, "big")
    Ed25519PublicKey.from_public_bytes(cosigner.verifier.public).verify(data[12:], f"cosignature/v1\ntime {AT}\n{text}".encode())


def test_it_says_how_far_it_has_seen_the_log(log: Log, cosigner: Cosigner) -> None:
    grow(log, 5)
    cosigner.add_checkpoint(request(log, 0))
    grow(log, 5)
    with pytest.raises(OtherSize) as other:
        cosigner.add_checkpoint(request(log, 3))
    assert other.value.size == 5


def test_it_signs_no_rewritten_log_and_no_other(filled: Log, tmp_path: Path) -> None:
    cosigner = witness_of(filled, tmp_path)
    cosigner.add_checkpoint(request(filled, 0))
    rewrite(filled, 150)
    with pytest.raises(ProofInvalid):
        cosigner.add_checkpoint(request_text(300, [], filled.newest_note() or ""))
    stranger = open_log(f"sqlite:///{tmp_path / 'stranger.db'}", tmp_path / "stranger" / "keys")
    grow(stranger, 400)
    with pytest.raises(ProofInvalid):
        cosigner.add_checkpoint(request(stranger, 300))
    assert cosigner.seen().size == 300
    stranger.close()


@pytest.mark.parametrize("text", ["", "old x\n\nnote", "old 0\n!!\n\nnote", "nothing"])
def test_what_is_no_request_is_refused(filled: Log, tmp_path: Path, text: str) -> None:
    with pytest.raises(ProofInvalid):
        witness_of(filled, tmp_path).add_checkpoint(text)


def test_a_witness_is_not_made_twice(filled: Log, tmp_path: Path) -> None:
    witness_of(filled, tmp_path)
    with pytest.raises(KeyProblem):
        witness_of(filled, tmp_path)
    assert (tmp_path / "auditors" / LOG_KEY).read_text(encoding="utf-8") == f"{filled.keys.verifier}\n"


def test_a_second_folder_gets_every_head_and_what_it_missed(log: Log, tmp_path: Path) -> None:
    target = Target(place=str(tmp_path / "second"))
    for size in (10, 310):
        grow(log, size - log.size())
        assert [one.size for one in deliver(log, [target])] == [size]
    assert offline(given_out(log, tmp_path / "out"), "--older", tmp_path / "second")["ok"]


def test_a_second_folder_alone_finds_a_rewritten_log(filled: Log, tmp_path: Path) -> None:
    target = Target(place=str(tmp_path / "second"))
    deliver(filled, [target])
    rewrite(filled, 150)
    shutil.rmtree(tmp_path / "witness")
    [done] = deliver(filled, [target])
    assert isinstance(done.fault, LogBroken)
    assert found(offline(given_out(filled, tmp_path / "out"), "--older", tmp_path / "second")) == (False, 150)


def test_a_witness_by_http_co_signs_and_its_line_goes_out_with_the_log(log: Log, cosigner: Cosigner, tmp_path: Path) -> None:
    with answering(cosigner) as target:
        for count in (5, 300):
            grow(log, count)
            [done] = deliver(log, [target])
            assert done.fault is None
    assert done.size == cosigner.seen().size == 305
    folder, key = given_out(log, tmp_path / "out"), tmp_path / "auditors" / PUBLIC_KEY
    assert offline(folder, "--witness", key)["ok"]
    (folder / "checkpoint").write_text(log.newest_note() or "", encoding="utf-8")
    assert found(offline(folder, "--witness", key)) == (False, 0)


def test_a_witness_that_the_log_forgot_is_asked_from_where_it_stands(log: Log, cosigner: Cosigner) -> None:
    grow(log, 5)
    cosigner.add_checkpoint(request(log, 0))
    grow(log, 5)
    with answering(cosigner) as target:
        [done] = deliver(log, [target])
    assert (done.size, done.fault, cosigner.seen().size) == (10, None, 10)


def test_a_witness_by_http_stops_a_rewritten_log_and_a_restored_one(filled: Log, tmp_path: Path) -> None:
    cosigner = witness_of(filled, tmp_path)
    cosigner.add_checkpoint(request(filled, 0))
    with answering(cosigner) as target:
        rewrite(filled, 150)
        [rewritten] = deliver(filled, [target])
        with filled.storage.transaction() as db:
            db.run("DELETE FROM checkpoint WHERE size > 200")
        [restored] = deliver(filled, [target])
    assert isinstance(rewritten.fault, LogBroken)
    assert isinstance(restored.fault, LogBroken) and restored.fault.first_bad == 200


def test_a_target_that_is_gone_stops_nobody_and_gets_what_it_lacks(log: Log, cosigner: Cosigner, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be", encoding="utf-8")
    grow(log, 5)
    with answering(cosigner) as target:
        targets = [Target(place=str(blocked)), Target(place="http://127.0.0.1:9", witness_key=str(log.keys.verifier)), target]
        done = deliver(log, targets)
    assert [(type(one.fault), one.size) for one in done] == [(LogUnavailable, 0), (LogUnavailable, 0), (type(None), 5)]
    blocked.unlink()
    assert deliver(log, targets[:1])[0].size == 5


def test_the_integrator_brings_heads_to_the_targets(log: Log, cosigner: Cosigner, tmp_path: Path) -> None:
    with answering(cosigner) as target:
        write_targets(tmp_path / "keys", [target, Target(place=str(tmp_path / "second"))])
        with Integrator(log, every_s=0.01) as integrator:
            log.append(Event.LOG_READ, {})
            assert until(lambda: cosigner.seen().size == 1)
            integrator.check()
    assert verify(log).ok
    assert (tmp_path / "second" / "checkpoints.txt").exists()


def test_the_integrator_stops_the_door_when_a_target_has_seen_another_log(filled: Log, tmp_path: Path) -> None:
    write_targets(tmp_path / "keys", [Target(place=str(tmp_path / "second"))])
    deliver(filled, filled.targets)
    rewrite(filled, 150)
    shutil.rmtree(tmp_path / "witness")
    with Integrator(filled, every_s=0.01) as integrator:

        def stopped() -> bool:
            try:
                integrator.check()
            except LogBroken:
                return True
            return False

        assert until(stopped)


def test_an_export_is_co_signed_by_files_alone(log: Log, cosigner: Cosigner, tmp_path: Path) -> None:
    for number, count in enumerate((3, 700)):
        grow(log, count)
        folder = given_out(log, tmp_path / f"out{number}")
        assert cosign_export(cosigner, folder) == log.size()
        assert offline(folder, "--witness", tmp_path / "auditors" / PUBLIC_KEY)["ok"]


def test_an_export_of_a_rewritten_log_is_not_co_signed(filled: Log, tmp_path: Path) -> None:
    cosigner = witness_of(filled, tmp_path)
    cosign_export(cosigner, given_out(filled, tmp_path / "out"))
    rewrite(filled, 150)
    fill(filled, 0)
    with pytest.raises(ProofInvalid):
        cosign_export(cosigner, given_out(filled, tmp_path / "again"))
