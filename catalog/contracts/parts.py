"""Looking into a document that may be anything: a part of the wrong shape reads as empty, since the schema check names it."""

from collections.abc import Mapping
from typing import Any

from rapidfuzz import process

from catalog.contracts.findings import Findings
from catalog.terms import VERBATIM, Term, terms_of

SIMILAR_ENOUGH = 70
TERM_CODES: Mapping[str, str] = {"level": "CON-LEVEL", "share": "CON-SHARE", "updateFrequency": "CON-FREQUENCY"}
_SECRET_TERMS = frozenset({"url", "password", "user"})


def mapping(node: Any) -> Mapping[str, Any]:
    return node if isinstance(node, dict) else {}


def items(node: Any) -> list[Any]:
    return node if isinstance(node, list) else []


def text(node: Any) -> str:
    return node.strip() if isinstance(node, str) else ""


def custom_properties(part: Mapping[str, Any], place: str, pointer: str, findings: Findings) -> dict[str, Any]:
    """The customProperties of a contract, column or server, by key: only those understood and rightly filled; the others are reported."""
    read: dict[str, Any] = {}
    seen: set[str] = set()
    for position, entry in enumerate(items(part.get("customProperties"))):
        key, where = text(mapping(entry).get("property")), f"{pointer}/customProperties/{position}"
        if key in seen:
            findings.fault("CON-TERM-TWICE", where, key)
        elif key:
            seen.add(key)
            _read_term(key, mapping(entry).get("value"), place, where, findings, read)
    return read


def similar(given: str, known: Any) -> str:
    """A hint at the known word that a wrong one is most like; empty when there is none near."""
    best = process.extractOne(given, list(known), score_cutoff=SIMILAR_ENOUGH)
    return f" → {best[0]}?" if best else ""


def _read_term(key: str, value: Any, place: str, where: str, findings: Findings, read: dict[str, Any]) -> None:
    term = terms_of(place).get(key)
    if term is None:
        findings.warn("CON-TERM-UNKNOWN", where, f"{key[:60]}{similar(key, terms_of(place))}")
    elif value is None:
        return
    elif not term.accepts(value):
        findings.fault(TERM_CODES.get(key, "CON-TERM"), f"{where}/value", _expectation(term, value))
    else:
        read[key] = value.strip() if isinstance(value, str) and term.kind != VERBATIM else value


def _expectation(term: Term, value: Any) -> str:
    given = f" = {value}" if term.key not in _SECRET_TERMS and isinstance(value, str | bool | int) else ""
    return f"{term.key}{given[:40]}; {term.expected}"
