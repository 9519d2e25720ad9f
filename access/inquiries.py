"""Inquiries (查询) as values: questions about single residents, each under one grant, who asks, and what is told of it."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from access.decision import Act
from access.presence import Presence
from access.recording import Facts
from access.targets import RESIDENT_ID
from golden.serving import DOCUMENTS
from rules.errors import Refused

ID_NUMBER = "id_number"
IDENTIFYING = (ID_NUMBER, RESIDENT_ID, *DOCUMENTS)
"""What a resident can be named by; each is indexed in the serving copy."""
FORMS: Mapping[str, re.Pattern[str]] = {ID_NUMBER: re.compile(r"\d{17}[\dX]"), RESIDENT_ID: re.compile(r"R\d{10}")}
DOCUMENT_FORM = re.compile(r"[^\s\x00-\x1f]{4,40}")
MAX_CASE_NUMBER_CHARACTERS = 100

Hash = Callable[[str, str], str]
"""The keyed hash of a kind and a value, which stands for it in records."""


@dataclass(frozen=True, kw_only=True)
class ByName:
    """Who asks, named by a part of the platform that has found out who it is."""

    account: str


@dataclass(frozen=True, kw_only=True)
class ByKey:
    """Who asks, by the key that a system presented: found out when the question is decided, so that a revoked key opens nothing."""

    presented: str = field(repr=False)


Asker = ByName | ByKey | Presence


@dataclass(frozen=True, kw_only=True)
class Person:
    """How the asker names a resident: by one identifying element, in its canonical form."""

    by: str
    value: str = field(repr=False)

    def recorded(self, hashed: Hash) -> dict[str, Any]:
        return {"by": self.by, "subject": hashed("resident" if self.by == RESIDENT_ID else self.by, self.value)}


def person(by: str, text: str) -> Person:
    """Refused DOOR-ASKED if nobody can be named like that. It depends on the form alone, so it tells nothing of who is known."""
    if by not in IDENTIFYING:
        raise Refused("DOOR-ASKED", where=by if re.fullmatch(r"[a-z_]{1,40}", by) else "by", what=", ".join(IDENTIFYING))
    value = unicodedata.normalize("NFKC", text).strip().upper()
    if not FORMS.get(by, DOCUMENT_FORM).fullmatch(value):
        raise Refused("DOOR-ASKED", where=by)
    return Person(by=by, value=value)


@dataclass(frozen=True, kw_only=True)
class LookUp:
    """查询: the granted columns of one resident."""

    act: ClassVar[Act] = Act.LOOK_UP
    person: Person

    @property
    def persons(self) -> tuple[Person, ...]:
        return (self.person,)

    @property
    def asked(self) -> tuple[str, ...]:
        return ()

    def recorded(self, hashed: Hash) -> Facts:
        return self.person.recorded(hashed)


Matter = LookUp
"""What an inquiry is about."""


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """One question: who asks, under which grant, for which case (办件号, A-06), from where."""

    asker: Asker
    grant: int
    matter: Matter
    case_number: str = ""
    origin: str = ""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What an inquiry is told. `body`: the answer as JSON, which the digest in the record is of; `outcome`: what the record says of it.

    `residents`: whose values were used, by their ids; `rows`: how many residents the answer tells of.
    """

    body: bytes = field(repr=False)
    outcome: str
    rows: int
    residents: tuple[str, ...] = field(repr=False)
    facts: Facts
