"""The provider's side (提供方): answers prepared by a clerk and given by the head, supplements, extensions (law.md L-02, L-10…L-18)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.grants import add_grant
from access.targets import load_target
from audit.log import Log
from casework.attempts import Act
from casework.clocks import Subject, extend, open_clocks
from casework.requests.acting import Acting, acting, answer_clock, answer_kind, check_text
from casework.requests.moves import WRITING, AnswerKind
from casework.requests.offers import Offer, offer_of
from casework.requests.request import Request, request_of
from casework.requests.terms import terms_of
from casework.requests.writing import check_terms
from catalog.lake import Lake
from catalog.published import clocks_in_force
from catalog.schema import DepartmentRow, RequestMoveRow
from catalog.store import Store
from golden.decisions import day_of
from rules.citations import read_citation
from rules.errors import NotFound, Refused

EXTENSION = "answer_extension"
MAX_ITEMS = 50


class RefusalReason(StrEnum):
    """Why a provider will not give data, as real forms code it (law.md §7.2)."""

    LAW_FORBIDS = "law_forbids"
    NOT_HELD = "not_held"
    NOT_READY = "not_ready"
    OTHER = "other"
    INCOMPLETE = "incomplete"


REASON_TEXTS: Mapping[RefusalReason, str] = {
    RefusalReason.LAW_FORBIDS: "法律法规不允许提供 the law forbids it",
    RefusalReason.NOT_HELD: "该数据不在本部门 the data is held elsewhere",
    RefusalReason.NOT_READY: "资源不具备共享条件 the resource is not ready",
    RefusalReason.OTHER: "其他 other",
    RefusalReason.INCOMPLETE: "材料不全 the request is incomplete",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a provider's clerk prepares.

    agree: `conditions` may repeat published ones, never add one (L-11). refuse: `reasons` with `citation` (《…法》第…条) where the law
    forbids it, `holder` where another department has the data; the act's reason explains. supplement: all `missing` items, once (L-18).
    """

    kind: AnswerKind
    conditions: tuple[str, ...] = ()
    reasons: tuple[RefusalReason, ...] = ()
    citation: str = ""
    holder: str = ""
    missing: tuple[str, ...] = ()


def prepare_answer(store: Store, lake: Lake, log: Log, *, number: int, act: Act, answer: Answer) -> Request:
    """Lay an answer before the provider's head.

    Refused REQ-CONDITION, REQ-REASON, REQ-INCOMPLETE, REQ-SUPPLEMENT, REQ-TEXT.
    """
    with acting(store, log, number, "answer", act) as doing:
        doing.request.answer = _checked_answer(doing, lake, answer)
        doing.facts |= {"answer": dict(doing.request.answer)}
    return request_of(doing.request)


def confirm(store: Store, lake: Lake, log: Log, *, number: int, act: Act) -> Request:
    """The provider's head gives the answer that was prepared; agreeing makes the grant, with the terms as they stand.

    Refused REQ-IMPACT where the head agrees without having looked at the impact of these terms.
    """
    with acting(store, log, number, "confirm", act) as doing:
        kind = answer_kind(doing.request)
        assert kind is not None, "an answer waits for its head"
        doing.facts |= {"answer": dict(doing.request.answer)}
        if kind is AnswerKind.SUPPLEMENT:
            _check_first_supplement(doing)
        else:
            doing.request.decided_by, doing.request.decided_at = act.by, act.now
        if kind is AnswerKind.AGREE:
            _agree(doing, lake)
        if kind is AnswerKind.REFUSE:
            doing.request.reason = doing.request.answer["why"]
    return request_of(doing.request)


