"""How long records are kept (law.md A-08, P-12): three years at least; what is older may be destroyed, which is itself a record.

Destroyed are the records, never their hashes: the tree, its heads and all proofs of what is kept stay as they are, so that what was
destroyed can be neither changed nor added to. Only whole tiles from the beginning of the log go, so that what is kept has no gap.
"""

from dataclasses import dataclass
from datetime import datetime

from audit.errors import LogBroken, RetentionRefused
from audit.events import Event
from audit.log import Log
from audit.records import INSTANT, Body, instant, instant_bytes
from audit.storage import Transaction, first_kept
from audit.tiles import TILE_WIDTH
from audit.verify import verify

KEPT_YEARS = 3
FEBRUARY_28 = 28


@dataclass(frozen=True, kw_only=True)
class Destroyed:
    """Which records were destroyed, [first, end), and the index of the record that tells of it (None where there were none)."""

    first: int
    end: int
    told_by: int | None = None


def destroy(log: Log, before: datetime, now: datetime, facts: Body) -> Destroyed:
    """Destroy the sealed records from before a time. RetentionRefused unless it is three years past, LogBroken unless the log is whole.

    A record of a later time among them (a clock was wrong) and an access that has no result yet are kept, with all that follows.
    """
    if before > latest_destruction(now):
        raise RetentionRefused(f"records are kept for {KEPT_YEARS} years; up to {latest_destruction(now):%Y-%m-%d} they may be destroyed")
    verdict = verify(log)
    if verdict.first_bad is not None:
        raise LogBroken(verdict.first_bad, verdict.reason)
    with log.storage.snapshot() as db:
        first, end = first_kept(db), _end(db, before)
    if end <= first:
        return Destroyed(first=first, end=first)
    told = log.append_sealed(Event.LOG_DESTROYED, {**facts, "first": first, "end": end, "before": instant(before)})
    with log.storage.transaction() as db:
        db.run("DELETE FROM entry WHERE seq < ?", (end,))
        db.run("UPDATE kept SET first = ?, told_by = ?", (end, told.seq))
    return Destroyed(first=first, end=end, told_by=told.seq)


def latest_destruction(now: datetime) -> datetime:
    """Records from before this may be destroyed now."""
    try:
        return now.replace(year=now.year - KEPT_YEARS)
    except ValueError:  # 29 February
        return now.replace(year=now.year - KEPT_YEARS, day=FEBRUARY_28)


def _end(db: Transaction, before: datetime) -> int:
    """The end of the whole sealed tiles in which every record is from before that time and every access has ended."""
    later = db.rows(f"SELECT min(seq) FROM entry WHERE {INSTANT} >= ?", (instant_bytes(before),))[0][0]
    under_way = db.rows("SELECT min(seq) FROM open_intent")[0][0]
    sealed = db.rows("SELECT size FROM tree")[0][0]
    return min(int(bound) for bound in (later, under_way, sealed) if bound is not None) // TILE_WIDTH * TILE_WIDTH
