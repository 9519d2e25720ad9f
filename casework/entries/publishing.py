"""An entry from draft to publication, through its changes, to its end (law.md §7.3-1; L-02, L-07, L-12, L-13, L-28, C-20)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from access.accounts import ensure_department, load_account
from audit.events import Event
from audit.log import Log
from casework.clocks import Subject, extend, open_clocks, start
from casework.entries.acting import Notice, check_note, check_notice, check_rights, joined, log_act, may_act, recorded, run_clocks
from casework.entries.moves import BUREAU, MOVES, UPDATE_CLOCK, Act, Move
from catalog.entries.attaching import resources_of
from catalog.entries.changes import Breach, breaches, withdrawal
from catalog.entries.checks import EntryFault, faults_of, unstorable
from catalog.entries.content import EntryContent, digest_of
from catalog.entries.reach import TouchedGrant, standing_grants, touched_grants
from catalog.entries.shelf import (
    Entry,
    acts_of,
    add_entries,
    drop_draft,
    give_code,
    load_entry,
    locked_entry,
    mark_published,
    record_act,
    surroundings,
    write_content,
)
from catalog.entries.states import State
from catalog.published import clocks_in_force
from catalog.store import Store
from rules.classification import load_classification
from rules.clocks import Due
from rules.departments import BUREAU_DEPARTMENT
from rules.errors import Refused


@dataclass(frozen=True, kw_only=True)
class Impact:
    """What the newest content of an entry takes from its users, and whose grants that touches."""

    breaches: tuple[Breach, ...]
    grants: tuple[TouchedGrant, ...]

    @property
    def breaking(self) -> bool:
        return bool(self.breaches)


def make_entry(
    store: Store, log: Log, *, by: str, content: EntryContent, now: datetime, reason: str = "", succeeds: int | None = None
) -> Entry:
    """A new draft. `succeeds` names the entry of a former owner, published, that this one follows (C-20)."""
    with recorded(log, by, "make", department=content.department), store.session() as session, session.begin():
        check_rights(load_account(session, by), content.department, MOVES[Act.EDIT], "make")
        check_note(reason)
        _check_storable(content)
        ensure_department(session, content.department, now)
        (number,) = add_entries(session, [content], by=by, now=now, reason=reason, succeeds=succeeds)
        log_act(log, Event.ENTRY_MADE, {"actor": by, "entry": number, "department": content.department, "digest": digest_of(content)})
        return load_entry(session, number)


def edit(store: Store, log: Log, *, by: str, entry: str | int, revision: int, content: EntryContent, reason: str, now: datetime) -> Entry:
    """Put new content in the place of the newest; on a published entry this begins a change. The owner cannot change (C-20)."""
    with recorded(log, by, Act.EDIT, entry=str(entry)), store.session() as session, session.begin():
        known, after = may_act(session, by, entry, Act.EDIT, revision, reason)
        write_edit(session, known, content, after=after, by=by, reason=reason, now=now)
        log_act(log, Event.ENTRY_CHANGED, {"actor": by, "entry": known.id, "revision": known.revision + 1, "digest": digest_of(content)})
        return load_entry(session, known.id)


def write_edit(session: Session, known: Entry, content: EntryContent, *, after: State, by: str, reason: str, now: datetime) -> None:
    """The part of an edit behind its checks of who and when; `log` is the caller's. Refused where the content cannot follow the old one."""
    if fault := edit_fault(known, content):
        raise Refused(fault, where=known.code or str(known.id))
    _check_storable(content)
    changes = write_content(session, known, content, by=by, now=now, reason=reason)
    record_act(session, known, Act.EDIT, to=after, by=by, now=now, note=reason, **changes)
    if known.state is State.PUBLISHED:
        start(session, Subject.ENTRY, [known.id], UPDATE_CLOCK, owed_by=known.department, now=now)


