"""Statements to residents (个人信息查阅告知书): who looked at my data, when, what for, by which way (PIPL 45, law.md A-08).

A resident asks at the bureau's counter. The clerk, a registrar, sees nothing of the log, only what is told to the resident: no account, no
case number, no terminal, no other person, and no index of a record. Auditors keep reading the log itself (A-02).

What has to wait (`rules.oversight.Deferral`) is left out before anything is counted or divided into pages, and the same sentence stands
under every statement, so that a statement does not tell whether anything was left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from access.accounts import Role, load_account
from access.log_faults import log_faults_translated
from access.readers import Reader
from access.reasons import reason_faults
from audit.events import Event
from audit.finding import EVENT, Wanted
from audit.log import Entry
from catalog.schema import DataGrantRow, DepartmentRow, LinkageTicketRow
from catalog.snapshots import CHINA
from oversight.accesses import opener_of
from oversight.facets import term
from oversight.people import HASHED, Person, find_person
from oversight.reading_room import ReadingRoom
from oversight.search import seen_seqs, withheld_among
from rules.errors import Denied, NotFound, Refused
from rules.oversight import Deferral

LINES_A_PAGE = 50
BUREAU = "政务服务数据管理局 the data bureau"
DUTY = "依法履行职责 in the exercise of its duty"
NOTICE = (
    "依法应当保密或者告知将妨碍履行职责的查阅，在保密期满或解除后告知。"
    "Accesses that the law keeps secret, or of which telling would obstruct a duty, are told of when the secrecy has ended."
)
WAYS: Mapping[str, str] = {
    "extract": "批量提供 in a file of many",
    "look_up": "逐人查询 looked up",
    "verify": "信息核验 compared with what was given",
    "golden": "数据治理 kept in order by the bureau",
    "crosswalk": "数据治理 kept in order by the bureau",
    "why": "数据治理 kept in order by the bureau",
    "review": "数据治理 kept in order by the bureau",
}
OTHERWISE = "数据核对 checked"
"""Of acts in which another person's affairs would show no more is told."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One access as the resident is told of it; `at` in China's time, to the minute."""

    at: str
    institution: str
    purpose: str
    legal_basis: str
    way: str


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A page, newest first. `unclear`: bulk answers of which it can no longer be said whether they held the resident."""

    lines: tuple[Line, ...]
    unclear: int
    page: int
    more: bool
    notice: str = NOTICE


@dataclass(frozen=True, kw_only=True)
class _Told:
    """An access with all that its line and its waiting depend on."""

    at: datetime
    act: str
    department: str | None
    purpose: str
    legal_bases: tuple[str, ...]
    released_at: datetime | None


def told_from(deferral: Deferral, at: datetime, legal_bases: Iterable[str], released_at: datetime | None) -> datetime:
    """From when on a resident is told of an access of the time `at`."""
    due = at + timedelta(days=deferral.days_of(legal_bases))
    return due if released_at is None else max(at, min(due, released_at))


def give_statement(room: ReadingRoom, clerk: Reader, resident: str, deferral: Deferral, *, page: int = 1) -> Statement:
    """What a resident is told, a page of it. On record before it is given, with how much had to wait, which only auditors read.

    Denied DOOR-DENIED for anybody but a registrar; NotFound OVS-PERSON; Refused OVS-PURPOSE without the application's number.
    """
    room.admit(clerk, "statement", Role.BUREAU_REGISTRAR)
    if page < 1:
        raise Refused("OVS-PAGE", what=str(page))
    if HASHED.fullmatch(resident.strip()):  # a hash is for auditors: whoever asks for himself has a number
        raise NotFound("OVS-PERSON")
    person = find_person(room, resident)
    now = room.clock()
    with log_faults_translated():
        accesses, unclear = _accesses(room, person)
        shown = [one for one in accesses if _may_be_told(deferral, one, now)]
        open_ = [one for one in unclear if _may_be_told(deferral, one, now)]
        found = _page(room, shown, len(open_), page, deferral)
        waiting = len(accesses) + len(unclear) - len(shown) - len(open_)
        counts = {"lines": len(found.lines), "told": len(shown), "unclear": len(open_), "waiting": waiting}
        body = {"actor": clerk.name, "purpose": clerk.purpose, "subject": person.recorded, "page": page, "found": counts}
        room.log.append_sealed(Event.STATEMENT_GIVEN, body)
    return found


