"""People over HTTP: signed in with a password, known by a session, in plaintext only after a second proof."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from access.accounts import close_account
from access.lock_out import FREE_FAILURES
from access.passwords import provisional_password
from access.rate_limits import SIGN_IN_RATE
from access.sessions import PROOF_LASTS
from access.terms import Mode
from portal.api import create_app
from rules.tiers import Tier
from tests.access.conftest import NOW, Platform, served  # noqa: F401 (a fixture)

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "春眠不觉晓-处处闻啼鸟-01"
WANG = "990605198001011234"


class Desk:
    """A person before the interface."""

    def __init__(self, bureau: Platform, client: TestClient) -> None:
        self.bureau, self.client = bureau, client

    def post(self, path: str, content: Any = None, token: str | None = None) -> Any:
        return self.client.post(f"/v1/{path}", json=content, headers={} if token is None else {"Authorization": f"Bearer {token}"})

    def sign_in(self, account: str = "lin", password: str = PASSWORD) -> Any:
        return self.post("session", {"account": account, "password": password})

    def look_up(self, token: str, grant: int) -> Any:
        return self.post("look-up", {"grant": grant, "by": "id_number", "value": WANG}, token)


@pytest.fixture
def desk(served: Platform) -> Iterator[Desk]:  # noqa: F811
    first = provisional_password(served.store, served.log, by="operator", account="lin", now=NOW, hasher=CHEAP)
    with TestClient(create_app(served.home, served.clock, CHEAP), raise_server_exceptions=False) as client:
        desk = Desk(served, client)
        assert desk.sign_in(password=first).json()["code"] == "PASSWORD-PROVISIONAL"
        assert desk.post("password", {"account": "lin", "old": first, "new": PASSWORD}).status_code == 204
        yield desk


def test_a_session_looks_up_what_its_account_was_granted_until_it_ends(desk: Desk) -> None:
    granted, other = (desk.bureau.grant(mode=Mode.LOOKUP, columns=["name"], grantee=who).id for who in ("civil_affairs", "health"))
    token = desk.sign_in().json()["token"]
    assert desk.look_up(token, granted).json()["answer"]["values"] == {"name": "王**"}
    denied = [desk.look_up(token, number) for number in (other, 99_999)]
    assert denied[0].status_code == 403 and denied[0].content == denied[1].content
    assert desk.post("session/end", token=token).status_code == 204
    assert desk.look_up(token, granted).json()["code"] == "DOOR-SESSION"


def test_plaintext_needs_a_second_proof_that_is_fresh_and_of_this_session(desk: Desk) -> None:
    granted = desk.bureau.grant(mode=Mode.LOOKUP, columns=["id_number"], tier=Tier.T3).id
    token, other = (desk.sign_in().json()["token"] for _ in range(2))
    assert "second proof" in desk.look_up(token, granted).json()["detail"]
    assert desk.post("session/proof", {"password": "not it at all"}, token).status_code == 401
    assert desk.look_up(token, granted).status_code == 403
    assert desk.post("session/proof", {"password": PASSWORD}, token).status_code == 200
    assert desk.look_up(token, granted).json()["answer"]["values"] == {"id_number": WANG}
    assert desk.look_up(other, granted).status_code == 403
    desk.bureau.clock.now = NOW + PROOF_LASTS
    assert desk.look_up(token, granted).status_code == 403


def test_an_account_that_is_closed_is_out_at_once(desk: Desk) -> None:
    token = desk.sign_in().json()["token"]
    close_account(desk.bureau.store, desk.bureau.log, by="operator", account="lin", why="调离")
    assert desk.look_up(token, 1).json()["code"] == "DOOR-SESSION"
    assert desk.sign_in().json()["code"] == "DOOR-SIGN-IN"


def test_who_exists_is_not_told_by_failing_or_being_locked_out(desk: Desk) -> None:
    answers = {name: [desk.sign_in(name, "not the password") for _ in range(FREE_FAILURES + 1)] for name in ("lin", "he", "nobody")}
    told = {name: [(one.status_code, one.content) for one in some] for name, some in answers.items()}
    assert told["lin"] == told["he"] == told["nobody"]
    assert told["lin"][-1][0] == 429


def test_one_address_signs_in_so_often_and_no_more(desk: Desk) -> None:
    desk.bureau.clock.now = NOW + timedelta(hours=1)
    answers = [desk.sign_in(f"nobody{number}", "x") for number in range(SIGN_IN_RATE.burst + 1)]
    assert answers[-1].json()["code"] == "DOOR-TOO-FAST" and {one.status_code for one in answers[:-1]} == {401}


@pytest.mark.parametrize("path", ["session/proof", "session/end"])
def test_a_key_or_nothing_is_no_session(desk: Desk, path: str) -> None:
    for token, code in ((None, "DOOR-KEY"), ("tck_" + "A" * 43, "DOOR-SESSION"), ("tcs_" + "A" * 43, "DOOR-SESSION")):
        assert desk.post(path, {"password": PASSWORD}, token).json()["code"] == code


@pytest.mark.parametrize("content", [None, {}, {"account": "lin"}, {"account": "lin", "password": PASSWORD, PASSWORD: 1}])
def test_a_malformed_sign_in_repeats_nothing(desk: Desk, content: Any) -> None:
    response = desk.post("session", content)
    assert response.status_code == 422 and PASSWORD not in response.text
