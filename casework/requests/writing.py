"""The requester's side (申请方): draft, edit, submit, approve, withdraw (law.md L-14), and the bureau's check of conformity (L-21)."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from access.accounts import Role, load_account
from access.grants import faults_of, faults_of_named
from access.log_faults import log_faults_translated
from access.targets import Target, load_target
from access.terms import Mode
from audit.events import Event
from audit.log import Log
from casework.attempts import Act, recorded_attempt
from casework.requests.acting import Acting, acting, add_history
from casework.requests.moves import State
from casework.requests.offers import Offer, offer_of, required_offer
from casework.requests.request import Request, request_of
from casework.requests.terms import RequestTerms, as_columns, faults_of_terms, terms_of
from catalog.lake import Lake
from catalog.schema import DataGrantRow, RequestRow
from catalog.store import Store
from golden.decisions import day_of
from masking.proposal import lowest_tier
from rules.errors import Denied, NotFound, Refused
from rules.tiers import AnswerForm, Tier, TierPolicy, load_tier_policy

DRAFTING_ROLES = frozenset({Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD})


def draft(store: Store, lake: Lake, log: Log, *, act: Act, terms: RequestTerms) -> Request:
    """Begin a request for the actor's own department; what is still missing is told when it is submitted.

    Denied REQ-PARTY for whoever belongs to no department; NotFound CAT-DATASET, DOOR-NO-GOLDEN for a target that is not there.
    """
    with (
        recorded_attempt(log, Event.REQUEST_REFUSED, actor=act.by, move="draft", target=terms.target),
        store.session() as session,
        session.begin(),
    ):
        account = load_account(session, act.by)
        if not account.active or account.department is None or not account.roles & DRAFTING_ROLES:
            raise Denied("REQ-PARTY", what="申请由需求部门提出 requests are made by departments")
        offer = offer_of(session, lake, terms.target)
        row = RequestRow(
            requester_key=account.department,
            requested_by=act.by,
            state=State.DRAFT.value,
            version=1,
            answer={},
            created_at=act.now,
            changed_at=act.now,
            reason="",
        )
        _write(session, row, terms, offer)
        session.add(row)
        session.flush()
        add_history(session, row, "draft", row.state, act.by, act.now, {})
        with log_faults_translated():
            body = {"actor": act.by, "request": row.id, "requester": account.department, "target": row.target}
            log.append_sealed(Event.REQUEST_DRAFTED, body)
        return request_of(row)


def edit(store: Store, lake: Lake, log: Log, *, number: int, act: Act, terms: RequestTerms) -> Request:
    """Put other terms in the place of a draft's, or of those of a request that has to be supplemented."""
    with acting(store, log, number, "edit", act) as doing:
        _write(doing.session, doing.request, terms, offer_of(doing.session, lake, terms.target))
    return request_of(doing.request)


def submit(store: Store, lake: Lake, log: Log, *, number: int, act: Act) -> Request:
    """Lay a request before the own head. Refused REQ-TERMS with all faults at once, REQ-UNPUBLISHED for what is not published (L-12)."""
    with acting(store, log, number, "submit", act) as doing:
        offer = check_terms(doing, lake)
        doing.request.share = offer.share_of(doing.request.columns)
    return request_of(doing.request)


def approve(store: Store, lake: Lake, log: Log, *, number: int, act: Act) -> Request:
    """The own head lets a request go out (L-14, L-02); after a supplement straight to the provider."""
    with acting(store, log, number, "approve", act) as doing:
        check_terms(doing, lake)
        if doing.move.after is State.PROVIDER_REVIEW:
            doing.request.complete_at = act.now
    return request_of(doing.request)


def check(store: Store, lake: Lake, log: Log, *, number: int, act: Act) -> Request:
    """The bureau finds a request conforming and passes it to the provider, whose clock starts (L-15, L-16)."""
    with acting(store, log, number, "check", act) as doing:
        check_terms(doing, lake)
        row = doing.request
        row.received_at = row.received_at or act.now
        row.complete_at, row.answer = act.now, {}
    return request_of(doing.request)


