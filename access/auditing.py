"""What auditors do with the log, itself recorded in the log (law.md A-07)."""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from audit.errors import LogBroken, ProofInvalid, RetentionRefused
from audit.events import Event
from audit.export import Exported, export, proof_text
from audit.log import Entry, Log
from audit.records import instant
from audit.retention import Destroyed, destroy
from audit.verify import Verdict, verify

MAX_ENTRIES_READ = 10_000


def verify_log(log: Log, actor: str) -> Verdict:
    """Check the whole log. A log that is whole gets the record of the check; a broken one is left as it was found."""
    verdict = verify(log)
    if verdict.ok:
        log.append_sealed(Event.LOG_VERIFIED, {"actor": actor, "size": verdict.size})
    return verdict


def newest_entries(log: Log, actor: str, count: int) -> list[Entry]:
    """The last records, oldest first; that they were read is recorded before they are given."""
    assert 0 < count <= MAX_ENTRIES_READ
    size = log.size()
    entries = list(log.entries(max(0, size - count), size))
    log.append_sealed(Event.LOG_READ, {"actor": actor, "first": max(0, size - count), "end": size})
    return entries


def export_log(log: Log, actor: str, folder: Path, since: datetime | None, before: datetime | None) -> Exported:
    """The sealed log, or the records of a period of it, with the offline verifier; that it was given out is recorded first.

    A broken log is given out as well, as it was last signed: that is when it is needed most.
    """
    period = {name: instant(at) for name, at in (("since", since), ("before", before)) if at}
    log.append(Event.LOG_EXPORTED, {"actor": actor, **period})
    with suppress(LogBroken):
        log.seal()
    return export(log, folder, since, before)


def prove_record(log: Log, actor: str, seq: int) -> str:
    """One record with its proof, as a file to check offline. Raises ProofInvalid if there is no such record."""
    if seq >= log.seal().size:
        raise ProofInvalid(f"there is no record {seq}")
    log.append_sealed(Event.LOG_READ, {"actor": actor, "first": seq, "end": seq + 1, "proof": True})
    return proof_text(log, seq)


def destroy_records(log: Log, actor: str, before: datetime, now: datetime, reason: str) -> Destroyed:
    """Destroy records whose years are over (law.md A-08). A refused attempt is a record, too."""
    try:
        return destroy(log, before, now, {"actor": actor, "why": reason})
    except RetentionRefused:
        log.append_sealed(Event.DESTRUCTION_REFUSED, {"actor": actor, "before": instant(before), "why": reason})
        raise
