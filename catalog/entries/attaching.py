"""Attaching (挂接, law.md C-17): data sets are the resources of entries. On attaching a data set is compared with what its entry declares,
and a quality report is made; where columns are missing it cannot be attached.

Every registered data set makes a draft entry with itself attached, so that nothing registered is missing in the catalogue; bringing data in
waits for none of it. While nobody has touched that draft, it follows the contract; afterwards a changed contract only renews the report.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.datasets import Column, Dataset
from catalog.entries.content import EntryColumn, EntryContent, record_digest
from catalog.entries.drafting import data_type_of, draft_of
from catalog.entries.shelf import add_entries, load_entries, lock_entries, record_act, write_content
from catalog.entries.states import ResourceState, State
from catalog.schema import EntryActRow, EntryResourceRow, EntryRow, QualityScoreRow, SnapshotRow
from rules.errors import ErrorText, load_error_texts

REGISTERED = "登记数据集时生成 made at the registration of a data set"
FOLLOWED = "合同变更后更新 after a change of the contract"
FOLLOW = "follow"
"""The act by which an untouched draft follows its contract."""
SAME_TYPES: tuple[frozenset[str], ...] = (frozenset("NYBIF"), frozenset("DT"), frozenset("CMG"))
"""Data types of one family: a resource may hold another of it."""


IN_SERVICE = (ResourceState.ATTACHED, ResourceState.RUNNING, ResourceState.ABNORMAL)
"""States of data sets in service, among which the platform moves them by what it sees."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something that an attached data set does not keep; `blocks` where it cannot be attached so."""

    code: str
    column: str
    detail: str
    blocks: bool

    @property
    def text(self) -> ErrorText:
        return load_error_texts()[self.code]

    def __str__(self) -> str:
        return f"{self.code} {self.column}: {self.text.zh} {self.text.en}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, kw_only=True)
class Report:
    """The quality report of a data set as a resource: how far it covers the entry, and how good its newest snapshot is.

    `score` is the share of all checks of the newest judged snapshot that passed, None before there is one.
    """

    dataset: str
    contract_version: int
    declared: int
    covered: int
    titled: int
    has_key: bool
    checked_elements: int
    score: float | None
    problems: tuple[Problem, ...]

    @property
    def may_attach(self) -> bool:
        return not any(problem.blocks for problem in self.problems)

    @property
    def digest(self) -> str:
        """SHA-256 of the report: stands in the signed log with the act of attaching."""
        return record_digest(as_record(self))


def as_record(report: Report) -> dict[str, Any]:
    return {**asdict(report), "problems": [asdict(problem) for problem in report.problems]}


def from_record(record: Mapping[str, Any]) -> Report:
    return Report(**{**record, "problems": tuple(Problem(**problem) for problem in record["problems"])})


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A data set attached to an entry, or on its way there."""

    dataset: str
    entry: int
    state: ResourceState
    report: Report
    checked_at: datetime
    attached_at: datetime | None


def report_of(dataset: Dataset, content: EntryContent, score: float | None) -> Report:
    """Compare a data set with an entry's columns, by name."""
    physical = {column.name: column for column in dataset.columns}
    pairs = [(column, physical[column.name]) for column in content.columns if column.name in physical]
    problems = [Problem(code="RES-COLUMN", column=c.name, detail=c.title, blocks=True) for c in content.columns if c.name not in physical]
    problems += [problem for declared, column in pairs for problem in _pair_problems(declared, column)]
    problems += _key_problems(dataset, content)
    undeclared = set(physical) - {c.name for c in content.columns}
    problems += [Problem(code="RES-UNDECLARED", column=name, detail="", blocks=False) for name in sorted(undeclared)]
    return Report(
        dataset=dataset.key,
        contract_version=dataset.contract_version,
        declared=len(content.columns),
        covered=len(pairs),
        titled=sum(column.title not in (column.name, "") for column in dataset.columns),
        has_key=bool(dataset.key_columns),
        checked_elements=sum(column.element is not None for column in dataset.columns),
        score=score,
        problems=tuple(problems),
    )


def _pair_problems(declared: EntryColumn, column: Column) -> list[Problem]:
    given = data_type_of(column)
    tested = (
        ("RES-TYPE", not _same_type(declared.data_type, given), f"{declared.data_type} / {given}", True),
        ("RES-ELEMENT", declared.element != column.element, f"{declared.element} / {column.element}", declared.element is not None),
        ("RES-LEVEL", declared.level < column.level, f"{declared.level} < {column.level}", True),
        ("RES-LENGTH", _too_long(declared, column), f"{declared.length} < {column.items.get('dataLength')}", True),
    )
    return [Problem(code=code, column=declared.name, detail=detail, blocks=blocks) for code, wrong, detail, blocks in tested if wrong]


def _same_type(declared: str, given: str) -> bool:
    return declared == given or given == "C" or any({declared, given} <= family for family in SAME_TYPES)


