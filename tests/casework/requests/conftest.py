"""A desk at which a request runs its road: six residents, a data set of the police, clerks and heads of both sides, the bureau."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import pytest

from access.accounts import Role, create_account
from access.terms import Mode
from casework.attempts import Act
from casework.clocks import Subject, open_clocks
from casework.requests.answering import Answer, RefusalReason, ask_extension, confirm, consent, decline, prepare_answer
from casework.requests.moves import AnswerKind, State
from casework.requests.request import Request, load_dossier, load_request
from casework.requests.terms import RequestTerms
from casework.requests.using import Certificate, UseReport, archive, dispose, end, expire, report_use, resume, supply, suspend
from casework.requests.weighing import look_at_impact
from casework.requests.writing import approve, check, draft, edit, send_back, submit, withdraw
from catalog.entries.attaching import resource_of
from catalog.entries.shelf import load_entry, mark_published, record_act, write_content
from catalog.entries.states import State as EntryState
from catalog.home import Home
from rules.errors import TongchouError
from rules.tiers import Tier
from tests.access.conftest import Platform, opened
from tests.access.conftest import furnish as furnish_platform
from tests.beginnings import Begin
from tests.casework.conftest import at

PEOPLE = (
    ("approver", None, Role.BUREAU_APPROVER),
    ("fang", "civil_affairs", Role.DEPARTMENT_HEAD),
    ("zhou", "police", Role.DEPARTMENT_REQUESTER),
    ("wu", "police", Role.DEPARTMENT_HEAD),
)
CLERK, HEAD, PROVIDER, PROVIDER_HEAD, BUREAU, STRANGER = "lin", "fang", "zhou", "wu", "approver", "he"
"""`lin` asks for the civil affairs bureau, `he` is of the health bureau (both from the access tests' platform)."""

DAY = at("2026-11-23")
TERMS = RequestTerms(
    target="hukou",
    columns=("record", "name", "phone"),
    tier=Tier.T2,
    mode=Mode.FILE,
    purpose="低保资格核查",
    scene="低保审批系统",
    use_scope="社会救助科",
    legal_basis="《社会救助暂行办法》第十一条",
    valid_from=date(2026, 11, 23),
    valid_to=date(2027, 6, 30),
    responsible=CLERK,
    warranted=True,
)
AGREE = Answer(kind=AnswerKind.AGREE)
SUPPLEMENT = Answer(kind=AnswerKind.SUPPLEMENT, missing=("办事场景说明", "使用单位清单"))
LAW = Answer(kind=AnswerKind.REFUSE, reasons=(RefusalReason.LAW_FORBIDS,), citation="《中华人民共和国个人信息保护法》第二十八条")
CERTIFICATE = Certificate(what="低保核查名单", where="社会救助科服务器", how="覆写删除", who="社会救助科经办", on=date(2026, 12, 30))

USE = UseReport(scene="低保审批系统", process="每月比对一次", effect="核减不符合条件 12 户", storage="社会救助科服务器，加密存储")


@dataclass
class Desk:
    """Makes moves by name: `desk.do("approve", number)`, by whom and when it is usual unless told otherwise."""

    platform: Platform

    def draft(self, terms: RequestTerms = TERMS, by: str = CLERK, now: datetime = DAY) -> int:
        p = self.platform
        return draft(p.store, p.lake, p.log, act=Act(by=by, now=now), terms=terms).id

    def do(
        self, name: str, number: int, *, by: str | None = None, now: datetime = DAY, why: str = "", seen: int | None = None, **more: Any
    ) -> Any:
        p = self.platform
        p.clock.now = now
        act = Act(by=by or USUAL[name], now=now, reason=why, seen=seen)
        return MOVES[name](self, number, act, **more)

    def at_provider(self, terms: RequestTerms = TERMS, now: datetime = DAY) -> int:
        number = self.draft(terms, now=now)
        for name in ("submit", "approve", "check"):
            self.do(name, number, now=now)
        return number

    def answered(self, answer: Answer, number: int | None = None, now: datetime = DAY, why: str = "") -> int:
        number = self.at_provider(now=now) if number is None else number
        self.do("answer", number, now=now, answer=answer, why=why)
        self.do("impact", number, by=PROVIDER_HEAD, now=now)
        self.do("confirm", number, now=now)
        return number

    def in_use(self, tmp_path: Any) -> int:
        number = self.answered(AGREE)
        grant = self.dossier(number).grant
        assert grant is not None
        self.platform.door.extract(CLERK, grant, tmp_path / "out.csv", "csv")
        self.do("supply", number)
        return number

    def state(self, number: int) -> State:
        return self.request(number).state

    def request(self, number: int) -> Request:
        with self.platform.store.session() as session:
            return load_request(session, number)

    def dossier(self, number: int) -> Any:
        with self.platform.store.session() as session:
            return load_dossier(session, number)

    def clocks(self, number: int) -> dict[str, date]:
        """Open clocks with their due days."""
        with self.platform.store.session() as session:
            return {clock.clock: clock.due.day for clock in open_clocks(session, Subject.REQUEST, [number])}

    def refused(self, code: str, attempt: Callable[[], Any], number: int | None = None) -> str:
        """The attempt fails with the code, leaves the request as it was and one record of the attempt; what the error tells."""
        before, records = self.dossier(number) if number else None, len(self.platform.events())
        with pytest.raises(TongchouError) as error:
            attempt()
        assert error.value.code == code, error.value.message()
        assert (self.dossier(number) if number else None) == before
        last = self.platform.last().record
        assert (last.event.value, last.body["why"]) == ("casework:request:refused", code)
        assert len(self.platform.events()) == records + (2 if code == "DOOR-DENIED" else 1)
        return error.value.what


def _plain(move: Callable[..., Request], *, lake: bool = False) -> Callable[..., Request]:
    def make(desk: Desk, number: int, act: Act, **more: Any) -> Request:
        p = desk.platform
        return move(p.store, *((p.lake,) if lake else ()), p.log, number=number, act=act, **more)

    return make


def _impact(desk: Desk, number: int, act: Act) -> Any:
    p = desk.platform
    return look_at_impact(p.store, p.log, p.door, number=number, act=act)


MOVES: dict[str, Callable[..., Any]] = {
    "edit": _plain(edit, lake=True),
    "submit": _plain(submit, lake=True),
    "approve": _plain(approve, lake=True),
    "check": _plain(check, lake=True),
    "send_back": _plain(send_back),
    "withdraw": _plain(withdraw),
    "answer": _plain(prepare_answer, lake=True),
    "confirm": _plain(confirm, lake=True),
    "extend": _plain(ask_extension),
    "consent": _plain(consent),
    "decline": _plain(decline),
    "supply": _plain(supply),
    "suspend": _plain(suspend),
    "resume": _plain(resume),
    "end": _plain(end),
    "expire": lambda desk, number, act: expire(desk.platform.store, desk.platform.log, act=act),
    "report_use": _plain(report_use),
    "dispose": _plain(dispose),
    "archive": _plain(archive),
    "impact": _impact,
}
USUAL = {
    **dict.fromkeys(("edit", "submit", "withdraw", "end", "report_use", "dispose"), CLERK),
    **dict.fromkeys(("approve",), HEAD),
    **dict.fromkeys(("check", "send_back", "consent", "decline", "expire", "archive"), BUREAU),
    **dict.fromkeys(("answer", "extend", "supply", "suspend", "resume"), PROVIDER),
    **dict.fromkeys(("confirm", "impact"), PROVIDER_HEAD),
}


def republish(desk: Desk, columns: Mapping[str, dict[str, Any]] | None = None, *, open_: bool = True, dataset: str = "hukou") -> None:
    """Publish the entry of a data set with some fields of columns changed, as its road would; or withdraw it altogether."""
    with desk.platform.store.session() as session, session.begin():
        resource = resource_of(session, dataset)
        assert resource is not None
        entry = load_entry(session, resource.entry)
        content = replace(
            entry.content, columns=tuple(replace(column, **(columns or {}).get(column.name, {})) for column in entry.content.columns)
        )
        written = write_content(session, entry, content, by=None, now=DAY, reason="") if columns else {}
        record_act(session, entry, "edit", to=EntryState.BUREAU_REVIEW, by=None, now=DAY, **written)
        entry = load_entry(session, entry.id)
        number = mark_published(session, entry, entry.version + 1)
        state = EntryState.PUBLISHED if open_ else EntryState.CANCELLED
        record_act(
            session, entry, "publish", to=state, by=None, now=DAY, published_number=number, version=entry.version + 1, published_at=DAY
        )


def furnish(home: Home) -> None:
    """The small platform with the people of both sides, and the entry of the police's data set published."""
    furnish_platform(home)
    with opened(home) as platform:
        for name, department, role in PEOPLE:
            create_account(platform.store, platform.log, by="operator", name=name, title=name, department=department, roles=[role], now=DAY)
        republish(Desk(platform=platform))


@pytest.fixture
def platform(begin: Begin) -> Iterator[Platform]:
    with opened(begin(furnish)) as platform:
        yield platform


@pytest.fixture
def desk(platform: Platform) -> Desk:
    return Desk(platform=platform)


def changed(**changes: Any) -> RequestTerms:
    return replace(TERMS, **changes)
