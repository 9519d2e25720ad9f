"""Attack: learn from how something fails: errors, 403 beside 404, counts, lengths of answers (peers.md §2, trap 4)."""

from pathlib import Path
from typing import Any

import pytest

from access.accounts import Role, create_account
from access.terms import Mode, RowScope
from rules.tiers import Tier
from tests.access.conftest import GRID, NOW, RESIDENTS
from tests.attacks.conftest import LOOKUP, NOBODY, OUTSIDE, WANG, Attacker

MALFORMED: list[Any] = [
    b"",
    b"{",
    b"null",
    {"grant": 1},
    {"grant": "1", "by": "id_number", "value": "%s"},
    {"grant": 1, "by": "religion", "value": "%s"},
    {"grant": 1, "by": "id_number", "value": "%s' OR '1'='1"},
    {"grant": 1, "by": "id_number", "value": "%s\u0000"},
    {"grant": 1, "by": "id_number", "value": ["%s"]},
    {"grant": 1, "by": "id_number", "value": "%s", "columns": ["religion"]},
    {"grant": 1, "by": "id_number", "value": "%s", "%s": 1},
]


def with_number(content: Any, number: str) -> Any:
    if isinstance(content, dict):
        return {with_number(key, number): with_number(value, number) for key, value in content.items()}
    if isinstance(content, list):
        return [with_number(value, number) for value in content]
    return content.replace("%s", number) if isinstance(content, str) else content


@pytest.mark.parametrize("content", MALFORMED)
def test_a_malformed_question_is_answered_alike_whomever_it_is_about(attacker: Attacker, content: Any) -> None:
    key = attacker.key(attacker.grant(**LOOKUP))
    answers = [attacker.post("look-up", key, with_number(content, number)) for number in (WANG, NOBODY)]
    assert {one.status_code for one in answers} == {422}
    assert answers[0].content == answers[1].content
    assert WANG not in answers[0].text


def test_nobody_outside_and_shared_numbers_are_one_answer_to_the_byte(attacker: Attacker) -> None:
    grant = attacker.grant(**LOOKUP, row_scope=RowScope(areas=(GRID[:9],)))
    key = attacker.key(grant)
    answers = [attacker.look_up(key, grant.id, number) for number in (OUTSIDE, NOBODY)]
    told = [one.json() | {"record": 0} for one in answers]
    assert told[0] == told[1] and dict(answers[0].headers) == dict(answers[1].headers)


@pytest.mark.parametrize("means", ["key", "session"])
def test_another_s_grant_is_one_that_does_not_exist(attacker: Attacker, means: str) -> None:
    mine, other = attacker.grant(**LOOKUP), attacker.grant(**LOOKUP, grantee="health")
    ended = attacker.grant(**LOOKUP, grantee="health", case_number="2026-1", purpose="另案")
    token = attacker.key(mine) if means == "key" else attacker.session()
    assert attacker.look_up(token, mine.id).status_code == 200
    denied = [attacker.look_up(token, number) for number in (other.id, ended.id, 99_999)]
    assert {one.status_code for one in denied} == {403}
    assert len({one.content for one in denied}) == 1


def test_commands_tell_another_s_grant_and_none_apart_to_nobody(attacker: Attacker, tmp_path: Path) -> None:
    other = attacker.grant(grantee="health")
    told = set()
    for number in (other.id, 99_999):
        done = attacker.command("extract", str(number), "--as", "lin", "--out", str(tmp_path / "x.csv"))
        told.add((done.code, done.out, done.err))
        stats = attacker.command("statistics", str(number), "--by", "sex", "--as", "lin")
        assert stats.code == 3
    assert len(told) == 1 and next(iter(told))[0] == 3


def test_an_unknown_account_learns_what_a_stranger_learns(attacker: Attacker, tmp_path: Path) -> None:
    grant = attacker.grant()
    told = {attacker.command("extract", str(grant.id), "--as", name, "--out", str(tmp_path / "x.csv")).err for name in ("he", "nobody")}
    assert len(told) == 1


def test_a_request_a_ticket_and_an_emergency_of_others_are_not_there(attacker: Attacker) -> None:
    assert attacker.command("request", "show", "99999", "--as", "lin").code in {3, 4}
    told = {attacker.command("account", "revoke-key", number, "--why", "x", "--as", "lin").err for number in ("99998", "99999")}
    assert len(told) == 1
    attacker.key(attacker.grant(**LOOKUP))
    create_account(
        attacker.bureau.store, attacker.bureau.log, by="operator", name="wai", title="x", department="health",
        roles=[Role.DEPARTMENT_HEAD], now=NOW,
    )  # fmt: skip
    known = attacker.command("account", "revoke-key", "1", "--why", "x", "--as", "wai")
    unknown = attacker.command("account", "revoke-key", "99999", "--why", "x", "--as", "wai")
    assert (known.code, known.err) == (unknown.code, unknown.err)


def test_no_answer_to_a_department_counts_what_it_may_not_see(attacker: Attacker, tmp_path: Path) -> None:
    """Receipt, response and file are of its own rows: they are the same whether others exist or not."""
    grant = attacker.grant(columns=["sex"], row_scope=RowScope(areas=(GRID,)))
    attacker.bureau.door.extract("lin", grant.id, tmp_path / "all.csv", "csv")
    inside = [position for position, grid in enumerate(RESIDENTS["grid_code"]) if grid == GRID]

    def only_inside(rows: dict[str, list[Any]]) -> None:
        for name, values in rows.items():
            rows[name] = [values[position] for position in inside]

    attacker.rewrite(only_inside)
    attacker.bureau.door.extract("lin", grant.id, tmp_path / "few.csv", "csv")
    assert (tmp_path / "all.csv").read_bytes() == (tmp_path / "few.csv").read_bytes()
    assert set(attacker.look_up(attacker.key(attacker.grant(**LOOKUP)), 2).json()) == {"record", "digest", "answer"}


def test_the_case_number_of_another_opens_nothing_and_is_not_told(attacker: Attacker) -> None:
    """A look-up with another's case number, found or not, is denied alike, and nobody learns the right one."""
    grant = attacker.grant(mode=Mode.LOOKUP, columns=["name"], case_number="检 2026-17")
    key = attacker.key(grant)
    denied = [attacker.look_up(key, grant.id, number, case_number=case) for number in (WANG, NOBODY) for case in ("检 2026-18", "", "17")]
    assert {one.status_code for one in denied} == {403}
    assert len({one.content for one in denied}) == 1 and "2026-17" not in denied[0].text
    assert attacker.look_up(key, grant.id, case_number="检 2026-17").status_code == 200


def test_plaintext_is_not_had_by_an_older_session_nor_by_a_key_that_was_not_made_for_it(attacker: Attacker) -> None:
    grant = attacker.grant(mode=Mode.LOOKUP, columns=["id_number", "name"], tier=Tier.T3)
    for token in (attacker.key(grant), attacker.session()):
        denied = attacker.look_up(token, grant.id)
        assert denied.status_code == 403 and WANG not in denied.text
