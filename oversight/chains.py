"""The chain of approval (审批链) of an access: from the request by its moves and the grant to the access, each step a record of the log.

A grant that came of no request is the bureau's own act; a ticket's or a door check's values rest on that case. What should have a record
and has none is a gap, and told as one.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.readers import Reader
from audit.events import Event
from audit.finding import EVENT, INTENT, Wanted
from audit.log import Entry
from catalog.schema import DataGrantRow, RequestMoveRow
from oversight.accesses import Access, opener_of, read_accesses
from oversight.facets import term
from oversight.reading_room import ReadingRoom
from rules.errors import NotFound

STEPS = {
    "request": (Event.REQUEST_DRAFTED, Event.REQUEST_MOVED, Event.REQUEST_REFUSED, Event.IMPACT_RESULT),
    "grant": (Event.GRANT_MADE, Event.GRANT_SUSPENDED, Event.GRANT_RESUMED, Event.GRANT_ENDED, Event.GRANT_REGRADED),
    "ticket": (Event.TICKET_RAISED, Event.TICKET_MOVED),
    "door_check": (Event.DOOR_CHECK_MOVED,),
}
"""What an access can rest on, by the facet that names it, and the events that are steps of it."""


@dataclass(frozen=True, kw_only=True)
class Chain:
    """`steps` oldest first, the access's own records last. `gaps`: what the store tells of and the log does not."""

    steps: tuple[Access, ...]
    gaps: tuple[str, ...]


def chain(room: ReadingRoom, reader: Reader, seq: int, *, proven: bool = False) -> Chain:
    """How the access with a record at `seq` came to be allowed. NotFound OVS-RECORD."""
    return room.read(reader, "chain", {"record": seq}, lambda: _chain(room, seq, proven), lambda found: {"records": len(found.steps)})


def _chain(room: ReadingRoom, seq: int, proven: bool) -> Chain:
    if not 0 <= seq < room.finder.size:
        raise NotFound("OVS-RECORD", where=str(seq))
    entry = room.log.entry(seq)
    rests_on = _rests_on(room, entry)
    steps = {found for facet, number in rests_on.items() for found in _records_of(room, facet, number)}
    own = {seq, *_siblings(room, entry)}
    with room.store.session() as session:
        gaps = tuple(_gaps(session, room, rests_on))
    return Chain(steps=read_accesses(room.log, [*sorted(steps - own), *sorted(own)], proven=proven), gaps=gaps)


def _rests_on(room: ReadingRoom, entry: Entry) -> dict[str, int]:
    """Facet → number of what an access names, and of the request that its grant came of."""
    opener = opener_of(room.log, entry)
    body = {**(opener.record.body if opener else {}), **entry.record.body}
    named = {facet: body[facet] for facet in STEPS if isinstance(body.get(facet), int)}
    if "grant" in named:
        for seq in _records_of(room, "grant", named["grant"]):
            record = room.log.entry(seq).record
            if record.event is Event.GRANT_MADE and isinstance(record.body.get("request"), int):
                named["request"] = record.body["request"]
    return named


def _records_of(room: ReadingRoom, facet: str, number: int) -> list[int]:
    events = {term(EVENT, event) for event in STEPS[facet]}
    return room.finder.all(Wanted(all_of=[{term(facet, number)}, events]))


def _siblings(room: ReadingRoom, entry: Entry) -> list[int]:
    """The other record of the same access."""
    if INTENT in entry.record.body:
        return [int(entry.record.body[INTENT])]
    return room.finder.all(Wanted(all_of=[{term(INTENT, entry.seq)}])) if entry.record.event.opens else []


def _gaps(session: Session, room: ReadingRoom, rests_on: dict[str, int]) -> Iterator[str]:
    number, request = rests_on.get("grant"), rests_on.get("request")
    if number is not None:
        row = session.get(DataGrantRow, number)
        made = [seq for seq in _records_of(room, "grant", number) if room.log.entry(seq).record.event is Event.GRANT_MADE]
        if row is not None and not made:
            yield f"授权 grant {number}: 日志中没有批准记录 no record of its making"
        if row is not None and made and row.request_id != request:
            yield f"授权 grant {number}: 库中的申请与日志不符 the store names another request than the log"
    if request is not None:
        moves = session.scalar(sa.select(sa.func.count(RequestMoveRow.id)).where(RequestMoveRow.request_id == request)) or 0
        if moves and not _records_of(room, "request", request):
            yield f"申请 request {request}: 日志中没有办理记录 no record of its moves"
