"""The road of a catalogue entry (目录): who compiles, approves, publishes, changes and withdraws it (law.md §7.3).

What may be done in which state, and by whom, is the table `MOVES`. Inside a department nobody approves what he compiled or submitted, and
at the bureau nobody publishes it (L-02). Every act is a record of the log before it is committed; so is every attempt that was refused.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from access.accounts import Account, Role, ensure_department, load_account
from access.log_faults import log_faults_translated
from audit.events import Event
from audit.log import Log
from audit.records import names_a_person
from casework.attempts import recorded_attempt
from casework.clocks import Outcome, Subject, extend, open_clocks, start, stop
from catalog.datasets import load_dataset
from catalog.entries.attaching import IN_SERVICE, Report, report_of, resource_of, resources_of, scores_of, write_resource
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
    load_entries,
    load_entry,
    locked_entry,
    mark_published,
    record_act,
    stale,
    surroundings,
    write_content,
)
from catalog.entries.states import ResourceState, State
from catalog.published import clocks_in_force
from catalog.store import Store
from rules.classification import load_classification
from rules.clocks import Due
from rules.errors import Denied, Refused

FAULTS_TOLD = 20
NOTE_CHARACTERS_MOST = 500


class Act(StrEnum):
    """What can be done to an entry."""

    EDIT = "edit"
    SUBMIT = "submit"
    APPROVE = "approve"
    RETURN = "return"
    PUBLISH = "publish"
    SEND_BACK = "send_back"
    ABANDON = "abandon"
    WITHDRAW = "withdraw"
    KEEP = "keep"
    CANCEL = "cancel"
    DISCARD = "discard"


ACT_TITLES: Mapping[str, str] = {
    "make": "新建 made",
    "follow": "随合同更新 followed the contract",
    "attach": "挂接 attached",
    "file_change": "资源变更备案 change of a resource filed",
    "extend": "同意延期更新 later update agreed",
    "resume": "资源恢复 resource resumed",
    "take_down": "资源下线 resource taken down",
    Act.EDIT: "编辑 edited",
    Act.SUBMIT: "提交 submitted",
    Act.APPROVE: "部门审核通过 approved by the department",
    Act.RETURN: "部门退回 returned by the department",
    Act.PUBLISH: "发布 published",
    Act.SEND_BACK: "主管部门退回 sent back by the bureau",
    Act.ABANDON: "放弃变更 change abandoned",
    Act.WITHDRAW: "申请下线 withdrawal filed",
    Act.KEEP: "恢复 kept",
    Act.CANCEL: "注销 cancelled",
    Act.DISCARD: "作废草稿 draft discarded",
}

HANDLER = frozenset({Role.DEPARTMENT_REQUESTER})
"""经办: compiles and submits for the own department."""
HEAD = frozenset({Role.DEPARTMENT_HEAD})
REGISTRAR = frozenset({Role.BUREAU_REGISTRAR})
BUREAU = frozenset({Role.BUREAU_REGISTRAR, Role.BUREAU_APPROVER})
NOBODY: frozenset[Role] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Move:
    """One act: from which states to which, and whose it is: accounts of the entry's own department with one of the roles `own`, or of the
    bureau with one of `bureau`. `again` is the state it leads to once the entry has been published."""

    before: frozenset[State]
    after: State
    again: State | None = None
    own: frozenset[Role] = NOBODY
    bureau: frozenset[Role] = NOBODY


MOVES: Mapping[Act, Move] = {
    Act.EDIT: Move(
        before=frozenset({State.DRAFT, State.CHANGING, State.PUBLISHED}),
        after=State.DRAFT,
        again=State.CHANGING,
        own=HANDLER,
        bureau=REGISTRAR,
    ),
    Act.SUBMIT: Move(before=frozenset({State.DRAFT, State.CHANGING}), after=State.DEPARTMENT_REVIEW, own=HANDLER),
    Act.APPROVE: Move(before=frozenset({State.DEPARTMENT_REVIEW}), after=State.BUREAU_REVIEW, own=HEAD),
    Act.RETURN: Move(before=frozenset({State.DEPARTMENT_REVIEW}), after=State.DRAFT, again=State.CHANGING, own=HEAD),
    Act.PUBLISH: Move(before=frozenset({State.BUREAU_REVIEW}), after=State.PUBLISHED, bureau=BUREAU),
    Act.SEND_BACK: Move(before=frozenset({State.BUREAU_REVIEW}), after=State.DRAFT, again=State.CHANGING, bureau=BUREAU),
    Act.ABANDON: Move(before=frozenset({State.CHANGING}), after=State.PUBLISHED, own=HANDLER),
    Act.WITHDRAW: Move(before=frozenset({State.PUBLISHED}), after=State.WITHDRAWAL, own=HEAD),
    Act.KEEP: Move(before=frozenset({State.WITHDRAWAL}), after=State.PUBLISHED, own=HEAD, bureau=BUREAU),
    Act.CANCEL: Move(before=frozenset({State.WITHDRAWAL}), after=State.CANCELLED, bureau=BUREAU),
    Act.DISCARD: Move(before=frozenset({State.DRAFT}), after=State.CANCELLED, own=HANDLER),
}
"""§7.3-1. Everything that does not stand here is illegal."""

NOT_AGAIN: Mapping[Act, frozenset[str]] = {
    Act.APPROVE: frozenset({Act.EDIT, Act.SUBMIT, "make"}),
    Act.PUBLISH: frozenset({Act.EDIT, Act.SUBMIT, Act.APPROVE, "make"}),
    Act.CANCEL: frozenset({Act.WITHDRAW}),
}
"""Two-person rule (L-02): who did one of these since the last publication may not do this."""
UPDATE_CLOCK, PUBLICATION_CLOCK = "entry_update", "entry_publication"
"""L-13: the department's for a change, from the day on which it begins; the bureau's for review and publication, from receipt."""
NEEDS_NOTE = frozenset({Act.RETURN, Act.SEND_BACK, Act.WITHDRAW, Act.KEEP, Act.DISCARD})


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What L-28 asks before a change that breaks users: how it was negotiated with them, and under which number it was filed (备案)."""

    negotiation: str
    filing: str


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
    with _recorded(log, by, "make", department=content.department), store.session() as session, session.begin():
        _check_rights(load_account(session, by), content.department, MOVES[Act.EDIT], "make")
        _check_note(reason)
        _check_storable(content)
        ensure_department(session, content.department, now)
        (number,) = add_entries(session, [content], by=by, now=now, reason=reason, succeeds=succeeds)
        _log(log, Event.ENTRY_MADE, {"actor": by, "entry": number, "department": content.department, "digest": digest_of(content)})
        return load_entry(session, number)


