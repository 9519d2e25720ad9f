"""The reading room (阅档室): where auditors look into the log. Who may not is turned away, and each look is on record before it is given.

Only an auditor reads, for a stated purpose (law.md A-02, A-07): `read` admits, looks, records `audit:log:read` with what was asked and how
much was found, and gives it. Whoever is refused leaves `audit:log:refused`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from access.accounts import Role
from access.log_faults import log_faults_translated
from access.populations import read_population
from access.readers import Reader, admit
from audit.events import Event
from audit.finding import Finder
from audit.log import Log
from catalog.home import Home
from catalog.lake import Lake
from catalog.store import Store
from oversight.facets import found_by
from rules.errors import IntegrityBroken

T = TypeVar("T")
Clock = Callable[[], datetime]
Facts = Mapping[str, Any]


class ReadingRoom:
    """Opened for one process; its index has caught up with what is sealed. Close it, or use it in a `with`."""

    def __init__(self, store: Store, home: Home, log: Log, clock: Clock) -> None:
        self.store, self.home, self.log, self.clock = store, home, log, clock
        self.lake = Lake(home.lake_root)
        self.finder = Finder(home.finding_path, log, found_by, lambda digest: _members(home.populations, digest))
        with log_faults_translated():
            self.log.seal()
            self.finder.catch_up()

    def __enter__(self) -> "ReadingRoom":
        return self

    def __exit__(self, *_: object) -> None:
        self.finder.__exit__()

    def admit(self, reader: Reader, what: str, role: Role = Role.AUDITOR) -> None:
        """As `access.readers.admit` says."""
        admit(self.store, self.log, reader, what, role)

    def read(self, reader: Reader, what: str, asked: Facts, look: Callable[[], T], told: Callable[[T], Facts]) -> T:
        """What an auditor finds by `look`. `asked` and what `told` says of the find, in counts, stand in the log before it is given."""
        self.admit(reader, what)
        with log_faults_translated():
            found = look()
            body = {"actor": reader.name, "purpose": reader.purpose, "what": what, "asked": asked, "found": told(found)}
            self.log.append_sealed(Event.LOG_READ, body)
        return found


def _members(folder: Path, digest: str) -> np.ndarray | None:
    try:
        numbers = read_population(folder, digest)
    except IntegrityBroken:
        return None
    return np.fromiter(numbers, np.int64, len(numbers))
