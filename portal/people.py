"""Routes of people: signing in and out, the second proof, choosing a password. Argon2 runs beside the event loop, a few at a time."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from access.api_keys import digest_of_key
from access.inquiries import Asker, ByKey
from access.passwords import choose_password
from access.presence import Presence
from access.rate_limits import ACCOUNT_RATE, KEY_RATE, SIGN_IN_RATE, RateLimits
from access.sessions import TOKEN_PREFIX, authenticate_session, prove_again, sign_in, sign_out
from portal.bodies import asks, body_of, origin_of, presented_by
from portal.documents import FAULTS, PasswordChosen, ProofAsked, ProofTold, SessionOpened, SignInAsked
from portal.opened import Opened
from rules.errors import Denied

HASHES_AT_ONCE = 2
"""Each takes 64 MiB and all lanes of a processor for a moment."""

CASES_AT_ONCE = 2
"""Each may take the memory of an extract."""

Given = TypeVar("Given")

people = APIRouter(prefix="/v1", tags=["人员 people"])


class Gate:
    """What the routes of one server share: who calls how often, and how many passwords and cases are looked at at once."""

    def __init__(self, opened: Opened, hasher: PasswordHasher) -> None:
        self.opened, self.hasher = opened, hasher
        self._limits, self._hashing = RateLimits(), asyncio.Semaphore(HASHES_AT_ONCE)
        self.cases = asyncio.Semaphore(CASES_AT_ONCE)

    async def asker(self, request: Request) -> Asker:
        """Who asks: a system by its key, a person by his session. Denied DOOR-TOO-FAST beyond the rate of either."""
        presented, now = presented_by(request), self.opened.clock()
        if not presented.startswith(TOKEN_PREFIX):
            self._limits.admit("key", digest_of_key(presented), KEY_RATE, now)
            return ByKey(presented=presented)
        return await self.person(request)

    async def person(self, request: Request) -> Presence:
        """The person whose session it is. Denied DOOR-SESSION for anything else, a key as well."""
        presented, now = presented_by(request), self.opened.clock()
        if not presented.startswith(TOKEN_PREFIX):
            raise Denied("DOOR-SESSION")
        presence = await run_in_threadpool(authenticate_session, self.opened.store, presented, now=now)
        self._limits.admit("account", presence.account.name, ACCOUNT_RATE, now)
        return presence

    async def hashing(self, request: Request, work: Callable[[], Given]) -> Given:
        """Do what looks at a password. Denied DOOR-TOO-FAST where one address does that too often."""
        self._limits.admit("address", origin_of(request), SIGN_IN_RATE, self.opened.clock())
        async with self._hashing:
            return await run_in_threadpool(work)


def gate_of(request: Request) -> Gate:
    gate: Gate = request.app.state.gate
    return gate


@people.post("/session", responses={**FAULTS, 200: {"model": SessionOpened}}, openapi_extra=asks(SignInAsked, signed_in=False))
async def open_session(request: Request) -> Response:
    """登录。Sign in; the token that is told stands for the person from then on."""
    asked, gate = await body_of(request, SignInAsked), gate_of(request)
    here, origin = gate.opened, origin_of(request)
    opened = await gate.hashing(
        request,
        lambda: sign_in(
            here.store, here.log, account=asked.account, password=asked.password, now=here.clock(), origin=origin, hasher=gate.hasher
        ),
    )
    return _told(SessionOpened(token=opened.token, expires_at=opened.expires_at))


@people.post("/session/proof", responses={**FAULTS, 200: {"model": ProofTold}}, openapi_extra=asks(ProofAsked))
async def prove(request: Request) -> Response:
    """再次验证身份。The second proof, which plaintext of level L3 and above needs."""
    asked, gate = await body_of(request, ProofAsked), gate_of(request)
    here, origin, presence = gate.opened, origin_of(request), await gate.person(request)
    until = await gate.hashing(
        request,
        lambda: prove_again(
            here.store, here.log, presence=presence, password=asked.password, now=here.clock(), origin=origin, hasher=gate.hasher
        ),
    )
    return _told(ProofTold(until=until))


@people.post("/session/end", status_code=204, responses=FAULTS, openapi_extra={"security": [{"key": []}]})
async def end_session(request: Request) -> Response:
    """退出。Sign out."""
    gate = gate_of(request)
    presence = await gate.person(request)
    await run_in_threadpool(sign_out, gate.opened.store, gate.opened.log, presence=presence, now=gate.opened.clock())
    return Response(status_code=204)


@people.post("/password", status_code=204, responses=FAULTS, openapi_extra=asks(PasswordChosen, signed_in=False))
async def choose(request: Request) -> Response:
    """设置本人口令。Choose one's own password; all sessions of the account end."""
    asked, gate = await body_of(request, PasswordChosen), gate_of(request)
    here, origin = gate.opened, origin_of(request)
    await gate.hashing(
        request,
        lambda: choose_password(
            here.store, here.log, account=asked.account, old=asked.old, new=asked.new, now=here.clock(), origin=origin, hasher=gate.hasher
        ),
    )
    return Response(status_code=204)


def _told(document: BaseModel) -> Response:
    return Response(document.model_dump_json().encode(), 200, {"Cache-Control": "no-store"}, "application/json")
