"""Attack: learn of a masked column by filtering, sorting or grouping by it (peers.md §2, traps 1 and 4)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from access.terms import RowScope
from rules.errors import Denied, Refused
from rules.tiers import Tier
from tests.attacks.conftest import Attacker

HIDDEN = ("marital_status", "religion")
"""Suppressed under T2."""


@pytest.mark.parametrize("where", ["marital_status=20", "religion=40", "phone=13800138001", "name=王小明", "birth_date=1980-01-01"])
def test_no_grant_filters_by_a_masked_column(attacker: Attacker, where: str) -> None:
    done = attacker.command(
        "grant", "add", "--to", "民政局", "--columns", "name,sex,phone,birth_date,marital_status,religion", "--where", where,
        "--purpose", "核查", "--basis", "法", "--to-day", "2099-12-31",
    )  # fmt: skip
    assert done.code == 2 and "DOOR-TERMS" in done.err
    assert where.split("=")[1] not in done.out + done.err


def test_a_filter_that_exists_is_told_of_like_one_that_finds_nobody(attacker: Attacker) -> None:
    def told(value: str) -> str:
        with pytest.raises(Refused) as refused:
            attacker.grant(row_scope=RowScope(equals={"phone": (value,)}))
        return str(refused.value)

    assert told("13800138001") == told("13000000000")


def reverse(name: str) -> Callable[[dict[str, list[Any]]], None]:
    def change(rows: dict[str, list[Any]]) -> None:
        rows[name].reverse()

    return change


@pytest.mark.parametrize("column", HIDDEN)
@pytest.mark.parametrize("file_format", ["csv", "parquet"])
def test_no_byte_of_an_extract_depends_on_a_suppressed_value(attacker: Attacker, tmp_path: Path, column: str, file_format: str) -> None:
    """Neither order, nor number of rows, nor length: the file is the same whatever stands in the column."""
    grant = attacker.grant(row_scope=RowScope(equals={"sex": ("1", "2")}))
    files = []
    for number in range(2):
        out = tmp_path / f"{number}.{file_format}"
        attacker.bureau.door.extract("lin", grant.id, out, file_format)
        files.append(out.read_bytes())
        attacker.rewrite(reverse(column))
    assert files[0] == files[1]


def test_the_order_of_an_extract_is_that_of_the_residents_and_not_of_a_masked_column(attacker: Attacker, tmp_path: Path) -> None:
    grant = attacker.grant(columns=["sex", "grid_code"], tier=Tier.T2)
    attacker.bureau.door.extract("lin", grant.id, tmp_path / "one.csv", "csv")
    attacker.rewrite(reverse("phone"))
    attacker.bureau.door.extract("lin", grant.id, tmp_path / "other.csv", "csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "other.csv").read_bytes()


@pytest.mark.parametrize("by", ["name", "id_number", "phone", "resident_id", "residence_address:value"])
def test_nothing_is_grouped_by_what_names_a_person(attacker: Attacker, by: str) -> None:
    grant = attacker.grant(tier=Tier.T0)
    done = attacker.command("statistics", str(grant.id), "--by", by, "--as", "lin")
    assert done.code in {2, 3} and "王" not in done.out + done.err


def test_nothing_is_grouped_by_a_column_that_was_not_granted(attacker: Attacker) -> None:
    grant = attacker.grant(tier=Tier.T0, columns=["sex"])
    with pytest.raises((Denied, Refused)):
        attacker.bureau.door.statistics("lin", grant.id, ["grid_code:street"])


def test_a_masked_extract_grant_counts_nothing_and_a_grant_to_count_hands_nothing_out(attacker: Attacker, tmp_path: Path) -> None:
    extract, count = attacker.grant(columns=["sex"]), attacker.grant(columns=["sex"], tier=Tier.T0)
    assert attacker.command("statistics", str(extract.id), "--by", "sex", "--as", "lin").code == 3
    assert attacker.command("extract", str(count.id), "--as", "lin", "--out", str(tmp_path / "x.csv")).code == 3
    assert not (tmp_path / "x.csv").exists()
