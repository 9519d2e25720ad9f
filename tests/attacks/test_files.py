"""Attack: names of files that lead elsewhere, cells that run, receipts that lie."""

import csv
import json
from pathlib import Path

import pytest

from rules.tiers import Tier
from tests.attacks.conftest import Attacker

KEPT = ("store.db", "audit.db", "keys/audit-signing.pem", "keys/pseudonym-master.key", "lake/golden/v000001/residents.parquet")


@pytest.mark.parametrize(
    "inside", [*KEPT, "keys/new.csv", "audit.db-wal", "lake/x.csv", "clients/x.csv", "exports/.staging/x.csv", "exports/../keys/y.csv"]
)
def test_an_answer_is_not_written_over_what_the_platform_keeps(attacker: Attacker, inside: str) -> None:
    grant, home = attacker.grant(columns=["sex"]), attacker.bureau.home.root
    place = home / inside
    before = place.read_bytes() if place.is_file() and "db" not in place.name else None
    done = attacker.command("extract", str(grant.id), "--as", "lin", "--format", "csv", "--out", str(place))
    assert done.code == 2 and "DOOR-OUT" in done.err
    assert before is None or place.read_bytes() == before
    assert not (home / "keys" / "new.csv").exists() and not (home / "keys" / "y.csv").exists()


def test_a_link_does_not_lead_there_either(attacker: Attacker, tmp_path: Path) -> None:
    grant, keys = attacker.grant(columns=["sex"]), attacker.bureau.home.keys
    (tmp_path / "folder").symlink_to(keys)
    (tmp_path / "file.csv").symlink_to(keys / "audit-signing.pem")
    signing = (keys / "audit-signing.pem").read_bytes()
    for out in ("folder/x.csv", "file.csv", f"../{tmp_path.name}/folder/x.csv"):
        assert attacker.command("extract", str(grant.id), "--as", "lin", "--out", out).code == 2
    assert (keys / "audit-signing.pem").read_bytes() == signing and not (keys / "x.csv").exists()


@pytest.mark.parametrize("inside", ["exports/x.csv", "x.csv", "answers/x.csv"])
def test_beside_what_the_platform_keeps_there_is_room_for_an_answer(attacker: Attacker, inside: str) -> None:
    out = attacker.bureau.home.root / inside
    assert attacker.command("extract", str(attacker.grant(columns=["sex"]).id), "--as", "lin", "--out", str(out)).code == 0
    assert out.exists()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "＝"])
def test_no_cell_of_a_csv_file_is_a_formula(attacker: Attacker, tmp_path: Path, start: str) -> None:
    formula = f"{start}HYPERLINK(1)"

    def plant(rows: dict[str, list[str | None]]) -> None:
        rows["name"][0] = formula

    attacker.rewrite(plant)
    grant = attacker.grant(columns=["name"], tier=Tier.T4)
    attacker.bureau.door.extract("lin", grant.id, tmp_path / "x.csv", "csv")
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        cell = list(csv.reader(file))[1][0]
    assert cell[0] not in "=+-@\t\r＝"


def test_a_forged_receipt_is_told_by_its_exit_code(attacker: Attacker, tmp_path: Path) -> None:
    out = tmp_path / "x.csv"
    assert attacker.command("extract", str(attacker.grant(columns=["sex"]).id), "--as", "lin", "--out", str(out)).code == 0
    receipt = tmp_path / "x.csv.receipt.json"
    assert attacker.command("receipt", "verify", str(receipt), "--of", str(out)).code == 0
    told = json.loads(receipt.read_text(encoding="utf-8"))
    for forged in ({**told, "rows": 1}, {**told, "grant": told["grant"] | {"purpose": "其他"}}, {**told, "residents": 0}):
        receipt.write_text(json.dumps(forged, ensure_ascii=False), encoding="utf-8")
        done = attacker.command("receipt", "verify", str(receipt))
        assert done.code == 5 and "DOOR-RECEIPT" in done.err
    receipt.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    out.write_text("姓名\n", encoding="utf-8")
    assert attacker.command("receipt", "verify", str(receipt), "--of", str(out)).code == 5
