"""The grounds (依据) on which an act is allowed to somebody, and what he is told who has none."""

from collections.abc import Callable, Mapping

from access.accounts import Role
from access.acts import Act
from access.questions import Question, Reason
from rules.tiers import Audience

Rule = Callable[[Question], Reason | None]


def grounds_of(question: Question) -> tuple[Reason, ...]:
    """Why the account may ask; none where it may not. Outside of what it was made for a key learns no more than somebody else's does."""
    within = question.key is None or question.key.covers(question.act, question.grant)
    return tuple(reason for rule in GROUNDS[question.act] if (reason := rule(question))) if within else ()


def _own_grant(question: Question) -> Reason | None:
    may_extract = question.account.roles & {Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD}
    own = question.grant is not None and question.account.department == question.grant.grantee and _is_named(question)
    return Reason.OWN_GRANT if own and may_extract and question.account.active else None


def _is_named(question: Question) -> bool:
    """A grant for named leaders is for those accounts alone, and for their clerks not even there."""
    grant = question.grant
    return grant is None or grant.audience is not Audience.LEADERS or question.account.name in grant.named


def _bureau_prepares(question: Question) -> Reason | None:
    bureau = question.account.active and Role.BUREAU_OPERATOR in question.account.roles
    return Reason.BUREAU_PREPARES if bureau and question.grant is not None else None


def _bureau_export(question: Question) -> Reason | None:
    return Reason.BUREAU_DUTY if Role.BUREAU_OPERATOR in question.account.roles else None


def _bureau_explains(question: Question) -> Reason | None:
    return Reason.BUREAU_DUTY if question.account.roles & {Role.BUREAU_OPERATOR, Role.STEWARD} else None


def _bureau_reverses(question: Question) -> Reason | None:
    """Who looks behind a pseudonym answers for residents: a steward, or the bureau's operator; a grant says whose it is."""
    return _bureau_explains(question) if question.grant is not None else None


def _bureau_links(question: Question) -> Reason | None:
    return _bureau_export(question) if question.grant is not None else None


def _audits(question: Question) -> Reason | None:
    """An auditor sees what an answer gave: whether it comes out the same, and the rows where the case needs them (A-02)."""
    auditor = question.account.active and Role.AUDITOR in question.account.roles
    return Reason.AUDIT if auditor else None


def _own_data(question: Question) -> Reason | None:
    mine = question.provider is not None and question.account.department == question.provider
    people = question.account.roles & {Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD}
    return Reason.OWN_DATA if mine and people else None


def _bureau_weighs(question: Question) -> Reason | None:
    return Reason.BUREAU_DUTY if question.account.roles & {Role.BUREAU_OPERATOR, Role.BUREAU_APPROVER} else None


def _own_ticket(question: Question) -> Reason | None:
    """Who has to check values may see them: those in question, of the own department's records (L-25)."""
    account, case = question.account, question.case
    handles = account.roles & {Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD}
    mine = case is not None and case.department is not None and account.department == case.department
    return Reason.OWN_CASE if mine and handles and account.active else None


def _own_visit(question: Question) -> Reason | None:
    account, case = question.account, question.case
    mine = case is not None and case.worker is not None and account.name == case.worker
    return Reason.OWN_CASE if mine and Role.GRID_WORKER in account.roles and account.active else None


GROUNDS: Mapping[Act, tuple[Rule, ...]] = {
    Act.EXTRACT: (_own_grant, _bureau_prepares),
    Act.STATISTICS: (_own_grant, _bureau_prepares),
    Act.EXPORT_GOLDEN: (_bureau_export,),
    Act.EXPORT_CROSSWALK: (_bureau_export,),
    Act.WHY: (_bureau_explains,),
    Act.REVIEW: (_bureau_explains,),
    Act.SIMULATE: (_bureau_explains,),
    Act.TRACE: (_bureau_export,),
    Act.TICKET: (_own_ticket, _bureau_explains),
    Act.DOOR_CHECK: (_own_visit, _bureau_explains),
    Act.IMPACT: (_own_data, _bureau_weighs),
    Act.RELIABILITY: (_bureau_explains,),
    Act.REPLAY: (_audits,),
    Act.LOOK_UP: (_own_grant,),
    Act.VERIFY: (_own_grant,),
    Act.KINSHIP: (_own_grant,),
    Act.CASE_LOOK_UP: (_own_grant,),
    Act.REVERSE: (_bureau_reverses,),
    Act.LINK: (_bureau_links,),
}
REFUSALS: Mapping[Act, Reason] = {
    Act.EXTRACT: Reason.NO_GRANT,
    Act.STATISTICS: Reason.NO_GRANT,
    Act.EXPORT_GOLDEN: Reason.NO_ROLE,
    Act.EXPORT_CROSSWALK: Reason.NO_ROLE,
    Act.WHY: Reason.NO_ROLE,
    Act.REVIEW: Reason.NO_ROLE,
    Act.SIMULATE: Reason.NO_ROLE,
    Act.TRACE: Reason.NO_ROLE,
    Act.TICKET: Reason.NO_CASE,
    Act.DOOR_CHECK: Reason.NO_CASE,
    Act.IMPACT: Reason.NO_ROLE,
    Act.RELIABILITY: Reason.NO_ROLE,
    Act.REPLAY: Reason.NO_ROLE,
    Act.LOOK_UP: Reason.NO_GRANT,
    Act.VERIFY: Reason.NO_GRANT,
    Act.KINSHIP: Reason.NO_GRANT,
    Act.CASE_LOOK_UP: Reason.NO_GRANT,
    Act.REVERSE: Reason.NO_ROLE,
    Act.LINK: Reason.NO_ROLE,
}
KEY_ACTS = frozenset(act for act, refusal in REFUSALS.items() if refusal is Reason.NO_GRANT)
"""What a key can be made for: what rests on a grant."""
