"""Reads a department's file back the plain way: by its contract, every cell as text."""

import csv
import json
import sqlite3
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook

from district.yaml_files import read_yaml

ENCODINGS = ("utf-8-sig", "gb18030")


@cache
def contracts(district: Path) -> list[dict[str, Any]]:
    return [read_yaml(path) for path in sorted((district / "contracts").glob("*.yaml"))]


def columns(contract: dict[str, Any]) -> list[dict[str, Any]]:
    return contract["schema"][0]["properties"]


def said(properties: list[dict[str, Any]]) -> dict[str, Any]:
    return {entry["property"]: entry["value"] for entry in properties}


def key_columns(contract: dict[str, Any]) -> list[str]:
    return [column["physicalName"] for column in columns(contract) if column.get("primaryKey")]


def rows(district: Path, contract: dict[str, Any]) -> list[dict[str, str | None]]:
    """Below the header row; title lines are left out, stray rows are not."""
    return _rows(district, contract["id"])


@cache
def _rows(district: Path, dataset: str) -> list[dict[str, str | None]]:
    contract = next(c for c in contracts(district) if c["id"] == dataset)
    lines = _lines(district, contract)
    header = [column["physicalName"] for column in columns(contract)]
    start = next(number for number, line in enumerate(lines) if list(line) == header)
    return [dict(zip(header, line, strict=True)) for line in lines[start + 1 :]]


def _lines(district: Path, contract: dict[str, Any]) -> list[list[Any]]:
    server = contract["servers"][0]
    if server["type"] == "custom":
        return _database(said(server["customProperties"]))
    path = district / "contracts" / server["path"]
    return {"csv": _text, "json": _objects, "parquet": _table, "xlsx": _sheet}[server["format"]](path)


def _text(path: Path) -> list[list[str]]:
    data = path.read_bytes()
    text = next(text for encoding in ENCODINGS if (text := _decoded(data, encoding)) is not None)
    delimiter = max(",;\t", key=text.splitlines()[1].count)
    return list(csv.reader(text.splitlines(), delimiter=delimiter))


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _objects(path: Path) -> list[list[Any]]:
    objects = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [list(objects[0]), *(list(row.values()) for row in objects)]


def _table(path: Path) -> list[list[Any]]:
    table = pq.read_table(path)
    return [table.column_names, *(list(row.values()) for row in table.to_pylist())]


def _sheet(path: Path) -> list[list[Any]]:
    found = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python(skip_empty_area=False)
    return [[None if cell == "" else cell for cell in row] for row in found]


def _database(server: dict[str, str]) -> list[list[Any]]:
    connection = sqlite3.connect(server["url"].removeprefix("sqlite:///"))
    cursor = connection.execute(f'SELECT * FROM "{server["table"]}"')
    found = [[column[0] for column in cursor.description], *(list(row) for row in cursor)]
    connection.close()
    return found
