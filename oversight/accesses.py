"""Records as auditors read them: one line each, what an INTENT said beside what its RESULT says, and the proof on request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audit.errors import RecordDestroyed
from audit.export import proof_text
from audit.finding import INTENT, Found, Wanted, has_terms
from audit.log import Entry, Log
from oversight.facets import POPULATION, found_by


@dataclass(frozen=True, kw_only=True)
class Access:
    """One record. `grant` to `target` are its INTENT's where it closes one; `bulk`: it names a set of people instead of single ones."""

    seq: int
    at: datetime
    event: str
    actor: str | None
    department: str | None
    grant: int | None
    purpose: str | None
    case_number: str | None
    origin: str | None
    target: str | None
    rows: int | None
    residents: int | None
    bulk: bool
    outcome: str
    why: tuple[str, ...]
    intent: int | None
    digest: str | None
    proof: str | None = None
    """That the record stands in a signed head of the log (C2SP tlog-proof), for verify_log.py."""


def read_accesses(log: Log, seqs: Sequence[int], wanted: Wanted | None = None, *, proven: bool = False) -> tuple[Access, ...]:
    """The records at these indices, read from the log; those that are not what was wanted after all are left out."""
    found = (_read(log, seq, wanted, proven) for seq in seqs)
    return tuple(access for access in found if access is not None)


def opener_of(log: Log, entry: Entry) -> Entry | None:
    """The INTENT that a record closes; none where it closes nothing, or where that was destroyed at the end of its time (A-08)."""
    if INTENT not in entry.record.body:
        return None
    try:
        return log.entry(int(entry.record.body[INTENT]))
    except RecordDestroyed:
        return None


def _read(log: Log, seq: int, wanted: Wanted | None, proven: bool) -> Access | None:
    entry = log.entry(seq)
    opener = opener_of(log, entry)
    opened = found_by(opener.record.body) if opener else None
    if wanted is not None and not has_terms(entry.record.event, found_by(entry.record.body), opened, wanted):
        return None
    return _access(entry, opener, proof_text(log, seq) if proven else None)


def _access(entry: Entry, opener: Entry | None, proof: str | None) -> Access:
    own = entry.record.body
    body: Mapping[str, Any] = {**opener.record.body, **own} if opener else own
    found: Found = found_by(own)
    why = body.get("why", ())
    return Access(
        seq=entry.seq,
        at=entry.record.at,
        event=entry.record.event.value,
        actor=body.get("actor"),
        department=body.get("department"),
        grant=body.get("grant"),
        purpose=body.get("purpose"),
        case_number=body.get("case_number"),
        origin=body.get("origin"),
        target=body.get("target"),
        rows=body.get("rows"),
        residents=body.get("residents"),
        bulk=found.members is not None or POPULATION in own,
        outcome=str(body.get("outcome") or entry.record.event.action),
        why=tuple(why) if isinstance(why, list) else (str(why),),
        intent=body.get(INTENT),
        digest=body.get("digest"),
        proof=proof,
    )
