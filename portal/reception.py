"""The reception (接待): hands inquiries of the event loop to the desk's thread and its answers back, a group at a time."""

import asyncio
from collections.abc import Sequence

from access.desk import Posed, Settled
from access.inquiries import Inquiry
from access.line import Line
from access.recording import Answer
from audit.integrator import Integrator
from portal.opened import Opened
from rules.errors import TongchouError


class Reception:
    """One for each running server; made in its event loop."""

    def __init__(self, opened: Opened) -> None:
        self._loop = asyncio.get_running_loop()
        self._integrator = Integrator(opened.log)
        self._line = Line(opened.door.desk(), self._integrator, self._deliver)

    async def ask(self, inquiry: Inquiry) -> Answer:
        """The answer, once its RESULT is in the log; raises what the inquiry failed with."""
        ticket: asyncio.Future[Answer] = self._loop.create_future()
        self._line.put(Posed(inquiry=inquiry, ticket=ticket))
        return await ticket

    def close(self) -> None:
        """Answer what waits, seal, stop."""
        self._line.close()
        self._integrator.close()

    def _deliver(self, settled: Sequence[Settled]) -> None:
        """Called in the desk's thread: one call into the loop for a whole group."""
        self._loop.call_soon_threadsafe(_settle, settled)


def _settle(settled: Sequence[Settled]) -> None:
    for one in settled:
        if one.ticket.done():  # whoever asked has gone
            continue
        if isinstance(one.result, TongchouError):
            one.ticket.set_exception(one.result)
        else:
            one.ticket.set_result(one.result)
