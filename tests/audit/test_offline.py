"""The verifier that is given out, run as an auditor runs it: one file, no platform, no database."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import FolderNotEmpty, ProofInvalid
from audit.events import Event
from audit.export import VERIFIER_FILE, export, proof_text
from audit.keys import VERIFIER_KEY
from audit.log import Log, open_log
from audit.merkle import inclusion_proof, leaf_hash, range_root_of, tree_root
from audit.offline import verify_log
from audit.storage import Transaction
from tests.audit.test_tampering import RECORDS, TAMPERINGS, fill, filled, rewrite, template

__all__ = ["filled", "template"]

DAY = datetime(2026, 11, 23, tzinfo=UTC)

# RFC 8032 §7.1: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]


def given_out(log: Log, folder: Path, **period: datetime) -> Path:
    export(log, folder, **period)
    return folder


def offline(folder: Path, *arguments: object, key: Path | None = None) -> Any:
    """The verdict of the exported file itself, run without anything around it."""
    command = [sys.executable, "-I", folder / VERIFIER_FILE, folder, "--key", key or folder / VERIFIER_KEY, "--json", *arguments]
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, cwd="/", check=False)
    assert ran.stdout, ran.stderr
    verdict = json.loads(ran.stdout)
    assert ran.returncode == (0 if verdict["ok"] else 5)
    return verdict


def found(verdict: Any) -> tuple[bool, int]:
    return verdict["ok"], verdict["first_bad"]


def test_a_whole_log_is_whole(filled: Log, tmp_path: Path) -> None:
    verdict = offline(given_out(filled, tmp_path / "out"), "--older", tmp_path / "witness")
    assert verdict == {"ok": True, "size": RECORDS, "first": 0, "end": RECORDS, "first_bad": None, "reason": ""}


def test_each_database_gives_out_the_same(log: Log, tmp_path: Path) -> None:
    fill(log, 260, seal_each=130)
    folder = given_out(log, tmp_path / "out")
    assert offline(folder, "--older", tmp_path / "witness")["ok"]
    assert verify_log.split_entries((folder / "tile/entries/000").read_bytes())[7].endswith(b'"event":"audit:log:read","v":1}')
    assert len((folder / "tile/0/001.p/4").read_bytes()) == 4 * 32


@pytest.mark.parametrize("index", [0, 99, 256, 298])
@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_the_first_falsified_record_is_named(
    filled: Log, tmp_path: Path, tamper: Callable[[Log, Transaction, int], None], index: int
) -> None:
    with filled.storage.transaction() as db:
        tamper(filled, db, index)
    folder = given_out(filled, tmp_path / "out")
    verdict = verify_log.check_log(folder, verify_log.read_key(folder / VERIFIER_KEY))
    assert (verdict.ok, verdict.first_bad) == (False, index), verdict.reason


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_the_file_alone_names_it_too(filled: Log, tmp_path: Path, tamper: Callable[[Log, Transaction, int], None]) -> None:
    with filled.storage.transaction() as db:
        tamper(filled, db, 150)
    assert found(offline(given_out(filled, tmp_path / "out"))) == (False, 150)


@pytest.mark.parametrize("start", [0, 150, 299])
def test_a_log_rewritten_with_its_own_key_is_found_by_what_was_kept(filled: Log, tmp_path: Path, start: int) -> None:
    older = given_out(filled, tmp_path / "older")
    rewrite(filled, start)
    folder = given_out(filled, tmp_path / "out")
    assert offline(folder)["ok"], "without anything kept nobody can tell"
    assert found(offline(folder, "--older", older)) == (False, start)
    assert found(offline(folder, "--older", tmp_path / "witness")) == (False, start)


def test_by_an_older_checkpoint_alone_a_rewritten_log_is_found_but_not_where(filled: Log, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text(filled.newest_note() or "", encoding="utf-8")
    rewrite(filled, 150)
    verdict = offline(given_out(filled, tmp_path / "out"), "--older", tmp_path / "kept")
    assert found(verdict) == (False, 0)


def test_a_rewritten_log_that_went_on_is_found(filled: Log, tmp_path: Path) -> None:
    older = given_out(filled, tmp_path / "older")
    rewrite(filled, 40)
    shutil.rmtree(tmp_path / "witness")
    fill(filled, 100)
    assert found(offline(given_out(filled, tmp_path / "out"), "--older", older)) == (False, 40)


def test_a_restored_older_database_is_found_where_it_ends(log: Log, tmp_path: Path) -> None:
    fill(log, 120)
    older = given_out(log, tmp_path / "out")
    fill(log, 100)
    newer = given_out(log, tmp_path / "newer")
    assert found(offline(older, "--older", newer)) == (False, 100)
    assert offline(newer, "--older", older)["ok"]


def test_a_replaced_key_is_found(filled: Log, tmp_path: Path) -> None:
    """A whole log under a new key, given out with that key: the auditor's own copy of the key tells."""
    fake = open_log(f"sqlite:///{tmp_path / 'fake.db'}", tmp_path / "other" / "keys")
    fill(fake)
    folder = given_out(fake, tmp_path / "out")
    assert offline(folder)["ok"]
    assert found(offline(folder, key=tmp_path / "keys" / VERIFIER_KEY)) == (False, 0)
    assert found(offline(folder, "--older", given_out(filled, tmp_path / "older"))) == (False, 0)


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44"])
@pytest.mark.parametrize("at", [0, 31, -1])
def test_a_byte_changed_in_any_exported_file_is_found(filled: Log, tmp_path: Path, path: str, at: int) -> None:
    file = given_out(filled, tmp_path / "out") / path
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)
    first, last = (256, 299) if "001" in path else (0, 255)
    verdict = offline(tmp_path / "out")
    assert not verdict["ok"]
    assert first <= verdict["first_bad"] <= last