def edit(store: Store, log: Log, *, by: str, entry: str | int, revision: int, content: EntryContent, reason: str, now: datetime) -> Entry:
    """Put new content in the place of the newest; on a published entry this begins a change. The owner cannot change (C-20)."""
    with _recorded(log, by, Act.EDIT, entry=str(entry)), store.session() as session, session.begin():
        known, after = _may(session, by, entry, Act.EDIT, revision, reason)
        write_edit(session, known, content, after=after, by=by, reason=reason, now=now)
        _log(log, Event.ENTRY_CHANGED, {"actor": by, "entry": known.id, "revision": known.revision + 1, "digest": digest_of(content)})
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


def state_after(entry: Entry, act: Act) -> State:
    """Where an act of the table leads from where an entry stands."""
    wanted = MOVES[act]
    return wanted.again if wanted.again is not None and entry.published is not None else wanted.after


def may_edit(account: Account, department: str) -> bool:
    """Whether an account compiles entries of a department."""
    own, bureau = MOVES[Act.EDIT].own, MOVES[Act.EDIT].bureau
    return account.active and bool(
        account.roles & own if account.department == department else account.department is None and account.roles & bureau
    )


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
    with _recorded(log, by, act, entry=str(entry)), store.session() as session, session.begin():
        known, after = _may(session, by, entry, act, revision, note)
        step = STEPS.get(act)
        facts, changes = step(session, known, notice, now) if step else ({}, {})
        record_act(session, known, act, to=after, by=by, now=now, note=note, facts=facts, **changes)
        _run_clocks(session, known, act, now)
        told = {
            "actor": by,
            "entry": known.id,
            "act": act.value,
            "from": known.state.value,
            "to": after.value,
            "revision": known.revision + 1,
        }
        _log(log, Event.ENTRY_MOVED, told | {"digest": digest_of(known.content), "grants": [g["grant"] for g in facts.get("grants", ())]})
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


