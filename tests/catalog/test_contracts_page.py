"""docs/contracts.md names every customProperty that the platform understands, and no other."""

import re
from pathlib import Path

import pytest
import yaml

from catalog.contracts.draft import draft
from catalog.terms import COLUMN, CONTRACT, SERVER, terms_of

PAGE = Path(__file__).parents[2] / "docs" / "contracts.md"
SECTIONS = {CONTRACT: "## Of the contract", COLUMN: "## Of a column", SERVER: "## Of the server"}


def listed(section: str) -> dict[str, str]:
    """Key → the rest of its row, of the table in a section."""
    body = PAGE.read_text(encoding="utf-8").partition(section)[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \|(.*)$", body, re.MULTILINE))


@pytest.mark.parametrize("place", SECTIONS)
def test_the_page_lists_exactly_the_keys_that_the_code_knows(place: str) -> None:
    assert list(listed(SECTIONS[place])) == list(terms_of(place))


@pytest.mark.parametrize("place", SECTIONS)
def test_each_row_of_the_page_has_the_chinese_name_the_choices_and_the_default(place: str) -> None:
    rows = listed(SECTIONS[place])
    for term in terms_of(place).values():
        row = rows[term.key]
        assert term.title in row and term.rule in row, term.key
        assert all(choice in row for choice in term.choices), term.key
        assert term.default in (None, False, 0) or f"`{term.default}`" in row, term.key


def test_the_contract_shown_on_the_page_is_taken_without_a_warning(tmp_path: Path) -> None:
    shown = PAGE.read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    path = tmp_path / "contract.yaml"
    path.write_text(shown, encoding="utf-8")
    found = draft(path)
    assert (found.findings.faults, found.findings.warnings) == ([], [])
    assert found.dataset is not None and found.id == yaml.safe_load(shown)["id"]
