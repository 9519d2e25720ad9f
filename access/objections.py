"""The objections (反对理由) to an answer that has its ground: account, purpose, terms of the grant, single columns."""

from collections.abc import Callable, Mapping
from datetime import datetime

from access.acts import BULK_ANSWERS, INQUIRIES, Act
from access.questions import Question, Reason
from access.targets import Target, plan_of
from access.terms import BULK_MODES, Grant, GrantState, Quota
from audit.records import names_a_person
from masking.plan import plan
from rules.levels import Level
from rules.tiers import AnswerForm, Tier, TierPolicy

MAX_PURPOSE_CHARACTERS = 500
PLAINTEXT_TIERS = frozenset({Tier.T3, Tier.T4})
PROVEN_FROM = Level.L3
"""Plaintext from this level on needs a second proof."""

Rule = Callable[[Question], Reason | None]


def objections_to(question: Question) -> tuple[Reason, ...]:
    """What stands against the answer as a whole."""
    return tuple(reason for rule in OBJECTIONS if (reason := rule(question)))


def column_objections(question: Question) -> Mapping[str, tuple[Reason, ...]]:
    """What stands against single columns: those granted, and those that the row scope filters on."""
    if question.grant is None or question.target is None or question.act is Act.REVERSE:
        return {}
    found = {column: _against_column(column, question.grant, question.target, question.policy) for column in question.grant.columns}
    found |= {column: (Reason.COLUMN_NOT_GRANTED,) for column in question.asked if column not in question.grant.columns}
    if not any(found.values()):
        found |= _against_filters(question.grant, question.target, question.policy)
    return {column: reasons for column, reasons in found.items() if reasons}


def _account_closed(question: Question) -> Reason | None:
    return None if question.account.active else Reason.ACCOUNT_CLOSED


def _purpose_missing(question: Question) -> Reason | None:
    stated = question.purpose.strip() and len(question.purpose) <= MAX_PURPOSE_CHARACTERS
    return None if stated else Reason.NO_PURPOSE


def _purpose_names_person(question: Question) -> Reason | None:
    return Reason.PERSON_IN_PURPOSE if names_a_person(question.purpose) else None


def _not_active(question: Question) -> Reason | None:
    grant = question.grant_in_use
    return Reason.NOT_ACTIVE if grant and grant.state is not GrantState.ACTIVE else None


def _not_yet_valid(question: Question) -> Reason | None:
    grant = question.grant_in_use
    return Reason.NOT_YET_VALID if grant and question.today < grant.valid_from else None


def _no_longer_valid(question: Question) -> Reason | None:
    grant = question.grant_in_use
    return Reason.NO_LONGER_VALID if grant and (question.today > grant.valid_to or _ended(grant, question.now)) else None


def _ended(grant: Grant, now: datetime | None) -> bool:
    return grant.ends_at is not None and (now is None or now >= grant.ends_at)


def _second_proof_missing(question: Question) -> Reason | None:
    """Plaintext of level L3 and above under a tier for plaintext leaves only to one who has just proved again who he is (A-04)."""
    grant, target = question.grant_in_use, question.target
    if question.proven or grant is None or target is None or grant.tier not in PLAINTEXT_TIERS:
        return None
    telling = [name for name, made in plan_of(grant, target, question.policy).items() if made.mask.keeps]
    return Reason.NO_SECOND_PROOF if any(target.columns[name].facts.level >= PROVEN_FROM for name in telling) else None


def _tier_without_extract(question: Question) -> Reason | None:
    grant, form = question.grant_in_use, BULK_ANSWERS.get(question.act, AnswerForm.EXTRACT)
    if grant is None or question.act in INQUIRIES or question.policy.tiers[grant.tier].answer is form:
        return None
    return Reason.NO_STATISTICS_TIER if question.act is Act.STATISTICS else Reason.NO_EXTRACT_TIER


def _mode_without_extract(question: Question) -> Reason | None:
    grant = question.grant_in_use
    return None if grant is None or question.act in INQUIRIES or grant.mode in BULK_MODES else Reason.NO_BULK_MODE


def _form_of_inquiry(question: Question) -> Reason | None:
    form, grant = INQUIRIES.get(question.act), question.grant_in_use
    if form is None or grant is None:
        return None
    fits = grant.mode is form.mode and grant.tier in form.tiers and question.policy.tiers[grant.tier].answer is form.answer
    return None if fits else Reason.WRONG_FORM


def _wrong_case(question: Question) -> Reason | None:
    """Where the grant is for a case, each inquiry names it (A-06); a look-up of a case needs a grant that is for one."""
    form, grant = INQUIRIES.get(question.act), question.grant_in_use
    if form is None or grant is None:
        return None
    named = question.case_number == grant.case_number if grant.case_number else not form.needs_case
    return None if named else Reason.WRONG_CASE


def _calls_used(question: Question) -> Reason | None:
    grant = question.grant_in_use
    most = grant.quotas.get(Quota.CALLS_PER_DAY) if grant and question.act in INQUIRIES else None
    return Reason.QUOTA_USED if most is not None and question.calls >= most else None


def _too_often(question: Question) -> Reason | None:
    return Reason.ASKED_TOO_OFTEN if question.too_often else None


def _quota_used(question: Question) -> Reason | None:
    grant = question.grant_in_use
    most = grant.quotas.get(Quota.EXTRACTS) if grant else None
    return Reason.QUOTA_USED if most is not None and question.extracts >= most else None


def _scope_without_area(question: Question) -> Reason | None:
    scoped = question.grant is not None and question.grant.row_scope.areas
    return Reason.SCOPE_WITHOUT_AREA if scoped and question.target and question.target.area_column is None else None


OBJECTIONS: tuple[Rule, ...] = (
    _account_closed,
    _purpose_missing,
    _purpose_names_person,
    _not_active,
    _not_yet_valid,
    _no_longer_valid,
    _tier_without_extract,
    _mode_without_extract,
    _form_of_inquiry,
    _wrong_case,
    _quota_used,
    _calls_used,
    _too_often,
    _scope_without_area,
    _second_proof_missing,
)


def _against_column(name: str, grant: Grant, target: Target, policy: TierPolicy) -> tuple[Reason, ...]:
    column = target.columns.get(name)
    if column is None:
        return (Reason.COLUMN_UNKNOWN,)
    facts, choice = column.facts, grant.masks.get(name)
    checks = {
        Reason.COLUMN_NOT_SHARED: not column.shared,
        Reason.LEVEL_OVER_AUDIENCE: not policy.within(grant.audience, grant.tier, facts.level),
        Reason.MASK_NOT_OFFERED: choice is not None and choice not in policy.alternatives_for(facts.kind, facts.element),
    }
    return tuple(reason for reason, wrong in checks.items() if wrong)


def _against_filters(grant: Grant, target: Target, policy: TierPolicy) -> Mapping[str, tuple[Reason, ...]]:
    return {column: _against_filter(column, grant, target, policy) for column in grant.row_scope.equals}


def _against_filter(name: str, grant: Grant, target: Target, policy: TierPolicy) -> tuple[Reason, ...]:
    if name not in grant.columns:
        return (Reason.FILTER_NOT_GRANTED,)
    facts = target.columns[name].facts
    if facts.kind not in policy.filter_kinds:
        return (Reason.FILTER_NOT_ALLOWED,)
    made = plan([facts], grant.tier, policy, audience=grant.audience, chosen=grant.masks)
    return () if made[name].mask.keeps else (Reason.FILTER_ON_MASK,)
