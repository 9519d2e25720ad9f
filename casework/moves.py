"""The moves of a ticket (工单状态机) as a table: from which states, by whom, into which, and whether its clock starts anew (law.md §7.3-4).

提出 raised → 受理 checking → {更正 corrected: awaiting its record | 无误 upheld: turned round | 转办 rerouted | 入户 at the door} → 反馈
answered → 确认、评价 → 关闭 closed. The state of a correction ticket follows from the items that stand on it (`state_by_items`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where a ticket stands."""

    RAISED = "raised"
    CHECKING = "checking"
    AWAITING = "awaiting"
    AT_DOOR = "at_door"
    CONTESTED = "contested"
    DISPUTED = "disputed"
    ANSWERED = "answered"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


STATE_TEXTS: Mapping[State, str] = {
    State.RAISED: "待受理 raised",
    State.CHECKING: "核实中 checking",
    State.AWAITING: "待更正数据到达 awaiting the corrected record",
    State.AT_DOOR: "入户核查中 at the door",
    State.CONTESTED: "双方均称无误 contested",
    State.DISPUTED: "争议处理中 disputed",
    State.ANSWERED: "已答复 answered",
    State.CLOSED: "已关闭 closed",
    State.WITHDRAWN: "已撤销 withdrawn",
}
ENDED = frozenset({State.ANSWERED, State.CLOSED, State.WITHDRAWN})
"""Nobody has to do anything any more, unless it is reopened."""


class ItemState(StrEnum):
    """Where one record of a correction ticket stands."""

    OPEN = "open"
    AWAITING = "awaiting"
    CONTESTED = "contested"
    AT_DOOR = "at_door"
    SETTLED = "settled"


ITEM_STATE_TEXTS: Mapping[ItemState, str] = {
    ItemState.OPEN: "待核实 open",
    ItemState.AWAITING: "待更正数据到达 awaiting the corrected record",
    ItemState.CONTESTED: "双方均称无误 contested",
    ItemState.AT_DOOR: "入户核查中 at the door",
    ItemState.SETTLED: "已了结 settled",
}


class Party(StrEnum):
    """Who an account is to a ticket."""

    HANDLER = "handler"
    HEAD = "head"
    RAISER = "raiser"
    OTHER_SIDE = "other_side"
    BUREAU = "bureau"


PARTY_TEXTS: Mapping[Party, str] = {
    Party.HANDLER: "承办部门经办 the department's handler",
    Party.HEAD: "承办部门负责人 the department's head",
    Party.RAISER: "提出方 who raised it",
    Party.OTHER_SIDE: "对方部门 the other side",
    Party.BUREAU: "统筹局 the bureau",
}


@dataclass(frozen=True, kw_only=True)
class Owed:
    """Whose turn it is in a state, and the clock of `clocks.yaml` that runs for him."""

    clock: str
    by: Party


OWED: Mapping[State, Owed] = {
    State.RAISED: Owed(clock="correction", by=Party.HANDLER),
    State.CHECKING: Owed(clock="correction", by=Party.HANDLER),
    State.AWAITING: Owed(clock="correction", by=Party.HANDLER),
    State.AT_DOOR: Owed(clock="door_check", by=Party.BUREAU),
    State.CONTESTED: Owed(clock="dispute", by=Party.BUREAU),
    State.DISPUTED: Owed(clock="dispute", by=Party.BUREAU),
}
"""By state; what has ended is owed by nobody."""


class Kind(StrEnum):
    """A correction (校核), or one of the four kinds of objection (law.md §7.2)."""

    CORRECTION = "correction"
    CATALOGUE = "catalogue"
    REQUEST = "request"
    USE = "use"
    OTHER = "other"


KIND_TEXTS: Mapping[Kind, str] = {
    Kind.CORRECTION: "校核 correction",
    Kind.CATALOGUE: "数据目录纠错 correction of the catalogue",
    Kind.REQUEST: "资源申请异议 objection to how a request was handled",
    Kind.USE: "数据使用异议 objection to data in use",
    Kind.OTHER: "其他 other",
}
TOPICS: Mapping[Kind, Mapping[str, str]] = {
    Kind.CORRECTION: {},
    Kind.CATALOGUE: {},
    Kind.REQUEST: {"duration": "审批时长 how long it took", "opinion": "审批意见 what was answered", "other": "其他 other"},
    Kind.USE: {"response": "服务响应能力 response of the service", "quality": "数据质量 quality of data", "other": "其他 other"},
    Kind.OTHER: {"score": "考核结果 a score", "other": "其他 other"},
}
OBJECTIONS = frozenset(Kind) - {Kind.CORRECTION}
CORRECTIONS = frozenset({Kind.CORRECTION})
ALL_KINDS = frozenset(Kind)


