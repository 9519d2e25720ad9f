"""Give the log out: in the layout of C2SP tlog-tiles, with the verifier that needs nothing of the platform; or one record with its proof.

An export holds all hashes of the tree and the records asked for, as they stand in the database: whether they are what was signed is for the
verifier to say. Only what is sealed is given out.
"""

import base64
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from audit.cosigner import Cosigner, request_text
from audit.errors import FolderNotEmpty, ProofInvalid
from audit.keys import VERIFIER_KEY
from audit.log import Log
from audit.merkle import HASH_BYTES, consistency_proof
from audit.notes import read_checkpoint
from audit.offline import verify_log
from audit.records import INSTANT, encode, instant_bytes
from audit.storage import Transaction, as_bytes, first_kept
from audit.tiles import TILE_HEIGHT, TILE_WIDTH, range_root_from

VERIFIER_FILE = "verify_log.py"
CHECKPOINT = "checkpoint"
PROMISE = "export.json"


@dataclass(frozen=True, kw_only=True)
class Exported:
    """How many records the exported tree holds, and which of them were given out: [first, end)."""

    size: int
    first: int
    end: int


def export(log: Log, folder: Path, since: datetime | None = None, before: datetime | None = None) -> Exported:
    """Write the sealed log to a new folder; with the records of a period only, if one is named (all tiles that they lie in).

    Raises FolderNotEmpty; ProofInvalid if nothing was sealed yet.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FolderNotEmpty(f"{folder} is not empty")
    with log.storage.snapshot() as db:
        note = _newest_note(db)
        size = read_checkpoint(note, log.keys.verifier).size
        kept = first_kept(db)
        first, end = _period(db, size, kept, since, before)
        _write_tiles(db, folder, size)
        _write_entries(db, folder, first, end, size)
    (folder / CHECKPOINT).write_text(note, encoding="utf-8")
    promise = {"origin": log.keys.verifier.name, "size": size, "first": first, "end": end, "destroyed": kept}
    (folder / PROMISE).write_text(json.dumps(promise) + "\n", encoding="utf-8")
    (folder / VERIFIER_KEY).write_text(f"{log.keys.verifier}\n", encoding="utf-8")
    shutil.copyfile(verify_log.__file__, folder / VERIFIER_FILE)
    return Exported(size=size, first=first, end=end)


def proof_text(log: Log, seq: int) -> str:
    """One record with its proof (C2SP tlog-proof, the record in the `extra` line). Raises ProofInvalid for a record not sealed yet."""
    proof = log.prove(seq)
    record = encode(log.entry(seq).record)
    path = "".join(f"{_base64(node)}\n" for node in proof.path)
    return f"{verify_log.PROOF_HEAD}\nextra {_base64(record)}\nindex {seq}\n{path}\n{proof.note}"


def cosign_export(cosigner: Cosigner, folder: Path) -> int:
    """Let an auditors' witness sign the head of an exported log, proven from its tiles; returns the size that it signed.

    Raises ProofInvalid if it does not extend the last head that the witness saw: nothing is signed then.
    """
    note, seen = (folder / CHECKPOINT).read_text(encoding="utf-8"), cosigner.seen().size
    size = verify_log.read_head(note, CHECKPOINT).size

    def read(level: int, index: int) -> bytes:
        nodes = size >> (level * TILE_HEIGHT)
        return b"".join(verify_log.read_tile(folder, level, index, min(TILE_WIDTH, nodes - index * TILE_WIDTH)))

    proof = consistency_proof(seen, size, range_root_from(read)) if 0 < seen < size else []
    line = cosigner.add_checkpoint(request_text(seen, proof, note))
    (folder / CHECKPOINT).write_text(note + line, encoding="utf-8")
    return size


def _newest_note(db: Transaction) -> str:
    """The newest checkpoint with all that witnesses put under it."""
    rows = db.rows("SELECT size, note FROM checkpoint ORDER BY size DESC LIMIT 1")
    if not rows:
        raise ProofInvalid("nothing was sealed yet")
    size, note = rows[0]
    return str(note) + "".join(line for (line,) in db.rows("SELECT line FROM cosignature WHERE size = ? ORDER BY name", (size,)))


def _period(db: Transaction, size: int, kept: int, since: datetime | None, before: datetime | None) -> tuple[int, int]:
    """The indices from the first to the last record of a period, widened to whole tiles; none that were destroyed.

    A clock that was set back may put records of other times among them.
    """
    first, end = kept, size
    if since or before:
        bounds = (instant_bytes(since) if since else b"", instant_bytes(before) if before else b"\xff", size)
        low, high = db.rows(f"SELECT min(seq), max(seq) FROM entry WHERE {INSTANT} >= ? AND {INSTANT} < ? AND seq < ?", bounds)[0]
        if low is None:
            return first, first
        first = max(first, int(low) // TILE_WIDTH * TILE_WIDTH)
        end = min(size, (int(high) // TILE_WIDTH + 1) * TILE_WIDTH)
    return first, end


def _write_tiles(db: Transaction, folder: Path, size: int) -> None:
    level = 0
    while nodes := size >> (level * TILE_HEIGHT):
        for index, width in verify_log.widths(nodes):
            rows = db.rows("SELECT hashes FROM tile WHERE level = ? AND position = ?", (level, index))
            _write(verify_log.tile_path(folder, level, index, width), as_bytes(rows[0][0])[: width * HASH_BYTES] if rows else b"")
        level += 1


def _write_entries(db: Transaction, folder: Path, first: int, end: int, size: int) -> None:
    for index in range(first // TILE_WIDTH, -(-end // TILE_WIDTH)):
        start, width = index * TILE_WIDTH, min(TILE_WIDTH, size - index * TILE_WIDTH)
        rows = db.rows("SELECT record FROM entry WHERE seq >= ? AND seq < ? ORDER BY seq", (start, start + width))
        _write(verify_log.tile_path(folder, "entries", index, width), b"".join(_framed(as_bytes(record) for (record,) in rows)))


def _framed(records: Iterator[bytes]) -> Iterator[bytes]:
    """Each with its length before it; a falsified one that is too long for that is cut, and found out."""
    for record in records:
        record = record[: (1 << 8 * verify_log.LENGTH_BYTES) - 1]
        yield len(record).to_bytes(verify_log.LENGTH_BYTES, "big")
        yield record


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
