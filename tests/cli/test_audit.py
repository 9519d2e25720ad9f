"""The log's commands, as an auditor uses them."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command, Ran, logged

LOOKS = (
    ("list",),
    ("export", "log"),
    ("prove", "0", "--out", "zero"),
    ("destroy", "--before", "2020-01-01", "--reason", "三年期满"),
)
"""What shows or takes away what stands in the log."""


@pytest.fixture
def home(tongchou: Command, folder: Path) -> Path:
    tongchou("init")
    assert tongchou("grant", "account", "shen", "--title", "审计", "--role", "auditor").code == 0
    return folder / "home"


@pytest.fixture
def audited(tongchou: Command) -> Command:
    """Runs a command of the log as its auditor."""

    def command(name: str, *arguments: str) -> Ran:
        purpose = () if name == "destroy" else ("--purpose", "季度核查")
        return tongchou("audit", name, *arguments, "--as", "shen", *purpose)

    return command


def events() -> list[str]:
    return [record["event"] for record in logged()]


def check(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", str(folder / "log" / "verify_log.py"), "--key", str(folder / "home/keys/audit-verifier.txt")]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, cwd="/", check=False)


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look[0])
def test_only_an_auditor_looks_and_what_was_looked_at_is_on_record(tongchou: Command, home: Path, look: tuple[str, ...]) -> None:
    """A-02, A-07: neither the operator nor a name that nobody bears; a look for no purpose is refused, too."""
    purpose = () if look[0] == "destroy" else ("--purpose", "季度核查")
    for name in ("operator", "nobody"):
        denied = tongchou("audit", *look, "--as", name, *purpose)
        assert (denied.code, logged()[-1]["actor"], events()[-1]) == (3, name, "audit:log:refused")
    assert not Path("log").exists() and not Path("zero").exists()
    aimless = (*look[:-1], " ") if look[0] == "destroy" else (*look, "--purpose", " ")
    assert tongchou("audit", *aimless, "--as", "shen").code == 2
    assert (logged()[-1]["why"], events()[-1]) == ("no_purpose", "audit:log:refused")
    known = len(logged())
    assert tongchou("audit", *look, "--as", "shen", *purpose).code == 0
    assert [record["actor"] for record in logged()[known:]] in ([], ["shen"])
    assert len(logged()) == known + (look[0] != "destroy"), "nothing was old enough to destroy"


def test_whether_the_log_is_whole_the_operator_and_the_auditor_may_ask(tongchou: Command, home: Path) -> None:
    for command in ("verify", "grants"):
        assert tongchou("audit", command).code == 0 and logged()[-1]["actor"] == "operator"
        assert tongchou("audit", command, "--as", "shen").code == 0 and logged()[-1]["actor"] == "shen"
        assert tongchou("audit", command, "--as", "nobody").code == 3


def test_what_is_given_out_is_checked_without_the_platform(audited: Command, home: Path, folder: Path) -> None:
    given = audited("export", str(folder / "log"), "--json").json()
    assert given["size"] == given["end"] >= 2
    ran = check(folder, str(folder / "log"), "--older", str(home / "witness"))
    assert ran.returncode == 0 and "日志完整" in ran.stdout
    assert audited("export", str(folder / "log")).code == 2
    assert "audit:log:exported" in events()


def test_a_falsified_log_is_still_given_out(audited: Command, home: Path, folder: Path) -> None:
    with sqlite3.connect(home / "audit.db") as db:
        db.execute("UPDATE entry SET record = replace(record, 'operator', 'operatop') WHERE seq = 0")
    assert audited("export", str(folder / "log")).code == 0
    ran = check(folder, str(folder / "log"), "--json")
    assert (ran.returncode, json.loads(ran.stdout)["first_bad"]) == (5, 0)


def test_one_record_is_proven(audited: Command, home: Path, folder: Path) -> None:
    audited("export", str(folder / "log"))
    assert audited("prove", "0", "--out", str(folder / "zero")).code == 0
    ran = check(folder, "--proof", str(folder / "zero"), "--json")
    assert (ran.returncode, json.loads(ran.stdout)["index"]) == (0, 0)
    assert audited("prove", "999", "--out", str(folder / "none")).code == 2


def test_a_period_is_given_out(audited: Command, home: Path, folder: Path) -> None:
    given = audited("export", str(folder / "log"), "--from", "2020-01-01", "--to", "2020-01-31", "--json").json()
    assert given["first"] == given["end"]
    assert check(folder, str(folder / "log")).returncode == 0


def test_destruction_before_three_years_is_refused_and_recorded(audited: Command, home: Path) -> None:
    refused = audited("destroy", "--before", "2099-01-01", "--reason", "库满")
    assert refused.code == 2 and "AUD-RETENTION" in refused.err
    assert "audit:destruction:refused" in events()
    done = audited("destroy", "--before", "2020-01-01", "--reason", "三年期满", "--json").json()
    assert (done["first"], done["end"]) == (0, 0)


def test_what_was_written_is_sealed_on_demand(tongchou: Command, home: Path) -> None:
    assert tongchou("audit", "seal", "--json").json()["size"] >= 1


def test_checkpoints_go_to_a_second_folder(tongchou: Command, home: Path, folder: Path) -> None:
    assert tongchou("audit", "target", "add", str(folder / "second")).code == 0
    [told] = tongchou("audit", "target", "list", "--json").json()
    assert (told["behind"], told["fault"]) == (0, "")
    assert (folder / "second" / "checkpoints.txt").exists()
    assert "audit:targets:changed" in events()
    assert tongchou("audit", "target", "add", "http://127.0.0.1:9").code == 2
    assert tongchou("audit", "target", "remove", str(folder / "second")).code == 0
    assert tongchou("audit", "target", "remove", str(folder / "second")).code == 2


def test_auditors_co_sign_what_they_are_given(tongchou: Command, audited: Command, home: Path, folder: Path) -> None:
    key = str(home / "keys" / "audit-verifier.txt")
    assert tongchou("audit", "witness", "create", str(folder / "auditors"), "--name", "w.example", "--log-key", key).code == 0
    audited("export", str(folder / "log"))
    assert tongchou("audit", "witness", "sign", str(folder / "auditors"), str(folder / "log"), "--json").json()["size"] >= 2
    assert check(folder, str(folder / "log"), "--witness", str(folder / "auditors" / "witness-verifier.txt")).returncode == 0