@dataclass(frozen=True, kw_only=True)
class Move:
    """One line of the table. `to`: None where the items decide, or where the state stays. `second`: not by whoever accepted it (L-02)."""

    zh: str
    en: str
    states: frozenset[State]
    to: State | None
    by: frozenset[Party]
    kinds: frozenset[Kind]
    rule: str
    anew: bool = False
    second: bool = False
    reason: bool = True


FRESH = frozenset({State.RAISED, State.CHECKING})
DEPARTMENT = frozenset({Party.HANDLER, Party.HEAD})
STANDING = frozenset(State) - ENDED

MOVES: Mapping[str, Move] = {
    "accept": Move(
        zh="受理", en="accept", states=frozenset({State.RAISED}), to=State.CHECKING, by=DEPARTMENT, kinds=ALL_KINDS, rule="§7.3-4",
        reason=False,
    ),
    "correct": Move(zh="更正", en="corrected", states=FRESH, to=None, by=DEPARTMENT, kinds=CORRECTIONS, rule="L-25, R-06", reason=False),
    "uphold": Move(
        zh="无误", en="correct as it is", states=frozenset({State.CHECKING}), to=None, by=frozenset({Party.HEAD}), kinds=CORRECTIONS,
        rule="R-06, L-02", second=True,
    ),
    "answer": Move(
        zh="答复", en="answer", states=frozenset({State.CHECKING}), to=State.ANSWERED, by=frozenset({Party.HEAD}), kinds=OBJECTIONS,
        rule="L-25, L-02", second=True,
    ),
    "dismiss": Move(
        zh="驳回", en="dismiss", states=frozenset({State.CHECKING}), to=State.ANSWERED, by=frozenset({Party.HEAD}), kinds=OBJECTIONS,
        rule="§7.2, L-02", second=True,
    ),
    "reroute": Move(
        zh="转办", en="reroute", states=FRESH, to=State.RAISED, by=DEPARTMENT | {Party.BUREAU}, kinds=ALL_KINDS, rule="§7.3-4", anew=True
    ),
    "withdraw": Move(
        zh="撤销", en="withdraw", states=FRESH, to=State.WITHDRAWN, by=frozenset({Party.RAISER}), kinds=ALL_KINDS, rule="§7.2"
    ),
    "door": Move(
        zh="入户核查", en="ask at the door", states=FRESH | {State.CONTESTED}, to=None, by=DEPARTMENT | {Party.BUREAU}, kinds=CORRECTIONS,
        rule="§7.3-5",
    ),
    "dispute": Move(
        zh="提起争议", en="dispute", states=frozenset({State.CONTESTED, State.ANSWERED}), to=State.DISPUTED,
        by=DEPARTMENT | {Party.OTHER_SIDE, Party.RAISER}, kinds=ALL_KINDS, rule="L-29",
    ),
    "reopen": Move(
        zh="重新打开", en="reopen", states=ENDED, to=State.RAISED, by=frozenset({Party.RAISER, Party.BUREAU}), kinds=ALL_KINDS,
        rule="§7.3-4", anew=True,
    ),
    "rate": Move(
        zh="评价", en="rate", states=frozenset({State.ANSWERED, State.CLOSED}), to=State.CLOSED, by=frozenset({Party.RAISER}),
        kinds=ALL_KINDS, rule="§7.2", reason=False,
    ),
}  # fmt: skip

PLATFORM_MOVES: Mapping[str, str] = {
    "open": "建单 opened",
    "settle": "更正数据到达 the corrected record arrived",
    "return": "新数据仍不一致 newer data still deviate",
    "turn": "转由对方核实 turned round to the other side",
    "decide": "已作决定 decided",
    "remind": "提醒 reminded",
}
"""What the platform itself does to a ticket."""


def state_by_items(items: Mapping[ItemState, int], *, accepted: bool, disputed: bool) -> State:
    """Where a correction ticket stands: what its department still owes comes first; without standing items it is closed (R-06)."""
    if items.get(ItemState.OPEN):
        return State.CHECKING if accepted else State.RAISED
    if items.get(ItemState.AWAITING):
        return State.AWAITING
    if items.get(ItemState.AT_DOOR):
        return State.AT_DOOR
    if items.get(ItemState.CONTESTED):
        return State.DISPUTED if disputed else State.CONTESTED
    return State.CLOSED
