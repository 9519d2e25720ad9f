"""Opening a review (立案): of one access, or of what an account did in some days; the evidence is frozen with the act."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.accounts import Account, load_account
from access.log_faults import log_faults_translated
from access.readers import Reader
from audit.events import Event
from audit.log import Log, Sealed
from casework.attempts import Act, recorded_attempt
from catalog.schema import AuditReviewActRow, AuditReviewRow
from catalog.snapshots import CHINA
from catalog.store import serialise
from golden.decisions import day_of
from oversight.inspecting import DAYS_BEFORE, Means, Period, look_into
from oversight.ranking import rank
from oversight.reading_room import ReadingRoom
from oversight.reviews.evidence import Evidence, Score, digest_of, freeze
from oversight.reviews.moves import Origin, State
from oversight.reviews.review import Review, read_review
from rules.errors import Denied, NotFound, Refused
from rules.oversight import Yardsticks
from rules.reviews import load_review_rules

WORK = "audit reviews"
EVERY_ACCOUNT = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A review about to be opened. `access` None: it is about an account's accesses of `period`."""

    origin: Origin
    accessor: str
    access: int | None
    period: Period | None = None
    draw: str | None = None
    score: Score
    evidence: Evidence


def open_on_access(room: ReadingRoom, means: Means, *, access: int, act: Act) -> Review:
    """Of the access with its RESULT at this index: flagged where a rule points at it, else reported, for the reason that is given.

    Denied RVW-OWN for an access of one's own; NotFound OVS-RECORD where nobody was looked at; Refused RVW-OPEN while one is open.
    """
    reader = Reader(name=act.by, purpose=act.reason)
    room.admit(reader, "review")
    with _attempt(room.log, act, access=access):
        accessor = _accessor(room, access)
        if accessor == act.by:
            raise Denied("RVW-OWN", where=str(access))
        draft = room.read(
            reader, "evidence", {"record": access}, lambda: _draft_of_access(room, means, access, accessor, act), _told_of_evidence
        )
        return _open(room, draft, act)


def open_on_account(room: ReadingRoom, means: Means, *, accessor: str, period: Period, act: Act) -> Review:
    """Of all that an account did in a period: its score, and the accesses that most rules point at. Refused RVW-NOTHING where none does."""
    reader = Reader(name=act.by, purpose=act.reason)
    room.admit(reader, "review")
    with _attempt(room.log, act, account=accessor):
        if accessor == act.by:
            raise Denied("RVW-OWN", where=accessor)
        asked = {"account": accessor, "first": period.first.isoformat(), "last": period.last.isoformat()}
        draft = room.read(reader, "evidence", asked, lambda: _draft_of_account(room, means, accessor, period, act), _told_of_evidence)
        return _open(room, draft, act)


def open_rows(session: Session, log: Log, drafts: Sequence[Draft], act: Act) -> list[AuditReviewRow]:
    """The rows of reviews, each with its record; in the caller's transaction. Those of one draw are recorded in one commit."""
    rows = [_row(draft, load_account(session, draft.accessor), act) for draft in drafts]
    session.add_all(rows)
    session.flush()
    with log_faults_translated():
        written = log.append_all([(Event.AUDIT_REVIEW_OPENED, _told(row, act)) for row in rows])
        log.seal()
        for row, sealed in zip(rows, written, strict=True):
            if not isinstance(sealed, Sealed):
                raise sealed
            row.record = sealed.seq
    session.add_all(
        AuditReviewActRow(review_id=row.id, move="open", state=row.state, text=act.reason, by=act.by, at=act.now) for row in rows
    )
    session.flush()
    return rows


def score_of_access(con: duckdb.DuckDBPyConnection, yardsticks: Yardsticks, access: int) -> Score:
    """What explains one access and which rules point at it; `look_into` came before."""
    alerts = con.execute("SELECT rule FROM alert WHERE seq = ? ORDER BY rule", [access]).fetchall()
    reasons = con.execute("SELECT reason, count(*) FROM explained WHERE seq = ? GROUP BY reason ORDER BY reason", [access]).fetchall()
    people, unexplained = con.execute(
        "SELECT (SELECT count(*) FROM look WHERE seq = $1), (SELECT count(*) FROM unexplained WHERE seq = $1)", [access]
    ).fetchall()[0]
    return Score(
        rules_version=yardsticks.version,
        alerts=tuple(rule for (rule,) in alerts),
        reasons=dict(reasons),
        people=people,
        unexplained=unexplained,
    )


def _accessor(room: ReadingRoom, access: int) -> str:
    """Whose access it was, as its INTENT says."""
    if not 0 <= access < room.finder.size:
        raise NotFound("OVS-RECORD", where=str(access))
    with log_faults_translated():
        record = room.log.entry(access).record
        if record.event.area != "access" or record.event.action != "result":
            raise NotFound("OVS-RECORD", where=str(access))
        return str(room.log.entry(int(record.body["intent"])).record.body["actor"])


