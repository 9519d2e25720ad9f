"""The catalogue as DCAT-AP 3 in JSON-LD, out and in. DCAT knows no columns: they stand as a CSVW table schema, and what only the statutory
catalogue knows (level, share attribute, conditions) under our own prefix."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from catalog.entries.attaching import Resource
from catalog.entries.content import ITEMS, EntryColumn, EntryContent, as_record, from_record
from catalog.entries.shelf import Entry
from catalog.exchange.imported import FAULTS_MOST, Imported, ImportedEntry, ImportFault, Place
from rules.classification import CODE, load_classification
from rules.departments import resolve_department
from rules.elements import load_elements

BASE = "urn:tongchou:"
CONTEXT: Mapping[str, Any] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "csvw": "http://www.w3.org/ns/csvw#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "tc": "urn:tongchou:terms#",
}
FREQUENCY = "http://publications.europa.eu/resource/authority/frequency/"
FREQUENCIES: Mapping[str, str] = {
    "实时": "UPDATE_CONT",
    "每日": "DAILY",
    "每周": "WEEKLY",
    "每月": "MONTHLY",
    "每季度": "QUARTERLY",
    "每半年": "ANNUAL_2",
    "每年": "ANNUAL",
}
RIGHT = "http://publications.europa.eu/resource/authority/access-right/"
DATATYPES: Mapping[str, str] = {
    "N": "decimal",
    "Y": "decimal",
    "D": "date",
    "T": "dateTime",
    "L": "boolean",
    "B": "double",
    "I": "integer",
    "F": "float",
}
"""CSVW's name of a data type; all others are strings."""
TYPES_OF: Mapping[str, str] = {
    "decimal": "N",
    "date": "D",
    "dateTime": "T",
    "datetime": "T",
    "boolean": "L",
    "double": "B",
    "integer": "I",
    "float": "F",
}
TITLE_MOST, DESCRIPTION_MOST, DATASETS_MOST = 200, 2_000, 20_000


def as_dcat(
    entries: Sequence[Entry], resources: Mapping[int, Sequence[Resource]], *, title: str, publisher: str, now: datetime
) -> dict[str, Any]:
    """A `dcat:Catalog` of the published contents of these entries; those never published are left out (L-12)."""
    return {
        "@context": CONTEXT,
        "@id": f"{BASE}catalogue",
        "@type": "dcat:Catalog",
        "dct:title": _zh(title),
        "dct:description": _zh(f"{title}（政务数据目录）"),
        "dct:publisher": {"@type": "foaf:Agent", "foaf:name": _zh(publisher)},
        "dct:modified": _moment(now),
        "dcat:dataset": [_dataset(entry, resources.get(entry.id, ())) for entry in entries if entry.is_open],
    }


def read_dcat(document: Any, departments: Mapping[str, str]) -> Imported:
    """The data sets of a catalogue, or of a plain list of them, ours or another's; `departments` are titles by key."""
    faults: list[ImportFault] = []
    found = [entry for place, node in _datasets(document, faults) if (entry := _entry(node, place, departments, faults)) is not None]
    return Imported(entries=found, faults=faults[:FAULTS_MOST])


def _dataset(entry: Entry, resources: Sequence[Resource]) -> dict[str, Any]:
    content = entry.published
    assert content is not None
    record = as_record(content)
    node = {
        "@id": f"{BASE}entry:{entry.code}",
        "@type": "dcat:Dataset",
        "dct:identifier": entry.code,
        "dct:title": _zh(content.title),
        "dct:description": _zh(str(content.items.get("abstract") or content.title)),
        "dct:publisher": _publisher(entry, content),
        "dcat:theme": _theme(content.category),
        "dcat:keyword": [_zh(column.title) for column in content.columns],
        "dct:accessRights": {"@id": RIGHT + _access(content), "@type": "dct:RightsStatement"},
        "dct:accrualPeriodicity": {"@id": FREQUENCY + FREQUENCIES.get(content.update_frequency, "UNKNOWN"), "@type": "dct:Frequency"},
        "dcat:version": str(entry.version),
        "dct:issued": _moment(entry.published_at) if entry.published_at else None,
        "dct:relation": [_resource(f"{BASE}entry:{code}") for code in content.items.get("relatedResources") or ()] or None,
        "dcat:contactPoint": _contact(content),
        "dcat:distribution": [_distribution(resource, content) for resource in resources if resource.attached_at] or None,
        "csvw:tableSchema": _table(content),
        "tc:revision": entry.revision,
        "tc:category": content.category,
        "tc:items": record["items"],
        "tc:citation": record["citation"],
    }
    return {key: value for key, value in node.items() if value is not None}