def ask_extension(store: Store, log: Log, *, number: int, act: Act, days: int) -> Request:
    """Ask the bureau for more working days for the answer: once, before it is due, at most ten (L-17). Refused REQ-EXTENSION."""
    with acting(store, log, number, "extend", act) as doing:
        most = clocks_in_force(doing.session).days(EXTENSION)
        clock = _open_answer(doing)
        checks = {
            f"应为 1 至 {most} 个工作日 from 1 to {most} working days": not 1 <= days <= most,
            "已延期一次 it was extended before": _was_extended(doing.session, number),
            f"答复已于 {clock.due.day} 到期 the answer was due": day_of(act.now) > clock.due.day,
        }
        faults = [fault for fault, wrong in checks.items() if wrong]
        if faults:
            raise Refused("REQ-EXTENSION", where=str(number), what="; ".join(faults))
        doing.facts |= {"days": days}
    return request_of(doing.request)


def consent(store: Store, log: Log, *, number: int, act: Act) -> Request:
    """The bureau consents to the extension; the requester is told by the history of the request (L-17)."""
    with acting(store, log, number, "consent", act) as doing:
        days = _asked_days(doing.session, number)
        due = extend(doing.session, Subject.REQUEST, number, answer_clock(doing.request), days)
        doing.facts |= {"days": days, "due": due.day.isoformat(), "provisional": due.provisional, "told": doing.request.requester_key}
    return request_of(doing.request)


def decline(store: Store, log: Log, *, number: int, act: Act) -> Request:
    """The bureau does not consent; the clock runs on as it was."""
    with acting(store, log, number, "decline", act) as doing:
        pass
    return request_of(doing.request)


def _checked_answer(doing: Acting, lake: Lake, answer: Answer) -> dict[str, Any]:
    kept: dict[AnswerKind, Any] = {
        AnswerKind.AGREE: _agreement,
        AnswerKind.REFUSE: _refusal,
        AnswerKind.REROUTE: _refusal,
        AnswerKind.SUPPLEMENT: _supplement,
    }
    return kept[answer.kind](doing, offer_of(doing.session, lake, doing.request.target), answer)


def _agreement(doing: Acting, offer: Offer, answer: Answer) -> dict[str, Any]:
    """L-11: conditions come from the published entry only; all that are published for the columns hold."""
    published = offer.conditions_of(doing.request.columns)
    added = [condition for condition in answer.conditions if condition not in published]
    if added or doing.act.reason:
        raise Refused("REQ-CONDITION", where=str(doing.request.id), what=f"{len(added) or 1}")
    return {"kind": AnswerKind.AGREE.value, "conditions": list(published)}


def _refusal(doing: Acting, offer: Offer, answer: Answer) -> dict[str, Any]:
    """A refusal on the merits has reasons that count (L-10, L-18); data held elsewhere is looked for there (§7.2)."""
    row, reasons = doing.request, set(answer.reasons)
    check_text("理由 reason", doing.act.reason)
    if RefusalReason.INCOMPLETE in reasons:
        raise Refused("REQ-INCOMPLETE", where=str(row.id))
    faults = _faults_of_refusal(doing.session, row.share, reasons, answer)
    if faults:
        raise Refused("REQ-REASON", where=str(row.id), what="; ".join(faults))
    rerouted = RefusalReason.NOT_HELD in reasons
    kind = AnswerKind.REROUTE if rerouted else AnswerKind.REFUSE
    told = {"kind": kind.value, "reasons": sorted(reasons), "why": doing.act.reason}
    law = {"citation": str(read_citation(answer.citation))} if RefusalReason.LAW_FORBIDS in reasons else {}
    return {**told, **law, **({"holder": answer.holder} if rerouted else {})}