def release(room: ReadingRoom, *, by: str, grant: int, why: str) -> None:
    """Accesses under a grant are told of from now on, before their time: the head of the department that has the grant says so, and why.

    Each department decides about its own secrets. NotFound REQ-GRANT; Denied DOOR-DENIED; Refused OVS-RELEASE. Refusals are on record.
    """
    with room.store.session() as session:
        row = session.get(DataGrantRow, grant)
        try:
            account = load_account(session, by)
        except NotFound:
            account = None
    if row is None:
        raise NotFound("REQ-GRANT", where=str(grant))
    heads = account is not None and account.active and Role.DEPARTMENT_HEAD in account.roles and account.department == row.grantee_key
    faults = reason_faults(why)
    with log_faults_translated():
        if not heads or faults:
            body = {"actor": by, "what": "release", "grant": grant, "why": "no_role" if not heads else "no_reason"}
            room.log.append_sealed(Event.STATEMENT_REFUSED, body)
        else:
            room.log.append_sealed(Event.DEFERRAL_RELEASED, {"actor": by, "grant": grant, "why": why})
    if not heads:
        raise Denied(
            "DOOR-DENIED", where=f"{grant}", what="由该授权使用部门的负责人解除 the head of the department that has the grant releases it"
        )
    if faults:
        raise Refused("OVS-RELEASE", where=str(grant), what="; ".join(faults))


def _accesses(room: ReadingRoom, person: Person) -> tuple[list[_Told], list[_Told]]:
    """Answers about the person, newest first; and the bulk answers that may have held the person or not."""
    direct, bulk = seen_seqs(room, person, None, None)
    seqs = sorted({*direct, *bulk}, reverse=True)
    unread = sorted(set(room.finder.unreadable()) - set(seqs), reverse=True)
    kept_back = withheld_among(room, [*seqs, *unread])
    reader = _Reading(room)
    told = [[reader.read(seq) for seq in some if seq not in kept_back] for some in (seqs, unread)]
    return told[0], told[1]


class _Reading:
    """Reads records with the grants that they name; each grant once."""

    def __init__(self, room: ReadingRoom) -> None:
        self._room = room
        self._grants: dict[int, tuple[str, str, datetime | None]] = {}

    def read(self, seq: int) -> _Told:
        entry = self._room.log.entry(seq)
        opener = opener_of(self._room.log, entry)
        body: Mapping[str, Any] = {**(opener.record.body if opener else {}), **entry.record.body}
        grants = [self._grant(number) for number in _named(body)]
        ticket = body.get("ticket") if entry.record.event is Event.LINK_RESULT else None
        cited = [self._basis_of_ticket(ticket)] if isinstance(ticket, int) else []
        releases = [released for _, _, released in grants]
        return _Told(
            at=entry.record.at,
            act=entry.record.event.object,
            department=body.get("department"),
            purpose=grants[0][0] if len(grants) == 1 else "",
            legal_bases=(*(basis for _, basis, _ in grants), *cited),
            released_at=max(one for one in releases if one) if releases and all(releases) else None,
        )

    def _grant(self, number: int) -> tuple[str, str, datetime | None]:
        """Purpose, legal basis, and when the head of the department released it."""
        if number not in self._grants:
            with self._room.store.session() as session:
                row = session.get(DataGrantRow, number)
                terms = ("", "") if row is None else (row.purpose, row.legal_basis)
            self._grants[number] = (*terms, _released_at(self._room, number))
        return self._grants[number]

    def _basis_of_ticket(self, ticket: int) -> str:
        with self._room.store.session() as session:
            row = session.get(LinkageTicketRow, ticket)
        return "" if row is None else row.legal_basis


def _named(body: Mapping[str, Any]) -> list[int]:
    several = body.get("grants")
    listed = several if isinstance(several, list) else [body.get("grant")]
    return [number for number in listed if isinstance(number, int)]


def _released_at(room: ReadingRoom, grant: int) -> datetime | None:
    found = room.finder.all(Wanted(all_of=[{term("grant", grant)}, {term(EVENT, Event.DEFERRAL_RELEASED)}]))
    entries: list[Entry] = [room.log.entry(seq) for seq in found]
    return min((entry.record.at for entry in entries), default=None)


def _may_be_told(deferral: Deferral, one: _Told, now: datetime) -> bool:
    return now >= told_from(deferral, one.at, one.legal_bases, one.released_at)


def _page(room: ReadingRoom, shown: list[_Told], unclear: int, page: int, deferral: Deferral) -> Statement:
    here = shown[(page - 1) * LINES_A_PAGE : page * LINES_A_PAGE]
    with room.store.session() as session:
        titles = dict(session.execute(sa.select(DepartmentRow.key, DepartmentRow.title)).tuples().all())
    lines = tuple(_line(one, titles, deferral) for one in here)
    return Statement(lines=lines, unclear=unclear, page=page, more=len(shown) > page * LINES_A_PAGE)


def _line(one: _Told, titles: Mapping[str, str], deferral: Deferral) -> Line:
    others = one.act in deferral.other_persons
    return Line(
        at=f"{one.at.astimezone(CHINA):%Y-%m-%d %H:%M}",
        institution=BUREAU if one.department is None else titles.get(one.department, one.department),
        purpose=DUTY if others else one.purpose or DUTY,
        legal_basis="" if others else "; ".join(dict.fromkeys(one.legal_bases)),
        way=OTHERWISE if others else WAYS.get(one.act, OTHERWISE),
    )