def test_a_checkpoint_with_a_changed_byte_is_found(filled: Log, tmp_path: Path) -> None:
    file = given_out(filled, tmp_path / "out") / "checkpoint"
    file.write_text(file.read_text(encoding="utf-8").replace("\n300\n", "\n299\n"), encoding="utf-8")
    assert found(offline(tmp_path / "out")) == (False, 0)


def test_a_missing_bundle_is_found(filled: Log, tmp_path: Path) -> None:
    (given_out(filled, tmp_path / "out") / "tile/entries/001.p/44").unlink()
    assert found(offline(tmp_path / "out")) == (False, 256)


def test_a_period_is_given_out_with_the_hashes_of_all_the_rest(log_url: str, tmp_path: Path) -> None:
    clock = iter(DAY + timedelta(minutes=number) for number in range(2_000))
    log = open_log(log_url, tmp_path / "keys", clock=lambda: next(clock))
    fill(log, 1_000, seal_each=1_000)
    folder = given_out(log, tmp_path / "out", since=DAY + timedelta(minutes=300), before=DAY + timedelta(minutes=500))
    assert sorted(file.name for file in (folder / "tile/entries").iterdir()) == ["001"]
    assert offline(folder) == {"ok": True, "size": 1_000, "first": 256, "end": 512, "first_bad": None, "reason": ""}
    data = (folder / "tile/entries/001").read_bytes()
    (folder / "tile/entries/001").write_bytes(data.replace(b'"number":400', b'"number":401'))
    assert found(offline(folder)) == (False, 400)
    log.close()


def test_a_period_without_records_gives_none_out(filled: Log, tmp_path: Path) -> None:
    folder = given_out(filled, tmp_path / "out", since=DAY - timedelta(days=2), before=DAY - timedelta(days=1))
    assert (offline(folder)["first"], offline(folder)["end"]) == (0, 0)


