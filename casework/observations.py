"""What grid workers observed, as a data set that the platform itself owns (平台入户核查): its files, and its contract.

An answer is one file, written when the worker sends it, and moved beside the others when it is accepted; from there it comes in by the
normal road: intake → snapshot → reconciliation, as a `verified` data set. Values stand in these files and in the lake, not in the store.
"""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
import yaml

from catalog.home import Home
from catalog.registration import register
from catalog.schema import DatasetRow, DoorCheckRow
from catalog.store import Store
from rules.elements import load_elements

DATASET = "door_check_answers"
DEPARTMENT = "grid"
KEY_COLUMN = "check_no"
ELEMENTS = (
    "name", "id_number", "sex", "birth_date", "ethnicity", "phone", "residence_address", "residence_state", "marital_status", "education",
    "employer", "updated_at",
)  # fmt: skip
"""What can be asked at the door, and when it was."""

ACCEPTED = "accepted"
PRIVATE = 0o600


def askable(element: str) -> bool:
    """Whether an element can be asked at the door."""
    return element in ELEMENTS and element != "updated_at"


def write_draft(home: Home, check: int, values: Mapping[str, str]) -> None:
    """Keep an answer until it is reviewed; a newer one takes its place. Whole or not there."""
    content = {KEY_COLUMN: str(check), **{element: values.get(element) for element in ELEMENTS}}
    _write(_folder(home, "drafts") / f"{check}.json", json.dumps(content, ensure_ascii=False) + "\n")


def drop_draft(home: Home, check: int) -> None:
    (_folder(home, "drafts") / f"{check}.json").unlink(missing_ok=True)


def release(store: Store, home: Home, *, now: datetime) -> int:
    """Move the answers that were accepted to the data set's files, and register it with the first; how many. Safe to repeat."""
    waiting = {int(path.stem): path for path in _folder(home, "drafts").glob("*.json")}
    with store.session() as session:
        accepted = session.scalars(sa.select(DoorCheckRow.id).where(DoorCheckRow.id.in_(waiting), DoorCheckRow.state == ACCEPTED)).all()
    for check in accepted:
        waiting[check].rename(_folder(home, "answers") / waiting[check].name)
    if accepted:
        _ensure_registered(store, home, now)
    return len(accepted)


def _ensure_registered(store: Store, home: Home, now: datetime) -> None:
    with store.session() as session:
        if session.get(DatasetRow, DATASET) is not None:
            return
    contract = _folder(home, "") / f"{DATASET}.yaml"
    _write(contract, yaml.safe_dump(_contract(), allow_unicode=True, sort_keys=False))
    report = register(store, [contract], now=now)
    assert not report.refused, report.refused


def _contract() -> dict[str, object]:
    titles = {element: load_elements()[element].title for element in ELEMENTS}
    properties = [
        {
            "name": KEY_COLUMN,
            "physicalName": KEY_COLUMN,
            "businessName": "核查单号",
            "logicalType": "string",
            "primaryKey": True,
            "required": True,
        },
        *(
            {
                "name": element,
                "physicalName": element,
                "businessName": titles[element],
                "logicalType": "string",
                "customProperties": [{"property": "element", "value": element}],
            }
            for element in ELEMENTS
        ),
    ]
    items = {"share": "conditional", "shareConditions": "仅用于核对本部门数据。", "updateFrequency": "每周", "verified": True}
    return {
        "apiVersion": "v3.0.2",
        "kind": "DataContract",
        "id": DATASET,
        "name": "平台入户核查结果",
        "version": "1.0.0",
        "status": "active",
        "domain": DEPARTMENT,
        "servers": [{"server": "source", "type": "local", "path": "answers/*.json", "format": "json"}],
        "schema": [{"name": DATASET, "logicalType": "object", "properties": properties}],
        "customProperties": [{"property": key, "value": value} for key, value in items.items()],
    }


def _folder(home: Home, name: str) -> Path:
    folder = home.root / "door_checks" / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _write(path: Path, text: str) -> None:
    """Synced under another name, then renamed."""
    aside = path.with_name(f".{path.name}.tmp")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(path)
