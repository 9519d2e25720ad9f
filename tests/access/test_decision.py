"""The decision against a second, naive evaluator, and rule by rule."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from access.accounts import Account, Role
from access.acts import Act
from access.decision import decide
from access.grounds import GROUNDS, REFUSALS
from access.objections import OBJECTIONS
from access.questions import REASON_TEXTS, Case, KeyScope, Question, Reason
from access.targets import Target, TargetColumn
from access.terms import Grant, GrantState, Mode, Quota, RowScope
from audit.events import Event
from masking.plan import MaskedColumn
from rules.levels import Level
from rules.tiers import Audience, Tier, load_tier_policy

POLICY = load_tier_policy()
COLUMNS = {
    "name": ("name", Level.L2),
    "sex": ("code", Level.L2),
    "marital_status": ("code", Level.L3),
    "grid_code": ("grid_code", Level.L2),
}


def target(withheld: frozenset[str] = frozenset(), area: str | None = "grid_code") -> Target:
    columns = {
        name: TargetColumn(facts=MaskedColumn(name=name, element=name, kind=kind, level=level, of_person=True), shared=name not in withheld)
        for name, (kind, level) in COLUMNS.items()
    }
    return Target(
        key="hukou",
        version=1,
        relation="x",
        columns=columns,
        about_persons=True,
        order_column="_row",
        area_column=area,
        birth_column=None,
        number_column=None,
        persons=None,
    )


START = datetime(2026, 6, 1, 2, tzinfo=UTC)
GRANT = Grant(
    id=1,
    grantee="tax",
    target="hukou",
    columns=("name", "sex"),
    row_scope=RowScope(),
    tier=Tier.T2,
    purpose="核查",
    legal_basis="法",
    case_number="",
    valid_from=date(2026, 1, 1),
    valid_to=date(2026, 12, 31),
    state=GrantState.ACTIVE,
)
ACCOUNT = Account(name="lin", department="tax", roles=frozenset({Role.DEPARTMENT_REQUESTER}), active=True)
QUESTION = Question(
    act=Act.EXTRACT, account=ACCOUNT, purpose="核查", today=date(2026, 6, 1), policy=POLICY, grant=GRANT, target=target(), proven=True
)


def changed(account: Mapping[str, Any] | None = None, grant: Mapping[str, Any] | None = None, **question: Any) -> Question:
    return replace(QUESTION, account=replace(ACCOUNT, **(account or {})), grant=replace(GRANT, **(grant or {})), **question)


LOOKED_UP = {"mode": Mode.LOOKUP}
VERIFIED = {"mode": Mode.VERIFY, "tier": Tier.T1}


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (changed(account={"active": False}), Reason.NO_GRANT),
        (changed(account={"department": "health"}), Reason.NO_GRANT),
        (changed(account={"department": None}), Reason.NO_GRANT),
        (changed(account={"roles": frozenset({Role.GRID_WORKER})}), Reason.NO_GRANT),
        (replace(QUESTION, grant=None), Reason.NO_GRANT),
        (changed(grant={"state": GrantState.SUSPENDED}), Reason.NOT_ACTIVE),
        (changed(grant={"state": GrantState.ENDED}), Reason.NOT_ACTIVE),
        (changed(today=date(2025, 12, 31)), Reason.NOT_YET_VALID),
        (changed(today=date(2027, 1, 1)), Reason.NO_LONGER_VALID),
        (changed(grant={"tier": Tier.T0}), Reason.NO_EXTRACT_TIER),
        (changed(grant={"tier": Tier.T1}), Reason.NO_EXTRACT_TIER),
        (changed(grant={"mode": Mode.LOOKUP}), Reason.NO_BULK_MODE),
        (changed(grant={"quotas": {Quota.EXTRACTS: 2}}, extracts=2), Reason.QUOTA_USED),
        (changed(act=Act.LOOK_UP), Reason.WRONG_FORM),
        (changed(act=Act.LOOK_UP, grant={"mode": Mode.VERIFY, "tier": Tier.T1}), Reason.WRONG_FORM),
        (changed(act=Act.LOOK_UP, grant={"mode": Mode.LOOKUP, "tier": Tier.T1}), Reason.WRONG_FORM),
        (changed(act=Act.LOOK_UP, grant={"mode": Mode.LOOKUP}, account={"department": "health"}), Reason.NO_GRANT),
        (changed(act=Act.LOOK_UP, grant=LOOKED_UP | {"case_number": "案 1"}, case_number="案 2"), Reason.WRONG_CASE),
        (changed(act=Act.LOOK_UP, grant=LOOKED_UP | {"case_number": "案 1"}), Reason.WRONG_CASE),
        (changed(act=Act.LOOK_UP, grant=LOOKED_UP | {"quotas": {Quota.CALLS_PER_DAY: 2}}, calls=2), Reason.QUOTA_USED),
        (changed(act=Act.VERIFY, grant=VERIFIED, too_often=True), Reason.ASKED_TOO_OFTEN),
        (changed(act=Act.VERIFY, grant=VERIFIED | {"tier": Tier.T2}), Reason.WRONG_FORM),
        (changed(act=Act.KINSHIP, grant=LOOKED_UP), Reason.WRONG_FORM),
        (changed(act=Act.CASE_LOOK_UP, grant=LOOKED_UP | {"tier": Tier.T3}, case_number="案 1"), Reason.WRONG_CASE),
        (changed(act=Act.CASE_LOOK_UP, grant=LOOKED_UP | {"case_number": "案 1"}, case_number="案 1"), Reason.WRONG_FORM),
        (replace(QUESTION, act=Act.IMPACT), Reason.NO_ROLE),
        (changed(purpose="  "), Reason.NO_PURPOSE),
        (changed(purpose="长" * 501), Reason.NO_PURPOSE),
        (changed(purpose="查13800138000"), Reason.PERSON_IN_PURPOSE),
        (changed(grant={"row_scope": RowScope(areas=("440605",))}, target=target(area=None)), Reason.SCOPE_WITHOUT_AREA),
        (changed(grant={"audience": Audience.LEADERS, "named": ("chief",)}), Reason.NO_GRANT),
        (replace(QUESTION, act=Act.EXPORT_GOLDEN), Reason.NO_ROLE),
        (replace(QUESTION, act=Act.EXPORT_CROSSWALK), Reason.NO_ROLE),
        (replace(QUESTION, act=Act.WHY), Reason.NO_ROLE),
        (replace(QUESTION, act=Act.REVIEW), Reason.NO_ROLE),
        (replace(QUESTION, act=Act.RELIABILITY), Reason.NO_ROLE),
        (replace(QUESTION, key=KeyScope(acts=frozenset({Act.EXTRACT}), grants=frozenset({2}))), Reason.NO_GRANT),
        (changed(grant={"ends_at": START}, now=START), Reason.NO_LONGER_VALID),
        (changed(grant={"ends_at": START}), Reason.NO_LONGER_VALID),
        (changed(grant={"columns": ("marital_status",), "tier": Tier.T3}, proven=False), Reason.NO_SECOND_PROOF),
        (replace(QUESTION, key=KeyScope(acts=frozenset(), grants=frozenset({1}))), Reason.NO_GRANT),
    ],
)
def test_a_question_is_denied_for(question: Question, reason: Reason) -> None:
    decision = decide(question)
    assert (decision.allowed, decision.reasons) == (False, (reason,))


@pytest.mark.parametrize(
    ("grant", "withheld", "column", "reason"),
    [
        ({"columns": ("name", "gone")}, frozenset(), "gone", Reason.COLUMN_UNKNOWN),
        ({}, frozenset({"name"}), "name", Reason.COLUMN_NOT_SHARED),
        ({"audience": Audience.PUBLIC, "columns": ("name",)}, frozenset(), "name", Reason.LEVEL_OVER_AUDIENCE),
        (
            {"audience": Audience.ALL_DEPARTMENTS, "tier": Tier.T3, "columns": ("sex", "marital_status")},
            frozenset(),
            "marital_status",
            Reason.LEVEL_OVER_AUDIENCE,
        ),
        ({"audience": Audience.RELATED, "tier": Tier.T4, "columns": ("sex",)}, frozenset(), "sex", Reason.LEVEL_OVER_AUDIENCE),
        ({"masks": {"sex": "pseudonym"}}, frozenset(), "sex", Reason.MASK_NOT_OFFERED),
        ({"masks": {"name": "keep"}}, frozenset(), "name", Reason.MASK_NOT_OFFERED),
        ({"row_scope": RowScope(equals={"marital_status": ("10",)})}, frozenset(), "marital_status", Reason.FILTER_NOT_GRANTED),
        ({"row_scope": RowScope(equals={"name": ("张三",)})}, frozenset(), "name", Reason.FILTER_NOT_ALLOWED),
        (
            {"columns": ("sex", "marital_status"), "row_scope": RowScope(equals={"marital_status": ("10",)})},
            frozenset(),
            "marital_status",
            Reason.FILTER_ON_MASK,
        ),
        ({"columns": ("grid_code",), "row_scope": RowScope(equals={"grid_code": ("4",)})}, frozenset(), "grid_code", Reason.FILTER_ON_MASK),
    ],
)
def test_a_column_is_denied_for(grant: dict[str, Any], withheld: frozenset[str], column: str, reason: Reason) -> None:
    decision = decide(changed(grant=grant, target=target(withheld)))
    assert (decision.allowed, dict(decision.column_reasons)) == (False, {column: (reason,)})
    assert decision.plan == {}
    assert column in decision.told()


def test_an_inquiry_about_a_column_that_is_not_granted_is_denied() -> None:
    decision = decide(changed(act=Act.VERIFY, grant=VERIFIED, asked=("name", "marital_status")))
    assert (decision.allowed, dict(decision.column_reasons)) == (False, {"marital_status": (Reason.COLUMN_NOT_GRANTED,)})


@pytest.mark.parametrize(
    "question",
    [
        changed(act=Act.LOOK_UP, grant=LOOKED_UP, case_number="任一办件"),
        changed(
            act=Act.LOOK_UP, grant=LOOKED_UP | {"case_number": "案 1", "quotas": {Quota.CALLS_PER_DAY: 2}}, case_number="案 1", calls=1
        ),
        changed(act=Act.VERIFY, grant=VERIFIED, asked=("name", "sex")),
        changed(act=Act.KINSHIP, grant=VERIFIED),
        changed(act=Act.CASE_LOOK_UP, grant=LOOKED_UP | {"case_number": "案 1", "tier": Tier.T4}, case_number="案 1"),
    ],
)
def test_an_inquiry_is_allowed_under_a_grant_of_its_form(question: Question) -> None:
    assert decide(question).allowed, decide(question).told()


def test_an_allowed_extract_says_why_and_how_each_column_is_masked() -> None:
    decision = decide(QUESTION)
    assert (decision.allowed, decision.reasons) == (True, (Reason.OWN_GRANT,))
    assert {name: str(column.mask) for name, column in decision.plan.items()} == {"name": "partial_name", "sex": "keep"}


def test_a_filter_that_a_lower_tier_masks_is_allowed_by_a_higher_one() -> None:
    terms = {"columns": ("sex", "marital_status"), "row_scope": RowScope(equals={"marital_status": ("10",)}), "tier": Tier.T3}
    assert decide(changed(grant=terms)).allowed


def test_a_named_leader_may_use_what_is_for_named_leaders() -> None:
    assert decide(changed(grant={"audience": Audience.LEADERS, "named": ("lin",), "tier": Tier.T4})).allowed


def test_a_mask_that_the_grant_names_is_the_one_that_is_used() -> None:
    decision = decide(changed(grant={"masks": {"name": "pseudonym"}}))
    assert str(decision.plan["name"].mask) == "pseudonym"


@pytest.mark.parametrize(
    "question",
    [
        changed(grant={"ends_at": START}, now=START - timedelta(seconds=1)),
        changed(proven=False),
        changed(grant={"columns": ("name",), "tier": Tier.T3}, proven=False),
        changed(grant={"columns": ("marital_status",), "tier": Tier.T2}, proven=False),
        changed(grant={"columns": ("marital_status",), "tier": Tier.T3}),
    ],
)
def test_a_question_is_allowed_before_the_end_and_without_a_second_proof_where_nothing_telling_is_shown(question: Question) -> None:
    assert decide(question).allowed


def naive(question: Question) -> bool:
    """Allowed or not, written as one sentence after another."""
    account, grant, data = question.account, question.grant, question.target
    roles = {role.value for role in account.roles}
    if (
        question.too_often
        or not account.active
        or not question.purpose.strip()
        or len(question.purpose) > 500
        or "13800138000" in question.purpose
    ):
        return False
    key = question.key
    if key is not None and (question.act not in key.acts or grant is None or grant.id not in key.grants):
        return False
    if question.act in (Act.WHY, Act.REVIEW, Act.SIMULATE, Act.RELIABILITY):
        return bool(roles & {"bureau_operator", "steward"}) and grant_is_in_order(question)
    if question.act in (Act.EXPORT_GOLDEN, Act.EXPORT_CROSSWALK):
        return "bureau_operator" in roles and grant_is_in_order(question)
    if question.act is Act.IMPACT:
        own = question.provider is not None and account.department == question.provider
        may = roles & {"bureau_operator", "bureau_approver"} or (own and roles & {"department_requester", "department_head"})
        return bool(may) and columns_are_in_order(question)
    if question.act is Act.REPLAY:
        return "auditor" in roles and grant_is_in_order(question)
    if question.act is Act.TICKET:
        own = question.case is not None and question.case.department is not None and question.case.department == account.department
        answers = bool(roles & {"department_requester", "department_head"})
        return ((own and answers) or bool(roles & {"bureau_operator", "steward"})) and grant_is_in_order(question)
    if question.act is Act.DOOR_CHECK:
        own = question.case is not None and question.case.worker == account.name
        return ((own and "grid_worker" in roles) or bool(roles & {"bureau_operator", "steward"})) and grant_is_in_order(question)
    if question.act is Act.REVERSE:
        return grant is not None and bool(roles & {"bureau_operator", "steward"}) and not (grant.row_scope.areas and not has_area(data))
    if question.act is Act.LINK:
        return grant is not None and "bureau_operator" in roles and columns_are_in_order(question)
    if grant is None or data is None:
        return False
    mine = account.department == grant.grantee and roles & {"department_requester", "department_head"}
    if mine and grant.audience.value == "leaders" and account.name not in grant.named:
        mine = False
    if question.act in (Act.LOOK_UP, Act.VERIFY, Act.KINSHIP, Act.CASE_LOOK_UP):
        return bool(mine) and inquiry_is_in_order(question, grant)
    if not mine and "bureau_operator" not in roles:
        return False
    return grant_is_in_order(question)


def inquiry_is_in_order(question: Question, grant: Grant) -> bool:
    if grant.state.value != "active" or not grant.valid_from <= question.today <= grant.valid_to:
        return False
    fitting = {
        Act.LOOK_UP: ("lookup", ("T2", "T3", "T4")),
        Act.CASE_LOOK_UP: ("lookup", ("T3", "T4")),
        Act.VERIFY: ("verify", ("T1",)),
        Act.KINSHIP: ("verify", ("T1",)),
    }
    mode, tiers = fitting[question.act]
    if grant.mode.value != mode or grant.tier.value not in tiers:
        return False
    if grant.case_number and grant.case_number != question.case_number:
        return False
    if question.act is Act.CASE_LOOK_UP and not grant.case_number:
        return False
    if "calls_per_day" in grant.quotas and question.calls >= grant.quotas[Quota.CALLS_PER_DAY]:
        return False
    return columns_are_in_order(question)


def has_area(data: Target | None) -> bool:
    return data is None or data.area_column is not None


def grant_is_in_order(question: Question) -> bool:
    grant, data = question.grant, question.target
    if grant is None or data is None:
        return True
    if grant.ends_at is not None and (question.now is None or question.now >= grant.ends_at):
        return False
    if not question.proven and grant.tier.value in ("T3", "T4"):
        shown = {"T3": ("L3",), "T4": ("L3", "L4")}[grant.tier.value]
        if any(name in data.columns and data.columns[name].facts.level.value in shown for name in grant.columns):
            return False
    if grant.state.value != "active" or not grant.valid_from <= question.today <= grant.valid_to:
        return False
    if grant.tier.value not in ("T2", "T3", "T4") or grant.mode.value not in ("file", "table"):
        return False
    if "extracts" in grant.quotas and question.extracts >= grant.quotas[Quota.EXTRACTS]:
        return False
    return columns_are_in_order(question)


def columns_are_in_order(question: Question) -> bool:
    grant, data = question.grant, question.target
    if grant is None or data is None:
        return True
    if grant.row_scope.areas and data.area_column is None:
        return False
    if any(column not in grant.columns for column in question.asked):
        return False
    for column in grant.columns:
        if column not in data.columns or not data.columns[column].shared:
            return False
        if data.columns[column].facts.level.value > most_for(grant.audience.value, grant.tier.value):
            return False
        if grant.masks.get(column, "suppress") not in ("suppress", "pseudonym" if column == "name" else "suppress"):
            return False
    for column in grant.row_scope.equals:
        readable: dict[str, set[str]] = {
            "T0": set(),
            "T1": set(),
            "T2": {"sex"},
            "T3": {"sex", "marital_status", "grid_code"},
            "T4": {"sex", "marital_status", "grid_code"},
        }
        if column not in grant.columns or column not in readable[grant.tier.value]:
            return False
    return True


def most_for(audience: str, tier: str) -> str:
    """The highest level that an audience gets; empty where it gets none."""
    if audience in ("leaders", "department"):
        return "L4"
    by_tier = {
        "related": {"T0": "L4", "T1": "L4", "T2": "L4", "T3": "L3"},
        "all_departments": {"T0": "L4", "T1": "L3", "T2": "L3", "T3": "L2"},
        "public": {"T0": "L3", "T2": "L1"},
    }
    return by_tier[audience].get(tier, "")


NAMES = st.sampled_from([*COLUMNS, "gone"])
QUESTIONS = st.builds(
    Question,
    act=st.sampled_from(Act),
    account=st.builds(
        Account,
        name=st.just("lin"),
        department=st.sampled_from(["tax", "health", None]),
        roles=st.frozensets(st.sampled_from(Role), max_size=2),
        active=st.sampled_from([True, True, True, False]),
    ),
    purpose=st.sampled_from(["核查", "核查", "核查", "", "查13800138000"]),
    today=st.sampled_from([date(2026, 1, 1), date(2026, 12, 31), date(2027, 1, 1), date(2025, 12, 31)]),
    policy=st.just(POLICY),
    grant=st.none()
    | st.builds(
        Grant,
        id=st.just(1),
        grantee=st.sampled_from(["tax", "tax", "health"]),
        target=st.just("hukou"),
        columns=st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple),
        row_scope=st.builds(RowScope, areas=st.sampled_from([(), ("440605",)]), equals=st.dictionaries(NAMES, st.just(("1",)), max_size=1)),
        tier=st.sampled_from(Tier),
        purpose=st.just("核查"),
        legal_basis=st.just("法"),
        case_number=st.sampled_from(["", "案 1"]),
        valid_from=st.just(date(2026, 1, 1)),
        valid_to=st.just(date(2026, 12, 31)),
        state=st.sampled_from([GrantState.ACTIVE, GrantState.ACTIVE, GrantState.SUSPENDED, GrantState.ENDED]),
        mode=st.sampled_from([Mode.FILE, Mode.FILE, *Mode]),
        audience=st.sampled_from([Audience.DEPARTMENT, Audience.DEPARTMENT, *Audience]),
        named=st.sampled_from([(), ("lin",), ("chief",)]),
        masks=st.dictionaries(NAMES, st.sampled_from(["suppress", "pseudonym", "keep"]), max_size=1),
        quotas=st.sampled_from([{}, {Quota.EXTRACTS: 2}, {Quota.ROWS_PER_EXTRACT: 1}, {Quota.CALLS_PER_DAY: 2}]),
        ends_at=st.sampled_from([None, None, START + timedelta(hours=1)]),
    ),
    provider=st.sampled_from([None, "tax", "health"]),
    extracts=st.integers(0, 3),
    case_number=st.sampled_from(["", "案 1", "案 2"]),
    asked=st.lists(NAMES, max_size=2, unique=True).map(tuple),
    calls=st.integers(0, 3),
    too_often=st.sampled_from([False, False, False, True]),
    case=st.none() | st.builds(Case, department=st.sampled_from(["tax", "health", None]), worker=st.sampled_from(["lin", "he", None])),
    key=st.none()
    | st.builds(KeyScope, acts=st.sampled_from([frozenset({Act.EXTRACT}), frozenset(Act)]), grants=st.sampled_from([{1}, {2}])),
    target=st.builds(target, withheld=st.frozensets(NAMES, max_size=1), area=st.sampled_from([None, "grid_code"])),
)


@settings(max_examples=1_000, deadline=None)
@given(QUESTIONS)
def test_the_decision_agrees_with_the_naive_evaluator(question: Question) -> None:
    decision = decide(question)
    assert decision.allowed == naive(question), decision
    assert decision.reasons or decision.column_reasons, "every decision has its reason"
    assert decision.allowed or not decision.plan


@pytest.mark.parametrize("act", list(Act))
def test_every_act_has_its_grounds_its_refusal_and_its_events(act: Act) -> None:
    assert GROUNDS[act]
    assert REFUSALS[act]
    assert {act.intent.sibling(action) for action in ("result", "denied", "aborted")} <= set(Event)


def test_every_reason_has_its_text() -> None:
    assert set(REASON_TEXTS) == set(Reason)
    assert OBJECTIONS