def attach(store: Store, log: Log, *, by: str, dataset: str, entry: str | int, now: datetime) -> Report:
    """Make a data set a resource of an entry of the same department (C-17). Refused CAT-ATTACH where it does not keep what is declared.

    The draft that its registration had made is discarded where it holds nothing else.
    """
    with (
        _recorded(log, by, "attach", entry=str(entry), dataset=dataset),
        store.session() as session,
        session.begin(),
    ):
        known, target = load_dataset(session, dataset), locked_entry(session, entry)
        account = load_account(session, by)
        for department in {known.department, target.department}:
            _check_rights(account, department, MOVES[Act.EDIT], "attach")
        if known.department != target.department:
            raise Refused("CAT-ATTACH", where=dataset, what=f"{known.department} ≠ {target.department}")
        report = report_of(known, target.published or target.content, scores_of(session, [dataset]).get(dataset))
        if not report.may_attach:
            raise Refused("CAT-ATTACH", where=dataset, what=_joined([p for p in report.problems if p.blocks]))
        former = resource_of(session, dataset)
        write_resource(session, target.id, report, ResourceState.ATTACHED, now)
        facts = {"dataset": dataset, "report": report.digest}
        record_act(session, target, "attach", to=target.state, by=by, now=now, facts=facts)
        if former is not None and former.entry != target.id:
            _discard_empty(session, former.entry, by, now)
        _log(log, Event.ENTRY_ATTACHED, {"actor": by, "entry": target.id, "dataset": dataset, "report": report.digest})
        return report


def extend_update(store: Store, log: Log, *, by: str, entry: str | int, now: datetime, note: str) -> Due:
    """The bureau consents to a later update of an entry, once (L-13: +5 working days). Refused CAT-EXTENSION where none runs or it was."""
    with _recorded(log, by, "extend", entry=str(entry)), store.session() as session, session.begin():
        known = locked_entry(session, entry)
        _check_rights(load_account(session, by), known.department, Move(before=frozenset(), after=known.state, bureau=BUREAU), "extend")
        _check_note(note, needed=True)
        running = [clock for clock in open_clocks(session, Subject.ENTRY, [known.id]) if clock.clock == UPDATE_CLOCK]
        if not running or running[0].extended_days:
            raise Refused("CAT-EXTENSION", where=str(known.id))
        days = clocks_in_force(session).days("entry_extension")
        due = extend(session, Subject.ENTRY, known.id, UPDATE_CLOCK, days)
        record_act(session, known, "extend", to=known.state, by=by, now=now, note=note, facts={"days": days, "due": due.day.isoformat()})
        _log(log, Event.ENTRY_MOVED, {"actor": by, "entry": known.id, "act": "extend", "days": days, "due": due.day.isoformat()})
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


@dataclass(frozen=True, kw_only=True)
class ResourceMove:
    """An act on a resource (§7.3-2): as `Move`, and whether L-28's notice is needed."""

    before: frozenset[ResourceState]
    after: ResourceState
    own: frozenset[Role] = NOBODY
    bureau: frozenset[Role] = NOBODY
    notice: bool = False


RESOURCE_MOVES: Mapping[str, ResourceMove] = {
    "file_change": ResourceMove(before=frozenset(IN_SERVICE), after=ResourceState.CHANGE_FILED, own=HEAD, notice=True),
    "resume": ResourceMove(before=frozenset({ResourceState.CHANGE_FILED}), after=ResourceState.ATTACHED, own=HANDLER | HEAD, bureau=BUREAU),
    "take_down": ResourceMove(before=frozenset({ResourceState.CHANGE_FILED}), after=ResourceState.WITHDRAWN, bureau=BUREAU),
}
"""What people do to a resource besides attaching it; running and abnormal are found by the platform (`catalog.entries.attaching`)."""


