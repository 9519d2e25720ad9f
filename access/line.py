"""The line (队列) before a desk: many threads put inquiries in, one answers whatever waits as a group."""

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from access.desk import Desk, Due, Posed, Settled
from access.log_faults import log_faults_translated
from audit.integrator import Integrator
from rules.errors import PlatformFault

MOST_WAITING = 2_000
MOST_IN_A_GROUP = 256

Deliver = Callable[[Sequence[Settled]], None]


class Line:
    """Starts its thread when it is made. `deliver` is called in that thread with what is settled, a group at a time."""

    def __init__(self, desk: Desk, integrator: Integrator, deliver: Deliver) -> None:
        self._desk, self._integrator, self._deliver = desk, integrator, deliver
        self._waiting: SimpleQueue[Posed | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="desk", daemon=True)
        self._thread.start()

    def put(self, posed: Posed) -> None:
        """Take an inquiry. PlatformFault DOOR-BUSY if too many wait; AUD-… as long as the log cannot be sealed."""
        with log_faults_translated():
            self._integrator.check()
        if self._waiting.qsize() >= MOST_WAITING:
            raise PlatformFault("DOOR-BUSY")
        self._waiting.put(posed)

    def close(self) -> None:
        """Answer what waits, then stop."""
        self._waiting.put(None)
        self._thread.join()
        self._desk.close()

    def _work(self) -> None:
        due: Sequence[Due] = []
        going_on = True
        while going_on or due:
            posed = self._group(wait=going_on and not due)
            going_on = going_on and None not in posed
            settled, due = self._desk.turn(due, [one for one in posed if one is not None])
            if settled:
                self._deliver(settled)

    def _group(self, *, wait: bool) -> list[Posed | None]:
        """All that wait, up to a limit; the next one, if nobody waits and there is nothing else to do."""
        group = [self._waiting.get()] if wait else []
        try:
            while len(group) < MOST_IN_A_GROUP:
                group.append(self._waiting.get_nowait())
        except Empty:
            pass
        return group