def _too_long(declared: EntryColumn, column: Column) -> bool:
    given = column.items.get("dataLength")
    return declared.length is not None and isinstance(given, int | float) and given > declared.length


def _key_problems(dataset: Dataset, content: EntryContent) -> list[Problem]:
    declared = {column.name for column in content.columns if column.key}
    given = {column.name for column in dataset.key_columns}
    if declared and declared != given:
        return [Problem(code="RES-KEY", column=", ".join(sorted(declared ^ given)), detail="", blocks=True)]
    return []


def scores_of(session: Session, datasets: Collection[str]) -> Mapping[str, float]:
    """Of each data set's newest judged snapshot, the share of checks that passed."""
    q = QualityScoreRow
    newest = (
        sa.select(q.dataset_key, sa.func.max(q.snapshot_version).label("version"))
        .where(q.dataset_key.in_(sorted(datasets)))
        .group_by(q.dataset_key)
        .subquery()
    )
    query = (
        sa.select(q.dataset_key, sa.func.sum(q.passed), sa.func.sum(q.checked))
        .join(newest, (newest.c.dataset_key == q.dataset_key) & (newest.c.version == q.snapshot_version))
        .group_by(q.dataset_key)
    )
    return {key: round(float(passed) / float(checked), 4) for key, passed, checked in session.execute(query).tuples() if checked}


def resources_of(session: Session, entry: int) -> list[Resource]:
    """The resources of an entry, by the data set's key."""
    rows = session.scalars(sa.select(EntryResourceRow).filter_by(entry_id=entry).order_by(EntryResourceRow.dataset_key))
    return [_resource(row) for row in rows]


def resource_of(session: Session, dataset: str) -> Resource | None:
    row = session.get(EntryResourceRow, dataset, populate_existing=True)
    return None if row is None else _resource(row)


def write_resource(session: Session, entry: int, report: Report, state: ResourceState, now: datetime) -> None:
    """Put a data set under an entry, with its report; from wherever it stood before."""
    row = session.get(EntryResourceRow, report.dataset) or EntryResourceRow(dataset_key=report.dataset, attached_at=None)
    attached = state not in (ResourceState.REGISTERED, ResourceState.CHECKED, ResourceState.WITHDRAWN)
    row.attached_at = (row.attached_at if row.attached_at and row.entry_id == entry else now) if attached else None
    row.entry_id, row.state, row.contract_version = entry, state.value, report.contract_version
    row.report, row.checked_at = as_record(report), now
    session.add(row)
    session.flush()


def follow_contracts(session: Session, datasets: Sequence[Dataset], abstracts: Mapping[str, str], now: datetime) -> None:
    """After registration: draft entries for new data sets; what is known of those that changed is checked again."""
    known = {row.dataset_key: row.entry_id for row in session.scalars(sa.select(EntryResourceRow)) if row.dataset_key is not None}
    fresh = [dataset for dataset in datasets if dataset.key not in known]
    _draft(session, fresh, abstracts, now)
    _recheck(session, {d.key: (d, known[d.key]) for d in datasets if d.key in known}, abstracts, now)


def _draft(session: Session, datasets: Sequence[Dataset], abstracts: Mapping[str, str], now: datetime) -> None:
    """A contract that names the code of an entry of its department waits there to be attached; every other makes an entry."""
    coded = _entries_by_code(session, datasets)
    own = [dataset for dataset in datasets if dataset.key not in coded]
    contents = [draft_of(dataset, abstracts.get(dataset.key, "")) for dataset in own]
    ids = add_entries(session, contents, by=None, now=now, reason=REGISTERED)
    rows = [
        _resource_values(entry, report_of(dataset, content, None), ResourceState.ATTACHED, now)
        for dataset, content, entry in zip(own, contents, ids, strict=True)
    ]
    entries = {entry.id: entry for entry in load_entries(session, coded.values())} if coded else {}
    for dataset in datasets:
        if dataset.key in coded:
            entry = entries[coded[dataset.key]]
            report = report_of(dataset, entry.published or entry.content, None)
            rows.append(_resource_values(entry.id, report, ResourceState.CHECKED, now))
    if rows:
        session.execute(sa.insert(EntryResourceRow), rows)


def _entries_by_code(session: Session, datasets: Sequence[Dataset]) -> Mapping[str, int]:
    wanted = {str(code): dataset for dataset in datasets if (code := dataset.items.get("resourceCode"))}
    if not wanted:
        return {}
    rows = session.execute(
        sa.select(EntryRow.code, EntryRow.department_key, EntryRow.id).where(
            EntryRow.code.in_(sorted(wanted)), EntryRow.state != State.CANCELLED
        )
    )
    return {wanted[code].key: entry for code, department, entry in rows.tuples() if code and wanted[code].department == department}


