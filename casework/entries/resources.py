"""Data sets as the resources of entries: attached after a check, changed and taken down only after notice (law.md C-17, §7.3-2, L-28)."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy.orm import Session

from access.accounts import load_account
from audit.events import Event
from audit.log import Log
from casework.entries.acting import Notice, check_note, check_notice, check_rights, joined, log_act, recorded
from casework.entries.moves import MOVES, RESOURCE_MOVES, Act
from catalog.datasets import load_dataset
from catalog.entries.attaching import Report, report_of, resource_of, resources_of, scores_of, write_resource
from catalog.entries.reach import standing_grants
from catalog.entries.shelf import (
    acts_of,
    load_entries,
    locked_entry,
    record_act,
)
from catalog.entries.states import ResourceState, State
from catalog.store import Store
from rules.errors import Refused


def attach(store: Store, log: Log, *, by: str, dataset: str, entry: str | int, now: datetime) -> Report:
    """Make a data set a resource of an entry of the same department (C-17). Refused CAT-ATTACH where it does not keep what is declared.

    The draft that its registration had made is discarded where it holds nothing else.
    """
    with (
        recorded(log, by, "attach", entry=str(entry), dataset=dataset),
        store.session() as session,
        session.begin(),
    ):
        known, target = load_dataset(session, dataset), locked_entry(session, entry)
        account = load_account(session, by)
        for department in {known.department, target.department}:
            check_rights(account, department, MOVES[Act.EDIT], "attach")
        if known.department != target.department:
            raise Refused("CAT-ATTACH", where=dataset, what=f"{known.department} ≠ {target.department}")
        report = report_of(known, target.published or target.content, scores_of(session, [dataset]).get(dataset))
        if not report.may_attach:
            raise Refused("CAT-ATTACH", where=dataset, what=joined([p for p in report.problems if p.blocks]))
        former = resource_of(session, dataset)
        write_resource(session, target.id, report, ResourceState.ATTACHED, now)
        facts = {"dataset": dataset, "report": report.digest}
        record_act(session, target, "attach", to=target.state, by=by, now=now, facts=facts)
        if former is not None and former.entry != target.id:
            _discard_empty(session, former.entry, by, now)
        log_act(log, Event.ENTRY_ATTACHED, {"actor": by, "entry": target.id, "dataset": dataset, "report": report.digest})
        return report


def move_resource(
    store: Store, log: Log, *, by: str, dataset: str, act: str, now: datetime, note: str, notice: Notice | None = None
) -> ResourceState:
    """File a change of a resource, resume it or take it down (L-28). Refused CAT-IN-USE while grants on it stand."""
    with recorded(log, by, act, dataset=dataset), store.session() as session, session.begin():
        resource, wanted = resource_of(session, dataset), RESOURCE_MOVES[act]
        if resource is None or resource.state not in wanted.before:
            raise Refused("CAT-MOVE", where=dataset, what=f"{act} ← {resource.state.value if resource else '–'}")
        entry = locked_entry(session, resource.entry)
        check_rights(load_account(session, by), entry.department, wanted, act)
        check_note(note)
        if wanted.notice:
            check_notice(notice, True, dataset)
        if wanted.after is ResourceState.WITHDRAWN and (standing := standing_grants(session, entry.id, dataset)):
            raise Refused("CAT-IN-USE", where=dataset, what=", ".join(map(str, standing)))
        write_resource(session, entry.id, resource.report, wanted.after, now)
        facts = {"dataset": dataset, "notice": asdict(notice) if notice else None}
        record_act(session, entry, act, to=entry.state, by=by, now=now, note=note, facts=facts)
        log_act(log, Event.ENTRY_MOVED, {"actor": by, "entry": entry.id, "dataset": dataset, "act": act, "to": wanted.after.value})
        return wanted.after


def _discard_empty(session: Session, number: int, by: str, now: datetime) -> None:
    """The draft that registration made for a data set that has found its entry."""
    (entry,) = load_entries(session, [number])
    acted = any(act.by is not None for act in acts_of(session, number))
    if entry.state is State.DRAFT and entry.published is None and not acted and not resources_of(session, number):
        record_act(session, entry, Act.DISCARD, to=State.CANCELLED, by=by, now=now, note="已挂接到另一目录 attached to another entry")
