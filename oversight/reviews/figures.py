"""The figures of the monthly report (月报): each is the number of rows of its own list, so that none can say more than can be looked up.

Rows tell of records of the log and of reviews; people are not in them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from audit.errors import RecordDestroyed
from audit.finding import INTENT
from audit.log import Entry
from audit.notes import read_checkpoint
from casework.clocks import Subject
from catalog.schema import AuditDrawRow, AuditReviewRow, ClockRow, EmergencyRow
from catalog.snapshots import CHINA
from oversight.alerts import ALERTS
from oversight.inspecting import Means, Period, look_into
from oversight.reading_room import ReadingRoom
from oversight.reviews.moves import ORIGIN_TEXTS, STATE_TEXTS, Origin, State
from oversight.wording import act_told, department_told, end_told, event_told, why_told
from rules.reviews import load_review_rules

SECTIONS: Mapping[str, str] = {
    "accesses": "访问（按种类和结果） Accesses by kind and outcome",
    "departments": "访问（按部门） Answered accesses by department",
    "refused": "拒绝与中止 Refused and aborted",
    "emergencies": "紧急调用 Break-glass",
    "flagged": "预警（按规则） Flagged by rule",
    "reviews": "审计核查 Reviews",
    "draw": "随机抽查 Random draw of the month",
    "checkpoints": "检查点与会签 Checkpoints and co-signatures",
    "readings": "审计员自身的查阅 Auditors' own reads",
}
ENDS = frozenset({"result", "denied", "aborted", "withheld"})
REFUSALS = frozenset({"denied", "aborted", "refused"})
RECORD = ("序号 index", "时间 at", "事件 event", "账号 actor", "部门 department", "授权 grant", "结果 outcome", "缘由 why")
REVIEW = ("号 no.", "来源 origin", "访问 access", "账号 actor", "部门 department", "状态 state", "结论 outcome")
EMERGENCY = ("号 no.", "授权 grant", "账号 actor", "部门 department", "开始 opened", "复核 reviewed")

Row = tuple[Any, ...]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure and its list. `note`: what stands beside the number, such as a rule's lift."""

    section: str
    title: str
    headers: Sequence[str]
    rows: Sequence[Row]
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class _Told:
    """A record as a row of a list, and what it is grouped by."""

    area: str
    kind: str
    action: str
    actor: str
    department: str
    outcome: str
    why: str
    row: Row


def gather_figures(room: ReadingRoom, means: Means, month: str, period: Period) -> list[Figure]:
    """All figures of a month, in the order of the sections; those about reviews as they stood at the end of it."""
    told = list(_records(room, period))
    with room.store.session() as session:
        reviews = _reviews_until(session, period)
        return [
            *_accesses(told),
            *_refusals(told),
            *_emergencies(session, period),
            *_flagged(room, means, period, reviews),
            *_reviews(session, period, reviews),
            *_drawn(session, month, period, reviews),
            *_heads(room, period),
            *_readings(told),
        ]


def _records(room: ReadingRoom, period: Period) -> Iterator[_Told]:
    start, end = room.finder.bounds(period.since, period.until)
    opened: dict[int, Mapping[str, Any]] = {}
    for entry in room.log.entries(start, end):
        body = entry.record.body
        if entry.record.event.opens:
            opened[entry.seq] = body
        asked = _opener(room, opened, body)
        if period.since <= entry.record.at < period.until:
            yield _told(entry, {**asked, **body})


