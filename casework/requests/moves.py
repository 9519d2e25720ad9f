"""The moves of a request (申请状态机) as a table: from which states, by whom, into which, and which clock stops or starts (law.md §7.3-3).

草稿 → 本部门审批 → 主管部门合规性审查 → 提供部门答复 {补正 | 延期 | 同意 | 不同意} → 供数中 → 使用中 → {暂停 → 恢复 | 终止} → 处置 → 归档
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from casework.clocks import Outcome


class State(StrEnum):
    """Where a request stands."""

    DRAFT = "draft"
    HEAD_REVIEW = "head_review"
    CONFORMITY = "conformity"
    PROVIDER_REVIEW = "provider_review"
    EXTENSION_REVIEW = "extension_review"
    ANSWER_REVIEW = "answer_review"
    SUPPLEMENT = "supplement"
    SUPPLEMENT_REVIEW = "supplement_review"
    SUPPLYING = "supplying"
    IN_USE = "in_use"
    SUSPENDED = "suspended"
    ENDED = "ended"
    DISPOSED = "disposed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    ARCHIVED = "archived"


STATE_TEXTS: Mapping[State, str] = {
    State.DRAFT: "草稿 draft",
    State.HEAD_REVIEW: "本部门审批 with the own head",
    State.CONFORMITY: "合规性审查 check of conformity",
    State.PROVIDER_REVIEW: "提供部门答复 with the provider",
    State.EXTENSION_REVIEW: "延期待主管部门同意 extension with the bureau",
    State.ANSWER_REVIEW: "答复待负责人审批 answer with the provider's head",
    State.SUPPLEMENT: "待补正 to be supplemented",
    State.SUPPLEMENT_REVIEW: "补正待本部门审批 supplement with the own head",
    State.SUPPLYING: "供数中 to be supplied",
    State.IN_USE: "使用中 in use",
    State.SUSPENDED: "暂停 suspended",
    State.ENDED: "已结束待处置 ended, to be disposed of",
    State.DISPOSED: "已处置 disposed of",
    State.REFUSED: "不同意 refused",
    State.WITHDRAWN: "已撤回 withdrawn",
    State.ARCHIVED: "归档 archived",
}


class Party(StrEnum):
    """Who an account is to a request."""

    CLERK = "clerk"
    HEAD = "head"
    BUREAU = "bureau"
    PROVIDER = "provider"
    PROVIDER_HEAD = "provider_head"


PARTY_TEXTS: Mapping[Party, str] = {
    Party.CLERK: "需求部门经办 the requester's clerk",
    Party.HEAD: "需求部门负责人 the requester's head",
    Party.BUREAU: "统筹局 the bureau",
    Party.PROVIDER: "提供部门经办 the provider's clerk",
    Party.PROVIDER_HEAD: "提供部门负责人 the provider's head",
}


class AnswerKind(StrEnum):
    """What a provider can answer. A refusal because the data is held elsewhere does not end a request, it sends it back to the bureau."""

    AGREE = "agree"
    REFUSE = "refuse"
    SUPPLEMENT = "supplement"
    REROUTE = "reroute"


ANSWER_TEXTS: Mapping[AnswerKind, str] = {
    AnswerKind.AGREE: "同意 agreed",
    AnswerKind.REFUSE: "不同意 refused",
    AnswerKind.SUPPLEMENT: "补正 supplement",
    AnswerKind.REROUTE: "不在本部门，转办 held elsewhere, rerouted",
}

CONFORMITY_CLOCK, ANSWER_CLOCK, SUPPLY_CLOCK = "conformity_check", "answer", "supply"
"""Clocks that moves start. That of the answer is named by the share attribute: `answer_unconditional`, `answer_conditional`."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One line of the table.

    `not_by`: moves whose doers may not make this one (L-02). `answer`: only where this answer waits. `stops`: how the open clocks end.
    `only_restarting`: clocks stop only where a supplement restarts the clock of the answer (L-38). `reason`: it has to be said why.
    """

    before: frozenset[State]
    after: State
    by: frozenset[Party]
    rule: str
    not_by: frozenset[str] = frozenset()
    answer: AnswerKind | None = None
    stops: Outcome | None = None
    starts: str | None = None
    only_restarting: bool = False
    reason: bool = False


MOVE_TEXTS: Mapping[str, str] = {
    "draft": "起草 draft",
    "edit": "修改 edit",
    "submit": "提交 submit",
    "approve": "本部门同意 approve",
    "send_back": "退回 send back",
    "check": "合规性审查通过 pass",
    "extend": "申请延期 ask for an extension",
    "consent": "同意延期 consent to the extension",
    "decline": "不同意延期 decline the extension",
    "answer": "拟答复 prepare the answer",
    "confirm": "签发答复 give the answer",
    "supply": "供数完成 supply",
    "suspend": "暂停 suspend",
    "resume": "恢复 resume",
    "end": "结束 end",
    "expire": "到期 expire",
    "report_use": "填报使用情况 report the use",
    "dispose": "处置 dispose",
    "archive": "归档 archive",
    "withdraw": "撤回 withdraw",
    "impact": "查看影响 look at the impact",
}
OWN = frozenset({Party.CLERK, Party.HEAD})
OWN_HEAD = frozenset({Party.HEAD})
BUREAU = frozenset({Party.BUREAU})
PROVIDING = frozenset({Party.PROVIDER, Party.PROVIDER_HEAD})
PROVIDER_HEAD = frozenset({Party.PROVIDER_HEAD})
WRITING = frozenset({"draft", "edit", "submit"})
ANSWERABLE = frozenset({State.PROVIDER_REVIEW, State.EXTENSION_REVIEW})
UNDECIDED = frozenset(
    {
        State.DRAFT,
        State.HEAD_REVIEW,
        State.CONFORMITY,
        State.SUPPLEMENT,
        State.SUPPLEMENT_REVIEW,
        State.ANSWER_REVIEW,
        *ANSWERABLE,
    }
)


def _from(*states: State) -> frozenset[State]:
    return frozenset(states)


MOVES: Mapping[str, tuple[Move, ...]] = {
    "edit": (
        Move(before=_from(State.DRAFT), after=State.DRAFT, by=OWN, rule="L-14"),
        Move(before=_from(State.SUPPLEMENT), after=State.SUPPLEMENT, by=OWN, rule="L-18"),
    ),
    "submit": (
        Move(before=_from(State.DRAFT), after=State.HEAD_REVIEW, by=OWN, rule="L-14"),
        Move(before=_from(State.SUPPLEMENT), after=State.SUPPLEMENT_REVIEW, by=OWN, rule="L-14, L-18"),
    ),
    "approve": (
        Move(
            before=_from(State.HEAD_REVIEW),
            after=State.CONFORMITY,
            by=OWN_HEAD,
            not_by=WRITING,
            rule="L-14, L-02",
            starts=CONFORMITY_CLOCK,
        ),
        Move(
            before=_from(State.SUPPLEMENT_REVIEW),
            after=State.PROVIDER_REVIEW,
            by=OWN_HEAD,
            not_by=WRITING,
            rule="L-14, L-02, L-38",
            starts=ANSWER_CLOCK,
        ),
    ),
    "send_back": (
        Move(before=_from(State.HEAD_REVIEW), after=State.DRAFT, by=OWN_HEAD, rule="L-14", reason=True),
        Move(before=_from(State.SUPPLEMENT_REVIEW), after=State.SUPPLEMENT, by=OWN_HEAD, rule="L-14", reason=True),
        Move(before=_from(State.CONFORMITY), after=State.DRAFT, by=BUREAU, rule="L-21", stops=Outcome.DONE, reason=True),
        Move(before=_from(State.ANSWER_REVIEW), after=State.PROVIDER_REVIEW, by=PROVIDER_HEAD, rule="L-02", reason=True),
    ),
    "check": (
        Move(
            before=_from(State.CONFORMITY),
            after=State.PROVIDER_REVIEW,
            by=BUREAU,
            rule="L-21, L-15, L-16",
            stops=Outcome.DONE,
            starts=ANSWER_CLOCK,
        ),
    ),
    "extend": (Move(before=_from(State.PROVIDER_REVIEW), after=State.EXTENSION_REVIEW, by=PROVIDING, rule="L-17", reason=True),),
    "consent": (
        Move(
            before=_from(State.EXTENSION_REVIEW),
            after=State.PROVIDER_REVIEW,
            by=BUREAU,
            not_by=frozenset({"extend"}),
            rule="L-17",
        ),
    ),
    "decline": (Move(before=_from(State.EXTENSION_REVIEW), after=State.PROVIDER_REVIEW, by=BUREAU, rule="L-17", reason=True),),
    "answer": (Move(before=ANSWERABLE, after=State.ANSWER_REVIEW, by=PROVIDING, rule="L-15, L-16, L-18"),),
    "confirm": tuple(
        Move(
            before=_from(State.ANSWER_REVIEW),
            after=after,
            by=PROVIDER_HEAD,
            not_by=frozenset({"answer"}),
            rule=rule,
            answer=answer,
            stops=stops,
            starts=starts,
            only_restarting=answer is AnswerKind.SUPPLEMENT,
        )
        for answer, after, rule, stops, starts in (
            (AnswerKind.AGREE, State.SUPPLYING, "L-02, L-15, L-16, L-19", Outcome.DONE, SUPPLY_CLOCK),
            (AnswerKind.REFUSE, State.REFUSED, "L-02, L-18", Outcome.DONE, None),
            (AnswerKind.SUPPLEMENT, State.SUPPLEMENT, "L-02, L-18", Outcome.VOID, None),
            (AnswerKind.REROUTE, State.CONFORMITY, "L-02, §7.2", Outcome.DONE, CONFORMITY_CLOCK),
        )
    ),
    "supply": (Move(before=_from(State.SUPPLYING), after=State.IN_USE, by=PROVIDING | BUREAU, rule="L-19", stops=Outcome.DONE),),
    "suspend": (Move(before=_from(State.IN_USE), after=State.SUSPENDED, by=PROVIDING | BUREAU, rule="L-27", reason=True),),
    "resume": (Move(before=_from(State.SUSPENDED), after=State.IN_USE, by=PROVIDING | BUREAU, rule="L-27", reason=True),),
    "end": (
        Move(before=_from(State.IN_USE), after=State.ENDED, by=OWN | BUREAU, rule="L-26, L-28", reason=True),
        Move(before=_from(State.SUSPENDED), after=State.ENDED, by=OWN | PROVIDING | BUREAU, rule="L-27", reason=True),
        Move(before=_from(State.SUPPLYING), after=State.ENDED, by=OWN, rule="L-26", stops=Outcome.VOID, reason=True),
    ),
    "expire": (
        Move(before=_from(State.SUPPLYING, State.IN_USE, State.SUSPENDED), after=State.ENDED, by=BUREAU, rule="L-14", stops=Outcome.VOID),
    ),
    "report_use": tuple(
        Move(before=_from(state), after=state, by=OWN, rule="L-30") for state in (State.IN_USE, State.SUSPENDED, State.ENDED)
    ),
    "dispose": (Move(before=_from(State.ENDED), after=State.DISPOSED, by=OWN, rule="L-26"),),
    "archive": (
        Move(before=_from(State.DISPOSED), after=State.ARCHIVED, by=PROVIDING | BUREAU, not_by=frozenset({"dispose"}), rule="L-26"),
        Move(before=_from(State.REFUSED, State.WITHDRAWN), after=State.ARCHIVED, by=BUREAU | OWN, rule="L-30"),
    ),
    "withdraw": (Move(before=UNDECIDED, after=State.WITHDRAWN, by=OWN, rule="L-14", stops=Outcome.VOID, reason=True),),
}
"""Under one name no two lines fit the same state and answer; a test walks the table."""


def find_move(name: str, state: State, answer: AnswerKind | None) -> Move | None:
    """The line of the table that lets a request move on, if there is one."""
    fitting = (move for move in MOVES[name] if state in move.before and move.answer in (None, answer))
    return next(fitting, None)


def parties_that_may(name: str) -> frozenset[Party]:
    """Everybody who may make a move of this name in some state."""
    return frozenset[Party]().union(*(move.by for move in MOVES[name]))
