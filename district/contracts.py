"""The contracts with which the district's data sets are registered: ODCS 3.x documents, one per data set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from district.enterprise_sets import EnterpriseSet
from district.files import EXTENSIONS
from district.person_sets import KEY, Column, Form, PersonSet
from district.things import Thing
from district.yaml_files import write_yaml
from rules.code_tables import load_code_tables
from rules.elements import load_elements

_LOGICAL = {"date": "date", "timestamp": "timestamp", "number": "number", "money": "number"}
_WHY_NONE = "《中华人民共和国个人信息保护法》第二十八条"


@dataclass(frozen=True, kw_only=True)
class Promise:
    """What a contract says of a data set, whichever part of the district it comes from."""

    key: str
    department: str
    department_title: str
    title: str
    columns: Sequence[Column]
    form: Form
    file_name: str
    share: str
    update: str
    verified: bool = False
    source_of_record: tuple[str, ...] = ()


def promise_of(spec: PersonSet, department_title: str, form: Form, patterns: frozenset[str]) -> Promise:
    kept = [column for column in spec.columns if column.codes]
    off = {c.name for c in kept if ("X-12" if c.element == "sex" else "X-14") not in patterns}
    return Promise(
        key=spec.key,
        department=spec.department,
        department_title=department_title,
        title=spec.title,
        columns=[replace(column, codes=None) if column.name in off else column for column in spec.columns],
        form=form,
        file_name=spec.file_name,
        share=spec.share,
        update=spec.update,
        verified=spec.verified,
        source_of_record=spec.source_of_record,
    )


def promise_of_enterprise_set(spec: EnterpriseSet, department_title: str, form: Form) -> Promise:
    return Promise(
        key=spec.key,
        department=spec.department,
        department_title=department_title,
        title=spec.title,
        columns=spec.columns,
        form=form,
        file_name=spec.file_name,
        share="unconditional",
        update="每月",
        source_of_record=spec.source_of_record,
    )


def promise_of_thing(thing: Thing, department_title: str) -> Promise:
    return Promise(
        key=thing.key,
        department=thing.department,
        department_title=department_title,
        title=thing.title,
        columns=thing.columns,
        form=thing.form,
        file_name=thing.file_name,
        share="unconditional" if len(thing.key) % 3 else "conditional",
        update=("每日", "每周", "每月", "每季度", "每年")[len(thing.key) % 5],
    )


def write_contract(promise: Promise, out: Path) -> None:
    path = out / "contracts" / f"{promise.key}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_yaml(path, contract(promise, out))


def contract(promise: Promise, out: Path) -> Mapping[str, Any]:
    about = {
        "share": promise.share,
        "updateFrequency": promise.update,
        "departmentTitle": promise.department_title,
        "verified": promise.verified or None,
        "sourceOfRecord": list(promise.source_of_record) or None,
        "shareConditions": "限履行法定职责确需使用的部门，用途和范围以授权为准" if promise.share == "conditional" else None,
        "legalBasis": _WHY_NONE if promise.share == "none" else None,
    }
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": promise.key,
        "name": promise.title,
        "version": "1.0.0",
        "status": "active",
        "domain": promise.department,
        "description": {"purpose": f"{promise.department_title}在履行法定职责中形成的{promise.title}"},
        "servers": [_server(promise, out)],
        "schema": [
            {
                "name": promise.key,
                "physicalName": promise.title,
                "logicalType": "object",
                "properties": [_property(promise, column) for column in promise.columns],
            }
        ],
        "customProperties": _custom(about),
    }


def _custom(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"property": name, "value": value} for name, value in values.items() if value is not None]


def _server(promise: Promise, out: Path) -> dict[str, Any]:
    """Files by a path relative to the contract; databases by URL, absolute because a URL has no contract to be relative to."""
    file = f"{promise.file_name}{EXTENSIONS[promise.form.format]}"
    if promise.form.format == "database":
        url = f"sqlite:///{(out / file).resolve()}"
        return {"server": "source", "type": "custom", "customProperties": _custom({"url": url, "table": promise.key})}
    return {"server": "source", "type": "local", "path": f"../{file}", "format": promise.form.format}


def _property(promise: Promise, column: Column) -> dict[str, Any]:
    element = load_elements().get(column.element or "")
    codes = column.codes if column.codes in load_code_tables() else None
    keys = [other.name for other in promise.columns if other.element == KEY or other.primary]
    out: dict[str, Any] = {"name": column.name, "physicalName": column.header}
    out["logicalType"] = _LOGICAL.get(element.kind, "string") if element else "string"
    if column.name in keys:
        out |= {"primaryKey": True, "primaryKeyPosition": keys.index(column.name) + 1, "required": True}
    custom = {
        "element": element.key if element else None,
        "level": column.level or (element.level if element else None),
        "codeSystem": codes,
    }
    if told := _custom(custom):
        out["customProperties"] = told
    return out
