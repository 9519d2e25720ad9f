"""The log itself: append (durable when it returns), seal (extend the tree, sign its head), read, prove.

Sequence first, seal after: a record is committed before anything depends on it, by any number of threads and processes; threads that
append at the same time share one commit. Whoever seals takes the records in order of their index, so the tree follows the sequence.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from audit.errors import KeyProblem, LogBroken, ProofInvalid, RecordDestroyed, RecordRefused
from audit.events import Event
from audit.keys import LogKeys, create_keys, load_keys
from audit.merkle import check_consistency, consistency_proof, inclusion_proof, leaf_hash, leaf_hashes
from audit.notes import Checkpoint, read_checkpoint, sign
from audit.records import Body, Record, decode, encode
from audit.storage import Storage, Transaction, as_bytes, open_storage
from audit.targets import Target, read_targets
from audit.tiles import extend, leaves_from, range_root_from
from audit.witness import Witness

MAX_LEAVES_A_SEAL = 50_000
MAX_RECORDS_A_COMMIT = 1_000
MAX_RECORDS_A_READ = 10_000

Clock = Callable[[], datetime]


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A record that is durable: its index and the hash under which it stands in the tree."""

    seq: int
    leaf_hash: bytes


@dataclass(frozen=True, kw_only=True)
class Entry:
    seq: int
    record: Record


@dataclass(frozen=True, kw_only=True)
class OpenIntent:
    """An intent without result, and who holds it open."""

    seq: int
    event: Event
    holder: str


@dataclass(frozen=True, kw_only=True)
class InclusionProof:
    """That the record at `seq` is in the tree of the signed `note`."""

    seq: int
    leaf_hash: bytes
    path: tuple[bytes, ...]
    note: str


@dataclass(frozen=True, kw_only=True)
class _Encoded:
    data: bytes
    event: Event
    body: Body


@dataclass(frozen=True, kw_only=True)
class _Growth:
    """The tree with further leaves: its size, the tiles that changed, its root."""

    size: int
    tiles: Mapping[tuple[int, int], bytes]
    root: bytes


@dataclass(kw_only=True)
class _Waiting:
    """Records of one thread, which get indices in a row in one commit; `first` is the index of the first."""

    records: Sequence[_Encoded]
    first: int | None = None
    fault: BaseException | None = field(default=None, repr=False)
    turn: threading.Event | None = None
    """Set when they are written, or when their thread is to write for all that wait; none for one that found nobody writing."""

    @property
    def settled(self) -> bool:
        return self.first is not None or self.fault is not None


