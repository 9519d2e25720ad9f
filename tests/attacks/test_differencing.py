"""Attack: two answers that tell together what neither tells alone (I-09)."""

from pathlib import Path
from typing import Any

import pytest

from access.accounts import Role, create_account
from access.terms import RowScope
from rules.errors import Denied
from rules.tiers import Tier
from tests.access.conftest import NOW
from tests.attacks.conftest import Attacker

STREETS = ("440605011", "440605012", "440605013")


@pytest.fixture
def crowd(attacker: Attacker) -> Attacker:
    """Sixty residents of three streets; one alone in the third."""

    def people(rows: dict[str, list[Any]]) -> None:
        count = 60
        for name, values in rows.items():
            rows[name] = [values[position % len(values)] for position in range(count)]
        rows["resident_id"] = [f"R{position + 1:010d}" for position in range(count)]
        rows["grid_code"] = [f"{STREETS[position % 2]}001001" for position in range(count - 1)] + [f"{STREETS[2]}001001"]
        rows["sex"] = [str(position % 2 + 1) for position in range(count)]

    attacker.rewrite(people)
    return attacker


def count(attacker: Attacker, *areas: str, by: str = "sex", account: str = "lin", **terms: Any) -> Any:
    grant = attacker.grant(**{"tier": Tier.T0, "columns": ["sex", "grid_code"], "row_scope": RowScope(areas=areas), **terms})
    return attacker.bureau.door.statistics(account, grant.id, [by]).value


def test_all_and_all_but_one_are_not_both_answered(crowd: Attacker) -> None:
    assert count(crowd).groups
    with pytest.raises(Denied, match="DOOR-DIFFERENCE"):
        count(crowd, *STREETS[:2])


def test_not_through_another_grant_purpose_or_account_of_the_department_either(crowd: Attacker) -> None:
    create_account(
        crowd.bureau.store, crowd.bureau.log, by="operator", name="bai", title="x", department="civil_affairs",
        roles=[Role.DEPARTMENT_REQUESTER], now=NOW,
    )  # fmt: skip
    assert count(crowd, *STREETS[:2]).groups
    with pytest.raises(Denied, match="DOOR-DIFFERENCE"):
        count(crowd, account="bai", purpose="另有用途", case_number="2026-2")


def test_not_beside_an_extract(crowd: Attacker, tmp_path: Path) -> None:
    crowd.bureau.door.extract("lin", crowd.grant(columns=["sex"], row_scope=RowScope(areas=STREETS[:2])).id, tmp_path / "x.csv", "csv")
    with pytest.raises(Denied, match="DOOR-DIFFERENCE"):
        count(crowd)


def test_the_one_alone_in_his_street_is_counted_nowhere(crowd: Attacker) -> None:
    value = count(crowd, by="grid_code:street")
    told = {group.values: group.persons for group in value.groups}
    shown = {values[0]: persons for values, persons in told.items() if persons is not None}
    assert told[STREETS[2],] is None
    hidden = [values for values, persons in told.items() if persons is None]
    assert len(hidden) >= 2, "or the sum would tell him"
    assert 1 not in shown.values()


def test_a_refused_difference_tells_nothing_of_who_it_is(crowd: Attacker) -> None:
    count(crowd)
    with pytest.raises(Denied) as one:
        count(crowd, *STREETS[:2])
    assert one.value.what == "" or not any(street in one.value.what for street in STREETS)
