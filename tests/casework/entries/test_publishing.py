"""The road of an entry: who may do what in which state (law.md §7.3-1), two persons (L-02), what breaks users (L-28), stale acts."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.accounts import Role, create_account
from casework.clocks import Outcome, Subject, clocks_of
from casework.entries.acting import Notice
from casework.entries.moves import ACT_TITLES, MOVES, RESOURCE_MOVES, Act
from casework.entries.publishing import edit, entry_faults, extend_update, impact_of, make_entry, move, succeed
from casework.entries.resources import attach, move_resource
from catalog.entries.attaching import attachment_rates, resource_of, resources_of
from catalog.entries.content import EntryColumn
from catalog.entries.shelf import Entry, acts_of, load_entry, versions_of
from catalog.entries.states import STATE_TITLES, ResourceState, State
from catalog.registration import register
from catalog.schema import DataGrantRow, EntryCodeRow
from rules.errors import Denied, NotFound, Refused, TongchouError
from tests.casework.conftest import NOW, Office, at
from tests.catalog.contracts import column, good_contract, write
from tests.catalog.entries import good_entry, with_column, without_column

FILED = Notice(negotiation="已与使用方协商一致", filing="备案〔2026〕7号")
PEOPLE: Mapping[str, tuple[str | None, Role]] = {
    "lin": ("civil_affairs", Role.DEPARTMENT_REQUESTER),
    "he": ("civil_affairs", Role.DEPARTMENT_HEAD),
    "zhou": ("police", Role.DEPARTMENT_REQUESTER),
    "wu": ("police", Role.DEPARTMENT_HEAD),
    "approver": (None, Role.BUREAU_APPROVER),
    "registrar": (None, Role.BUREAU_REGISTRAR),
    "auditor": (None, Role.AUDITOR),
}
ROAD = ((Act.SUBMIT, "lin"), (Act.APPROVE, "he"), (Act.PUBLISH, "approver"))


@pytest.fixture
def bureau(office: Office) -> Office:
    create_account(
        office.store, office.log, by="operator", name="registrar", title="x", department=None, roles=[Role.BUREAU_REGISTRAR], now=NOW
    )
    return office


def made(office: Office, **changes: Any) -> Entry:
    return make_entry(office.store, office.log, by="lin", content=good_entry(**changes), now=NOW)


def done(
    office: Office, entry: Entry, act: Act, by: str, *, now: datetime = NOW, note: str = "理由", notice: Notice | None = None
) -> Entry:
    return move(office.store, office.log, by=by, entry=entry.id, act=act, revision=entry.revision, now=now, note=note, notice=notice)


def published(office: Office, **changes: Any) -> Entry:
    entry = made(office, **changes)
    for act, by in ROAD:
        entry = done(office, entry, act, by)
    return entry


def edited(office: Office, entry: Entry, content: Any, by: str = "lin") -> Entry:
    return edit(office.store, office.log, by=by, entry=entry.id, revision=entry.revision, content=content, reason="业务调整", now=NOW)


def standing(office: Office, entry: Entry) -> Entry:
    with office.store.session() as session:
        return load_entry(session, entry.id)


def granted(office: Office, target: str, *columns: str, state: str = "active") -> int:
    with office.store.session() as session, session.begin():
        row = DataGrantRow(
            grantee_key="police", target=target, columns=list(columns), row_scope={}, tier="T2", purpose="核验", legal_basis="条例",
            case_number="", mode="file", valid_from=date(2026, 1, 1), valid_to=date(2027, 1, 1), state=state, granted_at=NOW,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row.id


def marriage(folder: Path, **changes: Any) -> Path:
    columns = [
        {**column("certificate_no", "登记证字号"), "primaryKey": True},
        column("man_id", "男方身份证", element="id_number"),
        {**column("registered_on", "登记日期"), "logicalType": "date"},
    ]
    for part, level in zip(columns, ("L2", "L3", "L2"), strict=True):
        part["customProperties"][0]["value"] = level
    document = good_contract(id="civil_marriage", name="婚姻登记", domain="civil_affairs", schema=[{"name": "m", "properties": columns}])
    return write(folder, document | changes)


def test_an_entry_goes_from_draft_to_publication(bureau: Office) -> None:
    """§7.3-1, C-18, C-19, L-12, L-13."""
    entry = made(bureau)
    assert (entry.state, entry.code, entry.is_open) == (State.DRAFT, None, False)
    states = []
    for act, by in ROAD:
        entry = done(bureau, entry, act, by)
        states.append((entry.state, entry.code, entry.is_open))
    assert states == [
        (State.DEPARTMENT_REVIEW, "307005/000001", False),
        (State.BUREAU_REVIEW, "307005/000001", False),
        (State.PUBLISHED, "307005/000001", True),
    ]
    assert (entry.version, entry.revision, entry.published_at, entry.published) == (1, 4, NOW, entry.content)
    with bureau.store.session() as session:
        assert [(a.act, a.by) for a in acts_of(session, entry.id)] == [("make", "lin"), *((a.value, by) for a, by in ROAD)]
        assert load_entry(session, "307005/000001").id == entry.id
        (clock,) = clocks_of(session, Subject.ENTRY, entry.id)
    assert (clock.clock, clock.owed_by, clock.outcome) == ("entry_publication", None, Outcome.DONE)
    assert bureau.events()[-4:] == ["catalog:entry:made", *["catalog:entry:moved"] * 3]


def test_what_is_returned_goes_back_to_the_compiler(bureau: Office) -> None:
    entry = done(bureau, made(bureau), Act.SUBMIT, "lin")
    entry = done(bureau, entry, Act.RETURN, "he")
    assert entry.state is State.DRAFT
    entry = done(bureau, done(bureau, entry, Act.SUBMIT, "lin"), Act.APPROVE, "he")
    entry = done(bureau, entry, Act.SEND_BACK, "approver")
    assert (entry.state, entry.received_at, entry.code) == (State.DRAFT, None, "307005/000001")


def test_a_change_leaves_what_is_published_until_it_is_published_itself(bureau: Office) -> None:
    """已发布 → 变更中 → 已发布(v+1); L-13's clock of the department runs meanwhile."""
    entry = published(bureau)
    wider = with_column(entry.content, "man_id", level="L4")
    entry = edited(bureau, entry, wider)
    assert (entry.state, entry.is_open, entry.published, entry.content) == (State.CHANGING, True, good_entry(), wider)
    for act, by in ROAD:
        entry = done(bureau, entry, act, by)
    assert (entry.version, entry.published, entry.code) == (2, wider, "307005/000001")
    with bureau.store.session() as session:
        versions = versions_of(session, entry.id)
        clocks = [(c.clock, c.owed_by, c.outcome) for c in clocks_of(session, Subject.ENTRY, entry.id)]
    assert [(v.version, [d["place"] for d in v.differences]) for v in versions] == [(1, []), (2, ["columns.man_id.level"])]
    assert ("entry_update", "civil_affairs", Outcome.DONE) in clocks


