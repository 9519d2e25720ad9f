"""Inquiries (查询) as values: questions about single residents, each under one grant, who asks, and what is told of it."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pyarrow as pa

from access.acts import Act
from access.presence import Presence
from access.recording import Facts
from access.targets import RESIDENT_ID
from golden.serving import DOCUMENTS
from rules.elements import load_elements
from rules.errors import Refused
from rules.standardise import standardise

ID_NUMBER = "id_number"
IDENTIFYING = (ID_NUMBER, RESIDENT_ID, *DOCUMENTS)
"""What a resident can be named by; each is indexed in the serving copy."""
FORMS: Mapping[str, re.Pattern[str]] = {ID_NUMBER: re.compile(r"\d{17}[\dX]"), RESIDENT_ID: re.compile(r"R\d{10}")}
DOCUMENT_FORM = re.compile(r"[^\s\x00-\x1f]{4,40}")
MAX_CASE_NUMBER_CHARACTERS = 100
LEAST_ATTRIBUTES, MOST_ATTRIBUTES = 2, 10
"""I-08: beside the one by which the person is found, since with a single one a "no" would name it."""
CHILD_SLOTS = ("father_id_number", "mother_id_number")
"""Where a child's record states its parents."""
KINSHIP_READS = ("name", "sex", ID_NUMBER, *CHILD_SLOTS, "household_number", "relation_to_head")

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

    @property
    def reads(self) -> tuple[str, ...]:
        """Nothing but what is granted."""
        return ()

    def recorded(self, hashed: Hash) -> Facts:
        return self.person.recorded(hashed)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """核验: do these values belong to this person. `attributes`: column and canonical value, in the order of the columns."""

    act: ClassVar[Act] = Act.VERIFY
    person: Person
    attributes: tuple[tuple[str, str], ...] = field(repr=False)

    @property
    def persons(self) -> tuple[Person, ...]:
        return (self.person,)

    @property
    def asked(self) -> tuple[str, ...]:
        return tuple(column for column, _ in self.attributes)

    @property
    def reads(self) -> tuple[str, ...]:
        return self.asked

    def recorded(self, hashed: Hash) -> Facts:
        """The asked values hashed (I-08), each under its column, so that a hash says nothing of another column's."""
        asked = [{"column": column, "value": hashed(f"asked {column}", value)} for column, value in self.attributes]
        return {**self.person.recorded(hashed), "asked": asked}


@dataclass(frozen=True, kw_only=True)
class Named:
    """A person of a question of kinship: number and name, which both must be theirs."""

    person: Person
    name: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Kinship:
    """亲属关系核验 (我妈是我妈): is `parent` the father or mother of `child`."""

    act: ClassVar[Act] = Act.KINSHIP
    parent: Named
    child: Named

    @property
    def persons(self) -> tuple[Person, ...]:
        return (self.parent.person, self.child.person)

    @property
    def asked(self) -> tuple[str, ...]:
        return ("name", *CHILD_SLOTS)

    @property
    def reads(self) -> tuple[str, ...]:
        return KINSHIP_READS

    def recorded(self, hashed: Hash) -> Facts:
        return {part: self._part(one, hashed) for part, one in (("parent", self.parent), ("child", self.child))}

    @staticmethod
    def _part(one: Named, hashed: Hash) -> dict[str, Any]:
        return {**one.person.recorded(hashed), "name": hashed("asked name", one.name)}


Matter = LookUp | Verification | Kinship
"""What an inquiry is about."""


def verification(by: str, text: str, attributes: Mapping[str, str]) -> Verification:
    """Refused DOOR-ASKED with all that is wrong: too few attributes, an unknown one, a value that cannot be one of its element."""
    canonical = {column: _canonical(column, value) for column, value in sorted(attributes.items())}
    faults = [f"{_shown(column)}" for column, value in canonical.items() if value is None or column == by]
    if not LEAST_ATTRIBUTES <= len(attributes) <= MOST_ATTRIBUTES:
        faults.append(f"{LEAST_ATTRIBUTES}–{MOST_ATTRIBUTES} attributes")
    if faults:
        raise Refused("DOOR-ASKED", where="attributes", what=", ".join(faults))
    values = tuple((column, value) for column, value in canonical.items() if value is not None)
    return Verification(person=person(by, text), attributes=values)


def named(by: str, text: str, name: str) -> Named:
    canonical = _canonical("name", name)
    if canonical is None:
        raise Refused("DOOR-ASKED", where="name")
    return Named(person=person(by, text), name=canonical)


def _canonical(column: str, text: str) -> str | None:
    """A value as golden records hold it; None where it cannot be one of that element. It depends on what was asked alone."""
    element = load_elements().get(column)
    if element is None or element.describes != "person":
        return None
    if element.kind == ID_NUMBER:
        number = unicodedata.normalize("NFKC", text).strip().upper()
        return number if FORMS[ID_NUMBER].fullmatch(number) else None
    value = standardise(element, pa.array([text])).value[0].as_py()
    return None if value is None else str(value)


def _shown(column: str) -> str:
    """The name of a column; what is none may be a value, so it is not repeated."""
    return column if column in load_elements() else "?"


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
