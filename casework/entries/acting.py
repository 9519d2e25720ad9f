"""Acting on an entry: rights, the two-person rule, notes and notices, clocks; each act and each refused attempt is a record."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from access.accounts import Account, load_account
from access.log_faults import log_faults_translated
from audit.events import Event
from audit.log import Log
from audit.records import names_a_person
from casework.attempts import recorded_attempt
from casework.clocks import Outcome, Subject, start, stop
from casework.entries.moves import (
    MOVES,
    NEEDS_NOTE,
    NOT_AGAIN,
    PUBLICATION_CLOCK,
    UPDATE_CLOCK,
    Act,
    Move,
    ResourceMove,
    bureau_roles,
    state_after,
)
from catalog.entries.shelf import (
    Entry,
    acts_of,
    locked_entry,
    stale,
)
from catalog.entries.states import State
from catalog.search.index import Asker, known_content
from rules.errors import Denied, NotFound, Refused

FAULTS_TOLD = 20
NOTE_CHARACTERS_MOST = 500


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What L-28 asks before a change that breaks users: how it was negotiated with them, and under which number it was filed (备案)."""

    negotiation: str
    filing: str


def recorded(log: Log, by: str, act: str, **about: str) -> AbstractContextManager[None]:
    return recorded_attempt(log, Event.ENTRY_REFUSED, actor=by, act=str(act), **about)


def log_act(log: Log, event: Event, body: Mapping[str, Any]) -> None:
    with log_faults_translated():
        log.append_sealed(event, body)


def may_act(session: Session, by: str, name: str | int, act: Act, revision: int, note: str) -> tuple[Entry, State]:
    """The entry, and the state into which the act takes it; refused where act, actor or revision is wrong.

    Who may not know of an entry learns no more of it than that there is none for him.
    """
    entry, wanted = locked_entry(session, name), MOVES[act]
    account = load_account(session, by)
    if known_content(Asker(department=account.department), entry) is None:
        raise NotFound("CAT-ENTRY", where=str(name)[:60])
    check_rights(account, entry.department, wanted, act)
    if entry.revision != revision:
        raise stale(session, entry.id, revision)
    if entry.state not in wanted.before:
        possible = ", ".join(other.value for other, row in MOVES.items() if entry.state in row.before)
        raise Refused("CAT-MOVE", where=str(entry.id), what=f"{act.value} ← {entry.state.value}; {possible or '–'}")
    check_persons(session, entry, act, by)
    check_note(note, needed=act in NEEDS_NOTE)
    return entry, state_after(entry, act)


def run_clocks(session: Session, entry: Entry, act: Act, now: datetime) -> None:
    if state_after(entry, act) is State.BUREAU_REVIEW:
        start(session, Subject.ENTRY, [entry.id], PUBLICATION_CLOCK, owed_by=None, now=now)
    elif act in (Act.PUBLISH, Act.SEND_BACK):
        stop(session, Subject.ENTRY, [entry.id], outcome=Outcome.DONE, now=now, clock=PUBLICATION_CLOCK)
    if act is Act.PUBLISH:
        stop(session, Subject.ENTRY, [entry.id], outcome=Outcome.DONE, now=now, clock=UPDATE_CLOCK)
    elif act is Act.ABANDON:
        stop(session, Subject.ENTRY, [entry.id], outcome=Outcome.VOID, now=now, clock=UPDATE_CLOCK)


def check_rights(account: Account, department: str, wanted: Move | ResourceMove, act: str) -> None:
    bureaus = bureau_roles(wanted, department)
    own = account.department == department and account.roles & wanted.own
    bureau = account.department is None and account.roles & bureaus
    if not account.active or not (own or bureau):
        needed = sorted({f"{department}: {role.value}" for role in wanted.own} | {f"bureau: {role.value}" for role in bureaus})
        raise Denied("CAT-RIGHT", where=account.name, what=f"{act}; {' | '.join(needed)}")


def check_persons(session: Session, entry: Entry, act: Act, by: str) -> None:
    """L-02: since the last publication, nobody does two of the acts that check each other."""
    round_acts = acts_of(session, entry.id)
    begun = max((a.revision for a in round_acts if a.act in (Act.PUBLISH, Act.ABANDON, Act.KEEP)), default=0)
    own = sorted({a.act for a in round_acts if a.revision > begun and a.by == by} & NOT_AGAIN.get(act, frozenset()))
    if own:
        raise Denied("CAT-TWO-PERSONS", where=by, what=f"{', '.join(own)} / {act.value}")


def check_note(note: str, *, needed: bool = False) -> None:
    if needed and not note.strip():
        raise Refused("CAT-NOTE")
    if len(note) > NOTE_CHARACTERS_MOST or names_a_person(note):
        raise Refused("CAT-NOTE", what=f"≤ {NOTE_CHARACTERS_MOST}")


def check_notice(notice: Notice | None, users: bool, where: str) -> None:
    """L-28: filed with the bureau, and negotiated where there are users."""
    filed = notice is not None and notice.filing.strip() and (notice.negotiation.strip() or not users)
    if not filed:
        raise Refused("CAT-NOTICE", where=where)
    assert notice is not None
    check_note(notice.negotiation)
    check_note(notice.filing)


def joined(found: Sequence[object]) -> str:
    more = f" … (+{len(found) - FAULTS_TOLD})" if len(found) > FAULTS_TOLD else ""
    return "; ".join(str(one) for one in found[:FAULTS_TOLD]) + more
