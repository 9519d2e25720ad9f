"""Find records by what they hold: an index of sealed records in a SQLite file beside the log, made from them and thrown away when in doubt.

It is no evidence: whoever finds something reads the record itself and has it proven. The log knows nothing of the platform, so the caller
says by which terms a record can be found (`Terms`) and who is in a set of people that a record names by its digest (`ReadMembers`).
A record that closes an access (RESULT, ABORTED) is found by the terms of its INTENT as well.

Indices of records with a term lie per segment of 65,536 records as packed offsets, so that the index grows at its end like the log.
"""

import json
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from audit.events import Event
from audit.log import Log
from audit.members import MEMBER_TABLES, holding, keep_members, unread_sets
from audit.merkle import leaf_hash
from audit.notes import read_checkpoint
from audit.storage import as_bytes

SEGMENT = 65_536
SEGMENTS_AT_ONCE = 32
TERM_BYTES = 8
TERMS_REMEMBERED = 200_000
BUSY_TIMEOUT_S = 60
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
EVENT, ACTION, INTENT = "event", "action", "intent"

TABLES = """
CREATE TABLE IF NOT EXISTS indexed (
  id INTEGER PRIMARY KEY CHECK (id = 1), origin TEXT NOT NULL, first INTEGER NOT NULL, size INTEGER NOT NULL, last BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS posting (segment INTEGER, term INTEGER, offsets BLOB NOT NULL, PRIMARY KEY (segment, term)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS moment (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS span (segment INTEGER PRIMARY KEY, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL)
"""

Term = tuple[str, str]
"""What a record can be found by: the name of a facet and a value."""

