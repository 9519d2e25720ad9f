"""Attack: find out values of a person by asking whether they are his, many times (I-08)."""

import itertools
from typing import Any

import pytest

from access.desk import QUESTIONS_A_DAY_ABOUT_SUBJECT
from access.terms import Mode
from rules.tiers import Tier
from tests.attacks.conftest import NOBODY, WANG, Attacker

VERIFY: dict[str, Any] = {"tier": Tier.T1, "mode": Mode.VERIFY, "columns": ["name", "sex", "phone", "birth_date"]}


def ask(attacker: Attacker, key: str, grant: int, number: str = WANG, **attributes: str) -> Any:
    return attacker.post("verify", key, {"grant": grant, "by": "id_number", "value": number, "attributes": attributes})


@pytest.mark.parametrize("right", [{"name": "王小明"}, {"sex": "1"}, {}])
def test_one_value_alone_is_not_verified(attacker: Attacker, right: dict[str, str]) -> None:
    grant = attacker.grant(**VERIFY)
    assert ask(attacker, attacker.key(grant), grant.id, **right).status_code == 422


def test_a_no_is_the_same_whichever_value_is_wrong(attacker: Attacker) -> None:
    grant = attacker.grant(**VERIFY)
    key = attacker.key(grant)
    right = {"name": "王小明", "sex": "1", "phone": "13800138001"}
    wrong = {"name": "王大明", "sex": "2", "phone": "13800138009"}
    answers = [
        ask(attacker, key, grant.id, **{**right, **{name: wrong[name] for name in names}}).json()["answer"]
        for many in (1, 2, 3)
        for names in itertools.combinations(wrong, many)
    ]
    assert answers == [{"verdict": "no"}] * 7
    assert ask(attacker, key, grant.id, **right).json()["answer"] == {"verdict": "yes"}


def test_birth_dates_are_not_run_through(attacker: Attacker) -> None:
    """Nor through a second key, grant or account of the same department."""
    grant, other = attacker.grant(**VERIFY), attacker.grant(**VERIFY, purpose="另有用途")
    key, another = attacker.key(grant), attacker.key(other)
    days = [f"1980-02-{day:02}" for day in range(1, 29)]
    statuses = [ask(attacker, key, grant.id, name="王小明", birth_date=day).status_code for day in days]
    assert statuses.count(200) == QUESTIONS_A_DAY_ABOUT_SUBJECT and statuses[-1] == 429
    assert ask(attacker, another, other.id, name="王小明", birth_date="1980-01-01").status_code == 429
    assert ask(attacker, attacker.session(), grant.id, name="王小明", birth_date="1980-01-01").status_code == 429


def test_numbers_that_nobody_has_are_limited_alike_so_the_limit_tells_of_nobody(attacker: Attacker) -> None:
    grant = attacker.grant(**VERIFY)
    key = attacker.key(grant)
    told = {
        number: [ask(attacker, key, grant.id, number, name="张三", sex="1").status_code for _ in range(QUESTIONS_A_DAY_ABOUT_SUBJECT + 1)]
        for number in (WANG, NOBODY)
    }
    assert told[WANG] == told[NOBODY] and told[WANG][-1] == 429


def test_a_grant_to_verify_tells_no_value(attacker: Attacker) -> None:
    grant = attacker.grant(**VERIFY)
    key = attacker.key(grant)
    assert attacker.look_up(key, grant.id).status_code == 403
    assert "王小明" not in ask(attacker, key, grant.id, name="王小明", sex="1").text


def test_a_column_that_was_not_granted_is_not_verified_whether_it_is_right_or_wrong(attacker: Attacker) -> None:
    grant = attacker.grant(**VERIFY)
    key = attacker.key(grant)
    told = {ask(attacker, key, grant.id, name="王小明", religion=code).content for code in ("00", "40")}
    assert len(told) == 1 and b"verdict" not in next(iter(told))