def _publisher(entry: Entry, content: EntryContent) -> dict[str, Any]:
    code = content.items.get("creditCode")
    kinds = ["foaf:Agent", "foaf:Organization"]
    told = {"@id": f"{BASE}department:{entry.department}", "@type": kinds, "foaf:name": _zh(entry.department_title)}
    return told | ({"dct:identifier": code} if code else {})


def _theme(category: str) -> dict[str, Any]:
    """Classes are said with each node: whoever validates has no ontology beside the document."""
    return {"@id": f"{BASE}category:{category}", "@type": "skos:Concept", "skos:prefLabel": _zh(load_classification().title(category))}


def _resource(iri: str) -> dict[str, Any]:
    return {"@id": iri, "@type": "rdfs:Resource"}


def _access(content: EntryContent) -> str:
    if content.share == "none":
        return "NON_PUBLIC"
    return "PUBLIC" if content.items.get("open") is True else "RESTRICTED"


def _contact(content: EntryContent) -> dict[str, Any] | None:
    name, phone = content.items.get("contactName"), content.items.get("contactPhone")
    told = {"vcard:fn": name, "vcard:hasTelephone": phone}
    return {"@type": "vcard:Kind", **{key: value for key, value in told.items() if value}} if name or phone else None


def _distribution(resource: Resource, content: EntryContent) -> dict[str, Any]:
    return {
        "@id": f"{BASE}dataset:{resource.dataset}",
        "@type": "dcat:Distribution",
        "dcat:accessURL": _resource(f"{BASE}dataset:{resource.dataset}:access"),
        "dct:title": resource.dataset,
        "dct:format": {"@type": "dct:MediaTypeOrExtent", "foaf:name": str(content.items.get("formatType", ""))},
        "tc:state": resource.state.value,
        "tc:report": resource.report.digest,
    }


def _table(content: EntryContent) -> dict[str, Any]:
    keys = [column.name for column in content.columns if column.key]
    return {"csvw:column": [_column(column) for column in content.columns], **({"csvw:primaryKey": keys} if keys else {})}


def _column(column: EntryColumn) -> dict[str, Any]:
    known = load_elements().get(column.element or "")
    (record,) = as_record(EntryContent(title="", department="", category="", columns=(column,)))["columns"]
    node = {
        "csvw:name": column.name,
        "csvw:titles": _zh(column.title),
        "csvw:datatype": DATATYPES.get(column.data_type, "string"),
        "dct:conformsTo": {"@id": f"{BASE}element:{known.key}"} if known else None,
        "tc:column": {key: value for key, value in record.items() if key not in ("name", "title", "element", "key")},
    }
    return {key: value for key, value in node.items() if value is not None}


