"""Bring checkpoints to the configured targets. Nobody waits for it: a target that takes nothing gets what it lacks once it is back.

A target that has seen another log says so, and that is a fault of the log.
"""

import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.cosigner import PATH, request_text
from audit.errors import LogBroken, LogError, LogUnavailable, ProofInvalid
from audit.log import Log
from audit.notes import open_note, read_checkpoint, read_verifier
from audit.targets import Target
from audit.witness import Witness

LONGEST_ANSWER_S = 5
LONGEST_ANSWER_BYTES = 10_000
SIGNED, OTHER_SIZE, INCONSISTENT = 200, 409, 422


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """How far a target has the log, and why not further."""

    target: Target
    size: int
    fault: LogError | None = None


def deliver(log: Log, targets: Sequence[Target]) -> list[Delivery]:
    """Bring the newest checkpoint to every target; one that fails stops no other."""
    return [_deliver(log, target) for target in targets]


def _deliver(log: Log, target: Target) -> Delivery:
    try:
        size = _by_http(log, target) if target.by_http else _by_folder(log, Path(target.place))
    except LogError as fault:
        return Delivery(target=target, size=_held(log, target), fault=fault)
    return Delivery(target=target, size=size)


def _by_folder(log: Log, folder: Path) -> int:
    witness = Witness(folder, log.keys.verifier)
    log.show(witness)
    head = witness.head()
    return head.size if head else 0


def _by_http(log: Log, target: Target) -> int:
    note = log.newest_note()
    if note is None:
        return 0
    size, old = read_checkpoint(note, log.keys.verifier).size, _held(log, target)
    if old < size:
        status, answer = _post(target, _request(log, old, size, note))
        if status == OTHER_SIZE:
            old = _size_told(answer)
            if old > size:
                raise LogBroken(size, f"the witness at {target.place} has seen {old} records, the log's tree holds {size}")
            status, answer = _post(target, _request(log, old, size, note))
        if status == INCONSISTENT:
            raise LogBroken(0, f"the witness at {target.place} does not find the log consistent with what it saw")
        _keep(log, target, size, note, status, answer)
    return size


def _request(log: Log, old: int, size: int, note: str) -> str:
    return request_text(old, log.prove_consistency(old, size) if 0 < old < size else [], note)


def _post(target: Target, text: str) -> tuple[int, str]:
    asked = urllib.request.Request(target.place.rstrip("/") + PATH, data=text.encode(), method="POST")
    try:
        with urllib.request.urlopen(asked, timeout=LONGEST_ANSWER_S) as answer:
            return answer.status, answer.read(LONGEST_ANSWER_BYTES).decode(errors="replace")
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read(LONGEST_ANSWER_BYTES).decode(errors="replace")
    except OSError as fault:
        raise LogUnavailable(f"the target {target.place} does not answer ({type(fault).__name__})") from fault


def _keep(log: Log, target: Target, size: int, note: str, status: int, line: str) -> None:
    """Its co-signature joins the checkpoint, once it is known to be its own."""
    witness = read_verifier(target.witness_key)
    try:
        if status != SIGNED:
            raise ProofInvalid(f"it answered {status}")
        open_note(note + line, witness)
    except ProofInvalid as fault:
        raise LogUnavailable(f"the target {target.place} gave no co-signature: {fault}") from fault
    log.keep_cosignature(size, witness.name, line)


def _held(log: Log, target: Target) -> int:
    try:
        if target.by_http:
            return log.cosigned(read_verifier(target.witness_key).name)
        head = Witness(Path(target.place), log.keys.verifier).head()
    except (LogError, OSError):
        return 0
    return head.size if head else 0


def _size_told(answer: str) -> int:
    try:
        return int(answer)
    except ValueError as fault:
        raise LogUnavailable("the target does not say how far it has seen the log") from fault
