"""The impact of a request (影响), looked at by whoever decides, through the door, and kept in its history (law.md L-24)."""

from access.door import Door
from access.impact import Impact
from audit.events import Event
from audit.log import Log
from casework.attempts import Act, recorded_attempt
from casework.requests.acting import add_history, locked
from casework.requests.request import load_request
from catalog.store import Store


def look_at_impact(store: Store, log: Log, door: Door, *, number: int, act: Act) -> Impact:
    """Residents, columns by level, smallest group, overlap with what the requester has. Denied DOOR-DENIED for anybody else's request."""
    with recorded_attempt(log, Event.REQUEST_REFUSED, actor=act.by, move="impact", request=number):
        with store.session() as session:
            request = load_request(session, number)
        answer = door.impact(act.by, request.terms.as_grant(request.requester, request=number), request.provider)
    impact = answer.value
    assert isinstance(impact, Impact)
    seen = {
        "audit_seq": answer.seq,
        "residents": impact.residents,
        "rows": impact.rows,
        "smallest_group": impact.groups.smallest,
        "rows_in_small_groups": impact.groups.rows_in_small,
        "earlier_grants": [overlap.grant for overlap in impact.overlaps],
    }
    with store.session() as session, session.begin():
        row = locked(session, number)
        add_history(session, row, "impact", row.state, act.by, act.now, seen)
    return impact
