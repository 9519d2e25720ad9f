"""Locks between processes on one machine, held by the kernel (flock): a process that is killed lets go of all it held."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rules.errors import PlatformFault

POLL_S = 0.05


@contextmanager
def hold(path: Path, *, wait_s: float | None = None) -> Iterator[None]:
    """Hold the lock at `path`; wait for it (for ever, or `wait_s` seconds). Raises PlatformFault LAKE-BUSY. Not re-entrant."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _take(handle, wait_s):
            raise PlatformFault("LAKE-BUSY", where=path.stem)
        yield
    finally:
        os.close(handle)


def is_held(path: Path) -> bool:
    """Whether a living process holds the lock at `path`."""
    if not path.exists():
        return False
    handle = os.open(path, os.O_RDWR)
    try:
        return not _try(handle)
    finally:
        os.close(handle)


def _take(handle: int, wait_s: float | None) -> bool:
    if wait_s is None:
        fcntl.flock(handle, fcntl.LOCK_EX)
        return True
    deadline = time.monotonic() + wait_s
    while not _try(handle):
        if time.monotonic() >= deadline:
            return False
        time.sleep(POLL_S)
    return True


def _try(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