def _draft_of_access(room: ReadingRoom, means: Means, access: int, accessor: str, act: Act) -> Draft:
    day = room.log.entry(access).record.at.astimezone(CHINA).date()
    with duckdb.connect() as con:
        look_into(con, room, Period(first=day - timedelta(days=DAYS_BEFORE), last=day), means)
        score = score_of_access(con, means.yardsticks, access)
    if not score.people:
        raise NotFound("OVS-RECORD", where=str(access))
    origin = Origin.FLAGGED if score.alerts else Origin.REPORTED
    return Draft(origin=origin, accessor=accessor, access=access, score=score, evidence=freeze(room.log, [access], score, act.now))


def _draft_of_account(room: ReadingRoom, means: Means, accessor: str, period: Period, act: Act) -> Draft:
    with duckdb.connect() as con:
        look_into(con, room, period, means)
        score = _score_of_account(con, means.yardsticks, accessor)
        if score is None:
            raise Refused("RVW-NOTHING", where=accessor)
        rows = con.execute(
            """SELECT seq FROM alert JOIN access USING (seq) WHERE actor = ? GROUP BY seq
            ORDER BY count(*) DESC, seq LIMIT ?""",
            [accessor, load_review_rules().frozen_accesses // 2],  # each is frozen with its INTENT
        ).fetchall()
    evidence = freeze(room.log, [seq for (seq,) in rows], score, act.now)
    return Draft(origin=Origin.FLAGGED, accessor=accessor, access=None, period=period, score=score, evidence=evidence)


def _score_of_account(con: duckdb.DuckDBPyConnection, yardsticks: Yardsticks, accessor: str) -> Score | None:
    ranked = next((one for one in rank(con, yardsticks, EVERY_ACCOUNT) if one.actor == accessor), None)
    if ranked is None:
        return None
    reasons = con.execute(
        "SELECT reason, count(*) FROM explained JOIN access USING (seq) WHERE actor = ? GROUP BY reason ORDER BY reason", [accessor]
    ).fetchall()
    looks = con.execute("SELECT count(*) FROM look JOIN access USING (seq) WHERE actor = ?", [accessor]).fetchall()[0][0]
    open_looks = con.execute("SELECT count(*) FROM unexplained JOIN access USING (seq) WHERE actor = ?", [accessor]).fetchall()[0][0]
    return Score(
        rules_version=yardsticks.version,
        alerts=tuple(sorted(rule for rule, _, _ in ranked.by_rule)),
        reasons=dict(reasons),
        people=looks,
        unexplained=open_looks,
        accesses=ranked.accesses,
        bits=str(ranked.bits),
        by_rule=tuple((rule, n, str(bits)) for rule, n, bits in ranked.by_rule),
    )


def _open(room: ReadingRoom, draft: Draft, act: Act) -> Review:
    with room.store.session() as session, session.begin():
        serialise(session, WORK)
        _check_not_open(session, draft)
        row = open_rows(session, room.log, [draft], act)[0]
        return read_review(session, row, day_of(act.now))


def _check_not_open(session: Session, draft: Draft) -> None:
    row = AuditReviewRow
    same = row.access_seq == draft.access if draft.access is not None else sa.and_(row.access_seq.is_(None), row.accessor == draft.accessor)
    known = session.scalar(sa.select(sa.func.min(row.id)).where(same, row.state != State.CLOSED))
    if known is not None:
        raise Refused("RVW-OPEN", where=str(known))


def _row(draft: Draft, accessor: Account, act: Act) -> AuditReviewRow:
    days: tuple[date | None, date | None] = (draft.period.first, draft.period.last) if draft.period else (None, None)
    return AuditReviewRow(
        origin=draft.origin,
        access_seq=draft.access,
        first=days[0],
        last=days[1],
        accessor=accessor.name,
        department_key=accessor.department,
        draw=draft.draw,
        state=State.OPENED,
        version=1,
        opened_by=act.by,
        opened_at=act.now,
        rules=list(draft.score.alerts),
        evidence=draft.evidence.text,
        evidence_digest=draft.evidence.digest,
        record=-1,
    )


def _told(row: AuditReviewRow, act: Act) -> dict[str, Any]:
    about = {"record": row.access_seq} if row.access_seq is not None else {"first": str(row.first), "last": str(row.last)}
    return {
        "actor": act.by,
        "review": row.id,
        "origin": row.origin,
        "account": row.accessor,
        **about,
        "evidence": row.evidence_digest,
        "text": digest_of(act.reason),
    }


def _told_of_evidence(draft: Draft) -> dict[str, Any]:
    return {"people": draft.score.people, "unexplained": draft.score.unexplained, "evidence": draft.evidence.digest}


def _attempt(log: Log, act: Act, **about: object) -> Any:
    return recorded_attempt(log, Event.AUDIT_REVIEW_REFUSED, actor=act.by, move="open", **about)
