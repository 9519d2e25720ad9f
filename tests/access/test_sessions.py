"""Passwords, lock-out and sessions: nothing is told of who exists, everything ends, and a second proof is of one session only."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from access import passwords
from access.accounts import Role, change_roles, close_account
from access.lock_out import FREE_FAILURES, LONGEST_DELAY_SECONDS, delay_after
from access.passwords import HASHER, choose_password, password_faults, provisional_password
from access.presence import Means, Presence
from access.sessions import IDLE_LIMIT, LONGEST_SESSION, PROOF_LASTS, NewSession, authenticate_session, prove_again, sign_in, sign_out
from audit.events import Event
from catalog.schema import AccountRow
from rules.errors import Denied, NotFound, Refused
from tests.access.conftest import NOW, Platform

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""The same code, without its price."""
PASSWORD = "春眠不觉晓-处处闻啼鸟-01"
OTHER = "白日依山尽-黄河入海流-02"
SECOND = timedelta(seconds=1)


class People:
    """The accounts of a platform at a sign-in."""

    def __init__(self, platform: Platform) -> None:
        self.store, self.log, self.platform = platform.store, platform.log, platform
        self.usual: dict[str, Any] = {"hasher": CHEAP, "origin": "10.0.0.1"}

    def enrol(self, account: str = "lin", password: str = PASSWORD, now: datetime = NOW) -> None:
        first = provisional_password(self.store, self.log, by="operator", account=account, now=now, hasher=CHEAP)
        choose_password(self.store, self.log, account=account, old=first, new=password, now=now, **self.usual)

    def sign_in(self, account: str = "lin", password: str = PASSWORD, now: datetime = NOW) -> NewSession:
        return sign_in(self.store, self.log, account=account, password=password, now=now, **self.usual)

    def present(self, token: str, now: datetime = NOW) -> Presence:
        return authenticate_session(self.store, token, now=now)

    def fails(self, code: str, account: str, password: str, now: datetime = NOW) -> str:
        with pytest.raises((Denied, Refused)) as failed:
            self.sign_in(account, password, now)
        assert failed.value.code == code
        return str(failed.value)


@pytest.fixture
def people(platform: Platform) -> People:
    made = People(platform)
    made.enrol()
    return made


def test_a_person_signs_in_with_his_own_password_and_is_known_by_the_session(people: People) -> None:
    opened = people.sign_in()
    presence = people.present(opened.token)
    assert (presence.account.name, presence.means, presence.number) == ("lin", Means.SESSION, opened.number)
    assert not presence.proven(NOW) and opened.token not in repr(opened)
    assert people.platform.last().record.body == {"actor": "lin", "session": opened.number, "origin": "10.0.0.1"}


def test_neither_password_nor_token_stands_in_the_store_or_the_log(people: People) -> None:
    opened = people.sign_in()
    people.fails("DOOR-SIGN-IN", "lin", "a password typed wrong")
    people.fails("DOOR-SIGN-IN", "990605198001011234", PASSWORD)
    with people.store.engine.connect() as connection:
        tables = ("user_account", "login_session", "sign_in_failure")
        kept = [repr(connection.execute(sa.text(f"SELECT * FROM {table}")).all()) for table in tables]
    told = "".join([*kept, repr(list(people.log.entries()))])
    assert not any(secret in told for secret in (PASSWORD, opened.token, "typed wrong", "990605198001011234"))


def test_the_password_of_the_bureau_only_serves_to_choose_ones_own(people: People) -> None:
    first = provisional_password(people.store, people.log, by="operator", account="he", now=NOW, hasher=CHEAP)
    people.fails("PASSWORD-PROVISIONAL", "he", first)
    choose_password(people.store, people.log, account="he", old=first, new=OTHER, now=NOW, **people.usual)
    assert people.sign_in("he", OTHER).account == "he"
    people.fails("DOOR-SIGN-IN", "he", first)


def test_only_the_bureau_sets_passwords_and_nobody_his_own(people: People) -> None:
    for by, account in (("lin", "he"), ("operator", "operator")):
        with pytest.raises(Denied, match="DOOR-DENIED"):
            provisional_password(people.store, people.log, by=by, account=account, now=NOW, hasher=CHEAP)
    with pytest.raises(NotFound, match="DOOR-NO-ACCOUNT"):
        provisional_password(people.store, people.log, by="operator", account="nobody", now=NOW, hasher=CHEAP)


@pytest.mark.parametrize("new", ["short", "x" * 129, "aaaaaaaaaaaaaa", "lin-and-ten-more", "tel-13800138000-x", PASSWORD])
def test_a_weak_password_is_refused(people: People, new: str) -> None:
    with pytest.raises(Refused, match="PASSWORD-WEAK"):
        choose_password(people.store, people.log, account="lin", old=PASSWORD, new=new, now=NOW, **people.usual)
    assert people.sign_in().account == "lin"


def test_a_phrase_needs_no_mixture_of_characters() -> None:
    assert password_faults("lin", "old", "correct horse battery staple") == []


def test_what_is_typed_in_another_form_is_the_same_password(people: People) -> None:
    assert people.sign_in(password=PASSWORD.replace("01", "０１")).account == "lin"


