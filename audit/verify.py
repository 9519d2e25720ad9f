"""Verification of the whole log: every record, the tree, every signed head, and what the witness has seen.

Needs the database, the verifier key and, if there is one, the witness folder; no private key. Reads one snapshot of the database in
order and in bounded memory. The verdict names the first index that cannot be trusted.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from audit.errors import LogBroken, LogError, RecordRefused
from audit.events import Event
from audit.log import Log
from audit.merkle import EMPTY_ROOT, leaf_hashes, node_hash, tree_root
from audit.notes import Checkpoint, Verifier, read_checkpoint
from audit.records import decode
from audit.storage import Storage, Transaction, as_bytes, first_kept
from audit.tiles import TILE_HEIGHT, TILE_WIDTH, hashes_in
from audit.witness import Witness

TILES_A_READ = 32
BEFORE_ALL = -(2**62)
DATABASE, WITNESS = "database", "witness"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether the log is what was written; if not, the first bad index and why."""

    ok: bool
    size: int
    sealed: int
    first_bad: int | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """One thing that is wrong, and the lowest index that it puts in doubt."""

    index: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Head:
    """A signed head and who keeps it: `database` or `witness`."""

    size: int
    root: bytes
    keeper: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """Up to one tile of consecutive leaf hashes; `gap` is the reason why they end before the tile does, if that is a fault."""

    start: int
    leaves: tuple[bytes, ...]
    gap: str = ""

    @property
    def end(self) -> int:
        return self.start + len(self.leaves)


def verify(log: Log) -> Verdict:
    """Check the whole log."""
    return verify_stored(log.storage, log.keys.verifier, log.witness)


def verify_stored(storage: Storage, verifier: Verifier, witness: Witness | None = None) -> Verdict:
    """Check the log in `storage` by the verifier key alone, and against the witness where there is one."""
    witnessed = witness.notes() if witness else []  # read before the snapshot: the witness never runs ahead of the database
    tree, sealed = _Tree(), 0
    try:
        with storage.snapshot() as db:
            heads, findings = _heads(db, verifier, witnessed)
            written, sealed = db.rows("SELECT head.next_seq, tree.size FROM head, tree")[0]
            findings += _check_destruction(db) + _walk(db, tree, heads, sealed, witness)
            findings += [] if findings else _compare_ends(tree.size, written, sealed, heads)
            exact = _first_falsified(db, heads, witness) if findings else None
    except LogBroken as damage:
        exact, findings = None, [Finding(index=tree.size, reason=damage.reason)]
    if not findings:
        return Verdict(ok=True, size=tree.size, sealed=sealed)
    first = exact or min(findings)
    return Verdict(ok=False, size=tree.size, sealed=sealed, first_bad=first.index, reason=first.reason)


def _first_falsified(db: Transaction, heads: Sequence[Head], witness: Witness | None) -> Finding | None:
    """The first record that differs from what was sealed, exactly, where leaf hashes were kept that a trusted head proves.

    The walk knows where something is wrong only down to the nearest head; here the kept leaves, once proven, are compared one by one.
    """
    trusted = _trusted(heads)
    end = max((head.size for head in trusted), default=0)
    kept = [_all_stored_leaves(db, end), witness.leaves(0, end) if witness else []]
    proven = max((leaves[: _proven(leaves, trusted)] for leaves in kept), key=len)
    present = [leaf for group in _groups(db) for leaf in group.leaves]
    for index, leaf in enumerate(proven):
        if index == len(present):
            return Finding(index=index, reason=f"records were removed from the end: {len(proven)} had been sealed")
        if present[index] != leaf:
            return Finding(index=index, reason="the record is not the one that was sealed")
    return None


def _trusted(heads: Sequence[Head]) -> list[Head]:
    """The witness's heads, and the database's beyond them: whoever holds the signing key can sign false heads, but not for the witness."""
    witnessed = max((head.size for head in heads if head.keeper == WITNESS), default=0)
    return [head for head in heads if head.keeper == WITNESS or head.size > witnessed]


def _proven(leaves: Sequence[bytes], heads: Sequence[Head]) -> int:
    """How many of these leaves a head proves: its whole tree has the root over them."""
    tree, proven = _Tree(), 0
    for head in heads:
        if head.size > len(leaves):
            break
        for leaf in leaves[tree.size : head.size]:
            tree.push(leaf)
        proven = head.size if tree.root() == head.root else proven
    return proven