class Log:
    """One log. Any number of threads may use one object, any number of processes one log."""

    def __init__(self, storage: Storage, keys: LogKeys, keys_folder: Path, witness: Witness, clock: Clock) -> None:
        self._keys_folder = keys_folder
        self._storage, self._keys, self._witness, self._clock = storage, keys, witness, clock
        self._waiting: list[_Waiting] = []
        self._queue = threading.Lock()
        self._someone_writes = False

    @property
    def keys(self) -> LogKeys:
        return self._keys

    @property
    def storage(self) -> Storage:
        return self._storage

    @property
    def witness(self) -> Witness:
        return self._witness

    def subject(self, kind: str, value: str) -> str:
        """The keyed hash that stands for a person in records."""
        return self._keys.subject(kind, value)

    def append(self, event: Event, body: Body) -> Sealed:
        """Write one record; durable when this returns. Raises RecordRefused (nothing written) or LogUnavailable (do not answer)."""
        return self._write([self._encoded(event, body)])[0]

    def append_all(self, records: Sequence[tuple[Event, Body]]) -> list[Sealed | RecordRefused]:
        """Write many records in one commit, in their order; all durable when this returns.

        A record that cannot be written takes no index and stops no other: its place in the answer holds why. Raises LogUnavailable if none
        was written.
        """
        encoded = [self._encoded_or_refused(event, body) for event, body in records]
        written = iter(self._write([one for one in encoded if isinstance(one, _Encoded)]))
        return [one if isinstance(one, RecordRefused) else next(written) for one in encoded]

    def append_sealed(self, event: Event, body: Body) -> Sealed:
        """Write one record and seal it at once: for what is rare and weighty, where no integrator follows within the second."""
        sealed = self.append(event, body)
        self.seal()
        return sealed

    def seal(self) -> Checkpoint:
        """Extend the tree by all records written so far, sign its head and show it to the witness. Safe from several processes at once."""
        while self._seal_some():
            pass
        note = self.newest_note()
        if note is None:
            note = self._sign_empty()
        self._show(self._witness, note)
        return read_checkpoint(note, self._keys.verifier)

    @property
    def targets(self) -> list[Target]:
        """Where its checkpoints go besides, as configured now."""
        return read_targets(self._keys_folder)

    def show(self, witness: Witness) -> None:
        """Show the newest head to a witness's folder; raises LogBroken if it has seen another log."""
        note = self.newest_note()
        if note is not None:
            self._show(witness, note)

    def keep_cosignature(self, size: int, name: str, line: str) -> None:
        """What a witness put under the head of `size` records."""
        with self._storage.transaction() as db:
            db.run("INSERT INTO cosignature VALUES (?, ?, ?) ON CONFLICT (size, name) DO NOTHING", (size, name, line))

    def cosigned(self, name: str) -> int:
        """Up to which size a witness has co-signed."""
        return int(self._storage.rows("SELECT coalesce(max(size), 0) FROM cosignature WHERE name = ?", (name,))[0][0])

    def size(self) -> int:
        """How many records have been written."""
        return int(self._storage.rows("SELECT next_seq FROM head")[0][0])

    def entry(self, seq: int) -> Entry:
        """The record at an index; raises LogBroken if it is not there although its index was given out."""
        rows = self._storage.rows("SELECT record FROM entry WHERE seq = ?", (seq,))
        if not rows:
            if seq < int(self._storage.rows("SELECT first FROM kept")[0][0]):
                raise RecordDestroyed(f"record {seq} was destroyed after the years it had to be kept")
            raise LogBroken(seq, "the record is missing")
        return _stored(seq, rows[0][0])

    def check_held(self, sealed: Sequence[Sealed]) -> None:
        """That the log holds these records as they were written: looked up by their indices, compared by their hashes. LogBroken if not."""
        wanted = {record.seq: record.leaf_hash for record in sealed}
        if wanted:
            sql = "SELECT seq, record FROM entry WHERE seq >= ? AND seq <= ?"
            for seq, data in self._storage.rows(sql, (min(wanted), max(wanted))):
                if wanted.get(seq) == leaf_hash(as_bytes(data)):
                    del wanted[seq]
        if wanted:
            raise LogBroken(min(wanted), "a record is not there as it was written")

    def entries(self, start: int = 0, end: int | None = None) -> Iterator[Entry]:
        """The records [start, end) in order."""
        stop = self.size() if end is None else end
        sql = "SELECT seq, record FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?"
        while rows := self._storage.rows(sql, (start, stop, MAX_RECORDS_A_READ)):
            yield from (_stored(seq, data) for seq, data in rows)
            start = int(rows[-1][0]) + 1

    def open_intents(self) -> list[OpenIntent]:
        """Intents that no result has closed, oldest first."""
        rows = self._storage.rows("SELECT seq, holder FROM open_intent ORDER BY seq")
        return [OpenIntent(seq=seq, event=self.entry(seq).record.event, holder=holder) for seq, holder in rows]

    def newest_note(self) -> str | None:
        rows = self._storage.rows("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
        return str(rows[0][0]) if rows else None

    def prove(self, seq: int) -> InclusionProof:
        """The proof that a sealed record is in the newest signed head. Raises ProofInvalid for a record not sealed yet."""
        note = self.newest_note()
        head = read_checkpoint(note, self._keys.verifier) if note else None
        if note is None or head is None or seq >= head.size:
            raise ProofInvalid(f"record {seq} is not sealed yet")
        root = range_root_from(cache(self._read_tile))
        path = inclusion_proof(seq, head.size, root)
        return InclusionProof(seq=seq, leaf_hash=root(seq, seq + 1), path=tuple(path), note=note)

    def prove_consistency(self, old: int, new: int) -> list[bytes]:
        """That the tree of `new` leaves begins with the tree of `old` leaves."""
        return consistency_proof(old, new, range_root_from(cache(self._read_tile)))

    def close(self) -> None:
        self._storage.close()

    def _encoded(self, event: Event, body: Body) -> _Encoded:
        return _Encoded(data=encode(Record(event=event, at=self._clock(), body=body)), event=event, body=body)

    def _encoded_or_refused(self, event: Event, body: Body) -> _Encoded | RecordRefused:
        try:
            return self._encoded(event, body)
        except RecordRefused as refused:
            return refused

    def _write(self, records: Sequence[_Encoded]) -> list[Sealed]:
        """Write records in a row, together with what other threads write at the same time."""
        if not records:
            return []
        item = _Waiting(records=records)
        self._await_turn(item)
        if not item.settled:
            self._write_waiting()
        if item.fault is not None:
            raise item.fault
        assert item.first is not None
        return [Sealed(seq=seq, leaf_hash=leaf_hash(record.data)) for seq, record in enumerate(records, start=item.first)]

    def _show(self, witness: Witness, note: str) -> None:
        try:
            witness.take(note, self._leaves, self._check_extends)
        except ProofInvalid as fault:
            raise LogBroken(0, f"a witness has seen another log: {fault}") from fault

    def _await_turn(self, item: _Waiting) -> None:
        """Queue up; return at once if nobody writes, else when the record is written or it is this thread's turn to write."""
        with self._queue:
            self._waiting.append(item)
            if not self._someone_writes:
                self._someone_writes = True
                return
            item.turn = threading.Event()
        item.turn.wait()

    def _write_waiting(self) -> None:
        """Write what waits in one commit, this thread's own records first among it; then let the next in the queue write."""
        with self._queue:
            count = _fitting(self._waiting)
            group = self._waiting[:count]
            del self._waiting[:count]
        try:
            first = self._commit([record for item in group for record in item.records])
            for item in group:
                item.first, first = first, first + len(item.records)
        except BaseException as fault:
            for item in group:
                item.fault = fault
        with self._queue:
            following = self._waiting[:1]
            self._someone_writes = bool(following)
        for item in group + following:
            if item.turn:
                item.turn.set()

    def _commit(self, records: Sequence[_Encoded]) -> int:
        with self._storage.transaction() as db:
            rows = db.rows("UPDATE head SET next_seq = next_seq + ? RETURNING next_seq", (len(records),))
            first = int(rows[0][0]) - len(records)
            db.run_many("INSERT INTO entry (seq, record) VALUES (?, ?)", [(first + i, record.data) for i, record in enumerate(records)])
            _keep_track(db, first, records)
        return first

    def _seal_some(self) -> bool:
        """Take in what stands; whether to look again. Read and hashed beside the writers, who wait only while the outcome is written.

        Two that seal at once both find the same: whoever is second sees that the tree has grown, and looks again.
        """
        held = self._witness.head()  # before the view, which then holds at least what the witness has seen
        with self._storage.snapshot() as db:
            size = int(db.rows("SELECT size FROM tree")[0][0])
            self._check_head(db, size, held)
            leaves = _unsealed(db, size)
            if not leaves:
                return False
            growth = self._grown(db, size, leaves)
        with self._storage.transaction() as db:
            taken = bool(db.rows("UPDATE tree SET size = ? WHERE size = ? RETURNING size", (growth.size, size)))
            if taken:
                self._keep(db, growth)
        return not taken or len(leaves) == MAX_LEAVES_A_SEAL

    def _check_head(self, db: Transaction, size: int, held: Checkpoint | None) -> None:
        """Before the tree grows it must still be the tree that was signed, and not an older one than the witness has seen."""
        if held and held.size > size:
            raise LogBroken(size, f"the witness has seen {held.size} records, the log's tree holds {size}: an older log was restored")
        notes = db.rows("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
        signed = read_checkpoint(notes[0][0], self._keys.verifier) if notes else None
        root = range_root_from(lambda level, position: _tile(db, level, position))
        if size and (signed is None or signed.size != size or signed.root != root(0, size)):
            raise LogBroken(0, "the stored tree is not the one that was signed; run a full verification")

    def _grown(self, db: Transaction, size: int, leaves: Sequence[bytes]) -> "_Growth":
        def read(level: int, position: int) -> bytes:
            return tiles.get((level, position)) or _tile(db, level, position)

        tiles: dict[tuple[int, int], bytes] = {}
        tiles.update(extend(read, size, leaves))
        return _Growth(size=size + len(leaves), tiles=tiles, root=range_root_from(read)(0, size + len(leaves)))

    def _keep(self, db: Transaction, growth: "_Growth") -> None:
        upsert = "INSERT INTO tile VALUES (?, ?, ?) ON CONFLICT (level, position) DO UPDATE SET hashes = excluded.hashes"
        db.run_many(upsert, [(level, position, hashes) for (level, position), hashes in growth.tiles.items()])
        self._sign(db, growth.size, growth.root)

    def _sign(self, db: Transaction, size: int, root: bytes) -> None:
        text = Checkpoint(origin=self._keys.verifier.name, size=size, root=root).text()
        note = sign(text, self._keys.verifier, self._keys.signing)
        db.run("INSERT INTO checkpoint (size, note) VALUES (?, ?) ON CONFLICT DO NOTHING", (size, note))

    def _sign_empty(self) -> str:
        with self._storage.transaction() as db:
            self._sign(db, 0, range_root_from(self._read_tile)(0, 0))
        return self.newest_note() or ""

    def _check_extends(self, old: Checkpoint, new: Checkpoint) -> None:
        check_consistency(old.size, new.size, old.root, new.root, self.prove_consistency(old.size, new.size))

    def _leaves(self, start: int, end: int) -> list[bytes]:
        return leaves_from(self._read_tile, start, end)

    def _read_tile(self, level: int, position: int) -> bytes:
        rows = self._storage.rows("SELECT hashes FROM tile WHERE level = ? AND position = ?", (level, position))
        return as_bytes(rows[0][0]) if rows else b""


def open_log(url: str, keys: Path, *, witness: Path | None = None, clock: Clock = lambda: datetime.now(UTC)) -> Log:
    """The log at a database URL with the keys in a folder. Keys are made only for a log that is new.

    The witness folder defaults to `witness` beside the keys folder. Raises KeyProblem if the keys are not those of this log.
    """
    storage = open_storage(url)
    known = storage.rows("SELECT verifier FROM identity")
    folder = witness or keys.parent / "witness"
    if not known:
        create_keys(keys)
        _check_new(folder, load_keys(keys))
        known = _introduce(storage, load_keys(keys))
    held = load_keys(keys)
    if str(known[0][0]) != str(held.verifier):
        raise KeyProblem("the keys in this folder are not those of this log: either was replaced")
    storage.belongs_to(str(held.verifier))
    return Log(storage, held, keys, Witness(folder, held.verifier), clock)


def _stored(seq: int, data: object) -> Entry:
    try:
        return Entry(seq=seq, record=decode(as_bytes(data)))
    except RecordRefused as fault:
        raise LogBroken(seq, "the bytes of the record are no record") from fault


def _check_new(witness: Path, keys: LogKeys) -> None:
    """A log that is empty although its witness has seen records was lost, not new."""
    seen = Witness(witness, keys.verifier).head()
    if seen and seen.size:
        raise LogBroken(0, f"the witness has seen {seen.size} records, the log's database holds none: it was lost or replaced")


def _introduce(storage: Storage, keys: LogKeys) -> list[tuple[object, ...]]:
    with storage.transaction() as db:
        db.run("INSERT INTO identity VALUES (1, ?) ON CONFLICT DO NOTHING", (str(keys.verifier),))
    return storage.rows("SELECT verifier FROM identity")


def _fitting(waiting: Sequence[_Waiting]) -> int:
    """How many of those that wait go into one commit: the first in any case."""
    total = 0
    for count, item in enumerate(waiting):
        total += len(item.records)
        if count and total > MAX_RECORDS_A_COMMIT:
            return count
    return len(waiting)


def _keep_track(db: Transaction, first: int, records: Sequence[_Encoded]) -> None:
    """Enter the intents among the records as open, then take off those that they close, which may stand in the same commit."""
    numbered = list(enumerate(records, start=first))
    opened = [(seq, str(record.body.get("holder", ""))) for seq, record in numbered if record.event.opens]
    closed = [(record.body["intent"],) for _, record in numbered if record.event.closes]
    if opened:
        db.run_many("INSERT INTO open_intent (seq, holder) VALUES (?, ?)", opened)
    if closed:
        db.run_many("DELETE FROM open_intent WHERE seq = ?", closed)


def _unsealed(db: Transaction, size: int) -> list[bytes]:
    rows = db.rows("SELECT seq, record FROM entry WHERE seq >= ? ORDER BY seq LIMIT ?", (size, MAX_LEAVES_A_SEAL))
    for expected, (seq, _) in enumerate(rows, start=size):
        if seq != expected:
            raise LogBroken(expected, "a record is missing that had been written")
    return leaf_hashes(as_bytes(record) for _, record in rows)


def _tile(db: Transaction, level: int, position: int) -> bytes:
    rows = db.rows("SELECT hashes FROM tile WHERE level = ? AND position = ?", (level, position))
    return as_bytes(rows[0][0]) if rows else b""
