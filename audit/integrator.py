"""Seal while others write (sequence first, seal after): a thread that extends the tree and signs its head within a second of each record.

A server, a pipeline or a soak holds one for as long as it answers. Two of them on one log, in one process or in two, do no harm.
"""

import threading

from audit.errors import LogError
from audit.log import Log

SEAL_EVERY_S = 0.5


class Integrator:
    """Seals a log from a thread of its own.

    As long as it cannot seal, `check` raises why, so that no further question is taken; it goes on by itself once it can.
    """

    def __init__(self, log: Log, every_s: float = SEAL_EVERY_S) -> None:
        self._log, self._every_s = log, every_s
        self._sealed = -1
        self._fault: LogError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="integrator", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raises LogUnavailable or LogBroken if the last attempt to seal did."""
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        """Seal what was written, then stop."""
        self._stop.set()
        self._thread.join()

    def __enter__(self) -> "Integrator":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _work(self) -> None:
        while not self._stop.wait(self._every_s):
            self._seal()
        self._seal()

    def _seal(self) -> None:
        try:
            if self._log.size() > self._sealed:
                self._sealed = self._log.seal().size
            self._fault = None
        except LogError as fault:
            self._fault = fault
