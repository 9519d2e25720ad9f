"""Looking into a document that may be anything: a part of the wrong shape reads as empty, since the schema check names it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, kw_only=True)
class Custom:
    """The customProperties of a contract, column or server: `values` that are understood and rightly filled, and where each key stands."""

    pointer: str
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def get(self, key: str) -> Any:
        return self.values.get(key)

    def declares(self, key: str) -> bool:
        """Whether the document has the key, rightly filled or not."""
        return key in self.places

    def place(self, key: str) -> str:
        """Where the value of a key stands, or would stand."""
        return f"{self.places[key]}/value" if key in self.places else f"{self.pointer}/customProperties"


def read_custom(part: Mapping[str, Any], place: str, pointer: str, findings: Findings) -> Custom:
    """The customProperties of a part; those that are unknown, repeated or wrongly filled are reported and left out."""
    custom = Custom(pointer=pointer)
    for position, entry in enumerate(items(part.get("customProperties"))):
        key, where = text(mapping(entry).get("property")), f"{pointer}/customProperties/{position}"
        if custom.declares(key):
            findings.fault("CON-TERM-TWICE", where, key)
        elif key:
            custom.places[key] = where
            _read_term(key, mapping(entry).get("value"), place, custom, findings)
    return custom


def similar(given: str, known: Iterable[str]) -> str:
    """A hint at the known word that a wrong one is most like; empty when there is none near."""
    best = process.extractOne(given, list(known), score_cutoff=SIMILAR_ENOUGH)
    return f" → {best[0]}?" if best else ""


def _read_term(key: str, value: Any, place: str, custom: Custom, findings: Findings) -> None:
    term = terms_of(place).get(key)
    if term is None:
        findings.warn("CON-TERM-UNKNOWN", custom.places[key], f"{key[:60]}{similar(key, terms_of(place))}")
    elif value is None:
        del custom.places[key]  # a key without a value is not filled in
    elif not term.accepts(value):
        findings.fault(TERM_CODES.get(key, "CON-TERM"), custom.place(key), _expectation(term, value))
    else:
        custom.values[key] = value.strip() if isinstance(value, str) and term.kind != VERBATIM else value


def _expectation(term: Term, value: Any) -> str:
    given = f" = {value}" if term.key not in _SECRET_TERMS and isinstance(value, str | bool | int) else ""
    return f"{term.key}{given[:40]}; {term.expected}"