def send_back(store: Store, log: Log, *, number: int, act: Act) -> Request:
    """Return it to whoever sent it: own head and bureau to the requester, the provider's head to his clerk."""
    with acting(store, log, number, "send_back", act) as doing:
        if State(doing.request.state) is not State.HEAD_REVIEW:
            doing.facts |= {"answer": dict(doing.request.answer)} if doing.request.answer else {}
    return request_of(doing.request)


def withdraw(store: Store, log: Log, *, number: int, act: Act) -> Request:
    """Take back a request that is not decided."""
    with acting(store, log, number, "withdraw", act) as doing:
        pass
    return request_of(doing.request)


def check_terms(doing: Acting, lake: Lake) -> Offer:
    """Refused REQ-UNPUBLISHED, or REQ-TERMS where the terms cannot be asked for, with everything that is wrong."""
    session, row = doing.session, doing.request
    offer, terms, policy = required_offer(session, lake, row.target), terms_of(row), load_tier_policy()
    grant = terms.as_grant(row.requester_key)
    faults = faults_of_terms(terms, policy, day_of(doing.act.now)) + offer.faults_of(grant)
    if offer.has_data and not faults:
        target = load_target(session, lake, row.target)
        faults = faults_of(grant, target, doing.account, policy) + _tier_faults(terms, target, policy)
    faults += _faults_of_people(session, row, terms) + faults_of_named(session, grant)
    if faults:
        raise Refused("REQ-TERMS", where=str(row.id), what="; ".join(faults))
    return offer


def proposed_tier(store: Store, lake: Lake, target: str, columns: Collection[str], mode: Mode) -> Tier:
    """The lowest tier that is sufficient for a request (I-07): with it a draft begins. T2 while there is no data to go by."""
    with store.session() as session:
        try:
            known = load_target(session, lake, target).columns
        except NotFound:
            return Tier.T2
    facts = [known[name].facts for name in columns if name in known]
    form = AnswerForm.VERIFICATION if mode is Mode.VERIFY else AnswerForm.EXTRACT
    return lowest_tier(facts, {form}, load_tier_policy())


def _tier_faults(terms: RequestTerms, target: Target, policy: TierPolicy) -> list[str]:
    """I-07: going above the lowest sufficient tier needs a reason. What goes back to its department has no such condition (L-22)."""
    facts = [target.columns[name].facts for name in terms.columns if name in target.columns]
    lowest = lowest_tier(facts, {policy.tiers[terms.tier].answer}, policy, chosen=terms.masks)
    if terms.tier <= lowest or terms.tier_reason.strip() or target.returns_to is not None:
        return []
    return [f"{lowest} 已够用，申请 {terms.tier} 须说明必要性 {lowest} is sufficient: say why {terms.tier} is necessary (I-07)"]


def _faults_of_people(session: Session, row: RequestRow, terms: RequestTerms) -> list[str]:
    """Who answers for the copy is of the requester's, and what is widened is a grant of the requester's."""
    responsible = load_account(session, terms.responsible)
    widened = session.get(DataGrantRow, terms.widens) if terms.widens else None
    checks = {
        "使用责任人须为本部门在用账号 the responsible person has no open account of the department (L-04)": not responsible.active
        or responsible.department != row.requester_key,
        "所扩展的授权不是本部门的 the grant to be widened is not the department's (L-23)": terms.widens is not None
        and (widened is None or widened.grantee_key != row.requester_key),
    }
    return [fault for fault, wrong in checks.items() if wrong]


def _write(session: Session, row: RequestRow, terms: RequestTerms, offer: Offer) -> None:
    """Who is not named otherwise, the applicant is responsible."""
    responsible = load_account(session, terms.responsible or row.requested_by).name
    columns = as_columns(terms) | {"responsible": responsible}
    if terms.widens is not None and session.get(DataGrantRow, terms.widens) is None:
        raise NotFound("REQ-GRANT", where=str(terms.widens))
    for name, value in columns.items():
        setattr(row, name, value)
    row.provider_key, row.share = offer.provider, offer.share_of(terms.columns)
