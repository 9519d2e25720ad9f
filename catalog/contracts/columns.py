"""The columns of a contract: names, record key, elements, levels, share attributes, code tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from catalog.contracts.findings import Findings
from catalog.contracts.parts import Custom, items, mapping, read_custom, similar, text
from catalog.datasets import Column
from catalog.terms import COLUMN, DEFAULT_LEVEL, LEVELS
from rules.code_tables import find_code_table, load_code_tables
from rules.elements import load_elements

NAME_LENGTH_MAX = 120
PLATFORM_SUFFIX = "__grid"
_OWN_FIELDS = frozenset({"element", "level", "share", "codeSystem"})
_NESTED_TYPES = ("object", "array", "map", "vector")


def read_columns(document: Mapping[str, Any], *, share: str, legal_basis: str | None, findings: Findings) -> tuple[Column, ...]:
    """The columns in the contract's order; those with faults are left out, and the faults are among the findings."""
    objects = items(document.get("schema"))
    if len(objects) != 1:
        findings.fault("CON-SCHEMA", "/schema", f"schema: {len(objects)}")
        return ()
    parts = [mapping(part) for part in items(mapping(objects[0]).get("properties"))]
    if not parts:
        findings.fault("CON-COLUMN-NONE", "/schema/0/properties")
        return ()
    columns = [_read(part, position, share, legal_basis, findings) for position, part in enumerate(parts)]
    _check_names(columns, findings)
    _check_filled(parts, columns, findings)
    return _keyed(parts, columns, findings)


def _pointer(position: int, *more: str) -> str:
    return "/".join((f"/schema/0/properties/{position}", *more))


def _read(part: Mapping[str, Any], position: int, share: str, legal_basis: str | None, findings: Findings) -> Column:
    custom = read_custom(part, COLUMN, _pointer(position), findings)
    name, element = text(part.get("name")), _element(custom, findings)
    _check_share(custom, name, legal_basis, findings)
    _check_shape(part, name, position, findings)
    physical_name = text(part.get("physicalName")) or name
    return Column(
        name=name,
        physical_name=physical_name,
        title=text(part.get("businessName")) or (load_elements()[element].title if element else physical_name),
        element=element,
        key_position=None,
        level=_level(custom, part, element, name, findings),
        share=custom.get("share") or share,
        code_system=_code_system(custom, element, findings),
        logical_type=text(part.get("logicalType")) or "string",
        required=part.get("required") is True,
        items={key: value for key, value in custom.values.items() if key not in _OWN_FIELDS},
    )


def _element(custom: Custom, findings: Findings) -> str | None:
    given: str | None = custom.get("element")
    if given is None or given in load_elements():
        return given
    findings.fault("CON-ELEMENT", custom.place("element"), f"{given[:60]}{similar(given, load_elements())}")
    return None


def _level(custom: Custom, part: Mapping[str, Any], element: str | None, name: str, findings: Findings) -> str:
    """Declared here, or as the standard's `classification`; else the element's, or the platform's default."""
    usual = load_elements()[element].level if element else DEFAULT_LEVEL
    classification = text(part.get("classification"))
    level: str = custom.get("level") or (classification if classification in LEVELS else usual)
    if element and level < usual:
        findings.warn("CON-LEVEL-LOWER", custom.place("level"), f"{name}: {level} < {usual}")
    return level


def _check_share(custom: Custom, name: str, legal_basis: str | None, findings: Findings) -> None:
    """L-10: what is not shared says which law forbids it; the contract's legal basis serves its columns too."""
    if custom.get("share") == "none" and not (custom.get("legalBasis") or legal_basis):
        findings.fault("CON-LEGAL-BASIS", custom.place("legalBasis"), name)
    if custom.get("secret") is True:
        findings.fault("CON-STATE-SECRET", custom.place("secret"), name)


