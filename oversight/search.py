"""Search (检索): records by actor, department, subject, grant, purpose, time, event, outcome, in pages; and who has seen a person."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from access.readers import Reader
from audit.finding import ACTION, EVENT, Wanted
from audit.log import Log
from oversight.accesses import Access, read_accesses
from oversight.facets import FACETS, SUBJECT, term
from oversight.people import Person, find_person
from oversight.reading_room import ReadingRoom
from rules.errors import Refused

PAGE = 50
MOST_A_PAGE = 500
RESULT = "result"
ENTERPRISE = re.compile(r"E\d{10}")
WITHHELD = "withheld"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What is searched for; None: anything. `subject`: a resident id, an identity number, or a keyed hash out of a record; or an enterprise
    id, which `named_by_hash` turns into `enterprise`, the hash by which records name it."""

    actor: str | None = None
    department: str | None = None
    subject: str | None = None
    grant: int | None = None
    purpose: str | None = None
    event: str | None = None
    action: str | None = None
    outcome: str | None = None
    case_number: str | None = None
    ticket: int | None = None
    request: int | None = None
    enterprise: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def named_by_hash(self, log: Log) -> "Terms":
        name = (self.subject or "").strip().upper()
        return replace(self, subject=None, enterprise=log.subject("enterprise", name)) if ENTERPRISE.fullmatch(name) else self

    def values(self) -> dict[str, Any]:
        """Facet → value, for those that are one value of a record."""
        named = {facet: getattr(self, facet, None) for facet in (*FACETS, EVENT, ACTION)}
        return {facet: value for facet, value in named.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Found:
    """A page, newest first. `before` asks for the next one; `searched`: how many sealed records the log held."""

    accesses: tuple[Access, ...]
    before: int | None
    searched: int


@dataclass(frozen=True, kw_only=True)
class Seen:
    """Who has seen a person. `unreadable`: bulk answers whose set of people cannot be read, so that they may have held anybody."""

    accesses: tuple[Access, ...]
    direct: int
    bulk: int
    unreadable: tuple[int, ...]
    withheld: frozenset[int]
    before: int | None
    searched: int


def search(room: ReadingRoom, reader: Reader, terms: Terms, *, before: int | None = None, limit: int = PAGE, proven: bool = False) -> Found:
    """A page of what an auditor searches for, each record with its proof if he wants it."""
    _check_limit(limit)
    room.admit(reader, "search")
    terms = terms.named_by_hash(room.log)
    person = find_person(room, terms.subject) if terms.subject else None
    wanted = _wanted(terms, person, before)

    def look() -> Found:
        page = room.finder.find(wanted, limit)
        accesses = read_accesses(room.log, page.seqs, wanted, proven=proven)
        return Found(accesses=accesses, before=page.before, searched=page.size)

    return room.read(reader, "search", _asked(terms, person, before), look, lambda found: _counted(found.accesses))


def seen(
    room: ReadingRoom,
    reader: Reader,
    resident: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    before: int | None = None,
    limit: int = PAGE,
    proven: bool = False,
) -> Seen:
    """Who has seen this person: every answer about single people that names the person, and every bulk answer that held the person."""
    _check_limit(limit)
    room.admit(reader, "seen")
    person = find_person(room, resident)
    period = Terms(since=since, until=until)
    return room.read(
        reader, "seen", _asked(period, person, before), lambda: _seen(room, person, period, before, limit, proven), _counted_seen
    )


def seen_seqs(room: ReadingRoom, person: Person, since: datetime | None, until: datetime | None) -> tuple[list[int], list[int]]:
    """The RESULT records that tell of answers about a person: direct ones, and bulk ones; newest first."""
    wanted = Wanted(all_of=[_about(person), {term(ACTION, RESULT)}], since=since, until=until)
    direct = room.finder.all(wanted)
    bulk = sorted({seq for number in person.numbers for seq in room.finder.holding(number)} - set(direct), reverse=True)
    if since is not None or until is not None:
        bulk = room.finder.within(bulk, Wanted(since=since, until=until))
    return direct, bulk


def _seen(room: ReadingRoom, person: Person, period: Terms, before: int | None, limit: int, proven: bool) -> Seen:
    direct, bulk = seen_seqs(room, person, period.since, period.until)
    seqs = sorted((seq for seq in [*direct, *bulk] if before is None or seq < before), reverse=True)
    shown = seqs[:limit]
    return Seen(
        accesses=read_accesses(room.log, shown, proven=proven),
        direct=len(direct),
        bulk=len(bulk),
        unreadable=tuple(room.finder.unreadable()),
        withheld=withheld_among(room, shown),
        before=shown[-1] if len(seqs) > limit else None,
        searched=room.finder.size,
    )


def withheld_among(room: ReadingRoom, seqs: list[int]) -> frozenset[int]:
    """Those that were sealed, but not handed over after all. Such records are rare: they are looked for first, and once for the page."""
    found = room.finder.all(Wanted(all_of=[{term(ACTION, WITHHELD)}, {term(RESULT, seq) for seq in seqs}])) if seqs else []
    return frozenset(room.log.entry(seq).record.body[RESULT] for seq in found)


def _wanted(terms: Terms, person: Person | None, before: int | None) -> Wanted:
    groups = [{term(facet, value)} for facet, value in terms.values().items()]
    return Wanted(all_of=[*groups, *([_about(person)] if person else [])], since=terms.since, until=terms.until, before=before)


def _about(person: Person) -> set[tuple[str, str]]:
    return {term(SUBJECT, hashed) for hashed in person.hashes}


def _asked(terms: Terms, person: Person | None, before: int | None) -> dict[str, Any]:
    """What was asked, for the record: a person by keyed hash."""
    times = {name: at.isoformat() for name in ("since", "until") if (at := getattr(terms, name)) is not None}
    who = {"subject": person.recorded} if person else {}
    return {**terms.values(), **times, **who, **({} if before is None else {"before": before})}


def _counted(accesses: tuple[Access, ...]) -> dict[str, int]:
    return {"records": len(accesses)}


def _counted_seen(found: Seen) -> dict[str, int]:
    return {"records": len(found.accesses), "direct": found.direct, "bulk": found.bulk, "unreadable": len(found.unreadable)}


def _check_limit(limit: int) -> None:
    if not 0 < limit <= MOST_A_PAGE:
        raise Refused("OVS-PAGE", what=str(MOST_A_PAGE))