def _all_stored_leaves(db: Transaction, end: int) -> list[bytes]:
    tiles = db.rows("SELECT hashes FROM tile WHERE level = 0 ORDER BY position")
    return hashes_in(b"".join(as_bytes(hashes) for (hashes,) in tiles))[:end]


class _Tree:
    """The tree over what was pushed so far, as its perfect subtrees from left to right (at most log₂ n hashes)."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[tuple[int, bytes]] = []

    def push(self, node: bytes, height: int = 0) -> None:
        self.size += 1 << height
        while self._peaks and self._peaks[-1][0] == height:
            node, height = node_hash(self._peaks.pop()[1], node), height + 1
        self._peaks.append((height, node))

    def root(self) -> bytes:
        nodes = [node for _, node in self._peaks]
        root = nodes.pop() if nodes else EMPTY_ROOT
        while nodes:
            root = node_hash(nodes.pop(), root)
        return root


def _heads(db: Transaction, verifier: Verifier, witnessed: Sequence[str]) -> tuple[list[Head], list[Finding]]:
    """All heads, smallest first, and the notes that this log's key did not sign (in doubt: everything after the last good head)."""
    heads: list[Head] = []
    findings: list[Finding] = []
    stored = [note for (note,) in db.rows("SELECT note FROM checkpoint ORDER BY size")]
    for keeper, notes in ((DATABASE, stored), (WITNESS, witnessed)):
        good = 0
        for note in notes:
            checkpoint = _opened(note, verifier)
            if checkpoint is None:
                findings.append(Finding(index=good, reason=f"a checkpoint held by the {keeper} is not signed by the key of this log"))
            else:
                good = checkpoint.size
                heads.append(Head(size=good, root=checkpoint.root, keeper=keeper))
    return sorted(heads, key=lambda head: head.size), findings


def _opened(note: str, verifier: Verifier) -> Checkpoint | None:
    try:
        return read_checkpoint(note, verifier)
    except LogError:
        return None


def _walk(db: Transaction, tree: _Tree, heads: Sequence[Head], sealed: int, witness: Witness | None) -> list[Finding]:
    """Read the records tile by tile until something is wrong, growing the tree and comparing it with all that was kept of it."""
    waiting = _Waiting(heads)
    findings = waiting.compare(tree)
    for group in _groups(db):
        findings += _compare_leaves(group, _stored_leaves(db, group), min(sealed, group.end), "sealed")
        if witness:
            findings += _compare_leaves(group, witness.leaves(group.start, group.end), group.end, "seen by the witness")
        findings += _grow(tree, group, waiting)
        if group.gap:
            findings.append(Finding(index=group.end, reason=group.gap))
        if not findings and len(group.leaves) == TILE_WIDTH:
            findings += _compare_tile_root(db, group, sealed)
        if findings:
            return findings
    return findings


class _Waiting:
    """The heads that the growing tree has not reached yet."""

    def __init__(self, heads: Sequence[Head]) -> None:
        self._heads = list(reversed(heads))
        self._last_good = 0

    def within(self, end: int) -> bool:
        return bool(self._heads) and self._heads[-1].size <= end

    def compare(self, tree: _Tree) -> list[Finding]:
        """Compare and drop the heads of the tree's present size."""
        findings = []
        while self._heads and self._heads[-1].size == tree.size:
            head = self._heads.pop()
            if head.root != tree.root():
                reason = f"the records {self._last_good}–{head.size - 1} are not those of the head of {head.size} held by the {head.keeper}"
                findings.append(Finding(index=self._last_good, reason=reason))
        if not findings:
            self._last_good = tree.size
        return findings


def _grow(tree: _Tree, group: Group, waiting: _Waiting) -> list[Finding]:
    if len(group.leaves) == TILE_WIDTH and not waiting.within(group.end):
        tree.push(tree_root(group.leaves), TILE_HEIGHT)
        return []
    findings = []
    for leaf in group.leaves:
        tree.push(leaf)
        if waiting.within(tree.size):
            findings += waiting.compare(tree)
    return findings


