"""Taking entries in: all or nothing, who may, two people at once, and one record."""

from dataclasses import replace
from pathlib import Path

import pytest

from access.accounts import Role, create_account
from casework.entries.importing import ImportReport, department_titles, import_entries
from casework.entries.moves import Act
from casework.entries.publishing import move
from catalog.entries.content import EntryContent
from catalog.entries.shelf import list_entries, load_entries, load_entry
from catalog.entries.states import State
from catalog.exchange.imported import Imported, ImportedEntry, Place
from catalog.exchange.workbook import read_workbook, write_workbook
from tests.casework.conftest import NOW, Office
from tests.catalog.entries import good_entry, with_column


@pytest.fixture
def bureau(office: Office) -> Office:
    create_account(
        office.store, office.log, by="operator", name="registrar", title="x", department=None, roles=[Role.BUREAU_REGISTRAR], now=NOW
    )
    return office


def listed(*contents: EntryContent, **more: object) -> Imported:
    entries = [ImportedEntry(content=content, at=Place(name=f"目录!A{n}", row=n), **more) for n, content in enumerate(contents, start=2)]  # type: ignore[arg-type]
    return Imported(entries=entries, faults=[])


def taken(office: Office, imported: Imported, by: str = "lin", *, incomplete: bool = False) -> ImportReport:
    return import_entries(office.store, office.log, by=by, imported=imported, now=NOW, reason="导入", incomplete=incomplete)


def count(office: Office) -> int:
    with office.store.session() as session:
        return len(list_entries(session))


def test_a_workbook_goes_out_is_changed_and_comes_back(bureau: Office, tmp_path: Path) -> None:
    report = taken(bureau, listed(good_entry(), good_entry(title="收养登记信息")))
    assert (len(report.made), report.faults) == (2, ())
    for number, (act, by) in enumerate(((Act.SUBMIT, "lin"), (Act.RETURN, "he")), start=1):
        move(bureau.store, bureau.log, by=by, entry=report.made[0], act=act, revision=number, now=NOW, note="改")
    with bureau.store.session() as session:
        entries, titles = load_entries(session, report.made[:1]), department_titles(session)
    changed = [replace(entry, content=replace(entry.content, title="婚姻登记基本信息")) for entry in entries]
    write_workbook(tmp_path / "a.xlsx", changed)
    imported = read_workbook(tmp_path / "a.xlsx", titles)
    again = taken(bureau, imported)
    assert (again.made, again.changed, again.unchanged, again.faults) == ((), report.made[:1], (), ())
    with bureau.store.session() as session:
        assert load_entry(session, report.made[0]).title == "婚姻登记基本信息"
    assert bureau.last().record.event.value == "catalog:entry:imported"
    late = taken(bureau, imported, by="registrar")
    assert [(f.code, f.place) for f in late.faults] == [("CAT-STALE", "目录!C2")]


def test_drafts_go_out_are_completed_and_come_back(bureau: Office, tmp_path: Path) -> None:
    """Whoever has a thousand drafts completes them in the workbook; they have no code yet."""
    bare = good_entry(items={"secrecyAssessment": None})
    (number, other) = taken(bureau, listed(bare, good_entry(title="收养登记信息")), incomplete=True).made
    with bureau.store.session() as session:
        entries, titles = load_entries(session), department_titles(session)
    assert all(entry.code is None for entry in entries)
    write_workbook(tmp_path / "a.xlsx", [replace(e, content=good_entry(title=e.title)) for e in entries])
    imported = read_workbook(tmp_path / "a.xlsx", titles)
    again = taken(bureau, imported)
    assert (again.made, again.changed, again.unchanged, again.faults) == ((), (number,), (other,), ())
    with bureau.store.session() as session:
        assert load_entry(session, number).content.items["secrecyAssessment"]
    late = taken(bureau, imported, by="registrar")
    assert [(f.code, f.place) for f in late.faults] == [("CAT-STALE", "目录!C2")]
    new = taken(bureau, listed(good_entry(title="收养登记信息")))
    assert [f.code for f in new.faults] == ["ENT-TITLE-TWICE"], "without a revision it is a new one"


def test_one_fault_keeps_all_out_and_is_on_record(bureau: Office) -> None:
    faulty = good_entry(title="收养登记信息", items={"abstract": None})
    report = taken(bureau, listed(good_entry(), faulty))
    assert [(f.code, f.row) for f in report.faults] == [("ENT-NEEDED", 3)] and count(bureau) == 0
    record = bureau.last().record
    assert (record.event.value, record.body["why"], record.body["faults"]) == ("catalog:entry:refused", "XLS-FAULTS", 1)


def test_drafts_may_be_incomplete_but_never_secret(bureau: Office) -> None:
    """L-01."""
    assert len(taken(bureau, listed(good_entry(items={"abstract": None})), incomplete=True).made) == 1
    secret = with_column(good_entry(title="涉密信息"), "man_id", secret=True)
    assert [f.code for f in taken(bureau, listed(secret), incomplete=True).faults] == ["ENT-SECRET"]
    assert [f.code for f in taken(bureau, listed(good_entry(department="nobody")), by="registrar", incomplete=True).faults] == [
        "ENT-PROVIDER"
    ]


def test_a_department_takes_in_its_own_only(bureau: Office) -> None:
    own, others = good_entry(), good_entry(department="health", title="健康档案")
    assert [(f.code, f.row) for f in taken(bureau, listed(own, others)).faults] == [("CAT-RIGHT", 3)]
    assert len(taken(bureau, listed(own, others), by="registrar").made) == 2
    assert [f.code for f in taken(bureau, listed(own), by="auditor").faults] == ["CAT-RIGHT"]


def test_one_title_twice_in_a_document_is_told(bureau: Office) -> None:
    """C-02: punctuation and spaces do not make two names."""
    report = taken(bureau, listed(good_entry(), good_entry(title="婚姻 登记·信息")))
    assert [(f.code, f.row, f.detail) for f in report.faults] == [("ENT-TITLE-TWICE", 3, "目录!A2")]


def test_codes_that_are_not_there_and_entries_under_review_are_refused(bureau: Office) -> None:
    assert [f.code for f in taken(bureau, listed(good_entry(), code="307005/000009")).faults] == ["CAT-ENTRY"]
    (number,) = taken(bureau, listed(good_entry())).made
    entry = move(bureau.store, bureau.log, by="lin", entry=number, act=Act.SUBMIT, revision=1, now=NOW)
    assert entry.state is State.DEPARTMENT_REVIEW
    other = good_entry(items={"abstract": "别的"})
    assert [f.code for f in taken(bureau, listed(other, code=entry.code)).faults] == ["CAT-MOVE"]


def test_what_is_unchanged_makes_no_version(bureau: Office) -> None:
    (number,) = taken(bureau, listed(good_entry())).made
    entry = move(bureau.store, bureau.log, by="lin", entry=number, act=Act.SUBMIT, revision=1, now=NOW)
    entry = move(bureau.store, bureau.log, by="he", entry=number, act=Act.RETURN, revision=2, now=NOW, note="核")
    report = taken(bureau, listed(good_entry(), code=entry.code, revision=entry.revision))
    assert (report.changed, report.unchanged) == ((), (number,))
    with bureau.store.session() as session:
        assert load_entry(session, number).revision == entry.revision
