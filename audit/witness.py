"""The second place of the checkpoints: a folder that an auditor owns, which takes only heads that extend the last one it saw.

It keeps every checkpoint note and every sealed leaf's hash (32 bytes each), so that a log rewritten by someone who holds the
database *and* the signing key is found out, down to the first rewritten record.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from audit.errors import LogUnavailable
from audit.merkle import HASH_BYTES
from audit.notes import Checkpoint, Verifier, read_checkpoint
from audit.tiles import hashes_in

CHECKPOINTS = "checkpoints.txt"
LEAVES = "leaves.bin"
NOTE_END = "\x1e\n"
TAIL_BYTES = 4_096
LEAVES_A_STEP = 65_536

LeavesOf = Callable[[int, int], Sequence[bytes]]


class Witness:
    """One folder. Two processes may deliver at once; a delivery that was cut off is completed by the next."""

    def __init__(self, folder: Path, verifier: Verifier) -> None:
        self._folder, self._verifier = folder, verifier

    def notes(self) -> list[str]:
        """All complete checkpoint notes taken, oldest first."""
        path = self._folder / CHECKPOINTS
        parts = path.read_text(encoding="utf-8").split(NOTE_END) if path.exists() else [""]
        return parts[:-1]

    def checkpoints(self) -> list[Checkpoint]:
        return [read_checkpoint(note, self._verifier) for note in self.notes()]

    def head(self) -> Checkpoint | None:
        """The newest complete checkpoint; read from the end of the file, however long the history."""
        path = self._folder / CHECKPOINTS
        if not path.exists():
            return None
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - TAIL_BYTES))
            complete = file.read().split(NOTE_END.encode())[:-1]
        return read_checkpoint(complete[-1].decode(), self._verifier) if complete else None

    def leaves(self, start: int, end: int) -> list[bytes]:
        """The hashes of leaves [start, end), as many as are held."""
        path = self._folder / LEAVES
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(start * HASH_BYTES)
            return hashes_in(file.read((end - start) * HASH_BYTES))

    def take(self, note: str, leaves_of: LeavesOf, consistent: Callable[[Checkpoint, Checkpoint], None]) -> None:
        """Keep a newer head with its leaves. `consistent` raises ProofInvalid unless the second head extends the first.

        Raises LogUnavailable if the folder takes nothing.
        """
        try:
            self._take(note, leaves_of, consistent)
        except OSError as fault:
            raise LogUnavailable(f"the witness takes no checkpoint ({fault.strerror})") from fault

    def _take(self, note: str, leaves_of: LeavesOf, consistent: Callable[[Checkpoint, Checkpoint], None]) -> None:
        new = read_checkpoint(note, self._verifier)
        with self._locked():
            held = self.head()
            if held:
                consistent(*((held, new) if held.size <= new.size else (new, held)))
            if held and held.size >= new.size:
                return
            self._append_leaves(held.size if held else 0, new.size, leaves_of)
            self._cut_torn_note()
            self._append(CHECKPOINTS, (note + NOTE_END).encode())

    def _cut_torn_note(self) -> None:
        path = self._folder / CHECKPOINTS
        if path.exists():
            size = path.stat().st_size
            with path.open("rb+") as file:
                file.seek(max(0, size - TAIL_BYTES))
                torn = file.read().rpartition(NOTE_END.encode())[2]
                file.truncate(size - len(torn))

    def _append_leaves(self, start: int, end: int, leaves_of: LeavesOf) -> None:
        path = self._folder / LEAVES
        path.touch()
        os.truncate(path, start * HASH_BYTES)
        for begin in range(start, end, LEAVES_A_STEP):
            self._append(LEAVES, b"".join(leaves_of(begin, min(begin + LEAVES_A_STEP, end))))

    def _append(self, name: str, data: bytes) -> None:
        with (self._folder / name).open("ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
