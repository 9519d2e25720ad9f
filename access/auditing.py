"""What auditors do with the log, itself recorded in the log (law.md A-07)."""

from audit.events import Event
from audit.log import Entry, Log
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
