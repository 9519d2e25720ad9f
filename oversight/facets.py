"""By what a record of this platform can be found: the facets (检索项) of its body, among them everybody whom it names by keyed hash."""

from collections.abc import Iterator, Mapping
from typing import Any

from audit.finding import Found, Term

SUBJECT = "subject"
SUBJECTS = "subjects"
FACETS = (
    "actor",
    "department",
    "grant",
    "purpose",
    "case_number",
    "target",
    "origin",
    "outcome",
    "request",
    "ticket",
    "door_check",
    "account",
    "result",
    "enterprise",
)
POPULATION = "population"


def found_by(body: Mapping[str, Any]) -> Found:
    terms = [(facet, str(body[facet])) for facet in FACETS if isinstance(body.get(facet), str | int) and body[facet] != ""]
    return Found(terms=[*terms, *((SUBJECT, hashed) for hashed in _subjects(body))], members=body.get(POPULATION))


def _subjects(value: Any) -> Iterator[str]:
    """Whom a body names, at any depth: `subject` one, `subjects` several."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == SUBJECT and isinstance(inner, str):
                yield inner
            elif key == SUBJECTS and isinstance(inner, list):
                yield from (one for one in inner if isinstance(one, str))
            else:
                yield from _subjects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _subjects(inner)


def term(facet: str, value: object) -> Term:
    return facet, str(value)
