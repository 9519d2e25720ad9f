"""Contracts for the tests: a good one, and what makes it faulty."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]


def custom(**terms: Any) -> list[Document]:
    return [{"property": key, "value": value} for key, value in terms.items()]


def column(name: str, header: str, **terms: Any) -> Document:
    return {"name": name, "physicalName": header, "logicalType": "string", "customProperties": custom(level="L3", **terms)}


def good_contract(**changes: Any) -> Document:
    """A contract without a fault or a warning; `changes` replace top-level parts."""
    return {
        "version": "1.0.0",
        "kind": "DataContract",
        "apiVersion": "v3.1.0",
        "id": "police_hukou",
        "name": "户籍人口",
        "domain": "police",
        "servers": [{"server": "main", "type": "local", "path": "hukou.csv", "format": "csv"}],
        "schema": [
            {
                "name": "hukou",
                "properties": [
                    {**column("pid", "身份证号", element="id_number"), "primaryKey": True},
                    column("xm", "姓名", element="name"),
                    column("xb", "性别", element="sex"),
                ],
            }
        ],
        "customProperties": custom(share="unconditional", updateFrequency="每日"),
    } | changes


def changed(change: Callable[[Document], object]) -> Document:
    """The good contract after `change` has been at it."""
    document = copy.deepcopy(good_contract())
    change(document)
    return document


def columns_of(document: Document) -> list[Document]:
    found: list[Document] = document["schema"][0]["properties"]
    return found


def write(folder: Path, document: Document, name: str = "") -> Path:
    """Write a contract as `<id>.yaml`, or under another name."""
    path = folder / (name or f"{document['id']}.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path
