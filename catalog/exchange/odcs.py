"""An entry as a data contract of the Open Data Contract Standard: the entry's items and columns, and the servers of its attached data set.

The way back in is registration (`catalog.registration`), which makes a draft entry of each contract.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from catalog.datasets import Contract
from catalog.entries.content import EntryColumn, EntryContent
from catalog.entries.shelf import Entry
from rules.citations import Citation

API_VERSION = "v3.1.0"
LOGICAL_TYPES: Mapping[str, str] = {
    "N": "number",
    "Y": "number",
    "B": "number",
    "F": "number",
    "I": "integer",
    "D": "date",
    "T": "timestamp",
    "L": "boolean",
}
STATUSES: Mapping[str, str] = {"published": "active", "changing": "active", "withdrawal": "deprecated", "cancelled": "retired"}
_FROM_CONTRACT = ("price", "team", "roles", "slaProperties", "support", "tags")
"""Parts of the standard that an entry has no word for: they are taken over from the contract."""


def as_odcs(entry: Entry, contract: Contract | None) -> dict[str, Any]:
    """The entry as it holds for users, or as it is drafted; `contract` is that of the attached data set, for its servers and headers."""
    content = entry.published or entry.content
    given: Mapping[str, Any] = {} if contract is None else yaml.safe_load(contract.text)
    physical = _physical_columns(given)
    custom = {
        **content.items,
        "share": content.share,
        "category": content.category,
        "resourceCode": entry.code,
        "departmentTitle": entry.department_title,
    }
    custom["legalBasis"] = _basis(content.citation)
    custom |= {key: value for key, value in _custom_of(given).items() if key in ("verified", "sourceOfRecord")}
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": contract.dataset if contract else f"entry_{entry.id}",
        "name": content.title,
        "version": f"{entry.version}.0.0",
        "status": STATUSES.get(entry.state.value, "active" if entry.is_open else "draft"),
        "domain": entry.department,
        "description": {"purpose": str(content.items.get("abstract") or content.title)},
        **{key: given[key] for key in ("servers", *_FROM_CONTRACT) if key in given},
        "schema": [_object(given, content, physical)],
        "customProperties": _custom(custom),
    }


def as_yaml(document: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False, width=140)


def _object(given: Mapping[str, Any], content: EntryContent, physical: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    first: Mapping[str, Any] = next(iter(given.get("schema") or ()), {})
    named = {key: first[key] for key in ("name", "physicalName", "logicalType") if key in first} or {
        "name": "table",
        "logicalType": "object",
    }
    return {**named, "properties": [_property(column, physical.get(column.name, {}), content) for column in content.columns]}


def _property(column: EntryColumn, given: Mapping[str, Any], content: EntryContent) -> dict[str, Any]:
    custom = {
        "element": column.element,
        "level": column.level,
        "share": column.share if column.share != content.share else None,
        "shareConditions": column.share_conditions,
        "noShareReason": column.no_share_reason,
        "legalBasis": _basis(column.citation),
        "department": column.department,
        "shareMode": column.share_mode,
        "open": column.open,
        "openConditions": column.open_conditions,
        "updateFrequency": column.update_frequency,
        "dataLength": column.length,
        "codeSystem": _custom_of(given).get("codeSystem"),
    }
    told = {
        "name": column.name,
        "physicalName": given.get("physicalName"),
        "businessName": column.title,
        "logicalType": given.get("logicalType") or LOGICAL_TYPES.get(column.data_type, "string"),
        "required": given.get("required"),
        "primaryKey": True if column.key else None,
        "primaryKeyPosition": given.get("primaryKeyPosition"),
        "customProperties": _custom(custom),
    }
    return {key: value for key, value in told.items() if value is not None}


def _basis(citation: Citation | None) -> str | None:
    return None if citation is None else f"《{citation.title}》{f'（{citation.number}）' if citation.number else ''}{citation.article}"


def _custom(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"property": key, "value": value} for key, value in values.items() if value not in (None, "", [])]


def _custom_of(part: Mapping[str, Any]) -> dict[str, Any]:
    listed: Sequence[Mapping[str, Any]] = part.get("customProperties") or ()
    return {entry["property"]: entry.get("value") for entry in listed}


def _physical_columns(given: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    return {column["name"]: column for schema in given.get("schema") or () for column in schema.get("properties") or ()}