def _datasets(document: Any, faults: list[ImportFault]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(document, Mapping):
        key = next((key for key in ("dcat:dataset", "dataset", "@graph") if key in document), None)
        listed, root = (document.get(key), f"/{key}") if key else ([document], "")
    else:
        listed, root = document, ""
    listed = listed if isinstance(listed, list) else [listed]
    nodes = [(f"{root}/{at}", node) for at, node in enumerate(listed[:DATASETS_MOST]) if isinstance(node, Mapping) and _is_dataset(node)]
    if not nodes:
        faults.append(Place(name=root or "/").fault("LD-DOCUMENT"))
    yield from nodes


def _is_dataset(node: Mapping[str, Any]) -> bool:
    types = node.get("@type", ())
    return "dcat:Dataset" in ([types] if isinstance(types, str) else types)


def _entry(node: Mapping[str, Any], place: str, departments: Mapping[str, str], faults: list[ImportFault]) -> ImportedEntry | None:
    at = Place(name=place)
    title = _word(node.get("dct:title"))
    if not title or len(title) > TITLE_MOST:
        faults.append(Place(name=f"{place}/dct:title").fault("LD-VALUE", "dct:title"))
        return None
    publisher = node.get("dct:publisher")
    department = _department(publisher if isinstance(publisher, Mapping) else {}, departments)
    code = _word(node.get("dct:identifier"))
    try:
        content = _content(node, title, department)
    except (TypeError, ValueError, KeyError, AttributeError) as fault:
        faults.append(at.fault("LD-VALUE", type(fault).__name__))
        return None
    revision = node.get("tc:revision")
    known = code if CODE.fullmatch(code) else None
    return ImportedEntry(
        content=content,
        at=at,
        code=known,
        revision=revision if isinstance(revision, int) and known else None,
        places=_places(content, place),
    )


def _content(node: Mapping[str, Any], title: str, department: str) -> EntryContent:
    items = {key: value for key, value in dict(node.get("tc:items") or {}).items() if key in ITEMS}
    description, frequency = _word(node.get("dct:description")), _word(node.get("dct:accrualPeriodicity")).removeprefix(FREQUENCY)
    if description and description != title:
        items.setdefault("abstract", description[:DESCRIPTION_MOST])
    if (known := next((word for word, iri in FREQUENCIES.items() if iri == frequency), None)) is not None:
        items.setdefault("updateFrequency", known)
    table = node.get("csvw:tableSchema") or {}
    keys = frozenset(_list(table.get("csvw:primaryKey")))
    record = {
        "title": title,
        "department": department,
        "category": _word(node.get("tc:category")) or load_classification().category_of(department),
        "items": items,
        "citation": node.get("tc:citation"),
        "columns": [_column_record(column, keys) for column in _list(table.get("csvw:column"))],
    }
    return from_record(record)


def _column_record(node: Mapping[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    own = {key: value for key, value in dict(node.get("tc:column") or {}).items() if key in _COLUMN_FIELDS}
    name, element = _word(node["csvw:name"]), _word(node.get("dct:conformsTo")).removeprefix(f"{BASE}element:")
    told = {"name": name, "title": _word(node.get("csvw:titles")) or name, "key": name in keys}
    told |= {"element": element} if element in load_elements() else {}
    return {"data_type": TYPES_OF.get(_word(node.get("csvw:datatype")), "C"), **own, **told}


_COLUMN_FIELDS = frozenset(of.name for of in fields(EntryColumn))


def _places(content: EntryContent, place: str) -> dict[str, Place]:
    named = {
        "title": "dct:title",
        "department": "dct:publisher",
        "items.abstract": "dct:description",
        "code": "dct:identifier",
        "revision": "tc:revision",
    }
    found = {part: Place(name=f"{place}/{key}") for part, key in named.items()}
    found |= {f"items.{key}": Place(name=f"{place}/tc:items/{key}") for key in ITEMS if key != "abstract"}
    for at, column in enumerate(content.columns):
        where = f"{place}/csvw:tableSchema/csvw:column/{at}"
        found |= {f"columns.{column.name}": Place(name=where)}
        found |= {f"columns.{column.name}.{key}": Place(name=f"{where}/tc:column/{key}") for key in _COLUMN_FIELDS}
    return found


def _department(publisher: Mapping[str, Any], departments: Mapping[str, str]) -> str:
    """By our own identifier, else by the publisher's name."""
    key = _word(publisher.get("@id")).removeprefix(f"{BASE}department:")
    if key in departments:
        return key
    name = _word(publisher.get("foaf:name"))
    return next((key for key, title in departments.items() if title == name), resolve_department(name))


def _word(node: Any) -> str:
    """The text of a literal, of the first of several, or the identifier of a node."""
    if isinstance(node, list):
        return _word(node[0]) if node else ""
    if isinstance(node, Mapping):
        return _word(node.get("@value", node.get("@id", "")))
    return node.strip() if isinstance(node, str) else ""


def _list(node: Any) -> list[Any]:
    return node if isinstance(node, list) else [] if node is None else [node]


def _zh(text: str) -> dict[str, str]:
    return {"@value": text, "@language": "zh"}


def _moment(at: datetime) -> dict[str, str]:
    return {"@value": at.isoformat(), "@type": "xsd:dateTime"}
