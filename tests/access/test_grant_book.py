"""The grant book against a naive search through all grants, and beside a store that changes under it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from access.grant_book import GrantBook, OpenBook, Wanted
from access.grants import change_state
from access.terms import Grant, GrantState, Mode, RowScope
from rules.tiers import Tier
from tests.access.conftest import NOW, Platform

TODAY = date(2026, 6, 1)
COLUMNS = ["name", "sex", "phone"]
GRANTS = st.lists(
    st.builds(
        Grant,
        id=st.just(0),
        grantee=st.sampled_from(["tax", "health"]),
        target=st.sampled_from(["golden", "hukou"]),
        columns=st.lists(st.sampled_from(COLUMNS), min_size=1, unique=True).map(tuple),
        row_scope=st.just(RowScope()),
        tier=st.sampled_from(Tier),
        purpose=st.sampled_from(["核查", " 核查", "比对"]),
        legal_basis=st.just("法"),
        case_number=st.just(""),
        valid_from=st.sampled_from([date(2026, 1, 1), date(2026, 6, 1), date(2026, 6, 2)]),
        valid_to=st.sampled_from([date(2026, 5, 31), date(2026, 6, 1), date(2026, 12, 31)]),
        state=st.sampled_from([GrantState.ACTIVE, GrantState.ACTIVE, GrantState.SUSPENDED, GrantState.ENDED]),
        mode=st.sampled_from(Mode),
    ),
    max_size=12,
).map(lambda grants: [replace(grant, id=number) for number, grant in enumerate(grants, 1)])
WANTED = st.builds(
    Wanted,
    department=st.sampled_from(["tax", "health", "police"]),
    target=st.sampled_from(["golden", "hukou"]),
    purpose=st.sampled_from(["核查", "核查 ", "别的"]),
    columns=st.lists(st.sampled_from([*COLUMNS, "gone"]), max_size=3),
    modes=st.frozensets(st.sampled_from(Mode)),
)


def naive(grants: Sequence[Grant], wanted: Wanted, today: date) -> Grant | None:
    """One sentence after another."""
    found = []
    for grant in grants:
        if grant.grantee != wanted.department or grant.target != wanted.target or grant.mode not in wanted.modes:
            continue
        if grant.purpose.strip() != wanted.purpose.strip() or not all(column in grant.columns for column in wanted.columns):
            continue
        found.append(grant)
    in_force = [g for g in found if g.state.value == "active" and g.valid_from <= today <= g.valid_to]
    best = in_force or found
    lowest = [g for g in best if g.tier == min(other.tier for other in best)]
    return max(lowest, key=lambda grant: grant.id, default=None)


@settings(max_examples=300, deadline=None)
@given(GRANTS, st.integers(0, 12), st.sampled_from([TODAY, date(2026, 6, 2)]), WANTED)
def test_the_book_finds_what_a_search_through_all_grants_finds(grants: list[Grant], known: int, first: date, wanted: Wanted) -> None:
    """Also where a part of the grants came later, or on another day."""
    empty = GrantBook({}, {}, 0, date.min)
    book = empty.with_changes(grants[:known], known, first).with_changes(grants[known:], len(grants), TODAY)
    assert book.find(wanted) == naive(grants, wanted, TODAY)
    assert len(book) == len(grants)


def wanted(**changes: object) -> Wanted:
    terms: dict[str, object] = {"department": "civil_affairs", "target": "golden", "purpose": "低保资格核查", "columns": ["name"]}
    return Wanted(**{**terms, "modes": [Mode.FILE], **changes})  # type: ignore[arg-type]


def test_the_open_book_follows_what_is_granted_suspended_and_resumed(platform: Platform) -> None:
    book, today = OpenBook(), NOW.date()

    def found() -> Grant | None:
        with platform.store.session() as session:
            return book.at(session, today).find(wanted())

    assert found() is None
    first, second = platform.grant(), platform.grant()
    assert found() == second
    for state, expected in ((GrantState.SUSPENDED, first), (GrantState.ACTIVE, second), (GrantState.ENDED, first)):
        change_state(platform.store, platform.log, by="operator", grant_id=second.id, state=state, why="整改")
        assert found() == expected


def test_a_book_that_nothing_changed_is_the_same_book(platform: Platform) -> None:
    platform.grant()
    book = OpenBook()
    with platform.store.session() as session:
        first = book.at(session, NOW.date())
        assert book.at(session, NOW.date()) is first
        assert book.at(session, date(2027, 1, 1)) is not first


def test_each_change_has_a_number_of_its_own(platform: Platform) -> None:
    made, book = platform.grant(), OpenBook()
    seen = []
    for state in (GrantState.SUSPENDED, GrantState.ACTIVE, GrantState.SUSPENDED):
        change_state(platform.store, platform.log, by="operator", grant_id=made.id, state=state, why="整改")
        with platform.store.session() as session:
            seen.append(book.at(session, NOW.date()).change)
    assert seen == sorted(set(seen))
