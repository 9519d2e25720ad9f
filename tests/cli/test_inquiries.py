"""Inquiries on the command line: the number is asked for, never an argument; exit codes say found, denied, not there."""

import sys
from io import StringIO
from pathlib import Path

import pytest

from access.accounts import Role, create_account
from access.door import create_keys
from access.grants import grant
from access.terms import Mode
from audit.log import open_log
from catalog.home import Home
from catalog.lake import Lake
from catalog.store import open_store
from golden.serving import publish
from rules.tiers import Tier
from tests.access.conftest import NOW, TERMS, make_golden
from tests.cli.conftest import Command

WANG, NOBODY = "990605198001011234", "990605198001010000"


@pytest.fixture
def served(folder: Path, tongchou: Command) -> int:
    """A home with golden records that are served, an account and a grant to look them up; the grant's number."""
    assert tongchou("init").code == 0
    home = Home(folder / "home")
    create_keys(home)
    store, log = open_store(home.store_url), open_log(home.audit_url, home.keys)
    make_golden(store, Lake(home.lake_root))
    publish(store, home, 1, now=NOW)
    roles = [Role.DEPARTMENT_REQUESTER]
    create_account(store, log, by="operator", name="lin", title="林", department="civil_affairs", roles=roles, now=NOW)
    terms = {**TERMS, "mode": Mode.LOOKUP, "tier": Tier.T2, "columns": ["name", "sex"], "valid_to": NOW.date().replace(year=2099)}
    made = grant(store, Lake(home.lake_root), log, **terms)
    log.close()
    store.close()
    return made.id


def typed(monkeypatch: pytest.MonkeyPatch, *values: str) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("".join(f"{value}\n" for value in values)))


def test_a_look_up_prints_masked_values_and_its_record(served: int, tongchou: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, WANG)
    ran = tongchou("look-up", str(served), "--as", "lin", "--json")
    assert (ran.code, ran.json()["values"]) == (0, {"name": "王**", "sex": "1"})
    assert tongchou("audit", "verify").code == 0


def test_people_read_titles_and_meanings_and_never_the_number_that_came_in(
    served: int, tongchou: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, WANG)
    ran = tongchou("look-up", str(served), "--as", "lin")
    assert "姓名 name: 王**" in ran.out and "性别 sex: 1 男" in ran.out
    assert WANG not in ran.out + ran.err and "Warning" not in ran.err
    typed(monkeypatch)
    assert tongchou("look-up", str(served), "--as", "lin").code != 0, "nothing came in"


@pytest.mark.parametrize(("number", "actor", "code"), [(NOBODY, "lin", 4), (WANG, "operator", 3), ("1", "lin", 2)])
def test_the_exit_code_says_how_it_ended(
    served: int, tongchou: Command, monkeypatch: pytest.MonkeyPatch, number: str, actor: str, code: int
) -> None:
    typed(monkeypatch, number)
    ran = tongchou("look-up", str(served), "--as", actor)
    assert ran.code == code
    assert WANG not in ran.out + ran.err


def test_a_verification_prints_one_word(served: int, tongchou: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tongchou(
        "grant", "add", "--to", "civil_affairs", "--columns", "name,sex", "--tier", "T1", "--mode", "verify", "--calls-a-day", "2",
        "--purpose", "核验", "--basis", "办法 第一条", "--to-day", "2099-12-31", "--json",
    )  # fmt: skip
    number = str(made.json()["id"])
    typed(monkeypatch, WANG, "王小明", "男")
    assert tongchou("verify", number, "--about", "name,sex", "--as", "lin", "--json").json()["verdict"] == "yes"
    typed(monkeypatch, WANG, "王小明", WANG, "王小明")
    assert tongchou("kinship", number, "--as", "lin").code == 3, "the columns that it rests on are not granted"


def test_a_look_up_of_a_case_reads_its_persons_from_a_file(served: int, folder: Path, tongchou: Command) -> None:
    made = tongchou(
        "grant", "add", "--to", "civil_affairs", "--columns", "name,sex", "--tier", "T3", "--mode", "lookup", "--case", "检 1 号",
        "--purpose", "核查", "--basis", "办法 第一条", "--to-day", "2099-12-31", "--json",
    )  # fmt: skip
    (folder / "persons.txt").write_text(f"{WANG}\n\n{NOBODY}\n", encoding="utf-8")
    asked = ("case-look-up", str(made.json()["id"]), "--persons", "persons.txt", "--out", "case.json", "--as", "lin", "--json")
    assert tongchou(*asked, "--case", "检 2 号").code == 3
    assert tongchou(*asked, "--case", "检 1 号").json()["rows"] == 1
    assert WANG in (folder / "case.json").read_text(encoding="utf-8")
