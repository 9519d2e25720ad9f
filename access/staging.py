"""Where answers wait until they are recorded: a folder for each door, held by a lock that the kernel releases when the process dies.

What a killed process leaves is found by the next door: its lock is free, so its open intents are closed as ABORTED and its files removed.
"""

import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from access.log_faults import log_faults_translated
from access.recording import close_intents
from audit.log import Log
from catalog.home import Home
from catalog.lake import sync
from catalog.locks import hold, is_held
from rules.errors import Refused

STAGING = ".staging"
LOCK = "lock"
ELSEWHERE = "elsewhere.txt"
PRIVATE_FILE = 0o600


class Staging:
    """One door's folder under `exports/.staging/`."""

    def __init__(self, exports: Path) -> None:
        self._token = secrets.token_hex(8)
        self._folder = exports / STAGING / self._token
        self._held = ExitStack()
        self._folder.mkdir(parents=True)
        self._held.enter_context(hold(self._folder / LOCK))

    @property
    def holder(self) -> str:
        """Who holds this door's intents open."""
        return f"{socket.gethostname()}/{self._token}"

    @property
    def spill(self) -> Path:
        """Where a query that outgrows its memory puts what it cannot hold."""
        return self._folder / "spill"

    def new_file(self, suffix: str) -> Path:
        """A path for a file of mode 0600 that is not there yet."""
        path = self._folder / f"{secrets.token_hex(8)}{suffix}"
        path.touch(mode=PRIVATE_FILE)
        return path

    def hand_over(self, staged: Path, out: Path) -> None:
        """Put a staged file in its place at once and durably, replacing what was there; across file systems by way of a copy beside it."""
        sync(staged)
        if staged.stat().st_dev != out.parent.stat().st_dev:
            staged = self._copied_beside(staged, out)
        staged.replace(out)
        sync(out.parent)

    def close(self) -> None:
        self._held.close()
        _remove(self._folder)

    def _copied_beside(self, staged: Path, out: Path) -> Path:
        copy = out.with_name(f".{out.name}.{self._token}.part")
        with (self._folder / ELSEWHERE).open("a", encoding="utf-8") as noted:
            noted.write(f"{copy}\n")
            noted.flush()
            os.fsync(noted.fileno())
        copy.touch(mode=PRIVATE_FILE)
        shutil.copyfile(staged, copy)
        sync(copy)
        return copy


def check_writable(out: Path, home: Home) -> None:
    """Refused DOOR-OUT before anything is read, if the answer could not be put there; a missing folder is made.

    It may not go where the platform keeps its own, wherever links and dots lead: or one could write over its keys, database or log.
    """
    if home.keeps(out) or out.resolve().is_relative_to((home.exports / STAGING).resolve()):
        raise Refused("DOOR-OUT", where=out.name)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise Refused("DOOR-OUT", where=str(out.parent), what=fault.strerror or "") from fault
    if out.is_dir() or not os.access(out.parent, os.W_OK):
        raise Refused("DOOR-OUT", where=str(out))


def sweep(exports: Path, log: Log) -> int:
    """Close the intents of dead doors as ABORTED and remove what they had staged; returns how many intents were closed."""
    with hold(exports / f"{STAGING}.lock"), log_faults_translated():
        dead = [intent for intent in log.open_intents() if is_dead(exports, intent.holder)]
        close_intents(log, dead, "process_died")
        for folder in _leftover_folders(exports):
            _remove(folder)
    return len(dead)


def is_dead(exports: Path, holder: str) -> bool:
    """Whether a door of this machine has died; doors on other machines are left to those machines."""
    host, _, token = holder.partition("/")
    return host == socket.gethostname() and not is_held(exports / STAGING / token / LOCK)


def _leftover_folders(exports: Path) -> Iterator[Path]:
    folders = sorted((exports / STAGING).iterdir()) if (exports / STAGING).exists() else []
    return (folder for folder in folders if (folder / LOCK).exists() and not is_held(folder / LOCK))


def _remove(folder: Path) -> None:
    noted = folder / ELSEWHERE
    for line in noted.read_text(encoding="utf-8").splitlines() if noted.exists() else []:
        Path(line).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
