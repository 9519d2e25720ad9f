"""Validation against the standard's schema, compared with the plain validator: no shortcut may hide a fault or make one up."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator

from catalog.contracts.findings import Findings
from catalog.contracts.standard import FREE_TEXT, _schema, check_standard
from tests.catalog.contracts import Document, columns_of, custom, good_contract

VALUES: st.SearchStrategy[Any] = st.sampled_from(["", "x", "字", 0, 1, 1.5, True, None, [], {}, ["x"], {"x": 1}, "v3.0.0", "string", "a b"])
OF_CONTRACTS = ["id", "name", "version", "kind", "type", "path", "format", "server", "tags", "team", "schema", "customProperties", "colour"]
OF_COLUMNS = ["properties", "items", "logicalType", "logicalTypeOptions", "primaryKey", "required", "classification", "quality", "value"]
KEYS = st.sampled_from([*OF_CONTRACTS, *OF_COLUMNS])


def everything_in(node: Any) -> Iterator[Any]:
    yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from everything_in(child)


@st.composite
def spoilt_contracts(draw: Any) -> Document:
    document = copy.deepcopy(good_contract(team={"name": "t", "members": []}, description={"purpose": "p"}))
    columns_of(document)[1]["logicalTypeOptions"] = {"maxLength": 5}
    for _ in range(draw(st.integers(0, 3))):
        mappings = [node for node in everything_in(document) if isinstance(node, dict)]
        place = mappings[draw(st.integers(0, len(mappings) - 1))]
        present = sorted(place) if draw(st.booleans()) else []
        place[draw(st.sampled_from(present) if present else KEYS)] = copy.deepcopy(draw(VALUES))
    return document


@settings(max_examples=60, deadline=None)
@given(spoilt_contracts())
def test_a_contract_has_faults_exactly_when_the_plain_validator_finds_errors(document: Document) -> None:
    findings = Findings(file="contract.yaml")
    check_standard(document, findings)
    assert bool(findings.faults) == bool(list(Draft201909Validator(_schema()).iter_errors(with_logical_types(document))))


def with_logical_types(document: Document) -> Document:
    """Columns without a logical type are text: the one liberty that the platform takes with the standard's schema."""
    document = copy.deepcopy(document)
    objects = document.get("schema")
    for found in objects if isinstance(objects, list) else []:
        columns = found.get("properties") if isinstance(found, dict) else None
        for column in columns if isinstance(columns, list) else []:
            set_logical_types(column)
    return document


def set_logical_types(column: Any) -> None:
    if isinstance(column, dict):
        column.setdefault("logicalType", "string")
        for inner in column["properties"] if isinstance(column.get("properties"), list) else []:
            set_logical_types(inner)
        set_logical_types(column.get("items"))


def test_what_is_left_out_of_a_shape_is_only_text_to_the_schema() -> None:
    listed = [
        node["properties"] for node in everything_in(_schema()) if isinstance(node, dict) and isinstance(node.get("properties"), dict)
    ]
    rules = [properties[key] for properties in listed for key in FREE_TEXT & set(properties) if isinstance(properties[key], dict)]
    assert {key for rule in rules for key in rule} & {"enum", "const", "pattern", "format", "minLength", "maxLength", "if"} == set()


def test_every_fault_of_every_column_is_found_beside_good_columns() -> None:
    document = copy.deepcopy(good_contract())
    columns_of(document)[0]["logicalType"] = "text"
    columns_of(document)[2]["colour"] = "red"
    columns_of(document)[2]["customProperties"] = [*custom(level="L3"), {"value": "x"}]
    findings = Findings(file="contract.yaml")
    check_standard(document, findings)
    assert sorted((fault.code, fault.pointer) for fault in findings.faults) == [
        ("CON-STANDARD-KEY", "/schema/0/properties/2"),
        ("CON-STANDARD-MISSING", "/schema/0/properties/2/customProperties/1"),
        ("CON-STANDARD-VALUE", "/schema/0/properties/0/logicalType"),
    ]