def edit_fault(known: Entry, content: EntryContent) -> str | None:
    """Why a content cannot be the next one of an entry: its owner and, once it has a code, its class stay (C-18, C-20)."""
    if content.department != known.department:
        return "CAT-OWNER"
    if known.code is not None and content.category != known.content.category:
        return "CAT-CATEGORY"
    return "CAT-UNCHANGED" if content == known.content else None


def move(
    store: Store,
    log: Log,
    *,
    by: str,
    entry: str | int,
    act: Act,
    revision: int,
    now: datetime,
    note: str = "",
    notice: Notice | None = None,
) -> Entry:
    """Do one act of the table other than an edit. All reasons for which it is refused are told with their rule."""
    assert act is not Act.EDIT, "an edit brings content"
    with recorded(log, by, act, entry=str(entry)), store.session() as session, session.begin():
        known, after = may_act(session, by, entry, act, revision, note)
        step = STEPS.get(act)
        facts, changes = step(session, known, notice, now) if step else ({}, {})
        record_act(session, known, act, to=after, by=by, now=now, note=note, facts=facts, **changes)
        run_clocks(session, known, act, now)
        told = {
            "actor": by,
            "entry": known.id,
            "act": act.value,
            "from": known.state.value,
            "to": after.value,
            "revision": known.revision + 1,
        }
        log_act(
            log, Event.ENTRY_MOVED, told | {"digest": digest_of(known.content), "grants": [g["grant"] for g in facts.get("grants", ())]}
        )
        return load_entry(session, known.id)


def impact_of(session: Session, entry: Entry) -> Impact:
    """What publishing the newest content would take from users (L-28)."""
    if entry.published is None:
        return Impact(breaches=(), grants=())
    found = breaches(entry.published, entry.content)
    return Impact(breaches=tuple(found), grants=tuple(touched_grants(session, entry.id, entry.published, found)))


def entry_faults(session: Session, entry: Entry) -> list[EntryFault]:
    """What keeps the entry from being submitted (C-15, L-07, L-08, L-10)."""
    return faults_of(entry.content, surroundings(session, entry.department, entry.id))


def extend_update(store: Store, log: Log, *, by: str, entry: str | int, now: datetime, note: str) -> Due:
    """The bureau consents to a later update of an entry, once (L-13: +5 working days). Refused CAT-EXTENSION where none runs or it was."""
    with recorded(log, by, "extend", entry=str(entry)), store.session() as session, session.begin():
        known = locked_entry(session, entry)
        check_rights(load_account(session, by), known.department, Move(before=frozenset(), after=known.state, bureau=BUREAU), "extend")
        check_note(note, needed=True)
        running = [clock for clock in open_clocks(session, Subject.ENTRY, [known.id]) if clock.clock == UPDATE_CLOCK]
        if not running or running[0].extended_days:
            raise Refused("CAT-EXTENSION", where=str(known.id))
        days = clocks_in_force(session).days("entry_extension")
        due = extend(session, Subject.ENTRY, known.id, UPDATE_CLOCK, days)
        record_act(session, known, "extend", to=known.state, by=by, now=now, note=note, facts={"days": days, "due": due.day.isoformat()})
        log_act(log, Event.ENTRY_MOVED, {"actor": by, "entry": known.id, "act": "extend", "days": days, "due": due.day.isoformat()})
        return due


def succeed(store: Store, log: Log, *, by: str, entry: str | int, now: datetime, reason: str) -> Entry:
    """The acting department takes a published entry of another owner over: an entry of its own, with a code of its own, that names the one
    it follows (C-20). The former one stays until it is withdrawn."""
    with store.session() as session:
        former, account = load_entry(session, entry), load_account(session, by)
    if former.published is None or account.department is None:
        raise Refused("CAT-OWNER", where=str(former.id))
    content = replace(former.published, department=account.department, category=load_classification().category_of(account.department))
    return make_entry(store, log, by=by, content=content, now=now, reason=reason, succeeds=former.id)


