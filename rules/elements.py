"""The data elements (数据元) of the population database and of the tables around it, read from `elements.yaml`.

An element is what a column means, whichever department sends it and whatever it calls it: contracts name elements, standardisers work by
their kind, survivorship by their volatility, masking by their level.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from rules.code_tables import load_code_tables
from rules.departments import load_departments

KINDS = frozenset(
    [
        "id_number",
        "document_number",
        "credit_code",
        "name",
        "text",
        "date",
        "timestamp",
        "phone",
        "address",
        "code",
        "number",
        "money",
        "boolean",
        "grid_code",
        "household_number",
    ]
)
VOLATILITIES = ("fixed", "stable", "volatile", "event")
LEVELS = ("L1", "L2", "L3", "L4")
DESCRIBES = ("person", "enterprise", "row", "other")
OTHER = "other"
_FIELDS = frozenset(["title", "en", "kind", "level", "of_record", "volatility", "synonyms", "code_table", "identifies_person", "describes"])


@dataclass(frozen=True, kw_only=True)
class Category:
    """One of the 9 categories (类) of the population database, or `other` for tables about enterprises, houses, events …"""

    key: str
    title: str
    title_en: str


@dataclass(frozen=True, kw_only=True)
class Element:
    """One data element (数据元).

    `level` is the data's own level (分级, law.md G-07/G-08), `source_of_record` the key of the department of record (数源部门),
    `describes` says of what a value is a fact: of the `person`, the `enterprise`, the `row` that carries it (updated_at), an `other` thing.
    """

    key: str
    title: str
    title_en: str
    category: str
    synonyms: tuple[str, ...]
    kind: str
    code_table: str | None
    level: str
    source_of_record: str
    volatility: str
    identifies_person: bool
    describes: str

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header under which departments send it: key, title and synonyms."""
        return (self.key, self.title, *self.synonyms)


@cache
def load_categories() -> Mapping[str, Category]:
    return {key: Category(key=key, title=row["title"], title_en=row["en"]) for key, row in _document().items()}


@cache
def load_elements() -> Mapping[str, Element]:
    """Every element by key, in the order of the file; anything inconsistent is named by an assertion."""
    elements: dict[str, Element] = {}
    for category, block in _document().items():
        for key, row in block["elements"].items():
            assert key not in elements, f"elements.yaml: {key} stands twice"
            elements[key] = _checked(_element(key, category, row))
    return elements


def person_elements() -> tuple[Element, ...]:
    """The elements of the 9 categories that state something of a resident, thus the columns of a golden record."""
    return tuple(e for e in load_elements().values() if e.describes == "person")


def enterprise_elements() -> tuple[Element, ...]:
    """The elements that state something of an enterprise, thus the columns of its golden record."""
    return tuple(e for e in load_elements().values() if e.describes == "enterprise")


def fold_header(text: str) -> str:
    """A header as it is compared: width and case folded, without spaces, underscores, brackets or other marks."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text)).upper()


@cache
def elements_by_header() -> Mapping[str, Element]:
    """Folded header → element. A header that two elements claim (`ambiguous_headers`) is left out: only the values can tell."""
    shared = ambiguous_headers()
    return {folded: owners[0] for folded, owners in _owners().items() if folded not in shared}


@cache
def ambiguous_headers() -> Mapping[str, tuple[Element, ...]]:
    """Folded headers that more than one element claims, with their claimants."""
    return {folded: owners for folded, owners in _owners().items() if len(owners) > 1}


@cache
def _owners() -> Mapping[str, tuple[Element, ...]]:
    owners: dict[str, tuple[Element, ...]] = {}
    for element in load_elements().values():
        for folded in dict.fromkeys(fold_header(header) for header in element.headers):
            owners[folded] = (*owners.get(folded, ()), element)
    return owners


@cache
def _document() -> Mapping[str, Mapping[str, Any]]:
    text = (Path(__file__).parent / "elements.yaml").read_text(encoding="utf-8")
    document: Mapping[str, Mapping[str, Any]] = yaml.load(text, Loader=_StrictLoader)
    return document


class _StrictLoader(yaml.CSafeLoader):
    """YAML keeps the last of two equal keys in silence; two elements of one key must not pass."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        repeated = sorted({key for key in keys if keys.count(key) > 1})
        assert not repeated, f"elements.yaml line {node.start_mark.line + 1}: repeated {repeated}"
        return super().construct_mapping(node, deep)


def _element(key: str, category: str, row: Mapping[str, Any]) -> Element:
    unknown = set(row) - _FIELDS
    assert not unknown, f"elements.yaml: {key} has unknown fields {sorted(unknown)}"
    return Element(
        key=key,
        title=row["title"],
        title_en=row["en"],
        category=category,
        synonyms=tuple(row.get("synonyms", ())),
        kind=row["kind"],
        code_table=row.get("code_table"),
        level=row["level"],
        source_of_record=row["of_record"],
        volatility=row["volatility"],
        identifies_person=row.get("identifies_person", False),
        describes=row.get("describes", "other" if category == OTHER else "person"),
    )


def _checked(element: Element) -> Element:
    name = f"elements.yaml: {element.key}"
    assert re.fullmatch(r"[a-z][a-z0-9_]*", element.key), f"{name} is no key"
    assert element.kind in KINDS, f"{name} has unknown kind {element.kind}"
    assert element.level in LEVELS, f"{name} has unknown level {element.level}"
    assert element.volatility in VOLATILITIES, f"{name} has unknown volatility {element.volatility}"
    assert element.describes in DESCRIBES, f"{name} describes unknown {element.describes}"
    assert element.source_of_record in load_departments(), f"{name} has unknown department {element.source_of_record}"
    assert (element.kind == "code") == (element.code_table is not None), f"{name}: a code table stands with kind code and only there"
    assert element.code_table is None or element.code_table in load_code_tables(), f"{name} has unknown table {element.code_table}"
    assert all(isinstance(s, str) and s for s in element.synonyms), f"{name} has a synonym that YAML did not read as text"
    return element
