"""Backup and restore (备份与恢复) of store and log; both are records. Keys, lake and witness are kept apart from them on purpose.

The store is copied before the log, so that nothing in the copied store lacks its record in the copied log. A log older than what its
witness has seen is a fork: it is restored for inspection, but takes no answers.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from access.log_faults import log_faults_translated
from audit.errors import FolderNotEmpty
from audit.events import Event
from audit.log import Log, open_log
from catalog.home import Home
from rules.errors import NotFound, PlatformFault, Refused

STORE, LOG, DUMP, CHECKPOINT = "store.db", "audit.db", "database.dump", "checkpoint"


@dataclass(frozen=True, kw_only=True)
class BackedUp:
    """What a backup holds: so many records of the log, sealed."""

    records: int
    files: tuple[str, ...]


def back_up(home: Home, log: Log, actor: str, folder: Path) -> BackedUp:
    """Copy store and log to a new folder while the platform goes on. Refused AUD-FOLDER if it is not empty."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log_faults_translated():
        if any(folder.iterdir()):
            raise FolderNotEmpty(f"{folder} is not empty")
        log.append_sealed(Event.LOG_BACKED_UP, {"actor": actor})
        (folder / CHECKPOINT).write_text(log.newest_note() or "", encoding="utf-8")
        records = log.size()
    if home.database_url is None:
        for source, name in ((home.store_path, STORE), (home.audit_path, LOG)):
            _copy(source, folder / name)
    else:
        _run("pg_dump", "--format=custom", f"--file={folder / DUMP}", f"--dbname={_plain(home.database_url)}")
    return BackedUp(records=records, files=tuple(sorted(path.name for path in folder.iterdir())))


def restore(home: Home, actor: str, folder: Path) -> int:
    """Put a backup into a home whose databases are gone; returns how many records the log holds then.

    Refused AUD-RESTORE if there is a database already: nothing is overwritten. IntegrityBroken AUD-BROKEN if the witness has seen more than
    the backup holds: what was recorded since is lost, and the platform answers nothing until the auditors have decided.
    """
    if home.database_url is None:
        _restore_files(home, folder)
    else:
        _restore_dump(home.database_url, folder)
    with log_faults_translated():
        log = open_log(home.audit_url, home.keys)
        try:
            log.seal()
            log.append_sealed(Event.LOG_RESTORED, {"actor": actor})
            return log.size()
        finally:
            log.close()


def _restore_files(home: Home, folder: Path) -> None:
    files = ((folder / STORE, home.store_path), (folder / LOG, home.audit_path))
    if not all(source.is_file() for source, _ in files):
        raise NotFound("AUD-BACKUP", where=str(folder))
    if any(place.exists() for _, place in files):
        raise Refused("AUD-RESTORE", where=str(home.root))
    for source, place in files:
        _copy(source, place)


def _restore_dump(url: str, folder: Path) -> None:
    if not (folder / DUMP).is_file():
        raise NotFound("AUD-BACKUP", where=str(folder))
    _run("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", f"--dbname={_plain(url)}", str(folder / DUMP))


def _copy(source: Path, place: Path) -> None:
    """A whole copy of a SQLite database, also while others write to it; durable."""
    place.touch(mode=0o600)
    with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old, closing(sqlite3.connect(place)) as new:
        old.backup(new)
    with place.open("rb") as file:
        os.fsync(file.fileno())


def _run(program: str, *arguments: str) -> None:
    """A program of PostgreSQL; what it prints may hold the URL and is not passed on."""
    if shutil.which(program) is None:
        raise PlatformFault("AUD-DUMP", where=program)
    done = subprocess.run([program, *arguments], capture_output=True, check=False)
    if done.returncode:
        raise PlatformFault("AUD-DUMP", where=program, what=f"exit code {done.returncode}")


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
