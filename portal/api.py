"""The JSON interface: `create_app`. Every route is a POST, so that no number of a person stands in a URL, which others write down.

The routes read their bodies themselves: what FastAPI would do for each call costs more than the call. Its OpenAPI description is made from
the same documents that the bodies are checked with. Inquiries, which come by the thousand in a second, are called without its layers.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from argon2 import PasswordHasher
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from access.inquiries import Inquiry, Kinship, LookUp, Matter, named, person, verification
from access.passwords import HASHER
from catalog.home import Home
from portal.bodies import asks, body_of, origin_of, told
from portal.cases import cases
from portal.documents import (
    FAULTS,
    CaseAsked,
    KinshipAsked,
    LookUpAnswered,
    LookUpAsked,
    PasswordChosen,
    ProofAsked,
    RecordAsked,
    SignInAsked,
    VerdictAnswered,
    VerificationAsked,
)
from portal.faults import told_as_document
from portal.opened import Clock, left_out_of_collections, opened
from portal.people import Gate, gate_of, people
from portal.reception import Reception
from rules.errors import TongchouError

TITLE = "统筹数据共享接口 Tongchou data sharing interface"
VERSION = "1"

Endpoint = Callable[[Request], Awaitable[Response]]

inquiries = APIRouter(prefix="/v1", tags=["查询 inquiries"])


class Interface(FastAPI):
    """The routes, of which `directly` names by their paths those that are called as they are: no middleware, no search for a route.

    They must be POST, without dependencies or parameters in the path, and give a `Response`.
    """

    directly: Mapping[str, Endpoint] = {}

    def openapi(self) -> dict[str, Any]:
        """Made when it is first asked for, like FastAPI's, with the documents that are asked for and the key."""
        return self.openapi_schema or _completed(super().openapi())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        endpoint = self.directly.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if endpoint is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        request = Request(scope, receive)
        try:
            response = await endpoint(request)
        except TongchouError as fault:
            response = await told_as_document(request, fault)
        except Exception as fault:
            await (await told_as_document(request, fault))(scope, receive, send)
            raise
        await response(scope, receive, send)


def create_app(home: Home, clock: Clock, hasher: PasswordHasher = HASHER) -> FastAPI:
    """The interface of one home. Importing this opens nothing; the home is opened when the server starts and closed when it stops."""

    @asynccontextmanager
    async def open_home(app: FastAPI) -> AsyncIterator[None]:
        with opened(home, clock) as platform:
            app.state.reception, app.state.gate = Reception(platform), Gate(platform, hasher)
            try:
                with left_out_of_collections():
                    yield
            finally:
                app.state.reception.close()

    app = Interface(title=TITLE, version=VERSION, lifespan=open_home)
    app.include_router(inquiries)
    app.directly = {route.path: route.endpoint for route in inquiries.routes if isinstance(route, APIRoute)}
    app.include_router(cases)
    app.include_router(people)
    app.add_exception_handler(TongchouError, told_as_document)
    app.add_exception_handler(Exception, told_as_document)
    return app


@inquiries.post("/look-up", responses={**FAULTS, 200: {"model": LookUpAnswered}}, openapi_extra=asks(LookUpAsked))
async def look_up(request: Request) -> Response:
    """信息查询：按证件号、证件或居民标识查询一名居民的授权数据项。Look up one resident under a grant of mode `lookup`."""
    asked = await body_of(request, LookUpAsked)
    return await _answered(request, asked.grant, LookUp(person=person(asked.by, asked.value)), asked.case_number)


@inquiries.post("/verify", responses={**FAULTS, 200: {"model": VerdictAnswered}}, openapi_extra=asks(VerificationAsked))
async def verify(request: Request) -> Response:
    """数据核验：只答一致、不一致或无法判断。Verify values under a grant of mode `verify`."""
    asked = await body_of(request, VerificationAsked)
    return await _answered(request, asked.grant, verification(asked.by, asked.value, asked.attributes), asked.case_number)


@inquiries.post("/kinship", responses={**FAULTS, 200: {"model": VerdictAnswered}}, openapi_extra=asks(KinshipAsked))
async def kinship(request: Request) -> Response:
    """亲属关系核验（我妈是我妈）。Is the one the parent of the other, under a grant of mode `verify`."""
    asked = await body_of(request, KinshipAsked)
    parent, child = (named(one.by, one.value, one.name) for one in (asked.parent, asked.child))
    return await _answered(request, asked.grant, Kinship(parent=parent, child=child), asked.case_number)


async def _answered(request: Request, grant: int, matter: Matter, case_number: str) -> Response:
    asker = await gate_of(request).asker(request)
    inquiry = Inquiry(asker=asker, grant=grant, matter=matter, case_number=case_number, origin=origin_of(request))
    reception: Reception = request.app.state.reception
    return told(await reception.ask(inquiry))


ASKED = (LookUpAsked, VerificationAsked, KinshipAsked, RecordAsked, CaseAsked, SignInAsked, ProofAsked, PasswordChosen)
DOCUMENTS: Mapping[str, type[BaseModel]] = {document.__name__: document for document in ASKED}


def _completed(schema: dict[str, Any]) -> dict[str, Any]:
    schemas = schema["components"]["schemas"]
    for name, document in DOCUMENTS.items():
        described = document.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(described.pop("$defs", {}))
        schemas[name] = described
    schema["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "接口密钥或会话令牌 API key or session token"}
    }
    return schema
