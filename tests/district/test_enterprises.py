"""The four data sets about enterprises: what the truth says of them, and the dirt that it records."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from district.areas import lay_out
from district.build import write_enterprises
from district.enterprise_sets import load_enterprise_sets
from district.plan import plan
from rules.credit_codes import judge_credit_code
from tests.district.sources import contracts, key_columns, rows

Row = Mapping[str, str | None]


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The enterprises of 20,000 residents: enough that each pattern stands somewhere."""
    out, size = tmp_path_factory.mktemp("enterprises"), plan(20_000, 7)
    write_enterprises(size, lay_out(size), out, list(load_enterprise_sets().values()))
    return out


@pytest.fixture(scope="module")
def told(district: Path) -> dict[tuple[str, str], Row]:
    """Every row of the four data sets, by data set and key; its cells by column name."""
    found: dict[tuple[str, str], Row] = {}
    for contract in contracts(district):
        if spec := load_enterprise_sets().get(contract["id"]):
            (key,) = key_columns(contract)
            for row in rows(district, contract):
                found[spec.key, str(row[key])] = {column.name: row[column.header] or None for column in spec.columns}
    return found


@pytest.fixture(scope="module")
def truth(district: Path) -> dict[tuple[str, str], Row]:
    """The true enterprise of each record."""
    people = {row["enterprise"]: row for row in pq.read_table(district / "truth/enterprises.parquet").to_pylist()}
    records = pq.read_table(district / "truth/enterprise_records.parquet").to_pylist()
    return {(row["dataset"], row["record"]): people[row["enterprise"]] for row in records}


def test_the_truth_names_the_enterprise_of_every_record(told: dict, truth: dict) -> None:
    assert set(told) == set(truth)
    assert {dataset for dataset, _ in told} == set(load_enterprise_sets())


def test_true_codes_are_valid_and_no_two_enterprises_share_one(truth: dict) -> None:
    codes = {row["enterprise"]: row["credit_code"] for row in truth.values()}
    assert all(judge_credit_code(code).value == code for code in codes.values())
    assert len(set(codes.values())) == len(codes)


def _pattern_rows(district: Path, pattern: str) -> list[tuple[str, str]]:
    marks = pq.read_table(district / "truth/enterprise_patterns.parquet").to_pylist()
    return [(mark["dataset"], mark["record"]) for mark in marks if mark["pattern"] == pattern]


@pytest.mark.parametrize(
    ("pattern", "shows"),
    [
        ("code_empty", lambda row, true: row["credit_code"] is None),
        ("code_typo", lambda row, true: judge_credit_code(row["credit_code"]).fault == "CREDIT-CHECK"),
        ("code_cut", lambda row, true: judge_credit_code(row["credit_code"]).fault == "CREDIT-LOST"),
        ("code_old", lambda row, true: judge_credit_code(row["credit_code"]).value is None),
        ("code_head", lambda row, true: judge_credit_code(row["credit_code"]).value not in (None, true["credit_code"])),
        ("name_variant", lambda row, true: row["enterprise_name"] != true["enterprise_name"]),
        ("former_name", lambda row, true: true["enterprise_former_name"] is not None),
        ("former_representative", lambda row, true: row["legal_representative"] != true["legal_representative"]),
    ],
)
def test_a_recorded_pattern_stands_in_its_row(
    district: Path, told: dict, truth: dict, pattern: str, shows: Callable[[Row, Row], bool]
) -> None:
    marked = _pattern_rows(district, pattern)
    assert marked
    assert [record for record in marked if not shows(told[record], truth[record])] == []


def test_some_owner_has_several_enterprises_and_some_branch_its_company(truth: dict) -> None:
    named = {row["enterprise"]: row for row in truth.values()}
    owners = [row["legal_representative"] for row in named.values()]
    assert len(set(owners)) < len(owners)
    branches = [row for row in named.values() if row["kind"] == "branch"]
    assert branches and all(
        row["enterprise_name"].startswith(named[row["head"]]["enterprise_name"]) for row in branches if row["head"] in named
    )
