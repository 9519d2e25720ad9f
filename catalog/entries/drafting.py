"""A draft entry from a registered data set: what the contract says, in the words of the catalogue. What it does not say stays open and is
asked for when the entry is submitted."""

from collections.abc import Mapping
from typing import Any

from catalog.datasets import Column, Dataset, Server
from catalog.entries.content import ITEMS, EntryColumn, EntryContent
from rules.citations import read_citation
from rules.classification import load_classification
from rules.elements import load_elements

TYPES: Mapping[str, str] = {"string": "C", "number": "N", "integer": "I", "boolean": "L", "date": "D", "timestamp": "T", "time": "C"}
"""Data type of the standard's logical types; any other is 通用型."""
TYPES_OF_KIND: Mapping[str, str] = {"money": "Y", "date": "D", "timestamp": "T", "number": "N"}
"""A text column that carries an element of these kinds holds that type."""
FORMATS: Mapping[str, tuple[str, str, str]] = {
    "csv": ("电子表格", "csv", "文件下载交换"),
    "xlsx": ("电子表格", "xlsx", "文件下载交换"),
    "json": ("自描述格式", "json", "文件下载交换"),
    "parquet": ("数据库", "parquet", "批量库表交换"),
}
"""Format class, format type and way of sharing of a file by its format (C-07, C-09)."""
DATABASES: Mapping[str, str] = {"postgres": "postgresql", "mysql": "mysql", "sqlserver": "sql server", "oracle": "oracle"}


def draft_of(dataset: Dataset, abstract: str = "") -> EntryContent:
    """The entry of a data set; `abstract` serves where the contract has none."""
    items = {key: value for key, value in dataset.items.items() if key in ITEMS}
    items = {**_format_items(dataset.server), **items, "updateFrequency": dataset.update_frequency}
    if abstract and not items.get("abstract"):
        items["abstract"] = abstract
    text = dataset.items.get("legalBasis")
    return EntryContent(
        title=dataset.title,
        department=dataset.department,
        category=load_classification().read(str(dataset.items.get("category") or ""), dataset.department),
        items=items,
        citation=read_citation(text) if text else None,
        columns=tuple(_column(column) for column in dataset.columns),
    )


def data_type_of(column: Column) -> str:
    element = load_elements().get(column.element or "")
    if column.logical_type == "string" and element is not None:
        return TYPES_OF_KIND.get(element.kind, "C")
    return TYPES.get(column.logical_type, "G")


def _format_items(server: Server) -> dict[str, Any]:
    if server.type == "local":
        format_class, format_type, mode = FORMATS.get(server.format or "", ("电子文件", server.format or "", "文件下载交换"))
    else:
        dialect = (server.url or "").split(":", 1)[0].split("+", 1)[0]
        format_class, format_type, mode = "数据库", DATABASES.get(server.type, dialect or "postgresql"), "批量库表交换"
    return {"formatClass": format_class, "formatType": format_type, "shareMode": mode}


def _column(column: Column) -> EntryColumn:
    terms = column.items
    basis = terms.get("legalBasis")
    return EntryColumn(
        name=column.name,
        title=column.title,
        data_type=data_type_of(column),
        element=column.element,
        length=int(terms["dataLength"]) if terms.get("dataLength") else None,
        key=column.primary_key,
        level=column.level,
        share=column.share,
        share_conditions=terms.get("shareConditions", ""),
        no_share_reason=terms.get("noShareReason", ""),
        citation=read_citation(basis) if basis else None,
        department=terms.get("department", ""),
        share_mode=terms.get("shareMode", ""),
        open=terms.get("open"),
        open_conditions=terms.get("openConditions", ""),
        update_frequency=terms.get("updateFrequency", ""),
    )
