"""The moves of a review (核查状态机) as a table: from which states into which, by whom.

立案 opened → 交办 assigned → 提问 asked → 答复 answered → 结案 closed; what is grave is 待复核 proposed until a second auditor has
confirmed it, or has given it back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Origin(StrEnum):
    """Why it was opened."""

    FLAGGED = "flagged"
    REPORTED = "reported"
    DRAWN = "drawn"


ORIGIN_TEXTS: Mapping[Origin, str] = {
    Origin.FLAGGED: "预警 flagged",
    Origin.REPORTED: "举报或存疑 reported",
    Origin.DRAWN: "随机抽查 drawn",
}


class State(StrEnum):
    """Where a review stands."""

    OPENED = "opened"
    ASSIGNED = "assigned"
    ASKED = "asked"
    ANSWERED = "answered"
    PROPOSED = "proposed"
    CLOSED = "closed"


STATE_TEXTS: Mapping[State, str] = {
    State.OPENED: "已立案 opened",
    State.ASSIGNED: "已交办 assigned",
    State.ASKED: "待答复 asked",
    State.ANSWERED: "已答复 answered",
    State.PROPOSED: "待第二人复核 awaiting the second auditor",
    State.CLOSED: "已结案 closed",
}
OVERDUE = "overdue"
"""The stage of a review that was asked about and whose day has passed; for outcomes, beside the states."""


class Party(StrEnum):
    """Who an account is to a review. The accessor is nobody to it."""

    AUDITOR = "auditor"
    ASSIGNEE = "assignee"
    SUPERIOR = "superior"


PARTY_TEXTS: Mapping[Party, str] = {
    Party.AUDITOR: "审计员 an auditor",
    Party.ASSIGNEE: "承办审计员 the auditor it is assigned to",
    Party.SUPERIOR: "被查账号的上级 the accessor's superior",
}


class Superior(StrEnum):
    """Who answers: the head of the accessor's department; the bureau where the accessor is a head, or of the bureau, or there is none."""

    HEAD = "head"
    BUREAU = "bureau"


@dataclass(frozen=True, kw_only=True)
class Move:
    """One line of the table. `second`: by another than who found the outcome."""

    zh: str
    en: str
    steps: Mapping[State, State]
    by: Party
    second: bool = False


FOUND = (State.ASSIGNED, State.ASKED, State.ANSWERED)

MOVES: Mapping[str, Move] = {
    "assign": Move(
        zh="交办", en="assign", by=Party.AUDITOR, steps={State.OPENED: State.ASSIGNED, **{state: state for state in FOUND}}
    ),
    "ask": Move(
        zh="提问", en="ask", by=Party.ASSIGNEE, steps={State.ASSIGNED: State.ASKED, State.ANSWERED: State.ASKED}
    ),
    "answer": Move(zh="答复", en="answer", by=Party.SUPERIOR, steps={State.ASKED: State.ANSWERED}),
    "close": Move(zh="结案", en="close", by=Party.ASSIGNEE, steps=dict.fromkeys(FOUND, State.CLOSED)),
    "confirm": Move(zh="复核", en="confirm", by=Party.AUDITOR, steps={State.PROPOSED: State.CLOSED}, second=True),
    "return": Move(zh="退回", en="give back", by=Party.AUDITOR, steps={State.PROPOSED: State.ASSIGNED}, second=True),
}  # fmt: skip
"""A grave outcome leads `close` to PROPOSED instead."""
