"""Entries in the store: read, listed, written. Each act raises an entry's revision; whoever acts on another revision than the present one
is refused (two people edit at once)."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import repeat
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from catalog.entries.changes import differences
from catalog.entries.checks import Surroundings, fold_title
from catalog.entries.content import EntryContent, as_record, from_record
from catalog.entries.states import State
from catalog.schema import DepartmentRow, EntryActRow, EntryCodeRow, EntryContentRow, EntryRow
from catalog.snapshots import CHINA
from catalog.store import serialise
from rules.classification import CODE, load_classification, resource_code
from rules.departments import load_departments
from rules.errors import NotFound, Refused

PAGE_MOST = 2_000
NUMBER = re.compile("[0-9]{1,9}")
MADE = "make"
"""The act that begins an entry."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry with its newest content, and with the one that holds for users (None before the first publication)."""

    id: int
    code: str | None
    department: str
    department_title: str
    state: State
    revision: int
    version: int
    content: EntryContent
    published: EntryContent | None
    succeeds: int | None
    returns: str | None
    """The data set for whose residents golden values go back (回流, L-22); none of any other entry."""
    received_at: datetime | None
    published_at: datetime | None
    changed_at: datetime

    @property
    def title(self) -> str:
        return self.content.title

    @property
    def is_open(self) -> bool:
        """Whether what it published holds: only then may it be asked for (L-12)."""
        return self.published is not None and self.state is not State.CANCELLED


@dataclass(frozen=True, kw_only=True)
class EntryLine:
    """An entry in a list."""

    id: int
    code: str | None
    title: str
    department: str
    department_title: str
    state: str
    version: int
    revision: int
    share: str
    level: str
    columns: int
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class EntryAct:
    """An act on an entry, as its history tells it."""

    revision: int
    act: str
    state_before: str
    state: str
    by: str | None
    at: datetime
    note: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class EntryVersion:
    """A content of an entry that once was the newest one, with what it changed."""

    number: int
    version: int | None
    by: str | None
    at: datetime
    reason: str
    differences: Sequence[Mapping[str, Any]]


def load_entry(session: Session, name: str | int) -> Entry:
    """An entry by its number or its code; NotFound CAT-ENTRY."""
    return load_entries(session, [entry_id(session, name)])[0]


def locked_entry(session: Session, name: str | int) -> Entry:
    """An entry that nobody else acts on until the caller commits: whoever waited for it sees what the first one did."""
    number = entry_id(session, name)
    lock_entries(session, [number])
    return load_entries(session, [number])[0]


def lock_entries(session: Session, ids: Collection[int]) -> None:
    """In the order of their numbers, so that two who want several do not wait for each other. On SQLite `begin()` has seen to it."""
    session.execute(sa.select(EntryRow.id).where(EntryRow.id.in_(sorted(set(ids)))).order_by(EntryRow.id).with_for_update())


def entry_id(session: Session, name: str | int) -> int:
    text = str(name).strip()
    by_code = EntryRow.code == text if CODE.fullmatch(text) else EntryRow.id == (int(text) if NUMBER.fullmatch(text) else 0)
    found = session.scalar(sa.select(EntryRow.id).where(by_code))
    if found is None:
        raise NotFound("CAT-ENTRY", where=text[:60])
    return found


def load_entries(session: Session, ids: Collection[int] | None = None) -> list[Entry]:
    """Entries by number: all, or those named."""
    named = sa.true() if ids is None else EntryRow.id.in_(sorted(set(ids)))
    newest, published = sa.orm.aliased(EntryContentRow), sa.orm.aliased(EntryContentRow)
    query = (
        sa.select(EntryRow, DepartmentRow.title, newest.body, published.body)
        .join(DepartmentRow, DepartmentRow.key == EntryRow.department_key)
        .join(newest, (newest.entry_id == EntryRow.id) & (newest.number == EntryRow.content_number))
        .outerjoin(
            published,
            (published.entry_id == EntryRow.id)
            & (published.number == EntryRow.published_number)
            & (published.number != EntryRow.content_number),
        )
        .where(named)
        .order_by(EntryRow.id)
        .execution_options(populate_existing=True)
    )
    return [_entry(row, title, body, public) for row, title, body, public in session.execute(query).tuples()]


