"""The log's commands, as an auditor uses them."""

import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command


@pytest.fixture
def home(tongchou: Command, folder: Path) -> Path:
    tongchou("init")
    return folder / "home"


def events(tongchou: Command) -> list[str]:
    return [record["event"] for record in tongchou("audit", "list", "--json").json()]


def check(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-I", str(folder / "log" / "verify_log.py"), "--key", str(folder / "home/keys/audit-verifier.txt")]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, cwd="/", check=False)


def test_what_is_given_out_is_checked_without_the_platform(tongchou: Command, home: Path, folder: Path) -> None:
    tongchou("audit", "list")
    given = tongchou("audit", "export", str(folder / "log"), "--json").json()
    assert given["size"] == given["end"] >= 2
    ran = check(folder, str(folder / "log"), "--older", str(home / "witness"))
    assert ran.returncode == 0 and "日志完整" in ran.stdout
    assert tongchou("audit", "export", str(folder / "log")).code == 2
    assert "audit:log:exported" in events(tongchou)


def test_a_falsified_log_is_still_given_out(tongchou: Command, home: Path, folder: Path) -> None:
    tongchou("audit", "list")
    with sqlite3.connect(home / "audit.db") as db:
        db.execute("UPDATE entry SET record = replace(record, 'operator', 'operatop') WHERE seq = 0")
    assert tongchou("audit", "export", str(folder / "log")).code == 0
    ran = check(folder, str(folder / "log"), "--json")
    assert (ran.returncode, json.loads(ran.stdout)["first_bad"]) == (5, 0)


def test_one_record_is_proven(tongchou: Command, home: Path, folder: Path) -> None:
    tongchou("audit", "list")
    tongchou("audit", "export", str(folder / "log"))
    assert tongchou("audit", "prove", "0", "--out", str(folder / "zero")).code == 0
    ran = check(folder, "--proof", str(folder / "zero"), "--json")
    assert (ran.returncode, json.loads(ran.stdout)["index"]) == (0, 0)
    assert tongchou("audit", "prove", "999", "--out", str(folder / "none")).code == 2


def test_a_period_is_given_out(tongchou: Command, home: Path, folder: Path) -> None:
    tongchou("audit", "list")
    given = tongchou("audit", "export", str(folder / "log"), "--from", "2020-01-01", "--to", "2020-01-31", "--json").json()
    assert given["first"] == given["end"]
    assert check(folder, str(folder / "log")).returncode == 0


def test_destruction_before_three_years_is_refused_and_recorded(tongchou: Command, home: Path) -> None:
    refused = tongchou("audit", "destroy", "--before", "2099-01-01", "--reason", "库满")
    assert refused.code == 2 and "AUD-RETENTION" in refused.err
    assert "audit:destruction:refused" in events(tongchou)
    done = tongchou("audit", "destroy", "--before", "2020-01-01", "--reason", "三年期满", "--json").json()
    assert (done["first"], done["end"]) == (0, 0)


def test_what_was_written_is_sealed_on_demand(tongchou: Command, home: Path) -> None:
    tongchou("audit", "list")
    assert tongchou("audit", "seal", "--json").json()["size"] >= 1


def test_checkpoints_go_to_a_second_folder(tongchou: Command, home: Path, folder: Path) -> None:
    assert tongchou("audit", "target", "add", str(folder / "second")).code == 0
    [told] = tongchou("audit", "target", "list", "--json").json()
    assert (told["behind"], told["fault"]) == (0, "")
    assert (folder / "second" / "checkpoints.txt").exists()
    assert "audit:targets:changed" in events(tongchou)
    assert tongchou("audit", "target", "add", "http://127.0.0.1:9").code == 2
    assert tongchou("audit", "target", "remove", str(folder / "second")).code == 0
    assert tongchou("audit", "target", "remove", str(folder / "second")).code == 2


def test_auditors_co_sign_what_they_are_given(tongchou: Command, home: Path, folder: Path) -> None:
    tongchou("audit", "list")
    key = str(home / "keys" / "audit-verifier.txt")
    assert tongchou("audit", "witness", "create", str(folder / "auditors"), "--name", "w.example", "--log-key", key).code == 0
    tongchou("audit", "export", str(folder / "log"))
    assert tongchou("audit", "witness", "sign", str(folder / "auditors"), str(folder / "log"), "--json").json()["size"] >= 2
    assert check(folder, str(folder / "log"), "--witness", str(folder / "auditors" / "witness-verifier.txt")).returncode == 0
