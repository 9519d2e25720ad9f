"""What may be done to an entry and to its data sets, in which state and by whom (law.md §7.3), as tables; all else is illegal.

Inside a department nobody approves what he compiled or submitted, and at the bureau nobody publishes it (L-02).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from access.accounts import Account, Role
from catalog.entries.attaching import IN_SERVICE
from catalog.entries.shelf import (
    Entry,
)
from catalog.entries.states import ResourceState, State
from rules.departments import BUREAU_DEPARTMENT


class Act(StrEnum):
    """What can be done to an entry."""

    EDIT = "edit"
    SUBMIT = "submit"
    APPROVE = "approve"
    RETURN = "return"
    PUBLISH = "publish"
    SEND_BACK = "send_back"
    ABANDON = "abandon"
    WITHDRAW = "withdraw"
    KEEP = "keep"
    CANCEL = "cancel"
    DISCARD = "discard"


ACT_TITLES: Mapping[str, str] = {
    "make": "新建 made",
    "follow": "随合同更新 followed the contract",
    "attach": "挂接 attached",
    "file_change": "资源变更备案 change of a resource filed",
    "extend": "同意延期更新 later update agreed",
    "resume": "资源恢复 resource resumed",
    "take_down": "资源下线 resource taken down",
    Act.EDIT: "编辑 edited",
    Act.SUBMIT: "提交 submitted",
    Act.APPROVE: "部门审核通过 approved by the department",
    Act.RETURN: "部门退回 returned by the department",
    Act.PUBLISH: "发布 published",
    Act.SEND_BACK: "主管部门退回 sent back by the bureau",
    Act.ABANDON: "放弃变更 change abandoned",
    Act.WITHDRAW: "申请下线 withdrawal filed",
    Act.KEEP: "恢复 kept",
    Act.CANCEL: "注销 cancelled",
    Act.DISCARD: "作废草稿 draft discarded",
}

HANDLER = frozenset({Role.DEPARTMENT_REQUESTER})
"""经办: compiles and submits for the own department."""
HEAD = frozenset({Role.DEPARTMENT_HEAD})
REGISTRAR = frozenset({Role.BUREAU_REGISTRAR})
BUREAU = frozenset({Role.BUREAU_REGISTRAR, Role.BUREAU_APPROVER})
NOBODY: frozenset[Role] = frozenset()
OF_THE_BUREAU: Mapping[Role, Role] = {
    Role.DEPARTMENT_REQUESTER: Role.BUREAU_REGISTRAR,
    Role.DEPARTMENT_HEAD: Role.BUREAU_APPROVER,
}
"""Who is at the bureau what a handler and a head are in a department."""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One act: from which states to which, and whose it is: accounts of the entry's own department with one of the roles `own`, or of the
    bureau with one of `bureau`. `again` is the state it leads to once the entry has been published."""

    before: frozenset[State]
    after: State
    again: State | None = None
    own: frozenset[Role] = NOBODY
    bureau: frozenset[Role] = NOBODY


