"""The JSON interface: `create_app`. Every route is a POST, so that no number of a person stands in a URL, which others write down.

The routes read their bodies themselves: what FastAPI would do for each call costs more than the call. Its OpenAPI description is made from
the same documents that the bodies are checked with.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import BaseModel, ValidationError

from access.inquiries import ByKey, Inquiry, LookUp, Matter, Told, person
from access.recording import Answer
from catalog.home import Home
from portal.documents import FAULTS, LookUpAnswered, LookUpAsked
from portal.faults import malformed, told_as_document
from portal.opened import Clock, opened
from portal.reception import Reception
from rules.errors import Denied, Refused, TongchouError

TITLE = "统筹数据共享接口 Tongchou data sharing interface"
VERSION = "1"
MAX_BODY_BYTES = 16_384
BEARER = "bearer "
NO_STORE = {"Cache-Control": "no-store"}

Document = TypeVar("Document", bound=BaseModel)

inquiries = APIRouter(prefix="/v1", tags=["查询 inquiries"])


def create_app(home: Home, clock: Clock) -> FastAPI:
    """The interface of one home. Importing this opens nothing; the home is opened when the server starts and closed when it stops."""

    @asynccontextmanager
    async def open_home(app: FastAPI) -> AsyncIterator[None]:
        with opened(home, clock) as platform:
            app.state.reception = Reception(platform)
            try:
                yield
            finally:
                app.state.reception.close()

    app = FastAPI(title=TITLE, version=VERSION, lifespan=open_home)
    app.include_router(inquiries)
    app.add_exception_handler(TongchouError, told_as_document)
    app.add_exception_handler(Exception, told_as_document)
    app.openapi_schema = _described(app)
    return app


def _asks(document: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI says of a route's body and key."""
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{document.__name__}"}}}}
    return {"requestBody": body, "security": [{"key": []}]}


@inquiries.post("/look-up", responses={**FAULTS, 200: {"model": LookUpAnswered}}, openapi_extra=_asks(LookUpAsked))
async def look_up(request: Request) -> Response:
    """信息查询：按证件号、证件或居民标识查询一名居民的授权数据项。Look up one resident under a grant of mode `lookup`."""
    asked = await _body(request, LookUpAsked)
    return await _answered(request, asked.grant, LookUp(person=person(asked.by, asked.value)), asked.case_number)


async def _answered(request: Request, grant: int, matter: Matter, case_number: str) -> Response:
    origin = f"http {request.client.host}" if request.client else "http"
    inquiry = Inquiry(asker=ByKey(presented=_key(request)), grant=grant, matter=matter, case_number=case_number, origin=origin)
    reception: Reception = request.app.state.reception
    return _told(await reception.ask(inquiry))


async def _body(request: Request, document: type[Document]) -> Document:
    """The body as a document. Refused DOOR-ASKED with everything that is wrong with it; API-LARGE before it is read to its end."""
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise Refused("API-LARGE")
    try:
        return document.model_validate_json(b"".join(parts))
    except ValidationError as fault:
        raise malformed(fault) from None


def _key(request: Request) -> str:
    """The key that a system presents. Denied DOOR-KEY if there is none."""
    header = request.headers.get("authorization", "")
    if header[: len(BEARER)].lower() != BEARER:
        raise Denied("DOOR-KEY")
    return header[len(BEARER) :].strip()


def _told(answer: Answer) -> Response:
    """The answer's own bytes stand in the body as they were digested."""
    assert isinstance(answer.value, Told)
    head = f'{{"record":{answer.seq},"digest":"{answer.digest}","answer":'.encode()
    return Response(head + answer.value.body + b"}", 200, NO_STORE, "application/json")


DOCUMENTS: Mapping[str, type[BaseModel]] = {document.__name__: document for document in (LookUpAsked,)}


def _described(app: FastAPI) -> dict[str, Any]:
    """OpenAPI with the documents that are asked for and the key."""
    schema = app.openapi()
    schemas = schema["components"]["schemas"]
    for name, document in DOCUMENTS.items():
        described = document.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(described.pop("$defs", {}))
        schemas[name] = described
    schema["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "接口密钥 API key"}}
    return schema