def test_an_abandoned_change_is_kept_in_the_history_only(bureau: Office) -> None:
    entry = edited(bureau, published(bureau), good_entry(items={"abstract": "别的"}))
    entry = done(bureau, entry, Act.ABANDON, "lin")
    assert (entry.state, entry.content) == (State.PUBLISHED, good_entry())
    entry = edited(bureau, entry, good_entry(items={"abstract": "第三次"}))
    with bureau.store.session() as session:
        assert [v.number for v in versions_of(session, entry.id)] == [1, 2, 3]


def test_who_edits_on_an_old_revision_is_told_who_came_first(bureau: Office) -> None:
    """Two people edit at once: the second is refused, the first one's work stands, the attempt is on record."""
    seen = made(bureau)
    first = edited(bureau, seen, good_entry(title="第一人的改动"))
    with pytest.raises(Refused, match=r"CAT-STALE.*lin edit"):
        edited(bureau, seen, good_entry(title="第二人的改动"), by="registrar")
    assert standing(bureau, seen) == first
    last = bureau.last().record
    assert (last.event.value, last.body["why"], last.body["actor"]) == ("catalog:entry:refused", "CAT-STALE", "registrar")


def test_two_transactions_on_one_revision_cannot_both_win(bureau: Office) -> None:
    """The row itself decides, also where both have read before either has written."""
    from catalog.entries.shelf import record_act

    entry = made(bureau)
    with bureau.store.session() as session, session.begin():
        record_act(session, entry, "edit", to=State.DRAFT, by="lin", now=NOW)
    with bureau.store.session() as session, session.begin(), pytest.raises(Refused, match=r"CAT-STALE"):
        record_act(session, entry, "edit", to=State.DRAFT, by="lin", now=NOW)