def move_resource(
    store: Store, log: Log, *, by: str, dataset: str, act: str, now: datetime, note: str, notice: Notice | None = None
) -> ResourceState:
    """File a change of a resource, resume it or take it down (L-28). Refused CAT-IN-USE while grants on it stand."""
    with _recorded(log, by, act, dataset=dataset), store.session() as session, session.begin():
        resource, wanted = resource_of(session, dataset), RESOURCE_MOVES[act]
        if resource is None or resource.state not in wanted.before:
            raise Refused("CAT-MOVE", where=dataset, what=f"{act} ← {resource.state.value if resource else '–'}")
        entry = locked_entry(session, resource.entry)
        _check_rights(load_account(session, by), entry.department, wanted, act)
        _check_note(note)
        if wanted.notice:
            _check_notice(notice, True, dataset)
        if wanted.after is ResourceState.WITHDRAWN and (standing := standing_grants(session, entry.id, dataset)):
            raise Refused("CAT-IN-USE", where=dataset, what=", ".join(map(str, standing)))
        write_resource(session, entry.id, resource.report, wanted.after, now)
        facts = {"dataset": dataset, "notice": asdict(notice) if notice else None}
        record_act(session, entry, act, to=entry.state, by=by, now=now, note=note, facts=facts)
        _log(log, Event.ENTRY_MOVED, {"actor": by, "entry": entry.id, "dataset": dataset, "act": act, "to": wanted.after.value})
        return wanted.after


def _recorded(log: Log, by: str, act: str, **about: str) -> AbstractContextManager[None]:
    return recorded_attempt(log, Event.ENTRY_REFUSED, actor=by, act=str(act), **about)


def _log(log: Log, event: Event, body: Mapping[str, Any]) -> None:
    with log_faults_translated():
        log.append_sealed(event, body)


def _may(session: Session, by: str, name: str | int, act: Act, revision: int, note: str) -> tuple[Entry, State]:
    """The entry, and the state into which the act takes it; refused where act, actor or revision is wrong."""
    entry, wanted = locked_entry(session, name), MOVES[act]
    account = load_account(session, by)
    _check_rights(account, entry.department, wanted, act)
    if entry.revision != revision:
        raise stale(session, entry.id, revision)
    if entry.state not in wanted.before:
        possible = ", ".join(other.value for other, row in MOVES.items() if entry.state in row.before)
        raise Refused("CAT-MOVE", where=str(entry.id), what=f"{act.value} ← {entry.state.value}; {possible or '–'}")
    _check_persons(session, entry, act, by)
    _check_note(note, needed=act in NEEDS_NOTE)
    return entry, state_after(entry, act)


def _run_clocks(session: Session, entry: Entry, act: Act, now: datetime) -> None:
    if act is Act.APPROVE:
        start(session, Subject.ENTRY, [entry.id], PUBLICATION_CLOCK, owed_by=None, now=now)
    elif act in (Act.PUBLISH, Act.SEND_BACK):
        stop(session, Subject.ENTRY, [entry.id], outcome=Outcome.DONE, now=now, clock=PUBLICATION_CLOCK)
    if act is Act.PUBLISH:
        stop(session, Subject.ENTRY, [entry.id], outcome=Outcome.DONE, now=now, clock=UPDATE_CLOCK)
    elif act is Act.ABANDON:
        stop(session, Subject.ENTRY, [entry.id], outcome=Outcome.VOID, now=now, clock=UPDATE_CLOCK)


def _check_rights(account: Account, department: str, wanted: Move | ResourceMove, act: str) -> None:
    own = account.department == department and account.roles & wanted.own
    bureau = account.department is None and account.roles & wanted.bureau
    if not account.active or not (own or bureau):
        needed = sorted({f"{department}: {role.value}" for role in wanted.own} | {f"bureau: {role.value}" for role in wanted.bureau})
        raise Denied("CAT-RIGHT", where=account.name, what=f"{act}; {' | '.join(needed)}")