Done = tuple[dict[str, Any], dict[str, Any]]
"""Facts of an act, and what it changes of the entry's row."""


def _submit(session: Session, entry: Entry, notice: Notice | None, now: datetime) -> Done:
    _check_content(session, entry)
    impact = impact_of(session, entry)
    if impact.breaking:
        check_notice(notice, bool(impact.grants), str(entry.id))
    changes = {"code": give_code(session, entry, now)} | ({"received_at": now} if entry.department == BUREAU_DEPARTMENT else {})
    return _facts(impact.breaches, impact.grants, notice if impact.breaking else None), changes


def _approve(_session: Session, _entry: Entry, _notice: Notice | None, now: datetime) -> Done:
    return {}, {"received_at": now}


def _publish(session: Session, entry: Entry, _notice: Notice | None, now: datetime) -> Done:
    """Checked again: meanwhile another entry may have taken the title, or a new grant may have come that the change breaks."""
    _check_content(session, entry)
    impact = impact_of(session, entry)
    told = {g["grant"] for a in acts_of(session, entry.id) if a.act == Act.SUBMIT for g in a.facts.get("grants", ())}
    if fresh := [g.grant for g in impact.grants if g.grant not in told]:
        raise Refused("CAT-NEW-USERS", where=str(entry.id), what=", ".join(map(str, fresh)))
    version = entry.version + 1
    number = mark_published(session, entry, version)
    changes = {"published_number": number, "version": version, "published_at": now, "received_at": None}
    return _facts(impact.breaches, impact.grants, None) | {"version": version}, changes


def _send_back(_session: Session, _entry: Entry, _notice: Notice | None, _now: datetime) -> Done:
    return {}, {"received_at": None}


def _abandon(session: Session, entry: Entry, _notice: Notice | None, _now: datetime) -> Done:
    return {}, drop_draft(session, entry)


def _withdraw(session: Session, entry: Entry, notice: Notice | None, _now: datetime) -> Done:
    found = withdrawal(entry.content)
    grants = touched_grants(session, entry.id, entry.content, found)
    check_notice(notice, bool(grants), str(entry.id))
    return _facts(found, grants, notice), {}


def _cancel(session: Session, entry: Entry, _notice: Notice | None, _now: datetime) -> Done:
    """TX-27: not while someone depends on it."""
    if standing := standing_grants(session, entry.id):
        raise Refused("CAT-IN-USE", where=str(entry.id), what=", ".join(map(str, standing)))
    return {}, {}


def _discard(session: Session, entry: Entry, _notice: Notice | None, _now: datetime) -> Done:
    if resources := [r.dataset for r in resources_of(session, entry.id)]:
        raise Refused("CAT-HOLDS-DATA", where=str(entry.id), what=joined(resources))
    return {}, {}


STEPS: Mapping[Act, Callable[[Session, Entry, Notice | None, datetime], Done]] = {
    Act.SUBMIT: _submit,
    Act.APPROVE: _approve,
    Act.PUBLISH: _publish,
    Act.SEND_BACK: _send_back,
    Act.ABANDON: _abandon,
    Act.WITHDRAW: _withdraw,
    Act.CANCEL: _cancel,
    Act.DISCARD: _discard,
}
"""What an act does besides changing the state."""


def _check_storable(content: EntryContent) -> None:
    if faults := unstorable(content):
        raise Refused("CAT-FAULTS", what=joined(faults))


def _check_content(session: Session, entry: Entry) -> None:
    if faults := entry_faults(session, entry):
        raise Refused("CAT-FAULTS", where=str(entry.id), what=joined(faults))


def _facts(found: Sequence[Breach], grants: Sequence[TouchedGrant], notice: Notice | None) -> dict[str, Any]:
    told = {"breaches": [asdict(breach) for breach in found], "grants": [asdict(grant) for grant in grants]}
    return told | ({"notice": asdict(notice)} if notice else {})