FAULTS = {
    "CAT-FAULTS.*ENT-ASSESSMENT": good_entry(items={"secrecyAssessment": None}),
    "CAT-FAULTS.*ENT-DECLARATION": good_entry(items={"notSecret": None}),
    "CAT-FAULTS.*ENT-LEGAL-BASIS": with_column(good_entry(), "man_id", share="none", no_share_reason="敏感"),
}


@pytest.mark.parametrize("code", FAULTS)
def test_a_faulty_entry_stays_a_draft(bureau: Office, code: str) -> None:
    """L-07, L-01, L-10."""
    entry = make_entry(bureau.store, bureau.log, by="lin", content=FAULTS[code], now=NOW)
    with pytest.raises(Refused, match=code):
        done(bureau, entry, Act.SUBMIT, "lin")
    assert standing(bureau, entry) == entry and bureau.last().record.event.value == "catalog:entry:refused"


def test_nobody_approves_what_he_compiled(bureau: Office) -> None:
    """L-02: 经办 ≠ 负责人, also for an account that holds both roles."""
    both = [Role.DEPARTMENT_REQUESTER, Role.DEPARTMENT_HEAD]
    create_account(bureau.store, bureau.log, by="operator", name="chen", title="x", department="civil_affairs", roles=both, now=NOW)
    entry = done(bureau, made(bureau), Act.SUBMIT, "chen")
    with pytest.raises(Denied, match=r"CAT-TWO-PERSONS.*submit / approve"):
        done(bureau, entry, Act.APPROVE, "chen")
    entry = done(bureau, entry, Act.APPROVE, "he")
    assert done(bureau, entry, Act.PUBLISH, "approver").state is State.PUBLISHED


def test_nobody_publishes_what_he_compiled(bureau: Office) -> None:
    entry = edited(bureau, made(bureau), good_entry(title="登记员代编"), by="registrar")
    entry = done(bureau, done(bureau, entry, Act.SUBMIT, "lin"), Act.APPROVE, "he")
    with pytest.raises(Denied, match="CAT-TWO-PERSONS"):
        done(bureau, entry, Act.PUBLISH, "registrar")
    assert done(bureau, entry, Act.PUBLISH, "approver").version == 1


def test_codes_are_given_once_and_never_again(bureau: Office) -> None:
    """C-18, C-20."""
    first = done(bureau, made(bureau), Act.SUBMIT, "lin")
    first = done(bureau, done(bureau, first, Act.RETURN, "he"), Act.DISCARD, "lin")
    second = done(bureau, made(bureau), Act.SUBMIT, "lin")
    other = done(bureau, made(bureau, title="收养登记信息", category="203005"), Act.SUBMIT, "lin")
    assert (first.state, first.code, second.code, other.code) == (State.CANCELLED, "307005/000001", "307005/000002", "203005/000001")
    with bureau.store.session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(EntryCodeRow)) == 3


def test_the_owner_and_the_class_of_a_coded_entry_stay(bureau: Office) -> None:
    entry = published(bureau)
    with pytest.raises(Refused, match="CAT-OWNER"):
        edited(bureau, entry, good_entry(department="police"))
    with pytest.raises(Refused, match="CAT-CATEGORY"):
        edited(bureau, entry, good_entry(category="203005"))
    with pytest.raises(Refused, match="CAT-UNCHANGED"):
        edited(bureau, entry, good_entry())
    heir = make_entry(bureau.store, bureau.log, by="zhou", content=good_entry(department="police"), now=NOW, succeeds=entry.id)
    assert heir.succeeds == entry.id


def test_a_change_that_breaks_users_needs_negotiation_and_filing_and_names_their_grants(bureau: Office, tmp_path: Path) -> None:
    """L-28."""
    register(bureau.store, [marriage(tmp_path)], now=NOW)
    entry = published(bureau)
    attach(bureau.store, bureau.log, by="lin", dataset="civil_marriage", entry=entry.id, now=NOW)
    grants = [granted(bureau, "civil_marriage", "man_id", "certificate_no"), granted(bureau, "golden", "name", "id_number")]
    granted(bureau, "civil_marriage", "certificate_no")
    granted(bureau, "civil_marriage", "man_id", state="ended")
    entry = edited(bureau, standing(bureau, entry), without_column(entry.content, "man_id"))
    with bureau.store.session() as session:
        impact = impact_of(session, entry)
    assert [(b.kind, b.column) for b in impact.breaches] == [("gone", "man_id")]
    assert [(g.grant, g.columns, g.via) for g in impact.grants] == [(grants[0], ("man_id",), ""), (grants[1], ("id_number",), "golden")]
    for notice in (None, Notice(negotiation="", filing="备案〔2026〕7号"), Notice(negotiation="已协商", filing=" ")):
        with pytest.raises(Refused, match="CAT-NOTICE"):
            done(bureau, entry, Act.SUBMIT, "lin", notice=notice)
    entry = done(bureau, entry, Act.SUBMIT, "lin", notice=FILED)
    with bureau.store.session() as session:
        facts = acts_of(session, entry.id)[-1].facts
    assert [g["grant"] for g in facts["grants"]] == grants and facts["notice"]["filing"] == "备案〔2026〕7号"
    entry = done(bureau, entry, Act.APPROVE, "he")
    late = granted(bureau, "civil_marriage", "man_id")
    with pytest.raises(Refused, match=rf"CAT-NEW-USERS.*{late}"):
        done(bureau, entry, Act.PUBLISH, "approver")


