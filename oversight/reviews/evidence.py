"""Evidence (证据) of a review, frozen when it is opened: records of the log with their proofs, and what spoke against the access.

It holds indices, leaf hashes, inclusion proofs, the signed heads that these lead to, and what an auditor reads of a record; people stand in
the records as keyed hashes and are not in it. Its digest is in the record of the opening, so that neither can be changed unseen.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from audit.errors import LogBroken, ProofInvalid, RecordDestroyed
from audit.events import Event
from audit.finding import INTENT
from audit.log import Log, Sealed
from audit.merkle import check_consistency, root_from_inclusion
from audit.notes import read_checkpoint
from audit.records import instant
from oversight.accesses import Access, read_accesses

VERSION = 1
FACTS = ("event", "actor", "department", "purpose", "case_number", "grant", "target", "origin", "outcome", "rows", "residents")


@dataclass(frozen=True, kw_only=True)
class Score:
    """What the rules said. `reasons`: explanation → looks it explains. Of an account `bits` and `by_rule`: rule, accesses, bits."""

    rules_version: int
    alerts: tuple[str, ...] = ()
    reasons: Mapping[str, int]
    people: int
    unexplained: int
    accesses: int = 1
    bits: str | None = None
    by_rule: tuple[tuple[str, int, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Canonical text and its SHA-256."""

    text: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """One frozen record as an auditor reads it."""

    seq: int
    at: str
    facts: Mapping[str, Any]


def freeze(log: Log, seqs: Sequence[int], score: Score, now: datetime) -> Evidence:
    """The evidence of accesses by their RESULT records; their INTENTs are frozen with them."""
    wanted = sorted({*seqs, *_intents(log, seqs)})
    accesses = {access.seq: access for access in read_accesses(log, wanted)}
    heads: dict[str, str] = {}
    records = [_record(log, accesses[seq], heads) for seq in wanted]
    told = {"v": VERSION, "frozen_at": instant(now), "score": asdict(score), "records": records, "checkpoints": heads}
    text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Evidence(text=text, digest=digest_of(text))


def digest_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def frozen_records(text: str) -> list[Frozen]:
    """What the evidence holds, for those who may read it."""
    return [Frozen(seq=one["index"], at=one["at"], facts=one["facts"]) for one in json.loads(text)["records"]]


def frozen_score(text: str) -> Score:
    told = json.loads(text)["score"]
    by_rule = tuple((rule, n, bits) for rule, n, bits in told["by_rule"])
    return Score(**{**told, "alerts": tuple(told["alerts"]), "by_rule": by_rule})


def faults_of_evidence(log: Log, text: str, *, digest: str, review: int, record: int) -> list[str]:
    """What does not hold any more of the evidence of a review that the log's `record` opened; nothing: it is as it was frozen."""
    if digest_of(text) != digest:
        return ["证据被改动 the evidence was changed"]
    faults = list(_faults_of_opening(log, digest, review, record))
    told = json.loads(text)
    for one in told["records"]:
        with _named(faults, f"记录 record {one['index']}"):
            _check_record(log, one, told["checkpoints"][str(one["checkpoint"])])
    for size, note in told["checkpoints"].items():
        with _named(faults, f"检查点 checkpoint {size}"):
            _check_head(log, note)
    return faults


def _intents(log: Log, seqs: Sequence[int]) -> Iterator[int]:
    for seq in seqs:
        opener = log.entry(seq).record.body.get(INTENT)
        if opener is not None:
            with suppress(RecordDestroyed):
                yield log.entry(int(opener)).seq


def _record(log: Log, access: Access, heads: dict[str, str]) -> dict[str, Any]:
    proof = log.prove(access.seq)
    size = read_checkpoint(proof.note, log.keys.verifier).size
    heads[str(size)] = proof.note
    path = [node.hex() for node in proof.path]
    return {"index": access.seq, "leaf": proof.leaf_hash.hex(), "path": path, "checkpoint": size, **_read(access)}


def _read(access: Access) -> dict[str, Any]:
    return {"at": instant(access.at), "facts": {name: getattr(access, name) for name in FACTS}}


def _faults_of_opening(log: Log, digest: str, review: int, record: int) -> Iterator[str]:
    """That the record of the opening names this review and this digest."""
    try:
        opened = log.entry(record).record
    except (LogBroken, RecordDestroyed):
        yield "立案记录不在日志中 the record of the opening is not in the log"
        return
    same = opened.event is Event.AUDIT_REVIEW_OPENED and opened.body["review"] == review and opened.body["evidence"] == digest
    if not same:
        yield "与立案记录不符 not what the record of the opening tells of"


def _check_record(log: Log, one: Mapping[str, Any], note: str) -> None:
    """The proof leads to a signed root, the log still holds that record, and it says what was frozen."""
    head, leaf = read_checkpoint(note, log.keys.verifier), bytes.fromhex(one["leaf"])
    path = [bytes.fromhex(node) for node in one["path"]]
    if root_from_inclusion(one["index"], head.size, leaf, path) != head.root:
        raise ProofInvalid("the proof does not lead to the signed root")
    with suppress(RecordDestroyed):  # after its years: the proof is what is left of it
        log.entry(one["index"])
        log.check_held([Sealed(seq=one["index"], leaf_hash=leaf)])
        _check_read(log, one)


def _check_read(log: Log, one: Mapping[str, Any]) -> None:
    read = _read(read_accesses(log, [one["index"]])[0])
    if read != {"at": one["at"], "facts": one["facts"]}:
        raise ProofInvalid("the record says something else than was frozen")


def _check_head(log: Log, note: str) -> None:
    """The head is one that today's log extends."""
    old, newest = read_checkpoint(note, log.keys.verifier), log.newest_note()
    if newest is None:
        raise ProofInvalid("the log has no head")
    new = read_checkpoint(newest, log.keys.verifier)
    proof = log.prove_consistency(old.size, new.size) if old.size <= new.size else []
    check_consistency(old.size, new.size, old.root, new.root, proof)


@contextmanager
def _named(faults: list[str], name: str) -> Iterator[None]:
    """Keeps what a check found, under a name, and goes on with the next."""
    try:
        yield
    except (LogBroken, ProofInvalid) as fault:
        faults.append(f"{name}: {fault}")