def list_entries(
    session: Session, *, department: str | None = None, state: State | None = None, after: int = 0, limit: int = PAGE_MOST
) -> list[EntryLine]:
    """A page of entries by number, from the one after `after`."""
    wanted = [EntryRow.id > after]
    wanted += [] if department is None else [EntryRow.department_key == department]
    wanted += [] if state is None else [EntryRow.state == state.value]
    t = EntryRow.__table__.c
    query = (
        sa.select(
            t.id, t.code, t.title, t.department_key, DepartmentRow.title, t.state, t.version, t.revision, t.share, t.level, t.column_count,
            t.changed_at,
        )
        .join(DepartmentRow, DepartmentRow.key == EntryRow.department_key)
        .where(*wanted)
        .order_by(EntryRow.id)
        .limit(min(limit, PAGE_MOST))
    )  # fmt: skip
    names = list(EntryLine.__dataclass_fields__)
    return [EntryLine(**dict(zip(names, row, strict=True))) for row in session.execute(query)]


def acts_of(session: Session, entry: int) -> list[EntryAct]:
    """Every act on an entry, oldest first."""
    rows = session.scalars(sa.select(EntryActRow).filter_by(entry_id=entry).order_by(EntryActRow.revision))
    return [
        EntryAct(
            revision=r.revision,
            act=r.act,
            state_before=r.state_before,
            state=r.state,
            by=r.done_by,
            at=r.done_at,
            note=r.note,
            facts=r.facts,
        )
        for r in rows
    ]


def versions_of(session: Session, entry: int) -> list[EntryVersion]:
    """Every content of an entry, oldest first, with its difference from the one before."""
    rows = session.scalars(sa.select(EntryContentRow).filter_by(entry_id=entry).order_by(EntryContentRow.number))
    return [
        EntryVersion(number=r.number, version=r.version, by=r.changed_by, at=r.changed_at, reason=r.reason, differences=r.differences)
        for r in rows
    ]


def catalogue_version(session: Session) -> int:
    """Rises with each act on any entry: what an index over the catalogue was made from."""
    return session.scalar(sa.select(sa.func.max(EntryActRow.id))) or 0


def surroundings(session: Session, department: str, entry: int | None = None) -> Surroundings:
    """What an entry of a department is checked against: the others (not `entry` itself, nor what is cancelled)."""
    others = sa.select(EntryRow.id, EntryRow.code, EntryRow.title).where(
        EntryRow.department_key == department, EntryRow.state != State.CANCELLED, EntryRow.id != (entry or 0)
    )
    departments = frozenset(session.scalars(sa.select(DepartmentRow.key))) | frozenset(load_departments())
    return Surroundings(
        titles={fold_title(row.title): row.code or str(row.id) for row in session.execute(others)},
        codes=frozenset(session.scalars(sa.select(EntryCodeRow.code))),
        departments=departments,
    )


def add_entries(
    session: Session,
    contents: Sequence[EntryContent],
    *,
    by: str | None,
    now: datetime,
    reason: str,
    succeeds: int | None = None,
    returns: Sequence[str] | None = None,
) -> list[int]:
    """New drafts, in a handful of statements; their numbers in the order of `contents`, as the data sets of `returns` (回流) are."""
    if not contents:
        return []
    values = [
        {**_summary(content), "department_key": content.department, "state": State.DRAFT.value, "revision": 1, "content_number": 1,
         "version": 0, "succeeds_id": succeeds, "returns_key": key, "created_at": now, "changed_at": now}
        for content, key in zip(contents, returns or repeat(None, len(contents)), strict=True)
    ]  # fmt: skip
    ids = list(session.scalars(sa.insert(EntryRow).returning(EntryRow.id, sort_by_parameter_order=True), values))
    bodies: list[dict[str, Any]] = [
        {
            "entry_id": entry,
            "number": 1,
            "body": as_record(content),
            "differences": [],
            "changed_by": by,
            "changed_at": now,
            "reason": reason,
        }
        for entry, content in zip(ids, contents, strict=True)
    ]
    session.execute(sa.insert(EntryContentRow), bodies)
    acts: list[dict[str, Any]] = [
        {"entry_id": entry, "revision": 1, "act": MADE, "state_before": "", "state": State.DRAFT.value, "done_by": by, "done_at": now,
         "note": reason, "facts": {}}
        for entry in ids
    ]  # fmt: skip
    session.execute(sa.insert(EntryActRow), acts)
    return ids