def test_an_entry_in_use_cannot_be_cancelled(bureau: Office, tmp_path: Path) -> None:
    """TX-27, L-28."""
    register(bureau.store, [marriage(tmp_path)], now=NOW)
    entry = published(bureau)
    attach(bureau.store, bureau.log, by="lin", dataset="civil_marriage", entry=entry.id, now=NOW)
    number = granted(bureau, "civil_marriage", "man_id")
    with pytest.raises(Refused, match="CAT-NOTICE"):
        done(bureau, standing(bureau, entry), Act.WITHDRAW, "he")
    entry = done(bureau, standing(bureau, entry), Act.WITHDRAW, "he", notice=FILED)
    assert entry.is_open
    with pytest.raises(Refused, match=rf"CAT-IN-USE.*{number}"):
        done(bureau, entry, Act.CANCEL, "approver")
    with bureau.store.session() as session, session.begin():
        session.execute(sa.update(DataGrantRow).values(state="ended"))
    entry = done(bureau, entry, Act.CANCEL, "approver")
    assert (entry.state, entry.is_open) == (State.CANCELLED, False)


def test_a_resource_is_attached_checked_and_signed(bureau: Office, tmp_path: Path) -> None:
    """C-17: the report's digest stands in the log; the draft that registration made goes."""
    register(bureau.store, [marriage(tmp_path)], now=NOW)
    with bureau.store.session() as session:
        draft = resource_of(session, "civil_marriage")
    assert draft is not None
    entry = published(bureau)
    report = attach(bureau.store, bureau.log, by="lin", dataset="civil_marriage", entry=entry.id, now=NOW)
    assert (report.covered, report.problems) == (3, ()) and bureau.last().record.body["report"] == report.digest
    with bureau.store.session() as session:
        assert [(r.dataset, r.state) for r in resources_of(session, entry.id)] == [("civil_marriage", ResourceState.ATTACHED)]
        assert load_entry(session, draft.entry).state is State.CANCELLED
        assert attachment_rates(session) == {"civil_affairs": (1, 1)}


def test_what_does_not_cover_the_entry_is_not_attached(bureau: Office, tmp_path: Path) -> None:
    register(bureau.store, [marriage(tmp_path)], now=NOW)
    more = replace(good_entry(), columns=(*good_entry().columns, EntryColumn(name="woman_id", title="女方身份证", data_type="C")))
    entry = make_entry(bureau.store, bureau.log, by="lin", content=more, now=NOW)
    with pytest.raises(Refused, match=r"CAT-ATTACH.*RES-COLUMN woman_id"):
        attach(bureau.store, bureau.log, by="lin", dataset="civil_marriage", entry=entry.id, now=NOW)
    with bureau.store.session() as session:
        assert resources_of(session, entry.id) == []


def test_a_contract_that_drops_a_promised_column_makes_its_resource_abnormal(bureau: Office, tmp_path: Path) -> None:
    register(bureau.store, [marriage(tmp_path)], now=NOW)
    entry = published(bureau)
    attach(bureau.store, bureau.log, by="lin", dataset="civil_marriage", entry=entry.id, now=NOW)
    fewer = [{"name": "m", "properties": [{**column("certificate_no", "登记证字号"), "primaryKey": True}]}]
    for schema, state in ((fewer, ResourceState.ABNORMAL), (None, ResourceState.ATTACHED)):
        register(bureau.store, [marriage(tmp_path, **({"schema": schema} if schema else {}))], now=NOW)
        with bureau.store.session() as session:
            resource = resource_of(session, "civil_marriage")
        assert resource is not None and resource.state is state
    assert standing(bureau, entry).published == good_entry()


