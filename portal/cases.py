"""Routes of what is read from files: look-ups of a case, and of a data set's record.

Beside the event loop, a few at a time, while look-ups of single residents go on at the desk.
"""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from access.api_keys import authenticate_key
from access.door import Door
from access.inquiries import Asker, ByKey
from access.presence import Presence
from access.record_look_up import RECORD
from access.recording import Answer
from portal.bodies import asks, body_of, origin_of, told
from portal.documents import FAULTS, CaseAnswered, CaseAsked, LookUpAnswered, RecordAsked
from portal.opened import Opened
from portal.people import gate_of

cases = APIRouter(prefix="/v1", tags=["查询 inquiries"])


@cases.post("/case-look-up", responses={**FAULTS, 200: {"model": CaseAnswered}}, openapi_extra=asks(CaseAsked))
async def case_look_up(request: Request) -> Response:
    """办案查询：一个办件所涉各人在各授权数据中的记载，每项授权均须为此办件。The persons of one case under several grants for it."""
    asked = await body_of(request, CaseAsked)
    return await _answered(request, lambda door, actor: door.case_look_up(actor, asked.grants, asked.case_number, asked.persons))


@cases.post("/record-look-up", responses={**FAULTS, 200: {"model": LookUpAnswered}}, openapi_extra=asks(RecordAsked))
async def record_look_up(request: Request) -> Response:
    """记录查询：按主键查询所授权数据集的一条记录。One record of the data set that a grant of mode `lookup` is over."""
    asked = await body_of(request, RecordAsked)
    return await _answered(request, lambda door, actor: door.look_up(actor, asked.grant, RECORD, asked.key, asked.case_number))


async def _answered(request: Request, question: Callable[[Door, str], Answer]) -> Response:
    gate, origin = gate_of(request), origin_of(request)
    asker = await gate.asker(request)

    def answered() -> Answer:
        presence = _present(gate.opened, asker, origin)
        return question(gate.opened.door.before(presence, origin), presence.account.name)

    async with gate.cases:
        return told(await run_in_threadpool(answered))


def _present(opened: Opened, asker: Asker, origin: str) -> Presence:
    """Denied DOOR-KEY for a key that is none, or no longer one."""
    if isinstance(asker, Presence):
        return asker
    assert isinstance(asker, ByKey), "nobody is known over HTTP by name alone"
    with opened.store.session() as session:
        return authenticate_key(session, opened.log, asker.presented, now=opened.clock(), origin=origin)
