"""What routes read of a call: its body as a document, who presents what, from where; how OpenAPI tells of a body; and what goes back."""

from typing import Any, TypeVar

from fastapi import Request, Response
from pydantic import BaseModel, ValidationError

from access.inquiries import Told
from access.recording import Answer
from portal.faults import malformed
from rules.errors import Denied, Refused

MAX_BODY_BYTES = 16_384
BEARER = "bearer "
NO_STORE = {"Cache-Control": "no-store"}

Document = TypeVar("Document", bound=BaseModel)


def asks(document: type[BaseModel], *, signed_in: bool = True) -> dict[str, Any]:
    """What OpenAPI says of a route's body and key."""
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{document.__name__}"}}}}
    return {"requestBody": body, "security": [{"key": []}] if signed_in else []}


async def body_of(request: Request, document: type[Document]) -> Document:
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


def presented_by(request: Request) -> str:
    """The key of a system, or the token of a person's session. Denied DOOR-KEY if there is none."""
    header = request.headers.get("authorization", "")
    if header[: len(BEARER)].lower() != BEARER:
        raise Denied("DOOR-KEY")
    return header[len(BEARER) :].strip()


def origin_of(request: Request) -> str:
    return f"http {request.client.host}" if request.client else "http"


def told(answer: Answer) -> Response:
    """The answer's own bytes stand in the body as they were digested."""
    assert isinstance(answer.value, Told)
    head = f'{{"record":{answer.seq},"digest":"{answer.digest}","answer":'.encode()
    return Response(head + answer.value.body + b"}", 200, NO_STORE, "application/json")
