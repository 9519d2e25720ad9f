"""The route of case look-ups: read from files beside the event loop, a few at a time, while single look-ups go on at the desk."""

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from access.api_keys import authenticate_key
from access.inquiries import Asker, ByKey
from access.presence import Presence
from access.recording import Answer
from portal.bodies import asks, body_of, origin_of, told
from portal.documents import FAULTS, CaseAnswered, CaseAsked
from portal.opened import Opened
from portal.people import gate_of

cases = APIRouter(prefix="/v1", tags=["查询 inquiries"])


@cases.post("/case-look-up", responses={**FAULTS, 200: {"model": CaseAnswered}}, openapi_extra=asks(CaseAsked))
async def case_look_up(request: Request) -> Response:
    """办案查询：一个办件所涉各人在各授权数据中的记载，每项授权均须为此办件。The persons of one case under several grants for it."""
    asked = await body_of(request, CaseAsked)
    gate, origin = gate_of(request), origin_of(request)
    asker = await gate.asker(request)
    async with gate.cases:
        return told(await run_in_threadpool(_answered, gate.opened, asker, asked, origin))


def _answered(opened: Opened, asker: Asker, asked: CaseAsked, origin: str) -> Answer:
    presence = _present(opened, asker, origin)
    door = opened.door.before(presence, origin)
    return door.case_look_up(presence.account.name, asked.grants, asked.case_number, asked.persons)


def _present(opened: Opened, asker: Asker, origin: str) -> Presence:
    """Denied DOOR-KEY for a key that is none, or no longer one."""
    if isinstance(asker, Presence):
        return asker
    assert isinstance(asker, ByKey), "nobody is known over HTTP by name alone"
    with opened.store.session() as session:
        return authenticate_key(session, opened.log, asker.presented, now=opened.clock(), origin=origin)
