"""Seal while others write (sequence first, seal after): a thread that extends the tree and signs its head within a second of each record.

A server, a pipeline or a soak holds one for as long as it answers. Two of them on one log, in one process or in two, do no harm.
"""

import threading
from collections.abc import Callable

from audit.courier import deliver
from audit.errors import LogBroken, LogError
from audit.log import Log

SEAL_EVERY_S = 0.2
"""Often, for it holds the interpreter's lock: 5 ms for 500 records, where 2,000 held every answer up for 11."""


class Integrator:
    """Seals a log from a thread of its own, and brings its checkpoints to the targets from another.

    As long as it cannot seal, `check` raises why, so that no further question is taken; it goes on by itself once it can. A target
    that takes nothing stops nobody; one that has seen another log does.
    """

    def __init__(self, log: Log, every_s: float = SEAL_EVERY_S) -> None:
        self._log, self._every_s = log, every_s
        self._sealed = self._delivered = -1
        self._fault: LogError | None = None
        self._fork: LogBroken | None = None
        self._stop = threading.Event()
        work = (("integrator", self._seal), ("courier", self._deliver))
        self._threads = [threading.Thread(target=self._repeat, args=(act,), name=name, daemon=True) for name, act in work]
        for thread in self._threads:
            thread.start()

    def check(self) -> None:
        """Raises LogUnavailable or LogBroken if the last attempt to seal did."""
        for fault in (self._fault, self._fork):
            if fault is not None:
                raise fault

    def close(self) -> None:
        """Seal what was written, then stop."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._seal()
        self._deliver()

    def __enter__(self) -> "Integrator":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _repeat(self, act: Callable[[], None]) -> None:
        while not self._stop.wait(self._every_s):
            act()

    def _seal(self) -> None:
        try:
            if self._log.size() > self._sealed:
                self._sealed = self._log.seal().size
            self._fault = None
        except LogError as fault:
            self._fault = fault

    def _deliver(self) -> None:
        sealed = self._sealed
        if sealed > self._delivered:
            faults = [one.fault for one in deliver(self._log, self._log.targets) if one.fault is not None]
            self._fork = next((fault for fault in faults if isinstance(fault, LogBroken)), None)
            if not faults:
                self._delivered = sealed