def test_a_resource_is_taken_down_only_after_its_change_was_filed(bureau: Office, tmp_path: Path) -> None:
    """§7.3-2, L-28."""
    register(bureau.store, [marriage(tmp_path)], now=NOW)
    number = granted(bureau, "civil_marriage", "man_id")

    def act(name: str, by: str, notice: Notice | None = None) -> ResourceState:
        return move_resource(bureau.store, bureau.log, by=by, dataset="civil_marriage", act=name, now=NOW, note="系统停用", notice=notice)

    for name, by, code in (("take_down", "approver", "CAT-MOVE"), ("file_change", "he", "CAT-NOTICE"), ("file_change", "wu", "CAT-RIGHT")):
        with pytest.raises(TongchouError, match=code):
            act(name, by)
    assert act("file_change", "he", FILED) is ResourceState.CHANGE_FILED
    with pytest.raises(Refused, match=rf"CAT-IN-USE.*{number}"):
        act("take_down", "approver")
    assert act("resume", "lin") is ResourceState.ATTACHED
    act("file_change", "he", FILED)
    with bureau.store.session() as session, session.begin():
        session.execute(sa.update(DataGrantRow).values(state="ended"))
    assert act("take_down", "approver") is ResourceState.WITHDRAWN


def test_reasons_hold_no_numbers_of_persons(bureau: Office) -> None:
    entry = done(bureau, made(bureau), Act.SUBMIT, "lin")
    for note in ("", "x" * 501, "请联系13800138000"):
        with pytest.raises(Refused, match="CAT-NOTE"):
            done(bureau, entry, Act.RETURN, "he", note=note)
    assert standing(bureau, entry) == entry


def test_each_act_has_a_title_and_each_state_a_way_on() -> None:
    assert set(ACT_TITLES) == {"make", "follow", "attach", "extend", *RESOURCE_MOVES, *Act} and set(STATE_TITLES) == set(State)
    left = {state for row in MOVES.values() for state in row.before}
    assert left == set(State) - {State.CANCELLED}


NAIVE: dict[tuple[str, str], tuple[str, str]] = {
    # (act, state): (who, next state); the table of §7.3-1 written down once more, for an entry that was never published / was published
    ("edit", "draft"): ("lin registrar", "draft draft"),
    ("edit", "changing"): ("lin registrar", "- changing"),
    ("edit", "published"): ("lin registrar", "- changing"),
    ("submit", "draft"): ("lin", "department_review -"),
    ("submit", "changing"): ("lin", "- department_review"),
    ("approve", "department_review"): ("he", "bureau_review bureau_review"),
    ("return", "department_review"): ("he", "draft changing"),
    ("publish", "bureau_review"): ("approver registrar", "published published"),
    ("send_back", "bureau_review"): ("approver registrar", "draft changing"),
    ("abandon", "changing"): ("lin", "- published"),
    ("withdraw", "published"): ("he", "- withdrawal"),
    ("keep", "withdrawal"): ("he approver registrar", "- published"),
    ("cancel", "withdrawal"): ("approver registrar", "- cancelled"),
    ("discard", "draft"): ("lin", "cancelled -"),
}


@dataclass
class Naive:
    """The reference: an entry as a state, whether it was ever published, and who touched it since."""

    state: str = "draft"
    ever: bool = False
    touched: frozenset[str] = frozenset({"lin"})

    def after(self, act: str, by: str) -> "Naive | None":
        who, states = NAIVE.get((act, self.state), ("", ""))
        if by not in who.split() or (act == "publish" and by in self.touched):
            return None
        state = states.split()[self.ever]
        fresh = act in ("publish", "abandon", "keep")
        touched = frozenset() if fresh else self.touched | ({by} if act in ("edit", "submit", "approve") else set())
        return Naive(state=state, ever=self.ever or act == "publish", touched=touched)