def _faults_of_refusal(session: Session, share: str, reasons: Collection[RefusalReason], answer: Answer) -> list[str]:
    citation = read_citation(answer.citation)
    cites, elsewhere = RefusalReason.LAW_FORBIDS in reasons, RefusalReason.NOT_HELD in reasons
    checks = {
        "未选理由 no reason is chosen (L-18)": not reasons,
        "须引用法律、行政法规或国务院决定的具体条款 it takes the article of a law, an administrative regulation "
        "or a State Council decision (L-10)": cites and not (citation.qualifies and citation.complete),
        "仅资源不具备共享条件不是合法的拒绝理由 that the resource is not ready is by itself no lawful reason (L-18)": set(reasons)
        == {RefusalReason.NOT_READY},
        "无条件共享的数据只可因法律禁止而拒绝 what is shared unconditionally is refused only where the law forbids it (L-09)": share
        == "unconditional"
        and not cites
        and not elsewhere,
        "不在本部门时须单独写明实际持有部门 where it is held elsewhere, that department is named, and nothing else (§7.2)": elsewhere
        and (len(reasons) > 1 or session.get(DepartmentRow, answer.holder) is None),
    }
    return [fault for fault, wrong in checks.items() if wrong]


def _supplement(doing: Acting, offer: Offer, answer: Answer) -> dict[str, Any]:
    """L-18: told once, completely; the list of missing items is one record."""
    _check_first_supplement(doing)
    if not 0 < len(answer.missing) <= MAX_ITEMS:
        raise Refused("REQ-TEXT", where="补正事项 missing items", what=f"1–{MAX_ITEMS}")
    for item in answer.missing:
        check_text("补正事项 missing item", item)
    return {"kind": AnswerKind.SUPPLEMENT.value, "missing": list(answer.missing)}


def _check_first_supplement(doing: Acting) -> None:
    table = RequestMoveRow
    given = sa.select(table.facts).where(table.request_id == doing.request.id, table.move == "confirm")
    if any(facts["answer"]["kind"] == AnswerKind.SUPPLEMENT for facts in doing.session.scalars(given)):
        raise Refused("REQ-SUPPLEMENT", where=str(doing.request.id))


def _agree(doing: Acting, lake: Lake) -> None:
    row, act = doing.request, doing.act
    offer = check_terms(doing, lake)
    if offer.has_data and not _has_looked(doing):
        raise Refused("REQ-IMPACT", where=str(row.id))
    conditions = offer.conditions_of(row.columns)
    made = add_grant(
        doing.session,
        doing.log,
        terms_of(row).as_grant(row.requester_key, conditions=conditions, request=row.id),
        by=act.by,
        now=act.now,
        target=load_target(doing.session, lake, row.target) if offer.has_data else None,
    )
    row.answer = {**row.answer, "conditions": list(conditions)}
    doing.facts |= {"grant": made.id, "answer": dict(row.answer)}


def _has_looked(doing: Acting) -> bool:
    """Whether the actor has looked at the impact since the terms were last written."""
    table, number = RequestMoveRow, doing.request.id
    written = sa.select(sa.func.max(table.id)).where(table.request_id == number, table.move.in_(WRITING)).scalar_subquery()
    looked = sa.select(table.id).where(table.request_id == number, table.move == "impact", table.actor == doing.act.by, table.id > written)
    return doing.session.scalar(looked.limit(1)) is not None


def _open_answer(doing: Acting) -> Any:
    clocks = open_clocks(doing.session, Subject.REQUEST, [doing.request.id])
    found = next((clock for clock in clocks if clock.clock == answer_clock(doing.request)), None)
    if found is None:
        raise NotFound("REQ-NONE", where=str(doing.request.id))
    return found


def _was_extended(session: Session, number: int) -> bool:
    """Whether the bureau has consented since the provider got the request; a supplement does not make a second extension lawful."""
    table = RequestMoveRow
    received = sa.select(sa.func.max(table.id)).where(table.request_id == number, table.move == "check").scalar_subquery()
    consented = sa.select(table.id).where(table.request_id == number, table.move == "consent", table.id > received)
    return session.scalar(consented.limit(1)) is not None


def _asked_days(session: Session, number: int) -> int:
    """How many days were asked for last."""
    table = RequestMoveRow
    asked: Sequence[Mapping[str, Any]] = session.scalars(
        sa.select(table.facts).where(table.request_id == number, table.move == "extend").order_by(table.id.desc()).limit(1)
    ).all()
    return int(asked[0]["days"])
