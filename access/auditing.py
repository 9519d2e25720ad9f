"""What auditors do with the log, itself recorded in the log (law.md A-07).

Whether the log is whole, the operator may ask as well. What stands in it is read, given out and, after its years, destroyed by
auditors alone (A-02).
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from access.as_made import Difference, compare_all
from access.log_faults import log_faults_translated
from access.readers import Reader, admit, admit_checker
from audit.errors import LogBroken, ProofInvalid, RetentionRefused
from audit.events import Event
from audit.export import Exported, export, proof_text
from audit.log import Entry, Log
from audit.notes import ALGORITHM_COSIGNATURE, read_verifier
from audit.records import instant
from audit.retention import Destroyed, destroy
from audit.targets import Target, write_targets
from audit.verify import Verdict, verify
from catalog.store import Store
from rules.errors import Refused

MAX_ENTRIES_READ = 10_000


def verify_log(store: Store, log: Log, actor: str) -> Verdict:
    """Check the whole log. A log that is whole gets the record of the check; a broken one is left as it was found."""
    admit_checker(store, log, actor, "verify")
    verdict = verify(log)
    if verdict.ok:
        log.append_sealed(Event.LOG_VERIFIED, {"actor": actor, "size": verdict.size})
    return verdict


def newest_entries(store: Store, log: Log, reader: Reader, count: int) -> list[Entry]:
    """The last records, oldest first; that they were read is recorded before they are given."""
    assert 0 < count <= MAX_ENTRIES_READ
    admit(store, log, reader, "list")
    size = log.size()
    entries = list(log.entries(max(0, size - count), size))
    log.append_sealed(Event.LOG_READ, _read(reader, max(0, size - count), size))
    return entries


def export_log(store: Store, log: Log, reader: Reader, folder: Path, since: datetime | None, before: datetime | None) -> Exported:
    """The sealed log, or the records of a period of it, with the offline verifier; that it was given out is recorded first.

    A broken log is given out as well, as it was last signed: that is when it is needed most.
    """
    admit(store, log, reader, "export")
    period = {name: instant(at) for name, at in (("since", since), ("before", before)) if at}
    log.append(Event.LOG_EXPORTED, {"actor": reader.name, "purpose": reader.purpose, **period})
    with suppress(LogBroken):
        log.seal()
    return export(log, folder, since, before)


def prove_record(store: Store, log: Log, reader: Reader, seq: int) -> str:
    """One record with its proof, as a file to check offline. Raises ProofInvalid if there is no such record."""
    admit(store, log, reader, "prove")
    if seq >= log.seal().size:
        raise ProofInvalid(f"there is no record {seq}")
    log.append_sealed(Event.LOG_READ, {**_read(reader, seq, seq + 1), "proof": True})
    return proof_text(log, seq)


def destroy_records(store: Store, log: Log, reader: Reader, before: datetime, now: datetime) -> Destroyed:
    """Destroy records whose years are over (law.md A-08); the purpose is the decision to do so. A refused attempt is a record, too."""
    admit(store, log, reader, "destroy")
    try:
        return destroy(log, before, now, {"actor": reader.name, "why": reader.purpose})
    except RetentionRefused:
        log.append_sealed(Event.DESTRUCTION_REFUSED, {"actor": reader.name, "before": instant(before), "why": reader.purpose})
        raise


def add_target(log: Log, keys: Path, actor: str, place: str, witness_key: str) -> Target:
    """Send checkpoints to one more place. Refused AUD-TARGET for a URL without the key of its witness, or a folder with one."""
    target = Target(place=place, witness_key=witness_key.strip())
    target = target if target.by_http else replace(target, place=str(Path(place).absolute()))
    if target.by_http != bool(target.witness_key) or (target.by_http and read_verifier(witness_key).algorithm != ALGORITHM_COSIGNATURE):
        raise Refused("AUD-TARGET", where=place)
    others = [one for one in log.targets if one.place != target.place]
    log.append_sealed(Event.TARGETS_CHANGED, {"actor": actor, "added": target.place})
    write_targets(keys, [*others, target])
    return target


def remove_target(log: Log, keys: Path, actor: str, place: str) -> None:
    """Refused AUD-TARGET for a place that is none."""
    left = [one for one in log.targets if one.place not in (place, str(Path(place).absolute()))]
    if len(left) == len(log.targets):
        raise Refused("AUD-TARGET", where=place)
    log.append_sealed(Event.TARGETS_CHANGED, {"actor": actor, "removed": place})
    write_targets(keys, left)


def compare_grants(store: Store, log: Log, actor: str) -> list[Difference]:
    """The grants in the store beside what the log says of them; that they were compared is recorded."""
    admit_checker(store, log, actor, "grants")
    with store.session() as session:
        found = compare_all(session, log)
    body = {"actor": actor, "first": 0, "end": log.size(), "differing": [one.grant for one in found]}
    with log_faults_translated():
        log.append_sealed(Event.LOG_READ, body)
    return found


def _read(reader: Reader, first: int, end: int) -> dict[str, str | int]:
    return {"actor": reader.name, "purpose": reader.purpose, "first": first, "end": end}
