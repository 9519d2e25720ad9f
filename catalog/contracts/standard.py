"""Validation against the Open Data Contract Standard's own schema, as the library `open-data-contract-standard` ships it (offline)."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from jsonschema import Draft201909Validator
from jsonschema.exceptions import ValidationError
from open_data_contract_standard.model import OpenDataContractStandard

from catalog.contracts.findings import Findings

API_VERSIONS = ("v3.0.0", "v3.0.1", "v3.0.2", "v3.1.0", "v3.2.0")
_UNKNOWN_KEYS = frozenset({"unevaluatedProperties", "additionalProperties"})
_CODES: Mapping[str, str] = {
    "required": "CON-STANDARD-MISSING",
    "type": "CON-STANDARD-TYPE",
    "enum": "CON-STANDARD-VALUE",
    "const": "CON-STANDARD-VALUE",
    "pattern": "CON-STANDARD-VALUE",
    **dict.fromkeys(_UNKNOWN_KEYS, "CON-STANDARD-KEY"),
}


FREE_TEXT = frozenset(
    {"name", "physicalName", "physicalType", "businessName", "description", "property", "value", "domain", "path", "server", "version"}
)
"""Keys whose values the schema only wants to be text, wherever they stand."""


def check_standard(document: Mapping[str, Any], findings: Findings) -> None:
    """Every fault the standard's schema finds, each at its place and once."""
    if (version := document.get("apiVersion")) is not None and version not in API_VERSIONS:
        findings.fault("CON-API-VERSION", "/apiVersion", f"{str(version)[:20]}; {', '.join(API_VERSIONS)}")
    light, positions = _lightened(document)
    if _is_valid_document(_shape_of({**light, "id": ""} if isinstance(light.get("id"), str) else light)):
        return
    errors = [e for e in _validator().iter_errors(light) if list(e.absolute_path) != ["apiVersion"]]
    found = [(_CODES.get(str(e.validator), "CON-STANDARD"), _place(e, positions), _detail(e, errors)) for e in errors]
    for code, pointer, detail in dict.fromkeys(found):
        if detail:
            findings.fault(code, pointer, detail)


def pointer_of(path: Iterable[str | int]) -> str:
    """A place in the document as a JSON pointer."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def _lightened(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[int, Sequence[int]]]:
    """The document without the columns that are surely valid, and the positions of those left, by schema object.

    The standard's schema takes 3 ms a column, so a catalogue of 12,706 columns would take 40 s. But columns differ in free text only: it is
    left out, and what remains is validated once per shape. A column whose shape has a fault stays as it is, for its own messages.
    """
    objects = document.get("schema")
    if not isinstance(objects, list):
        return document, {}
    light, positions = [], {}
    for index, found in enumerate(objects):
        if isinstance(found, dict) and isinstance(found.get("properties"), list):
            typed = [_typed(column) for column in found["properties"]]
            positions[index] = [k for k, column in enumerate(typed) if not _is_valid_column(_shape_of(column))]
            found = {**found, "properties": [typed[k] for k in positions[index]]}
        light.append(found)
    return {**document, "schema": light}, positions


def _place(error: ValidationError, positions: Mapping[int, Sequence[int]]) -> str:
    path = list(error.absolute_path)
    if len(path) > 3 and path[0] == "schema" and path[2] == "properties":
        path[3] = positions[path[1]][path[3]]
    return pointer_of(path)


def _typed(column: Any) -> Any:
    """A column with a logical type. The standard lets it be left out, but its schema then holds the column to the rules of every type."""
    if not isinstance(column, dict):
        return column
    typed = {"logicalType": "string", **column}
    if isinstance(column.get("properties"), list):
        typed["properties"] = [_typed(inner) for inner in column["properties"]]
    return {**typed, "items": _typed(column["items"])} if "items" in column else typed


def _shape_of(node: Any) -> str:
    return json.dumps(_shape(node), sort_keys=True)


def _shape(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: "" if key in FREE_TEXT and isinstance(value, str) else _shape(value) for key, value in node.items()}
    return [_shape(item) for item in node] if isinstance(node, list) else node


@lru_cache(maxsize=10_000)
def _is_valid_column(shape: str) -> bool:
    return _column_validator().is_valid(json.loads(shape))


@lru_cache(maxsize=10_000)
def _is_valid_document(shape: str) -> bool:
    return _validator().is_valid(json.loads(shape))


@cache
def _schema() -> Mapping[str, Any]:
    schema: Mapping[str, Any] = json.loads(OpenDataContractStandard.json_schema())
    return schema


@cache
def _validator() -> Draft201909Validator:
    return Draft201909Validator(_schema())


@cache
def _column_validator() -> Draft201909Validator:
    return Draft201909Validator({"$ref": "#/$defs/SchemaProperty", "$defs": _schema()["$defs"]})


def _detail(error: ValidationError, errors: list[ValidationError]) -> str:
    """What to say of an error besides its place; empty where it only repeats another one. Values are not shown: they may be secrets."""
    rule = str(error.validator)
    if rule in _UNKNOWN_KEYS:
        return _unknown_keys(error, errors)
    if rule == "required":
        return error.message.split("'")[1]
    if rule == "enum":
        return " | ".join(str(choice) for choice in error.validator_value)
    if rule in {"type", "const", "pattern"}:
        return str(error.validator_value)
    return rule


def _unknown_keys(error: ValidationError, errors: list[ValidationError]) -> str:
    """The keys that the standard does not know at this place.

    An object with any other fault counts as wholly unevaluated, so its every key is named; those that the schema does list are left out.
    """
    place = list(error.absolute_path)
    if not place and error.validator == "unevaluatedProperties":
        return ""  # the root says the same by additionalProperties
    named = re.findall(r"'([^']*)'", error.message.partition("(")[2])
    others = [e for e in errors if e.validator not in _UNKNOWN_KEYS and list(e.absolute_path)[: len(place)] == place]
    known = _listed_keys(error.schema) if others else frozenset()
    return ", ".join(sorted(set(named) - known))


def _listed_keys(schema: Any) -> frozenset[str]:
    """Every key that a schema lists for an object, in whichever branch."""
    if not isinstance(schema, Mapping):
        return frozenset()
    branches = [*schema.get("allOf", ()), schema.get("then"), schema.get("else"), _referred(schema.get("$ref"))]
    return frozenset(schema.get("properties", ())).union(*(_listed_keys(branch) for branch in branches))


def _referred(reference: str | None) -> Any:
    found: Any = _schema() if reference else None
    for part in (reference or "#").split("/")[1:]:
        found = found[part]
    return found
