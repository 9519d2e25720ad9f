"""The draw (随机抽查): of a month's accesses that no rule points at some are reviewed all the same, by lots that nobody can choose (A-06).

The seed is the root of the first signed head that holds the whole month: it hangs on every record until then, and there is but one such
head, so that whoever draws cannot draw again for better lots. The lot of an access is a hash of seed and index; the lowest lots are drawn.
Whoever doubts a draw makes the lots anew: those below the last one drawn are the drawn ones and those that a rule pointed at, no others.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

import duckdb
from sqlalchemy.orm import Session

from access.log_faults import log_faults_translated
from access.readers import Reader
from audit.errors import ProofInvalid
from audit.events import Event
from audit.log import Log
from audit.notes import Checkpoint, read_checkpoint
from casework.attempts import Act, recorded_attempt
from catalog.schema import AuditDrawRow
from catalog.store import serialise
from oversight.inspecting import Means, Period, look_into
from oversight.looks import gather_looks
from oversight.reading_room import ReadingRoom
from oversight.reviews.evidence import digest_of, freeze
from oversight.reviews.moves import Origin
from oversight.reviews.opening import WORK, Draft, open_rows, score_of_access
from rules.errors import NotFound, Refused
from rules.oversight import Yardsticks
from rules.reviews import load_review_rules


@dataclass(frozen=True, kw_only=True)
class Draw:
    """A draw. `accesses`: of the month, `flagged` of them; `drawn` and `passed_over`: by their indices, in order of their lots."""

    month: str
    checkpoint: int
    seed: str
    accesses: int
    flagged: int
    drawn: tuple[int, ...]
    passed_over: tuple[int, ...]
    drawn_by: str
    drawn_at: datetime


def draw(room: ReadingRoom, means: Means, *, month: str, act: Act) -> Draw:
    """Draw a month that is over, once, and open a review of each access drawn. Refused RVW-MONTH before its end or again."""
    reader = Reader(name=act.by, purpose=act.reason)
    room.admit(reader, "draw")
    with recorded_attempt(room.log, Event.AUDIT_REVIEW_REFUSED, actor=act.by, move="draw", month=month):
        period = month_of(month)
        if act.now < period.until:
            raise Refused("RVW-MONTH", where=month)
        with room.store.session() as session:
            _check_not_drawn(session, month)
        found, drafts = room.read(
            reader, "draw", {"month": month}, lambda: _draw(room, means, month, period, act), lambda made: {"drawn": len(made[1])}
        )
        with room.store.session() as session, session.begin():
            serialise(session, WORK)
            _check_not_drawn(session, month)
            return _keep(session, room.log, found, drafts, act)


def load_draw(session: Session, month: str) -> Draw:
    """NotFound RVW-NO-DRAW."""
    row = session.get(AuditDrawRow, month)
    if row is None:
        raise NotFound("RVW-NO-DRAW", where=month if month_or_none(month) else "")
    return _read(row)


def check_draw(room: ReadingRoom, means: Means, *, month: str, act: Act) -> tuple[Draw, list[str]]:
    """A draw, and what of it the log does not bear out; for an auditor, recorded."""
    with room.store.session() as session:
        made = load_draw(session, month)
    reader = Reader(name=act.by, purpose=act.reason)
    faults = room.read(
        reader, "draw", {"month": month}, lambda: faults_of_draw(room, made, means.yardsticks), lambda found: {"faults": len(found)}
    )
    return made, faults


def faults_of_draw(room: ReadingRoom, made: Draw, yardsticks: Yardsticks) -> list[str]:
    """Make the lots of a draw anew from the log alone; what is not as it was drawn."""
    period = month_of(made.month)
    start, end = room.finder.bounds(period.since, period.until)
    with log_faults_translated():
        head = first_head_holding(room.log, end)
        with duckdb.connect() as con:
            gather_looks(con, room.log, yardsticks, start, end)
            seqs = [
                seq for (seq,) in con.execute("SELECT seq FROM access WHERE day BETWEEN ? AND ?", [period.first, period.last]).fetchall()
            ]
    ordered = in_order_of_lots(seqs, made.seed)
    used = set(made.drawn) | set(made.passed_over)
    checks = {
        "种子不符 not the seed": (head.size, seed_of(head, made.month)) != (made.checkpoint, made.seed),
        "访问数不符 not so many accesses": len(seqs) != made.accesses,
        "抽取不按签序 not the lowest lots": ordered[: len(used)] != sorted(used, key=lambda seq: lot_of(seq, made.seed)),
    }
    return [text for text, wrong in checks.items() if wrong]


def month_of(month: str) -> Period:
    """From the first day of YYYY-MM to its last. Refused RVW-TERMS for another text."""
    first = month_or_none(month)
    if first is None:
        raise Refused("RVW-TERMS", what="月份 month: YYYY-MM")
    following = (first + timedelta(days=32)).replace(day=1)
    return Period(first=first, last=following - timedelta(days=1))


def month_or_none(text: str) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01") if len(text) == len("2026-10") else None
    except ValueError:
        return None


def first_head_holding(log: Log, size: int) -> Checkpoint:
    """The first signed head over at least so many records. Raises ProofInvalid where none is yet."""
    rows = log.storage.rows("SELECT note FROM checkpoint WHERE size >= ? ORDER BY size LIMIT 1", (size,))
    if not rows:
        raise ProofInvalid(f"no head is signed over {size} records")
    return read_checkpoint(str(rows[0][0]), log.keys.verifier)


def seed_of(head: Checkpoint, month: str) -> str:
    return sha256(f"draw {month}\n{head.text()}".encode()).hexdigest()


def lot_of(seq: int, seed: str) -> bytes:
    return sha256(f"{seed} {seq}".encode()).digest()


def in_order_of_lots(seqs: Iterable[int], seed: str) -> list[int]:
    return sorted(seqs, key=lambda seq: lot_of(seq, seed))


def choose(seqs: Iterable[int], flagged: Collection[int], seed: str, count: int) -> tuple[list[int], list[int]]:
    """So many that are not flagged, in order of their lots; and the flagged ones that would have been drawn before the last of them."""
    drawn: list[int] = []
    passed: list[int] = []
    for seq in in_order_of_lots(seqs, seed):
        if len(drawn) == count:
            break
        (passed if seq in flagged else drawn).append(seq)
    return drawn, passed


def _check_not_drawn(session: Session, month: str) -> None:
    if session.get(AuditDrawRow, month) is not None:
        raise Refused("RVW-MONTH", where=month)


def _draw(room: ReadingRoom, means: Means, month: str, period: Period, act: Act) -> tuple[Draw, list[Draft]]:
    head = first_head_holding(room.log, room.finder.bounds(period.since, period.until)[1])
    with duckdb.connect() as con:
        look_into(con, room, period, means)
        accessors = dict(con.execute("SELECT seq, actor FROM access").fetchall())
        flagged = {seq for (seq,) in con.execute("SELECT DISTINCT seq FROM alert JOIN access USING (seq)").fetchall()}
        seed, count = seed_of(head, month), load_review_rules().drawn(len(accessors) - len(flagged))
        drawn, passed = choose(accessors, flagged, seed, count)
        drafts = [_draft(con, room, means, month, accessors, seq, act) for seq in drawn]
    made = Draw(
        month=month,
        checkpoint=head.size,
        seed=seed,
        accesses=len(accessors),
        flagged=len(flagged),
        drawn=tuple(drawn),
        passed_over=tuple(passed),
        drawn_by=act.by,
        drawn_at=act.now,
    )
    return made, drafts


def _draft(
    con: duckdb.DuckDBPyConnection, room: ReadingRoom, means: Means, month: str, accessors: Mapping[int, str], seq: int, act: Act
) -> Draft:
    score = score_of_access(con, means.yardsticks, seq)
    evidence = freeze(room.log, [seq], score, act.now)
    return Draft(origin=Origin.DRAWN, accessor=accessors[seq], access=seq, draw=month, score=score, evidence=evidence)


def _keep(session: Session, log: Log, made: Draw, drafts: list[Draft], act: Act) -> Draw:
    row = AuditDrawRow(**{**_plain(made), "drawn": list(made.drawn), "passed_over": list(made.passed_over)})
    session.add(row)
    session.flush()
    told = {name: getattr(made, name) for name in ("month", "checkpoint", "seed", "accesses", "flagged", "drawn")}
    passed = {"passed_over": len(made.passed_over), "passed_over_digest": digest_of(str(list(made.passed_over)))}
    with log_faults_translated():
        log.append(Event.AUDIT_DRAW_MADE, {"actor": act.by, **told, **passed})
    open_rows(session, log, drafts, act)
    return made


def _plain(made: Draw) -> dict[str, Any]:
    return {name: getattr(made, name) for name in made.__dataclass_fields__}


def _read(row: AuditDrawRow) -> Draw:
    told = {name: getattr(row, name) for name in Draw.__dataclass_fields__}
    return Draw(**{**told, "drawn": tuple(row.drawn), "passed_over": tuple(row.passed_over)})
