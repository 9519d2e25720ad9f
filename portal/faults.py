"""Errors as answers: their status and the document that tells of them. Nothing of what was asked is repeated, and no text of a library."""

import json
import logging
from collections.abc import Mapping

from fastapi import Request, Response
from pydantic import ValidationError

from rules.errors import Denied, IntegrityBroken, NotFound, PlatformFault, Refused, TongchouError

STATUS_OF_CODE: Mapping[str, int] = {
    "DOOR-KEY": 401,
    "DOOR-SESSION": 401,
    "DOOR-SIGN-IN": 401,
    "DOOR-LIMIT": 429,
    "DOOR-LOCKED": 429,
    "DOOR-TOO-FAST": 429,
    "API-LARGE": 413,
    "DOOR-FAULT": 500,
    "API-FAULT": 500,
}
STATUS_OF_KIND: Mapping[type[TongchouError], int] = {Refused: 422, Denied: 403, NotFound: 404, IntegrityBroken: 503, PlatformFault: 503}


def as_response(fault: TongchouError) -> Response:
    status = STATUS_OF_CODE.get(fault.code) or STATUS_OF_KIND[type(fault)]
    text = fault.text
    told = {
        "code": fault.code,
        "zh": text.zh,
        "en": text.en,
        "next_zh": text.next_zh,
        "next_en": text.next_en,
        "retry": fault.retry,
        "where": fault.where,
        "detail": fault.what if isinstance(fault, Denied | Refused) else "",
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return Response(json.dumps(told, ensure_ascii=False).encode(), status, headers, "application/json")


async def told_as_document(_request: Request, fault: Exception) -> Response:
    """The one edge of the server: errors of the platform as they are, everything else by its kind alone."""
    return as_response(fault if isinstance(fault, TongchouError) else PlatformFault("API-FAULT", where=type(fault).__name__))


def malformed(fault: ValidationError) -> Refused:
    """Which fields are wrong and in which way, all at once, without their values."""
    known = sorted(
        {
            f"{_place(error['loc'])}: {error['type']}"
            for error in fault.errors(include_url=False, include_context=False, include_input=False)
        }
    )
    return Refused("DOOR-ASKED", what="; ".join(known))


def _place(place: tuple[int | str, ...]) -> str:
    """The path to a field; a key that nobody described may itself be a value, so it is not repeated."""
    return ".".join(str(part) if str(part) in DESCRIBED else "?" for part in place) or "body"


DESCRIBED = frozenset(
    {
        "grant",
        "by",
        "value",
        "case_number",
        "key",
        "attributes",
        "parent",
        "child",
        "name",
        "persons",
        "grants",
        "account",
        "password",
        "old",
        "new",
    }
)


class WithoutTraceback(logging.Filter):
    """A traceback shows what a library says of values; the server's log gets the message alone."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True