def test_an_unknown_account_fails_with_the_same_words_records_and_work(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is counted, not timed: both ways hash once, with the same parameters."""
    work = []
    verify = PasswordHasher.verify

    def counted(hasher: PasswordHasher, digest: str | bytes, password: str | bytes) -> bool:
        work.append(str(digest).rsplit("$", 2)[0])
        return verify(hasher, digest, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    told = {people.fails("DOOR-SIGN-IN", account, "not the password") for account in ("lin", "nobody", "he")}
    records = [entry.record.body for entry in people.log.entries() if entry.record.event is Event.SESSION_REFUSED]
    assert len(told) == 1 and len(work) == 3 and len(set(work)) == 1
    assert [sorted(body) for body in records] == [["account", "name", "origin", "why"]] * 3
    assert [body["account"] for body in records] == ["lin", None, "he"]


@pytest.mark.parametrize("account", ["lin", "nobody"])
def test_failures_lock_an_account_for_longer_each_time_whether_it_exists_or_not(people: People, account: str) -> None:
    now = NOW
    for _ in range(FREE_FAILURES):
        people.fails("DOOR-SIGN-IN", account, "wrong password", now)
    for delay in (2, 4, 8):
        people.fails("DOOR-LOCKED", account, PASSWORD, now + SECOND * (delay - 1))
        now += SECOND * delay
        people.fails("DOOR-SIGN-IN", account, "wrong password", now)
    if account == "lin":
        people.sign_in(now=now + SECOND * 16)
        for _ in range(FREE_FAILURES):
            people.fails("DOOR-SIGN-IN", account, "wrong password", now + SECOND * 16)


@given(st.integers(0, 10_000))
def test_delays_grow_to_a_limit_and_never_shrink(failures: int) -> None:
    delay = delay_after(failures)
    assert delay_after(failures + 1) >= delay
    assert (delay == timedelta(0)) == (failures < FREE_FAILURES)
    assert delay <= timedelta(seconds=LONGEST_DELAY_SECONDS)


def test_one_account_s_failures_lock_no_other(people: People) -> None:
    for _ in range(FREE_FAILURES):
        people.fails("DOOR-SIGN-IN", "he", "wrong password")
    people.fails("DOOR-LOCKED", "he", "wrong password")
    assert people.sign_in().account == "lin"


def close(people: People, presence: Presence) -> None:
    close_account(people.store, people.log, by="operator", account="lin", why="调离")


def leave(people: People, presence: Presence) -> None:
    sign_out(people.store, people.log, presence=presence, now=NOW)


def choose(people: People, presence: Presence) -> None:
    choose_password(people.store, people.log, account="lin", old=PASSWORD, new=OTHER, now=NOW + SECOND, **people.usual)


def reset(people: People, presence: Presence) -> None:
    provisional_password(people.store, people.log, by="operator", account="lin", now=NOW + SECOND, hasher=CHEAP)


def nothing(people: People, presence: Presence) -> None: ...


@pytest.mark.parametrize(
    ("meanwhile", "later"),
    [(close, SECOND), (leave, SECOND), (choose, SECOND), (reset, SECOND), (nothing, IDLE_LIMIT), (nothing, LONGEST_SESSION)],
)
def test_a_session_is_over_at_once(people: People, meanwhile: Callable[[People, Presence], None], later: timedelta) -> None:
    token = people.sign_in().token
    meanwhile(people, people.present(token))
    with pytest.raises(Denied) as over:
        people.present(token, NOW + later)
    with pytest.raises(Denied) as never:
        people.present("x" * 43)
    assert over.value.code == "DOOR-SESSION" and str(over.value) == str(never.value)


def test_a_session_in_use_outlives_its_idle_limit_but_not_its_day(people: People) -> None:
    token, now = people.sign_in().token, NOW
    while now + IDLE_LIMIT / 2 < NOW + LONGEST_SESSION:
        now += IDLE_LIMIT / 2
        assert people.present(token, now).account.name == "lin"
    with pytest.raises(Denied, match="DOOR-SESSION"):
        people.present(token, NOW + LONGEST_SESSION)


def test_the_second_proof_is_of_one_session_and_lasts_some_minutes(people: People) -> None:
    one, other = people.sign_in(), people.sign_in()
    until = prove_again(people.store, people.log, presence=people.present(one.token), password=PASSWORD, now=NOW, **people.usual)
    assert until == NOW + PROOF_LASTS
    assert people.present(one.token).proven(until - SECOND) and not people.present(one.token).proven(until)
    assert not people.present(other.token).proven(NOW)
    assert people.platform.last().record.event is Event.SESSION_PROVEN


def test_a_wrong_second_proof_proves_nothing_and_counts_as_a_failure(people: People) -> None:
    presence = people.present(people.sign_in().token)
    for _ in range(FREE_FAILURES):
        with pytest.raises(Denied, match="DOOR-SIGN-IN"):
            prove_again(people.store, people.log, presence=presence, password="wrong", now=NOW, **people.usual)
    people.fails("DOOR-LOCKED", "lin", PASSWORD)


def test_a_digest_of_older_parameters_is_made_anew_at_the_next_sign_in(people: People) -> None:
    def digest() -> str:
        with people.store.session() as session:
            return str(session.get_one(AccountRow, "lin").secret_digest)

    before, dearer = digest(), PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    sign_in(people.store, people.log, account="lin", password=PASSWORD, now=NOW, origin="", hasher=dearer)
    assert "t=1" in before and "t=2" in digest()
    people.sign_in()


def test_the_parameters_are_those_of_rfc_9106() -> None:
    assert (HASHER.time_cost, HASHER.memory_cost, HASHER.parallelism, HASHER.type.name) == (3, 64 * 1024, 4, "ID")
    assert passwords.SHORTEST_CHARACTERS >= 12


def test_a_change_of_roles_holds_from_the_next_question(people: People) -> None:
    token = people.sign_in().token
    change_roles(people.store, people.log, by="operator", account="lin", roles=[Role.DEPARTMENT_HEAD], why="任职", now=NOW)
    assert people.present(token).account.roles == {Role.DEPARTMENT_HEAD}
