"""Random walks over the store against a naive reference: the same moves pass, the same are refused (law.md L-02, L-17, L-18, §7.3-3)."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.accounts import Role, create_account
from access.terms import Mode
from casework.requests.answering import Answer, RefusalReason
from casework.requests.moves import AnswerKind, State
from rules.errors import Denied, Refused
from tests.casework.requests.conftest import AGREE, CERTIFICATE, DAY, LAW, SUPPLEMENT, TERMS, USE, Desk, changed
from tests.casework.requests.test_moves import naive

HELD_ELSEWHERE = Answer(kind=AnswerKind.REFUSE, reasons=(RefusalReason.NOT_HELD,), holder="health")
ANSWERS = {"agree": AGREE, "refuse": LAW, "supplement": SUPPLEMENT, "reroute": HELD_ELSEWHERE}
PARTIES = {
    "lin": {"clerk"},
    "fang": {"head"},
    "deputy": {"clerk", "head"},
    "zhou": {"provider"},
    "wu": {"provider_head"},
    "vice": {"provider", "provider_head"},
    "approver": {"bureau"},
    "he": set(),
}
NOT_BY = {"approve": {"draft", "edit", "submit"}, "confirm": {"answer"}, "consent": {"extend"}, "archive": {"dispose"}}
"""L-02, written out."""

MOVES = (
    "edit", "submit", "approve", "send_back", "check", "extend", "consent", "decline", "answer", "confirm", "supply", "suspend", "resume",
    "end", "report_use", "dispose", "archive", "withdraw",
)  # fmt: skip


@dataclass
class Naive:
    """Where the request stands, and all that was done, as a clerk would keep it on paper."""

    state: str = "draft"
    answer: str | None = None
    done: list[tuple[str, str]] = field(default_factory=lambda: [("draft", "lin")])
    extended: bool = False
    supplemented: bool = False

    def after(self, move: str, actor: str, answer: str) -> str | None:
        """The state it leads to; None where it is refused."""
        line = naive(move, State(self.state), AnswerKind(self.answer) if self.answer else None)
        if line is None or not PARTIES[actor] & line[1]:
            return None
        own = any(name in NOT_BY.get(move, set()) and who == actor for name, who in self.done)
        if own and (move != "archive" or self.state == "disposed"):
            return None
        if (move == "extend" and self.extended) or (move == "answer" and answer == "supplement" and self.supplemented):
            return None
        return line[0]

    def make(self, move: str, actor: str, answer: str, after: str) -> None:
        self.done.append((move, actor))
        self.extended |= move == "consent"
        self.supplemented |= move == "confirm" and self.answer == "supplement"
        if move == "check":
            self.extended = False  # the provider has it anew
        self.answer = answer if move == "answer" else self.answer
        self.state = after


def attempt(desk: Desk, number: int, move: str, actor: str, answer: str) -> None:
    arguments: dict[str, dict[str, Any]] = {
        "edit": {"terms": changed(mode=Mode.TABLE)},
        "extend": {"days": 1},
        "answer": {"answer": ANSWERS[answer]},
        "suspend": {"rectify_by": DAY.date().replace(day=30)},
        "report_use": {"report": USE},
        "dispose": {"certificate": CERTIFICATE.__class__(**{**CERTIFICATE.__dict__, "on": DAY.date()})},
    }
    if move == "confirm" and "provider_head" in PARTIES[actor]:
        desk.do("impact", number, by=actor)
    why = "" if move == "answer" and answer in ("agree", "supplement") else "理由"
    desk.do(move, number, by=actor, why=why, **arguments.get(move, {}))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_every_walk_goes_where_the_naive_reference_goes(walking: Desk, data: st.DataObject) -> None:
    number, reference = walking.draft(changed(mode=Mode.TABLE)), Naive()
    everything = [(m, a, k) for m in MOVES for a in PARTIES for k in (ANSWERS if m == "answer" else ["agree"])]
    for _ in range(data.draw(st.integers(1, 16), label="steps")):
        legal = [act for act in everything if reference.after(*act)]
        onward = [act for act in legal if act[0] not in ("withdraw", "edit", "send_back", "report_use")]
        move, actor, answer = data.draw(st.one_of(*[st.sampled_from(acts) for acts in (onward, onward, legal, everything) if acts]))
        expected = reference.after(move, actor, answer)
        if expected is None:
            before = walking.dossier(number).request
            with pytest.raises((Refused, Denied)):
                attempt(walking, number, move, actor, answer)
            assert walking.dossier(number).request == before
        else:
            attempt(walking, number, move, actor, answer)
            reference.make(move, actor, answer, expected)
        assert walking.state(number).value == reference.state


@pytest.fixture
def walking(desk: Desk) -> Desk:
    p = desk.platform
    for name, department in (("deputy", "civil_affairs"), ("vice", "police")):
        roles = [Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD]
        create_account(p.store, p.log, by="operator", name=name, title=name, department=department, roles=roles, now=DAY)
    assert TERMS.mode is Mode.FILE
    return desk