MOVES: Mapping[Act, Move] = {
    Act.EDIT: Move(
        before=frozenset({State.DRAFT, State.CHANGING, State.PUBLISHED}),
        after=State.DRAFT,
        again=State.CHANGING,
        own=HANDLER,
        bureau=REGISTRAR,
    ),
    Act.SUBMIT: Move(before=frozenset({State.DRAFT, State.CHANGING}), after=State.DEPARTMENT_REVIEW, own=HANDLER),
    Act.APPROVE: Move(before=frozenset({State.DEPARTMENT_REVIEW}), after=State.BUREAU_REVIEW, own=HEAD),
    Act.RETURN: Move(before=frozenset({State.DEPARTMENT_REVIEW}), after=State.DRAFT, again=State.CHANGING, own=HEAD),
    Act.PUBLISH: Move(before=frozenset({State.BUREAU_REVIEW}), after=State.PUBLISHED, bureau=BUREAU),
    Act.SEND_BACK: Move(before=frozenset({State.BUREAU_REVIEW}), after=State.DRAFT, again=State.CHANGING, bureau=BUREAU),
    Act.ABANDON: Move(before=frozenset({State.CHANGING}), after=State.PUBLISHED, own=HANDLER),
    Act.WITHDRAW: Move(before=frozenset({State.PUBLISHED}), after=State.WITHDRAWAL, own=HEAD),
    Act.KEEP: Move(before=frozenset({State.WITHDRAWAL}), after=State.PUBLISHED, own=HEAD, bureau=BUREAU),
    Act.CANCEL: Move(before=frozenset({State.WITHDRAWAL}), after=State.CANCELLED, bureau=BUREAU),
    Act.DISCARD: Move(before=frozenset({State.DRAFT}), after=State.CANCELLED, own=HANDLER),
}
"""§7.3-1. Everything that does not stand here is illegal."""

NOT_AGAIN: Mapping[Act, frozenset[str]] = {
    Act.APPROVE: frozenset({Act.EDIT, Act.SUBMIT, "make"}),
    Act.PUBLISH: frozenset({Act.EDIT, Act.SUBMIT, Act.APPROVE, "make"}),
    Act.CANCEL: frozenset({Act.WITHDRAW}),
}
"""Two-person rule (L-02): who did one of these since the last publication may not do this."""
UPDATE_CLOCK, PUBLICATION_CLOCK = "entry_update", "entry_publication"
"""L-13: the department's for a change, from the day on which it begins; the bureau's for review and publication, from receipt."""
NEEDS_NOTE = frozenset({Act.RETURN, Act.SEND_BACK, Act.WITHDRAW, Act.KEEP, Act.DISCARD})


@dataclass(frozen=True, kw_only=True)
class ResourceMove:
    """An act on a resource (§7.3-2): as `Move`, and whether L-28's notice is needed."""

    before: frozenset[ResourceState]
    after: ResourceState
    own: frozenset[Role] = NOBODY
    bureau: frozenset[Role] = NOBODY
    notice: bool = False


RESOURCE_MOVES: Mapping[str, ResourceMove] = {
    "file_change": ResourceMove(before=frozenset(IN_SERVICE), after=ResourceState.CHANGE_FILED, own=HEAD, notice=True),
    "resume": ResourceMove(before=frozenset({ResourceState.CHANGE_FILED}), after=ResourceState.ATTACHED, own=HANDLER | HEAD, bureau=BUREAU),
    "take_down": ResourceMove(before=frozenset({ResourceState.CHANGE_FILED}), after=ResourceState.WITHDRAWN, bureau=BUREAU),
}
"""What people do to a resource besides attaching it; running and abnormal are found by the platform (`catalog.entries.attaching`)."""


def state_after(entry: Entry, act: Act) -> State:
    """Where an act of the table leads from where an entry stands. What the bureau compiles itself a second person there reviews once."""
    wanted = MOVES[act]
    if act is Act.SUBMIT and entry.department == BUREAU_DEPARTMENT:
        return State.BUREAU_REVIEW
    return wanted.again if wanted.again is not None and entry.published is not None else wanted.after


def bureau_roles(wanted: Move | ResourceMove, department: str) -> frozenset[Role]:
    """Whose of the bureau an act is; on the bureau's own entries its registrars are the handlers, its approvers the heads."""
    if department != BUREAU_DEPARTMENT:
        return wanted.bureau
    return wanted.bureau | {role for own, role in OF_THE_BUREAU.items() if own in wanted.own}


def may_edit(account: Account, department: str) -> bool:
    """Whether an account compiles entries of a department."""
    own, bureau = MOVES[Act.EDIT].own, MOVES[Act.EDIT].bureau
    return account.active and bool(
        account.roles & own if account.department == department else account.department is None and account.roles & bureau
    )
