"""Taking entries in (目录导入) from a workbook or another document: all of it or nothing, each fault at its place, one record."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, ensure_department, load_account
from access.log_faults import log_faults_translated
from audit.events import Event
from audit.log import Log
from casework.entries.moves import MOVES, Act, may_edit, state_after
from casework.entries.publishing import edit_fault, write_edit
from catalog.entries.checks import Surroundings, faults_of, fold_title
from catalog.entries.content import digest_of, record_digest
from catalog.entries.shelf import Entry, add_entries, load_entries, lock_entries, surroundings
from catalog.entries.states import State
from catalog.exchange.imported import FAULTS_MOST, Imported, ImportedEntry, ImportFault
from catalog.schema import DepartmentRow, EntryRow
from catalog.store import Store
from rules.departments import load_departments

NEVER_TAKEN = frozenset(
    {"ENT-TEXT", "ENT-PROVIDER", "ENT-DEPARTMENT", "ENT-ITEM", "ENT-SECRET", "ENT-ELEMENT", "ENT-COLUMN-NAME", "ENT-COLUMN-TWICE"}
)
"""What is refused also of a draft: it could not be kept, or may not be (L-01)."""


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What an import did: numbers of the entries made, changed and found unchanged. With any fault nothing was done."""

    made: tuple[int, ...] = ()
    changed: tuple[int, ...] = ()
    unchanged: tuple[int, ...] = ()
    faults: tuple[ImportFault, ...] = ()


def import_entries(
    store: Store, log: Log, *, by: str, imported: Imported, now: datetime, reason: str, incomplete: bool = False
) -> ImportReport:
    """New entries become drafts, those with a code a change of the entry of that code; a draft that went out before it had one comes back
    by title and revision. `incomplete` takes drafts that the checks of C-15 still have something against; they are made good before they
    are submitted."""
    with store.session() as session, session.begin():
        codes = sorted({entry.code for entry in imported.entries if entry.code is not None})
        returning = {_name(entry) for entry in imported.entries if entry.code is None and entry.revision is not None}
        account = load_account(session, by)
        intake = _Intake(session=session, account=account, codes=codes, returning=returning, incomplete=incomplete)
        faults = [*imported.faults, *(fault for entry in imported.entries for fault in intake.faults(entry))]
        report = ImportReport(faults=tuple(faults[:FAULTS_MOST])) if faults else _take(intake, imported.entries, by, now, reason)
        with log_faults_translated():
            log.append_sealed(Event.ENTRY_REFUSED if faults else Event.ENTRIES_IMPORTED, _facts(by, imported, report, len(faults)))
    return report


def department_titles(session: Session) -> Mapping[str, str]:
    """The titles of all departments that are known, by key."""
    known = {key: department.title for key, department in load_departments().items()}
    return known | dict(session.execute(sa.select(DepartmentRow.key, DepartmentRow.title)).tuples().all())


