"""Attack: use a grant that was edited, that is over, or that one has given oneself."""

import json
from pathlib import Path
from typing import Any

import pytest

from access.accounts import Role, change_roles
from access.api_keys import revoke_key
from access.grants import change_state
from access.terms import GrantState, RowScope
from audit.events import Event
from tests.access.conftest import NOW
from tests.attacks.conftest import LOOKUP, WANG, Attacker

EDITS = {
    "more columns": ("columns = :value", json.dumps(["name", "id_number", "religion"])),
    "a higher tier": ("tier = :value", "T4"),
    "no area": ("row_scope = :value", json.dumps({"areas": [], "equals": {}})),
    "a filter on a masked column": ("row_scope = :value", json.dumps({"areas": [], "equals": {"religion": ["40"]}})),
    "a longer life": ("valid_to = :value", "2199-12-31"),
    "another department": ("grantee_key = :value", "civil_affairs"),
    "another quota": ("quotas = :value", json.dumps({"extracts": 99})),
    "no masks": ("masks = :value", json.dumps({"name": "pseudonym"})),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_grant_that_was_edited_in_the_database_is_noticed_and_gives_nothing(
    attacker: Attacker, tmp_path: Path, edit: tuple[str, str]
) -> None:
    term, value = edit
    terms: dict[str, Any] = {"columns": ["name"], "grantee": "health" if "grantee" in term else "civil_affairs"}
    grant = attacker.grant(**terms, row_scope=RowScope(areas=("440605011",)))
    attacker.edit(f"UPDATE data_grant SET {term} WHERE id = :id", id=grant.id, value=value)
    done = attacker.command("extract", str(grant.id), "--as", "lin", "--out", str(tmp_path / "x.csv"))
    assert done.code == 5 and "DOOR-EDITED" in done.err
    assert not (tmp_path / "x.csv").exists()
    assert [entry.record.body["grant"] for entry in attacker.bureau.log.entries() if entry.record.event is Event.GRANT_FOUND_EDITED]


def test_an_edited_grant_opens_no_look_up_either(attacker: Attacker) -> None:
    grant = attacker.grant(**LOOKUP)
    key = attacker.key(grant)
    attacker.edit("UPDATE data_grant SET columns = :columns WHERE id = :id", id=grant.id, columns='["name", "phone"]')
    denied = attacker.look_up(key, grant.id)
    assert (denied.status_code, denied.json()["code"]) == (503, "DOOR-EDITED") and WANG not in denied.text


def suspend(attacker: Attacker, grant: int) -> None:
    change_state(attacker.bureau.store, attacker.bureau.log, by="operator", grant_id=grant, state=GrantState.SUSPENDED, why="核实")


def end(attacker: Attacker, grant: int) -> None:
    change_state(attacker.bureau.store, attacker.bureau.log, by="operator", grant_id=grant, state=GrantState.ENDED, why="用毕")


def run_out(attacker: Attacker, grant: int) -> None:
    attacker.bureau.clock.now = NOW.replace(year=2100)


def lose_the_role(attacker: Attacker, grant: int) -> None:
    change_roles(attacker.bureau.store, attacker.bureau.log, by="operator", account="lin", roles=[Role.GRID_WORKER], why="调岗", now=NOW)


def lose_the_key(attacker: Attacker, grant: int) -> None:
    revoke_key(attacker.bureau.store, attacker.bureau.log, by="operator", key=1, why="泄露", now=NOW)


@pytest.mark.parametrize("meanwhile", [suspend, end, lose_the_role, lose_the_key, run_out])
def test_a_live_key_opens_nothing_once_its_grant_its_role_or_itself_is_over(attacker: Attacker, meanwhile: Any) -> None:
    grant = attacker.grant(**LOOKUP)
    key = attacker.key(grant)
    assert attacker.look_up(key, grant.id).status_code == 200
    meanwhile(attacker, grant.id)
    assert attacker.look_up(key, grant.id).status_code in {401, 403}


@pytest.mark.parametrize("meanwhile", [suspend, end, lose_the_role])
def test_a_live_session_opens_nothing_once_its_grant_or_role_is_over(attacker: Attacker, meanwhile: Any) -> None:
    grant = attacker.grant(**LOOKUP)
    token = attacker.session()
    assert attacker.look_up(token, grant.id).status_code == 200
    meanwhile(attacker, grant.id)
    assert attacker.look_up(token, grant.id).status_code == 403


@pytest.mark.parametrize("meanwhile", [suspend, end, lose_the_role, run_out])
def test_an_extract_under_way_stops(attacker: Attacker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, meanwhile: Any) -> None:
    from access import delivery, files
    from rules.errors import Denied

    grant, write = attacker.grant(), files.write

    def slow(*arguments: Any) -> int:
        rows = write(*arguments)
        meanwhile(attacker, grant.id)
        return rows

    monkeypatch.setattr(delivery, "write", slow)
    with pytest.raises(Denied, match="DOOR-STOPPED"):
        attacker.bureau.door.extract("lin", grant.id, tmp_path / "x.csv", "csv")
    assert not (tmp_path / "x.csv").exists()


def test_nobody_grants_to_himself_and_nobody_makes_himself_an_approver(attacker: Attacker) -> None:
    grant = ("grant", "add", "--to", "民政局", "--columns", "name", "--purpose", "核查", "--basis", "法", "--to-day", "2099-12-31")
    assert attacker.command(*grant, "--as", "lin").code == 3
    assert attacker.command("account", "roles", "lin", "--role", "bureau_approver", "--why", "急", "--as", "lin").code == 3
    assert attacker.command("account", "roles", "lin", "--role", "bureau_approver", "--why", "急").code == 2
    assert attacker.command("account", "key", "lin", "--title", "x", "--act", "extract", "--grant", "1", "--as", "lin").code == 3


def test_an_emergency_is_no_second_way_to_a_grant(attacker: Attacker, tmp_path: Path) -> None:
    broken = ("account", "break-glass", "--over", "hukou", "--columns", "record,phone", "--mode", "file", "--as", "lin")
    reason = ("--reason", "走失老人身份核实，须联系家属")
    first = attacker.command(*broken, *reason, "--json")
    assert first.code == 0
    assert attacker.command(*broken, *reason).code == 3
    number = str(first.json()["grant"])
    attacker.edit("UPDATE data_grant SET ends_at = '2099-01-01 00:00:00', valid_to = '2099-01-01' WHERE id = :id", id=int(number))
    assert attacker.command("extract", number, "--as", "lin", "--out", str(tmp_path / "x.csv")).code == 5
    assert not (tmp_path / "x.csv").exists()


def test_a_grant_that_was_woken_by_hand_is_found_by_the_auditor(attacker: Attacker) -> None:
    grant = attacker.grant()
    end(attacker, grant.id)
    assert attacker.command("audit", "grants").code == 0
    attacker.edit("UPDATE data_grant SET state = 'active' WHERE id = :id", id=grant.id)
    done = attacker.command("audit", "grants")
    assert done.code == 5 and "DOOR-EDITED" in done.err and "state" in done.err
    assert attacker.command("audit", "grants", "--json").json() == [{"grant": grant.id, "terms": ["state"]}]