def _recheck(session: Session, changed: Mapping[str, tuple[Dataset, int]], abstracts: Mapping[str, str], now: datetime) -> None:
    if not changed:
        return
    scores = scores_of(session, changed)
    lock_entries(session, [entry for _, entry in changed.values()])
    entries = {entry.id: entry for entry in load_entries(session, [entry for _, entry in changed.values()])}
    untouched = _untouched(session, entries)
    for key, (dataset, number) in changed.items():
        entry, content = entries[number], draft_of(dataset, abstracts.get(key, ""))
        resource = resource_of(session, key)
        assert resource is not None
        if number in untouched and content.department == entry.department:
            if content != entry.content:
                changes = write_content(session, entry, content, by=None, now=now, reason=FOLLOWED)
                record_act(session, entry, FOLLOW, to=entry.state, by=None, now=now, note=FOLLOWED, **changes)
        else:
            content = entry.published or entry.content
        report = report_of(dataset, content, scores.get(key))
        write_resource(session, number, report, _state_after(resource.state, report), now)


def _state_after(state: ResourceState, report: Report) -> ResourceState:
    """A contract that no longer keeps what the entry promises makes its resource abnormal; it comes back when it keeps it again."""
    if state in (ResourceState.ATTACHED, ResourceState.RUNNING) and not report.may_attach:
        return ResourceState.ABNORMAL
    if state is ResourceState.ABNORMAL and report.may_attach:
        return ResourceState.ATTACHED
    return state


def _untouched(session: Session, entries: Collection[int]) -> frozenset[int]:
    """Entries on which no person has acted and to which one data set only belongs."""
    acted = sa.select(EntryActRow.entry_id).where(EntryActRow.entry_id.in_(sorted(entries)), EntryActRow.done_by.is_not(None))
    shared: defaultdict[int, int] = defaultdict(int)
    for entry in session.scalars(sa.select(EntryResourceRow.entry_id).where(EntryResourceRow.entry_id.in_(sorted(entries)))):
        shared[entry] += 1
    touched = set(session.scalars(acted))
    return frozenset(entry for entry in entries if entry not in touched and shared[entry] == 1)


def settle_resources(session: Session, now: datetime, *, red: Collection[str] = ()) -> int:
    """§7.3-2, what the platform sees itself: an attached data set of which a snapshot was accepted is running (运行); one that is `red` by
    its cycle (F-02) is abnormal (停更) until it is not. Each report gets the newest snapshot's score. Returns how many states changed."""
    accepted = set(session.scalars(sa.select(SnapshotRow.dataset_key).where(SnapshotRow.state == "accepted").distinct()))
    rows = session.scalars(sa.select(EntryResourceRow).where(EntryResourceRow.state.in_([s.value for s in IN_SERVICE]))).all()
    changed, scores = 0, scores_of(session, [row.dataset_key for row in rows])
    for row in rows:
        report = replace(from_record(row.report), score=scores.get(row.dataset_key))
        kept, row.report = report.may_attach, as_record(report)
        state = _seen_state(row.dataset_key in accepted, kept=kept, red=row.dataset_key in red)
        if row.state != state:
            row.state, row.checked_at, changed = state.value, now, changed + 1
    session.flush()
    return changed


def _seen_state(accepted: bool, *, kept: bool, red: bool) -> ResourceState:
    if not kept or (accepted and red):
        return ResourceState.ABNORMAL
    return ResourceState.RUNNING if accepted else ResourceState.ATTACHED


def attachment_rates(session: Session) -> Mapping[str, tuple[int, int]]:
    """挂接率 by department: published entries with a resource, of all published ones (C-17, F-03).

    What goes back (回流) needs none: the golden records are there.
    """
    has = sa.exists().where(EntryResourceRow.entry_id == EntryRow.id, EntryResourceRow.attached_at.is_not(None))
    query = (
        sa.select(EntryRow.department_key, sa.func.sum(sa.case((has, 1), else_=0)), sa.func.count())
        .where(EntryRow.published_number.is_not(None), EntryRow.state != State.CANCELLED, EntryRow.returns_key.is_(None))
        .group_by(EntryRow.department_key)
        .order_by(EntryRow.department_key)
    )
    return {department: (int(attached), int(published)) for department, attached, published in session.execute(query).tuples()}


def _resource_values(entry: int, report: Report, state: ResourceState, now: datetime) -> dict[str, Any]:
    attached = state is ResourceState.ATTACHED
    return {
        "dataset_key": report.dataset,
        "entry_id": entry,
        "state": state.value,
        "contract_version": report.contract_version,
        "report": as_record(report),
        "checked_at": now,
        "attached_at": now if attached else None,
    }


def _resource(row: EntryResourceRow) -> Resource:
    return Resource(
        dataset=row.dataset_key,
        entry=row.entry_id,
        state=ResourceState(row.state),
        report=from_record(row.report),
        checked_at=row.checked_at,
        attached_at=row.attached_at,
    )