Offsets = np.ndarray
Row = tuple[int, Any]
NOWHERE: Offsets = np.array([], np.uint16)


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a record says of itself to the index: terms, and the digest of a set of people, where it names one."""

    terms: Collection[Term]
    members: str | None = None


Terms = Callable[[Mapping[str, Any]], Found]
"""From the body of a record."""
ReadMembers = Callable[[str], Sequence[int] | np.ndarray | None]
"""The numbers in the set with this digest; None where it cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Records that have a term of each group, of a period [since, until), before an index."""

    all_of: Sequence[Collection[Term]] = ()
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True, kw_only=True)
class Page:
    """Indices, newest first; `before` asks for the next page, None: there is none. `size`: of the log that was searched."""

    seqs: tuple[int, ...]
    before: int | None
    size: int


@dataclass(kw_only=True)
class _Batch:
    """What some records of one segment add to the index."""

    terms: array = field(default_factory=lambda: array("q"))
    offsets: array = field(default_factory=lambda: array("H"))
    moments: list[tuple[int, int]] = field(default_factory=list)
    sets: list[tuple[str, int]] = field(default_factory=list)
    opened: dict[int, Found] = field(default_factory=dict)


class Finder:
    """The index of one log. Any number of processes may use one file; each connection belongs to the thread that opened it."""

    def __init__(self, path: Path, log: Log, terms: Terms, read_members: ReadMembers) -> None:
        self._log, self._terms, self._read_members = log, terms, read_members
        self._con = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-65536"):
            self._con.execute(f"PRAGMA {pragma}")
        self._con.executescript(TABLES + ";" + MEMBER_TABLES)

    def __enter__(self) -> "Finder":
        return self

    def __exit__(self, *_: object) -> None:
        self._con.close()

    def catch_up(self) -> int:
        """Take in what was sealed since; returns how many records the index holds. One that is not of this log is made anew."""
        sealed = self._sealed()
        if not self._is_of_this_log(sealed):
            self.throw_away()
        while (start := self._size()) < sealed:
            self._take_in(start, min(sealed, (start // SEGMENT + 1) * SEGMENT))
        self._read_what_was_not()
        return self._size()

    def throw_away(self) -> None:
        """Forget all; the next `catch_up` makes it anew from the records."""
        with self._writing():
            for table in ("indexed", "posting", "moment", "span", "members", "members_block", "members_use"):
                self._con.execute(f"DELETE FROM {table}")

    def find(self, wanted: Wanted, limit: int) -> Page:
        """The newest records that are wanted, a page of them."""
        size = self._size()
        end = size if wanted.before is None else min(size, wanted.before)
        seqs: list[int] = []
        for found in self._by_segment(wanted, end):
            seqs.extend(found[::-1][: limit + 1 - len(seqs)].tolist())
            if len(seqs) > limit:
                break
        return Page(seqs=tuple(seqs[:limit]), before=seqs[limit - 1] if len(seqs) > limit else None, size=size)

    def all(self, wanted: Wanted) -> list[int]:
        """All of them, newest first."""
        end = self._size() if wanted.before is None else min(self._size(), wanted.before)
        return [seq for found in self._by_segment(wanted, end) for seq in found[::-1].tolist()]

    @property
    def size(self) -> int:
        """How many records it holds."""
        return self._size()

    def bounds(self, since: datetime, until: datetime) -> tuple[int, int]:
        """[first, end) of the records of a period; a clock that was set back may put records of other times among them."""
        times = _bounds(Wanted(since=since, until=until))
        rows = self._con.execute("SELECT min(seq), max(seq) + 1 FROM moment WHERE at >= ? AND at < ?", times).fetchall()
        return (0, 0) if rows[0][0] is None else (int(rows[0][0]), int(rows[0][1]))

    def within(self, seqs: Sequence[int], period: Wanted) -> list[int]:
        """Those of a period, in their order."""
        since, until = _bounds(period)
        sql = "SELECT at FROM moment WHERE seq = ?"
        return [seq for seq in seqs if since <= self._con.execute(sql, (seq,)).fetchone()[0] < until]

    def holding(self, member: int) -> list[int]:
        """Records that name a set in which this number is, newest first."""
        return holding(self._con, member)

    def unreadable(self) -> list[int]:
        """Records that name a set that could not be read: they can be ruled out for nobody."""
        return unread_sets(self._con)

    def _sealed(self) -> int:
        note = self._log.newest_note()
        return read_checkpoint(note, self._log.keys.verifier).size if note else 0

    def _size(self) -> int:
        rows = self._con.execute("SELECT size FROM indexed").fetchall()
        return int(rows[0][0]) if rows else 0

    def _is_of_this_log(self, sealed: int) -> bool:
        """Its last record is the one that stands there in the log, and nothing that it holds was destroyed since (A-08).

        An older log that was restored, or another one, is not the one that it was made from.
        """
        rows = self._con.execute("SELECT origin, first, size, last FROM indexed").fetchall()
        if not rows:
            return True
        origin, first, size, last = rows[0]
        stored = self._log.storage.rows("SELECT record FROM entry WHERE seq = ?", (size - 1,))
        same = (leaf_hash(as_bytes(stored[0][0])) if stored else b"") == last
        return size <= sealed and origin == self._log.keys.verifier.name and same and first == self._first_kept()

    def _first_kept(self) -> int:
        return int(self._log.storage.rows("SELECT first FROM kept")[0][0])

    def _take_in(self, start: int, end: int) -> None:
        rows = self._log.storage.rows("SELECT seq, record FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq", (start, end))
        batch, segment = _Batch(), start // SEGMENT
        for seq, stored in rows:
            self._note(batch, int(seq), json.loads(as_bytes(stored)))
        with self._writing():
            if self._size() != start:
                return  # another process was quicker
            self._con.executemany(
                """INSERT INTO posting VALUES (?, ?, ?) ON CONFLICT (segment, term)
                DO UPDATE SET offsets = CAST(offsets || excluded.offsets AS BLOB)""",
                ((segment, term, offsets) for term, offsets in _packed(batch)),
            )
            self._con.executemany("INSERT INTO moment VALUES (?, ?)", batch.moments)
            self._widen_span(segment, batch)
            self._keep_sets(batch)
            last = leaf_hash(as_bytes(rows[-1][1])) if rows else b""
            facts = (self._log.keys.verifier.name, self._first_kept(), end, last)
            self._con.execute("INSERT OR REPLACE INTO indexed VALUES (1, ?, ?, ?, ?)", facts)

    def _note(self, batch: _Batch, seq: int, content: Mapping[str, Any]) -> None:
        """The bytes were checked when they were written, and are again by whoever verifies: here they are only read."""
        event, body = str(content["event"]), content["body"]
        own = self._terms(body)
        terms = {*own.terms, (EVENT, event), (ACTION, event.rpartition(":")[2])}
        if event.endswith(":intent"):
            batch.opened[seq] = own
        elif INTENT in body:
            terms.add((INTENT, str(body[INTENT])))
            terms.update(self._opened(batch, int(body[INTENT])).terms)
        offset = seq % SEGMENT
        for term in terms:
            batch.terms.append(term_number(term))
            batch.offsets.append(offset)
        batch.moments.append((seq, microseconds(datetime.fromisoformat(content["at"]))))
        if own.members:
            batch.sets.append((own.members, seq))

    def _opened(self, batch: _Batch, seq: int) -> Found:
        if seq not in batch.opened:
            rows = self._log.storage.rows("SELECT record FROM entry WHERE seq = ?", (seq,))
            batch.opened[seq] = self._terms(json.loads(as_bytes(rows[0][0]))["body"]) if rows else Found(terms=())
        return batch.opened[seq]

    def _widen_span(self, segment: int, batch: _Batch) -> None:
        if not batch.moments:
            return
        times = [at for _, at in batch.moments]
        self._con.execute(
            """INSERT INTO span VALUES (?, ?, ?) ON CONFLICT (segment)
            DO UPDATE SET first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)""",
            (segment, min(times), max(times)),
        )

    def _keep_sets(self, batch: _Batch) -> None:
        uses: defaultdict[str, list[int]] = defaultdict(list)
        for digest, seq in batch.sets:
            uses[digest].append(seq)
        for digest, seqs in uses.items():
            keep_members(self._con, digest, seqs, self._read_members)

    def _read_what_was_not(self) -> None:
        unread = self._con.execute("SELECT digest FROM members WHERE NOT read").fetchall()
        if unread:
            with self._writing():
                for (digest,) in unread:
                    keep_members(self._con, digest, (), self._read_members)

    def _by_segment(self, wanted: Wanted, end: int) -> Iterator[Offsets]:
        """Indices in ascending order, segment by segment from the newest, some segments at a time."""
        for last in range((end - 1) // SEGMENT, -1, -SEGMENTS_AT_ONCE) if end else ():
            first = max(last - SEGMENTS_AT_ONCE + 1, 0)
            having = self._having(first, last, wanted.all_of[0]) if wanted.all_of else None
            for segment in range(last, first - 1, -1):
                start = None if having is None else having.get(segment, NOWHERE)
                inside = None if start is NOWHERE else self._period(segment, wanted)
                if inside is None:
                    continue
                seqs = self._in_segment(segment, start, wanted, end)
                yield seqs if len(seqs) == 0 or inside else self._of_period(seqs, wanted)

    def _period(self, segment: int, wanted: Wanted) -> bool | None:
        """Whether a segment lies wholly in the period; None: wholly outside."""
        if wanted.since is None and wanted.until is None:
            return True
        rows = self._con.execute("SELECT first_at, last_at FROM span WHERE segment = ?", (segment,)).fetchall()
        if not rows:
            return None
        (first, last), (since, until) = rows[0], _bounds(wanted)
        return None if last < since or first >= until else since <= first and last < until

    def _in_segment(self, segment: int, found: Offsets | None, wanted: Wanted, end: int) -> Offsets:
        """`found`: the offsets with a term of the first group; None: nothing is asked for by terms."""
        base = segment * SEGMENT
        if found is None:
            sql = "SELECT seq FROM moment WHERE seq >= ? AND seq < ?"
            return np.array([seq for (seq,) in self._con.execute(sql, (base, min(end, base + SEGMENT)))], np.int64)
        for group in wanted.all_of[1:]:
            found = np.intersect1d(found, self._having(segment, segment, group).get(segment, NOWHERE), assume_unique=True)
            if len(found) == 0:
                break
        seqs = found.astype(np.int64) + base
        return seqs[seqs < end]

    def _having(self, first: int, last: int, group: Collection[Term]) -> Mapping[int, Offsets]:
        """The offsets with a term of a group, by segment: one question for all of these segments, for each costs as much as its answer."""
        numbers = sorted({term_number(term) for term in group})
        sql = f"""SELECT s.segment, offsets FROM span AS s CROSS JOIN posting AS p ON p.segment = s.segment
            WHERE s.segment BETWEEN ? AND ? AND term IN ({", ".join("?" * len(numbers))})"""  # CROSS: or the whole of each segment is read
        found: defaultdict[int, list[Offsets]] = defaultdict(list)
        for segment, offsets in self._con.execute(sql, (first, last, *numbers)):
            found[segment].append(np.frombuffer(offsets, np.uint16))
        return {segment: some[0] if len(some) == 1 else np.unique(np.concatenate(some)) for segment, some in found.items()}

    def _of_period(self, seqs: Offsets, wanted: Wanted) -> Offsets:
        since, until = _bounds(wanted)
        sql = "SELECT seq FROM moment WHERE seq >= ? AND seq <= ? AND at >= ? AND at < ?"
        inside = [seq for (seq,) in self._con.execute(sql, (int(seqs[0]), int(seqs[-1]), since, until))]
        return np.intersect1d(seqs, np.array(inside, np.int64), assume_unique=True)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        self._con.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._con.execute("COMMIT")
        except BaseException:
            self._con.execute("ROLLBACK")
            raise


def has_terms(event: Event, found: Found, opened: Found | None, wanted: Wanted) -> bool:
    """Whether a record that was read is one that was wanted: two terms may share a number, and an index may be wrong."""
    terms = {*found.terms, *(opened.terms if opened else ()), (EVENT, event.value), (ACTION, event.action)}
    return all(terms & set(group) for group in wanted.all_of)


@lru_cache(maxsize=TERMS_REMEMBERED)
def term_number(term: Term) -> int:
    facet, value = term
    return int.from_bytes(blake2b(f"{facet}\x00{value}".encode(), digest_size=TERM_BYTES).digest(), "big", signed=True)


def microseconds(at: datetime) -> int:
    return (at - EPOCH) // MICROSECOND


def _bounds(wanted: Wanted) -> tuple[int, int]:
    """[since, until) in microseconds; open ends are the ends of time."""
    limits = np.iinfo(np.int64)
    since = int(limits.min) if wanted.since is None else microseconds(wanted.since)
    return since, int(limits.max) if wanted.until is None else microseconds(wanted.until)


def _packed(batch: _Batch) -> Iterator[tuple[int, bytes]]:
    """Term after term with the offsets of its records, ascending in both."""
    if not batch.terms:
        return
    terms, offsets = np.frombuffer(batch.terms, np.int64), np.frombuffer(batch.offsets, np.uint16)
    order = np.argsort(terms, kind="stable")
    terms, offsets = terms[order], offsets[order]
    starts = np.flatnonzero(np.r_[True, terms[1:] != terms[:-1]])
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(terms)], strict=True):
        yield int(terms[start]), offsets[start:end].tobytes()
