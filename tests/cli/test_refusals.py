"""Bad input of casework on the command line: refused in both languages with the rule, the state unchanged, the attempt on record."""

import re
from pathlib import Path

import openpyxl
import pytest

from rules.errors import load_error_texts
from tests.cli.conftest import Command, logged
from tests.cli.test_catalog import NEEDED, office

__all__ = ["office"]

RULE = re.compile(r"(L|C|F|R|D|P)-\d+|§7|TX-\d+")
LIST_OF_THE_BUREAU = (
    "REQ-MOVE", "REQ-STALE", "REQ-SECOND", "TKT-MOVE", "TKT-STALE", "TKT-SECOND", "CAT-MOVE", "CAT-STALE", "CAT-TWO-PERSONS", "DCK-MOVE",
    "ENT-LEGAL-KIND", "CLK-YEAR", "XLS-FAULTS", "SCO-PERIOD",
)  # fmt: skip
"""Illegal moves, two people at once, who approves his own, a basis of the wrong kind, a year nobody knows, a faulty workbook."""


@pytest.mark.parametrize("code", LIST_OF_THE_BUREAU)
def test_the_refusal_names_its_rule_in_both_languages(code: str) -> None:
    text = load_error_texts()[code]
    assert RULE.search(text.zh) and RULE.search(text.en)


def attempts() -> list[str]:
    return [row["event"] for row in logged() if row["event"].endswith("refused")]


def told(office: Command, *arguments: str) -> str:
    """What was refused: the entry is as it was, and the log has one record of the attempt more."""
    before, known = office("catalog", "show", "1", "--as", "chief", "--json").json(), attempts()
    done = office(*arguments)
    assert done.code in (2, 3) and RULE.search(done.err), done.err
    assert office("catalog", "show", "1", "--as", "chief", "--json").json() == before
    assert attempts() == [*known, "catalog:entry:refused"]
    return done.err


def test_an_entry_that_is_not_reviewed_is_not_published(office: Command) -> None:
    assert "CAT-MOVE" in told(office, "catalog", "publish", "1", "--as", "chief")


def test_a_basis_that_is_no_law_is_refused_and_a_law_is_taken(office: Command) -> None:
    """L-10, TX-04: a department's rule is not enough; by column (C-14)."""
    assert office("catalog", "set", "1", *NEEDED, "--as", "lin").code == 0
    no_phone = ("catalog", "set", "1", "--column", "phone", "share=none", "no_share_reason=依法不予共享", "--as", "lin")
    assert office(*no_phone, "citation=《公安机关户籍管理规定》第三条").code == 0
    assert "ENT-LEGAL-KIND" in told(office, "catalog", "submit", "1", "--as", "lin")
    assert office("catalog", "set", "1", "--column", "phone", "citation=《中华人民共和国居民身份证法》第六条", "--as", "lin").code == 0
    assert office("catalog", "submit", "1", "--as", "lin").code == 0


def test_of_two_who_edit_at_once_the_second_is_told(office: Command) -> None:
    assert office("catalog", "set", "1", "abstract=一", "--as", "lin", "--revision", "1").code == 0
    assert "CAT-STALE" in told(office, "catalog", "set", "1", "abstract=二", "--as", "lin", "--revision", "1")


def test_a_thousand_faults_are_all_told_at_their_places_and_nothing_is_taken(office: Command, folder: Path) -> None:
    """TX-30: row and column of each; the machine's answer holds them all, the screen stays readable."""
    assert office("catalog", "export", "--out", str(folder / "a.xlsx"), "--as", "lin").code == 0
    book = openpyxl.load_workbook(folder / "a.xlsx")
    sheet = book["目录"]
    filled = [cell.value for cell in sheet[2]]
    for number in range(500):
        sheet.append([f"第 {number} 个" if column == 1 else value for column, value in enumerate(filled)])
    book.save(folder / "a.xlsx")
    err = told(office, "catalog", "import", str(folder / "a.xlsx"), "--as", "lin")
    assert "XLS-FAULTS" in err and len(re.findall(r"目录![A-Z]+\d+", err)) >= 1
