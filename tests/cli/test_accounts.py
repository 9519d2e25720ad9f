"""Commands of accounts: roles, passwords, keys, emergencies."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import commands
from tests.cli.conftest import Command, Ran

PASSWORD = "春眠不觉晓-处处闻啼鸟-01"


@pytest.fixture
def opened(tongchou: Command) -> Command:
    """A home with an account of a department."""
    assert tongchou("init").code == 0
    assert tongchou("grant", "account", "lin", "--title", "救助科", "--department", "民政局", "--role", "department_requester").code == 0
    return tongchou


def test_a_key_needs_a_grant_of_its_department(opened: Command) -> None:
    wrong = opened("account", "key", "lin", "--title", "救助系统", "--act", "extract", "--grant", "1")
    assert wrong.code == 2 and "KEY-TERMS" in wrong.err
    assert opened("account", "keys", "--json").json() == []
    assert opened("account", "revoke-key", "1", "--why", "下线").code == 4


def test_roles_are_changed_and_an_account_is_closed_with_a_reason(opened: Command) -> None:
    changed = opened("account", "roles", "lin", "--role", "department_head", "--why", "任职", "--json")
    assert changed.json()["roles"] == ["department_head"]
    assert opened("account", "roles", "operator", "--role", "auditor", "--why", "任职").code == 3
    assert opened("account", "close", "lin", "--why", "").code == 2
    assert opened("account", "close", "lin", "--why", "调离", "--json").json()["active"] is False


def test_a_password_is_asked_for_and_never_printed(opened: Command, folder: Path) -> None:
    provisional = opened("account", "password", "lin").out.strip()
    runner = CliRunner()

    def choose(old: str, new: str) -> Ran:
        done = runner.invoke(commands, ["account", "choose-password", "lin"], input=f"{old}\n{new}\n{new}\n")
        return Ran(code=done.exit_code if done.exception is None else getattr(done.exception, "exit_code", 1), out=done.output, err="")

    weak, done, again = choose(provisional, "short"), choose(provisional, PASSWORD), choose(provisional, PASSWORD)
    assert (weak.code, done.code, again.code) == (2, 0, 3)
    assert not any(secret in one.out for one in (weak, done, again) for secret in (provisional, PASSWORD))


def test_an_emergency_without_data_is_refused(opened: Command) -> None:
    broken = ("account", "break-glass", "--columns", "name", "--reason", "走失老人身份核实，须联系家属", "--as", "lin")
    assert opened(*broken).code in {2, 4}
    assert opened("account", "emergencies", "--json").json() == []
    assert opened("account", "review-emergency", "1", "--justified", "--finding", "属实", "--as", "lin").code == 3
