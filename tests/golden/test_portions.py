"""Values chosen a portion of the residents at a time are those chosen of all at once."""

import random

import pytest

import golden.portions
from catalog.home import Home
from catalog.schema import AccountRow, DecisionAnchorRow, StewardDecisionRow
from catalog.store import open_store
from golden.versions import golden_folder
from tests.golden.bureau import LATER, NOW, Bureau
from tests.golden.test_incremental import FILES, SOURCES, Town, difference, send


def pin_a_phone(bureau: Bureau, record: str) -> None:
    common = {"golden_version": 1, "decided_by": "mei", "decided_at": NOW, "overruled": [], "reason": "电话核实"}
    with bureau.store.session() as session, session.begin():
        session.add(AccountRow(name="mei", title="梅", active=True, created_at=NOW))
        session.flush()
        row = StewardDecisionRow(kind="pin", resident_a="R0000000001", element="phone", value="13900000001", **common)
        session.add(row)
        session.flush()
        session.add(DecisionAnchorRow(decision_id=row.id, side="a", dataset_key="hukou", record=record))


def test_portions_change_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    bureau = Bureau(open_store(home.store_url), home)
    town = Town(rng=random.Random(7))
    town.settle()
    send(bureau, town, set(SOURCES))
    bureau.accept("clinic_of_one", "health", [next(iter(town.tables["clinic"].items()))])
    pin_a_phone(bureau, sorted(town.tables["hukou"])[0])
    whole = bureau.reconcile(full=True, now=LATER)

    monkeypatch.setattr(golden.portions, "PORTION_RECORDS", 110)
    portioned = bureau.reconcile(full=True, now=LATER)
    values = sorted(path.name for path in golden_folder(bureau.lake, portioned.version).glob("values*"))
    assert len(values) > 3 and values[0] == "values-001.parquet"
    assert difference(bureau, whole.version, portioned.version, (*FILES, "review", "alarms")) == {}
    assert portioned.conflicts_by_element == whole.conflicts_by_element

    send(bureau, town, town.change(9))
    brought = bureau.reconcile(now=LATER)
    again = bureau.reconcile(full=True, now=LATER)
    assert difference(bureau, brought.version, again.version) == {}