def _groups(db: Transaction) -> Iterator[Group]:
    """The leaf hashes of all records, a tile at a time; ends at the first index that is not the next one.

    Of records that were destroyed after their years the tree's own: the signed heads show that they are those of the records.
    """
    expected = first_kept(db)
    for position in range(expected // TILE_WIDTH):
        yield Group(start=position * TILE_WIDTH, leaves=tuple(hashes_in(_tile(db, 0, position))))
    for rows in _in_tiles(_records(db)):
        fit = next((i for i, (seq, _) in enumerate(rows) if seq != expected + i), len(rows))
        gap = "" if fit == len(rows) else ("a record is missing" if rows[fit][0] > expected + fit else "a record stands out of order")
        yield Group(start=expected, leaves=tuple(leaf_hashes(as_bytes(record) for _, record in rows[:fit])), gap=gap)
        if gap:
            return
        expected += fit


def _check_destruction(db: Transaction) -> list[Finding]:
    """That records were destroyed is itself a record of the log."""
    first, told_by = db.rows("SELECT first, told_by FROM kept")[0]
    rows = db.rows("SELECT record FROM entry WHERE seq = ?", (told_by,)) if first else []
    try:
        told = [decode(as_bytes(record)) for (record,) in rows]
    except RecordRefused:
        told = []
    if first and not any(record.event is Event.LOG_DESTROYED and record.body["end"] == first for record in told):
        return [Finding(index=0, reason=f"no record tells that the records before {first} were destroyed")]
    return []


def _records(db: Transaction) -> Iterator[list[tuple[int, bytes]]]:
    last = BEFORE_ALL
    while rows := db.rows("SELECT seq, record FROM entry WHERE seq > ? ORDER BY seq LIMIT ?", (last, TILES_A_READ * TILE_WIDTH)):
        yield [(int(seq), record) for seq, record in rows]
        last = rows[-1][0]


def _in_tiles(reads: Iterable[list[tuple[int, bytes]]]) -> Iterator[list[tuple[int, bytes]]]:
    for rows in reads:
        for begin in range(0, len(rows), TILE_WIDTH):
            yield rows[begin : begin + TILE_WIDTH]


def _stored_leaves(db: Transaction, group: Group) -> list[bytes]:
    return hashes_in(_tile(db, 0, group.start // TILE_WIDTH))


def _compare_leaves(group: Group, kept: Sequence[bytes], end: int, how: str) -> list[Finding]:
    """Where the records first differ from the leaf hashes that were kept of [group.start, end)."""
    promised = group.leaves[: max(0, end - group.start)]
    if promised == tuple(kept[: len(promised)]):
        return []
    for offset, leaf in enumerate(promised):
        if offset >= len(kept):
            return (
                [Finding(index=group.start + offset, reason=f"the leaf of this record is missing from those {how}")]
                if how == "sealed"
                else []
            )
        if kept[offset] != leaf:
            return [Finding(index=group.start + offset, reason=f"the record is not the one that was {how}")]
    return []


def _compare_tile_root(db: Transaction, group: Group, sealed: int) -> list[Finding]:
    """The stored tile above must hold the root of this one; higher tiles are checked by the heads' own proofs."""
    position, offset = divmod(group.start // TILE_WIDTH, TILE_WIDTH)
    kept = hashes_in(_tile(db, 1, position))[offset : offset + 1]
    if group.end <= sealed and kept != [tree_root(group.leaves)]:
        return [Finding(index=group.start, reason="the stored tree above these records was changed")]
    return []


def _compare_ends(size: int, written: int, sealed: int, heads: Sequence[Head]) -> list[Finding]:
    """The log must end where its counters and its heads say."""
    highest = {keeper: max((head.size for head in heads if head.keeper == keeper), default=0) for keeper in (DATABASE, WITNESS)}
    promised = max(written, sealed, *highest.values())
    if size < promised:
        return [Finding(index=size, reason=f"records were removed from the end: {promised} had been written")]
    if size > written:
        return [Finding(index=written, reason="records were added past the end")]
    if sealed != highest[DATABASE]:
        return [Finding(index=min(sealed, highest[DATABASE]), reason="the newest checkpoint is not that of the stored tree")]
    return []


def _tile(db: Transaction, level: int, position: int) -> bytes:
    rows = db.rows("SELECT hashes FROM tile WHERE level = ? AND position = ?", (level, position))
    return as_bytes(rows[0][0]) if rows else b""
