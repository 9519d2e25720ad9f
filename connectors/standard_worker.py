"""Processes of their own that standardise the row groups of a big data set; `python -m connectors.standard_worker` is one of them.

They talk in frames over their standard input and output. A worker ends when its input does: it cannot outlive a parent that was killed.
"""

import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from connectors.raw import QUARANTINE
from connectors.standard_batch import FAULTS, Recipe, StandardBatch, Stretch, standardise_stretch

WORKERS = 2
AHEAD = 2
"""Row groups given to a worker before its first answer is read: it never waits for the parent, and no more wait in memory."""

_LENGTH = struct.Struct("<Q")


def standardise_beside(raw: Path, recipe: Recipe, stretches: Sequence[Stretch]) -> Iterator[StandardBatch]:
    """The stretches standardised, in their order. One that a worker could not do is done here, so that its fault is raised here."""
    workers = [_start(raw, recipe, stretches) for _ in range(WORKERS)]
    ahead = WORKERS * AHEAD
    try:
        for place in range(min(ahead, len(stretches))):
            _give(workers[place % WORKERS], place)
        for place, stretch in enumerate(stretches):
            done = _take(workers[place % WORKERS], recipe)
            if place + ahead < len(stretches):
                _give(workers[place % WORKERS], place + ahead)
            yield done if done is not None else _do_here(raw, stretch, recipe)
    finally:
        for worker in workers:
            _stop(worker)


def work(inbox: IO[bytes], outbox: IO[bytes]) -> None:
    """A worker's life: the raw file, the recipe and all stretches, then the place of one after another until the input ends."""
    raw, recipe, stretches = pickle.loads(_read_frame(inbox) or b"")
    with pq.ParquetFile(raw) as file:
        while (frame := _read_frame(inbox)) is not None:
            try:
                done = standardise_stretch(file, stretches[_LENGTH.unpack(frame)[0]], recipe)
            except Exception:  # the parent does it again and sees the fault; its text may hold values and goes nowhere
                _write_frame(outbox, b"")
            else:
                _write_frame(outbox, _packed(done))


def _start(raw: Path, recipe: Recipe, stretches: Sequence[Stretch]) -> subprocess.Popen[bytes]:
    worker = subprocess.Popen(
        [sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]
    )
    assert worker.stdin is not None
    with suppress(BrokenPipeError):  # it died; all is done here
        _write_frame(worker.stdin, pickle.dumps((raw.absolute(), recipe, stretches)))
    return worker


def _give(worker: subprocess.Popen[bytes], place: int) -> None:
    """Only a place: a task must always fit into the pipe, for the worker may be busy writing and not read."""
    assert worker.stdin is not None
    with suppress(BrokenPipeError):  # it died; its stretches are done here
        _write_frame(worker.stdin, _LENGTH.pack(place))


def _take(worker: subprocess.Popen[bytes], recipe: Recipe) -> StandardBatch | None:
    assert worker.stdout is not None
    frame = _read_frame(worker.stdout)
    return _unpacked(frame, recipe) if frame else None


def _do_here(raw: Path, stretch: Stretch, recipe: Recipe) -> StandardBatch:
    with pq.ParquetFile(raw) as file:
        return standardise_stretch(file, stretch, recipe)


def _stop(worker: subprocess.Popen[bytes]) -> None:
    assert worker.stdin is not None and worker.stdout is not None
    worker.kill()
    worker.wait()
    for pipe in (worker.stdin, worker.stdout):
        with suppress(BrokenPipeError):
            pipe.close()


def _packed(done: StandardBatch) -> bytes:
    parts = [batch.serialize().to_pybytes() for batch in (done.rows, done.faults, done.aside)]
    return b"".join(_LENGTH.pack(len(part)) + part for part in parts)


def _unpacked(frame: bytes, recipe: Recipe) -> StandardBatch:
    parts, position = [], 0
    for schema in (recipe.schema, FAULTS, QUARANTINE):
        (length,) = _LENGTH.unpack_from(frame, position)
        position += _LENGTH.size
        parts.append(pa.ipc.read_record_batch(pa.py_buffer(frame[position : position + length]), schema))
        position += length
    return StandardBatch(rows=parts[0], faults=parts[1], aside=parts[2])


def _write_frame(pipe: IO[bytes], frame: bytes) -> None:
    pipe.write(_LENGTH.pack(len(frame)))
    pipe.write(frame)
    pipe.flush()


def _read_frame(pipe: IO[bytes]) -> bytes | None:
    """The next frame; None at the end of the pipe, even in the middle of a frame."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    frame = pipe.read(length)
    return frame if len(frame) == length else None


if __name__ == "__main__":
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not stand among the frames
    work(sys.stdin.buffer, answers)