@dataclass(kw_only=True)
class _Intake:
    """What an import is checked against; asked for once a department, not once an entry."""

    session: Session
    account: Account
    codes: Sequence[str]
    returning: Collection[tuple[str, str]]
    incomplete: bool

    def __post_init__(self) -> None:
        self._around: dict[str, Surroundings] = {}
        self._titles: dict[tuple[str, str], str] = {}

    @cached_property
    def known(self) -> Mapping[str, Entry]:
        """The entries that the document names by their code; nobody else acts on them until it is taken in."""
        coded = self.session.scalars(sa.select(EntryRow.id).where(EntryRow.code.in_(self.codes))).all()
        lock_entries(self.session, coded)
        return {entry.code: entry for entry in load_entries(self.session, coded) if entry.code is not None}

    @cached_property
    def drafts(self) -> Mapping[tuple[str, str], Entry]:
        """The drafts without a code that the document brings back, by department and title."""
        departments = sorted({department for department, _ in self.returning})
        mine = (EntryRow.code.is_(None), EntryRow.state == State.DRAFT, EntryRow.department_key.in_(departments))
        rows = self.session.execute(sa.select(EntryRow.id, EntryRow.department_key, EntryRow.title).where(*mine)).tuples()
        found = [number for number, department, title in rows if (department, fold_title(title)) in self.returning]
        lock_entries(self.session, found)
        return {(entry.department, fold_title(entry.title)): entry for entry in load_entries(self.session, found)}

    def standing(self, entry: ImportedEntry) -> Entry | None:
        """What an entry of the document changes; none where it is new."""
        if entry.code is not None:
            return self.known.get(entry.code)
        return None if entry.revision is None else self.drafts.get(_name(entry))

    def faults(self, entry: ImportedEntry) -> list[ImportFault]:
        """Everything that keeps one entry out."""
        if not may_edit(self.account, entry.content.department):
            return [entry.place("department").fault("CAT-RIGHT", f"{self.account.name}: {entry.content.department[:40]}")]
        standing = self.standing(entry)
        found = self._standing_faults(entry, standing)
        faults = faults_of(entry.content, self._surroundings(entry, standing))
        faults = [fault for fault in faults if not self.incomplete or fault.code in NEVER_TAKEN]
        return found + [entry.place(fault.place).fault(fault.code, fault.detail) for fault in faults] + self._twins(entry)

    def _standing_faults(self, entry: ImportedEntry, standing: Entry | None) -> list[ImportFault]:
        at = entry.place("code")
        if standing is None:
            return [at.fault("CAT-ENTRY", entry.code[:40])] if entry.code else []
        if entry.revision is not None and entry.revision != standing.revision:
            return [entry.place("revision").fault("CAT-STALE", f"{entry.revision} ≠ {standing.revision}")]
        if standing.state not in MOVES[Act.EDIT].before:
            return [at.fault("CAT-MOVE", f"edit ← {standing.state.value}")]
        fault = edit_fault(standing, entry.content)
        return [at.fault(fault)] if fault not in (None, "CAT-UNCHANGED") else []

    def _surroundings(self, entry: ImportedEntry, standing: Entry | None) -> Surroundings:
        department = entry.content.department
        if department not in self._around:
            self._around[department] = surroundings(self.session, department)
        around = self._around[department]
        if standing is None:
            return around
        own = fold_title(standing.title)
        return replace(around, titles={title: name for title, name in around.titles.items() if title != own})

    def _twins(self, entry: ImportedEntry) -> list[ImportFault]:
        """C-02 within the document itself."""
        first = self._titles.setdefault(_name(entry), entry.at.name)
        return [] if first == entry.at.name else [entry.place("title").fault("ENT-TITLE-TWICE", first)]


def _take(intake: _Intake, entries: Sequence[ImportedEntry], by: str, now: datetime, reason: str) -> ImportReport:
    fresh = [entry.content for entry in entries if intake.standing(entry) is None]
    for department in sorted({content.department for content in fresh}):
        ensure_department(intake.session, department, now)
    changing = [(entry, standing) for entry in entries if (standing := intake.standing(entry)) is not None]
    made = add_entries(intake.session, fresh, by=by, now=now, reason=reason)
    changed, unchanged = [], []
    for entry, standing in changing:
        if entry.content == standing.content:
            unchanged.append(standing.id)
        else:
            write_edit(intake.session, standing, entry.content, after=state_after(standing, Act.EDIT), by=by, reason=reason, now=now)
            changed.append(standing.id)
    return ImportReport(made=tuple(made), changed=tuple(changed), unchanged=tuple(unchanged))


def _name(entry: ImportedEntry) -> tuple[str, str]:
    return entry.content.department, fold_title(entry.content.title)


def _facts(by: str, imported: Imported, report: ImportReport, faults: int) -> Mapping[str, object]:
    if faults:
        return {"actor": by, "act": "import", "why": "XLS-FAULTS", "faults": faults}
    digest = record_digest({"entries": [digest_of(entry.content) for entry in imported.entries]})
    numbers = {"made": list(report.made), "changed": list(report.changed), "unchanged": len(report.unchanged)}
    return {"actor": by, **numbers, "digest": digest}
