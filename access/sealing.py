"""Sealing while answers go out (先编号后封存): a thread extends the tree and signs its head within a second of each record."""

import threading

from access.log_faults import log_faults_translated
from audit.log import Log
from rules.errors import TongchouError

SEAL_EVERY_S = 0.5


class Integrator:
    """Seals a log from a thread of its own. As long as it cannot, `check` raises why, so that no further question is taken."""

    def __init__(self, log: Log, every_s: float = SEAL_EVERY_S) -> None:
        self._log, self._every_s = log, every_s
        self._sealed = -1
        self._fault: TongchouError | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="integrator", daemon=True)
        self._thread.start()

    def check(self) -> None:
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        """Seal what was written, then stop."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.wait(self._every_s):
            self._seal()
        self._seal()

    def _seal(self) -> None:
        try:
            with log_faults_translated():
                if self._log.size() > self._sealed:
                    self._sealed = self._log.seal().size
            self._fault = None
        except TongchouError as fault:
            self._fault = fault