def _opener(room: ReadingRoom, opened: dict[int, Mapping[str, Any]], body: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the INTENT that a record closes says."""
    if INTENT not in body:
        return {}
    number = int(body[INTENT])
    return opened.pop(number) if number in opened else _asked(room, number)


def _asked(room: ReadingRoom, intent: int) -> Mapping[str, Any]:
    """What an INTENT of before the month says; nothing where it was destroyed."""
    try:
        return room.log.entry(intent).record.body
    except RecordDestroyed:
        return {}


def _told(entry: Entry, body: Mapping[str, Any]) -> _Told:
    event, at = entry.record.event, entry.record.at.astimezone(CHINA)
    outcome, why = end_told(str(body.get("outcome") or event.action)), _why(event.action, body)
    actor, department = str(body.get("actor") or "—"), department_told(body.get("department"))
    row = (entry.seq, f"{at:%Y-%m-%d %H:%M:%S}", event.value, actor, department, body.get("grant"), outcome, why)
    told = {"area": event.area, "kind": event.object, "action": event.action, "actor": actor, "department": department}
    return _Told(**told, outcome=outcome, why=why, row=row)


def _why(action: str, body: Mapping[str, Any]) -> str:
    """Codes of a refusal; what somebody said as a reason stays in the log."""
    why = body.get("why", "") if action in REFUSALS else ""
    return "; ".join(why_told(str(code)) for code in (why if isinstance(why, list) else [why]))


def _grouped(section: str, headers: Sequence[str], rows: Iterable[tuple[str, Row]]) -> Iterator[Figure]:
    found: dict[str, list[Row]] = defaultdict(list)
    for title, row in rows:
        found[title].append(row)
    yield from (Figure(section=section, title=title, headers=headers, rows=found[title]) for title in sorted(found))


def _accesses(told: Sequence[_Told]) -> Iterator[Figure]:
    ended = [one for one in told if one.area == "access" and one.action in ENDS]
    yield from _grouped("accesses", RECORD, ((_ended(one), one.row) for one in ended))
    yield from _grouped("departments", RECORD, ((one.department, one.row) for one in ended if one.action == "result"))


def _ended(one: _Told) -> str:
    """What was asked, how it ended; of an answer what came of it."""
    return f"{act_told(one.kind)} · {one.outcome if one.action == 'result' else end_told(one.action)}"


def _refusals(told: Sequence[_Told]) -> Iterator[Figure]:
    refused = [one for one in told if one.action in REFUSALS]
    titles = (f"{event_told(one.area, one.kind)} · {end_told(one.action)} · {one.why}" for one in refused)
    yield from _grouped("refused", RECORD, zip(titles, (one.row for one in refused), strict=True))


def _readings(told: Sequence[_Told]) -> Iterator[Figure]:
    read = [one for one in told if one.area in ("audit", "oversight") and one.action == "read"]
    yield from _grouped("readings", RECORD, ((f"{one.actor} · {event_told(one.area, one.kind)}", one.row) for one in read))


def _emergencies(session: Session, period: Period) -> Iterator[Figure]:
    table = EmergencyRow
    opened = sa.and_(table.opened_at >= period.since, table.opened_at < period.until)
    reviewed = sa.and_(table.reviewed_at >= period.since, table.reviewed_at < period.until)
    owed = sa.and_(table.opened_at < period.until, sa.or_(table.reviewed_at.is_(None), table.reviewed_at >= period.until))
    for title, which in (("本月启用 opened", opened), ("本月复核 reviewed", reviewed), ("月末待复核 owed at the end", owed)):
        found = session.scalars(sa.select(table).where(which).order_by(table.id))
        rows = [(one.id, one.grant_id, one.account, one.department_key, one.opened_at, one.reviewed_at) for one in found]
        yield Figure(section="emergencies", title=title, headers=EMERGENCY, rows=rows)


def _flagged(room: ReadingRoom, means: Means, period: Period, reviews: Sequence[AuditReviewRow]) -> Iterator[Figure]:
    headers = ("序号 index", "时间 at", "账号 actor", "部门 department", "种类 act")
    with duckdb.connect() as con:
        look_into(con, room, period, means)
        for rule, alert in ALERTS.items():
            rows = con.execute(
                "SELECT seq, moment, actor, department, act FROM access JOIN alert USING (seq) WHERE rule = ? ORDER BY seq", [rule]
            ).fetchall()
            title = f"{alert.zh} {alert.en}"
            yield Figure(section="flagged", title=title, headers=headers, rows=rows, note=lift_of(rule, reviews, period))


def lift_of(rule: str, reviews: Sequence[AuditReviewRow], period: Period) -> str:
    """How much oftener something was found where the rule pointed than in draws, by the reviews closed until the end of the month."""
    closed = [one for one in reviews if one.closed_at is not None and one.closed_at < period.until]
    hits = [_found(one) for one in closed if rule in one.rules]
    drawn = [_found(one) for one in closed if one.origin == Origin.DRAWN]
    told = f"核查有问题 found {sum(hits)}/{len(hits)}，抽查 in draws {sum(drawn)}/{len(drawn)}"
    if not hits or not sum(drawn):
        return f"提升未知 lift not known（{told}）"
    return f"提升 lift ×{sum(hits) / len(hits) / (sum(drawn) / len(drawn)):.1f}（{told}）"


def _found(review: AuditReviewRow) -> bool:
    return load_review_rules().outcomes[str(review.outcome)].found


def _reviews_until(session: Session, period: Period) -> list[AuditReviewRow]:
    row = AuditReviewRow
    return list(session.scalars(sa.select(row).options(defer(row.evidence)).where(row.opened_at < period.until).order_by(row.id)))


def _closed(review: AuditReviewRow, period: Period) -> bool:
    return review.closed_at is not None and review.closed_at < period.until


def _row(review: AuditReviewRow, period: Period) -> Row:
    """As it stood at the end: what was closed later is told of as open."""
    about = review.access_seq if review.access_seq is not None else f"{review.first}…{review.last}"
    done = _closed(review, period)
    state = STATE_TEXTS[State(review.state)] if done or review.state != State.CLOSED else "未结 open"
    return review.id, review.origin, about, review.accessor, department_told(review.department_key), state, _outcome(review) if done else ""


def _outcome(review: AuditReviewRow) -> str:
    outcome = load_review_rules().outcomes[str(review.outcome)]
    return f"{outcome.zh} {outcome.en}"


def _reviews(session: Session, period: Period, reviews: Sequence[AuditReviewRow]) -> Iterator[Figure]:
    opened = [one for one in reviews if one.opened_at >= period.since]
    closed = [one for one in reviews if _closed(one, period) and one.closed_at is not None and one.closed_at >= period.since]
    for origin, text in ORIGIN_TEXTS.items():
        yield _of_reviews(f"本月立案 opened · {text}", [one for one in opened if one.origin == origin], period)
    yield from _answers(session, period)
    yield _of_reviews("月末未结 open at the end", [one for one in reviews if not _closed(one, period)], period)
    for outcome in load_review_rules().outcomes.values():
        title = f"本月结案 closed · {outcome.zh} {outcome.en}"
        yield _of_reviews(title, [one for one in closed if one.outcome == outcome.key], period)


def _of_reviews(title: str, some: Sequence[AuditReviewRow], period: Period) -> Figure:
    return Figure(section="reviews", title=title, headers=REVIEW, rows=[_row(one, period) for one in some])


def _answers(session: Session, period: Period) -> Iterator[Figure]:
    clock = ClockRow
    answered = (clock.outcome == "done", clock.stopped_on.between(period.first, period.last))
    late = (clock.due_on <= period.last, sa.or_(clock.stopped_on.is_(None), clock.stopped_on > period.last))
    kinds: Mapping[str, Sequence[sa.ColumnElement[bool]]] = {
        "按期答复 answered in time": (*answered, clock.stopped_on <= clock.due_on),
        "逾期答复 answered late": (*answered, clock.stopped_on > clock.due_on),
        "月末逾期未答 overdue at the end": late,
    }
    headers = ("核查 review no.", "责任部门 owed by", "提问日 asked", "限期 due", "答复日 answered")
    for title, which in kinds.items():
        found = session.scalars(sa.select(clock).where(clock.subject == Subject.REVIEW.value, *which).order_by(clock.id))
        rows = [(one.subject_id, department_told(one.owed_by), one.started_on, one.due_on, one.stopped_on) for one in found]
        yield Figure(section="reviews", title=title, headers=headers, rows=rows)


def _drawn(session: Session, month: str, period: Period, reviews: Sequence[AuditReviewRow]) -> Iterator[Figure]:
    """The draw out of this month's accesses; it is made after the month's end, so its reviews are told of as they stand now."""
    row = session.get(AuditDrawRow, month)
    note = "尚未抽查 not drawn yet" if row is None else f"未预警访问 accesses not flagged: {row.accesses - row.flagged:,}"
    found = list(session.scalars(sa.select(AuditReviewRow).where(AuditReviewRow.draw == month).order_by(AuditReviewRow.id)))
    told = [(one, _outcome(one) if one.state == State.CLOSED else STATE_TEXTS[State(one.state)]) for one in found]
    rows = [(one.id, one.origin, one.access_seq, one.accessor, department_told(one.department_key), one.state, text) for one, text in told]
    yield Figure(section="draw", title="抽取 drawn", headers=REVIEW, rows=rows, note=note)
    yield from _grouped("draw", REVIEW, ((text, row) for (_, text), row in zip(told, rows, strict=True)))


def _heads(room: ReadingRoom, period: Period) -> Iterator[Figure]:
    """The heads signed over the month's records, and what witnesses put under them."""
    start, end = room.finder.bounds(period.since, period.until)
    notes = room.log.storage.rows("SELECT size, note FROM checkpoint WHERE size > ? AND size <= ? ORDER BY size", (start, end))
    heads = [(int(size), read_checkpoint(str(note), room.log.keys.verifier).root.hex()) for size, note in notes]
    signed = room.log.storage.rows("SELECT size, name FROM cosignature WHERE size > ? AND size <= ? ORDER BY size, name", (start, end))
    yield Figure(section="checkpoints", title="签发检查点 checkpoints signed", headers=("记录数 size", "根 root"), rows=heads)
    rows = [(int(size), str(name)) for size, name in signed]
    yield Figure(section="checkpoints", title="见证会签 co-signatures", headers=("记录数 size", "见证人 witness"), rows=rows)