def record_act(
    session: Session,
    entry: Entry,
    act: str,
    *,
    to: State,
    by: str | None,
    now: datetime,
    note: str = "",
    facts: Mapping[str, Any] | None = None,
    **changes: Any,
) -> None:
    """Write an act and what it changes of the entry's row. Refused CAT-STALE where another act came first since the entry was read."""
    done = session.execute(
        sa.update(EntryRow)
        .where(EntryRow.id == entry.id, EntryRow.revision == entry.revision)
        .values(revision=entry.revision + 1, state=to.value, changed_at=now, **changes)
        .execution_options(synchronize_session=False)
    )
    if done.rowcount != 1:  # type: ignore[attr-defined]
        raise stale(session, entry.id, entry.revision)
    row = EntryActRow(
        entry_id=entry.id,
        revision=entry.revision + 1,
        act=act,
        state_before=entry.state.value,
        state=to.value,
        done_by=by,
        done_at=now,
        note=note,
        facts=facts or {},
    )
    session.add(row)
    session.flush()


def write_content(session: Session, entry: Entry, content: EntryContent, *, by: str | None, now: datetime, reason: str) -> dict[str, Any]:
    """The next content of an entry, with its difference; returns what changes of the entry's row, for `record_act`."""
    number = 1 + (session.scalar(sa.select(sa.func.max(EntryContentRow.number)).filter_by(entry_id=entry.id)) or 0)
    told = [asdict(difference) for difference in differences(entry.content, content)]
    session.add(
        EntryContentRow(
            entry_id=entry.id,
            number=number,
            body=as_record(content),
            differences=told,
            changed_by=by,
            changed_at=now,
            reason=reason,
        )
    )
    session.flush()
    return {**_summary(content), "content_number": number}


def give_code(session: Session, entry: Entry, now: datetime) -> str:
    """The entry's code: the next serial of its category, kept for ever (C-18 to C-20). The same again where it has one."""
    if entry.code is not None:
        return entry.code
    category = entry.content.category
    assert load_classification().accepts(category), "an entry is checked before it gets a code"
    serialise(session, "entry codes")
    last = session.scalar(sa.select(sa.func.max(EntryCodeRow.serial)).where(EntryCodeRow.category == category)) or 0
    code = resource_code(category, last + 1)
    session.add(EntryCodeRow(code=code, category=category, serial=last + 1, entry_id=entry.id, given_at=now))
    session.flush()
    return code


def mark_published(session: Session, entry: Entry, version: int) -> int:
    """The newest content becomes a published version; returns its number."""
    number = session.scalar(sa.select(EntryRow.content_number).where(EntryRow.id == entry.id))
    session.execute(sa.update(EntryContentRow).filter_by(entry_id=entry.id, number=number).values(version=version))
    assert number is not None
    return number


def drop_draft(session: Session, entry: Entry) -> dict[str, Any]:
    """The published content is the newest again; the abandoned one stays in the history."""
    assert entry.published is not None
    return {
        **_summary(entry.published),
        "content_number": sa.select(EntryRow.published_number).where(EntryRow.id == entry.id).scalar_subquery(),
    }


def stale(session: Session, entry: int, seen: int) -> Refused:
    """CAT-STALE with who acted since."""
    newest = session.execute(
        sa.select(EntryActRow.revision, EntryActRow.act, EntryActRow.done_by, EntryActRow.done_at)
        .filter_by(entry_id=entry)
        .order_by(EntryActRow.revision.desc())
        .limit(1)
    ).one()
    when = f"{newest.done_at.astimezone(CHINA):%Y-%m-%d %H:%M}"
    told = f"{seen} ≠ {newest.revision}: {newest.done_by or '登记 registration'} {newest.act} {when}"
    return Refused("CAT-STALE", where=str(entry), what=told)


def _summary(content: EntryContent) -> dict[str, Any]:
    return {"title": content.title, "share": content.share, "level": content.level, "column_count": len(content.columns)}


def _entry(row: EntryRow, department_title: str, body: Mapping[str, Any], published: Mapping[str, Any] | None) -> Entry:
    """`published` is the body of the published content where that is not the newest one."""
    content = from_record(body)
    same = content if row.published_number is not None else None
    return Entry(
        id=row.id,
        code=row.code,
        department=row.department_key,
        department_title=department_title,
        state=State(row.state),
        revision=row.revision,
        version=row.version,
        content=content,
        published=same if published is None else from_record(published),
        succeeds=row.succeeds_id,
        returns=row.returns_key,
        received_at=row.received_at,
        published_at=row.published_at,
        changed_at=row.changed_at,
    )
