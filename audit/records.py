"""One record as canonical bytes: the same content gives the same bytes for ever, so that its hash can be recomputed by anyone.

A record of schema 1 is the UTF-8 JSON object `{"at", "body", "event", "v"}` with sorted keys and no spaces. It holds no fractions
(their text differs between languages) and no plain identity or telephone number: persons appear as keyed hashes only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from audit.errors import RecordRefused
from audit.events import Event

SCHEMA_VERSION = 1
MAX_RECORD_BYTES = 60_000
MAX_INTEGER = 2**53 - 1
SHORT = 100
"""Characters of a text about which it is remembered whether it names a person."""
KEY = re.compile(r"[a-z][a-z0-9_]*")
PERSON_NUMBER = re.compile(r"(?<![0-9A-Za-z])(?:\d{17}[\dXx]|1[3-9]\d{9})(?![0-9A-Za-z])")

INSTANT = "substr(record, 8, 26)"
"""In SQL: the time of a record, of which its canonical bytes (`{"at":"…`) begin."""

Body = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Record:
    """A decoded record: what happened, when (UTC), and the particulars that the event calls for."""

    event: Event
    at: datetime
    body: Body


def encode(record: Record) -> bytes:
    """The canonical bytes. Raises RecordRefused for content that has no canonical form, is too long or names a person."""
    body = record.body if _is_plain(record.body) else _checked(record.body)
    try:
        content = {"at": instant(record.at), "body": body, "event": str(record.event), "v": SCHEMA_VERSION}
        data = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as fault:  # what else has no canonical form was refused already
        raise RecordRefused("a text holds a lone surrogate, or the body is nested too deep") from fault
    if len(data) > MAX_RECORD_BYTES:
        raise RecordRefused(f"the record has {len(data)} bytes, at most {MAX_RECORD_BYTES} are allowed")
    return data


def decode(data: bytes) -> Record:
    """What the bytes say. Raises RecordRefused if they are not the canonical bytes of a known schema."""
    try:
        content = orjson.loads(data)
        record = Record(event=Event(content["event"]), at=datetime.fromisoformat(content["at"]), body=content["body"])
        canonical = content["v"] == SCHEMA_VERSION and encode(record) == data
    except (ValueError, KeyError, TypeError) as fault:
        raise RecordRefused("these bytes are no record") from fault
    if not canonical:
        raise RecordRefused("these bytes are not canonical")
    return record


def instant(at: datetime) -> str:
    """A time as records hold it: UTC with microseconds, so that texts sort as times do."""
    if at.tzinfo is None:
        raise RecordRefused("the time of a record needs its time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def instant_bytes(at: datetime) -> bytes:
    """What `INSTANT` of a record of that time is."""
    return instant(at)[:26].encode()


def names_a_person(text: str) -> bool:
    """Whether a text holds what looks like an identity number of 18 characters or a mobile telephone number."""
    return PERSON_NUMBER.search(text) is not None


def _is_plain(value: Any) -> bool:
    """Whether a value surely has a canonical form; several times as fast as `_checked`, which says of any other what is wrong with it."""
    kind = type(value)
    if kind is str:
        return not (_short_names_a_person(value) if len(value) <= SHORT else names_a_person(value))
    if kind is bool or value is None:
        return True
    if kind is int:
        return -MAX_INTEGER <= value <= MAX_INTEGER
    if kind is dict:
        return all(map(_is_key, value)) and all(map(_is_plain, value.values()))
    return kind is list and all(map(_is_plain, value))


@lru_cache(maxsize=4096)
def _short_names_a_person(text: str) -> bool:
    """Most texts of a record stand in thousands of others, too."""
    return names_a_person(text)


@lru_cache(maxsize=1024)
def _is_key(key: object) -> bool:
    return isinstance(key, str) and KEY.fullmatch(key) is not None


def _checked(value: Any, path: str = "body") -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _checked_text(value, path)
    if isinstance(value, int):
        return _checked_integer(value, path)
    if isinstance(value, Mapping):
        return {_checked_key(key, path): _checked(item, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_checked(item, path) for item in value]
    raise RecordRefused(f"{path} is a {type(value).__name__}, which has no canonical form")


def _checked_key(key: object, path: str) -> str:
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise RecordRefused(f"a key under {path} is not of the form [a-z][a-z0-9_]*")
    return key


def _checked_integer(value: int, path: str) -> int:
    if abs(value) > MAX_INTEGER:
        raise RecordRefused(f"{path} is beyond 2^53, which not every reader can hold")
    return value


def _checked_text(value: str, path: str) -> str:
    if names_a_person(value):
        raise RecordRefused(f"{path} holds what looks like the number of a person; use a keyed hash")
    return str(value)