def _check_persons(session: Session, entry: Entry, act: Act, by: str) -> None:
    """L-02: since the last publication, nobody does two of the acts that check each other."""
    round_acts = acts_of(session, entry.id)
    begun = max((a.revision for a in round_acts if a.act in (Act.PUBLISH, Act.ABANDON, Act.KEEP)), default=0)
    own = sorted({a.act for a in round_acts if a.revision > begun and a.by == by} & NOT_AGAIN.get(act, frozenset()))
    if own:
        raise Denied("CAT-TWO-PERSONS", where=by, what=f"{', '.join(own)} / {act.value}")


def _check_note(note: str, *, needed: bool = False) -> None:
    if needed and not note.strip():
        raise Refused("CAT-NOTE")
    if len(note) > NOTE_CHARACTERS_MOST or names_a_person(note):
        raise Refused("CAT-NOTE", what=f"≤ {NOTE_CHARACTERS_MOST}")


def _check_notice(notice: Notice | None, users: bool, where: str) -> None:
    """L-28: filed with the bureau, and negotiated where there are users."""
    filed = notice is not None and notice.filing.strip() and (notice.negotiation.strip() or not users)
    if not filed:
        raise Refused("CAT-NOTICE", where=where)
    assert notice is not None
    _check_note(notice.negotiation)
    _check_note(notice.filing)


Done = tuple[dict[str, Any], dict[str, Any]]
"""Facts of an act, and what it changes of the entry's row."""


def _submit(session: Session, entry: Entry, notice: Notice | None, now: datetime) -> Done:
    _check_content(session, entry)
    impact = impact_of(session, entry)
    if impact.breaking:
        _check_notice(notice, bool(impact.grants), str(entry.id))
    return _facts(impact.breaches, impact.grants, notice if impact.breaking else None), {"code": give_code(session, entry, now)}


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
    _check_notice(notice, bool(grants), str(entry.id))
    return _facts(found, grants, notice), {}


def _cancel(session: Session, entry: Entry, _notice: Notice | None, _now: datetime) -> Done:
    """TX-27: not while someone depends on it."""
    if standing := standing_grants(session, entry.id):
        raise Refused("CAT-IN-USE", where=str(entry.id), what=", ".join(map(str, standing)))
    return {}, {}


def _discard(session: Session, entry: Entry, _notice: Notice | None, _now: datetime) -> Done:
    if resources := [r.dataset for r in resources_of(session, entry.id)]:
        raise Refused("CAT-HOLDS-DATA", where=str(entry.id), what=", ".join(resources[:FAULTS_TOLD]))
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
        raise Refused("CAT-FAULTS", what=_joined(faults))


def _check_content(session: Session, entry: Entry) -> None:
    if faults := entry_faults(session, entry):
        raise Refused("CAT-FAULTS", where=str(entry.id), what=_joined(faults))


def _joined(found: Sequence[object]) -> str:
    more = f" … (+{len(found) - FAULTS_TOLD})" if len(found) > FAULTS_TOLD else ""
    return "; ".join(str(one) for one in found[:FAULTS_TOLD]) + more


def _facts(found: Sequence[Breach], grants: Sequence[TouchedGrant], notice: Notice | None) -> dict[str, Any]:
    told = {"breaches": [asdict(breach) for breach in found], "grants": [asdict(grant) for grant in grants]}
    return told | ({"notice": asdict(notice)} if notice else {})


def _discard_empty(session: Session, number: int, by: str, now: datetime) -> None:
    """The draft that registration made for a data set that has found its entry."""
    (entry,) = load_entries(session, [number])
    acted = any(act.by is not None for act in acts_of(session, number))
    if entry.state is State.DRAFT and entry.published is None and not acted and not resources_of(session, number):
        record_act(session, entry, Act.DISCARD, to=State.CANCELLED, by=by, now=now, note="已挂接到另一目录 attached to another entry")