steps = st.lists(st.tuples(st.sampled_from(list(Act)), st.sampled_from(sorted(PEOPLE))), max_size=6)
LIKELY = [
    *ROAD,
    (Act.EDIT, "registrar"),
    (Act.EDIT, "lin"),
    (Act.WITHDRAW, "he"),
    (Act.KEEP, "he"),
    (Act.SEND_BACK, "approver"),
    (Act.RETURN, "he"),
]
walks = st.lists(
    st.one_of(st.sampled_from(LIKELY), st.sampled_from(ROAD), steps.filter(bool).map(lambda found: found[0])), min_size=4, max_size=12
)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(walks)
def test_every_walk_ends_where_the_table_says(bureau: Office, walk: list[tuple[Act, str]]) -> None:
    """Against the naive reference: the same acts pass, the same are refused, and what is refused changes nothing."""
    entry, naive = made(bureau), Naive()
    for count, (act, by) in enumerate(walk):
        expected = naive.after(act.value, by)
        try:
            if act is Act.EDIT:
                entry = edited(bureau, entry, good_entry(title=f"第{entry.id}号表第{count}稿"), by=by)
            elif act is Act.SUBMIT and entry.title == good_entry().title:
                continue  # every example begins with this title, which may be submitted once only
            else:
                entry = done(bureau, entry, act, by, notice=FILED)
        except (Refused, Denied, NotFound):
            assert expected is None, (naive, act, by)
            assert standing(bureau, entry) == entry
        else:
            assert expected is not None and expected.state == entry.state.value, (naive, act, by)
            naive = expected
    with bureau.store.session() as session:
        assert entry_faults(session, entry) == [] or entry.title == good_entry().title


def test_the_bureaus_two_days_run_from_receipt(bureau: Office) -> None:
    """L-13: received on Friday 2026-09-18, due on Monday 21st, since Sunday the 20th is worked."""
    entry = done(bureau, made(bureau), Act.SUBMIT, "lin")
    entry = done(bureau, entry, Act.APPROVE, "he", now=at("2026-09-18"))
    with bureau.store.session() as session:
        (clock,) = clocks_of(session, Subject.ENTRY, entry.id)
    assert (clock.due.day, clock.due.provisional, entry.received_at) == (date(2026, 9, 21), False, at("2026-09-18"))


def test_the_bureau_extends_an_update_once(bureau: Office) -> None:
    """L-13: 10 working days for the update of an entry, 5 more with the bureau's consent."""
    entry = published(bureau)

    def extended(by: str = "approver") -> date:
        return extend_update(bureau.store, bureau.log, by=by, entry=entry.id, now=NOW, note="系统改造").day

    with pytest.raises(Refused, match="CAT-EXTENSION"):
        extended()
    edited(bureau, entry, good_entry(items={"abstract": "别的"}))
    with bureau.store.session() as session:
        (clock,) = [c for c in clocks_of(session, Subject.ENTRY, entry.id) if c.clock == "entry_update"]
    with pytest.raises(Denied, match="CAT-RIGHT"):
        extended("he")
    assert (clock.due.day, extended()) == (date(2026, 12, 7), date(2026, 12, 14))
    with pytest.raises(Refused, match="CAT-EXTENSION"):
        extended()


def test_a_new_owner_takes_an_entry_over_with_a_code_of_its_own(bureau: Office) -> None:
    """C-20: a change of owner makes a successor that names the former entry."""
    entry = published(bureau)
    heir = succeed(bureau.store, bureau.log, by="zhou", entry=entry.id, now=NOW, reason="职责划转")
    assert (heir.succeeds, heir.department, heir.content.category, heir.code) == (entry.id, "police", "307001", None)
    heir = done(bureau, heir, Act.SUBMIT, "zhou")
    assert heir.code == "307001/000001" and standing(bureau, entry) == entry
    with pytest.raises(Refused, match="CAT-OWNER"):
        succeed(bureau.store, bureau.log, by="lin", entry=heir.id, now=NOW, reason="")


def test_of_two_who_edit_at_the_same_moment_one_wins(bureau: Office) -> None:
    """Real threads on one entry, and on the serial numbers of one category."""
    entry = made(bureau)

    def attempt(number: int) -> str:
        try:
            edited(bureau, entry, good_entry(title=f"第{number}稿"))
        except Refused as fault:
            return fault.code
        return "done"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))) == ["CAT-STALE", "CAT-STALE", "CAT-STALE", "done"]
    drafts = [made(bureau, title=f"表{number}") for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        codes = [done.code for done in pool.map(lambda draft: done_submit(bureau, draft), drafts)]
    assert sorted(filter(None, codes)) == [f"307005/{number:06}" for number in range(1, 5)]


def done_submit(office: Office, entry: Entry) -> Entry:
    return done(office, entry, Act.SUBMIT, "lin")


@pytest.mark.parametrize("title", ["长" * 3_000, "空\x00字", "\ud800"])
def test_what_cannot_be_stored_is_no_draft(bureau: Office, title: str) -> None:
    with pytest.raises(Refused, match="ENT-TEXT"):
        made(bureau, title=title)