def test_one_record_is_proven_alone(filled: Log, tmp_path: Path) -> None:
    folder = given_out(filled, tmp_path / "out")
    file = tmp_path / "seven.tlog-proof"
    file.write_text(proof_text(filled, 7), encoding="utf-8")
    command = [sys.executable, "-I", str(folder / VERIFIER_FILE), "--json", "--key", str(folder / VERIFIER_KEY), "--proof", str(file)]
    ran = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
    told = json.loads(ran.stdout)
    assert (ran.returncode, told["index"], told["record"]["body"]) == (0, 7, {"number": 7})
    text = file.read_text(encoding="utf-8")
    for changed in (text.replace("index 7", "index 8"), text.replace("\n300\n", "\n299\n"), text.replace("extra ey", "extra fy")):
        file.write_text(changed, encoding="utf-8")
        assert subprocess.run(command, capture_output=True, cwd="/", check=False).returncode == 5


def test_what_is_not_sealed_is_not_given_out(log: Log, tmp_path: Path) -> None:
    log.append(Event.LOG_READ, {})
    with pytest.raises(ProofInvalid):
        export(log, tmp_path / "out")
    log.seal()
    log.append(Event.LOG_READ, {})
    assert export(log, tmp_path / "out").size == 1


def test_nothing_is_written_over(filled: Log, tmp_path: Path) -> None:
    export(filled, tmp_path / "out")
    with pytest.raises(FolderNotEmpty):
        export(filled, tmp_path / "out")


def test_residents_named_by_a_digest_must_be_there_as_they_were(log: Log, tmp_path: Path) -> None:
    digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"  # of b"secret"
    log.append(Event.LOG_READ, {})
    log.append(Event.LOG_READ, {"population": digest})
    log.seal()
    folder = given_out(log, tmp_path / "out")
    assert found(offline(folder, "--populations", tmp_path / "kept")) == (False, 1)
    kept = tmp_path / "kept" / digest[:2] / f"{digest}.roaring"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"secret")
    assert offline(folder, "--populations", tmp_path / "kept")["ok"]
    kept.write_bytes(b"Secret")
    assert found(offline(folder, "--populations", tmp_path / "kept")) == (False, 1)


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_signatures_of_the_standard_hold_and_changed_ones_do_not(public: str, message: str, signature: str) -> None:
    key, text, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert verify_log.signature_holds(key, text, signed)
    assert not verify_log.signature_holds(key, text + b"!", signed)
    for at in (0, 31, 32, 63):
        changed = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
        assert not verify_log.signature_holds(key, text, changed)
    beyond = int.from_bytes(signed[32:], "little") + verify_log.ORDER
    assert not verify_log.signature_holds(key, text, signed[:32] + beyond.to_bytes(32, "little"))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100))
def test_signatures_of_the_platform_hold(seed: bytes, message: bytes) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    assert verify_log.signature_holds(public, message, private.sign(message))
    assert not verify_log.signature_holds(public, message + b"!", private.sign(message))


@given(st.integers(1, 1_200), st.data())
def test_its_tree_is_that_of_the_log(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    old, index = data.draw(st.integers(0, size)), data.draw(st.integers(0, size - 1))
    tree = verify_log.Tree([old, size])
    for start in range(0, size, verify_log.TILE_WIDTH):
        tree.grow(leaves[start : start + verify_log.TILE_WIDTH])
    tree.finish()
    assert (tree.root(old), tree.root(size)) == (tree_root(leaves[:old]), tree_root(leaves))
    path = inclusion_proof(index, size, range_root_of(leaves))
    assert verify_log.root_from_inclusion(index, size, leaves[index], path) == tree_root(leaves)


@pytest.mark.parametrize(("index", "path"), [(0, "000"), (999, "999"), (1_000, "x001/000"), (1_234_067, "x001/x234/067")])
def test_tiles_lie_where_c2sp_says(index: int, path: str) -> None:
    assert verify_log.tile_path(Path("log"), 3, index) == Path("log/tile/3") / path
    assert verify_log.tile_path(Path("log"), "entries", index, 7) == Path("log/tile/entries") / f"{path}.p/7"
