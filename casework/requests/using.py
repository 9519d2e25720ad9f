"""Supply and use (供数、使用): supplied, suspended, resumed, ended, disposed of, archived (law.md L-19, L-26…L-28, L-30).

The grant that came of a request goes with it: nobody has to suspend both.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from access.grants import set_state
from access.terms import BULK_MODES, GrantState, Mode
from audit.log import Log
from casework.attempts import Act
from casework.requests.acting import Acting, acting, check_text
from casework.requests.moves import State
from casework.requests.request import Request, grant_of, request_of
from catalog.schema import ReceiptRow, RequestMoveRow, RequestRow
from catalog.store import Store
from golden.decisions import day_of
from rules.errors import Refused
from rules.tiers import AnswerForm, Tier, load_tier_policy

EXPIRED = "使用时限届满 the agreed time is over"
GRANTED_STATES = (State.SUPPLYING, State.IN_USE, State.SUSPENDED)
USE_REPORT = "report_use"
MOST_EXPIRED = 500
"""So many requests are ended in one run at most."""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """That the requester's copy was disposed of (处置凭证, L-26): what, where it lay, how it was done, on which day, by whom."""

    what: str
    where: str
    how: str
    who: str
    on: date


@dataclass(frozen=True, kw_only=True)
class UseReport:
    """What the requester records of its use (使用台账, L-30): where it was used, how, to what effect (成效), and where the copy lies."""

    scene: str
    process: str
    effect: str
    storage: str


@dataclass(frozen=True, kw_only=True)
class UseReported:
    """A use report as it stands in the history of its request."""

    report: UseReport
    by: str
    at: datetime


def supply(store: Store, log: Log, *, number: int, act: Act) -> Request:
    """The data is with the requester, or within reach. Refused REQ-SUPPLY for a file or table of which nothing was handed over yet."""
    with acting(store, log, number, "supply", act) as doing:
        grant = _grant(doing)
        handed_over = doing.session.scalar(sa.select(ReceiptRow.id).where(ReceiptRow.grant_id == grant).limit(1))
        if handed_over is None and _is_extract(doing.request):
            raise Refused("REQ-SUPPLY", where=str(number), what=str(grant))
        doing.facts |= {"grant": grant}
    return request_of(doing.request)


def suspend(store: Store, log: Log, *, number: int, act: Act, rectify_by: date) -> Request:
    """Bureau or provider suspend for misuse and order rectification by a day (L-27); an extract under way stops."""
    with acting(store, log, number, "suspend", act) as doing:
        if rectify_by <= day_of(act.now):
            raise Refused("REQ-DAY", where=str(number), what=rectify_by.isoformat())
        doing.facts |= {"rectify_by": rectify_by.isoformat()}
        _bring_grant(doing, GrantState.SUSPENDED)
    return request_of(doing.request)


def resume(store: Store, log: Log, *, number: int, act: Act) -> Request:
    """The misuse was set right."""
    with acting(store, log, number, "resume", act) as doing:
        _bring_grant(doing, GrantState.ACTIVE)
    return request_of(doing.request)


def end(store: Store, log: Log, *, number: int, act: Act) -> Request:
    """End the use: by the requester or the bureau; by the provider only what is suspended (L-27, L-28)."""
    with acting(store, log, number, "end", act) as doing:
        _bring_grant(doing, GrantState.ENDED)
    return request_of(doing.request)


def expire(store: Store, log: Log, *, act: Act) -> list[int]:
    """End what was agreed to until a day that is past; the numbers of the requests."""
    with store.session() as session:
        table = RequestRow
        over = sa.select(table.id).where(table.state.in_([s.value for s in GRANTED_STATES]), table.valid_to < day_of(act.now))
        numbers = list(session.scalars(over.order_by(table.id).limit(MOST_EXPIRED)))
    for number in numbers:
        with acting(store, log, number, "expire", Act(by=act.by, now=act.now, reason=EXPIRED)) as doing:
            _bring_grant(doing, GrantState.ENDED)
    return numbers


def report_use(store: Store, log: Log, *, number: int, act: Act, report: UseReport) -> Request:
    """The requester records how it uses what it was given; any number of times until the copy is disposed of. Refused REQ-TEXT."""
    with acting(store, log, number, USE_REPORT, act) as doing:
        for name, text in asdict(report).items():
            check_text(f"使用台账 use report: {name}", text)
        doing.facts |= {"use": asdict(report)}
    return request_of(doing.request)


def use_reports(session: Session, number: int) -> list[UseReported]:
    """The use reports of a request, oldest first: what bureau and provider inspect (L-30)."""
    table = RequestMoveRow
    rows = session.scalars(sa.select(table).where(table.request_id == number, table.move == USE_REPORT).order_by(table.id))
    return [UseReported(report=UseReport(**row.facts["use"]), by=row.actor, at=row.at) for row in rows]


def dispose(store: Store, log: Log, *, number: int, act: Act, certificate: Certificate) -> Request:
    """The requester certifies that its copy is gone. Refused REQ-TEXT for what is left empty, REQ-DAY for a day to come."""
    with acting(store, log, number, "dispose", act) as doing:
        kept = asdict(certificate) | {"on": certificate.on.isoformat()}
        for name, text in kept.items():
            check_text(f"处置凭证 certificate: {name}", text)
        if certificate.on > day_of(act.now):
            raise Refused("REQ-DAY", where=str(number), what=kept["on"])
        doing.facts |= {"certificate": kept}
    return request_of(doing.request)


def archive(store: Store, log: Log, *, number: int, act: Act) -> Request:
    """Close the file: of a disposal by the provider or the bureau, who thereby accept the certificate."""
    with acting(store, log, number, "archive", act) as doing:
        pass
    return request_of(doing.request)


def _grant(doing: Acting) -> int:
    grant = grant_of(doing.session, doing.request.id)
    assert grant is not None, "what was agreed to has a grant"
    return grant


def _bring_grant(doing: Acting, state: GrantState) -> None:
    grant, act = _grant(doing), doing.act
    set_state(doing.session, doing.log, by=act.by, grant_id=grant, state=state, why=act.reason)
    doing.facts |= {"grant": grant}


def _is_extract(row: RequestRow) -> bool:
    """Whether supplying means that the door hands over a file, or loads a table."""
    return Mode(row.mode) in BULK_MODES and load_tier_policy().tiers[Tier(row.tier)].answer is AnswerForm.EXTRACT