def _code_system(custom: Custom, element: str | None, findings: Findings) -> str | None:
    """The key of a code table, whose codes must lead to the element's own table."""
    given: str | None = custom.get("codeSystem")
    if given is None:
        return None
    table, where = find_code_table(given), custom.place("codeSystem")
    if table is None:
        findings.fault("CON-CODE-SYSTEM", where, f"{given[:60]}{similar(given, load_code_tables())}")
        return None
    wanted = load_elements()[element].code_table if element else None
    if element and wanted is None:
        findings.warn("CON-CODE-SYSTEM-UNUSED", where, f"{element} / {table.key}")
    elif wanted is not None and wanted not in {table.key, table.target}:
        findings.fault("CON-CODE-SYSTEM-OTHER", where, f"{element}: {wanted}; {table.key}")
    return table.key


def _check_shape(part: Mapping[str, Any], name: str, position: int, findings: Findings) -> None:
    if part.get("logicalType") in _NESTED_TYPES or "properties" in part or "items" in part:
        findings.warn("CON-COLUMN-NESTED", _pointer(position), name)
    if isinstance(part.get("name"), str) and not _is_name(name):
        findings.fault("CON-COLUMN-NAME", _pointer(position, "name"), name[:60])


def _is_name(name: str) -> bool:
    """Any word may name a column but what the platform's own files use."""
    own = name.startswith("_") or name.lower().endswith(PLATFORM_SUFFIX)
    return bool(name) and len(name) <= NAME_LENGTH_MAX and name.isprintable() and not own


def _check_names(columns: Sequence[Column], findings: Findings) -> None:
    """Two columns of one name, whichever its case, would overwrite each other; one header or element in two columns is only odd."""
    _repeated(columns, [c.name.casefold() for c in columns], "name", "CON-COLUMN-TWICE", findings.fault)
    _repeated(columns, [c.physical_name for c in columns], "physicalName", "CON-HEADER-TWICE", findings.warn)
    _repeated(columns, [c.element or "" for c in columns], "customProperties", "CON-ELEMENT-TWICE", findings.warn)


def _repeated(columns: Sequence[Column], words: Sequence[str], field: str, code: str, report: Any) -> None:
    seen: set[str] = set()
    for position, word in enumerate(words):
        if word and word in seen:
            report(code, _pointer(position, field), columns[position].name)
        seen.add(word)


def _check_filled(parts: Sequence[Mapping[str, Any]], columns: Sequence[Column], findings: Findings) -> None:
    """One warning for all columns whose level was filled in."""
    filled = [c.name for part, c in zip(parts, columns, strict=True) if c.name and not _declares_level(part)]
    if filled:
        findings.warn("CON-DEFAULT-LEVEL", "/schema/0/properties", ", ".join(filled))


def _declares_level(part: Mapping[str, Any]) -> bool:
    declared = {text(mapping(entry).get("property")) for entry in items(part.get("customProperties"))}
    return "level" in declared or text(part.get("classification")) in LEVELS


def _keyed(parts: Sequence[Mapping[str, Any]], columns: Sequence[Column], findings: Findings) -> tuple[Column, ...]:
    """The columns with their places in the record key: by `primaryKeyPosition` where given, else in the contract's order."""
    keys = [position for position, part in enumerate(parts) if part.get("primaryKey") is True]
    if not keys:
        findings.fault("CON-KEY", "/schema/0/properties")
    given = Counter(p for position in keys if (p := _key_position(parts[position])) is not None)
    for twice in sorted(p for p, times in given.items() if times > 1):
        findings.fault("CON-KEY-POSITION", "/schema/0/properties", f"primaryKeyPosition {twice}")
    ordered = sorted(keys, key=lambda position: (_key_position(parts[position]) or len(parts) + 1, position))
    places = {position: place for place, position in enumerate(ordered, start=1)}
    return tuple(_with_key(column, places.get(position)) for position, column in enumerate(columns))


def _key_position(part: Mapping[str, Any]) -> int | None:
    position = part.get("primaryKeyPosition")
    return position if isinstance(position, int) and not isinstance(position, bool) and position > 0 else None


def _with_key(column: Column, key_position: int | None) -> Column:
    return column if key_position is None else replace(column, key_position=key_position)
